"""Words of the command line's help that several commands share."""

from __future__ import annotations

import argparse

RUNS_HELP = "runs folder (default: checkpoints/runs)"


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Names the defaults that there are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)
