"""A deletion dies at each of its file operations: the run is whole or gone, never half."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from layerviz import runs
from layerviz.bench.torture.deaths import prepared, whole_run
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.processes import in_own_process, operations_of


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:  # noqa: ARG001  all are made
    prepared(shared)
    root = shared / "undisturbed"
    (run,) = runs.list_runs(root)
    copy = shared / "copy"
    shutil.copytree(root, copy)
    for index, operation in enumerate(operations_of(runs.delete, copy, run.run_id)):
        yield Attempt(f"{index}, before {operation}", partial(_die_deleting, root, index))


def _die_deleting(undisturbed: Path, index: int, folder: Path) -> None:
    root = folder / "runs"
    shutil.copytree(undisturbed, root)
    (run,) = runs.list_runs(root)
    in_own_process(runs.delete, root, run.run_id, die_at=index)
    if runs.list_runs(root):
        in_own_process(whole_run, root)
        runs.delete(root, run.run_id)
    expect(not run.path.exists(), "the folder is still there, and is not listed")
    in_own_process(runs.clean_up, root)
    names = {path.name for path in root.iterdir()} - {".locks"}
    expect(not names, f"{sorted(names)[:1]} is left over after the next start")


DELETIONS = Ordeal(
    "deletions",
    "a deletion dies before each of its file operations; the run is whole or gone, and the next "
    "start removes the rest",
    _attempts,
    in_suite=2,
)
