"""A run's maps, in which examples can be selected and epochs played."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts, instrument
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS
from layerviz.runs import Run
from layerviz.ui.parts.epoch_place import keep_place, place_of
from layerviz.ui.parts.examples_table import open_example
from layerviz.ui.parts.instrument import draw_maps, told
from layerviz.ui.parts.selection import MOST_PATHS, picked_message, selection, take_selection
from layerviz.ui.parts.stored_maps import (
    layers_with_maps,
    maps_are_ready,
    n_ready_snapshots,
    ready_maps,
)
from layerviz.views import MapsView, RunMaps
from layerviz.views.slider import most_per_split, ready_slots, slots_of, with_selected
from layerviz.wording import enumeration, layer_list

STEP = (
    "at",
    "order",
    "x",
    "y",
    "colour",
)  # what the script of the maps reads of a path beside the example and panel
MAPS_IN_WORDS = "Maps of the chosen layers, train on the left and val on the right."


@dataclass(frozen=True)
class MapsOnPage:
    """What is shown.

    Parameters
    ----------
    maps : RunMaps
        Of the layers whose maps are ready.
    slots : tuple of int
        The snapshots under the slider's positions.
    snapshot : int
        The one at which it stands.
    """

    maps: RunMaps
    slots: tuple[int, ...]
    snapshot: int


def show_maps(
    run: Run,
    view: MapsView,
    *,
    key: str,
    only: str | None = None,
    enlarged: bool = False,
    on_enlarged: Callable[[int | None], None] | None = None,
) -> MapsOnPage:
    """Show maps with an epoch slider; a click or a box in them selects examples.

    Parameters
    ----------
    run : Run
    view : MapsView
        Stored maps that are not ready are asked for; PCA maps are shown until the first is.
    key : str
        Of the component.
    only : str, optional
        Id of the one example to highlight, whatever is selected; nothing can be selected then.
    enlarged : bool
        Whether the view has one layer because a reader enlarged it.
    on_enlarged : callable, optional
        Called with the layer whose title was clicked, None to show all chosen layers again.
    """
    layers, asked_for = view.layers, view.projection
    view = layers_with_maps(run, view)
    heading = PROJECTIONS[view.projection].label
    if view.projection != asked_for:
        heading += f", until {PROJECTIONS[asked_for].label} is ready"
    examples = cache.examples(run)
    ids, splits = examples["id"].to_numpy(), examples["split"].to_numpy()
    chosen = {only} if only else selection(run)
    is_chosen = np.isin(ids, list(chosen))
    sample = charts.sample_rows(splits, most_per_split(len(layers)), of=view.splits)
    rows = with_selected(sample, is_chosen & np.isin(splits, view.splits), len(layers))
    slots = _slots(run, view, len(layers) * len(sample))
    maps = cached_maps(run, view, slots, rows)
    points_key = _key(run, view, layers, slots, rows, maps)
    is_dark = st.context.theme.type == "dark"
    marked = maps.rows[is_chosen[maps.rows]]
    nearest = _nearest(maps, marked)
    picked = None if only else picked_message(run, examples, rows)
    draw_maps(
        key,
        cache.map_points(cache.DrawnMaps(points_key, key, maps, layers)),
        {
            **instrument.run_state(
                maps,
                layers,
                n_points=len(layers) * len(sample),
                dark=is_dark,
                projection=heading,
            ),
            "chart": key,
            "points": points_key,
            "of": run.run_id,
            "selected": marked.tolist(),
            "paths": _paths(maps, layers, marked, nearest),
            "place": place_of(run, slots),
            "enlarged": enlarged,
            "enlargeable": on_enlarged is not None,
            "selectable": only is None,
            "openable": True,
            "bare": only is not None,
            "picked": picked and picked | {"moves": _moves(run, nearest)},
        },
        on_snapshot=lambda: keep_place(run, slots, told(key, "snapshot")),
        on_selected=lambda: take_selection(run, ids[told(key, "selected") or []].tolist()),
        on_enlarged=lambda: on_enlarged and on_enlarged((told(key, "enlarged") or {}).get("panel")),
        on_opened=lambda: open_example(run, str(told(key, "opened"))),
    )
    return MapsOnPage(maps, slots, place_of(run, slots)["snapshot"])


def _slots(run: Run, view: MapsView, n_points: int) -> tuple[int, ...]:
    """Return the snapshots under the slider: its end is the newest one that any map shows."""
    n_ready = max(n_ready_snapshots(run, view.projection, view.pooling, one) for one in view.layers)
    return ready_slots(slots_of(run, n_points), n_ready)


def _key(
    run: Run,
    view: MapsView,
    layers: Sequence[int],
    slots: Sequence[int],
    rows: np.ndarray,
    maps: RunMaps,
) -> str:
    ready = [of_layer.n_snapshots for of_layer in maps.by_layer.values()]
    has_test = [of_layer.placed_later is not None for of_layer in maps.by_layer.values()]
    parts = (run.run_id, run.created, view.projection, view.pooling, view.splits, layers)
    told_apart = f"{parts} {view.layers} {slots} {len(run.snapshots)} {ready} {has_test}"
    told_apart += rows.tobytes().hex()
    return hashlib.blake2b(told_apart.encode(), digest_size=8).hexdigest()


def _paths(
    maps: RunMaps, layers: Sequence[int], rows: np.ndarray, nearest: pd.DataFrame
) -> list[list[object]]:
    """Return the way of some examples, each step in the colour of the class it comes nearest to."""
    if nearest.empty:
        return []
    classes, slots = maps.view.classes, {index: at for at, index in enumerate(maps.snapshots)}
    codes = {label: code for code, label in enumerate(classes)}
    columns = ["row", "layer", "snapshot", "nearest"]
    towards = {
        (row, layer, slots[snapshot]): codes.get(label, charts.OTHER_CODE)
        for row, layer, snapshot, label in nearest[columns].to_numpy(dtype=int).tolist()
    }
    paths = charts.paths_frame(replace(maps, rows=rows).points(), rows, towards)
    panel_of = {layer: at for at, layer in enumerate(layers)}
    side_of = {split: at for at, split in enumerate(maps.view.splits)}
    return [
        [one["row"], panel_of[one["layer"]], side_of[one["split"]], *(one[name] for name in STEP)]
        for one in paths.to_dict("records")
    ]


def _nearest(maps: RunMaps, rows: np.ndarray) -> pd.DataFrame:
    """Return which class each of these examples is nearest to, in the full hidden size."""
    if not 0 < len(rows) <= MOST_PATHS:
        return pd.DataFrame()
    return pd.concat(
        [
            cache.nearest_classes(maps.run, maps.snapshots, maps.view.pooling, layer, tuple(rows))
            for layer in maps.by_layer
        ],
        ignore_index=True,
    )


def _moves(run: Run, nearest: pd.DataFrame) -> str:
    """Say which class a single example ends up nearest to, by layers."""
    if nearest.empty or nearest["row"].nunique() != 1:
        return ""
    last = nearest[nearest["snapshot"] == nearest["snapshot"].max()]
    parts = [
        f"{run.label_names[label]} ({layer_list(part['layer'].tolist())})"
        for label, part in last.groupby("nearest", sort=False)
    ]
    return f"Ends nearest to {enumeration(parts)}, measured in the full hidden size."


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
    if not PROJECTIONS[view.projection].stored:
        quick = tuple(snapshots if fitted_on is None else fitted_on)
        cache.draw_quick_maps(run, view.projection, quick, view.pooling, view.layers)
    return RunMaps.of(
        run,
        view,
        snapshots,
        examples=cache.examples(run),
        rows=rows,
        by_layer={
            layer: ready_maps(
                run,
                view.projection,
                view.pooling,
                layer,
                snapshots,
                fitted_on,
                splits=view.splits,
            )
            for layer in view.layers
        },
        predictions=[cache.predictions(run, index) for index in snapshots],
        measures=cache.measures(run),
    )
