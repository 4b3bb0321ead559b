"""The record of a run while it is written: whole at any moment, the old one or the new one."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from layerviz import runs
from layerviz.bench.torture.deaths import in_own_process, operations_of, preload
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.toys import toy_run

OLD, NEW = "before", "after"


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:  # noqa: ARG001  there is no chance in it
    preload(["layerviz.bench.torture.toys"])
    for index, operation in enumerate(operations_of(_renamed, _fresh(shared))):
        yield Attempt(f"{index}, {operation.split()[0]}", partial(_try, at=index))


def _fresh(folder: Path) -> Path:
    run = toy_run(folder)
    runs.rename(folder, run.run_id, OLD)
    return run.path


def _renamed(path: Path) -> None:
    runs.rename(path.parent, path.name, NEW)


def _try(folder: Path, at: int) -> None:
    path = _fresh(folder)
    in_own_process(_renamed, path, die_at=at)
    title = runs.open_folder(path).title
    expect(title in (OLD, NEW), f"the title is {title!r}")


RECORDS = Ordeal(
    "records",
    "a process dies at each file operation of a change to run.json, which stays whole",
    _attempts,
)
