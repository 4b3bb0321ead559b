"""The folder of a run: made, taken up again, deleted; by one process at a time."""

from __future__ import annotations

import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz import __version__
from layerviz.config import RunConfig, run_id
from layerviz.errors import RunError
from layerviz.poolings import POOLINGS
from layerviz.runs.access import expect_changes_allowed
from layerviz.runs.layout import Layout, is_part
from layerviz.runs.locking import taken_error, taking
from layerviz.runs.processes import is_this_process, this_process
from layerviz.runs.record import Run, open_folder, read, read_values, update, write_values
from layerviz.runs.upgrading import FORMAT
from layerviz.runs.writing import make_root, remove_folder, replacing, writing
from layerviz.wording import quote

if TYPE_CHECKING:
    from layerviz.data import Dataset


def create(root: Path, config: RunConfig, dataset: Dataset) -> Run:
    """Make the folder of a run, or take up the one that already exists.

    The same data with the same config has the same id: a finished run is returned as it is,
    an unfinished one is queued again and will go on from what it holds. What is left of a run that
    was half deleted is removed first.

    Raises
    ------
    RunError
        If another process is computing this run, or the folder cannot be written.
    """
    path = root / run_id(config, dataset.name, dataset.fingerprint)
    if Layout(path).record.exists() and (run := read(root, path.name)).status == "done":
        return run
    make_root(root)
    with taking(path):  # between looking and writing, nobody else begins it
        if Layout(path).record.exists():
            return _taken_up(path)
        _remove_remains(path)
        with replacing(path) as folder:
            folder.mkdir()
            write_values(folder, _first_values(path.name, config, dataset))
    return read(root, path.name)


def _taken_up(path: Path) -> Run:
    run = open_folder(path)
    if run.status == "done":
        return run
    if run.live and not is_this_process(read_values(path)["process"]):
        raise taken_error(path)
    return update(path, status="queued", reason="", process=this_process())


def take(path: Path) -> Run:
    """Note that this process computes a run from now on; it must hold it (`computing`)."""
    expect_changes_allowed()
    return update(path, status="running", reason="", recurs=False, process=this_process())


def _remove_remains(path: Path) -> None:
    """Remove a folder without a record, if all that it holds are parts of a run."""
    if not path.is_dir():
        return
    with writing(path):
        strangers = [entry.name for entry in path.iterdir() if not is_part(entry.name)]
    if strangers:
        raise RunError(
            f"{path} is no run, and holds {quote(strangers[0])}.",
            "Move that folder elsewhere, then start the run again.",
        )
    remove_folder(path)


def _first_values(name: str, config: RunConfig, dataset: Dataset) -> dict[str, Any]:
    """Return the entries of ``run.json`` with which a run begins."""
    counts = dataset.counts()
    return {
        "format": FORMAT,
        "layerviz": __version__,
        "run_id": name,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "status": "queued",
        "reason": "",
        "process": this_process(),
        "seed": config.seed,
        "config": config.as_dict(),
        "label_names": list(dataset.label_names),
        "poolings": list(POOLINGS),
        "dataset": {
            "name": dataset.name,
            "fingerprint": dataset.fingerprint,
            "files": dataset.files,
            "contents": dataset.contents,
            "val_fraction": dataset.val_fraction,
            "id_column": dataset.id_column,
            "columns": dataset.columns.as_dict(),
            "row_choices": dataset.row_choices.as_dict(),
            "reading": {
                role: choices.as_dict() for role, choices in dataset.reading_choices.items()
            },
            "counts": {
                split: {str(name): int(n) for name, n in counts[split].items()}
                for split in counts.columns
            },
            "notes": list(dataset.notes),
        },
        "encoder": {},
        "training": {},
        "snapshots": [],
        "versions": _versions(),
    }


def delete(root: Path, run_id: str) -> None:
    """Remove a run's folder for good.

    It is moved aside first, so that there is never half a run under its name; what a process that
    dies leaves of it is removed at the next start.

    Raises
    ------
    RunError
        If the run is queued or going on, here or on another machine.
    """
    expect_changes_allowed()
    run = read(root, run_id)
    _refuse_live(run)  # before waiting for its lock
    with taking(run.path, "Wait for it to finish, or cancel it first, then delete it."):
        _refuse_live(read(root, run_id))  # somebody may have queued it meanwhile
        remove_folder(run.path)


def _refuse_live(run: Run) -> None:
    if run.live:
        raise RunError("This run is still in progress.", "Cancel it first, then delete it.")


def _versions() -> dict[str, str]:
    names = ("torch", "transformers", "scikit-learn", "numpy", "pandas", "openTSNE", "safetensors")
    return {"python": platform.python_version()} | {name: version(name) for name in names}
