"""Words of the command line's help that several commands share."""

from __future__ import annotations

import argparse

RUNS_HELP = "runs folder (default: checkpoints/runs)"
FORMATS_MARK = "{formats}"  # in a help text: the file formats, which load when it is shown


class Help(argparse.ArgumentDefaultsHelpFormatter):
    """Names the defaults that there are, and the file formats."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        text = action.help if action.default is None else super()._get_help_string(action)
        if text is None or FORMATS_MARK not in text:
            return text
        from layerviz.data import formats_in_words

        return text.replace(FORMATS_MARK, formats_in_words())
