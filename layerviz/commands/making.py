"""Making a run: its settings from the command line, its folder, its training."""

from __future__ import annotations

import dataclasses
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from layerviz.commands.bar import Bar
from layerviz.config import SETTINGS, RunConfig, run_id
from layerviz.errors import LayervizError
from layerviz.progress import ShouldStop

if TYPE_CHECKING:
    from layerviz.data import Dataset
    from layerviz.runs import Run


def create_run(config: RunConfig, dataset: Dataset, root: Path) -> Run:
    """Return a run, new or as it is on disk; a folder that cannot be used is an error."""
    from layerviz import cluster, runs, training

    leader = cluster.leader()
    if leader is not None:
        training.expect_even_shares(config, leader.world_size)
    config = training.with_defaults(config)
    run = runs.create(root, config, dataset)
    if run.status == "queued" and not run.snapshots:
        _tell_of_earlier_run(config, dataset, root)
    return run


def _tell_of_earlier_run(config: RunConfig, dataset: Dataset, root: Path) -> None:
    """Name a run that the same command began before a setting was there, and did not finish."""
    from layerviz import runs

    since = [entry for entry in SETTINGS.values() if entry.in_earlier_runs is not None]
    changed = {entry.name: entry.in_earlier_runs for entry in since}
    with suppress(LayervizError):  # mostly, because there is none
        former = dataclasses.replace(config, **changed)
        earlier = runs.read(root, run_id(former, dataset.name, dataset.fingerprint))
        if former != config and earlier.status in ("cancelled", "failed"):
            words = " ".join(word for entry in since for word in entry.words(entry.in_earlier_runs))
            print(
                f"{earlier.run_id}, the same run with {words}, is not finished. This is a new run; "
                f"add {words} to continue that one instead.",
                file=sys.stderr,
            )


def finish_run(run: Run, dataset: Dataset, should_stop: ShouldStop) -> Run:
    """Return the run when it is done, or was stopped.

    Raises
    ------
    LayervizError
        If it fails; the folder of a start of which nothing was captured is removed.
    """
    from layerviz import cluster, data, runs, training

    if run.status == "done":
        print(f"{run.run_id} already exists; nothing to compute.", file=sys.stderr)
        lacking = data.lacking_columns(runs.read_examples(run.path), dataset.examples)
        if lacking:
            print(lacking, file=sys.stderr)
        return run
    if leader := cluster.leader():
        shared = f"{leader.world_size} processes share the run: each takes "
        batch = run.config.batch_size
        shared += f"{batch // leader.world_size} of the {batch} examples of a batch."
        print(shared, file=sys.stderr)
    try:
        with Bar() as bar:
            return training.fit(run, dataset, on_progress=bar.show, should_stop=should_stop)
    except LayervizError:
        with suppress(LayervizError):
            if not runs.open_folder(run.path).snapshots:
                runs.delete(run.path.parent, run.run_id)
        raise
