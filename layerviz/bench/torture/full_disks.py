"""A disk that fills before each file operation of a run: one sentence, and it goes on with room."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from layerviz.bench.torture.deaths import ends_as_undisturbed, prepared
from layerviz.bench.torture.disks import fill, make_room, small_disk
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.processes import in_own_process, operations_of
from layerviz.bench.torture.toys import fit_toy
from layerviz.errors import DiskFullError


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:  # noqa: ARG001  all are made
    with small_disk(shared / "probe"):
        pass  # else nothing need be prepared
    encoder, undisturbed = prepared(shared)
    for index, operation in enumerate(operations_of(fit_toy, shared / "counted", encoder)):
        work = partial(_fill_and_go_on, undisturbed, encoder, index)
        yield Attempt(f"{index}, before {operation}", work)


def _fill_and_go_on(undisturbed: dict[str, str], encoder: Path, index: int, folder: Path) -> None:
    said = folder / "said"
    with small_disk(folder / "disk") as disk:
        root = disk / "runs"
        root.mkdir()
        outcome = in_own_process(
            _fit_or_say, root, encoder, said, at=index, then=partial(fill, disk)
        )
        text = said.read_text(encoding="utf-8")
        expect("Traceback" not in text, f"a traceback is printed: {text[-200:]}")
        if outcome != "done":  # after the last write, a full disk does no harm
            expect(outcome.startswith("The disk is full: "), f"it says: {outcome}")
            expect("start the same run again" in outcome or "then try again" in outcome, outcome)
        make_room(disk)
        ends_as_undisturbed(root, encoder, undisturbed)


def _fit_or_say(root: Path, encoder: Path, said: Path) -> str:
    with said.open("w", encoding="utf-8") as stream:
        os.dup2(stream.fileno(), 2)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        return fit_toy(root, encoder)
    except DiskFullError as error:
        return str(error)


FULL_DISKS = Ordeal(
    "full-disks",
    "the disk fills before each file operation of a run; one sentence says so, and with room the "
    "run is done, with the same files",
    _attempts,
    in_suite=1,
)
