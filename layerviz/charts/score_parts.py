"""Parts of charts of scores: layers of marks, tooltips, and numbers written for people."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerviz.charts.unchecked import alt
from layerviz.wording import decimal
from layerviz.wording import signed as with_sign

LINES_HEIGHT = 300  # pixels


def layered(*layers: alt.Chart, height: int = LINES_HEIGHT) -> alt.LayerChart:
    """Lay marks over one another, as wide as their container."""
    # Streamlit's own "fit" would take legend and axes out of the height, and squeeze the tiles.
    size = {"type": "fit-x", "contains": "padding"}
    chart = alt.layer(*layers).properties(height=height, width="container", autosize=size)
    return chart.configure_view(stroke=None)


def score_tooltip(frame: pd.DataFrame, measure: str, **fields: str) -> list[alt.Tooltip]:
    """Show `fields` (names to titles), the value and, where the frame has them, interval and n."""
    fields |= {"value_text": measure} | ({"interval": "Interval"} if "low" in frame else {})
    size = [alt.Tooltip("n:Q", title="Examples", format=",")] if "n" in frame else []
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in fields.items()] + size


def with_texts(frame: pd.DataFrame, signed: bool = False) -> pd.DataFrame:
    """Add value and interval as text: Vega would show a missing number as 0.000.

    Where the frame has a ``note``, it stands beside the value, or in its place.
    """

    def texts(column: str) -> list[str]:
        return [number_text(number, 3, signed) for number in frame[column]]

    notes = frame["note"] if "note" in frame else [""] * len(frame)
    written = [
        f"{text} ({note})" if text and note else text or note or "not measured"
        for text, note in zip(texts("value"), notes, strict=True)
    ]
    frame = frame.assign(value_text=written)
    if "low" not in frame:
        return frame
    ends = zip(texts("low"), texts("high"), strict=True)
    return frame.assign(interval=[" to ".join(pair) if all(pair) else "none" for pair in ends])


def number_text(value: float, places: int, signed: bool = False, short: bool = False) -> str:
    """Write a number for people, without the 0 before the point if `short`; "" where it is NaN."""
    if not np.isfinite(value):
        return ""
    places = max(places - (abs(value) >= 10) - (abs(value) >= 100), 0)
    write = with_sign if signed and round(float(value), places) else decimal
    text = write(float(value), places)
    return text.replace("0.", ".", 1) if short and abs(value) < 1 else text


def sample_sizes(n: pd.Series, each: str = "") -> str:
    """Return " (n = 500)", or the least and most, for the end of a title."""
    if n.empty:
        return ""
    least, most = int(n.min()), int(n.max())
    sizes = f"{least:,}" if least == most else f"{least:,} to {most:,}"
    return f" (n = {sizes}{each})"
