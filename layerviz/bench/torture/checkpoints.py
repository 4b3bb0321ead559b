"""A checkpoint is damaged, one file at a time: it is passed over, and that is told."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from layerviz import runs, training
from layerviz.bench.torture.deaths import ends_as_undisturbed, prepared
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.processes import in_own_process
from layerviz.bench.torture.toys import toy_dataset, toy_run
from layerviz.progress import Progress
from layerviz.training.checkpoints import WHOLE

STOPPED_AT = 4  # steps: there is a checkpoint of then
# Earlier versions wrote no such list: what is in the checkpoint is looked into instead.
NOT_TOLD = {(WHOLE, "missing")}


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:
    encoder, undisturbed = prepared(shared)
    root = shared / "stopped"
    in_own_process(_stop, root, encoder)
    (checkpoint,) = root.glob("*/resume/checkpoint-*")
    damages = _damages(seed)
    for file in sorted(checkpoint.iterdir()):
        for name, damage in damages.items():
            is_told = (file.name, name) not in NOT_TOLD
            work = partial(
                _damage_and_go_on, root, encoder, undisturbed, file.name, damage, is_told
            )
            yield Attempt(f"{file.name} {name}", work)
    for name, damage in _OF_FOLDERS.items():
        work = partial(_damage_and_go_on, root, encoder, undisturbed, "", damage, True)
        yield Attempt(f"the folder {name}", work)


def _stop(root: Path, encoder: Path) -> None:
    steps = 0

    def see(progress: Progress) -> None:
        nonlocal steps
        steps = progress.step

    run = toy_run(root, encoder)
    stopped = training.fit(
        run, toy_dataset(), on_progress=see, should_stop=lambda: steps >= STOPPED_AT - 1
    )
    expect(stopped.status == "cancelled", f"the run is {stopped.status}")


def _damage_and_go_on(
    stopped: Path,
    encoder: Path,
    undisturbed: dict[str, str],
    name: str,
    damage: Callable[[Path], None],
    is_told: bool,
    folder: Path,
) -> None:
    root = folder / "runs"
    shutil.copytree(stopped, root)
    (checkpoint,) = root.glob("*/resume/checkpoint-*")
    damage(checkpoint / name if name else checkpoint)
    ends_as_undisturbed(root, encoder, undisturbed)
    (run,) = runs.list_runs(root)
    told = run.training.get("passed_over")
    expect(told or not is_told, "nobody was told that the checkpoint is damaged")


# --- damages ----------------------------------------------------------------------------------


def _damages(seed: int) -> dict[str, Callable[[Path], None]]:
    rng = random.Random(seed)
    return {
        "missing": Path.unlink,
        "empty": _emptied,
        "cut in half": _halved,
        "without its last byte": _shortened,
        "longer": _lengthened,
        "with another byte": partial(_flipped, rng.random()),
        "of zeros": _zeroed,
        "of text": _overwritten,
        "a link": _linked,
        "a folder": _folder_instead,
    }


def _emptied(file: Path) -> None:
    file.write_bytes(b"")


def _halved(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def _shortened(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:-1])


def _lengthened(file: Path) -> None:
    file.write_bytes(file.read_bytes() + b"\0")


def _flipped(place: float, file: Path) -> None:
    content = bytearray(file.read_bytes())
    content[int(place * len(content))] ^= 0xFF
    file.write_bytes(content)


def _zeroed(file: Path) -> None:
    file.write_bytes(bytes(file.stat().st_size))


def _overwritten(file: Path) -> None:
    file.write_text('{"global_step": 4}')


def _linked(file: Path) -> None:
    elsewhere = file.parents[4] / file.name  # beside the folder of all runs
    file.rename(elsewhere)
    file.symlink_to(elsewhere)


def _folder_instead(file: Path) -> None:
    file.unlink()
    file.mkdir()


def _pickle_added(folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04N.")


def _folder_linked(folder: Path) -> None:
    elsewhere = folder.parents[3] / "elsewhere"
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


def _folder_of_another_step(folder: Path) -> None:
    folder.rename(folder.with_name("checkpoint-5"))


def _folder_empty(folder: Path) -> None:
    for file in folder.iterdir():
        file.unlink()


def _folder_of_another_user(folder: Path) -> None:
    if os.geteuid() == 0:  # nobody else can give a file away
        os.chown(folder, 65534, 65534)
    else:
        _folder_empty(folder)


_OF_FOLDERS: dict[str, Callable[[Path], None]] = {
    "with a pickle added": _pickle_added,
    "behind a link": _folder_linked,
    "of another step": _folder_of_another_step,
    "empty": _folder_empty,
    "of another user": _folder_of_another_user,
}

CHECKPOINTS = Ordeal(
    "checkpoints",
    "a file of a checkpoint is damaged; the run says so, goes on from an older one or anew, and "
    "ends with the same weights",
    _attempts,
    in_suite=1,
)
