"""How well each layer separates the classes: over layers, over epochs, per pooling and class.

The numbers were measured elsewhere. One that could not be measured is NaN: a grey cell without a
number, or a gap in a line.
"""

from __future__ import annotations

import json

import altair as alt
import numpy as np
import pandas as pd

from layerviz.charts.palette import OTHER_COLOUR, colour_between
from layerviz.poolings import look_up, pooling_label

CELL_HEIGHT, LINES_HEIGHT = 26, 300  # pixels; cells of 13 layers fit on a page
MOST_NUMBERS = 25  # columns of cells; in more, numbers would be too small to read
MOST_LABELS = 13  # columns that are all labelled; of more, only the whole epochs
MOST_LINES = 13
MOST_INTERVALS = 4  # lines with error bars; those of more would hide one another

# viridis (van der Walt & Smith, 2015): even steps to every eye, and not the ramp of confidence.
VALUE_RAMP = ("#440154", "#443983", "#31688E", "#21918C", "#35B779", "#90D743", "#FDE725")
# Blue to orange, which every eye tells apart; no change is near the colour of the page.
CHANGE_RAMP = ("#1C4F82", "#5F93C4", "#B5D0E6", "#F3F1EC", "#F7C795", "#DB8436", "#96480A")
CHANGE_RAMP_DARK = ("#9CCBFA", "#4F86BF", "#2F4B69", "#2A2F37", "#6B4A2A", "#BF7A35", "#FFC68A")
# What a line is; on a light and a dark page, the later or deeper, the farther from its colour.
LINES = {
    "snapshot": ("Epoch", ("#A9C6DF", "#4A87BD", "#08306B"), ("#3F5D80", "#7DADDB", "#E4F0FC")),
    "layer": ("Layer", ("#A3CDB0", "#41986A", "#00441B"), ("#3A6650", "#70B48F", "#E0F7E8")),
}
# Found as the class colours were (see palette.py): apart from each other and from the colours of
# the splits, and as far from those of the classes as three more can be.
DASHES = {"val": [1, 0], "train": [4, 3]}
# Black or white, whichever has more contrast with the colour of the cell (WCAG 2).
INK = "luminance(scale('color', datum.value)) > 0.179 ? '#000000' : '#FFFFFF'"
PAGE, PAGE_DARK = "#FFFFFF", "#14171D"
CELL_AXIS = {"labelAngle": 0, "labelOverlap": "parity", "labelFlush": False}
LAYER_TITLE, EPOCH_TITLE = "Layer (0: embedding output)", "Epoch (0: before training)"


def score_heat_map(
    cells: pd.DataFrame,
    *,
    measure: str,
    diverging: bool = False,
    domain: tuple[float, float] | None = None,
    dark: bool = False,
) -> alt.LayerChart:
    """Draw one measure of every layer in every snapshot, the deepest layer on top.

    Parameters
    ----------
    cells : DataFrame
        One row per layer and snapshot: ``layer`` (0 is the embedding output), ``snapshot``,
        ``epoch``, ``when`` (the moment in words), ``value``, ``low``, ``high``, ``n`` (examples)
        and ``best`` (whether to outline the cell).
    measure : str
        Name of the measure, for the legend.
    diverging : bool
        Whether values are changes: blue below 0, orange above, as far on both sides.
    domain : tuple of float, optional
        Values at the ends of the colours, which those beyond share; by default the least and most
        of `cells`. Charts that are to be compared need the same.
    dark : bool
        Whether the page has a dark background.

    Returns
    -------
    alt.LayerChart
        Its point selection ``cell`` has the fields ``layer`` and ``snapshot``. Numbers stand in
        the cells of up to `MOST_NUMBERS` snapshots.
    """
    epochs = _epoch_numbers(cells)
    x = alt.X("snapshot:O", title=EPOCH_TITLE).scale(domain=list(epochs))
    x = x.axis(labelExpr=_renamed(epochs), values=_labelled(epochs), **CELL_AXIS)
    y = _layer_rows("layer", LAYER_TITLE, cells)
    tooltip = _tooltip(cells, measure, layer="Layer", when="When")
    ends = _colour_domain(cells["value"], domain, diverging)
    title = measure + _sizes(cells["n"])
    return _heat_map(cells, x, y, tooltip, title, ends, "cell", dark, diverging)


def class_heat_map(cells: pd.DataFrame, *, dark: bool = False) -> alt.LayerChart:
    """Draw how well each layer tells each class from the others.

    Parameters
    ----------
    cells : DataFrame
        One row per class and layer: ``label`` (name of the class; first come, first drawn),
        ``layer``, ``value`` (F1 of the class on val) and ``n`` (val examples of the class).
    dark : bool
        As in `score_heat_map`.

    Returns
    -------
    alt.LayerChart
        Its point selection ``class_cell`` has the fields ``label`` and ``layer``.
    """
    names = list(dict.fromkeys(cells["label"]))
    x = _layer_columns(LAYER_TITLE, cells)
    y = alt.Y("label:N", title="Class").scale(domain=names).axis(labelLimit=160, **CELL_AXIS)
    tooltip = _tooltip(cells, "F1", label="Class", layer="Layer")
    title = f"F1 of a class on val{_sizes(cells['n'], ' per class')}"
    return _heat_map(cells, x, y, tooltip, title, [0, 1], "class_cell", dark)


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
    x, y = _layer_columns(title_x, pairs), _layer_rows("other", title_y, pairs)
    # Of two lines with one title, Vega would show only one.
    across, upwards = f"{title_x} (across)", f"{title_y} (upwards)"
    tooltip = _tooltip(pairs, "Linear CKA", layer=across, other=upwards)
    return _heat_map(pairs, x, y, tooltip, "Linear CKA", [0, 1], None, dark)


def scores_over_layers(scores: pd.DataFrame, *, measure: str, dark: bool = False) -> alt.LayerChart:
    """Draw one measure over the layers, a line per snapshot and split.

    Of more than `MOST_LINES` snapshots an even choice is drawn, as the legend says. Only val of
    the last snapshot has error bars, since those of all would hide one another; the tooltips of
    the points give the others.

    Parameters
    ----------
    scores : DataFrame
        One row per layer, snapshot and split: ``layer``, ``snapshot``, ``epoch``, ``when``,
        ``split`` ("train" or "val"), ``value``, ``low``, ``high`` and ``n`` (examples).
    measure, dark
        As in `score_heat_map`.
    """
    frame = scores.assign(barred=scores["snapshot"] == scores["snapshot"].max())
    x, names = _layer_positions(scores), _epoch_numbers(scores)
    return _lines(frame, x, "snapshot", names, measure, dark)


def scores_over_epochs(scores: pd.DataFrame, *, measure: str, dark: bool = False) -> alt.LayerChart:
    """Draw one measure over the epochs, a line per layer and split.

    Of more than `MOST_LINES` layers an even choice is drawn, as the legend says. Val has error
    bars where there are at most `MOST_INTERVALS` layers. Parameters as in `scores_over_layers`.
    """
    layers, epochs = _layer_numbers(scores), _epoch_numbers(scores)
    ticks = [float(epochs[snapshot]) for snapshot in _labelled(epochs)]
    last = float(scores["epoch"].max()) if epochs else 0
    x = alt.X("epoch:Q", title=EPOCH_TITLE).scale(domain=[0, last or 1], nice=False)
    x = x.axis(values=ticks, format=".2~f", grid=False)
    frame = scores.assign(barred=len(layers) <= MOST_INTERVALS)
    return _lines(frame, x, "layer", layers, measure, dark)


def pooling_scores(scores: pd.DataFrame, *, measure: str, dark: bool = False) -> alt.LayerChart:
    """Draw one measure over the layers, a line with its interval per pooling.

    Parameters
    ----------
    scores : DataFrame
        One row per layer and pooling: ``layer``, ``pooling`` (a name), ``value``, ``low``, ``high``
        and ``n`` (examples). Lines come in the order of the poolings' first rows.
    measure, dark
        As in `score_heat_map`.
    """
    poolings = [look_up(name) for name in scores["pooling"].unique()]
    names = [pooling.label for pooling in poolings]
    scores = scores.assign(pooling=scores["pooling"].map(pooling_label))
    low, value = value_axes(scores, measure + _sizes(scores["n"]))
    colour = alt.Color("pooling:N", title="Pooling").scale(
        domain=names, range=[pooling.colour for pooling in poolings]
    )
    colour = colour.legend(orient="top", symbolOpacity=1)
    shape = alt.Shape("pooling:N", title="Pooling").scale(
        domain=names, range=[pooling.shape for pooling in poolings]
    )
    tooltip = _tooltip(scores, measure, pooling="Pooling", layer="Layer")
    base = alt.Chart(worded(scores)).encode(x=_layer_positions(scores), color=colour)
    return finished(
        base.mark_area(opacity=0.22 if dark else 0.16, tooltip=None).encode(y=low, y2="high:Q"),
        base.mark_line(strokeWidth=2, tooltip=None).encode(y=value),
        base.mark_point(filled=True, opacity=1, size=45).encode(
            y=value, shape=shape, tooltip=tooltip
        ),
    )


def _heat_map(
    cells: pd.DataFrame,
    x: alt.X,
    y: alt.Y,
    tooltip: list[alt.Tooltip],
    title: str,
    ends: list[float],
    selected: str | None,
    dark: bool,
    diverging: bool = False,
) -> alt.LayerChart:
    """Draw cells coloured by ``value`` between `ends`, numbers in them and outlines around some.

    `selected` is the name of a selection by the fields of `y` and `x`, or None for none.
    """
    ramp = VALUE_RAMP if not diverging else CHANGE_RAMP_DARK if dark else CHANGE_RAMP
    columns, rows = x.to_dict(), y.to_dict()
    page, ink = (PAGE_DARK, PAGE) if dark else (PAGE, PAGE_DARK)
    numbers = [_number(value, 2, diverging, short=True) for value in cells["value"]]
    written = len(columns["scale"]["domain"]) <= MOST_NUMBERS
    frame = worded(cells, diverging).assign(number=numbers if written else "")
    # All marks of a cell share data and tooltip: whichever the pointer hits, it is the cell.
    base = alt.Chart(frame).encode(x=x, y=y, tooltip=tooltip)
    colour = (
        alt.Color("value:Q", title=title)
        .scale(domain=ends, range=ramp, interpolate="rgb", clamp=True)
        .legend(orient="top", titleLimit=0, gradientLength=220, format=".2f")
    )
    coloured = base.mark_rect(stroke=page).encode(color=colour)
    grey = "#545A66" if dark else OTHER_COLOUR
    missing = base.mark_rect(stroke=page, color=grey).transform_filter("!isValid(datum.value)")
    texts = base.mark_text(
        color={"expr": INK}, fontSize={"expr": "clamp(bandwidth('x') / 2.4, 5, 11)"}, aria=False
    ).encode(text="number:N")
    outlines = []
    if selected:
        selection = alt.selection_point(name=selected, fields=[rows["field"], columns["field"]])
        coloured = coloured.add_params(selection)
        outlined = ("datum.best", 2, [1, 0]), ({"param": selected, "empty": False}, 3, [5, 3])
        outlines = [
            base.transform_filter(which).mark_rect(
                fillOpacity=0, stroke=stroke, strokeWidth=width, strokeDash=dash, aria=False
            )
            for which, thin, dashes in outlined
            # On the colour of the page, as one alone is not seen on all colours of cells.
            for stroke, width, dash in ((page, thin + 2, [1, 0]), (ink, thin, dashes))
        ]
    height = CELL_HEIGHT * max(len(rows["scale"]["domain"]), 1)
    return finished(coloured, missing, *outlines, texts, height=height)


def _lines(
    scores: pd.DataFrame, x: alt.X, line: str, names: dict[int, str], measure: str, dark: bool
) -> alt.LayerChart:
    """Draw a line per `line`, called as in `names`, and split; on val, error bars if ``barred``."""
    title, *ramps = LINES[line]
    places = np.linspace(0, len(names) - 1, min(len(names), MOST_LINES)).round().astype(int)
    drawn = [list(names)[place] for place in places]
    if len(drawn) < len(names):
        scores, title = scores[scores[line].isin(drawn)], f"{title} ({len(drawn)} of {len(names)})"
    n = {split: scores["n"][scores["split"] == split] for split in DASHES}
    sizes = {split: split + _sizes(column) for split, column in n.items() if len(column)}
    frame = worded(scores).assign(val=scores["split"] == "val", split=scores["split"].map(sizes))
    shades = [colour_between(ramps[dark], at) for at in np.linspace(len(drawn) == 1, 1, len(drawn))]
    colour = alt.Color(f"{line}:O", title=title).scale(domain=drawn, range=shades)
    # Streamlit's wide rows would let the legend of 13 layers grow over the foot of the chart.
    rows = {"rowPadding": 4, "symbolSize": 80, "symbolStrokeWidth": 0}
    grey = "#A6ADB8" if dark else "#4A5160"
    dash = (
        alt.StrokeDash("split:N", title=None)
        .scale(domain=list(sizes.values()), range=[DASHES[split] for split in sizes])
        .legend(orient="top", symbolType="stroke", symbolSize=500, symbolStrokeColor=grey)
    )
    low, value = value_axes(scores, measure)
    base = alt.Chart(frame).encode(
        x=x, color=colour.legend(orient="right", labelExpr=_renamed(names), **rows)
    )
    return finished(
        base.transform_filter("datum.val && datum.barred")
        .mark_rule(strokeWidth=1.5, tooltip=None)
        .encode(y=low, y2="high:Q"),
        base.mark_line(strokeWidth={"expr": "datum.val ? 2.2 : 1.2"}, tooltip=None).encode(
            y=value, strokeDash=dash
        ),
        base.mark_point(filled=True, opacity=1, size={"expr": "datum.val ? 40 : 14"}).encode(
            y=value, tooltip=_tooltip(scores, measure, layer="Layer", when="When", split="Split")
        ),
    )


def finished(*layers: alt.Chart, height: int = LINES_HEIGHT) -> alt.LayerChart:
    """Lay marks over one another, as wide as their container."""
    # Streamlit's own "fit" would take legend and axes out of the height, and squeeze the cells.
    size = {"type": "fit-x", "contains": "padding"}
    chart = alt.layer(*layers).properties(height=height, width="container", autosize=size)
    return chart.configure_view(stroke=None)


def _tooltip(frame: pd.DataFrame, measure: str, **fields: str) -> list[alt.Tooltip]:
    """Show `fields` (names to titles), the value and, where the frame has them, interval and n."""
    fields |= {"value_text": measure} | ({"interval": "Interval"} if "low" in frame else {})
    size = [alt.Tooltip("n:Q", title="Examples", format=",")] if "n" in frame else []
    return [alt.Tooltip(f"{field}:N", title=title) for field, title in fields.items()] + size


def worded(frame: pd.DataFrame, signed: bool = False) -> pd.DataFrame:
    """Add value and interval in words: Vega would show a missing number as 0.000."""

    def words(column: str) -> list[str]:
        return [_number(number, 3, signed) for number in frame[column]]

    frame = frame.assign(value_text=[text or "not measured" for text in words("value")])
    if "low" not in frame:
        return frame
    ends = zip(words("low"), words("high"), strict=True)
    return frame.assign(interval=[" to ".join(pair) if all(pair) else "none" for pair in ends])


def _number(value: float, places: int, signed: bool = False, short: bool = False) -> str:
    """Write a number for people, without the 0 before the point if `short`; "" where it is NaN."""
    if not np.isfinite(value):
        return ""
    places = max(places - (abs(value) >= 10) - (abs(value) >= 100), 0)
    value = round(float(value), places) + 0.0  # no negative zero
    text = f"{value:{'+' if signed and value else ''}.{places}f}".replace("-", "−")
    return text.replace("0.", ".", 1) if short and abs(value) < 1 else text


def _sizes(n: pd.Series, each: str = "") -> str:
    """Return " (n = 500)", or the least and most, for the end of a title."""
    if n.empty:
        return ""
    few, many = int(n.min()), int(n.max())
    return f" (n = {few:,}{each})" if few == many else f" (n = {few:,} to {many:,}{each})"


def _layer_numbers(frame: pd.DataFrame, field: str = "layer") -> dict[int, str]:
    return {layer: str(layer) for layer in sorted({int(layer) for layer in frame[field]})}


def _epoch_numbers(frame: pd.DataFrame) -> dict[int, str]:
    """Return each snapshot's epoch as a short number, in order."""
    epochs = frame.drop_duplicates("snapshot").sort_values("snapshot")
    pairs = zip(epochs["snapshot"], epochs["epoch"], strict=True)
    return {int(snapshot): f"{round(float(epoch), 2):g}" for snapshot, epoch in pairs}


def _renamed(names: dict[int, str]) -> str:
    """Return the expression that writes numbers as `names`, which must not be a user's text."""
    return f"({json.dumps(names)})[datum.value]"


def _labelled(epochs: dict[int, str]) -> list[int]:
    """Return what to label on an axis: all, or only the whole epochs where there are many."""
    whole = [snapshot for snapshot, epoch in epochs.items() if epoch.isdigit()]
    return list(epochs) if len(epochs) <= MOST_LABELS or len(whole) < 2 else whole


def _layer_columns(title: str, frame: pd.DataFrame) -> alt.X:
    layers = list(_layer_numbers(frame))
    return alt.X("layer:O", title=title).scale(domain=layers).axis(**CELL_AXIS)


def _layer_rows(field: str, title: str, frame: pd.DataFrame) -> alt.Y:
    layers = list(_layer_numbers(frame, field))
    return alt.Y(f"{field}:O", title=title).scale(domain=layers[::-1]).axis(**CELL_AXIS)


def _layer_positions(frame: pd.DataFrame) -> alt.X:
    layers = list(_layer_numbers(frame)) or [0]
    x = alt.X("layer:Q", title=LAYER_TITLE)
    x = x.scale(domain=[layers[0] - 0.3, layers[-1] + 0.3], nice=False)
    return x.axis(values=layers, format="d", grid=False, labelOverlap="parity", labelSeparation=4)


def value_axes(scores: pd.DataFrame, title: str) -> list[alt.Y]:
    """Place ``low`` and ``value`` on one axis, with room for all intervals and little else."""
    values = scores[["value", "low", "high"]].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    room = 0.04 * (high - low) or 0.05
    # No scores are drawn as if they could leave [0, 1] that do not.
    bottom = max(low - room, 0.0) if low >= 0 else low - room
    top = min(high + room, 1.0) if high <= 1 else high + room
    axes = [alt.Y(field, type="quantitative", title=title) for field in ("low", "value")]
    return [axis.scale(domain=[bottom, top], nice=False) for axis in axes]


def _colour_domain(values: pd.Series, given: tuple | None, diverging: bool) -> list[float]:
    finite = values[np.isfinite(values)]
    low, high = given or ((finite.min(), finite.max()) if len(finite) else (0, 1))
    if diverging:
        high = max(abs(low), abs(high)) or 1
        low = -high
    room = 0.05 * (low == high)
    return [float(low - room), float(high + room)]
