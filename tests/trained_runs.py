"""Training that was done before, for another test, is not done again: its run is copied."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from shelf import shelved

from layerviz import runs, training
from layerviz.data import Dataset
from layerviz.runs import Run

TAKEN = ("status", "reason", "encoder", "training", "snapshots")  # of the record
_fit = training.fit


def fit_once(run: Run, dataset: Dataset, **settings: Any) -> Run:
    """Do what `training.fit` does, or take the files that it left where the same run was trained.

    It stands in for `training.fit` in tests of what comes after it. A run that goes on from what it
    holds is trained in any case. Encoders must be those of the package, as the run's id, under
    which its files are found again, tells nothing else.
    """
    if run.snapshots:
        return _fit(run, dataset, **settings)

    def make(folder: Path) -> None:
        shutil.copytree(_fit(run, dataset, **settings).path, folder, dirs_exist_ok=True)

    trained = shelved(f"trained {run.run_id}", make)
    return taken(trained, run)


def taken(trained: Path, run: Run) -> Run:
    """Fill a run that was just created with the files of one that was trained."""
    record = runs.Layout(trained).record
    values = json.loads(record.read_text(encoding="utf-8"))
    shutil.copytree(
        trained, run.path, ignore=shutil.ignore_patterns(record.name), dirs_exist_ok=True
    )
    return runs.update(run.path, **{name: values[name] for name in TAKEN})
