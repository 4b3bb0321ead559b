"""How much of a run is done and how long the rest takes: steps, captures and measures together."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

from layerviz import runs
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.encoders import EncoderInfo
from layerviz.progress import DOWNLOADING, OnProgress, Progress
from layerviz.runs import Run
from layerviz.training.costs import MODELLED, PARTS, Pace, RunSeconds, expected_seconds, pace_of

DOWNLOAD_SHARE = 0.1  # of the bar, where an encoder has to be downloaded
UNKNOWN = RunSeconds(step=1.0, capture=10.0, measure=10.0, n_steps=0, n_snapshots=0)
BELIEF = {"step": 1.0, "capture": 0.1, "measure": 0.1}  # units that an estimate weighs


@dataclass
class _Part:
    """One kind of work: how much of it there is, and how long it took so far."""

    expected: float  # seconds per unit, before any was timed
    belief: float
    total: int
    done: float
    timed: float = 0.0
    seconds: float = 0.0
    begun_at: float | None = None
    fraction: float = 0.0  # of the unit that is going on

    def pace(self, now: float) -> float:
        """Return seconds per unit: the estimate at first, what was timed in the end."""
        going_on = 0.0 if self.begun_at is None else now - self.begun_at
        seconds = self.expected * self.belief + self.seconds + going_on
        return seconds / (self.belief + self.timed + self.fraction)

    @property
    def mean(self) -> float:
        """Seconds per timed unit; 0 if none was."""
        return self.seconds / self.timed if self.timed else 0.0


class Timetable:
    """The work of a run: what is ahead is estimated first, and learned while it is done.

    Parameters
    ----------
    expected : RunSeconds
        Estimates, and how much there is to do in all.
    done : dict of str to int
        Steps, captures and measures that an earlier part of the run has done, by the names
        ``step``, ``capture`` and ``measure``.
    share_before : float
        Of the whole bar that was filled before the first step, by a download.
    clock : callable
        Returns seconds.
    """

    def __init__(
        self,
        expected: RunSeconds,
        done: dict[str, int],
        share_before: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        totals = {"step": expected.n_steps}
        self._parts = {
            name: _Part(
                getattr(expected, name),
                BELIEF[name],
                max(totals.get(name, expected.n_snapshots), done[name]),
                done[name],
            )
            for name in PARTS
        }
        self._share_before, self._clock = share_before, clock
        self._share = share_before

    def start_at(self, step: int) -> None:
        """Note how many steps an earlier part of the run has done."""
        self._parts["step"].done = step

    def begin(self, name: str) -> None:
        """Note that a step, a capture or the measures of a snapshot begin."""
        part = self._parts[name]
        part.begun_at, part.fraction = self._clock(), 0.0

    def advance(self, name: str, fraction: float) -> None:
        """Note how much of it is done, 0 to 1."""
        self._parts[name].fraction = min(1.0, fraction)

    def end(self, name: str) -> None:
        """Note that it is done."""
        part = self._parts[name]
        if part.begun_at is not None:
            part.seconds += self._clock() - part.begun_at
            part.timed += 1
        part.begun_at, part.fraction = None, 0.0
        part.done += 1

    def drop(self, name: str) -> None:
        """Note that it was stopped midway, or that it turned out to be done already."""
        self._parts[name].begun_at, self._parts[name].fraction = None, 0.0

    @property
    def seconds_left(self) -> float:
        """Of all that is still to be done."""
        now = self._clock()
        return sum(
            part.pace(now) * max(0.0, part.total - part.done - part.fraction)
            for part in self._parts.values()
        )

    @property
    def share(self) -> float:
        """Of the whole that is done, 0 to 1; it never goes back when a pace turns out slower."""
        now = self._clock()
        done = sum(part.pace(now) * (part.done + part.fraction) for part in self._parts.values())
        whole = done + self.seconds_left
        share = self._share_before + (1 - self._share_before) * (done / whole if whole else 1.0)
        self._share = max(self._share, min(1.0, share))
        return self._share

    @property
    def timed(self) -> RunSeconds:
        """What the parts took; a part of which nothing was timed is 0."""
        step, capture, measure = (self._parts[name].mean for name in PARTS)
        return RunSeconds(step, capture, measure, n_steps=0, n_snapshots=0)


@dataclass(frozen=True)
class Work:
    """What a run that begins has ahead.

    Parameters
    ----------
    expected, modelled : RunSeconds
        From the pace of earlier runs on this machine, and without it.
    done : dict of str to int
        Of steps, captures and measures, by an earlier part of the run.
    """

    expected: RunSeconds
    modelled: RunSeconds
    done: dict[str, int]


def expected_work(
    run: Run,
    config: RunConfig,
    encoder: EncoderInfo,
    dataset: Dataset,
    mean_tokens: float,
    *,
    capture: bool = True,
) -> Work:
    """Return what a run that begins, or goes on, has ahead.

    Parameters
    ----------
    run : Run
        With what `training` says of its steps and snapshots.
    config : RunConfig
        Its settings, with the epochs.
    encoder : EncoderInfo
        As it was loaded.
    dataset : Dataset
    mean_tokens : float
        Of a train text, after it was cut.
    capture : bool
        Whether it captures at all.
    """

    def seconds(encoder_pace: Pace) -> RunSeconds:
        one = expected_seconds(
            config,
            encoder,
            dataset,
            mean_tokens=mean_tokens,
            n_poolings=len(run.poolings),
            pace=encoder_pace,
        )
        n_steps, n_snapshots = run.training["total_steps"], run.training["n_snapshots"]
        return replace(one or UNKNOWN, n_steps=n_steps, n_snapshots=n_snapshots if capture else 0)

    earlier = (other for other in runs.list_runs(run.path.parent) if other.path != run.path)
    return Work(
        expected=seconds(pace_of(earlier, config.encoder)),
        modelled=seconds(MODELLED),
        done={
            "step": 0,
            "capture": len(run.snapshots) if capture else 0,
            "measure": len(runs.measured_snapshots(run)) if capture else 0,
        },
    )


class DownloadShare:
    """Gives the first part of the bar to a download, so that it is not filled twice.

    Parameters
    ----------
    on_progress : callable
        What is told of the download, and of all else while an encoder is loaded.
    """

    def __init__(self, on_progress: OnProgress) -> None:
        self._on_progress = on_progress
        self.share = 0.0

    def report(self, progress: Progress) -> None:
        """Pass on how far it is, as a part of the whole."""
        if progress.phase == DOWNLOADING:
            self.share = max(self.share, DOWNLOAD_SHARE * progress.fraction)
        self._on_progress(replace(progress, share=self.share))
