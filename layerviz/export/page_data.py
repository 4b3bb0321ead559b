"""What the offline page shows, as data: specifications of its charts, points and examples."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from layerviz.charts.named_frames import without_frames
from layerviz.config import TRAIN_AND_VAL
from layerviz.errors import RunError
from layerviz.export.pictures import FONT, specification, themed
from layerviz.export.run_charts import chart_of, heat_map_chart
from layerviz.runs import Run
from layerviz.separability import Answer
from layerviz.views import POINTS_PER_SPLIT, RunMaps

UNIT = 1000  # positions are sent as whole numbers of these parts of a map: below a pixel
MOST_MARKS = 40_000  # that a browser moves in less than a second
MOST_POINT_BYTES = 8_000_000  # points and texts; Vega takes 1 MB of the 10 a page may have
BYTES_OF_TEXT = 6 * 240 + 10  # of one example at most: an escape for each of its characters


def most_points(n_layers: int, n_slots: int) -> int:
    """Return how many points of each split a page can hold and move."""
    each = n_slots * (2 * n_layers * 4 + 9) + BYTES_OF_TEXT  # "123," is four bytes
    return int(min(POINTS_PER_SPLIT, MOST_MARKS // (2 * n_layers), MOST_POINT_BYTES // (2 * each)))


def compact_points(maps: RunMaps, points: pd.DataFrame) -> dict[str, Any]:
    """Return points and examples as columns, each value once; ``page.js`` expands them to rows.

    Parameters
    ----------
    maps : RunMaps
    points : DataFrame
        Those of the chart: ``layer``, ``split``, ``centre_x``, ``centre_y``.
    """
    rows, slots = maps.rows, range(len(maps.epochs))
    examples = maps.texts()
    squares = [
        np.rint(UNIT * of_layer.in_unit_square()[:, rows]).astype(int)
        for of_layer in maps.by_layer.values()
    ]
    centres = {
        (point.layer, point.split): (point.centre_x, point.centre_y)
        for point in points.drop_duplicates(["layer", "split"]).itertuples()
    }
    colours = [codes[rows] for codes in maps.colours()]
    same = all(np.array_equal(codes, colours[0]) for codes in colours)
    return {
        "unit": UNIT,
        "layers": list(maps.view.layers),
        "row": rows.tolist(),
        "side": (maps.splits[rows] == "val").astype(int).tolist(),
        "label": maps.labels[rows].tolist(),
        "text": examples["text"].tolist(),
        "centres": [
            [list(centres.get((layer, split), (0.0, 0.0))) for split in TRAIN_AND_VAL]
            for layer in maps.view.layers
        ],
        "x": [[square[slot, :, 0].tolist() for slot in slots] for square in squares],
        "y": [[square[slot, :, 1].tolist() for slot in slots] for square in squares],
        "colour": [codes.tolist() for codes in (colours[:1] if same else colours)],
        "predicted": [
            predictions["predicted"].to_numpy()[rows].tolist() for predictions in maps.predictions
        ],
        "confidence": [
            (100 * predictions["confidence"].to_numpy()[rows]).round().astype(int).tolist()
            for predictions in maps.predictions
        ],
    }


def maps_specification(maps: RunMaps, theme: str) -> tuple[dict[str, Any], pd.DataFrame]:
    """Return the specification of the maps without points and examples, and the points."""
    frames: dict[str, pd.DataFrame] = {}
    spec = without_frames(chart_of(maps, dark=theme == "dark"), frames, rows_apart=0).to_dict()
    names = {
        name: "points" if "centre_x" in frame else "examples" if "text" in frame else name
        for name, frame in frames.items()
    }
    spec = _renamed(_for_page(spec, theme), names)
    for param in spec["params"]:
        param.pop("bind", None)  # the page has a slider of its own
    spec["datasets"] = {
        name: alt.to_values(frame)["values"]
        for name, frame in frames.items()
        if names[name] == name
    }
    points = next(frame for name, frame in frames.items() if names[name] == "points")
    return spec, points


def _renamed(node: Any, names: dict[str, str]) -> Any:
    """Return a specification with its data sets renamed."""
    if isinstance(node, dict):
        if set(node) == {"name"}:
            return {"name": names.get(node["name"], node["name"])}
        return {key: _renamed(value, names) for key, value in node.items()}
    return [_renamed(value, names) for value in node] if isinstance(node, list) else node


def heat_map_specifications(run: Run, pooling: str, answer: Answer | None) -> dict[str, Any] | None:
    """Return the heat map's specifications by theme; None if nothing is measured."""

    def specification_in(theme: str) -> dict[str, Any]:
        chart = heat_map_chart(run, pooling=pooling, dark=theme == "dark", answer=answer)
        return _for_page(specification(chart), theme)

    try:
        return {theme: specification_in(theme) for theme in ("light", "dark")}
    except RunError:  # not measured: the page says so in place of the heat map
        return None


def _for_page(spec: dict[str, Any], theme: str) -> dict[str, Any]:
    spec = themed(spec, theme)
    spec["config"] = {**spec["config"], "background": None, "font": f"system-ui, {FONT}"}
    return {**spec, "width": "container", "padding": {"left": 0, "right": 8, "top": 0, "bottom": 4}}
