"""The small encoders that come with layerviz: their folder and their names.

Apart from all else that is known of encoders, so that the command line can list them at once.
"""

from __future__ import annotations

from pathlib import Path

STARTERS = Path(__file__).parents[1] / "checkpoints" / "starters"
_FIRST = ("bert-mini", "roberta-mini", "distilbert-mini")


def starter_names(folder: Path = STARTERS) -> list[str]:
    """Return the names of the starters on this disk, in the order in which they are offered."""
    names = sorted(path.parent.name for path in folder.glob("*/config.json"))
    return sorted(names, key=lambda name: (*_FIRST, name).index(name))
