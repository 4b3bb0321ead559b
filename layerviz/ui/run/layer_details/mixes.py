"""Mixes of layers against the best single one, and a search for the best mix."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from layerviz import cache, runs
from layerviz.jobs import JobState
from layerviz.runs import Run
from layerviz.separability import (
    MIX_METHODS,
    PROBE_MACRO_F1,
    mix_of,
    mix_sentence,
    searched_mix_sentence,
)
from layerviz.ui.parts.measured import cells_of_measure
from layerviz.ui.parts.polling import mean_fraction, wait_for
from layerviz.ui.parts.state import jobs, keep, plain
from layerviz.ui.run.layer_details.detail import Detail

LAYERS_AT_FIRST = 4  # the last ones


def mixes_tab(detail: Detail) -> None:
    """Let the reader mix layers, and search for the best mix."""
    run, pooling = detail.run, detail.pooling
    n_layers = int(run.encoder["layers"])
    last_layers = list(range(max(1, n_layers - LAYERS_AT_FIRST + 1), n_layers + 1))
    with st.container(horizontal=True, vertical_alignment="bottom"):
        snapshot = detail.snapshot_control("mix")
        how = st.selectbox(
            "How to mix",
            MIX_METHODS,
            format_func=str.capitalize,
            key=keep("detail_how"),
            width=190,
            help="Concatenate: the layers side by side. Average: the mean of their standardised "
            "states. Scalar mix: a mean with weights learned on train (ELMo, Peters et al. 2018).",
        )
        layers = st.multiselect(
            "Layers",
            range(1, n_layers + 1),
            key=keep(f"detail_mix_{n_layers}", last_layers),
        )
    if layers:
        single = _best_single_layer(detail, snapshot)
        mix = cache.layer_mix(run, snapshot, pooling, tuple(sorted(layers)), how, single)
        st.markdown(plain(mix_sentence(mix, f"the best single layer on val ({single})")))
    _search(run, snapshot, pooling)


def _best_single_layer(detail: Detail, snapshot: int) -> int:
    cells = cells_of_measure(detail.run, PROBE_MACRO_F1.name, "val", detail.pooling)
    blocks = cells[(cells["snapshot"] == snapshot) & (cells["layer"] > 0)]
    return int(blocks["layer"].to_numpy()[blocks["value"].to_numpy().argmax()])


def _search(run: Run, snapshot: int, pooling: str) -> None:
    stored = runs.read_mix(run.path, snapshot, pooling)
    if stored is not None:
        st.markdown(plain(searched_mix_sentence(mix_of(stored))))
        return
    key = f"search-{run.run_id}-{snapshot}-{pooling}"
    is_pressed = st.button(
        "Search for the best mix",
        icon=":material/search:",
        key="search_mix",
        help="Greedy forward selection on inner folds of train; val scores the result once.",
    )
    if is_pressed:
        st.session_state[key] = True
    if st.session_state.get(key):
        wait_for(lambda: [jobs().search_mix(run, snapshot, pooling)], _searching)


def _searching(states: Sequence[JobState]) -> None:
    st.progress(mean_fraction(states), states[0].progress.sentence)
