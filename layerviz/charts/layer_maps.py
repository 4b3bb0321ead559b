"""The maps of all layers and both splits, as one chart.

Its panels are laid out in the data coordinates of a single layered chart. Everything that changes
while a run goes on (positions, colours, titles) is data. The specification stays the same, so that
replacing the data leaves the epoch slider where the reader put it.
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
    in_panel,
    panel_corners,
    slot_columns,
    with_centres,
    x_in_panels,
    y_in_pixels,
)
from layerviz.charts.map_titles import headings, title_params, titles
from layerviz.charts.overlays import own_text_stars, path_lines
from layerviz.charts.palette import OTHER_COLOUR, PALETTE

POINTS_IN_SVG = 2000
FOOTNOTE_KEY = "footnote"  # in a chart's ``usermeta``: what pictures of it say below it
SLOTTED = ("x", "y", "colour", "predicted", "confidence")  # columns, one per slot


def layer_maps(
    points: pd.DataFrame,
    examples: pd.DataFrame,
    panels: pd.DataFrame,
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
    paths: pd.DataFrame | None = None,
    own_texts: pd.DataFrame | None = None,
    n_points: int | None = None,
    footnote: str = "",
) -> alt.LayerChart:
    """Draw the maps of the given layers, train on the left and val on the right.

    Where examples can be selected, a click picks one (with shift several) under the name ``pick``,
    as their ``row``, and dragging a box those inside it under the name ``box``, as ranges of ``x``
    and ``y``, which `rows_in_box` turns into rows. The selection is shown through ``highlighted``,
    so that the same examples stand out in all maps.

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
        ``highlighted``: 2 for those, which are larger, 0 for the others, which turn grey.
    panels : DataFrame
        One row per layer and split: ``layer``, ``split``, and per slot the panel's ``title0``, ...
        and the ``heading0``, ... of the split.
    layers : sequence of int
        The layers in reading order.
    label_names : sequence of str
        Names of the classes, for the tooltip.
    n_slots : int
        Positions of the epoch slider; with one there is none.
    start : int, optional
        Its first position; by default the last one.
    slider_name : str
        The label of the slider.
    dark : bool
        Whether the page has a dark background.
    grid : Grid, optional
        By default `Grid.of` the number of layers.
    selectable : bool
        Whether examples can be selected.
    names : sequence of str, optional
        What the maps are called in tooltips, in the order of `layers`, where they are not layers
        of one encoder.
    paths : DataFrame, optional
        Paths of some examples (`paths_frame`), drawn up to the slider's position.
    own_texts : DataFrame, optional
        Texts of the reader's own that were placed in the maps (`own_texts_frame`), drawn as stars.
    n_points : int, optional
        The number of points that decides their size and the renderer, by default all: given where
        some come and go with a selection, which must not change the specification.
    footnote : str
        What pictures of the chart say below it, where no page does.

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
        bind=slider if n_slots > 1 else alt.Undefined,
    )
    frames = _with_edges(panels, layers, grid)
    overlays: list[alt.Chart | alt.LayerChart] = []
    if paths is not None:
        overlays.append(path_lines(paths, layers, grid))
    if own_texts is not None:
        overlays.append(own_text_stars(own_texts, layers, grid, dark))
    chart = alt.layer(
        _outlines(frames, grid, dark),
        _points(
            _with_all_slots(points, n_slots),
            examples,
            layers,
            grid,
            n_points,
            selectable,
            names is not None,
        ),
        *overlays,
        titles(frames, grid, dark),
        headings(frames, grid, dark),
    ).add_params(
        slot,
        alt.param(name="palette", value=list(PALETTE)),
        alt.param(name="names", value=list(label_names)),
        alt.param(name="maps", value=list(names or ())),
        *_current_slot(),
        *grid.sides(),
        *title_params(grid),
    )
    renderer = "canvas" if n_points > POINTS_IN_SVG else "svg"
    usermeta: dict[str, object] = {"embedOptions": {"renderer": renderer}}
    if footnote:
        usermeta[FOOTNOTE_KEY] = footnote
    chart = chart.properties(
        height=grid.height,
        width="container",
        padding={"left": 0, "right": 0, "top": 0, "bottom": 4},
        usermeta=usermeta,
    )
    if selectable:
        chart = chart.resolve_scale(x="independent")  # that of the points moves with the slot
    return chart.configure_view(stroke=None)


def _with_edges(panels: pd.DataFrame, layers: Sequence[int], grid: Grid) -> pd.DataFrame:
    corners = panel_corners(panels, layers, grid)
    return panels.assign(
        left=corners[:, 0] + 0.02,
        right=corners[:, 0] + 0.98,
        top=corners[:, 1],
        bottom=corners[:, 1] + grid.panel_height - 6.0,
        heading_top=[grid.heading_top(int(split == "val")) for split in panels["split"]],
    )


def _outlines(frames: pd.DataFrame, grid: Grid, dark: bool) -> alt.Chart:
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
            x=x_in_panels("left", grid),
            x2="right:Q",
            y=y_in_pixels("top", grid),
            y2="bottom:Q",
        )
    )


def _with_all_slots(points: pd.DataFrame, n_slots: int) -> pd.DataFrame:
    """Return the points with all slots; those still to come show the newest snapshot."""
    newest = points["newest"].to_numpy()
    filled = points.copy(deep=False)
    for name in SLOTTED:
        values = points[slot_columns(points, name)].to_numpy()
        last = values[np.arange(len(points)), newest].astype(points[f"{name}0"].dtype)
        for slot in range(n_slots):
            if (newest < slot).any():
                own = values[:, slot] if slot < values.shape[1] else last
                filled[f"{name}{slot}"] = np.where(newest < slot, last, own).astype(last.dtype)
    return filled


def _current_slot() -> list[alt.Parameter]:
    """Return what follows from the slot alone: the columns to read, and the axis's first value."""
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
    if "highlighted" not in examples:
        examples = examples.assign(highlighted=1)
    texts = alt.LookupData(data=examples, key="row", fields=["text", "label", "highlighted"])
    position, horizontal = in_panel("datum[x_now]", "datum[y_now]"), x_in_panels("x", grid)
    if selectable:
        position["x"] = f"origin + {position['x']}"
        ends = [{"expr": "origin"}, {"expr": f"origin + {grid.width}"}]
        horizontal = alt.X("x:Q", axis=None).scale(domain=ends, nice=False)
    size = _point_size(n_points, len(layers))
    chart = (
        alt.Chart(with_centres(points, layers, grid))
        .transform_lookup("row", from_=texts)
        .transform_calculate(
            **position,
            colour=f"datum.highlighted ? palette[datum[colour_now]] : '{OTHER_COLOUR}'",
            predicted="names[datum[predicted_now]]",
            confidence="datum[confidence_now] / 100",
            map="maps[datum.layer]",
        )
        .mark_circle(
            size={"expr": f"(datum.highlighted > 1 ? 2 : 1) * {size}"},
            opacity={"expr": "datum.highlighted > 1 ? 0.95 : datum.highlighted ? 0.75 : 0.3"},
            stroke=None,
            aria=n_points <= POINTS_IN_SVG,  # composes a description of each at each move
        )
        .encode(
            x=horizontal,
            y=y_in_pixels("y", grid),
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
    chart = chart.encode(order=alt.Order("highlighted:Q"))  # those selected lie on top
    box = alt.selection_interval(name="box", encodings=["x", "y"])
    return chart.add_params(box, alt.selection_point(name="pick", fields=["row"]))


def _point_size(n_points: int, n_layers: int) -> int:
    per_layer = n_points / max(n_layers, 1)
    small = 40 if per_layer <= 400 else 24 if per_layer <= 1200 else 14
    return 2 * small if n_layers == 1 else small
