"""Where the maps lie on the page: panels, and the axes of every mark."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.charts.unchecked import alt
from layerviz.config import TRAIN_AND_VAL

# Whether a point is within its map: maps that are enlarged show a part of theirs.
ON_MAP = "abs(datum.u - 0.5) <= 0.53 && abs(datum.v - 0.5) <= 0.53"


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
    splits : tuple of str
        Those that have maps, in their order.
    """

    columns: int
    rows: int
    panel_height: int
    stacked: bool = False
    splits: tuple[str, ...] = TRAIN_AND_VAL

    HEADER = 26  # pixels above the panels, for the name of the split
    GAP = 0.14  # between train and val, in panel widths

    @classmethod
    def of(cls, n_layers: int, splits: Sequence[str] = TRAIN_AND_VAL) -> Grid:
        """Lay out ``n_layers`` panels per split so that they fit a page."""
        if n_layers == 1:
            return cls(1, 1, 430, splits=tuple(splits))
        columns = 2 if n_layers <= 8 else 3 if n_layers <= 15 else 4
        rows = math.ceil(n_layers / columns)
        return cls(columns, rows, {2: 206, 3: 196, 4: 172}[columns], splits=tuple(splits))

    @classmethod
    def narrow(cls, n_layers: int, splits: Sequence[str] = TRAIN_AND_VAL) -> Grid:
        """Lay out as `of`, for a phone: one panel of each split side by side."""
        return cls(1, n_layers, 206, splits=tuple(splits))

    @classmethod
    def matrix(cls, n_encoders: int, n_depths: int = 1) -> Grid:
        """Lay out a column of panels per encoder, train above val, with a row per depth."""
        if n_depths > 1:
            return cls(n_encoders, n_depths, 236, True)
        columns = min(n_encoders, 4)
        rows = math.ceil(n_encoders / columns)
        return cls(columns, rows, 314 if columns < 3 else 284 if columns == 3 else 236, True)

    @property
    def width(self) -> float:
        """Width of the whole chart, in panels."""
        if self.stacked:
            return self.columns
        n = len(self.splits)
        return n * self.columns + (n - 1) * self.GAP

    @property
    def height(self) -> int:
        """Height of the whole chart in pixels."""
        return (len(self.splits) if self.stacked else 1) * self.side_height

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

        They follow the chart's size, which whoever draws it may change: a map stays a square. They
        are computed once per size, not once per point.
        """
        stretched = f"(height / {self.height})"
        side = f"min(width / {self.width} * 0.96, {self.map_height} * {stretched}) * 0.94"
        return [
            alt.param(name="map_side", expr=side),  # in pixels
            alt.param(name="map_height", expr=f"map_side / {stretched}"),  # on the y axis
            alt.param(name="map_width", expr=f"map_side / (width / {self.width})"),  # in panels
        ]

    def corner(self, panel: int, side: int) -> tuple[float, float]:
        """Return left edge (in panels) and top edge (in pixels) of a panel of a split's side."""
        row, column = divmod(panel, self.columns)
        left, top = column, self.HEADER + row * self.panel_height
        if self.stacked:
            return left, top + side * self.side_height
        return left + side * (self.columns + self.GAP), top

    def centre(self, panel: int, side: int) -> tuple[float, float]:
        """Return the middle of a map, in panels and in pixels."""
        left, top = self.corner(panel, side)
        return left + 0.5, top + self.map_middle

    def heading_top(self, side: int) -> float:
        """Return the upper edge of a split's heading, in pixels."""
        return float(side * self.side_height if self.stacked else 0)


def panel_corners(frame: pd.DataFrame, layers: Sequence[int], grid: Grid) -> np.ndarray:
    """Return left edge (in panels) and top edge (in pixels) of the panel of each row, (n, 2)."""
    n_sides = len(grid.splits)
    corners = np.array(
        [[grid.corner(panel, side) for side in range(n_sides)] for panel in range(len(layers))]
    )
    panels = frame["layer"].map({layer: panel for panel, layer in enumerate(layers)})
    sides = frame["split"].map({split: side for side, split in enumerate(grid.splits)})
    return corners.astype(float)[panels.to_numpy(dtype=int), sides.to_numpy(dtype=int)]


def with_centres(frame: pd.DataFrame, layers: Sequence[int], grid: Grid) -> pd.DataFrame:
    """Add the middle of each row's map, for `in_panel`."""
    corners = panel_corners(frame, layers, grid)
    return frame.assign(centre_x=corners[:, 0] + 0.5, centre_y=corners[:, 1] + grid.map_middle)


def zoomed(x: str, y: str) -> dict[str, str]:
    """Return Vega expressions of where in its map a position in the unit square is seen."""
    return {
        "u": f"({x} - zoom_x) * zoom + 0.5",
        "v": f"({y} - zoom_y) * zoom + 0.5",
    }


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
