"""Making a run: its settings from the command line, its folder, its training."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from layerviz.commands.bar import Bar
from layerviz.config import RunConfig
from layerviz.errors import LayervizError
from layerviz.progress import ShouldStop

if TYPE_CHECKING:
    from layerviz.data import Dataset
    from layerviz.runs import Run


def create_run(config: RunConfig, dataset: Dataset, root: Path) -> Run:
    """Return a run, new or as it is on disk; a folder that cannot be used is an error."""
    from layerviz import runs, training

    return runs.create(root, training.with_defaults(config), dataset)


def finish_run(run: Run, dataset: Dataset, should_stop: ShouldStop) -> Run:
    """Return the run when it is done, or was stopped.

    Raises
    ------
    LayervizError
        If it fails; the folder of a start of which nothing was captured is removed.
    """
    from layerviz import data, runs, training

    if run.status == "done":
        print(f"{run.run_id} already exists; nothing to compute.", file=sys.stderr)
        lacking = data.lacking_columns(runs.read_examples(run.path), dataset.examples)
        if lacking:
            print(lacking, file=sys.stderr)
        return run
    try:
        with Bar() as bar:
            return training.fit(run, dataset, on_progress=bar.show, should_stop=should_stop)
    except LayervizError:
        with suppress(LayervizError):
            if not runs.open_folder(run.path).snapshots:
                runs.delete(run.path.parent, run.run_id)
        raise
