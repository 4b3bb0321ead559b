"""The snapshots of a run: what is on disk and whole counts, whether it is listed yet or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerviz.runs.layout import Layout


@dataclass(frozen=True)
class Snapshot:
    """One captured moment of a run.

    Parameters
    ----------
    index : int
        Its folder's number; 0 is before training.
    step : int
        Optimizer steps done by then.
    epoch : float
        Passes over the training examples done by then.
    """

    index: int
    step: int
    epoch: float


def has_snapshot(path: Path, index: int) -> bool:
    """Return whether a snapshot exists and is whole, as far as its files say of themselves."""
    import pyarrow
    import pyarrow.parquet
    from safetensors import SafetensorError, safe_open

    layout = Layout(path)
    try:
        with safe_open(layout.hidden_states(index), framework="np"):
            pass  # its header was checked against its size
        pyarrow.parquet.read_metadata(layout.predictions(index))
    except (OSError, SafetensorError, pyarrow.ArrowException, ValueError):
        return False
    return True


def with_unlisted(
    path: Path, listed: Sequence[Snapshot], training: dict[str, Any]
) -> tuple[Snapshot, ...]:
    """Return the snapshots that a record lists, and those on disk that it was not told of.

    A process may die, or the disk be full, after a snapshot was put in its place and before the
    record says so. At which step it was captured is in the plan that the run began with.

    Parameters
    ----------
    path : Path
        The run's folder.
    listed : sequence of Snapshot
    training : dict
        Of the record.
    """
    steps, per_epoch = training.get("snapshot_steps", []), training.get("steps_per_epoch", 1)
    if len(listed) >= len(steps):
        return tuple(listed)
    try:
        names = {folder.name for folder in Layout(path).snapshots.iterdir()}
    except OSError:
        return tuple(listed)
    snapshots = {snapshot.index: snapshot for snapshot in listed}
    for index, step in enumerate(steps):
        named = index not in snapshots and Layout(path).snapshot(index).name in names
        if named and has_snapshot(path, index):
            snapshots[index] = Snapshot(index, step, step / per_epoch)
    return tuple(snapshots[index] for index in sorted(snapshots))
