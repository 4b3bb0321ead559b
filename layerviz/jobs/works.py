"""What workers are given to do, each as a function of how it reports and when it stops."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from layerviz import exploring, runs, separability, training
from layerviz.data import Dataset, HubName, download_dataset
from layerviz.errors import Cancelled, RunError
from layerviz.jobs.worker import Work
from layerviz.progress import OnProgress, ShouldStop, part_of
from layerviz.projection.of_run import update_stored_maps, update_stored_test
from layerviz.runs import Run

SHEET_TRIES = 2  # measures that arrive while a sheet is made put it out of date at once


def measure_work(run: Run) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        training.measure_missing(run, on_progress=on_progress, should_stop=should_stop)

    return work


def answer_work(run: Run, poolings: Sequence[str]) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:  # noqa: ARG001
        for _ in range(SHEET_TRIES):
            separability.current_sheet(run, poolings)
            stored = separability.read_sheet(run, poolings)
            if stored is not None and stored.is_current:
                return
        raise RunError(
            "The answer could not be stored with the run.",
            f"Make {run.path.name} in the runs folder writable, then start layerviz again.",
        )

    return work


def rank_work(run: Run) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:  # noqa: ARG001
        exploring.store_suspicious_labels(run)

    return work


def search_work(run: Run, snapshot: int, pooling: str) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        examples = runs.read_examples(run.path)
        mix = separability.search_mix(
            runs.read_pooled(run.path, snapshot)[pooling],
            examples["label"].to_numpy(),
            examples["split"].to_numpy(),
            seed=run.config.seed,
            on_progress=on_progress,
            should_stop=should_stop,
        )
        runs.write_mix(run.path, snapshot, pooling, vars(mix))

    return work


def download_work(root: Path, name: HubName, keys: dict[str, str]) -> Work:
    """Download a data set, keep it as a file is kept, and write its key under its name."""

    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        content = download_dataset(name, on_progress, should_stop, most_bytes=runs.MOST_BYTES)
        keys[str(name)] = runs.keep_table(root, content, str(name))

    return work


def fit_work(run: Run, dataset: Dataset) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        finished = training.fit(run, dataset, on_progress=on_progress, should_stop=should_stop)
        if finished.status == "cancelled":
            raise Cancelled

    return work


def maps_work(run: Run, projection: str, pooling: str, layer: int) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        update_stored_maps(
            run, projection, pooling, layer, on_progress=on_progress, should_stop=should_stop
        )

    return work


def placing_work(run: Run, projection: str, pooling: str, layer: int) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        for part, update in enumerate((update_stored_maps, update_stored_test)):
            update(
                run,
                projection,
                pooling,
                layer,
                on_progress=part_of(on_progress, part, 2),
                should_stop=should_stop,
            )

    return work
