"""Looking at all that a run's folder holds, as page and command line do; damage may be told."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from layerviz import comparison, data, exploring, runs, separability, training
from layerviz.errors import LayervizError
from layerviz.projection import of_run
from layerviz.runs import Run
from layerviz.runs.layout import is_placed_test, map_parts, mix_parts
from layerviz.training.costs import pace_of


def look_at_all(root: Path, name: str) -> list[str]:
    """Look at a run in every way, and return the sentences that said what is damaged.

    Parameters
    ----------
    root : Path
        The folder of all runs.
    name : str
        Of the run's folder.

    Raises
    ------
    Exception
        Whatever is no `LayervizError`: a page would show it as a fault of the program.
    """
    folder = runs.runs_in(root)
    unreadable = [one.reason for one in folder.unreadable if one.name == name]
    said = [*unreadable]
    try:
        run = runs.read(root, name)
    except LayervizError as error:
        return [*said, str(error)]
    for look in _looks(run):
        try:
            look()
        except LayervizError as error:
            said.append(str(error))
    return said


def _looks(run: Run) -> Iterator[Callable[[], Any]]:
    path, layout = run.path, run.layout
    yield lambda: comparison.encoder_label(run)
    yield lambda: runs.summary_of(run)
    yield lambda: training.early_stop_of(run)
    yield lambda: (run.row_choices, run.reading_choices, run.contents, run.reads_pairs)
    yield lambda: data.Columns(**run.dataset["columns"])
    yield lambda: {split: sum(of.values()) for split, of in run.dataset["counts"].items()}
    yield lambda: runs.is_failed_start(run)
    yield lambda: pace_of([run], run.config.encoder)
    yield lambda: comparison.contenders_of([run])
    yield lambda: runs.read_examples(path)
    yield lambda: runs.read_history(path)
    yield lambda: runs.read_separability(path)
    yield lambda: runs.model_folders(run)
    yield lambda: exploring.stored_suspicious_labels(run)
    if run.snapshots:
        yield lambda: runs.model_snapshot(run)
        yield lambda: separability.read_sheet(run)
    for snapshot in run.snapshots:
        yield from _looks_at_snapshot(run, snapshot.index)
    for file in layout.maps.glob("*.safetensors"):
        read = of_run.read_stored_test if is_placed_test(file) else of_run.read_stored_maps
        yield partial(_read_map, run, file, read)
    for file in layout.mixes.glob("*.json"):
        yield partial(_read_mix, run, file)


def _looks_at_snapshot(run: Run, index: int) -> Iterator[Callable[[], Any]]:
    for read in (
        runs.read_predictions,
        runs.read_pooled,
        runs.read_probes,
        runs.read_probe_scores,
        runs.read_search_hits,
    ):
        yield partial(read, run.path, index)
    yield partial(runs.read_hidden_states, run.path, index, run.poolings[0], 1)


def _read_map(run: Run, file: Path, read: Callable[..., Any]) -> None:
    read(run, *map_parts(file))


def _read_mix(run: Run, file: Path) -> None:
    runs.read_mix(run.path, *mix_parts(file))
