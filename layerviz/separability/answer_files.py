"""What was answered, in a run's folder: read in milliseconds where making it anew takes seconds.

An answer is stored beside what it was made from, and by which code. Where any of that has changed,
it is out of date.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from layerviz import runs
from layerviz.errors import RunError
from layerviz.runs import Run
from layerviz.runs.writing import replacing
from layerviz.source_code import code_version


@dataclass(frozen=True)
class StoredAnswer:
    """An answer as it was stored.

    Parameters
    ----------
    content : object
        As JSON gives it back.
    made_from : dict
        As it was given to `write_answer`.
    """

    content: Any
    made_from: dict[str, Any]


def read_answer(file: Path) -> StoredAnswer | None:
    """Return what is stored, current or not; None without, or where other code made it."""
    try:
        stored = json.loads(file.read_text(encoding="utf-8"))
        if stored["code"] != code_version():
            return None
        return StoredAnswer(stored["content"], stored["made_from"])
    except (OSError, ValueError, TypeError, KeyError):  # none, or cut or changed by hand
        return None


def write_answer(
    file: Path,
    made_from: dict[str, Any],
    content: object,
    default: Callable[[object], object] | None = None,
) -> None:
    """Store an answer; where the folder cannot be written, the next reader makes it again.

    Parameters
    ----------
    file : Path
        In the run's folder of answers.
    made_from : dict
        What it depends on, of plain values.
    content : object
        What `json` writes.
    default : callable, optional
        As `json.dumps` takes it.
    """
    stored = {"code": code_version(), "made_from": made_from, "content": content}
    with suppress(RunError), replacing(file) as temporary:
        temporary.write_text(json.dumps(stored, default=default), encoding="utf-8")


def sheet_sources(run: Run) -> dict[str, Any]:
    """Return what an answer sheet depends on, as JSON gives it back."""
    files = {index: run.layout.probes(index) for index in runs.measured_snapshots(run)}
    return {
        "created": run.created,
        "planned": run.training.get("n_snapshots"),
        "model": runs.model_snapshot(run) if run.snapshots else None,
        "measures": [[index, *_state_of(file)] for index, file in files.items()],
    }


def report_sources(run: Run) -> dict[str, Any]:
    """Return what a whole report depends on: every file of the run that it is read from."""
    layout = run.layout
    files = [layout.record, layout.examples, layout.measures]
    files += [layout.predictions(one.index) for one in run.snapshots]
    return {
        **sheet_sources(run),
        "folder": str(run.path),  # it is named
        "status": run.status,
        "files": [[file.name, *_state_of(file)] for file in files],
    }


def _state_of(file: Path) -> tuple[int, int]:
    """Return what changes with a file; nothing is read for it."""
    try:
        stat = file.stat()
    except FileNotFoundError:
        return 0, 0
    return stat.st_mtime_ns, stat.st_size
