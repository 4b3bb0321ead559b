"""The maps of a run as their script takes them: on the page and in the offline page alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from layerviz import charts
from layerviz.charts import Grid
from layerviz.instrument.messages import (
    MapsInBrowser,
    colours_message,
    legend_message,
    points_message,
    slots_message,
    value_message,
)
from layerviz.instrument.specification import layouts_of
from layerviz.projection import PROJECTIONS
from layerviz.views import MAPS_FOOTNOTE, RunMaps
from layerviz.wording import enumeration, layer_name


def run_points(maps: RunMaps, layers: Sequence[int], *, chart: str, key: str) -> bytes:
    """Return everything about the points of a run's maps that no colour or selection changes.

    Parameters
    ----------
    maps : RunMaps
    layers : sequence of int
        Those with a panel; layers without maps yet have an empty one.
    chart, key : str
        As in `points_message`.
    """
    part, texts = maps.examples.iloc[maps.rows], maps.texts()
    predicted, confidence = (
        np.stack([one[column].to_numpy()[maps.rows] for one in maps.predictions])[None]
        for column in ("predicted", "confidence")
    )
    return points_message(
        MapsInBrowser(layers, maps.by_layer, maps.rows, {}),
        chart=chart,
        key=key,
        splits=part["split"].to_numpy(),
        labels=part["label"].to_numpy(),
        predicted=predicted,
        confidence=confidence,
        texts=texts["text"].tolist(),
        names=texts["example"].tolist(),
        label_names=maps.run.label_names,
        split_names=maps.view.splits,
    )


def run_state(
    maps: RunMaps, layers: Sequence[int], *, n_points: int, dark: bool, projection: str = ""
) -> dict[str, Any]:
    """Return what a run's maps look like: layouts, titles, colours, legend, slider.

    Parameters
    ----------
    maps : RunMaps
    layers : sequence of int
        As in `run_points`.
    n_points : int
        Decides the size of the points, and the renderer.
    dark : bool
    projection : str
        What the headings call it, by default its label.
    """
    n, splits = len(layers), maps.view.splits
    grids = [Grid.of(n, splits), Grid.narrow(n, splits)] if n > 1 else [Grid.of(1, splits)]
    panels = _panels(maps, layers, projection)
    return {
        "layouts": layouts_of(panels, layers, grids, n_points=n_points, dark=dark),
        "titles": [layer_name(layer) for layer in layers],
        "dark": dark,
        "palette": list(charts.PALETTE),
        "colours": colours_message(np.stack(maps.colours())[None][:, :, maps.rows]),
        "legend": legend_message(maps.legend()),
        "value": value_message(maps.coloured_by()),
        "slots": slots_message(maps.snapshots, maps.epochs),
        "words": {
            "maps": f"Maps of the chosen layers, {enumeration(splits)} side by side,",
            "figures": MAPS_FOOTNOTE,
        },
        "file": maps.run.run_id,
        "selected": [],
        "paths": [],
    }


def _panels(maps: RunMaps, layers: Sequence[int], projection: str) -> pd.DataFrame:
    """Return the titles of all panels; those of layers without a map say that it is being drawn."""
    ready = maps.panels(projection=projection)
    missing = [layer for layer in layers if layer not in maps.by_layer]
    if not missing:
        return ready
    first = ready.drop_duplicates("split")
    waiting = PROJECTIONS[maps.view.projection].label
    titles = [str(name) for name in ready if str(name).startswith("title")]
    more = []
    for layer in missing:
        panel = first.assign(layer=layer)
        panel[titles] = f"{layer_name(layer)}\n{waiting} is being drawn"
        more.append(panel)
    order = {layer: at for at, layer in enumerate(layers)}
    return pd.concat([ready, *more]).sort_values(
        "layer", key=lambda column: column.map(order), kind="stable"
    )
