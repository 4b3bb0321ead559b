"""The chart of maps as specifications without data, one per layout, and where its panels lie."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd

from layerviz import charts
from layerviz.charts import Grid
from layerviz.charts.named_frames import without_frames

# A layout is drawn from this width on, in pixels; the last one where none fits.
WIDE = 520


def layouts_of(
    panels: pd.DataFrame,
    layers: Sequence[int],
    grids: Sequence[Grid],
    *,
    n_points: int,
    dark: bool,
) -> list[dict[str, Any]]:
    """Return how maps are laid out: the first for a wide window, the last for a phone.

    Parameters
    ----------
    panels : DataFrame
        As `charts.layer_maps` takes them.
    layers : sequence of int
    grids : sequence of Grid
        One for all windows, or a wide and a narrow one.
    n_points : int
        Decides their size and the renderer.
    dark : bool

    Returns
    -------
    list of dict
        ``spec`` (Vega-Lite as JSON, its data sets empty: ``points``, ``examples``, ``panels``,
        ``paths``), ``from`` (the width in pixels from which it is taken), ``width`` in panels,
        ``height`` in pixels, ``title`` (pixels of a panel that title and map fill
        together, and those of its title), ``centres`` per layer and split, and ``panels``, the rows
        of that data set.
    """
    return [
        {
            "spec": _specification(len(layers), grid, n_points, dark),
            "from": WIDE if grid is not grids[-1] else 0,
            "width": grid.width,
            "height": grid.height,
            "title": [grid.panel_height - 6, grid.title_height],
            "centres": [
                [grid.centre(panel, side) for side in range(len(grid.splits))]
                for panel in range(len(layers))
            ],
            "panels": charts.panel_frames(panels, layers, grid).to_dict("records"),
        }
        for grid in grids
    ]


@lru_cache(maxsize=64)
def _specification(n_layers: int, grid: Grid, n_points: int, dark: bool) -> str:
    """Return the chart of so many layers, without data; made once, for it takes long."""
    layers, rows = range(n_layers), np.zeros(1, dtype=int)
    positions = {layers[0]: np.zeros((1, 1, 2), dtype=np.float32)}
    splits = np.array([grid.splits[0]])
    predictions = [pd.DataFrame({"predicted": [0], "confidence": [0.0]})]
    points = charts.points_frame(positions, splits, rows, predictions, [np.zeros(1, np.uint8)])
    panels = pd.DataFrame({"layer": layers[:1], "split": splits, "title0": [""], "heading0": [""]})
    chart = charts.layer_maps(
        points,
        pd.DataFrame({"row": rows, "text": [""], "label": [""]}),
        panels,
        layers=layers,
        label_names=[],
        n_slots=1,
        dark=dark,
        grid=grid,
        paths=charts.paths_frame(points, rows),
        n_points=n_points,
        live=True,
    )
    frames: dict[str, pd.DataFrame] = {}
    spec = without_frames(chart, frames, rows_apart=0).to_dict()
    spec.pop("datasets", None)
    return json.dumps(renamed(spec, {name: role_of(frame) for name, frame in frames.items()}))


def role_of(frame: pd.DataFrame) -> str:
    """Return which of the data sets of `charts.layer_maps` a frame is."""
    for role, column in (
        ("panels", "heading_top"),
        ("examples", "highlighted"),
        ("paths", "at"),
        ("points", "newest"),
    ):
        if column in frame:
            return role
    raise ValueError(f"a frame of {list(frame)} is none of the maps")


def renamed(node: Any, names: dict[str, str]) -> Any:
    """Return a specification with its data sets renamed."""
    if isinstance(node, dict):
        if set(node) == {"name"}:
            return {"name": names.get(node["name"], node["name"])}
        return {key: renamed(value, names) for key, value in node.items()}
    return [renamed(value, names) for value in node] if isinstance(node, list) else node
