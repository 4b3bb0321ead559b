"""What the words of a split column mean."""

from __future__ import annotations

import pandas as pd

SPLIT_WORDS = {
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("val", "valid", "validation", "dev", "development"), "val"),
    **dict.fromkeys(("test", "testing"), "test"),
}


def gives_val(frame: pd.DataFrame, split: str | None) -> bool:
    """Tell whether a split column says of any row that it belongs to val."""
    if split is None:
        return False
    words = frame[split].str.strip().str.lower().unique()
    return any(SPLIT_WORDS.get(word) == "val" for word in words)
