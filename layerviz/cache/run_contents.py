"""What a run holds: examples, predictions, states, maps."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.runtime.scriptrunner import add_script_run_ctx, get_script_run_ctx

from layerviz import data, instrument, runs, views
from layerviz.cache.keys import LISTED_RUN, RUN
from layerviz.data import FurtherColumn
from layerviz.jobs import map_workers
from layerviz.memory import return_what_is_free
from layerviz.projection import LayerMaps, LayerStates, PlacedTest, of_run, place_test
from layerviz.runs import Run, RunSummary
from layerviz.views import ColumnColours, RunMaps


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=RUN)
def examples(run: Run) -> pd.DataFrame:
    """Return the captured examples of a run."""
    return runs.read_examples(run.path)


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=RUN)
def further_columns(run: Run) -> tuple[FurtherColumn, ...]:
    """Return the further columns of the captured examples of a run."""
    return data.further_columns(examples(run))


def colourable_columns(run: Run) -> tuple[FurtherColumn, ...]:
    """Return those that maps can be coloured by: all but free texts."""
    return tuple(column for column in further_columns(run) if column.kind != "text")


def shared_columns(of_runs: Sequence[Run]) -> tuple[FurtherColumn, ...]:
    """Return those of the first run that maps of all of these can be coloured by."""
    shared = set.intersection(
        *({column.name for column in colourable_columns(run)} for run in of_runs)
    )
    return tuple(column for column in colourable_columns(of_runs[0]) if column.name in shared)


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=RUN)
def column_colours(run: Run, name: str) -> ColumnColours | None:
    """Return the colours of a further column of a run; None where none has this name."""
    for column in colourable_columns(run):
        if column.name == name:
            return views.column_colours(column, examples(run))
    return None


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=RUN)
def numbers_of(run: Run, name: str) -> np.ndarray:
    """Return a further column of numbers or dates on its scale, float64 of shape (N,), or NaN."""
    column = next(column for column in further_columns(run) if column.name == name)
    return column.on_scale(examples(run))


@st.cache_data(show_spinner=False, max_entries=1000, hash_funcs=LISTED_RUN)
def summary(run: Run) -> RunSummary:
    """Return what a list says of a run."""
    return runs.summary_of(run)


@st.cache_data(show_spinner=False, max_entries=400, hash_funcs=RUN)
def predictions(run: Run, snapshot: int) -> pd.DataFrame:
    """Return the classifier's predictions at one snapshot."""
    return runs.read_predictions(run.path, snapshot)


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=RUN)
def layer_states(run: Run, snapshot: int, pooling: str, layer: int) -> np.ndarray:
    """Return the pooled hidden states of one layer at one snapshot, float16, shape (N, D)."""
    return runs.read_hidden_states(run.path, snapshot, pooling, layer)


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs=RUN)
def quick_maps(
    run: Run, projection: str, snapshots: tuple[int, ...], pooling: str, layer: int
) -> LayerMaps:
    """Return the maps of one layer at these snapshots, by a projection that is quick to draw."""
    return of_run.quick_maps(run, projection, pooling, layer, snapshots)


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=RUN)
def draw_quick_maps(
    run: Run, projection: str, snapshots: tuple[int, ...], pooling: str, layers: tuple[int, ...]
) -> None:
    """Let `quick_maps` know the maps of several layers, which are drawn side by side, once."""
    context = get_script_run_ctx()
    with ThreadPoolExecutor(
        map_workers(), initializer=lambda: add_script_run_ctx(threading.current_thread(), context)
    ) as pool:
        drawing = [
            pool.submit(quick_maps, run, projection, snapshots, pooling, layer) for layer in layers
        ]
        for one in drawing:
            one.result()
    return_what_is_free()


def stored_maps(run: Run, projection: str, pooling: str, layer: int) -> LayerMaps | None:
    """Return maps that were drawn off the page, perhaps not of the newest snapshots."""
    version = runs.map_version(run.path, projection, pooling, layer)
    if version is None:
        return None
    return _stored_maps(run, projection, pooling, layer, version)


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs=RUN)
def _stored_maps(
    run: Run, projection: str, pooling: str, layer: int, version: int
) -> LayerMaps | None:
    del version  # part of the key alone: it tells one state of the maps from another
    return of_run.read_stored_maps(run, projection, pooling, layer)


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs=RUN)
def quick_test(
    run: Run, projection: str, snapshots: tuple[int, ...], pooling: str, layer: int
) -> PlacedTest:
    """Return where test lies in the maps that `quick_maps` returns."""
    maps = quick_maps(run, projection, snapshots, pooling, layer)
    return place_test(projection, snapshot_states(run, snapshots, pooling, layer), maps)


def stored_test(run: Run, projection: str, pooling: str, layer: int) -> PlacedTest | None:
    """Return where test lies in stored maps, perhaps not in the newest; None if nobody asked."""
    version = runs.placed_test_version(run.path, projection, pooling, layer)
    if version is None:
        return None
    return _stored_test(run, projection, pooling, layer, version)


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs=RUN)
def _stored_test(
    run: Run, projection: str, pooling: str, layer: int, version: int
) -> PlacedTest | None:
    del version  # part of the key alone
    return of_run.read_stored_test(run, projection, pooling, layer)


def snapshot_states(run: Run, snapshots: Sequence[int], pooling: str, layer: int) -> LayerStates:
    """Return the states of a layer at some snapshots, as projections take them."""
    captured = examples(run)
    return LayerStates(
        [layer_states(run, snapshot, pooling, layer) for snapshot in snapshots],
        captured["split"].to_numpy(),
        captured["label"].to_numpy(),
        run.config.seed,
    )


@dataclass(frozen=True, eq=False)
class DrawnMaps:
    """Maps to be drawn in a browser, and what tells their points from others.

    Parameters
    ----------
    key, chart : str
        As in `instrument.points_message`.
    maps : RunMaps
    layers : sequence of int
        Those with a panel.
    """

    key: str
    chart: str
    maps: RunMaps
    layers: Sequence[int]


@st.cache_data(
    show_spinner=False,
    max_entries=32,
    hash_funcs={DrawnMaps: lambda drawn: (drawn.key, drawn.chart)},
)
def map_points(drawn: DrawnMaps) -> bytes:
    """Return the points of maps, packed for the browser."""
    return instrument.run_points(drawn.maps, drawn.layers, chart=drawn.chart, key=drawn.key)
