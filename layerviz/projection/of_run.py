"""A run's maps, from what its folder holds; those that are stored are brought up to date here."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from safetensors import SafetensorError

from layerviz import runs
from layerviz.config import TRAIN_AND_VAL
from layerviz.errors import RunError
from layerviz.progress import OnProgress, ShouldStop, ignore, never, stop_if_asked
from layerviz.projection.layer_maps import LayerMaps, rated
from layerviz.projection.placing import PlacedTest, place_test, with_test
from layerviz.projection.projection import LayerStates
from layerviz.projection.projections import PROJECTIONS, draw
from layerviz.runs import Run

MOST_MAP_WORKERS = 4  # a t-SNE keeps one core busy, and there is a page to answer


def map_workers() -> int:
    """Return how many layers are mapped at a time: one per core, as far as that pays."""
    return min(MOST_MAP_WORKERS, os.cpu_count() or 1)


def maps_of_layers(
    run: Run,
    projection: str,
    pooling: str,
    layers: Sequence[int],
    snapshots: Sequence[int],
    on_layer: Callable[[int], None] = lambda _: None,
    should_stop: ShouldStop = never,
    *,
    splits: Sequence[str] = TRAIN_AND_VAL,
) -> dict[int, LayerMaps]:
    """Return the maps of several layers, which are drawn side by side; see `maps_of_layer`.

    Parameters
    ----------
    layers : sequence of int
    on_layer : callable
        Called from this thread with how many layers are there, after each of them.

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    Cancelled
        If `should_stop` answers true.
    """

    def one(layer: int) -> LayerMaps:
        stop_if_asked(should_stop)
        return maps_of_layer(run, projection, pooling, layer, snapshots, should_stop, splits=splits)

    maps: dict[int, LayerMaps] = {}
    pool = ThreadPoolExecutor(map_workers())
    try:
        for layer, of_layer in zip(layers, pool.map(one, layers), strict=True):
            maps[layer] = of_layer
            on_layer(len(maps))
    finally:
        pool.shutdown(cancel_futures=True)
    return maps


def maps_of_layer(
    run: Run,
    projection: str,
    pooling: str,
    layer: int,
    snapshots: Sequence[int],
    should_stop: ShouldStop = never,
    *,
    splits: Sequence[str] = TRAIN_AND_VAL,
) -> LayerMaps:
    """Return the maps of one layer at some snapshots; stored ones are brought up to date first.

    Parameters
    ----------
    run : Run
    projection : str
        A name of `PROJECTIONS`.
    pooling : str
    layer : int
    snapshots : sequence of int
        Indices; projections that are quick to draw are fitted on these alone.
    should_stop : callable
    splits : sequence of str
        With ``test`` among them, the test examples are placed into the maps.

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    Cancelled
        If `should_stop` answers true.
    """
    wants_test = "test" in splits
    if PROJECTIONS[projection].stored:
        maps = update_stored_maps(run, projection, pooling, layer, should_stop=should_stop)
        if wants_test:
            placed = update_stored_test(run, projection, pooling, layer, should_stop=should_stop)
            maps = with_test(maps, placed, _splits(run))
        return maps.at(snapshots)
    maps = quick_maps(run, projection, pooling, layer, snapshots, should_stop)
    if not wants_test:
        return maps
    states = _layer_states(run, pooling, layer, snapshots)
    placed = place_test(projection, states, maps, should_stop=should_stop)
    return with_test(maps, placed, states.splits)


def quick_maps(
    run: Run,
    projection: str,
    pooling: str,
    layer: int,
    snapshots: Sequence[int],
    should_stop: ShouldStop = never,
) -> LayerMaps:
    """Return the maps of one layer at some snapshots by a projection that is quick to draw.

    Those of all snapshots of a run that has ended are kept in its folder, so that they are drawn
    once; where the folder cannot be written to, or the file is damaged, they are drawn again.

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    Cancelled
        If `should_stop` answers true.
    """
    can_be_kept = not run.live and [one.index for one in run.snapshots] == list(snapshots)
    if can_be_kept and (kept := _kept_maps(run, projection, pooling, layer)) is not None:
        return kept
    states = _layer_states(run, pooling, layer, snapshots)
    maps = draw(projection, states, should_stop=should_stop)
    if can_be_kept and _is_still_there(run):
        with contextlib.suppress(OSError):
            runs.write_map(run.path, projection, pooling, layer, maps.arrays())
    return maps


def _kept_maps(run: Run, projection: str, pooling: str, layer: int) -> LayerMaps | None:
    """Return maps of all snapshots and examples of a run; None where there are none."""
    try:
        arrays = runs.read_map(run.path, PROJECTIONS[projection].name, pooling, layer)
        maps = None if arrays is None else LayerMaps.from_arrays(arrays)
    except (RunError, OSError, SafetensorError, LookupError, ValueError):  # damaged
        return None
    expected = (len(run.snapshots), len(runs.read_examples(run.path)), 2)
    return maps if maps is not None and maps.xy.shape == expected else None


def _is_still_there(run: Run) -> bool:
    """Return whether a run has been neither deleted nor made anew while its maps were drawn."""
    try:
        return runs.read(run.path.parent, run.path.name).created == run.created
    except RunError:
        return False


def read_stored_maps(run: Run, projection: str, pooling: str, layer: int) -> LayerMaps | None:
    """Return the stored maps of one layer, perhaps not of the newest snapshots; None without any.

    Those that an earlier version stored without the share of kept neighbours are rated on reading.
    Where it placed test beside val, that is left out: see `read_stored_test`.

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    """
    arrays = runs.read_map(run.path, PROJECTIONS[projection].name, pooling, layer)
    if arrays is None:
        return None
    maps = _without_test(LayerMaps.from_arrays(arrays), run)
    if maps.kept is not None:
        return maps
    snapshots = [snapshot.index for snapshot in run.snapshots[: maps.n_snapshots]]
    layer_states = _layer_states(run, pooling, layer, snapshots)
    return replace(maps, kept=rated(list(maps.xy), layer_states.states, layer_states.splits).kept)


def update_stored_maps(
    run: Run,
    projection: str,
    pooling: str,
    layer: int,
    *,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> LayerMaps:
    """Bring the stored maps of one layer up to the run's newest snapshot, and return them.

    Parameters
    ----------
    run : Run
    projection : str
        A name of `PROJECTIONS`, of those that are stored.
    pooling : str
    layer : int
    on_progress, should_stop : callable

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    Cancelled
        If `should_stop` answers true; the maps stored before are kept.
    """
    stored = read_stored_maps(run, projection, pooling, layer)
    snapshots = [snapshot.index for snapshot in run.snapshots]
    if stored is not None and stored.n_snapshots >= len(snapshots):
        return stored
    earlier = stored if PROJECTIONS[projection].continues else None
    maps = draw(
        projection,
        _layer_states(run, pooling, layer, snapshots),
        earlier=earlier,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    if earlier is None:  # test has its place in other maps, which are gone
        runs.remove_placed_test(run.path, projection, pooling, layer)
    runs.write_map(run.path, projection, pooling, layer, maps.arrays())
    return maps


def read_stored_test(run: Run, projection: str, pooling: str, layer: int) -> PlacedTest | None:
    """Return where test lies in the stored maps of one layer, perhaps not in the newest ones.

    None where nobody has asked for it yet.

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    """
    arrays = runs.read_placed_test(run.path, PROJECTIONS[projection].name, pooling, layer)
    return None if arrays is None else PlacedTest(**arrays)


def update_stored_test(
    run: Run,
    projection: str,
    pooling: str,
    layer: int,
    *,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> PlacedTest:
    """Place test into the stored maps of one layer, as far as it is not, and return where it lies.

    The maps must be stored; they are neither drawn again nor written to. Positions are kept in a
    file of their own, with which maps they belong to.

    Parameters
    ----------
    run : Run
    projection : str
        A name of `PROJECTIONS`, of those that are stored.
    pooling : str
    layer : int
    on_progress, should_stop : callable

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    RunError
        If there are no stored maps.
    Cancelled
        If `should_stop` answers true; what was stored before is kept.
    """
    maps = read_stored_maps(run, projection, pooling, layer)
    if maps is None:
        raise RunError("The maps of this layer are not drawn yet.", "Draw them first.")
    snapshots = [snapshot.index for snapshot in run.snapshots[: maps.n_snapshots]]
    placed = place_test(
        projection,
        _layer_states(run, pooling, layer, snapshots),
        maps,
        earlier=read_stored_test(run, projection, pooling, layer),
        on_progress=on_progress,
        should_stop=should_stop,
    )
    runs.write_placed_test(run.path, projection, pooling, layer, placed.arrays())
    return placed


def ready_by_layer(
    run: Run,
    projection: str,
    pooling: str,
    layers: Sequence[int],
    splits: Sequence[str] = TRAIN_AND_VAL,
) -> dict[int, int]:
    """Return per layer how many of the first snapshots can be shown now.

    Costs a look at the date of a file or two per layer, so that a page may ask every second.

    Parameters
    ----------
    run : Run
    projection : str
        A name of `PROJECTIONS`; where its maps are not stored, all snapshots can be shown.
    pooling : str
    layers : sequence of int
    splits : sequence of str
        With ``test`` among them, only snapshots count in which test has its place.

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    """
    name, n = PROJECTIONS[projection].name, len(run.snapshots)
    if not PROJECTIONS[projection].stored:
        return dict.fromkeys(layers, n)
    counts = {}
    for layer in layers:
        counts[layer] = min(n, runs.mapped_snapshots(run.path, name, pooling, layer))
        if "test" in splits:
            placed = runs.placed_snapshots(run.path, name, pooling, layer)
            counts[layer] = min(counts[layer], placed)
    return counts


def _without_test(maps: LayerMaps, run: Run) -> LayerMaps:
    if "test" not in run.dataset["counts"]:
        return maps
    xy = maps.xy.copy()
    xy[:, _splits(run) == "test"] = np.nan
    return replace(maps, xy=xy)


def _splits(run: Run) -> np.ndarray:
    return runs.read_examples(run.path)["split"].to_numpy()


def _layer_states(run: Run, pooling: str, layer: int, snapshots: Sequence[int]) -> LayerStates:
    examples = runs.read_examples(run.path)
    return LayerStates(
        [runs.read_hidden_states(run.path, index, pooling, layer) for index in snapshots],
        examples["split"].to_numpy(),
        examples["label"].to_numpy(),
        run.config.seed,
    )
