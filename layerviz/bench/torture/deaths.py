"""A run dies at each of its file operations, starts again, and ends as if nothing had happened."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from layerviz import runs
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.processes import in_own_process, operations_of, preload
from layerviz.bench.torture.toys import fit_toy, toy_encoder
from layerviz.errors import LayervizError
from layerviz.export.checking import check_contents, check_record
from layerviz.runs.layout import HISTORY, RECORD

PRELOADED = ("layerviz.bench.torture.toys", "transformers.models.bert.modeling_bert")
NOT_COMPARED = (RECORD, HISTORY)  # they hold times, and rates that go on from one row to the next


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:  # noqa: ARG001  all are made
    encoder, undisturbed = prepared(shared)
    operations = operations_of(fit_toy, shared / "counted", encoder)
    for index, operation in enumerate(operations):
        work = partial(_die_and_go_on, undisturbed, encoder, index, False)
        yield Attempt(f"{index}, before {operation}", work)
        if operation.startswith("rename"):
            work = partial(_die_and_go_on, undisturbed, encoder, index, True)
            yield Attempt(f"{index}, while writing what is put in place by {operation}", work)


def prepared(shared: Path) -> tuple[Path, dict[str, str]]:
    """Return a tiny encoder, and the files of a run with it that nobody disturbs."""
    preload(PRELOADED)
    encoder = toy_encoder(shared)
    root = shared / "undisturbed"
    in_own_process(fit_toy, root, encoder)
    return encoder, in_own_process(whole_run, root)


def _die_and_go_on(
    undisturbed: dict[str, str], encoder: Path, index: int, is_torn: bool, folder: Path
) -> None:
    root = folder / "runs"
    in_own_process(fit_toy, root, encoder, die_at=index, is_torn=is_torn)
    in_own_process(_opens, root)
    ends_as_undisturbed(root, encoder, undisturbed)


def ends_as_undisturbed(root: Path, encoder: Path, undisturbed: dict[str, str]) -> None:
    """Let a run go on to its end, and compare it with one that nobody disturbed."""
    status = in_own_process(fit_toy, root, encoder)
    expect(status == "done", f"started again, the run ends as {status}")
    files = in_own_process(whole_run, root)
    for name in sorted(set(files) | set(undisturbed)):
        expect(name in files, f"{name} is missing")
        expect(name in undisturbed, f"{name} is left over")
        expect(files[name] == undisturbed[name], f"{name} is another than undisturbed")


def whole_run(root: Path) -> dict[str, str]:
    """Return the digests of all files of the only run, which must be whole, by their names."""
    (run,) = runs.list_runs(root)
    planned = run.training["n_snapshots"]
    expect(len(run.snapshots) == planned, f"{len(run.snapshots)} of {planned} snapshots are listed")
    check(run)
    names = {path.name for path in root.iterdir()} - {run.run_id, ".locks"}
    expect(not names, f"{sorted(names)[:1]} is left over")
    files = [path for path in sorted(run.path.rglob("*")) if path.is_file()]
    return {path.relative_to(run.path).as_posix(): _digest(path) for path in files}


def check(run: runs.Run) -> None:
    """Check a run as one from a zip is checked before it is opened."""
    check_record(runs.upgrade(_record(run)))
    check_contents(run.path, run)


def _record(run: runs.Run) -> dict[str, Any]:
    snapshots = [vars(snapshot) for snapshot in run.snapshots]
    return runs.read_values(run.path) | {"snapshots": snapshots}


def _digest(path: Path) -> str:
    if path.name in NOT_COMPARED:
        return ""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _opens(root: Path) -> None:
    """Open what is there as the page would: no run, one without snapshots, or whole ones."""
    runs.tidy(root)
    listed = runs.list_runs(root) if root.is_dir() else []
    expect(len(listed) < 2, "there are two runs")
    for run in listed:
        runs.summary_of(run)
        if run.snapshots:
            try:
                check(run)
            except LayervizError as error:
                expect(False, f"after it died, the run does not open: {error}")


DEATHS = Ordeal(
    "deaths",
    "a run dies before each of its file operations, and while it writes; started again, it is "
    "done, with the same files, and nothing is left over",
    _attempts,
    in_suite=2,
)
