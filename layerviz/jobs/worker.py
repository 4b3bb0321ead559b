"""A worker: one thread that does one piece of work after another, and remembers how each ended."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from layerviz import runs
from layerviz.errors import Cancelled, LayervizError, RunError
from layerviz.progress import OnProgress, Progress, ShouldStop, never

log = logging.getLogger(__name__)

KEPT_JOBS = 500  # finished jobs whose outcome is remembered
ONE_BREATH = 3.0  # seconds in which a page that waits for several things has asked for all of them
NICENESS = 10  # of the workers' threads, so that the page answers while they compute

Work = Callable[[OnProgress, ShouldStop], None]


@dataclass(frozen=True)
class JobState:
    """A job as it was at one moment.

    Parameters
    ----------
    status : {"queued", "running", "done", "cancelled", "failed"}
        Where it stands.
    progress : Progress
        How far it is.
    error : LayervizError or None
        Why it failed.
    ahead : int
        Jobs that come before it.
    stopping : bool
        Whether it was asked to stop and has not stopped yet.
    """

    status: str
    progress: Progress
    error: LayervizError | None
    ahead: int
    stopping: bool

    @property
    def live(self) -> bool:
        return self.status in runs.LIVE


@dataclass
class _Job:
    work: Work
    stop: threading.Event = field(default_factory=threading.Event)
    status: str = "queued"
    progress: Progress = field(default_factory=Progress)
    error: LayervizError | None = None
    asked: float = 0.0  # when somebody last asked for it, on `time.monotonic`


class Worker:
    """One thread that does one job after the other.

    Parameters
    ----------
    name : str
        Of the thread.
    newest_first : bool
        Whether what somebody asked for last comes before what nobody asks for any more. What is
        asked for in one breath stays in its order. By default jobs are done in the order in which
        they came.
    all_stop : callable
        Asked by each job, besides whether that job was cancelled.
    """

    def __init__(
        self, name: str, *, newest_first: bool = False, all_stop: ShouldStop = never
    ) -> None:
        self._name = name
        self._newest_first = newest_first
        self._all_stop = all_stop
        self._lock = threading.Lock()
        self._changes = threading.Condition(self._lock)
        self._jobs: dict[Hashable, _Job] = {}
        self._thread: threading.Thread | None = None

    def submit(self, key: Hashable, work: Work) -> JobState:
        """Put a job in line and return how it stands; a live one of this key is left as it is."""
        with self._lock:
            earlier = self._jobs.get(key)
            if earlier is not None and earlier.status in runs.LIVE:
                earlier.asked = time.monotonic()
                return self._state_of(key, earlier)
            self._jobs.pop(key, None)  # so that the order of the dict is the order of the line
            job = self._jobs[key] = _Job(work, asked=time.monotonic())
            self._changes.notify_all()
            self._forget_old_jobs()
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            return self._state_of(key, job)

    def state(self, key: Hashable) -> JobState | None:
        """Return how a job stands, or None if it is not known here."""
        with self._lock:
            job = self._jobs.get(key)
            return None if job is None else self._state_of(key, job)

    def ask(self, key: Hashable) -> JobState | None:
        """Return how a job stands, and note that it is still wanted."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return None
            job.asked = time.monotonic()
            return self._state_of(key, job)

    def live_keys(self) -> list[Hashable]:
        """Return the keys of the running and the waiting jobs, in their order."""
        with self._lock:
            return [key for key, job in self._jobs.items() if job.status in runs.LIVE]

    def cancel(self, key: Hashable) -> bool:
        """Ask a job to stop; return whether it was waiting and is therefore stopped already."""
        with self._lock:
            job = self._jobs.get(key)
            if job is None:
                return False
            job.stop.set()
            if job.status != "queued":
                return False
            job.status = "cancelled"
            return True

    def wait(self, seconds: float) -> bool:
        """Wait until no job is live, at most for some seconds; return whether none is."""

        def is_idle() -> bool:
            return not any(job.status in runs.LIVE for job in self._jobs.values())

        with self._changes:
            return self._changes.wait_for(is_idle, seconds)

    def _run(self) -> None:
        _yield_to_the_page()
        while True:
            with self._lock:
                while (job := self._next()) is None:
                    self._changes.wait()
                job.status = "running"
            self._do(job)

    def _next(self) -> _Job | None:
        """Return the job to do now, None if there is none; the lock must be held."""
        waiting = [job for job in self._jobs.values() if job.status == "queued"]
        if self._newest_first and waiting:
            newest = max(job.asked for job in waiting)
            waiting = [job for job in waiting if job.asked >= newest - ONE_BREATH]
        return waiting[0] if waiting else None

    def _do(self, job: _Job) -> None:
        def report(progress: Progress) -> None:
            with self._lock:
                job.progress = progress

        status, error = "done", None
        try:
            job.work(report, lambda: job.stop.is_set() or self._all_stop())
        except Cancelled:
            status = "cancelled"
        except LayervizError as expected:
            status, error = "failed", expected
        except Exception as unexpected:
            log.exception("a job of %s failed", self._name)
            status, error = "failed", RunError(f"{type(unexpected).__name__}: {unexpected}")
        with self._lock:
            job.status, job.error = status, error
            job.work = _nothing  # lets go of the data that the work held
            self._changes.notify_all()

    def _state_of(self, key: Hashable, job: _Job) -> JobState:
        live = [other for other, record in self._jobs.items() if record.status in runs.LIVE]
        ahead = live.index(key) if job.status == "queued" else 0
        stopping = job.stop.is_set() and job.status in runs.LIVE
        return JobState(job.status, job.progress, job.error, ahead, stopping)

    def _forget_old_jobs(self) -> None:
        finished = [key for key, job in self._jobs.items() if job.status not in runs.LIVE]
        for key in finished[: max(0, len(finished) - KEPT_JOBS)]:
            del self._jobs[key]


def _nothing(on_progress: OnProgress, should_stop: ShouldStop) -> None:
    """Stand in for work that is over."""


def _yield_to_the_page() -> None:
    """Lower the priority of the calling thread (and of those it starts), where that can be."""
    if sys.platform == "linux":  # elsewhere a priority belongs to the whole process
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        except OSError as error:
            log.info("the priority of a worker could not be lowered: %s", error)
