"""Words of the command line's help that several commands share."""

from __future__ import annotations

from layerviz.commands.arguments import FORMATS_MARK, STARTERS_MARK
from layerviz.config import FAMILIES

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
