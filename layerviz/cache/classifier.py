"""How the model's own classifier does: its learning curve, and its confidence."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from layerviz import separability, views
from layerviz.cache.keys import LISTED_RUN, RUN
from layerviz.cache.run_contents import examples, predictions
from layerviz.runs import Run
from layerviz.separability import Reliability


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=LISTED_RUN)
def learning_curve(run: Run) -> pd.DataFrame:
    """Return a run's history, with what is known of test beside train and val."""
    captured = examples(run) if run.snapshots else pd.DataFrame()
    return views.learning_curve(
        run, captured, partial(predictions, run), partial(scores_on_test, run)
    )


@st.cache_data(show_spinner=False, max_entries=400, hash_funcs=RUN)
def scores_on_test(run: Run, snapshot: int) -> dict[str, float]:
    """Return how the classifier does on test at one snapshot."""
    return views.scores_on("test", examples(run), predictions(run, snapshot))


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=RUN)
def reliability(run: Run, snapshot: int, split: str) -> Reliability:
    """Return how confidence and accuracy go together on one split at one snapshot."""
    captured, predicted = examples(run), predictions(run, snapshot)
    of_split = (captured["split"] == split).to_numpy()
    right = (captured["label"] == predicted["predicted"]).to_numpy()
    confidence = predicted["confidence"].to_numpy()
    return separability.reliability(confidence[of_split], right[of_split], run.config.seed)
