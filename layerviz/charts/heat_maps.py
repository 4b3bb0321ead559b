"""How well layers separate the classes, as tiles: over epochs, per class, and in pairs of layers.

The numbers were measured elsewhere. One that could not be measured is NaN: a grey tile without a
number.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import numpy as np
import pandas as pd

from layerviz.charts.axes import (
    EPOCH_TITLE,
    LAYER_TITLE,
    epoch_names,
    label_expression,
    labelled_snapshots,
    layer_names,
    tile_axis,
)
from layerviz.charts.palette import OTHER_COLOUR
from layerviz.charts.score_parts import (
    layered,
    number_text,
    sample_sizes,
    score_tooltip,
    with_texts,
)
from layerviz.charts.unchecked import alt
from layerviz.charts.user_texts import domain_of

TILE_HEIGHT = 26  # pixels; tiles of 13 layers fit on a page
LINE_HEIGHT = 13  # pixels
COUNTS_HEIGHT = 40  # pixels of tiles with two lines of numbers
MOST_COUNTS = 8  # classes of such tiles
MOST_NUMBERS = 25  # columns of tiles; in more, numbers would be too small to read

# viridis (van der Walt & Smith, 2015): even steps to every eye, and not the ramp of confidence.
VALUE_RAMP = ("#440154", "#443983", "#31688E", "#21918C", "#35B779", "#90D743", "#FDE725")
# Blue to orange, which every eye tells apart; no change is near the colour of the page.
CHANGE_RAMP = ("#1C4F82", "#5F93C4", "#B5D0E6", "#F3F1EC", "#F7C795", "#DB8436", "#96480A")
CHANGE_RAMP_DARK = ("#9CCBFA", "#4F86BF", "#2F4B69", "#2A2F37", "#6B4A2A", "#BF7A35", "#FFC68A")
# Black or white, whichever has more contrast with the colour of the tile (WCAG 2).
INK = "luminance(scale('color', datum.value)) > 0.179 ? '#000000' : '#FFFFFF'"
# No number at all where it would be too small to read.
NUMBER_SIZE = "bandwidth('x') < 12 ? 0 : clamp(bandwidth('x') / 2.4, 5, 11)"
PAGE_COLOUR, PAGE_COLOUR_DARK = "#FFFFFF", "#14171D"
# What the outlines of tiles say, and how wide they are, in pixels; a dashed one is selected.
RECOMMENDED_TILE, TIED_TILE = "recommended", "may be as good"
OUTLINES = {RECOMMENDED_TILE: 3.0, TIED_TILE: 1.0}
DASHES = [5, 3]


LETTER = 6.5  # mean width of a letter of an axis, in pixels
Channel = TypeVar("Channel", alt.X, alt.Y)


@dataclass(frozen=True)
class _Side(Generic[Channel]):
    """One side of a grid of tiles: its field, how many tiles it has, and its channel."""

    field: str
    n: int
    channel: Channel


def score_heat_map(
    cells: pd.DataFrame,
    *,
    measure: str,
    diverging: bool = False,
    domain: tuple[float, float] | None = None,
    start: str = "",
    dark: bool = False,
) -> alt.LayerChart:
    """Draw one measure of every layer in every snapshot, the deepest layer on top.

    Parameters
    ----------
    cells : DataFrame
        One row per layer and snapshot: ``layer`` (0 is the embedding output), ``snapshot``,
        ``epoch``, ``when`` (the moment in words), ``value``, ``low``, ``high``, ``n`` (examples)
        and, where cells are to be outlined, ``standing``: `RECOMMENDED_TILE`, `TIED_TILE` or "";
        and, where there is something to be said of cells, ``note``, which their tooltips say.
    measure : str
        Name of the measure, for the legend.
    diverging : bool
        Whether values are changes: blue below 0, orange above, as far on both sides.
    domain : tuple of float, optional
        Values at the ends of the colours, which those beyond share; by default the least and most
        of `cells`. Charts that are to be compared need the same.
    start : str
        Where the colours start, in words, for the legend.
    dark : bool
        Whether the page has a dark background.

    Returns
    -------
    alt.LayerChart
        Its point selection ``cell`` has the fields ``layer`` and ``snapshot``. Numbers stand in
        the cells of up to `MOST_NUMBERS` snapshots.
    """
    epochs, name = epoch_names(cells), measure + sample_sizes(cells["n"])
    axis = tile_axis(labelExpr=label_expression(epochs), values=labelled_snapshots(epochs))
    x = alt.X("snapshot:O", title=EPOCH_TITLE).scale(domain=list(epochs)).axis(axis)
    return _heat_map(
        cells,
        _Side("snapshot", len(epochs), x),
        _layer_rows("layer", LAYER_TITLE, cells),
        tooltip=score_tooltip(cells, measure, layer="Layer", when="When"),
        title=[name, start] if start else name,
        ends=_colour_domain(cells["value"], domain, diverging),
        selection="cell",
        dark=dark,
        diverging=diverging,
    )


def class_heat_map(scores: pd.DataFrame, *, dark: bool = False) -> alt.LayerChart:
    """Draw how well each layer tells each class from the others.

    Parameters
    ----------
    scores : DataFrame
        One row per class and layer: ``label`` (name of the class; first come, first drawn),
        ``layer``, ``value`` (F1 of the class on val) and ``n`` (val examples of the class).
    dark : bool
        As in `score_heat_map`.

    Returns
    -------
    alt.LayerChart
        Its point selection ``class_tile`` has the fields ``label`` and ``layer``.
    """
    names = list(dict.fromkeys(scores["label"]))
    y = (
        alt.Y("label:N", title="Class")
        .scale(domain=domain_of(names))
        .axis(tile_axis(labelLimit=160))
    )
    return _heat_map(
        scores,
        _layer_columns(LAYER_TITLE, scores),
        _Side("label", len(names), y),
        tooltip=score_tooltip(scores, "F1", label="Class", layer="Layer"),
        title=f"F1 of a class on val{sample_sizes(scores['n'], ' per class')}",
        selection="class_tile",
        dark=dark,
    )


def similarity_heat_map(
    pairs: pd.DataFrame, *, title_x: str, title_y: str, dark: bool = False
) -> alt.LayerChart:
    """Draw how alike the states of pairs of layers are; about a square in half a page.

    Parameters
    ----------
    pairs : DataFrame
        One row per pair: ``layer`` (across), ``other`` (upwards) and ``value``, the linear CKA
        (Kornblith et al., 2019), 0 to 1.
    title_x, title_y : str
        Titles of the axes: which layers, and when.
    dark : bool
        As in `score_heat_map`.
    """
    # Of two lines with one title, Vega would show only one.
    across, upwards = f"{title_x} (across)", f"{title_y} (upwards)"
    return _heat_map(
        pairs,
        _layer_columns(title_x, pairs),
        _layer_rows("other", title_y, pairs),
        tooltip=score_tooltip(pairs, "Linear CKA", layer=across, other=upwards),
        title="Linear CKA",
        dark=dark,
    )


def confusion_heat_map(
    table: pd.DataFrame, *, chosen: tuple[str, str] | None = None, dark: bool = False
) -> alt.LayerChart:
    """Draw how often each class is taken for each; right predictions are on the diagonal.

    Up to `MOST_COUNTS` classes, tiles hold counts above the shares of their row; of more, counts
    alone.

    Parameters
    ----------
    table : DataFrame
        One row per pair: ``label`` and ``predicted`` (names of classes; first come, first drawn),
        ``n`` (examples), ``n_label`` (of the label) and ``share`` (of the row, 0 to 1).
    chosen : tuple of str, optional
        Label and prediction of the tile to outline.
    dark : bool
        As in `score_heat_map`.

    Returns
    -------
    alt.LayerChart
        Its point selection ``confusion`` has the fields ``label`` and ``predicted``.
    """
    labels, names = (list(dict.fromkeys(table[name])) for name in ("label", "predicted"))
    with_shares = len(names) <= MOST_COUNTS
    numbers = [
        f"{n:,}\n{share:.0%}" if with_shares else f"{n:,}" if n else ""
        for n, share in zip(table["n"], table["share"], strict=True)
    ]
    x = alt.X("predicted:N", title="Predicted class (columns)").scale(domain=domain_of(names))
    x = x.axis(**_turned_where_narrow(names), labelLimit=110)
    y = (
        alt.Y("label:N", title="Label (rows)")
        .scale(domain=domain_of(labels))
        .axis(tile_axis(labelLimit=130))
    )
    frame = table.rename(columns={"share": "value"})
    pairs = list(zip(frame["label"], frame["predicted"], strict=True))
    return _heat_map(
        frame.assign(chosen=[pair == chosen for pair in pairs]),
        _Side("predicted", len(names), x),
        _Side("label", len(labels), y),
        tooltip=[
            alt.Tooltip("label:N", title="Label"),
            alt.Tooltip("predicted:N", title="Predicted"),
            alt.Tooltip("n:Q", title="Examples", format=","),
            alt.Tooltip("value:Q", title="Share of the label", format=".1%"),
            alt.Tooltip("n_label:Q", title="Examples of the label", format=","),
        ],
        title="Share of the label's examples",
        selection="confusion",
        dark=dark,
        numbers=numbers,
        tile_height=COUNTS_HEIGHT if with_shares else TILE_HEIGHT,
        gradient=140,  # it may have less than half of a page
        chosen="datum.chosen",
    )


def similarity_frame(matrix: np.ndarray) -> pd.DataFrame:
    """Return the `pairs` of `similarity_heat_map`.

    Parameters
    ----------
    matrix : ndarray of shape (n others, n layers)
    """
    other, layer = (indices.ravel() for indices in np.indices(matrix.shape))
    return pd.DataFrame({"layer": layer, "other": other, "value": matrix.ravel()})


def _heat_map(
    frame: pd.DataFrame,
    x: _Side[alt.X],
    y: _Side[alt.Y],
    *,
    tooltip: list[alt.Tooltip],
    title: str | list[str],
    ends: tuple[float, float] = (0, 1),
    selection: str = "",
    dark: bool,
    diverging: bool = False,
    numbers: list[str] | None = None,
    tile_height: int = TILE_HEIGHT,
    gradient: int = 220,
    chosen: str = "",
) -> alt.LayerChart:
    """Draw tiles coloured by ``value`` between `ends`, numbers in them and outlines around some.

    `selection` is the name of a point selection by the fields of `y` and `x`; "" for none. What
    the tiles hold is their value, unless there are other `numbers`. A tile is outlined that is
    selected, or for which the expression `chosen` is true.
    """
    ramp = VALUE_RAMP if not diverging else CHANGE_RAMP_DARK if dark else CHANGE_RAMP
    page, ink = (PAGE_COLOUR_DARK, PAGE_COLOUR) if dark else (PAGE_COLOUR, PAGE_COLOUR_DARK)
    if numbers is None:
        few = x.n <= MOST_NUMBERS
        values = frame["value"]
        numbers = [number_text(one, 2, diverging, short=True) if few else "" for one in values]
    two_lines = any("\n" in number for number in numbers)
    frame = with_texts(frame, diverging).assign(number=numbers)
    # All marks of a tile share data and tooltip: whichever the pointer hits, it is the tile.
    base = alt.Chart(frame).encode(x=x.channel, y=y.channel, tooltip=tooltip)
    colour = (
        alt.Color("value:Q", title=title)
        .scale(domain=list(ends), range=list(ramp), interpolate="rgb", clamp=True)
        .legend(orient="top", titleLimit=0, gradientLength=gradient, format=".2f")
    )
    coloured = base.mark_rect(stroke=page).encode(color=colour)
    grey = "#545A66" if dark else OTHER_COLOUR
    missing = base.mark_rect(stroke=page, color=grey, aria=False).transform_filter(
        "!isValid(datum.value)"
    )
    texts = base.mark_text(
        color={"expr": INK},
        fontSize={"expr": NUMBER_SIZE},
        lineBreak="\n",
        dy=-LINE_HEIGHT / 2 if two_lines else 0,
        lineHeight=LINE_HEIGHT,
        aria=False,
    ).encode(text="number:N")
    outlines = _standings(base, frame, page, ink)
    if selection:
        selected = alt.selection_point(name=selection, fields=[y.field, x.field], empty=False)
        coloured = coloured.add_params(selected)
        tiles = base.transform_filter(chosen or selected)
        outlines += [_outline(tiles, page, strokeWidth=5)]
        outlines += [_outline(tiles, ink, strokeWidth=3, strokeDash=DASHES)]
    return layered(coloured, missing, *outlines, texts, height=tile_height * max(y.n, 1))


def _standings(tiles: alt.Chart, frame: pd.DataFrame, page: str, ink: str) -> list[alt.Chart]:
    """Outline the tiles that have a standing, with a legend that says what outlines mean."""
    standings = [
        name for name in OUTLINES if "standing" in frame and name in set(frame["standing"])
    ]
    if not standings:
        return []
    tiles = tiles.transform_filter("datum.standing")
    width = alt.StrokeWidth("standing:O", title=None).scale(
        domain=standings, range=[OUTLINES[name] for name in standings]
    )
    width = width.legend(
        orient="bottom",  # beside the legend of the colours it would leave a narrow page
        symbolType="square",
        symbolFillColor="transparent",
        symbolStrokeColor=ink,
        symbolSize=140,
    )
    under = {"expr": f"datum.standing === '{RECOMMENDED_TILE}' ? 6 : 3"}
    return [
        _outline(tiles, page, strokeWidth=under),
        _outline(tiles, ink).encode(strokeWidth=width),
    ]


def _outline(tiles: alt.Chart, colour: str, **stroke: Any) -> alt.Chart:
    """Outline tiles. Ink alone is not seen on all colours: it needs the page's colour below it."""
    return tiles.mark_rect(
        fill="transparent", fillOpacity=0, stroke=colour, aria=False, **stroke
    )  # the fill is that of the legend


def _turned_where_narrow(names: Sequence[str]) -> dict[str, Any]:
    """Return options of an axis whose labels are turned where columns are narrower than names."""
    narrow = f"bandwidth('x') < {LETTER * min(max(map(len, names)), 16) + 6:.0f}"

    def either(turned: str, level: str) -> dict[str, str]:
        return {"expr": f"{narrow} ? {turned} : {level}"}

    return {
        "labelAngle": either("(bandwidth('x') < 16 ? -90 : -40)", "0"),
        "labelAlign": either("'right'", "'center'"),
        "labelBaseline": either("'middle'", "'top'"),
        "labelFlush": False,
        "labelOverlap": False,
    }


def _layer_columns(title: str, frame: pd.DataFrame) -> _Side[alt.X]:
    layers = list(layer_names(frame))
    x = alt.X("layer:O", title=title).scale(domain=layers).axis(tile_axis())
    return _Side("layer", len(layers), x)


def _layer_rows(field: str, title: str, frame: pd.DataFrame) -> _Side[alt.Y]:
    layers = list(layer_names(frame, field))
    y = alt.Y(f"{field}:O", title=title).scale(domain=layers[::-1]).axis(tile_axis())
    return _Side(field, len(layers), y)


def _colour_domain(
    values: pd.Series, given: tuple[float, float] | None, diverging: bool
) -> tuple[float, float]:
    finite = values[np.isfinite(values)]
    low, high = given or ((finite.min(), finite.max()) if len(finite) else (0, 1))
    if diverging:
        high = max(abs(low), abs(high)) or 1
        low = -high
    room = 0.05 * (low == high)
    return float(low - room), float(high + room)
