"""The probe's score as lines: over the layers, and over the epochs."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import charts
from layerviz.config import TRAIN_AND_VAL
from layerviz.poolings import look_up
from layerviz.separability import PROBE_MACRO_F1
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.measured import cells_of_measure
from layerviz.ui.parts.state import plain
from layerviz.ui.run.layer_details.detail import F1, Detail, is_dark
from layerviz.wording import number_ranges

MOST_EPOCH_LINES, MOST_LAYER_LINES = 9, 8


def lines_tab(detail: Detail) -> None:
    """Show train and val over the layers, a line per epoch, and over the epochs, one per layer."""
    scores = pd.concat(
        [
            cells_of_measure(detail.run, PROBE_MACRO_F1.name, split, detail.pooling).assign(
                split=split
            )
            for split in TRAIN_AND_VAL
        ],
        ignore_index=True,
    )
    drawn = scores
    if look_up(detail.pooling).layer_0_is_constant:  # it would squeeze the axis
        drawn = scores[scores["layer"] > 0]
    left, right = st.columns(2)
    with left:
        _over_layers(detail, scores, drawn)
    with right:
        _over_epochs(detail, scores, drawn)


def _over_layers(detail: Detail, scores: pd.DataFrame, drawn: pd.DataFrame) -> None:
    snapshots = _even_selection(list(detail.measured), MOST_EPOCH_LINES)
    figure(
        partial(
            charts.scores_over_layers,
            drawn[drawn["snapshot"].isin(snapshots)],
            measure=F1,
            dark=is_dark(),
        ),
        key="over_layers",
        title="**Over the layers**",
        alt="Line chart: the probe's macro-F1 over the layers, one line per epoch.",
        name=f"{detail.run.run_id}-lines-{detail.pooling}",
        frame=scores,
    )
    st.caption(plain("Bars: 95 % intervals of val at the last epoch."))


def _over_epochs(detail: Detail, scores: pd.DataFrame, drawn: pd.DataFrame) -> None:
    blocks = [layer for layer in sorted(drawn["layer"].unique()) if layer]
    layers = sorted({*_even_selection(blocks, MOST_LAYER_LINES), detail.answer.best.layer})
    figure(
        partial(
            charts.scores_over_epochs,
            drawn[drawn["layer"].isin(layers)],
            measure=F1,
            dark=is_dark(),
        ),
        key="over_epochs",
        title="**Over the epochs**",
        alt="Line chart: the probe's macro-F1 over the epochs, one line per layer.",
        name=f"{detail.run.run_id}-epochs-{detail.pooling}",
        frame=scores,
    )
    if len(layers) < len(blocks):
        st.caption(
            f"Layers {number_ranges(layers)} of {blocks[-1]} are drawn; the CSV has them all."
        )


def _even_selection(values: list[int], most: int) -> list[int]:
    n = min(len(values), most)
    return sorted({values[round(index)] for index in np.linspace(0, len(values) - 1, n)})
