"""t-SNE maps, drawn off the page: asked for, waited for, read."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from layerviz import runs
from layerviz.projection import LayerMaps
from layerviz.runs import Run
from layerviz.ui.state import jobs, show

SECONDS_BETWEEN_LOOKS = 1.0


def stored_tsne(run: Run, pooling: str, layer: int) -> LayerMaps | None:
    """Return the maps of a layer that are there, perhaps not of the newest snapshots."""
    stored = runs.read_map(run.path, "tsne", pooling, layer)
    return None if stored is None else LayerMaps.from_arrays(stored)


def tsne_is_there(wanted: Sequence[tuple[Run, str, int]]) -> bool:
    """Return whether all wanted maps (a run, a pooling and a layer each) are there.

    Those that are missing or behind are asked for, and a bar says how far they are.
    """
    there, behind = True, False
    for run, pooling, layer in wanted:
        stored = stored_tsne(run, pooling, layer)
        there = there and stored is not None
        if stored is None or stored.n_snapshots < len(run.snapshots):
            jobs().draw_tsne(run, pooling, layer)
            behind = True
    if behind:
        _progress(tuple(wanted))
    return there


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _progress(wanted: tuple[tuple[Run, str, int], ...]) -> None:
    states = [jobs().draw_tsne(*one) for one in wanted]
    ready = sum(not state.live for state in states)
    for state in states:
        if state.error is not None:
            show(state.error)
            return
    if ready != st.session_state.get("tsne_ready", ready):
        st.session_state.tsne_ready = ready
        st.rerun()
    st.session_state.tsne_ready = ready
    if ready == len(states):
        st.rerun()
    done = sum(
        1.0 if not state.live else state.progress.done / max(1, state.progress.total)
        for state in states
    )
    st.progress(
        min(1.0, done / len(states)),
        f"Drawing t-SNE maps: {ready} of {len(states)} layers up to date",
    )
