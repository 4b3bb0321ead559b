"""Maps that take too long for a page (t-SNE, UMAP): asked for, waited for, read."""

from __future__ import annotations

import time
from collections.abc import Sequence

import streamlit as st

from layerviz import cache, runs
from layerviz.config import METHOD_NAMES
from layerviz.progress import duration
from layerviz.projection import STORED, LayerMaps
from layerviz.runs import Run
from layerviz.ui.parts.state import jobs, show

SECONDS_BETWEEN_LOOKS = 1.0
PACE = "maps_pace"  # session state: which maps are waited for, since when, and how far they were
TELLING = 0.05  # part of the work after which its pace says when it will end


def stored_maps(run: Run, method: str, pooling: str, layer: int) -> LayerMaps | None:
    """Return the maps of a layer that are there, perhaps not of the newest snapshots."""
    version = runs.map_version(run.path, method, pooling, layer)
    if version is None:
        return None
    return cache.stored_maps(run, method, pooling, layer, version)


def maps_are_there(
    method: str,
    wanted: Sequence[tuple[Run, str, int]],
    snapshots: Sequence[int] | None = None,
) -> bool:
    """Return whether all wanted maps (a run, a pooling and a layer each) can be shown.

    Where `snapshots` are given, one for each, they must be among those drawn. Those that are
    missing or behind are asked for, and a bar says how far they are; where some are missing, a
    caption says that PCA stands in. What a page draws itself is always there.
    """
    if method not in STORED:
        return True
    there, behind = True, False
    for (run, pooling, layer), least in zip(wanted, snapshots or [0] * len(wanted), strict=True):
        stored = stored_maps(run, method, pooling, layer)
        there = there and stored is not None and stored.n_snapshots > least
        if stored is None or stored.n_snapshots < len(run.snapshots):
            jobs().draw_maps(run, method, pooling, layer)
            behind = True
    if behind:
        _progress(method, tuple(wanted))
    if not there:
        st.caption(f"PCA maps until all {METHOD_NAMES[method]} maps are there.")
    return there


@st.fragment(run_every=SECONDS_BETWEEN_LOOKS)
def _progress(method: str, wanted: tuple[tuple[Run, str, int], ...]) -> None:
    states = [jobs().draw_maps(run, method, *where) for run, *where in wanted]
    ready = sum(not state.live for state in states)
    for state in states:
        if state.error is not None:
            show(state.error)
            return
    if ready != st.session_state.get("maps_ready", ready):
        st.session_state.maps_ready = ready
        st.rerun()
    st.session_state.maps_ready = ready
    if ready == len(states):
        st.rerun()
    done = sum(1.0 if not state.live else state.progress.fraction for state in states)
    part = min(1.0, done / len(states))
    st.progress(
        part,
        f"Drawing {METHOD_NAMES[method]} maps: {ready} of {len(states)} layers up to date"
        + time_left(
            (method, *((run.run_id, len(run.snapshots), *where) for run, *where in wanted)), part
        ),
    )


def time_left(maps: tuple[object, ...], part: float) -> str:
    """Say how long the rest takes, at the pace since this reader began to wait for these maps.

    It says nothing, an empty string, before enough is done to tell.
    """
    now = time.monotonic()
    awaited, since, before = st.session_state.get(PACE, (None, now, part))
    if awaited != maps:
        st.session_state[PACE] = (maps, now, part)
    elif part - before >= TELLING:
        return f", about {duration((1 - part) * (now - since) / (part - before))} left"
    return ""
