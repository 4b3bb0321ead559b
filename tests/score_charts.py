"""Frames of scores that charts are tested with, and the charts of them."""

from __future__ import annotations

from typing import Any

import altair as alt
import numpy as np
import pandas as pd

from layerviz import charts
from layerviz.poolings import POOLINGS
from layerviz.wording import epoch_name

MEASURE = "Linear probe, macro-F1"
SIZES = {"train": 2000, "val": 500}


# --- what the tests draw --------------------------------------------------------------------


def scores(n_layers: int = 4, n_snapshots: int = 3, per_epoch: int = 1) -> pd.DataFrame:
    """Return scores of both splits; val stands at 0.5 + layer / 100 + snapshot / 1000."""
    rows = [
        {
            "layer": layer,
            "snapshot": snapshot,
            "epoch": snapshot / per_epoch,
            "when": epoch_name(snapshot / per_epoch),
            "split": split,
            "value": 0.5 + layer / 100 + snapshot / 1000 + (split == "train") / 10,
            "n": n,
        }
        for layer in range(n_layers)
        for snapshot in range(n_snapshots)
        for split, n in SIZES.items()
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(low=frame["value"] - 0.05, high=frame["value"] + 0.05)


def cells(n_layers: int = 4, n_snapshots: int = 3, per_epoch: int = 1) -> pd.DataFrame:
    frame = scores(n_layers, n_snapshots, per_epoch)
    frame = frame[frame["split"] == "val"].drop(columns="split").reset_index(drop=True)
    standings = [charts.TIED_TILE] * (len(frame) > 2) + [""] * len(frame)
    standings = [*standings[: len(frame) - 1], charts.RECOMMENDED_TILE]  # the last scores highest
    return frame.assign(standing=standings)


def pooled() -> pd.DataFrame:
    return pd.concat([cells(n_snapshots=1).assign(pooling=p) for p in POOLINGS])


def classes(labels: tuple[str, ...] = ("sad", "calm")) -> pd.DataFrame:
    rows = [(label, layer, 0.1 * layer) for label in labels for layer in range(4)]
    return pd.DataFrame(rows, columns=["label", "layer", "value"]).assign(
        n=lambda frame: frame["label"].map({label: 10 + at for at, label in enumerate(labels)})
    )


def pairs() -> pd.DataFrame:
    rows = [(a, b, 1 / (1 + abs(a - b))) for a in range(4) for b in range(4)]
    return pd.DataFrame(rows, columns=["layer", "other", "value"])


def with_gap(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with nothing measured in its first row."""
    gone = [column for column in ("value", "low", "high") if column in frame]
    frame = frame.reset_index(drop=True)
    frame.loc[0, gone] = np.nan
    return frame


def heat_map(frame: pd.DataFrame, **options: Any) -> dict[str, Any]:
    return charts.score_heat_map(frame, measure=MEASURE, **options).to_dict()


ALL_CHARTS = {
    "heat": lambda dark, change: charts.score_heat_map(change(cells()), measure=MEASURE, dark=dark),
    "change": lambda dark, change: charts.score_heat_map(
        change(cells()), measure=MEASURE, diverging=True, dark=dark
    ),
    "layers": lambda dark, change: charts.scores_over_layers(
        change(scores()), measure=MEASURE, dark=dark
    ),
    "epochs": lambda dark, change: charts.scores_over_epochs(
        change(scores()), measure=MEASURE, dark=dark
    ),
    "pooling": lambda dark, change: charts.pooling_scores(
        change(pooled()), measure=MEASURE, dark=dark
    ),
    "similarity": lambda dark, change: charts.similarity_heat_map(
        change(pairs()), title_x="Layer, epoch 3", title_y="Layer, before training", dark=dark
    ),
    "classes": lambda dark, change: charts.class_heat_map(change(classes()), dark=dark),
}
HEAT_MAPS = ("heat", "change", "similarity", "classes")


def draw(name: str, change: Any = lambda frame: frame, dark: bool = False) -> dict[str, Any]:
    """Return a specification; altair raises if it is not valid Vega-Lite."""
    chart = ALL_CHARTS[name](dark, change)
    assert isinstance(chart, alt.LayerChart)
    return chart.to_dict()


def marks(drawn: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [layer for layer in drawn["layer"] if layer["mark"]["type"] == kind]


def coloured(drawn: dict[str, Any]) -> dict[str, Any]:
    """Return the layer of a heat map that has the colours."""
    return next(layer for layer in drawn["layer"] if "color" in layer["encoding"])


def titles(layer: dict[str, Any]) -> list[str]:
    return [shown["title"] for shown in layer["encoding"]["tooltip"]]
