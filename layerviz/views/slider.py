"""How many points a chart of maps draws, and which snapshots are under its slider."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import numpy as np

from layerviz.runs import Run, Snapshot

MOST_POINTS = 12_000  # of all maps together that a page draws and moves at ease
POINTS_TIMES_SLOTS = 160_000  # that a browser moves at ease
FEWEST_SLOTS, MOST_SLOTS = 6, 31  # positions of the slider


def most_per_split(n_maps: int) -> int:
    """Return how many examples of train and of val each of so many maps draws; one draws all."""
    return sys.maxsize if n_maps == 1 else max(1, MOST_POINTS // (2 * n_maps))


def with_selected(sample: np.ndarray, selected: np.ndarray, n_maps: int) -> np.ndarray:
    """Return the rows to draw: a sample, and those that are selected, as many as can be drawn.

    Parameters
    ----------
    sample : ndarray of shape (k,)
        Rows.
    selected : ndarray of shape (N,), bool
        Among those that have a place on the maps.
    n_maps : int
        Maps that draw them.
    """
    more = np.flatnonzero(selected)[: MOST_POINTS // n_maps]
    return np.concatenate([sample, np.setdiff1d(more, sample)])


def most_slots(n_points: int) -> int:
    """Return how many positions of the slider a browser moves at ease with so many points."""
    return int(np.clip(POINTS_TIMES_SLOTS // n_points, FEWEST_SLOTS, MOST_SLOTS))


def slots_of(run: Run, n_points: int) -> list[int]:
    """Return the snapshots under the slider's positions, those still to come included.

    Where there are more than a browser moves at ease, they are an even choice with both ends.
    """
    planned = run.training["n_snapshots"] if run.live else len(run.snapshots)
    most = most_slots(n_points)
    return sorted({round(at) for at in np.linspace(0, planned - 1, min(planned, most))})


def ready_slots(slots: Sequence[int], n_ready: int) -> tuple[int, ...]:
    """Return the snapshots of `slots` among the first `n_ready` ones, and the newest of these."""
    newest = n_ready - 1
    return tuple(sorted({index for index in slots if index <= newest} | {newest}))


def nearest_slot(slots: Sequence[int], snapshot: int) -> int:
    """Return the position of the slider whose snapshot is nearest to the given one."""
    return min(range(len(slots)), key=lambda slot: abs(slots[slot] - snapshot))


def shared_slots(
    runs: Sequence[Run], ready: Sequence[Sequence[Snapshot]], n_points: int
) -> tuple[list[float], list[list[int]]]:
    """Return the epochs under a slider that several runs share, and the snapshot of each run there.

    A run that has none at an epoch shows its newest one before it.

    Parameters
    ----------
    runs : sequence of Run
    ready : sequence of sequences of Snapshot
        Per run, those that can be shown.
    n_points : int
        Of all maps together.
    """
    epochs = sorted(
        {round(snapshot.epoch, 4) for of_run in ready for snapshot in of_run}
        | {epoch for run in runs for epoch in _epochs_to_come(run)}
    )
    n_slots = min(len(epochs), most_slots(n_points))
    kept = [epochs[round(at)] for at in np.linspace(0, len(epochs) - 1, n_slots)]
    snapshots = [
        [max(s.index for s in of_run if s.epoch <= epoch + 1e-3) for epoch in kept]
        for of_run in ready
    ]
    return kept, snapshots


def _epochs_to_come(run: Run) -> list[float]:
    """Return when a live run will be captured: the slider has these positions from the start."""
    if not run.live:
        return []
    per_epoch, wanted = run.training["steps_per_epoch"], run.config.snapshots_per_epoch
    later = range(len(run.snapshots), run.training["n_snapshots"])
    return [round(round(index / wanted * per_epoch) / per_epoch, 4) for index in later]


def slider_label(epochs: Sequence[float]) -> str:
    """Return what a slider over these epochs counts."""
    whole = list(epochs) == list(range(len(epochs)))
    return "Epoch " if whole else "Snapshot "
