"""Titles of the maps and headings of their splits, at any width of the page."""

from __future__ import annotations

import pandas as pd

from layerviz.charts.frames import TITLE_SEPARATOR
from layerviz.charts.grid import Grid, x_in_panels, y_in_pixels
from layerviz.charts.unchecked import alt

LETTER = 0.56  # mean width of a letter, in sizes of its font: that of wide ones, as DejaVu Sans
USUAL_SIZE, SMALL_SIZE, SMALLEST_SIZE = 11, 9, 6  # of a title, in pixels
NARROW = 125  # pixels for a title, below which its letters are small
HEADING_SIZE = 14


def titles(frames: pd.DataFrame, grid: Grid, dark: bool) -> alt.Chart:
    """Draw the title of each map: on as few lines as its panel's width allows.

    Parameters
    ----------
    frames : DataFrame
        One row per panel: ``left``, ``top``, and per slot ``title0``, ...
    grid : Grid
    dark : bool
    """
    return (
        alt.Chart(frames)
        # A field of their own: where the room for titles changes, only what depends on it is
        # calculated again.
        .transform_calculate(lines="split(datum['title' + slot], '\\n')")
        .transform_calculate(title=f"{_fitted('datum.lines[0]')} + {_second_line()}")
        .mark_text(
            align="left",
            baseline="top",
            dx=6,
            dy=5,
            fontSize={"expr": "title_size"},
            lineBreak="\n",
            lineHeight={"expr": "title_size * 1.27"},
            limit={"expr": "title_room"},
            color="#c9ced8" if dark else "#4a5160",
        )
        .encode(
            x=x_in_panels("left", grid),
            y=y_in_pixels("top", grid),
            text="title:N",
        )
    )


def title_params(grid: Grid) -> list[alt.Parameter]:
    """Return the room for a title and the size of its letters, in pixels, which follow the page."""
    small = f"clamp(title_room / 5.5, {SMALLEST_SIZE}, {SMALL_SIZE})"
    return [
        alt.param(name="title_room", expr=f"width / {grid.width} * 0.96 - 8"),
        alt.param(name="title_size", expr=f"title_room < {NARROW} ? {small} : {USUAL_SIZE}"),
    ]


def headings(frames: pd.DataFrame, grid: Grid, dark: bool) -> alt.Chart:
    """Draw the heading of each split, smaller where the page is narrow.

    Parameters
    ----------
    frames : DataFrame
        One row per panel: ``left``, ``heading_top``, ``first``, and per slot ``heading0``, ...
    grid : Grid
    dark : bool
    """
    part = 1 if grid.stacked else 0.96 / len(grid.splits)  # of the width
    size = f"width * {part} / (length(datum.heading) * {LETTER})"
    return (
        alt.Chart(frames)
        .transform_filter("datum.first")
        .transform_calculate(heading="datum['heading' + slot]")
        .mark_text(
            align="left",
            baseline="top",
            dx=2,
            dy=4,
            fontSize={"expr": f"clamp({size}, {SMALLEST_SIZE}, {HEADING_SIZE})"},
            fontWeight="bold",
            color="#f2f3f5" if dark else "#1f2430",
        )
        .encode(
            x=x_in_panels("left", grid),
            y=y_in_pixels("heading_top", grid),
            text="heading:N",
        )
    )


def _second_line() -> str:
    return f"(length(datum.lines) > 1 ? '\\n' + {_fitted('datum.lines[1]')} : '')"


def _fitted(line: str) -> str:
    """Return the Vega expression of a line that is broken where it is too long for its panel.

    Trustworthiness and kept neighbours stay together, if they can; then each part has a line, and
    where that is too long, too, it is broken at commas.
    """
    separator = f"'{TITLE_SEPARATOR}'"
    before_trust = f"split({line}, {separator} + 'T ')"
    parts = f"split({line}, {separator})"
    ways = (
        (line, [line]),
        (f"join({before_trust}, '\\nT ')", [f"{before_trust}[{at}]" for at in range(2)]),
        (f"join({parts}, '\\n')", [f"{parts}[{at}]" for at in range(3)]),
    )
    fitted = f"join(split(join({parts}, '\\n'), ', '), ',\\n')"
    for broken, pieces in reversed(ways):
        longest = f"max({', '.join(map(_width, pieces))})"
        fitted = f"({longest} < title_room ? {broken} : {fitted})"
    return fitted


def _width(text: str) -> str:
    """Return the Vega expression of the pixels that a text takes, roughly."""
    separators = f"(length(split({text} || '', '{TITLE_SEPARATOR}')) - 1) * 2"  # spaces collapse
    return f"(length({text} || '') - {separators}) * title_size * {LETTER}"
