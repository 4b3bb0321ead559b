"""What the offline page shows, as data: specifications of its charts, points and examples."""

from __future__ import annotations

import base64
from typing import Any

from layerviz import instrument
from layerviz.errors import RunError
from layerviz.export.pictures import FONT, specification, themed
from layerviz.export.run_charts import heat_map_chart
from layerviz.runs import Run
from layerviz.separability import Answer
from layerviz.views import POINTS_PER_SPLIT, RunMaps

CHART = "maps"  # the only one of its kind on the page
MOST_MARKS = 40_000  # that a browser moves in less than a second
MOST_POINT_BYTES = 8_000_000  # points and texts; Vega takes 1 MB of the 10 a page may have
BYTES_OF_TEXT = 4 * 240 + 90  # of one example at most, in UTF-8, its name included


def most_points(n_layers: int, n_slots: int, n_splits: int = 2) -> int:
    """Return how many points of each split a page can hold and move."""
    numbers = n_slots * (2 * n_layers * 2 + 3) + 7  # bytes: positions, predictions, row and label
    each = (numbers + BYTES_OF_TEXT) * 4 / 3  # as base64
    least = min(MOST_MARKS // (n_splits * n_layers), MOST_POINT_BYTES / (n_splits * each))
    return int(min(POINTS_PER_SPLIT, least))


def maps_for_page(maps: RunMaps) -> dict[str, Any]:
    """Return what the maps need: the points, and per theme what the maps look like."""
    layers, n_points = maps.view.layers, len(maps.view.layers) * len(maps.rows)
    points = instrument.run_points(maps, layers, chart=CHART, key=CHART)
    return {
        "points": base64.b64encode(points).decode(),
        **{
            theme: instrument.run_state(
                maps,
                layers,
                n_points=n_points,
                dark=theme == "dark",
                projection=maps.projection_in_words(),
            )
            for theme in ("light", "dark")
        },
    }


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
