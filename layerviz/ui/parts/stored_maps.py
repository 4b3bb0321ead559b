"""Maps that take too long for a page: requested, and waited for."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

import streamlit as st

from layerviz import cache
from layerviz import projection as projections
from layerviz.config import TRAIN_AND_VAL
from layerviz.errors import RunError
from layerviz.jobs import JobState
from layerviz.progress import duration
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS, LayerMaps
from layerviz.projection.of_run import ready_by_layer
from layerviz.runs import Run
from layerviz.ui.parts.polling import mean_fraction, wait_for
from layerviz.ui.parts.state import jobs
from layerviz.views import MapsView

PACE = "maps_pace"  # session state: which maps are awaited, since when, and how far they were
ENOUGH_TO_TELL = 0.05  # part of the work after which its pace tells when it will end


def maps_are_ready(
    projection: str,
    wanted: Sequence[tuple[Run, str, int]],
    snapshots: Sequence[int] | None = None,
) -> bool:
    """Return whether all wanted maps (a run, a pooling and a layer each) can be shown.

    Where `snapshots` are given, one for each, they must be among those drawn. Maps that are missing
    or behind are asked for, and a bar says how far they are; where some are missing, a caption says
    what is shown meanwhile. A projection that is not stored is always ready.
    """
    if not PROJECTIONS[projection].stored:
        return True
    ready, behind = True, False
    for (run, pooling, layer), least in zip(wanted, snapshots or [0] * len(wanted), strict=True):
        n_ready = ready_by_layer(run, projection, pooling, [layer])[layer]
        ready = ready and n_ready > least
        if n_ready < len(run.snapshots):
            jobs().update_maps(run, projection, pooling, layer)
            behind = True
    if behind:
        _wait_for_maps(projection, wanted)
    if not ready:
        stand_in, label = PROJECTIONS[DEFAULT_PROJECTION].label, PROJECTIONS[projection].label
        st.caption(f"{stand_in} maps are shown until all {label} maps are ready.")
    return ready


def layers_with_maps(run: Run, view: MapsView) -> MapsView:
    """Return the part of a view that can be shown, and ask for the rest.

    Layers come one by one as their maps are ready; until the first is, PCA maps stand in for all.
    """
    if not PROJECTIONS[view.projection].stored:
        return view
    n_ready = ready_by_layer(run, view.projection, view.pooling, view.layers)
    for layer, n in n_ready.items():
        if n < len(run.snapshots):
            jobs().update_maps(run, view.projection, view.pooling, layer)
    ready = tuple(layer for layer, n in n_ready.items() if n)
    if ready:
        return replace(view, layers=ready)
    return replace(view, projection=DEFAULT_PROJECTION)


def progress_of_maps(run: Run, view: MapsView) -> None:
    """Show how far the maps of a view are that are being drawn; nothing where none is."""
    wanted = [(run, view.pooling, layer) for layer in view.layers]
    maps_are_ready(view.projection, wanted)
    if "test" not in view.splits or not PROJECTIONS[view.projection].stored:
        return
    placed = ready_by_layer(run, view.projection, view.pooling, view.layers, view.splits)
    if min(placed.values()) >= len(run.snapshots):
        return

    def draw(states: Sequence[JobState]) -> None:
        st.progress(mean_fraction(states), "Placing test into the maps")

    wait_for(
        lambda: [
            jobs().place_test(run, view.projection, view.pooling, layer) for layer in view.layers
        ],
        draw,
    )


def ready_maps(
    run: Run,
    projection: str,
    pooling: str,
    layer: int,
    snapshots: Sequence[int],
    fitted_on: Sequence[int] | None = None,
    *,
    splits: Sequence[str] = TRAIN_AND_VAL,
) -> LayerMaps:
    """Return the maps of a layer at some snapshots, once `maps_are_ready` has returned True.

    Parameters
    ----------
    run : Run
    projection, pooling : str
    layer : int
    snapshots : sequence of int
        Indices; one may come several times.
    fitted_on : sequence of int, optional
        The snapshots that share a fit where the maps are not stored, by default `snapshots`.
    splits : sequence of str
        With ``test`` among them, the test examples are in the maps, once they have been placed.
    """
    with_test = "test" in splits
    if PROJECTIONS[projection].stored:
        stored = _stored(run, projection, pooling, layer)
        # A layer that is behind the others has fewer; what shows them repeats its newest.
        ready = [index for index in snapshots if index < stored.n_snapshots]
        maps = stored.at(ready or [stored.n_snapshots - 1])
        return _with_stored_test(run, projection, pooling, layer, maps, ready, with_test)
    fitted_on = tuple(snapshots if fitted_on is None else fitted_on)
    maps = cache.quick_maps(run, projection, fitted_on, pooling, layer)
    if with_test:
        placed = cache.quick_test(run, projection, fitted_on, pooling, layer)
        maps = projections.with_test(maps, placed, cache.examples(run)["split"].to_numpy())
    if fitted_on == tuple(snapshots):
        return maps
    return maps.at([fitted_on.index(snapshot) for snapshot in snapshots])


def n_ready_snapshots(run: Run, projection: str, pooling: str, layer: int) -> int:
    """Return how many snapshots of a layer can be shown, of those that `ready_maps` returns."""
    return ready_by_layer(run, projection, pooling, [layer])[layer]


def _with_stored_test(
    run: Run,
    projection: str,
    pooling: str,
    layer: int,
    maps: LayerMaps,
    snapshots: Sequence[int],
    with_test: bool,
) -> LayerMaps:
    """Return stored maps with test in them, which is asked for where it has not been placed."""
    if not with_test:
        return maps
    placed = cache.stored_test(run, projection, pooling, layer)
    if placed is None or not snapshots or placed.n_snapshots <= max(snapshots):
        jobs().place_test(run, projection, pooling, layer)
        return maps
    splits = cache.examples(run)["split"].to_numpy()
    return projections.with_test(maps, placed.at(snapshots), splits)


def _stored(run: Run, projection: str, pooling: str, layer: int) -> LayerMaps:
    maps = cache.stored_maps(run, projection, pooling, layer)
    if maps is None:
        raise RunError("The maps of this layer were deleted.", "Reload the page to draw them.")
    return maps


def _wait_for_maps(projection: str, wanted: Sequence[tuple[Run, str, int]]) -> None:
    awaited = (
        projection,
        *((run.run_id, len(run.snapshots), pooling, layer) for run, pooling, layer in wanted),
    )

    def draw(states: Sequence[JobState]) -> None:
        part, ready = mean_fraction(states), sum(not state.live for state in states)
        st.progress(
            part,
            f"Drawing {PROJECTIONS[projection].label} maps: {ready} of {len(states)} layers up to "
            f"date{time_left(awaited, part)}",
        )

    wait_for(
        lambda: [
            jobs().update_maps(run, projection, pooling, layer) for run, pooling, layer in wanted
        ],
        draw,
    )


def time_left(maps: tuple[object, ...], part: float) -> str:
    """Say how long the rest takes, at the pace since this reader began to wait for these maps.

    Returns an empty string until enough is done to tell.
    """
    now = time.monotonic()
    awaited, since, before = st.session_state.get(PACE, (None, now, part))
    if awaited != maps:
        st.session_state[PACE] = (maps, now, part)
    elif part - before >= ENOUGH_TO_TELL:
        return f", about {duration((1 - part) * (now - since) / (part - before))} left"
    return ""
