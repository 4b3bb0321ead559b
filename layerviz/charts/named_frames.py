"""Charts whose frames are taken out and replaced by names, to be sent beside the specification."""

from __future__ import annotations

from typing import Any

import pandas as pd

from layerviz.charts.unchecked import alt

ROWS_APART = 1000  # frames from this size on do not pass through Altair, which refuses 5,000 rows


def without_frames(node: Any, frames: dict[str, pd.DataFrame], rows_apart: int = ROWS_APART) -> Any:
    """Return a copy in which large frames are replaced by names; `frames` collects them."""
    if isinstance(node, pd.DataFrame):
        if len(node) < rows_apart:
            return node
        name = next((name for name, frame in frames.items() if frame is node), "")
        name = name or f"rows-{len(frames)}"
        frames[name] = node
        return alt.NamedData(name)
    if isinstance(node, alt.SchemaBase):
        copy = node.copy(deep=False)
        for name, value in copy._kwds.items():
            copy._kwds[name] = without_frames(value, frames, rows_apart)
        return copy
    if isinstance(node, list | tuple):
        return type(node)(without_frames(value, frames, rows_apart) for value in node)
    return node
