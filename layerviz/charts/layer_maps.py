"""The maps of all layers and both splits, as one chart.

The cells are laid out in data coordinates of a single layered chart. Everything that changes
while a run goes on (positions, colours, titles) is data; the specification stays the same, so
that a page which replaces the data keeps the reader's place on the epoch slider.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

from layerviz.charts.palette import OTHER_COLOUR, PALETTE

POINTS_IN_SVG = 2000
# The x axis of points that can be selected begins at (slot * MOST_PIXELS + width) * ORIGIN_STEP:
# so a box says in itself on which epoch and in which size of the chart it was drawn.
MOST_PIXELS, ORIGIN_STEP = 10_000, 100


@dataclass(frozen=True)
class Grid:
    """How the cells of one page of maps are laid out.

    Parameters
    ----------
    columns : int
        Cells side by side within one split.
    rows : int
        Cells above one another.
    cell_height : int
        Height of a cell in pixels; the width follows from the page.
    stacked : bool
        Whether val stands below train, not beside it.
    """

    columns: int
    rows: int
    cell_height: int
    stacked: bool = False

    HEADER = 26  # pixels above the cells, for the name of the split
    GAP = 0.14  # between train and val, in cell widths

    @classmethod
    def of(cls, n_layers: int) -> Grid:
        """Lay out ``n_layers`` cells per split so that they fit a page."""
        if n_layers == 1:
            return cls(1, 1, 430)
        columns = 2 if n_layers <= 8 else 3 if n_layers <= 15 else 4
        return cls(columns, math.ceil(n_layers / columns), {2: 190, 3: 180, 4: 150}[columns])

    @classmethod
    def matrix(cls, n_encoders: int) -> Grid:
        """Lay out a column of two cells per encoder, train above val."""
        columns = min(n_encoders, 4)
        rows = math.ceil(n_encoders / columns)
        return cls(columns, rows, 300 if columns < 3 else 270 if columns == 3 else 220, True)

    @property
    def width(self) -> float:
        """Width of the whole chart, in cells."""
        return self.columns if self.stacked else 2 * self.columns + self.GAP

    @property
    def height(self) -> int:
        """Height of the whole chart in pixels."""
        return (1 + self.stacked) * self.side_height

    @property
    def title_height(self) -> int:
        """Pixels inside a cell for its title: one line, or two where encoders are named."""
        return 34 if self.stacked else 18

    @property
    def side_height(self) -> int:
        """Height of one split in pixels."""
        return self.HEADER + self.rows * self.cell_height

    def corner(self, cell: int, side: int) -> tuple[float, float]:
        """Return left edge (in cells) and top edge (in pixels) of a cell on a side (0 or 1)."""
        row, column = divmod(cell, self.columns)
        left, top = column, self.HEADER + row * self.cell_height
        if self.stacked:
            return left, top + side * self.side_height
        return left + side * (self.columns + self.GAP), top

    def heading_top(self, side: int) -> float:
        """Return the upper edge of a split's heading, in pixels."""
        return float(side * self.side_height if self.stacked else 0)


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

    Returns
    -------
    alt.LayerChart
        As wide as its container; as high as the grid.
    """
    grid = grid or Grid.of(len(layers))
    slider = alt.binding_range(min=0, max=n_slots - 1, step=1, name=slider_name)
    slot = alt.param(
        name="slot",
        value=n_slots - 1 if start is None else start,
        **({"bind": slider} if n_slots > 1 else {}),
    )
    frames = _place_cells(cells, layers, grid)
    chart = alt.layer(
        _frames(frames, grid, dark),
        _points(points, examples, layers, grid, selectable, names is not None),
        _titles(frames, grid, dark),
        _headings(frames, grid, dark),
    ).add_params(
        slot,
        alt.param(name="palette", value=list(PALETTE)),
        alt.param(name="names", value=list(label_names)),
        alt.param(name="maps", value=list(names or ())),
    )
    renderer = "canvas" if len(points) > POINTS_IN_SVG else "svg"
    chart = chart.properties(
        height=grid.height,
        width="container",
        padding={"left": 0, "right": 0, "top": 0, "bottom": 4},
        usermeta={"embedOptions": {"renderer": renderer}},
    )
    if selectable:
        chart = chart.resolve_scale(x="independent")  # that of the points moves with the slot
    return chart.configure_view(stroke=None)


def rows_in_box(
    box: Mapping[str, Sequence[float]], points: pd.DataFrame, layers: Sequence[int], grid: Grid
) -> np.ndarray:
    """Return the ``row`` of the points inside a box that was dragged over a chart of `layer_maps`.

    Parameters
    ----------
    box : mapping
        ``x`` and ``y``, each with the ends of a range, as the selection named ``box`` gives them.
    points, layers, grid
        As they were drawn.
    """
    (left, right), (top, bottom) = sorted(box["x"]), sorted(box["y"])
    said = int(left // ORIGIN_STEP)
    left, right = left - said * ORIGIN_STEP, right - said * ORIGIN_STEP
    slot, cell_width = said // MOST_PIXELS, said % MOST_PIXELS / grid.width
    at = np.minimum(slot, points["newest"].to_numpy())
    rows = np.arange(len(points))
    xs, ys = (
        np.stack([points[name].to_numpy() for name in _slot_columns(points, axis)], axis=1)
        for axis in ("x", "y")
    )
    corners = np.array(_corners(points, layers, grid))  # (n, 2)
    side = min(cell_width * 0.96, _map_height(grid)) * 0.94  # as in `_points`
    across = corners[:, 0] + 0.5 + (xs[rows, at] - 0.5) * side / cell_width
    down = corners[:, 1] + _map_middle(grid) - (ys[rows, at] - 0.5) * side
    inside = (left <= across) & (across <= right) & (top <= down) & (down <= bottom)
    return np.unique(points["row"].to_numpy()[inside])


def _map_height(grid: Grid) -> float:
    return grid.cell_height - 6 - grid.title_height


def _map_middle(grid: Grid) -> float:
    return grid.title_height + _map_height(grid) / 2


def _corners(frame: pd.DataFrame, layers: Sequence[int], grid: Grid) -> list[tuple[float, float]]:
    order = {layer: place for place, layer in enumerate(layers)}
    return [
        grid.corner(order[layer], int(split == "val"))
        for layer, split in zip(frame["layer"], frame["split"], strict=True)
    ]


def _place_cells(cells: pd.DataFrame, layers: Sequence[int], grid: Grid) -> pd.DataFrame:
    corners = _corners(cells, layers, grid)
    return cells.assign(
        left=[left + 0.02 for left, _ in corners],
        right=[left + 0.98 for left, _ in corners],
        top=[float(top) for _, top in corners],
        bottom=[top + grid.cell_height - 6.0 for _, top in corners],
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
            x=_across("left", grid),
            x2="right:Q",
            y=_down("top", grid),
            y2="bottom:Q",
        )
    )


def _points(
    points: pd.DataFrame,
    examples: pd.DataFrame,
    layers: Sequence[int],
    grid: Grid,
    selectable: bool,
    named: bool,
) -> alt.Chart:
    corners = _corners(points, layers, grid)
    side = f"min(width / {grid.width} * 0.96, {_map_height(grid)}) * 0.94"
    if "lit" not in examples:
        examples = examples.assign(lit=1)
    wording = alt.LookupData(data=examples, key="row", fields=["text", "label", "lit"])
    placed = points.assign(
        centre_x=[left + 0.5 for left, _ in corners],
        centre_y=[top + _map_middle(grid) for _, top in corners],
    )
    at = "min(slot, datum.newest)"  # slots still to come show the newest snapshot
    origin, across = "0", _across("x", grid)
    if selectable:
        origin = f"(slot * {MOST_PIXELS} + floor(width)) * {ORIGIN_STEP}"
        ends = [{"expr": origin}, {"expr": f"{origin} + {grid.width}"}]
        across = alt.X("x:Q", axis=None).scale(domain=ends, nice=False)
    chart = (
        alt.Chart(placed)
        .transform_lookup("row", from_=wording)
        .transform_calculate(
            x=f"{origin} + datum.centre_x"
            f" + (datum['x' + {at}] - 0.5) * {side} / (width / {grid.width})",
            y=f"datum.centre_y - (datum['y' + {at}] - 0.5) * {side}",
            colour=f"datum.lit ? palette[datum['colour' + {at}]] : '{OTHER_COLOUR}'",
            predicted=f"names[datum['predicted' + {at}]]",
            confidence=f"datum['confidence' + {at}] / 100",
            map="maps[datum.layer]",
        )
        .mark_circle(
            size={"expr": f"(datum.lit > 1 ? 2 : 1) * {_point_size(len(points), len(layers))}"},
            opacity={"expr": "datum.lit > 1 ? 0.95 : datum.lit ? 0.75 : 0.3"},
            stroke=None,
        )
        .encode(
            x=across,
            y=_down("y", grid),
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


def _across(field: str, grid: Grid) -> alt.X:
    """Place `field` in cells from the left, the same scale for every mark."""
    return alt.X(field, type="quantitative", axis=None).scale(domain=[0, grid.width], nice=False)


def _down(field: str, grid: Grid) -> alt.Y:
    """Place `field` in pixels from the top, the same scale for every mark."""
    return alt.Y(field, type="quantitative", axis=None).scale(domain=[grid.height, 0], nice=False)


def _point_size(n_points: int, n_layers: int) -> int:
    per_layer = n_points / max(n_layers, 1)
    small = 40 if per_layer <= 400 else 24 if per_layer <= 1200 else 14
    return 2 * small if n_layers == 1 else small


def _titles(frames: pd.DataFrame, grid: Grid, dark: bool) -> alt.Chart:
    columns = ["left", "top", *_slot_columns(frames, "title")]
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
            x=_across("left", grid),
            y=_down("top", grid),
            text="title:N",
        )
    )


def _headings(frames: pd.DataFrame, grid: Grid, dark: bool) -> alt.Chart:
    firsts = frames.sort_values("left").groupby("split", sort=False).head(1)
    columns = ["left", "heading_top", *_slot_columns(frames, "heading")]
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
            x=_across("left", grid),
            y=_down("heading_top", grid),
            text="heading:N",
        )
    )


def _slot_columns(frame: pd.DataFrame, prefix: str) -> list[str]:
    return [name for name in frame.columns if name.removeprefix(prefix).isdigit()]
