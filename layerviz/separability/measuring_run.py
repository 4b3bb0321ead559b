"""The measures of a run's snapshots, stored with it."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from layerviz import runs
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.runs import Run
from layerviz.separability.measuring import measure_layers


def measure_snapshot(
    run: Run,
    index: int,
    *,
    pooled: Mapping[str, np.ndarray] | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> None:
    """Measure one snapshot in the full hidden size and store the result.

    Parameters
    ----------
    run : Run
    index : int
        A snapshot that is on disk, and so is the first one.
    pooled : mapping of str to ndarray of shape (L + 1, N, D), float16, optional
        Its hidden states per pooling, if they are in memory; else they are read.
    on_progress : callable
        Called with a `Progress` that counts cells.
    should_stop : callable
        Asked before each cell.

    Raises
    ------
    Cancelled
        If `should_stop` answers true; nothing is stored then.
    """
    if pooled is None:
        pooled = runs.read_pooled(run.path, index)
    measured = measure_layers(
        dict(sorted(pooled.items())),  # as they lie in the file: rows come in the same order
        runs.read_examples(run.path),
        runs.read_predictions(run.path, index)["predicted"].to_numpy(),
        # Read each time: kept in memory all through training, it would take as much as a snapshot.
        first=runs.read_pooled(run.path, 0) if index else None,
        seed=run.config.seed,
        n_classes=len(run.label_names),
        on_progress=on_progress,
        should_stop=should_stop,
    )
    runs.write_measures(
        run.path, index, measured.table, measured.predicted, measured.scores, measured.hits
    )
