"""What is measured of a run, and what follows from it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import comparison, runs, separability
from layerviz.cache.keys import GROWING_RUN, MEASURED_RUN, RUN
from layerviz.cache.run_contents import examples
from layerviz.comparison import RelabelVerdict, TrialVerdict
from layerviz.runs import Run
from layerviz.separability import (
    Cell,
    FreezingSuggestion,
    LayerMix,
    PoolingVerdict,
    SearchAnswer,
    SliceFindings,
    StoredSheet,
)


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=MEASURED_RUN)
def measures(run: Run) -> pd.DataFrame:
    """Return ``separability.csv`` of a run."""
    return runs.read_separability(run.path)


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs=MEASURED_RUN)
def probes(run: Run) -> tuple[list[Cell], np.ndarray]:
    """Return the cells of a run and what their probes predict, shape (K, N)."""
    return separability.cells_of(run)


def stored_sheet(run: Run, poolings: tuple[str, ...]) -> StoredSheet | None:
    """Return a run's answer sheet, searched among these poolings, as stored; None without."""
    return _stored_sheet(run, poolings, separability.sheet_state(run, poolings))


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=RUN)
def _stored_sheet(run: Run, poolings: tuple[str, ...], state: str) -> StoredSheet | None:
    del state  # part of the key alone: it tells one state of the sheet from another
    return separability.read_sheet(run, poolings)


@st.cache_data(show_spinner="Comparing layers for search", max_entries=32, hash_funcs=MEASURED_RUN)
def search_answer(run: Run, best: Cell, poolings: tuple[str, ...]) -> SearchAnswer | None:
    """Return which layer is best to search with; None where a run does not tell."""
    return separability.search_answer_of(run, best, poolings)


@st.cache_data(show_spinner="Comparing epochs", max_entries=32, hash_funcs=MEASURED_RUN)
def freezing_suggestion(run: Run, best: Cell, margin: float) -> FreezingSuggestion | None:
    """Return how many layers fine-tuning hardly moved."""
    return separability.freezing_suggestion_of(run, best, margin)


@st.cache_data(show_spinner=False, max_entries=32, hash_funcs=GROWING_RUN)
def trial_verdict(base: Run, trial: Run, margin: float) -> TrialVerdict:
    """Return how a cheaper run does against the whole one."""
    return comparison.compare_trial(base, trial, margin)


@st.cache_data(show_spinner=False, max_entries=32, hash_funcs=GROWING_RUN)
def relabel_verdict(base: Run, relabelled: Run) -> RelabelVerdict:
    """Return how a run with corrected labels does against the one it was made after."""
    return comparison.compare_relabelled(base, relabelled)


@st.cache_data(show_spinner="Comparing poolings", max_entries=32, hash_funcs=MEASURED_RUN)
def pooling_verdict(run: Run, snapshot: int) -> PoolingVerdict:
    """Return which pooling serves one snapshot best."""
    cells, predicted = probes(run)
    captured = examples(run)
    val = (captured["split"] == "val").to_numpy()
    labels = captured["label"].to_numpy()[val]
    return separability.compare_poolings(
        cells, predicted[:, val], labels, snapshot, run.config.seed
    )


@st.cache_data(show_spinner="Comparing epochs", max_entries=32, hash_funcs=MEASURED_RUN)
def overfitting(run: Run, pooling: str) -> pd.DataFrame:
    """Return for each layer at which epoch val is best and what follows."""
    cells, predicted = probes(run)
    captured = examples(run)
    return separability.overfitting(
        cells,
        predicted,
        captured["label"].to_numpy(),
        captured["split"].to_numpy(),
        pooling,
        run.config.seed,
    )


@st.cache_data(show_spinner="Looking at slices", max_entries=32, hash_funcs=MEASURED_RUN)
def slice_findings(run: Run, split: str, snapshot: int, best: Cell | None) -> SliceFindings:
    """Return the slices of a split in which the model itself, or the best layer, does worse."""
    return separability.slices_of_run(run, split, snapshot, best, _slice_columns(run))


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs=RUN)
def _slice_columns(run: Run) -> pd.DataFrame:
    return separability.slice_columns(examples(run))


@st.cache_data(show_spinner="Comparing layers", max_entries=32, hash_funcs=RUN)
def layer_similarity(run: Run, snapshot: int, pooling: str) -> tuple[np.ndarray, int]:
    """Return linear CKA between all layers of a snapshot, shape (L + 1, L + 1), and its n."""
    train = np.flatnonzero((examples(run)["split"] == "train").to_numpy())
    rows = train[separability.cka_rows(len(train))]
    states = runs.read_pooled(run.path, snapshot)[pooling][:, rows]
    return separability.linear_cka(states, states), len(rows)


@st.cache_data(show_spinner="Probing the mix", max_entries=64, hash_funcs=RUN)
def layer_mix(
    run: Run, snapshot: int, pooling: str, layers: tuple[int, ...], how: str, single: int
) -> LayerMix:
    """Return how a mix of layers fares against a single layer."""
    captured = examples(run)
    return separability.mix_layers(
        runs.read_pooled(run.path, snapshot)[pooling],
        captured["label"].to_numpy(),
        captured["split"].to_numpy(),
        layers,
        how,
        single=single,
        seed=run.config.seed,
    )
