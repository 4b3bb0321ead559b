"""A run's maps as one chart in which examples can be selected, and what is said beneath it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts
from layerviz.charts import Grid
from layerviz.config import TRAIN_AND_VAL
from layerviz.export import views
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS, LayerMaps, projection_notes
from layerviz.runs import Run
from layerviz.ui.parts.selection import MOST_PATHS, highlight, selection, taking_from
from layerviz.ui.parts.stored_maps import maps_are_ready, n_ready_snapshots, ready_maps

DRAWN = 12_000  # points of all maps together that a page draws and moves at ease
POINTS_AND_SLOTS = 160_000  # points times slider positions that a browser moves at ease
SLOTS = (6, 31)  # fewest and most positions of the slider
# The text for screen readers must not change with colour or method: it is part of the
# specification, and a changed specification would send the slider back to its start.
MAPS_IN_WORDS = "Maps of the chosen layers, train on the left and val on the right."
PATHS = "paths"  # session state: whether paths through the epochs are drawn


@dataclass(frozen=True)
class View:
    """What the reader wants to see."""

    pooling: str
    projection: str
    colouring: str
    layers: list[int]
    focus: int | None
    classes: list[int]


@dataclass(frozen=True)
class Drawn:
    """What was drawn: the view as it could be had, its snapshots and maps, rows and splits."""

    view: View
    snapshots: tuple[int, ...]
    slots: list[int]
    maps: dict[int, LayerMaps]
    rows: np.ndarray
    splits: np.ndarray


def draw_maps(
    run: Run,
    view: View,
    layers: list[int],
    *,
    key: str,
    start: tuple[str, int] | None = None,
    only: str | None = None,
) -> Drawn:
    """Draw the maps of some layers; a click or a box in them selects examples.

    Parameters
    ----------
    run : Run
    view : View
        Stored maps that are not ready are asked for; PCA maps are shown until they are.
    layers : list of int
    key : str
        Of the chart.
    start : tuple of str and int, optional
        A run, and the snapshot at which the slider stands at first in it.
    only : str, optional
        Id of the one example to light up, whatever is selected; nothing can be selected then.
    """
    view = drawable(run, view, layers)
    examples = cache.examples(run)
    ids, splits = examples["id"].to_numpy(), examples["split"].to_numpy()
    chosen = {only} if only else selection(run)
    sample = charts.drawn_rows(splits, most_per_split(len(layers)))
    rows = _with_chosen(sample, splits, np.isin(ids, list(chosen)), DRAWN // len(layers))
    n_points = len(layers) * len(sample)  # what is selected changes neither slots nor looks
    slots = _slots(run, n_points)
    shown = _captured(run, view, layers, slots)
    maps = {layer: ready_maps(run, view.projection, view.pooling, layer, shown) for layer in layers}
    points, panels = map_frames(run, view, rows, len(slots), shown, maps)
    with_path = rows[np.isin(ids[rows], list(chosen))]
    if len(with_path) > MOST_PATHS or not (only or st.session_state.get(PATHS, True)):
        with_path = []
    taking = {
        "on_select": taking_from(key, run, ids, points, layers, Grid.of(len(layers))),
        "selection_mode": ["box", "pick"],
    }
    whole = run.config.snapshots_per_epoch == 1 and len(slots) == slots[-1] + 1
    st.altair_chart(
        charts.layer_maps(
            points,
            highlight(charts.examples_frame(examples, run.label_names, rows), ids, chosen),
            panels,
            layers=layers,
            label_names=run.label_names,
            n_slots=len(slots),
            start=_start(run, slots, start),
            slider_name="Epoch " if whole else "Snapshot ",
            dark=st.context.theme.type == "dark",
            selectable=only is None,
            paths=charts.paths_frame(points, with_path),
            n_points=n_points,
        ),
        width="stretch",
        key=key,
        alt=MAPS_IN_WORDS,
        **({} if only else taking),
    )
    return Drawn(view, shown, slots, maps, rows, splits)


def drawable(run: Run, view: View, layers: list[int], snapshot: int = 0) -> View:
    """Return the view as it can be had: until `snapshot` is drawn off the page, PCA stands in."""
    wanted = [(run, view.pooling, layer) for layer in layers]
    there = maps_are_ready(view.projection, wanted, [snapshot] * len(layers))
    return view if there else replace(view, projection=DEFAULT_PROJECTION)


def most_per_split(n_maps: int) -> int:
    """Return how many examples of train and of val each of so many maps draws; one draws all."""
    return sys.maxsize if n_maps == 1 else max(1, DRAWN // (2 * n_maps))


def _with_chosen(
    sample: np.ndarray, splits: np.ndarray, chosen: np.ndarray, most: int
) -> np.ndarray:
    """Return the examples to draw: the sample, and those that are selected, up to `most`."""
    more = np.flatnonzero(chosen & (splits != "test"))[:most]
    return np.concatenate([sample, np.setdiff1d(more, sample)])


def map_frames(
    run: Run,
    view: View,
    rows: np.ndarray,
    n_slots: int,
    shown: tuple[int, ...],
    maps: dict[int, LayerMaps],
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return points and panels as `charts.layer_maps` takes them.

    Parameters
    ----------
    run : Run
    view : View
    rows : ndarray of shape (m,)
        The examples to draw.
    n_slots : int
        Places of the slider.
    shown : tuple of int
        The snapshots at its first places.
    maps : dict of int to LayerMaps
        Per layer, the maps at these snapshots.
    """
    examples = cache.examples(run)
    splits = examples["split"].to_numpy()
    predictions = [cache.predictions(run, index) for index in shown]
    colours = charts.colour_codes(
        view.colouring,
        examples["label"].to_numpy(),
        predictions,
        view.classes,
        len(run.label_names),
    )
    points = charts.points_frame(
        {layer: drawn.in_unit_square() for layer, drawn in maps.items()},
        splits,
        rows,
        predictions,
        colours,
    )
    panels = charts.panels_frame(
        {layer: drawn.trust for layer, drawn in maps.items()},
        [run.snapshots[index].epoch for index in shown],
        {split: int((splits == split).sum()) for split in TRAIN_AND_VAL},
        n_slots,
        probe_scores(run, view.pooling, list(maps), shown),
        PROJECTIONS[view.projection].label,
    )
    return points, panels


def _slots(run: Run, n_points: int) -> list[int]:
    """Return the snapshots under the slider's positions, those still to come included.

    Where there are more than a browser moves at ease, they are an even choice with both ends.
    """
    planned = run.training["n_snapshots"] if run.live else len(run.snapshots)
    most = most_slots(n_points)
    return sorted({round(at) for at in np.linspace(0, planned - 1, min(planned, most))})


def most_slots(n_points: int) -> int:
    """Return how many positions of the slider a browser moves at ease with so many points."""
    return int(np.clip(POINTS_AND_SLOTS // n_points, *SLOTS))


def _start(run: Run, slots: list[int], start: tuple[str, int] | None) -> int:
    """Return the slider's first position: the newest snapshot, or the one a reader asked for."""
    run_id, snapshot = start or ("", 0)
    if run_id != run.run_id:
        return len(slots) - 1
    return min(range(len(slots)), key=lambda slot: abs(slots[slot] - snapshot))


def _captured(run: Run, view: View, layers: list[int], slots: list[int]) -> tuple[int, ...]:
    """Return the snapshots to draw: those of `slots` that there are, and the newest."""
    ready = [n_ready_snapshots(run, view.projection, view.pooling, layer) for layer in layers]
    newest = min(ready) - 1
    return tuple(sorted({index for index in slots if index <= newest} | {newest}))


def probe_scores(
    run: Run, pooling: str, layers: list[int], snapshots: tuple[int, ...]
) -> dict[int, np.ndarray]:
    """Return the probe's macro-F1 on train and val, (S, 2) per layer; NaN where not measured."""
    return views.probe_scores(cache.measures(run), pooling, layers, snapshots)


def small_print(run: Run, drawn: Drawn) -> None:
    """Say how the maps are made, and what of them is not drawn."""
    said = [
        "T is the trustworthiness of a map (Venna and Kaski 2001, k = 12): the part of its "
        "neighbourhoods that are real in the full hidden size; 1 is best.",
        "F1 is the macro-F1 of a linear probe in the full hidden size (tab Layers), under the "
        "pooling chosen above; that of train is measured on what the probe was fitted to.",
        "Maps are fitted on train; val is placed into them.",
    ]
    said += projection_notes(drawn.view.projection, len(run.label_names))
    if PROJECTIONS[drawn.view.projection].explains_variance:
        parts = [maps.explained.sum() for maps in drawn.maps.values()]
        low, high = f"{min(parts):.0%}", f"{max(parts):.0%}"
        span = low if low == high else f"{low} to {high}"
        said.append(f"The two components show {span} of a layer's variance over all epochs.")
        if run.live:
            said.append("While the run goes on, each new snapshot refits these axes.")
    on_maps = np.isin(drawn.splits, TRAIN_AND_VAL).sum()
    if len(drawn.rows) < on_maps:
        said.append(
            f"Drawn: {len(drawn.rows):,} of the {on_maps:,} mapped points, at random and those "
            "selected; a layer shown large has all."
        )
    sizes = {split: sum(counts.values()) for split, counts in run.dataset["counts"].items()}
    captured = {split: int((drawn.splits == split).sum()) for split in TRAIN_AND_VAL}
    if any(captured[split] < sizes[split] for split in captured):
        said.append(
            "Captured: "
            + ", ".join(f"{captured[s]:,} of {sizes[s]:,} {s} examples" for s in captured)
            + ", with the same share of every class."
        )
    slots = drawn.slots
    if len(slots) <= slots[-1]:
        said.append(f"The slider shows {len(slots)} of {slots[-1] + 1} snapshots, evenly spaced.")
    st.caption(" ".join(said))
