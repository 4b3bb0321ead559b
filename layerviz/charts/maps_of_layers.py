"""The maps of all layers and both splits, as one chart.

Its panels are laid out in the data coordinates of a single layered chart. Everything that changes
while a run goes on (positions, colours, titles) is data. The specification stays the same, so that
replacing the data leaves the epoch slider where the reader put it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from layerviz.charts.grid import (
    ON_MAP,
    Grid,
    in_panel,
    panel_corners,
    slot_columns,
    with_centres,
    x_in_panels,
    y_in_pixels,
    zoomed,
)
from layerviz.charts.map_titles import headings, title_params, titles
from layerviz.charts.overlays import own_text_stars, path_lines
from layerviz.charts.palette import PALETTE
from layerviz.charts.unchecked import alt
from layerviz.charts.user_texts import shown

POINTS_IN_SVG = 2000
FOOTNOTE_KEY = "footnote"  # in a chart's ``usermeta``: what pictures of it say below it
SLOTTED = ("x", "y", "colour", "predicted", "confidence")  # columns, one per slot
_IN_COLUMNS = ("datum[x_now]", "datum[y_now]", "datum[colour_now]")
_IN_PARAMETERS = (
    "xs[datum.at + slot * shift] / unit",
    "ys[datum.at + slot * shift] / unit",
    "codes[datum.of + slot * code_shift]",
)
_TOLD = {  # by tooltips
    "predicted": "names[datum[predicted_now]]",
    "confidence": "datum[confidence_now] / 100",
    "map": "maps[datum.layer]",
}
# Opacity of a point: none outside its map, hardly any where its colour is not the isolated one,
# little where others are selected.
_OPACITY = (
    f"!({ON_MAP}) ? 0 : length(isolated) && indexof(isolated, datum.code) < 0 ? 0.06 : "
    "datum.highlighted > 1 ? 0.95 : datum.highlighted ? 0.75 : 0.22"
)


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
    names: Sequence[str] | None = None,
    paths: pd.DataFrame | None = None,
    own_texts: pd.DataFrame | None = None,
    n_points: int | None = None,
    footnote: str = "",
    live: bool = False,
    value_name: str = "",
) -> alt.LayerChart:
    """Draw the maps of the given layers, train on the left and val on the right.

    A selection is shown through ``highlighted``, so that the same examples stand out in all maps.
    Whoever draws the chart may set more of its parameters: ``slot`` (the slider's position),
    ``isolated`` (indices into `PALETTE`; points of other colours are hardly seen) and ``zoom``,
    ``zoom_x``, ``zoom_y`` (how many times all maps are enlarged, and the middle of what they show,
    in the unit square).

    Parameters
    ----------
    points : DataFrame
        One row per example and layer: ``row`` (key into `examples`), ``layer``, ``split``,
        ``newest`` (the last snapshot there is; later slots of the slider show it), and
        per snapshot s the position in the unit square ``x<s>``, ``y<s>`` (float32), the
        colour ``colour<s>`` (index into `PALETTE`), the class ``predicted<s>`` (index into
        `label_names`) and its probability ``confidence<s>`` in percent.
    examples : DataFrame
        One row per example: ``row``, ``text``, ``label``, where a further column is told its
        ``value``, and, where some examples are selected,
        ``highlighted``: 2 for those, which are larger, 0 for the others, which turn faint.
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
    live : bool
        Whether the positions and colours of the points are not columns but parameters, which
        whoever draws the chart sets and changes in place: ``xs`` and ``ys`` (in parts of ``unit``)
        are read at ``at + slot * shift`` of a point, ``codes`` (indices into `PALETTE`) at
        ``of + slot * code_shift``. Such a chart has no tooltips.
    value_name : str
        What tooltips call the ``value`` of an example, if they are to say it.

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
    frames = panel_frames(panels, layers, grid)
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
            names is not None,
            live,
            value_name,
        ),
        *overlays,
        titles(frames, grid, dark),
        headings(frames, grid, dark),
    ).add_params(
        slot,
        alt.param(name="palette", value=list(PALETTE)),
        alt.param(name="names", value=[shown(name) for name in label_names]),
        alt.param(name="maps", value=[shown(name) for name in names or ()]),
        alt.param(name="isolated", value=[]),
        alt.param(name="zoom", value=1),
        alt.param(name="zoom_x", value=0.5),
        alt.param(name="zoom_y", value=0.5),
        *(_live_parameters() if live else _current_slot()),
        *grid.sides(),
        *title_params(grid),
    )
    renderer = "canvas" if n_points > POINTS_IN_SVG else "svg"
    usermeta: dict[str, object] = {"embedOptions": {"renderer": renderer}}
    if footnote:
        usermeta[FOOTNOTE_KEY] = footnote
    return chart.properties(
        height=grid.height,
        width="container",
        padding={"left": 0, "right": 0, "top": 0, "bottom": 4},
        usermeta=usermeta,
    ).configure_view(stroke=None)


def panel_frames(panels: pd.DataFrame, layers: Sequence[int], grid: Grid) -> pd.DataFrame:
    """Return `panels` with where each lies, as `layer_maps` draws them.

    Returns
    -------
    DataFrame
        With ``left`` and ``right`` in panels, ``top``, ``bottom`` and ``heading_top`` in pixels,
        and ``first``: whether the panel is the first of its split, which has the heading.
    """
    corners = panel_corners(panels, layers, grid)
    return panels.assign(
        left=corners[:, 0] + 0.02,
        right=corners[:, 0] + 0.98,
        top=corners[:, 1],
        bottom=corners[:, 1] + grid.panel_height - 6.0,
        heading_top=[grid.heading_top(grid.splits.index(split)) for split in panels["split"]],
        first=panels["layer"] == layers[0],
    )


def _outlines(frames: pd.DataFrame, grid: Grid, dark: bool) -> alt.Chart:
    return (
        alt.Chart(frames)
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
    """Return the columns to read, which follow from the slot alone."""
    return [alt.param(name=f"{name}_now", expr=f"'{name}' + slot") for name in SLOTTED]


def _live_parameters() -> list[alt.Parameter]:
    """Return the parameters that a live chart reads, still empty."""
    arrays = [alt.param(name=name, value=[]) for name in ("xs", "ys", "codes")]
    return [
        *arrays,
        alt.param(name="unit", value=1),
        alt.param(name="shift", value=0),
        alt.param(name="code_shift", value=0),
    ]


def _points(
    points: pd.DataFrame,
    examples: pd.DataFrame,
    layers: Sequence[int],
    grid: Grid,
    n_points: int,
    named: bool,
    live: bool,
    value_name: str,
) -> alt.Chart:
    if "highlighted" not in examples:
        examples = examples.assign(highlighted=1)
    named_examples = "example" in examples
    told = ["text", "label", *(["example"] if named_examples else [])]
    if value_name:
        told.append("value")
    fields = ["highlighted"] if live else [*told, "highlighted"]
    x, y, code = _IN_PARAMETERS if live else _IN_COLUMNS
    size = _point_size(n_points, len(layers))
    return (
        alt.Chart(with_centres(points, layers, grid))
        .transform_lookup("row", from_=alt.LookupData(data=examples, key="row", fields=fields))
        .transform_calculate(
            **zoomed(x, y),
            **in_panel("datum.u", "datum.v"),
            code=code,
            colour="palette[datum.code]",
            **({} if live else _TOLD),
        )
        .mark_circle(
            size={"expr": f"(datum.highlighted > 1 ? 2 : 1) * {size} * min(3, sqrt(zoom))"},
            opacity={"expr": _OPACITY},
            stroke=None,
            aria=False,  # the page lists the points; a description of each would be no help
        )
        .encode(
            x=x_in_panels("x", grid),
            y=y_in_pixels("y", grid),
            color=alt.Color("colour:N", scale=None, legend=None),
            order=alt.Order("highlighted:Q"),  # those selected lie on top
            tooltip=alt.value(None) if live else _tooltip(named, named_examples, value_name),
        )
    )


def _tooltip(named: bool, named_examples: bool, value_name: str) -> list[alt.Tooltip]:
    """Return what is said of the point under the mouse; maps that are no layers have names."""
    return [
        alt.Tooltip("text:N", title="Text"),
        *([alt.Tooltip("example:N", title="Example")] if named_examples else []),
        alt.Tooltip("label:N", title="Label"),
        *([alt.Tooltip("value:N", title=value_name)] if value_name else []),
        alt.Tooltip("predicted:N", title="Predicted"),
        alt.Tooltip("confidence:Q", title="Confidence", format=".0%"),
        alt.Tooltip("map:N", title="Map") if named else alt.Tooltip("layer:Q", title="Layer"),
    ]


def _point_size(n_points: int, n_layers: int) -> int:
    per_layer = n_points / max(n_layers, 1)
    small = 40 if per_layer <= 400 else 24 if per_layer <= 1200 else 14
    return 2 * small if n_layers == 1 else small
