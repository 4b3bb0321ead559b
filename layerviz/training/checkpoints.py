"""Checkpoints of the Trainer: written aside and renamed, and believed only when they are whole.

A checkpoint holds what the Trainer pickles (optimizer, scheduler, random state), so that it is
read only from a folder that this user wrote, never through a link; zips never hold one. Each
carries a list of its files with their SHA-256: what is missing, cut off, changed or added tells
itself, and the next older one that is whole is taken.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import nn
from transformers import Trainer

from layerviz import runs
from layerviz.errors import RunError

WHOLE = "files.json"  # in each checkpoint; written last
WEIGHTS, STATE = "model.safetensors", "trainer_state.json"
RANDOM, RANDOM_OF_FIRST = "rng_state.pth", "rng_state_0.pth"
PICKLED = ("optimizer.pt", "scheduler.pt", RANDOM)
NEEDED = (WEIGHTS, STATE, *PICKLED)
PREFIX = "checkpoint-"  # the Trainer's
NOT_YOURS = "does not belong to you"


@dataclass(frozen=True)
class Checkpoints:
    """What there is to go on from.

    Parameters
    ----------
    newest : Path or None
        The newest one that is whole; None where training begins anew.
    damaged : tuple of str
        What is wrong with those that are newer, each as "that of step 12 (optimizer.pt is
        missing)".
    """

    newest: Path | None
    damaged: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Say what was passed over, and where training goes on; "" where nothing was."""
        if not self.damaged:
            return ""
        one = len(self.damaged) == 1
        which = "; ".join(self.damaged)
        what = f"A checkpoint is damaged: {which}." if one else f"Checkpoints are damaged: {which}."
        if self.newest is None:
            return f"{what} Training began anew; snapshots that were captured are kept."
        return f"{what} Training went on from that of step {step_of(self.newest)}."


def find_checkpoints(resume: Path) -> Checkpoints:
    """Look for the newest whole checkpoint; nothing is changed or loaded."""
    if not resume.exists():
        return Checkpoints(None)
    if reason := _not_own(resume, stat.S_ISDIR):
        return Checkpoints(None, (f"the folder of all {reason}",))
    damaged: list[str] = []
    for checkpoint in sorted(resume.glob(f"{PREFIX}*"), key=step_of, reverse=True):
        fault = fault_of(checkpoint)
        if not fault:
            return Checkpoints(checkpoint, tuple(damaged))
        damaged.append(f"that of step {step_of(checkpoint)} ({fault})")
    return Checkpoints(None, tuple(damaged))


def last_checkpoint(resume: Path) -> str | None:
    """Return the newest whole checkpoint, as the Trainer wants it; None where there is none."""
    newest = find_checkpoints(resume).newest
    return None if newest is None else str(newest)


def step_of(checkpoint: Path) -> int:
    """Return the step that a checkpoint is named after; -1 where that is no number."""
    number = checkpoint.name.removeprefix(PREFIX)
    return int(number) if number.isdecimal() and number.isascii() else -1


def fault_of(checkpoint: Path) -> str:
    """Return what is wrong with a checkpoint; "" where it is whole."""
    if step_of(checkpoint) < 0:
        return "its name has no step"
    if reason := _not_own(checkpoint, stat.S_ISDIR):
        return f"it {reason}"
    try:
        names = {file.name for file in checkpoint.iterdir()}
        for name in sorted(names):
            if reason := _not_own(checkpoint / name, stat.S_ISREG):
                return f"{name:.80} {reason}"
        if missing := [name for name in NEEDED if name not in names]:
            return f"{missing[0]} is missing"
        if WHOLE in names:
            return _unlike_its_list(checkpoint, names - {WHOLE}) or _wrong_step(checkpoint)
        return _unreadable(checkpoint, names) or _wrong_step(checkpoint)
    except OSError as error:
        return f"it cannot be read: {error.strerror}"


def _not_own(path: Path, is_kind: Any) -> str:
    """Return why something is not to be read as a user's own; "" where it is."""
    status = path.lstat()
    if stat.S_ISLNK(status.st_mode):
        return "is a link"
    if not is_kind(status.st_mode):
        return "is no plain file or folder"
    return NOT_YOURS if hasattr(os, "geteuid") and status.st_uid != os.geteuid() else ""


def _unlike_its_list(checkpoint: Path, names: set[str]) -> str:
    try:
        listed = json.loads((checkpoint / WHOLE).read_text(encoding="utf-8"))
        digests = {str(name): str(digest) for name, digest in listed.items()}
    except (ValueError, AttributeError):
        return f"{WHOLE} cannot be read"
    if names != set(digests):
        name = sorted(names ^ set(digests))[0]
        return f"{name:.80} {'was added' if name in names else 'is missing'}"
    changed = [name for name in sorted(names) if _digest(checkpoint / name) != digests[name]]
    return f"{changed[0]:.80} is not as it was written" if changed else ""


def _unreadable(checkpoint: Path, names: set[str]) -> str:
    """Look into a checkpoint of an earlier version, which has no list of its files."""
    strange = [name for name in sorted(names) if name.endswith((".bin", ".pt", ".pth"))]
    strange = [name for name in strange if name not in (*PICKLED, "training_args.bin")]
    if strange:
        return f"{strange[0]:.80} was added"
    for name in PICKLED:  # zips, as torch writes them, with a checksum of each part
        try:
            with zipfile.ZipFile(checkpoint / name) as archive:
                if archive.testzip() is not None:
                    return f"{name} is damaged"
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, ValueError):
            return f"{name} is damaged"
    try:
        with safe_open(checkpoint / WEIGHTS, framework="np") as weights:
            if not list(weights.keys()):
                return f"{WEIGHTS} is empty"
    except SafetensorError:
        return f"{WEIGHTS} is damaged"
    return ""


def _wrong_step(checkpoint: Path) -> str:
    try:
        state = json.loads((checkpoint / STATE).read_text(encoding="utf-8"))
        step = state["global_step"]
    except (ValueError, KeyError, TypeError):
        return f"{STATE} cannot be read"
    return "" if step == step_of(checkpoint) else f"{STATE} is of another step"


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class CheckpointingTrainer(Trainer):
    """The Trainer, whose checkpoints come into being in one step."""

    _aside: Path | None = None

    def _get_output_dir(self, trial: Any) -> str:
        return super()._get_output_dir(trial) if self._aside is None else str(self._aside)

    def _save_rng_state(self, output_dir: str) -> None:
        super()._save_rng_state(output_dir)
        own = Path(output_dir) / RANDOM_OF_FIRST
        if own.exists():  # of one of several processes, which draw from their step's seed instead
            own.rename(own.with_name(RANDOM))

    def _save_checkpoint(self, model: nn.Module, trial: Any) -> None:
        if not self.args.should_save:
            self.store_flos()  # which all processes do together
            return
        resume = Path(self.args.output_dir or "")
        checkpoint = resume / f"{PREFIX}{self.state.global_step}"
        with runs.replacing(checkpoint) as self._aside:
            try:
                self._aside.mkdir()
                super()._save_checkpoint(model, trial)
                written = self._aside / checkpoint.name
                for file in list(written.iterdir()):
                    file.rename(self._aside / file.name)
                written.rmdir()
                digests = {file.name: _digest(file) for file in sorted(self._aside.iterdir())}
                text = json.dumps(digests, indent=2)
                (self._aside / WHOLE).write_text(text, encoding="utf-8")
            finally:
                self._aside = None
        for other in resume.glob(f"{PREFIX}*"):  # older ones, and damaged ones
            if other != checkpoint:
                with suppress(RunError):
                    runs.remove_folder(other)
