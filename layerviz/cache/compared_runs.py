"""Runs side by side."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import comparison
from layerviz.cache.keys import GROWING_RUN, RUN, by_measured_runs
from layerviz.comparison import Agreement, Comparison, Contender
from layerviz.runs import Run
from layerviz.separability import Cell


@st.cache_data(
    show_spinner="Comparing encoders", max_entries=16, hash_funcs={Contender: by_measured_runs}
)
def compared(contenders: list[Contender], poolings: tuple[str, ...], margin: float) -> Comparison:
    """Return how contenders stand, searched under these poolings."""
    return comparison.compare_contenders(contenders, poolings, margin)


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=RUN)
def common_examples(compared_runs: list[Run]) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Return the examples that all runs captured, and where each has them."""
    return comparison.common_examples(compared_runs)


@st.cache_data(show_spinner="Comparing predictions", max_entries=32, hash_funcs=GROWING_RUN)
def agreement(pair: tuple[Run, Run], cells: tuple[Cell, Cell], by: str) -> Agreement:
    """Return where two runs agree on val."""
    return comparison.agreement_between(*pair, cells, by=by)


@st.cache_data(show_spinner="Comparing layers", max_entries=32, hash_funcs=RUN)
def encoder_similarity(
    pair: tuple[Run, Run], snapshots: tuple[int, int], pooling: str
) -> tuple[np.ndarray, int]:
    """Return linear CKA between the layers of two runs, and its n."""
    return comparison.encoder_similarity(*pair, snapshots, pooling)
