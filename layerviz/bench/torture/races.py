"""Several processes do something to one run at one moment: it stays whole, and losers are told."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from layerviz import runs
from layerviz.bench.torture.deaths import ends_as_undisturbed, prepared, whole_run
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.processes import at_one_moment, in_own_process
from layerviz.bench.torture.toys import fit_toy
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_run

EACH = 10  # attempts of each race and each number of processes
LATEST = 0.1  # seconds by which one may begin after another
DIES_AT = (20, 50)  # file operations of a run after which there is something to go on from
LOSES = (
    "Another layerviz process is ",
    "This run is still in progress.",
    "There is no run ",
    "The run ",  # ... was deleted
    "A run ",  # ... was started here while the zip was being unpacked
    "Another run ",  # ... already exists here
)


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:
    encoder, undisturbed = prepared(shared)
    root, rng = shared / "undisturbed", random.Random(seed)
    (run,) = runs.list_runs(root)
    zip_run(run, shared / "run.zip")
    for race in RACES_OF:
        for n in (2, 3):
            for number in range(EACH):
                delays = [rng.uniform(0, LATEST) for _ in range(n)]
                die_at = rng.randint(*DIES_AT)
                start = Start(undisturbed, encoder, tuple(delays), die_at)
                work = partial(RACES_OF[race], start)
                yield Attempt(f"{race}, {n} processes, {number}", work)


@dataclass(frozen=True)
class Start:
    """What the processes of a race begin with.

    Parameters
    ----------
    undisturbed : dict of str to str
        Digests of the files of a run that nobody disturbs.
    encoder : Path
    delays : tuple of float
        Seconds by which each process begins later than all are ready.
    die_at : int
        The file operation at which a run has died before, where it is to go on.
    """

    undisturbed: dict[str, str]
    encoder: Path
    delays: tuple[float, ...]
    die_at: int


def _start(start: Start, folder: Path) -> None:
    """Start the same run."""
    root = folder / "runs"
    outcomes = _meet([partial(fit_toy, root, start.encoder)] * len(start.delays), start.delays)
    expect(("result", "done") in outcomes, f"nobody has done it: {outcomes}")
    ends_as_undisturbed(root, start.encoder, start.undisturbed)


def _import(start: Start, folder: Path) -> None:
    """Import the same zip; whoever comes second has the run of the first."""
    root = folder / "runs"
    outcomes = _meet(
        [partial(_unzip, start.encoder.parent, root)] * len(start.delays), start.delays
    )
    expect(all(kind == "result" for kind, _ in outcomes), f"somebody lost: {outcomes}")
    files = in_own_process(whole_run, root)
    expect(files.keys() == start.undisturbed.keys(), "files are missing or left over")


def _import_and_start(start: Start, folder: Path) -> None:
    """Import a run that others start."""
    root = folder / "runs"
    starts = [partial(fit_toy, root, start.encoder)] * (len(start.delays) - 1)
    _meet([partial(_unzip, start.encoder.parent, root), *starts], start.delays)
    ends_as_undisturbed(root, start.encoder, start.undisturbed)


def _delete_and_resume(start: Start, folder: Path) -> None:
    """Delete a run that others go on with."""
    root = folder / "runs"
    in_own_process(fit_toy, root, start.encoder, die_at=start.die_at)
    runs.clean_up(root)
    (run,) = runs.list_runs(root)
    resumes = [partial(fit_toy, root, start.encoder)] * (len(start.delays) - 1)
    _meet([partial(runs.delete, root, run.run_id), *resumes], start.delays)
    ends_as_undisturbed(root, start.encoder, start.undisturbed)


def _delete_and_export(start: Start, folder: Path) -> None:
    """Delete a run that others zip, and delete, too."""
    root, target = folder / "runs", folder / "file.zip"
    shutil.copytree(start.encoder.parent / "undisturbed", root)
    (run,) = runs.list_runs(root)
    works = [partial(runs.delete, root, run.run_id), partial(_export, root, run.run_id, target)]
    outcomes = _meet([*works, works[0]][: len(start.delays)], start.delays)
    expect(not runs.list_runs(root), "the run is still there")
    names = {path.name for path in folder.iterdir()} - {"runs", "file.zip"}
    expect(not names, f"{sorted(names)[:1]} is left over")
    if outcomes[1][0] == "result":
        in_own_process(_opens, target, folder / "again")
    else:
        expect(not target.exists(), "half a zip is left")


def _meet(
    works: Sequence[Callable[[], object]], delays: Sequence[float]
) -> list[tuple[str, object]]:
    """Do works at one moment; each ends, or its loser is told in one sentence why not."""
    outcomes = at_one_moment(works, delays)
    for kind, value in outcomes:
        expect(kind != "error", f"it ends with {value}")
        if kind == "said":
            expect(str(value).startswith(LOSES), f"it says: {value}")
    return outcomes


def _unzip(shared: Path, root: Path) -> str:
    return unzip_run(shared / "run.zip", root).run_id


def _export(root: Path, run_id: str, target: Path) -> None:
    from layerviz.export import ExportRequest, write_export
    from layerviz.views import MapsRequest

    write_export(runs.read(root, run_id), "run_zip", target, ExportRequest(MapsRequest()))


def _opens(target: Path, root: Path) -> None:
    unzip_run(target, root)


RACES_OF: dict[str, Callable[..., None]] = {
    "start": _start,
    "import": _import,
    "import and start": _import_and_start,
    "delete and resume": _delete_and_resume,
    "delete and export": _delete_and_export,
}
RACES = Ordeal(
    "races",
    "two or three processes start, import, resume, export or delete one run at one moment; it is "
    "whole or gone, and who loses is told in one sentence",
    _attempts,
    in_suite=2,
)
