"""Axes of layers, epochs and scores that several charts share."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd

from layerviz.charts.unchecked import alt
from layerviz.wording import epoch_number

LAYER_TITLE, EPOCH_TITLE = "Layer (0: embedding output)", "Epoch (0: before training)"
MOST_LABELS = 13  # columns that are all labelled; of more, only the whole epochs


def tile_axis(**options: Any) -> alt.Axis:
    """Return the axis of a grid of tiles, with further options of Vega-Lite."""
    return alt.Axis(labelAngle=0, labelOverlap="parity", labelFlush=False, **options)


def layer_names(frame: pd.DataFrame, field: str = "layer") -> dict[int, str]:
    """Return each layer as a label, in order."""
    return {layer: str(layer) for layer in sorted({int(layer) for layer in frame[field]})}


def epoch_names(frame: pd.DataFrame) -> dict[int, str]:
    """Return the epoch of each snapshot as a short number, in order."""
    epochs = frame.drop_duplicates("snapshot").sort_values("snapshot")
    pairs = zip(epochs["snapshot"], epochs["epoch"], strict=True)
    return {int(snapshot): epoch_number(float(epoch)) for snapshot, epoch in pairs}


def label_expression(names: dict[int, str]) -> str:
    """Return the expression that writes numbers as `names`, which must not be a user's text."""
    return f"({json.dumps(names)})[datum.value]"


def labelled_snapshots(epochs: dict[int, str]) -> list[int]:
    """Return what to label on an axis: all, or only the whole epochs where there are many."""
    whole = [snapshot for snapshot, epoch in epochs.items() if epoch.isdigit()]
    return list(epochs) if len(epochs) <= MOST_LABELS or len(whole) < 2 else whole


def epoch_positions(last: float, *, within: bool = False) -> alt.X:
    """Return a continuous axis of epochs from 0 to `last`, labelled at whole epochs.

    Parameters
    ----------
    last : float
        Right end of the axis; 1 at least.
    within : bool
        Whether there is something to see within epochs: a short axis then has half ones too.
    """
    last = max(float(last), 1.0)
    halves = within and last <= MOST_LABELS // 2
    steps = (0.5 if halves else 1, *(step * 10**power for power in range(6) for step in (1, 2, 5)))
    step = next(step for step in steps if last / step <= MOST_LABELS - 1)
    x = alt.X("epoch:Q", title=EPOCH_TITLE).scale(domain=[0, last], nice=False)
    ticks = [step * number for number in range(int(last / step + 1e-6) + 1)]
    return x.axis(values=ticks, format="~g", labelOverlap="parity", labelFlush=False)


def layer_positions(frame: pd.DataFrame) -> alt.X:
    """Return a continuous axis of layers, each of which is labelled."""
    layers = list(layer_names(frame)) or [0]
    x = alt.X("layer:Q", title=LAYER_TITLE)
    x = x.scale(domain=[layers[0] - 0.3, layers[-1] + 0.3], nice=False)
    return x.axis(values=layers, format="d", grid=False, labelOverlap="parity", labelSeparation=4)


def value_axes(scores: pd.DataFrame, title: str) -> list[alt.Y]:
    """Place ``low`` and ``value`` on one axis, with room for all intervals and little else."""
    values = scores[["value", "low", "high"]].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    low, high = (values.min(), values.max()) if len(values) else (0.0, 1.0)
    room = 0.04 * (high - low) or 0.05
    # No scores are drawn as if they could leave [0, 1] that do not.
    bottom = max(low - room, 0.0) if low >= 0 else low - room
    top = min(high + room, 1.0) if high <= 1 else high + room
    axes = [alt.Y(field, type="quantitative", title=title) for field in ("low", "value")]
    return [axis.scale(domain=[bottom, top], nice=False) for axis in axes]
