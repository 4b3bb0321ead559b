"""A run's maps as one chart in which examples can be selected."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import streamlit as st

from layerviz import cache, charts
from layerviz.charts import Grid
from layerviz.projection import DEFAULT_PROJECTION
from layerviz.runs import Run
from layerviz.ui.parts.selection import MOST_PATHS, highlight, selection, selection_callback
from layerviz.ui.parts.stored_maps import maps_are_ready, n_ready_snapshots, ready_maps
from layerviz.views import MapsView, RunMaps
from layerviz.views.slider import (
    most_per_split,
    nearest_slot,
    ready_slots,
    slots_of,
    with_selected,
)

# The text for screen readers must not change with colour or projection: it is part of the
# specification, and a changed specification would send the slider back to its start.
MAPS_IN_WORDS = "Maps of the chosen layers, train on the left and val on the right."
PATHS = "paths"  # session state: whether paths through the epochs are drawn


def show_maps(
    run: Run,
    view: MapsView,
    *,
    key: str,
    start: tuple[str, int] | None = None,
    only: str | None = None,
) -> tuple[RunMaps, list[int]]:
    """Show maps with an epoch slider; a click or a box in them selects examples.

    Parameters
    ----------
    run : Run
    view : MapsView
        Stored maps that are not ready are asked for; PCA maps are shown until they are.
    key : str
        Of the chart.
    start : tuple of str and int, optional
        A run, and the snapshot at which its slider stands at first.
    only : str, optional
        Id of the one example to highlight, whatever is selected; nothing can be selected then.

    Returns
    -------
    maps : RunMaps
        What is shown.
    slots : list of int
        The snapshots under the slider's positions, those still to come included.
    """
    view = ready_view(run, view)
    layers, examples = view.layers, cache.examples(run)
    ids, splits = examples["id"].to_numpy(), examples["split"].to_numpy()
    chosen = {only} if only else selection(run)
    is_chosen = np.isin(ids, list(chosen))
    sample = charts.sample_rows(splits, most_per_split(len(layers)))
    n_points = len(layers) * len(sample)  # what is selected changes neither slots nor looks
    slots = slots_of(run, n_points)
    n_ready = min(n_ready_snapshots(run, view.projection, view.pooling, layer) for layer in layers)
    maps = cached_maps(
        run,
        view,
        ready_slots(slots, n_ready),
        with_selected(sample, splits, is_chosen, len(layers)),
    )
    points = maps.points()
    with_path = maps.rows[is_chosen[maps.rows]]
    if len(with_path) > MOST_PATHS or not (only or st.session_state.get(PATHS, True)):
        with_path = with_path[:0]
    on_select = selection_callback(key, run, ids, points, layers, Grid.of(len(layers)))
    whole_epochs = run.config.snapshots_per_epoch == 1 and len(slots) == slots[-1] + 1
    st.altair_chart(
        charts.layer_maps(
            points,
            highlight(maps.texts(), ids, chosen),
            maps.panels(len(slots)),
            layers=layers,
            label_names=run.label_names,
            n_slots=len(slots),
            start=_first_slot(run, slots, start),
            slider_name="Epoch " if whole_epochs else "Snapshot ",
            dark=st.context.theme.type == "dark",
            selectable=only is None,
            paths=charts.paths_frame(points, with_path),
            n_points=n_points,
        ),
        width="stretch",
        key=key,
        alt=MAPS_IN_WORDS,
        on_select="ignore" if only else on_select,
        selection_mode=None if only else ["box", "pick"],
    )
    return maps, slots


def ready_view(run: Run, view: MapsView, snapshot: int = 0) -> MapsView:
    """Return the view that can be shown: PCA maps until those of `snapshot` are ready."""
    wanted = [(run, view.pooling, layer) for layer in view.layers]
    if maps_are_ready(view.projection, wanted, [snapshot] * len(wanted)):
        return view
    return replace(view, projection=DEFAULT_PROJECTION)


def cached_maps(
    run: Run,
    view: MapsView,
    snapshots: Sequence[int],
    rows: np.ndarray,
    fitted_on: Sequence[int] | None = None,
) -> RunMaps:
    """Return maps that are ready, put together from what the page has cached.

    Parameters
    ----------
    run : Run
    view : MapsView
    snapshots : sequence of int
    rows : ndarray of shape (m,)
        The examples to draw.
    fitted_on : sequence of int, optional
        As in `ready_maps`.
    """
    return RunMaps.of(
        run,
        view,
        snapshots,
        examples=cache.examples(run),
        rows=rows,
        by_layer={
            layer: ready_maps(run, view.projection, view.pooling, layer, snapshots, fitted_on)
            for layer in view.layers
        },
        predictions=[cache.predictions(run, index) for index in snapshots],
        measures=cache.measures(run),
    )


def _first_slot(run: Run, slots: Sequence[int], start: tuple[str, int] | None) -> int:
    """Return the slider's first position: the newest snapshot, or the one a reader asked for."""
    run_id, snapshot = start or ("", 0)
    return nearest_slot(slots, snapshot) if run_id == run.run_id else len(slots) - 1
