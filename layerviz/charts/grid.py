"""Where the maps lie on the page: panels, the axes of every mark, and what a box encloses."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import altair as alt
import numpy as np
import pandas as pd

# The x axis of points that can be selected begins at (slot * MOST_PIXELS + width) * ORIGIN_STEP, so
# that the ends of a box tell at which epoch, and at which width of the chart, it was drawn.
MOST_PIXELS, ORIGIN_STEP = 10_000, 100


@dataclass(frozen=True)
class Grid:
    """How the panels of one chart of maps are laid out.

    Parameters
    ----------
    columns : int
        Panels side by side within one split.
    rows : int
        Panels above one another.
    panel_height : int
        Height of a panel in pixels; the width follows from the page.
    stacked : bool
        Whether val is below train instead of beside it.
    """

    columns: int
    rows: int
    panel_height: int
    stacked: bool = False

    HEADER = 26  # pixels above the panels, for the name of the split
    GAP = 0.14  # between train and val, in panel widths

    @classmethod
    def of(cls, n_layers: int) -> Grid:
        """Lay out ``n_layers`` panels per split so that they fit a page."""
        if n_layers == 1:
            return cls(1, 1, 430)
        columns = 2 if n_layers <= 8 else 3 if n_layers <= 15 else 4
        return cls(columns, math.ceil(n_layers / columns), {2: 206, 3: 196, 4: 172}[columns])

    @classmethod
    def matrix(cls, n_encoders: int) -> Grid:
        """Lay out a column of two panels per encoder, train above val."""
        columns = min(n_encoders, 4)
        rows = math.ceil(n_encoders / columns)
        return cls(columns, rows, 314 if columns < 3 else 284 if columns == 3 else 236, True)

    @property
    def width(self) -> float:
        """Width of the whole chart, in panels."""
        return self.columns if self.stacked else 2 * self.columns + self.GAP

    @property
    def height(self) -> int:
        """Height of the whole chart in pixels."""
        return (1 + self.stacked) * self.side_height

    @property
    def title_height(self) -> int:
        """Pixels inside a panel for its title: two lines, or three where encoders are named.

        There is room for more where a panel is narrow, as its map is then lower than the panel.
        """
        return 48 if self.stacked else 34

    @property
    def side_height(self) -> int:
        """Height of one split in pixels."""
        return self.HEADER + self.rows * self.panel_height

    @property
    def map_height(self) -> int:
        """Pixels of a panel that its map may fill."""
        return self.panel_height - 6 - self.title_height

    @property
    def map_middle(self) -> float:
        """Pixels from the upper edge of a panel to the middle of its map."""
        return self.title_height + self.map_height / 2

    def sides(self) -> list[alt.Parameter]:
        """Return the sides of the square that a map fills, for `in_panel`.

        They are computed once per width, not once per point, because Streamlit has Vega interpret
        its expressions instead of compiling them.
        """
        height = f"min(width / {self.width} * 0.96, {self.map_height}) * 0.94"
        return [
            alt.param(name="map_height", expr=height),  # in pixels
            alt.param(name="map_width", expr=f"{height} / (width / {self.width})"),  # in panels
        ]

    def corner(self, panel: int, side: int) -> tuple[float, float]:
        """Return left edge (in panels) and top edge (in pixels) of a panel on a side (0 or 1)."""
        row, column = divmod(panel, self.columns)
        left, top = column, self.HEADER + row * self.panel_height
        if self.stacked:
            return left, top + side * self.side_height
        return left + side * (self.columns + self.GAP), top

    def heading_top(self, side: int) -> float:
        """Return the upper edge of a split's heading, in pixels."""
        return float(side * self.side_height if self.stacked else 0)


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
    origin = int(left // ORIGIN_STEP)
    left, right = left - origin * ORIGIN_STEP, right - origin * ORIGIN_STEP
    slot, panel_width = origin // MOST_PIXELS, origin % MOST_PIXELS / grid.width
    slots = np.minimum(slot, points["newest"].to_numpy())
    rows = np.arange(len(points))
    xs, ys = (
        np.stack([points[name].to_numpy() for name in slot_columns(points, axis)], axis=1)
        for axis in ("x", "y")
    )
    corners = panel_corners(points, layers, grid)
    side = min(panel_width * 0.96, grid.map_height) * 0.94  # as in `Grid.sides`
    x = corners[:, 0] + 0.5 + (xs[rows, slots] - 0.5) * side / panel_width
    y = corners[:, 1] + grid.map_middle - (ys[rows, slots] - 0.5) * side
    inside = (left <= x) & (x <= right) & (top <= y) & (y <= bottom)
    return np.unique(points["row"].to_numpy()[inside])


def panel_corners(frame: pd.DataFrame, layers: Sequence[int], grid: Grid) -> np.ndarray:
    """Return left edge (in panels) and top edge (in pixels) of the panel of each row, (n, 2)."""
    corners = np.array(
        [[grid.corner(panel, side) for side in (0, 1)] for panel in range(len(layers))]
    )
    panel_of = {layer: panel for panel, layer in enumerate(layers)}
    panels = frame["layer"].map(panel_of).to_numpy(dtype=int)
    return corners.astype(float)[panels, (frame["split"] == "val").to_numpy().astype(int)]


def with_centres(frame: pd.DataFrame, layers: Sequence[int], grid: Grid) -> pd.DataFrame:
    """Add the middle of each row's map, for `in_panel`."""
    corners = panel_corners(frame, layers, grid)
    return frame.assign(centre_x=corners[:, 0] + 0.5, centre_y=corners[:, 1] + grid.map_middle)


def in_panel(x: str, y: str) -> dict[str, str]:
    """Return Vega expressions that turn a position in the unit square into one in its panel."""
    return {
        "x": f"datum.centre_x + ({x} - 0.5) * map_width",
        "y": f"datum.centre_y - ({y} - 0.5) * map_height",
    }


def x_in_panels(field: str, grid: Grid) -> alt.X:
    """Return the channel of a field in panels from the left, on the scale of every mark."""
    return alt.X(field, type="quantitative", axis=None).scale(domain=[0, grid.width], nice=False)


def y_in_pixels(field: str, grid: Grid) -> alt.Y:
    """Return the channel of a field in pixels from the top, on the scale of every mark."""
    return alt.Y(field, type="quantitative", axis=None).scale(domain=[grid.height, 0], nice=False)


def slot_columns(frame: pd.DataFrame, prefix: str) -> list[str]:
    """Return the columns of the slider's positions that begin with `prefix`, in their order."""
    return [name for name in frame.columns if name.removeprefix(prefix).isdigit()]
