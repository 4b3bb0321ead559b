"""Words of the command line's help that several commands share."""

from __future__ import annotations

import argparse

FORMATS_MARK = "{formats}"  # in a help text: the file formats, which load when it is shown

DATA_HELP = f"file with all examples, or train: {FORMATS_MARK}"
JSON_HELP = "print one JSON object"
POOLING_HELP = "consider one pooling only"
RUN_HELP = "a run's id or its folder"
RUNS_HELP = "runs folder (default: checkpoints/runs)"


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Names file formats, and defaults other than "off" and "none"."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        silent = action.default is None or action.default is False or action.default == []
        text = action.help if silent else super()._get_help_string(action)
        if text is None or FORMATS_MARK not in text:
            return text
        from layerviz.data import formats_in_words

        return text.replace(FORMATS_MARK, formats_in_words())
