"""Which pooling separates the classes best at one epoch."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from layerviz import cache, charts
from layerviz.poolings import pooling_label
from layerviz.separability import PROBE_MACRO_F1, pooling_sentence
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.measured import cells_of_measure
from layerviz.ui.parts.state import plain
from layerviz.ui.run.layer_details.detail import F1, Detail, is_dark


def poolings_tab(detail: Detail) -> None:
    """Show the poolings' scores over the layers, and what a comparison in pairs says of them."""
    run = detail.run
    snapshot = detail.snapshot_control("pooling")
    st.markdown(plain(pooling_sentence(cache.pooling_verdict(run, snapshot))))
    scores = pd.concat(
        [
            cells_of_measure(run, PROBE_MACRO_F1.name, "val", name).assign(pooling=name)
            for name in run.poolings
        ],
        ignore_index=True,
    )
    scores = scores[scores["snapshot"] == snapshot]
    figure(
        partial(charts.pooling_scores, scores, measure=f"{F1} on val", dark=is_dark()),
        key="pooling_scores",
        title="**Poolings over the layers**",
        alt="Line chart: the probe's val macro-F1 over the layers, one line per pooling.",
        name=f"{run.run_id}-poolings-{snapshot}",
        frame=scores.assign(pooling=scores["pooling"].map(pooling_label)),
    )
    st.caption(
        "Bands are 95 % bootstrap intervals of each score. The sentence compares poolings in "
        "pairs, on the same val examples, which reveals finer differences than overlapping bands "
        "do."
    )
