"""Exports and imports that meet a full disk, or a limit of sizes, at each part of what they write.

One sentence says so, the older file stays, and nothing half is left beside it.
"""

from __future__ import annotations

import contextlib
import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from unittest import mock

from layerviz import runs
from layerviz.bench.torture.deaths import prepared, whole_run
from layerviz.bench.torture.disks import fill, make_room, small_disk
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.processes import in_own_process
from layerviz.errors import ConfigError, LayervizError
from layerviz.export import EXPORTS, CellRequest, ExportRequest, write_export, zip_reading
from layerviz.export.zip_writing import zip_run
from layerviz.runs.leftovers import LOCKS
from layerviz.views import MapsRequest

PARTS = 8  # of what is written: the disk is full after none of them, after one, and so on
IMPORT, FILE, ZIP = "import", "file", "run.zip"
OLDER = b"an older file"
# The toy has weights of its last epoch alone, and too few texts for slices.
CELL = CellRequest(layer=1, epoch=2.0)
NOT_TRIED = ("slices",)
FULL = "The disk is full: "
TOO_LARGE = "could not be written: it is larger than files may be here."


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:  # noqa: ARG001  all are made
    has_disks = False
    with contextlib.suppress(ConfigError), small_disk(shared / "probe"):
        has_disks = True
    prepared(shared)
    root = shared / "undisturbed"
    (run,) = runs.list_runs(root)
    zip_run(run, shared / ZIP)
    for name in (*(name for name in EXPORTS if name not in NOT_TRIED), IMPORT):
        for part in range(PARTS):
            work = partial(_meet_limit, root, run.run_id, name, part)
            yield Attempt(f"{name}, a limit after {part} of {PARTS} parts", work)
            if has_disks:
                work = partial(_meet_full_disk, root, run.run_id, name, part)
                yield Attempt(f"{name}, full after {part} of {PARTS} parts", work)


def _meet_limit(root: Path, run_id: str, name: str, part: int, folder: Path) -> None:
    said = in_own_process(_fail_and_go_on, folder, root, run_id, name, part, False)
    expect(TOO_LARGE in said, f"it says: {said}")


def _meet_full_disk(root: Path, run_id: str, name: str, part: int, folder: Path) -> None:
    with small_disk(folder / "disk") as disk:
        said = in_own_process(_fail_and_go_on, disk, root, run_id, name, part, True)
    expect(said.startswith(FULL), f"it says: {said}")
    expect("same run" not in said, f"it says: {said}")


def _fail_and_go_on(
    folder: Path, root: Path, run_id: str, name: str, part: int, fills: bool
) -> str:
    """Meet no room in the middle of a command, then make it again; return what it said."""
    place, written = folder / "place", folder / "written"
    place.mkdir()
    written.mkdir()
    _with_room(_work(name, root, run_id, written))
    sizes = [path.stat().st_size for path in written.rglob("*") if path.is_file()]
    shutil.rmtree(written)
    if name != IMPORT:
        (place / FILE).write_bytes(OLDER)
    work = _work(name, root, run_id, place)
    if fills:
        fill(folder, sum(sizes) * part // PARTS)
        # As if others had taken the room after it was looked for.
        with mock.patch.object(zip_reading, "_check_room"):
            lines = _said(work)
        make_room(folder)
    else:
        lines = _said(work, max(sizes) * part // PARTS)
    expect(len(lines) == 1, f"it says: {lines}")
    names = {path.name for path in place.iterdir()} - {LOCKS}
    if name != IMPORT:
        expect((place / FILE).read_bytes() == OLDER, "the older file is another now")
        names -= {FILE}
    expect(not names, f"{sorted(names)[:1]} is left over")
    _with_room(work)
    if name == IMPORT:
        whole_run(place)
    else:
        expect((place / FILE).read_bytes() != OLDER, "with room, the older file stays")
    return lines[0]


def _with_room(work: Callable[[], object]) -> None:
    """Do what nothing hinders."""
    lines = _said(work)
    expect(not lines, f"with room, it says: {lines}")


def _work(name: str, root: Path, run_id: str, place: Path) -> Callable[[], object]:
    if name == IMPORT:
        return partial(zip_reading.unzip_run, root.parent / ZIP, place)
    request = ExportRequest(MapsRequest(), cell=CELL)
    return partial(write_export, runs.read(root, run_id), name, place / FILE, request)


def _said(work: Callable[[], object], limit: int | None = None) -> list[str]:
    """Do work; return the lines that people read, with what a library or Python complains of."""
    ours, theirs = os.pipe()  # to which no limit of sizes applies
    os.dup2(theirs, 2)
    os.close(theirs)
    with _limited(limit):
        try:
            work()
        except LayervizError as error:
            sys.stderr.write(f"{error}\n")
        gc.collect()  # whatever is closed only now may complain, too
    sys.stderr.flush()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    os.set_blocking(ours, False)  # what a library has started may hold the other end open
    said = b""
    with contextlib.suppress(BlockingIOError):
        while part := os.read(ours, 1 << 16):
            said += part
    os.close(ours)
    return said.decode().splitlines()


@contextlib.contextmanager
def _limited(limit: int | None) -> Iterator[None]:
    if limit is None:
        yield
        return
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


FULL_EXPORTS = Ordeal(
    "full-exports",
    "the disk is full, or a limit of sizes is met, after each eighth of what an export or an "
    "import writes; one sentence says so, the older file stays, nothing is left beside it, and "
    "with room it is done",
    _attempts,
    in_suite=2,
)
