"""A run's maps, from what its folder holds; those that are stored are brought up to date here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from layerviz import runs
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.projection.layer_maps import LayerMaps, rated
from layerviz.projection.projection import LayerStates
from layerviz.projection.projections import PROJECTIONS, draw
from layerviz.runs import Run


def maps_of_layer(
    run: Run,
    projection: str,
    pooling: str,
    layer: int,
    snapshots: Sequence[int],
    should_stop: ShouldStop = never,
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
        Indices; projections that are not stored are fitted on these alone.
    should_stop : callable

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    Cancelled
        If `should_stop` answers true.
    """
    if PROJECTIONS[projection].stored:
        maps = update_stored_maps(run, projection, pooling, layer, should_stop=should_stop)
        return maps.at(snapshots)
    return draw(projection, _layer_states(run, pooling, layer, snapshots), should_stop=should_stop)


def read_stored_maps(run: Run, projection: str, pooling: str, layer: int) -> LayerMaps | None:
    """Return the stored maps of one layer, perhaps not of the newest snapshots; None without any.

    Those that an earlier version stored without the share of kept neighbours are rated on reading.

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    """
    arrays = runs.read_map(run.path, PROJECTIONS[projection].name, pooling, layer)
    if arrays is None:
        return None
    maps = LayerMaps.from_arrays(arrays)
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
    maps = draw(
        projection,
        _layer_states(run, pooling, layer, snapshots),
        earlier=stored if PROJECTIONS[projection].continues else None,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    runs.write_map(run.path, projection, pooling, layer, maps.arrays())
    return maps


def _layer_states(run: Run, pooling: str, layer: int, snapshots: Sequence[int]) -> LayerStates:
    examples = runs.read_examples(run.path)
    return LayerStates(
        [runs.read_hidden_states(run.path, index, pooling, layer) for index in snapshots],
        examples["split"].to_numpy(),
        examples["label"].to_numpy(),
        run.config.seed,
    )
