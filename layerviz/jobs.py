"""Work that outlives a page: one worker trains, one measures, some draw maps; the rest waits.

Only threading lives here. A job's record is the one mutable object of the program; it changes
behind a lock and is handed out as a frozen snapshot. Jobs are found by key, never through a
browser session, so that closing a tab or opening a second one changes nothing.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from layerviz import checks, exploring, runs, separability, training
from layerviz.config import RunConfig, run_id
from layerviz.data import Dataset
from layerviz.errors import Cancelled, LayervizError, RunError
from layerviz.progress import OnProgress, Progress, ShouldStop, part_of
from layerviz.projection import PROJECTIONS
from layerviz.projection.of_run import update_stored_maps, update_stored_test
from layerviz.runs import Run

log = logging.getLogger(__name__)

KEPT_JOBS = 500  # finished jobs whose outcome is remembered
MOST_MAP_WORKERS = 4  # a t-SNE keeps one core busy, and there is a page to answer
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
    """

    def __init__(self, name: str, *, newest_first: bool = False) -> None:
        self._name = name
        self._newest_first = newest_first
        self._lock = threading.Lock()
        self._comes_work = threading.Condition(self._lock)
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
            self._comes_work.notify()
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

    def _run(self) -> None:
        _yield_to_the_page()
        while True:
            with self._lock:
                while (job := self._next()) is None:
                    self._comes_work.wait()
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
            job.work(report, job.stop.is_set)
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

    def _state_of(self, key: Hashable, job: _Job) -> JobState:
        live = [other for other, record in self._jobs.items() if record.status in runs.LIVE]
        ahead = live.index(key) if job.status == "queued" else 0
        stopping = job.stop.is_set() and job.status in runs.LIVE
        return JobState(job.status, job.progress, job.error, ahead, stopping)

    def _forget_old_jobs(self) -> None:
        finished = [key for key, job in self._jobs.items() if job.status not in runs.LIVE]
        for key in finished[: max(0, len(finished) - KEPT_JOBS)]:
            del self._jobs[key]


def map_workers() -> int:
    """Return how many layers are mapped at a time: one per core, as far as that pays."""
    return min(MOST_MAP_WORKERS, os.cpu_count() or 1)


class Jobs:
    """The runs being computed and the maps being drawn, for one runs folder.

    Parameters
    ----------
    root : Path
        The runs folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._fit_lock = threading.Lock()
        self._training = Worker("layerviz-training")
        self._measures = Worker("layerviz-measures")
        self._answers = Worker("layerviz-answers")  # a second each: they do not wait for measures
        self._maps = [
            Worker(f"layerviz-maps-{index}", newest_first=True) for index in range(map_workers())
        ]
        self._map_workers: dict[Hashable, int] = {}
        self._map_lock = threading.Lock()
        self._compared: list[str] = []

    def fit(self, config: RunConfig, dataset: Dataset) -> Run:
        """Queue a run, or return the one that is live or done already.

        Raises
        ------
        RunError
            If its folder cannot be written, another process computes it, or it is being stopped.
        ConfigError
            If it could only fail.
        """
        key = run_id(config, dataset.name, dataset.fingerprint)
        with self._fit_lock:  # two tabs may press at once
            state = self.state(key)
            if state is not None and state.stopping:
                raise RunError("This run is still stopping.", "Wait a moment, then start it again.")
            if state is not None and state.live:
                return runs.read(self.root, key)
            checks.refuse(checks.plan_for(config, dataset))
            run = runs.create(self.root, config, dataset)
            if run.status != "done":
                self._training.submit(run.run_id, _fit_work(run, dataset))
            return run

    def compare(
        self, configs: Sequence[RunConfig], dataset: Dataset, beside: Sequence[str] = ()
    ) -> list[Run]:
        """Queue a run for each configuration, or take those that are live or done already.

        Parameters
        ----------
        configs : sequence of RunConfig
        dataset : Dataset
        beside : sequence of str
            Ids of further runs that are part of the comparison.

        Raises
        ------
        RunError
            As `fit` does; what was queued before stays queued.
        """
        compared = [self.fit(config, dataset) for config in configs]
        self._compared = [*beside, *(run.run_id for run in compared)]
        return compared

    def compared_now(self) -> list[str]:
        """Return the runs of the newest comparison as long as one of them is live, else none."""
        live = set(self.live_runs())
        return list(self._compared) if live & set(self._compared) else []

    def state(self, run_id: str) -> JobState | None:
        """Return how a run's job stands, or None if it was not started here."""
        return self._training.state(run_id)

    def live_runs(self) -> list[str]:
        """Return the ids of the running and the waiting runs, in their order."""
        return [str(key) for key in self._training.live_keys()]

    def cancel(self, run_id: str) -> None:
        """Stop a run; everything captured is kept."""
        was_waiting = self._training.cancel(run_id)
        if was_waiting:
            runs.update(self.root / run_id, status="cancelled")

    def update_maps(self, run: Run, projection: str, pooling: str, layer: int) -> JobState:
        """Have the stored maps of a layer brought up to the run's newest snapshot.

        Whoever waits for them asks again and again, and what is asked for now comes before what
        nobody asks for any more: the layers that a reader has just chosen come first.

        Parameters
        ----------
        run : Run
        projection : str
            One whose maps are stored.
        pooling : str
        layer : int

        Raises
        ------
        UnknownNameError
            If there is no such projection.
        """
        maps = (PROJECTIONS[projection].name, pooling, layer)
        is_stored = runs.map_version(run.path, *maps) is not None
        worker = self._map_worker((run.run_id, *maps))
        key = (run.run_id, *maps, len(run.snapshots))
        return _once(worker, key, _maps_work(run, *maps), is_stored)

    def place_test(self, run: Run, projection: str, pooling: str, layer: int) -> JobState:
        """Have test placed into the stored maps of a layer, which are drawn first if they must be.

        Parameters and errors as `update_maps`.
        """
        maps = (PROJECTIONS[projection].name, pooling, layer)
        is_stored = runs.placed_snapshots(run.path, *maps) >= len(run.snapshots)
        worker = self._map_worker((run.run_id, *maps))
        key = (run.run_id, *maps, "test", len(run.snapshots))
        return _once(worker, key, _placing_work(run, *maps), is_stored)

    def measure(self, run: Run) -> JobState:
        """Have the snapshots measured that are not, of a run that is not going on."""
        key = (run.run_id, "measures", len(run.snapshots))
        return _once(self._measures, key, _measure_work(run), not runs.unmeasured_snapshots(run))

    def answer(self, run: Run, poolings: Sequence[str]) -> JobState:
        """Have a run's answer sheet made that is searched among these poolings, and stored."""
        measured = runs.measured_snapshots(run)
        key = (run.run_id, "answer", run.created, tuple(poolings), measured)
        stored = separability.read_sheet(run, poolings)
        is_stored = stored is not None and stored.is_current
        return _once(self._answers, key, _answer_work(run, poolings), is_stored)

    def rank_labels(self, run: Run) -> JobState:
        """Have the labels of a run ranked by how suspicious they are."""
        key = (run.run_id, "labels", len(run.snapshots))
        is_stored = runs.has_label_ranking(run.path)
        return _once(self._measures, key, _rank_work(run), is_stored)

    def search_mix(self, run: Run, snapshot: int, pooling: str) -> JobState:
        """Have the best mix of layers searched; the result is stored with the run."""
        key = (run.run_id, "mix", snapshot, pooling)
        is_stored = runs.read_mix(run.path, snapshot, pooling) is not None
        return _once(self._measures, key, _search_work(run, snapshot, pooling), is_stored)

    def _map_worker(self, maps: Hashable) -> Worker:
        """Return the worker of one layer's maps: always the same, so that none is drawn twice."""
        with self._map_lock:
            index = self._map_workers.setdefault(maps, len(self._map_workers))
        return self._maps[index % len(self._maps)]


def _once(worker: Worker, key: Hashable, work: Work, is_stored: bool) -> JobState:
    """Submit work that nobody asked for yet, or whose result was deleted since."""
    state = worker.ask(key)
    if state is None or (state.status == "done" and not is_stored):
        return worker.submit(key, work)
    return state


def _measure_work(run: Run) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        missing = runs.unmeasured_snapshots(run)
        for done, index in enumerate(missing):
            separability.measure_snapshot(
                run,
                index,
                on_progress=part_of(on_progress, done, len(missing)),
                should_stop=should_stop,
            )

    return work


def _answer_work(run: Run, poolings: Sequence[str]) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:  # noqa: ARG001
        separability.current_sheet(run, poolings)
        if separability.read_sheet(run, poolings) is None:
            raise RunError(
                "The answer could not be stored with the run.",
                f"Make {run.path.name} in the runs folder writable, then reload the page.",
            )

    return work


def _rank_work(run: Run) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:  # noqa: ARG001
        exploring.store_suspicious_labels(run)

    return work


def _search_work(run: Run, snapshot: int, pooling: str) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        examples = runs.read_examples(run.path)
        mix = separability.search_mix(
            runs.read_pooled(run.path, snapshot)[pooling],
            examples["label"].to_numpy(),
            examples["split"].to_numpy(),
            seed=run.config.seed,
            on_progress=on_progress,
            should_stop=should_stop,
        )
        runs.write_mix(run.path, snapshot, pooling, vars(mix))

    return work


def _fit_work(run: Run, dataset: Dataset) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        finished = training.fit(run, dataset, on_progress=on_progress, should_stop=should_stop)
        if finished.status == "cancelled":
            raise Cancelled

    return work


def _maps_work(run: Run, projection: str, pooling: str, layer: int) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        update_stored_maps(
            run, projection, pooling, layer, on_progress=on_progress, should_stop=should_stop
        )

    return work


def _placing_work(run: Run, projection: str, pooling: str, layer: int) -> Work:
    def work(on_progress: OnProgress, should_stop: ShouldStop) -> None:
        for part, update in enumerate((update_stored_maps, update_stored_test)):
            update(
                run,
                projection,
                pooling,
                layer,
                on_progress=part_of(on_progress, part, 2),
                should_stop=should_stop,
            )

    return work


def _nothing(on_progress: OnProgress, should_stop: ShouldStop) -> None:
    """Stand in for work that is over."""


def _yield_to_the_page() -> None:
    """Lower the priority of the calling thread (and of those it starts), where that can be."""
    if sys.platform == "linux":  # elsewhere a priority belongs to the whole process
        try:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        except OSError as error:
            log.info("the priority of a worker could not be lowered: %s", error)
