"""The maps of all layers and both splits, as one chart.

The cells are laid out in data coordinates of a single layered chart. Everything that changes
while a run goes on (positions, colours, titles) is data; the specification stays the same, so
that a page which replaces the data keeps the reader's place on the epoch slider.
"""

from __future__ import annotations

from collections.abc import Sequence

import altair as alt
import numpy as np
import pandas as pd

from layerviz.charts.grid import (
    MOST_PIXELS,
    ORIGIN_STEP,
    Grid,
    across,
    centred,
    corners_of,
    down,
    placed,
    slot_columns,
)
from layerviz.charts.palette import OTHER_COLOUR, PALETTE
from layerviz.charts.trails import own_texts, trails_of

POINTS_IN_SVG = 2000
SLOTTED = ("x", "y", "colour", "predicted", "confidence")  # columns, one per slot


def layer_maps(
    points: pd.DataFrame,
    examples: pd.DataFrame,
    cells: pd.DataFrame,
    *,
    layers: Sequence[int],
    label_names: Sequence[str],
    n_slots: int,
    start: int | None = None,
    slider_name: str = "Epoch ",
    dark: bool = False,
    grid: Grid | None = None,
    selectable: bool = False,
    names: Sequence[str] | None = None,
    trails: pd.DataFrame | None = None,
    own: pd.DataFrame | None = None,
    n_points: int | None = None,
) -> alt.LayerChart:
    """Draw the maps of the given layers, train on the left and val on the right.

    Where examples can be selected, a click picks one (with shift several) under the name ``pick``,
    as their ``row``, and dragging a box those inside it under the name ``box``, as ranges of ``x``
    and ``y``; `rows_in_box` says which those are. The selection is shown by ``lit``, so that the
    same examples light up in all maps.

    Parameters
    ----------
    points : DataFrame
        One row per example and layer: ``row`` (key into `examples`), ``layer``, ``split``,
        ``newest`` (the last snapshot there is; later slots of the slider show it), and
        per snapshot s the position in the unit square ``x<s>``, ``y<s>`` (float32), the
        colour ``colour<s>`` (index into `PALETTE`), the class ``predicted<s>`` (index into
        `label_names`) and its probability ``confidence<s>`` in percent.
    examples : DataFrame
        One row per example: ``row``, ``text``, ``label`` and, where some examples are selected,
        ``lit``: 2 for those, which are larger, 0 for the others, which turn grey.
    cells : DataFrame
        One row per layer and split: ``layer``, ``split``, and per slot the cell's ``title0``, ...
        and the ``heading0``, ... of the split.
    layers : sequence of int
        The layers in reading order.
    label_names : sequence of str
        Names of the classes, for the tooltip.
    n_slots : int
        Positions of the epoch slider; with one there is none.
    start : int, optional
        Where it stands at first; by default at the last one.
    slider_name : str
        What the slider moves over.
    dark : bool
        Whether the page has a dark background.
    grid : Grid, optional
        By default `Grid.of` the number of layers.
    selectable : bool
        Whether examples can be selected.
    names : sequence of str, optional
        What the maps are called in tooltips, in the order of `layers`, where it is not layers of
        one encoder that are drawn.
    trails : DataFrame, optional
        The ways that some examples take (`trails_frame`), drawn up to where the slider stands.
    own : DataFrame, optional
        Texts of the reader's own that were placed in the maps (`own_frame`), drawn as stars.
    n_points : int, optional
        How many points decide their size and what draws them, by default all: given where some
        come and go with a selection, which must not change the specification.

    Returns
    -------
    alt.LayerChart
        As wide as its container; as high as the grid.
    """
    grid = grid or Grid.of(len(layers))
    n_points = len(points) if n_points is None else n_points
    slider = alt.binding_range(min=0, max=n_slots - 1, step=1, name=slider_name)
    slot = alt.param(
        name="slot",
        value=n_slots - 1 if start is None else start,
        **({"bind": slider} if n_slots > 1 else {}),
    )
    frames = _place_cells(cells, layers, grid)
    extras = [] if trails is None else [trails_of(trails, layers, grid)]
    extras += [] if own is None else [own_texts(own, layers, grid, dark)]
    chart = alt.layer(
        _frames(frames, grid, dark),
        _points(
            _filled(points, n_slots),
            examples,
            layers,
            grid,
            n_points,
            selectable,
            names is not None,
        ),
        *extras,
        _titles(frames, grid, dark),
        _headings(frames, grid, dark),
    ).add_params(
        slot,
        alt.param(name="palette", value=list(PALETTE)),
        alt.param(name="names", value=list(label_names)),
        alt.param(name="maps", value=list(names or ())),
        *_now(),
        *grid.sides(),
    )
    renderer = "canvas" if n_points > POINTS_IN_SVG else "svg"
    chart = chart.properties(
        height=grid.height,
        width="container",
        padding={"left": 0, "right": 0, "top": 0, "bottom": 4},
        usermeta={"embedOptions": {"renderer": renderer}},
    )
    if selectable:
        chart = chart.resolve_scale(x="independent")  # that of the points moves with the slot
    return chart.configure_view(stroke=None)


def _place_cells(cells: pd.DataFrame, layers: Sequence[int], grid: Grid) -> pd.DataFrame:
    corners = corners_of(cells, layers, grid)
    return cells.assign(
        left=corners[:, 0] + 0.02,
        right=corners[:, 0] + 0.98,
        top=corners[:, 1],
        bottom=corners[:, 1] + grid.cell_height - 6.0,
        heading_top=[grid.heading_top(int(split == "val")) for split in cells["split"]],
    )


def _frames(frames: pd.DataFrame, grid: Grid, dark: bool) -> alt.Chart:
    return (
        alt.Chart(frames[["left", "right", "top", "bottom"]])
        .mark_rect(
            fillOpacity=0,
            stroke="#5a5f6b" if dark else "#d5d8de",
            strokeWidth=1,
            cornerRadius=4,
            tooltip=None,
            aria=False,
        )
        .encode(
            x=across("left", grid),
            x2="right:Q",
            y=down("top", grid),
            y2="bottom:Q",
        )
    )


def _filled(points: pd.DataFrame, n_slots: int) -> pd.DataFrame:
    """Return the points with all slots, those still to come being the newest."""
    newest = points["newest"].to_numpy()
    filled = points.copy(deep=False)
    for name in SLOTTED:
        there = points[slot_columns(points, name)].to_numpy()
        last = there[np.arange(len(points)), newest].astype(points[f"{name}0"].dtype)
        for slot in range(n_slots):
            if (newest < slot).any():
                known = there[:, slot] if slot < there.shape[1] else last
                filled[f"{name}{slot}"] = np.where(newest < slot, last, known).astype(last.dtype)
    return filled


def _now() -> list[alt.Parameter]:
    """Return what follows from the slot alone: the columns to read, and where the axis begins."""
    origin = f"(slot * {MOST_PIXELS} + floor(width)) * {ORIGIN_STEP}"
    return [
        alt.param(name="origin", expr=origin),
        *(alt.param(name=f"{name}_now", expr=f"'{name}' + slot") for name in SLOTTED),
    ]


def _points(
    points: pd.DataFrame,
    examples: pd.DataFrame,
    layers: Sequence[int],
    grid: Grid,
    n_points: int,
    selectable: bool,
    named: bool,
) -> alt.Chart:
    if "lit" not in examples:
        examples = examples.assign(lit=1)
    wording = alt.LookupData(data=examples, key="row", fields=["text", "label", "lit"])
    place, horizontal = placed("datum[x_now]", "datum[y_now]"), across("x", grid)
    if selectable:
        place["x"] = f"origin + {place['x']}"
        ends = [{"expr": "origin"}, {"expr": f"origin + {grid.width}"}]
        horizontal = alt.X("x:Q", axis=None).scale(domain=ends, nice=False)
    chart = (
        alt.Chart(centred(points, layers, grid))
        .transform_lookup("row", from_=wording)
        .transform_calculate(
            **place,
            colour=f"datum.lit ? palette[datum[colour_now]] : '{OTHER_COLOUR}'",
            predicted="names[datum[predicted_now]]",
            confidence="datum[confidence_now] / 100",
            map="maps[datum.layer]",
        )
        .mark_circle(
            size={"expr": f"(datum.lit > 1 ? 2 : 1) * {_point_size(n_points, len(layers))}"},
            opacity={"expr": "datum.lit > 1 ? 0.95 : datum.lit ? 0.75 : 0.3"},
            stroke=None,
            aria=n_points <= POINTS_IN_SVG,  # puts a description of each together at each move
        )
        .encode(
            x=horizontal,
            y=down("y", grid),
            color=alt.Color("colour:N", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("text:N", title="Text"),
                alt.Tooltip("label:N", title="Label"),
                alt.Tooltip("predicted:N", title="Predicted"),
                alt.Tooltip("confidence:Q", title="Confidence", format=".0%"),
                alt.Tooltip("map:N", title="Map")
                if named
                else alt.Tooltip("layer:Q", title="Layer"),
            ],
        )
    )
    if not selectable:
        return chart
    chart = chart.encode(order=alt.Order("lit:Q"))  # those selected lie on top
    box = alt.selection_interval(name="box", encodings=["x", "y"])
    return chart.add_params(box, alt.selection_point(name="pick", fields=["row"]))


def _point_size(n_points: int, n_layers: int) -> int:
    per_layer = n_points / max(n_layers, 1)
    small = 40 if per_layer <= 400 else 24 if per_layer <= 1200 else 14
    return 2 * small if n_layers == 1 else small


def _titles(frames: pd.DataFrame, grid: Grid, dark: bool) -> alt.Chart:
    columns = ["left", "top", *slot_columns(frames, "title")]
    return (
        alt.Chart(frames[columns])
        .transform_calculate(title="datum['title' + slot]")
        .mark_text(
            align="left",
            baseline="top",
            dx=6,
            dy=5,
            fontSize=11,
            lineBreak="\n",
            lineHeight=14,
            limit={"expr": f"width / {grid.width} * 0.96 - 8"},
            color="#c9ced8" if dark else "#4a5160",
        )
        .encode(
            x=across("left", grid),
            y=down("top", grid),
            text="title:N",
        )
    )


def _headings(frames: pd.DataFrame, grid: Grid, dark: bool) -> alt.Chart:
    firsts = frames.sort_values("left").groupby("split", sort=False).head(1)
    columns = ["left", "heading_top", *slot_columns(frames, "heading")]
    return (
        alt.Chart(firsts[columns])
        .transform_calculate(heading="datum['heading' + slot]")
        .mark_text(
            align="left",
            baseline="top",
            dx=2,
            dy=4,
            fontSize=14,
            fontWeight="bold",
            color="#f2f3f5" if dark else "#1f2430",
        )
        .encode(
            x=across("left", grid),
            y=down("heading_top", grid),
            text="heading:N",
        )
    )
