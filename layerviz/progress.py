"""How far a piece of long work is, and how it is asked to stop: one set of words for all of it.

Whatever takes long has the arguments ``on_progress: OnProgress = ignore`` and
``should_stop: ShouldStop = never``. A new phase is one :class:`Phase` below; page and command
line read from it what to say.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from layerviz.errors import Cancelled


@dataclass(frozen=True)
class Phase:
    """What is being done.

    Parameters
    ----------
    name : str
        One word, which the command line shows.
    text : str
        What the page says, in lower case; ``{done}`` and ``{total}`` stand for the counts. Empty
        where step, epoch and the time left say it all.
    unit : str
        What is counted, in the plural; empty where nothing is.
    scale : int
        Counts that make one unit: a million bytes are one MB.
    """

    name: str
    text: str = ""
    unit: str = ""
    scale: int = 1


STEPS = "steps"
MEGABYTE = 1_000_000  # bytes

WAITING = Phase("waiting", "waiting for its turn")
LOADING = Phase("loading", "loading the encoder")
DOWNLOADING = Phase("downloading", "downloading the encoder: {done} of {total} MB", "MB", MEGABYTE)
FETCHING = Phase("fetching", "downloading the data set: {done} of {total} MB", "MB", MEGABYTE)
PREPARING = Phase("preparing", "turning texts into tokens")
TEACHING = Phase("teaching", "computing the teacher's vectors {done} / {total}", "texts")
WORDS = Phase("words", unit=STEPS)
TRAINING = Phase("training", unit=STEPS)
CAPTURING = Phase("capturing", "capturing hidden states {done} / {total}", "examples")
MEASURING = Phase("measuring", "measuring layers {done} / {total}", "layers")
SAVING = Phase("saving", "saving", STEPS)
MIXING = Phase("mixing", "searching: probing mixes on the inner folds of train", "mixes")
MAPPING = Phase("mapping", "computing the maps: {done} %", "%")
DRAWING = Phase("drawing", "drawing the maps: {done} of {total} layers", "layers")
ANIMATING = Phase("animating", "drawing the animation: {done} of {total} frames", "frames")
CHECKING = Phase("checking", "trying the model on captured examples {done} / {total}", "examples")
PACKING = Phase("packing", "packing: {done} of {total} MB", "MB", MEGABYTE)
UNPACKING = Phase("unpacking", "unpacking and checking: {done} of {total} MB", "MB", MEGABYTE)


@dataclass(frozen=True)
class Progress:
    """Where a piece of work stands, for a progress bar.

    Parameters
    ----------
    phase : Phase
        What is being done.
    done, total : int
        Counted as the phase says: bytes where its unit is MB, percent, or units themselves.
    step, total_steps : int
        Optimizer steps of the whole training, whatever the phase; 0 of 0 where there is none or
        they are not known yet.
    epoch : float
        Passes over the training examples done.
    loss : float or None
        The newest recorded training loss.
    seconds_left : float or None
        Of the whole work, all its phases included; None where that is not known.
    share : float or None
        Of the whole work that is done, all its phases included, 0 to 1; None where steps or
        counts tell it.
    """

    phase: Phase = WAITING
    done: int = 0
    total: int = 0
    step: int = 0
    total_steps: int = 0
    epoch: float = 0.0
    loss: float | None = None
    seconds_left: float | None = None
    share: float | None = None

    @property
    def fraction(self) -> float:
        """How much is done, 0 to 1: the share, else of all steps, else of what is counted."""
        if self.share is not None:
            return self.share
        done, total = self.done, self.total
        if self.total_steps:
            done, total = self.step, self.total_steps
        return min(1.0, done / max(1, total))

    @property
    def sentence(self) -> str:
        """What the page says beside its bar."""
        parts = []
        if self.total_steps:
            parts += [f"step {self.step:,} / {self.total_steps:,}", f"epoch {self.epoch:.2f}"]
            if self.loss is not None:
                parts.append(f"loss {self.loss:.3f}")
        if self.phase.text:
            done, total = self._in_units()
            parts.append(self.phase.text.format(done=done, total=total))
        if self.seconds_left:
            parts.append(f"about {duration(self.seconds_left)} left")
        sentence = " · ".join(parts)
        return sentence[:1].upper() + sentence[1:]

    @property
    def postfix(self) -> str:
        """What the command line says behind its bar of steps."""
        if self.phase.unit == STEPS:
            loss = "" if self.loss is None else f", loss {self.loss:.3f}"
            return f"epoch {self.epoch:.2f}{loss}"
        return f"{'/'.join(self._in_units())} {self.phase.unit}" if self.phase.unit else ""

    @property
    def overview(self) -> str:
        """What the command line says behind a bar of the whole work."""
        parts = []
        if self.total_steps:
            parts.append(f"step {self.step}/{self.total_steps}")
        parts += [self.postfix] if self.postfix else []
        if self.seconds_left:
            parts.append(f"about {duration(self.seconds_left)} left")
        return ", ".join(parts)

    def _in_units(self) -> tuple[str, str]:
        scale = self.phase.scale
        return f"{self.done / scale:,.0f}", f"{self.total / scale:,.0f}"


OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


def ignore(progress: Progress) -> None:
    """Show nothing."""


def never() -> bool:
    """Let the work go on."""
    return False


def stop_if_asked(should_stop: ShouldStop) -> None:
    """Raise `Cancelled` if the work is asked to stop."""
    if should_stop():
        raise Cancelled


def part_of(on_progress: OnProgress, index: int, n_parts: int) -> OnProgress:
    """Return what to tell one of several equally long parts, so that all are counted as one.

    Parameters
    ----------
    on_progress : callable
        Called with the progress of all parts together.
    index : int
        How many parts are done.
    n_parts : int
    """

    def report(progress: Progress) -> None:
        done, total = index * progress.total + progress.done, n_parts * progress.total
        on_progress(replace(progress, done=done, total=total))

    return report


def duration(seconds: float) -> str:
    """Say how long something takes."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
