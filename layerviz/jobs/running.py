"""The runs being computed and the maps being drawn, for one runs folder."""

from __future__ import annotations

import threading
from collections.abc import Hashable, Sequence
from pathlib import Path

from layerviz import checks, runs, separability
from layerviz.config import RunConfig, run_id
from layerviz.data import Dataset, HubName
from layerviz.errors import RunError
from layerviz.jobs.worker import JobState, Work, Worker
from layerviz.jobs.works import (
    answer_work,
    download_work,
    fit_work,
    maps_work,
    measure_work,
    placing_work,
    rank_work,
    search_work,
)
from layerviz.progress import ShouldStop, never
from layerviz.projection import PROJECTIONS
from layerviz.projection.of_run import map_workers
from layerviz.runs import Run


class Jobs:
    """The runs being computed and the maps being drawn, for one runs folder.

    Parameters
    ----------
    root : Path
        The runs folder.
    server_stops : callable
        Whether the server is ending: runs then stop as if they were cancelled.
    """

    def __init__(self, root: Path, server_stops: ShouldStop = never) -> None:
        self.root = root
        runs.tidy(root)  # of what a process that died has left there
        self._fit_lock = threading.Lock()
        self._training = Worker("layerviz-training", all_stop=server_stops)
        self._measures = Worker("layerviz-measures")
        self._answers = Worker("layerviz-answers")  # a second each: they do not wait for measures
        self._downloads = Worker("layerviz-downloads")
        self._downloaded: dict[str, str] = {}
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
        runs.expect_not_of_others(config.encoder, self.root)
        key = run_id(config, dataset.name, dataset.fingerprint)
        with self._fit_lock:  # two tabs may press at once
            state = self.state(key)
            if state is not None and state.stopping:
                raise RunError("This run is still stopping.", "Wait a moment, then start it again.")
            if state is not None and state.live:
                return runs.read(self.root, key)
            plan = checks.plan_for(config, dataset)
            checks.refuse(plan)
            if not self._is_done(key):
                checks.expect_room(plan, self.root)
            run = runs.create(self.root, config, dataset)
            if run.status != "done":
                self._training.submit(run.run_id, fit_work(run, dataset))
            return run

    def _is_done(self, key: str) -> bool:
        try:
            return runs.read(self.root, key).status == "done"
        except RunError:
            return False

    def download(self, name: HubName) -> JobState:
        """Have a data set of the Hugging Face Hub downloaded and kept, anew if it was before."""
        self._downloaded.pop(str(name), None)
        work = download_work(self.root, name, self._downloaded)
        return self._downloads.submit(str(name), work)

    def download_state(self, name: str) -> JobState | None:
        """Return how the download of a data set stands, or None if nobody asked for it."""
        return self._downloads.state(name)

    def downloaded(self, name: str) -> str | None:
        """Return the key under which a data set is kept once it was downloaded."""
        return self._downloaded.get(name)

    def cancel_download(self, name: str) -> None:
        """Stop a download; files that came whole are kept."""
        self._downloads.cancel(name)

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

    def wait_for_runs(self, seconds: float) -> bool:
        """Wait until no run is live, at most for some seconds; return whether none is."""
        return self._training.wait(seconds)

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
        return _once(worker, key, maps_work(run, *maps), is_stored)

    def place_test(self, run: Run, projection: str, pooling: str, layer: int) -> JobState:
        """Have test placed into the stored maps of a layer, which are drawn first if they must be.

        Parameters and errors as `update_maps`.
        """
        maps = (PROJECTIONS[projection].name, pooling, layer)
        is_stored = runs.placed_snapshots(run.path, *maps) >= len(run.snapshots)
        worker = self._map_worker((run.run_id, *maps))
        key = (run.run_id, *maps, "test", len(run.snapshots))
        return _once(worker, key, placing_work(run, *maps), is_stored)

    def measure(self, run: Run) -> JobState:
        """Have the snapshots measured that are not, of a run that is not going on."""
        key = (run.run_id, "measures", len(run.snapshots))
        return _once(self._measures, key, measure_work(run), not runs.unmeasured_snapshots(run))

    def answer(self, run: Run, poolings: Sequence[str]) -> JobState:
        """Have a run's answer sheet made that is searched among these poolings, and stored."""
        measured = runs.measured_snapshots(run)
        key = (run.run_id, "answer", run.created, tuple(poolings), measured)
        stored = separability.read_sheet(run, poolings)
        is_stored = stored is not None and stored.is_current
        return _once(self._answers, key, answer_work(run, poolings), is_stored)

    def rank_labels(self, run: Run) -> JobState:
        """Have the labels of a run ranked by how suspicious they are."""
        key = (run.run_id, "labels", len(run.snapshots))
        is_stored = runs.has_label_ranking(run.path)
        return _once(self._measures, key, rank_work(run), is_stored)

    def search_mix(self, run: Run, snapshot: int, pooling: str) -> JobState:
        """Have the best mix of layers searched; the result is stored with the run."""
        key = (run.run_id, "mix", snapshot, pooling)
        is_stored = runs.read_mix(run.path, snapshot, pooling) is not None
        return _once(self._measures, key, search_work(run, snapshot, pooling), is_stored)

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
