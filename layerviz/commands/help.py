"""Words of the command line's help that several commands share."""

from __future__ import annotations

import argparse

from layerviz.config import FAMILIES
from layerviz.starters import starter_names

STARTERS_MARK = "{starters}"  # the encoders that come with layerviz
FORMATS_MARK = "{formats}"  # in a help text: the file formats, which load when it is shown

DATA_HELP = (
    f"file with all examples, or train: {FORMATS_MARK}; or a data set of the Hugging Face Hub, "
    "hf:OWNER/NAME[:CONFIGURATION][@COMMIT], or a folder that save_to_disk wrote"
)
ENCODER_HELP = (
    f"one that comes with layerviz ({STARTERS_MARK}), one from scratch "
    f"({', '.join(f'scratch-{family}' for family in FAMILIES)}), a Hub id or a local folder"
)
JSON_HELP = "print one JSON object"
POOLING_HELP = "consider one pooling only"
RUN_HELP = "a run's id or its folder"
RUNS_HELP = "runs folder (default: checkpoints/runs)"


class HelpFormatter(argparse.ArgumentDefaultsHelpFormatter):
    """Names file formats, and defaults other than "off" and "none"."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        silent = action.default is None or action.default is False or action.default == []
        text = action.help if silent else super()._get_help_string(action)
        if text is not None and STARTERS_MARK in text:
            text = text.replace(STARTERS_MARK, ", ".join(starter_names()))
        if text is None or FORMATS_MARK not in text:
            return text
        from layerviz.data import formats_in_words

        return text.replace(FORMATS_MARK, formats_in_words())
