"""What stands for what in a key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from layerviz import runs
from layerviz.comparison import Contender
from layerviz.data import Table
from layerviz.runs import Run


def _by_creation(run: Run) -> tuple[object, ...]:
    return run.run_id, run.created


def _by_snapshots(run: Run) -> tuple[object, ...]:
    return *_by_creation(run), len(run.snapshots)


def _by_measures(run: Run) -> tuple[object, ...]:
    return *_by_creation(run), runs.measured_snapshots(run)


def _by_standing(run: Run) -> tuple[object, ...]:
    """Return what a list says of a run, and the state of the file that it reads for that."""
    label = run.encoder.get("label")
    return *_by_snapshots(run), run.status, label, runs.history_version(run.path)


def by_contents(table: Table) -> tuple[object, ...]:
    return table.content_hash, table.name, table.choices


def _by_weights(folder: Path) -> tuple[object, ...]:
    return str(folder), runs.model_version(folder)


def by_measured_runs(contender: Contender) -> tuple[object, ...]:
    measured_runs = tuple(_by_creation(run) for run in contender.measured)
    return contender.name, measured_runs, contender.snapshots


Keys = dict[str | type[Any], Callable[[Any], Any]]

RUN: Keys = {Run: _by_creation}  # for what never changes once it exists
GROWING_RUN: Keys = {Run: _by_snapshots}  # for what covers all snapshots
LISTED_RUN: Keys = {Run: _by_standing}  # for what is said of it in a list
MEASURED_RUN: Keys = {Run: _by_measures}  # for what covers all measured snapshots
MODEL: Keys = {Run: _by_creation, type(Path()): _by_weights}
