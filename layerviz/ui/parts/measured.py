"""A run's measures as frames, and their download."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from layerviz import cache
from layerviz.jobs import JobState
from layerviz.runs import Run
from layerviz.ui.parts.formulas import HOW_QUOTED, csv_of, quotes_formulas
from layerviz.ui.parts.polling import mean_fraction, wait_for
from layerviz.ui.parts.state import jobs, keep
from layerviz.views import measure_cells
from layerviz.wording import epoch_name, sentence_case


def measure_the_rest(finished: Sequence[Run]) -> None:
    """Measure what older or stopped runs lack, in the background."""
    wait_for(lambda: [jobs().measure(run) for run in finished], _measuring)


def _measuring(states: Sequence[JobState]) -> None:
    st.progress(mean_fraction(states), "Measuring the remaining snapshots")


def cells_of_measure(run: Run, measure: str, split: str, pooling: str) -> pd.DataFrame:
    """Return one measure under one pooling, one row per layer and snapshot, with epochs and n."""
    table = cache.measures(run)
    examples = cache.examples(run)
    return measure_cells(run, table, examples, measure, split, pooling)


def download(make: Callable[[], pd.DataFrame], name: str) -> None:
    """Offer a table as CSV, made on demand."""
    st.download_button(
        "CSV",
        data=lambda: csv_of(make()),
        help=HOW_QUOTED if quotes_formulas() else None,
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
        key=f"csv-{name}",
        type="tertiary",
    )


def epoch_control(
    run: Run, snapshots: Sequence[int], key: str, first: int, label: str = "Epoch"
) -> int:
    """Let the reader choose one of some snapshots; preset is `first`."""
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    return st.selectbox(
        label,
        snapshots,
        format_func=lambda index: epoch_name(epochs[index]).capitalize(),
        key=keep(key, first),
        width=190,
    )


def epoch_slider(run: Run, snapshots: Sequence[int], key: str, first: int) -> int:
    """Let the reader slide over snapshots by the names of their epochs.

    Until somebody has moved it, it stands at `first`, which may change while a run goes on; then
    it keeps its place while other parts of the page are drawn.
    """
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    if len(snapshots) == 1:  # nothing to slide
        st.caption(f"Epoch  \n{sentence_case(epoch_name(epochs[snapshots[0]]))}")
        return snapshots[0]
    moved = f"{key}_moved"

    def note() -> None:
        st.session_state[moved] = True

    if not st.session_state.get(moved) or st.session_state.get(key) not in snapshots:
        st.session_state[key] = first
    return st.select_slider(
        "Epoch",
        snapshots,
        format_func=lambda index: sentence_case(epoch_name(epochs[index])),
        key=keep(key),
        on_change=note,
    )
