"""One thing at a time, in order, seen from anywhere; a failure or a cancel stops nothing else."""

from __future__ import annotations

import dataclasses
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch
from made_runs import dataset_of, made
from waiting import wait_until

from layerviz import encoders, runs, separability, training
from layerviz.config import RunConfig, run_id
from layerviz.errors import Cancelled, RunError
from layerviz.jobs import Jobs, Worker, map_workers
from layerviz.progress import TRAINING, Progress
from layerviz.projection import LayerMaps, of_run

CONFIG = RunConfig(
    "scratch-distilbert",
    epochs=2,
    batch_size=16,
    max_length=32,
    precision="fp32",
)


class Task:
    """Work that begins, waits to be let go, and ends."""

    def __init__(self, log: list[str], name: str, error: Exception | None = None) -> None:
        self.log, self.name, self.error = log, name, error
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, report, should_stop) -> None:
        self.log.append(self.name)
        self.begun.set()
        report(Progress(TRAINING, done=3, total=7))
        while not self.go.wait(0.005):
            if should_stop():
                raise Cancelled
        if self.error is not None:
            raise self.error


@pytest.fixture
def log() -> list[str]:
    return []


@pytest.fixture
def worker() -> Worker:
    return Worker("layerviz-test")


@pytest.fixture
def tasks(worker, log) -> Iterator[dict[str, Task]]:
    """Three submitted jobs, of which the first is running."""
    tasks = {name: Task(log, name) for name in "abc"}
    for name, task in tasks.items():
        worker.submit(name, task)
    assert tasks["a"].begun.wait(10)
    yield tasks
    for task in tasks.values():
        task.go.set()


def let_all_go(worker: Worker, tasks: dict[str, Task]) -> None:
    for task in tasks.values():
        task.go.set()
    wait_until(lambda: not worker.live_keys())


# --- the worker -----------------------------------------------------------------------------


def test_jobs_run_one_at_a_time_in_the_order_of_submission(worker, tasks, log):
    assert worker.live_keys() == ["a", "b", "c"]
    states = [worker.state(name) for name in "abc"]
    assert [state.status for state in states] == ["running", "queued", "queued"]
    assert [state.ahead for state in states] == [0, 1, 2]
    tasks["a"].go.set()
    assert tasks["b"].begun.wait(10)
    assert log == ["a", "b"]
    assert worker.state("a").status == "done"
    assert [worker.state(name).ahead for name in "bc"] == [0, 1]
    let_all_go(worker, tasks)
    assert log == ["a", "b", "c"]
    assert [worker.state(name).status for name in "abc"] == ["done"] * 3


def test_what_is_asked_for_now_comes_before_what_nobody_wants_any_more(log, monkeypatch):
    """A reader chooses other layers while the first ones still wait to be drawn."""
    now = [0.0]
    monkeypatch.setattr("layerviz.jobs.worker.time", SimpleNamespace(monotonic=lambda: now[0]))
    worker = Worker("layerviz-test", newest_first=True)
    tasks = {name: Task(log, name) for name in "abcdef"}
    for name in "abcd":
        worker.submit(name, tasks[name])
        now[0] += 0.01
    assert tasks["a"].begun.wait(10)
    now[0] += 60
    for name in "efc":  # c is wanted as before
        worker.submit(name, tasks[name])
        assert worker.ask(name) is not None
        now[0] += 0.01
    let_all_go(worker, tasks)
    assert log == ["a", "c", "e", "f", "b", "d"]  # in one breath, in the order of the line


def test_a_cancelled_waiting_job_never_runs(worker, tasks, log):
    assert worker.cancel("b") is True
    assert worker.state("b").status == "cancelled"
    assert not worker.state("b").stopping
    assert worker.state("c").ahead == 1
    let_all_go(worker, tasks)
    assert log == ["a", "c"]


def test_a_running_job_is_asked_to_stop_and_the_next_one_follows(worker, tasks, log):
    assert worker.cancel("a") is False
    assert tasks["b"].begun.wait(10)
    assert worker.state("a").status == "cancelled"
    assert worker.state("a").error is None
    let_all_go(worker, tasks)
    assert log == ["a", "b", "c"]


def test_a_job_that_was_asked_to_stop_says_so_until_it_has(worker):
    reached, go = threading.Event(), threading.Event()

    def stubborn(report, should_stop):
        reached.set()
        go.wait(10)
        if should_stop():
            raise Cancelled

    worker.submit("stubborn", stubborn)
    assert reached.wait(10)
    assert not worker.state("stubborn").stopping
    worker.cancel("stubborn")
    state = worker.state("stubborn")
    assert (state.status, state.stopping) == ("running", True)
    go.set()
    wait_until(lambda: not worker.state("stubborn").live)
    assert worker.state("stubborn").status == "cancelled"
    assert not worker.state("stubborn").stopping


def test_a_job_cancelled_in_line_and_submitted_again_goes_to_the_end(worker, tasks, log):
    worker.cancel("b")
    again = Task(log, "b again")
    again.go.set()
    worker.submit("b", again)
    assert worker.live_keys() == ["a", "c", "b"]
    assert worker.state("b").ahead == 2
    let_all_go(worker, tasks)
    assert log == ["a", "c", "b again"]


def test_the_same_key_submitted_twice_runs_once_while_it_is_live(worker, tasks, log):
    worker.submit("a", Task(log, "a twice"))
    worker.submit("b", Task(log, "b twice"))
    let_all_go(worker, tasks)
    assert log == ["a", "b", "c"]
    once_more = Task(log, "a later")
    once_more.go.set()
    worker.submit("a", once_more)
    wait_until(lambda: worker.state("a").status == "done")
    assert log == ["a", "b", "c", "a later"]


@pytest.mark.parametrize(
    ("error", "message"),
    [(RunError("The disk is full.", "Free it."), "disk is full"), (KeyError("x"), "KeyError: 'x'")],
)
def test_a_failing_job_tells_why_and_does_not_stop_the_next(worker, log, error, message):
    bad, good = Task(log, "bad", error), Task(log, "good")
    worker.submit("bad", bad)
    worker.submit("good", good)
    bad.go.set()
    good.go.set()
    wait_until(lambda: worker.state("good").status == "done")
    state = worker.state("bad")
    assert state.status == "failed"
    assert isinstance(state.error, RunError)
    assert message in str(state.error)
    assert worker.state("good").error is None


def test_a_state_is_a_snapshot(worker, tasks):
    wait_until(lambda: worker.state("a").progress.done == 3)
    state = worker.state("a")
    assert state.live
    let_all_go(worker, tasks)
    assert state.status == "running"
    assert worker.state("a").status == "done"
    with pytest.raises(dataclasses.FrozenInstanceError):
        state.status = "done"


def test_an_unknown_job_is_none_and_cancelling_it_does_nothing(worker):
    assert worker.state("nobody") is None
    assert worker.cancel("nobody") is False
    assert worker.live_keys() == []


def test_finished_jobs_let_go_of_their_data_and_are_forgotten_in_the_end(worker, monkeypatch):
    import gc
    import weakref

    monkeypatch.setattr("layerviz.jobs.worker.KEPT_JOBS", 3)

    class Data:
        pass

    data = Data()
    alive = weakref.ref(data)
    worker.submit(0, lambda report, should_stop, data=data: None)
    del data
    wait_until(lambda: not worker.live_keys())
    gc.collect()
    assert alive() is None
    for key in range(1, 8):
        worker.submit(key, lambda report, should_stop: None)
        wait_until(lambda: not worker.live_keys())
    assert worker.state(0) is None
    assert worker.state(7).status == "done"


# --- runs -----------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch) -> Iterator[None]:
    """Make scratch-distilbert smaller still, on one thread: only the course of a run matters."""
    size = encoders.EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=8192)
    monkeypatch.setitem(encoders.SCRATCH_SIZES, "distilbert", size)
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(n_threads)


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path)


@pytest.fixture
def held(monkeypatch) -> Iterator[threading.Event]:
    """Keep every fit from starting until this is set; a cancel gets through."""
    go, fit = threading.Event(), training.fit

    def wait_and_fit(run, dataset, *, on_progress, should_stop):
        runs.update(run.path, status="running")
        wait_until(lambda: go.is_set() or should_stop())
        return fit(run, dataset, on_progress=on_progress, should_stop=should_stop)

    monkeypatch.setattr(training, "fit", wait_and_fit)
    yield go
    go.set()


def is_over(jobs: Jobs, *run_ids: str) -> Callable[[], bool]:
    def none_is_live() -> bool:
        states = [jobs.state(run_id) for run_id in run_ids]
        return all(state is not None and not state.live for state in states)

    return none_is_live


def with_seed(seed: int) -> RunConfig:
    return dataclasses.replace(CONFIG, seed=seed)


def test_two_runs_in_line_both_finish(small, jobs, toy_dataset):
    first, second = (jobs.fit(with_seed(seed), toy_dataset) for seed in (0, 1))
    assert first.run_id != second.run_id
    assert jobs.live_runs() == [first.run_id, second.run_id]
    wait_until(is_over(jobs, first.run_id, second.run_id))
    for run in (first, second):
        state = jobs.state(run.run_id)
        assert (state.status, state.error) == ("done", None)
        assert state.progress.step == state.progress.total_steps == 10
        finished = runs.read(jobs.root, run.run_id)
        assert finished.status == "done"
        assert len(finished.snapshots) == 3
    assert jobs.live_runs() == []


def test_a_comparison_queues_its_runs_and_takes_those_that_are_there(
    small, held, jobs, toy_dataset
):
    held.set()
    first = jobs.fit(with_seed(0), toy_dataset)
    wait_until(is_over(jobs, first.run_id))
    held.clear()
    compared = jobs.compare([with_seed(seed) for seed in (0, 1, 2)], toy_dataset)
    names = [run.run_id for run in compared]
    assert [run.status for run in compared] == ["done", "queued", "queued"]
    assert names[0] == first.run_id
    assert jobs.live_runs() == names[1:]
    assert jobs.compared_now() == names
    jobs.cancel(names[2])
    assert runs.read(jobs.root, names[2]).status == "cancelled"
    held.set()
    wait_until(is_over(jobs, names[1]))
    assert runs.read(jobs.root, names[1]).status == "done"
    assert jobs.compared_now() == []


def test_pressing_twice_gives_one_run(small, held, jobs, toy_dataset, monkeypatch):
    computed, fit = [], training.fit

    def counted_fit(*args, **settings):
        computed.append(args[0])
        return fit(*args, **settings)

    monkeypatch.setattr(training, "fit", counted_fit)
    first = jobs.fit(CONFIG, toy_dataset)
    wait_until(lambda: runs.read(jobs.root, first.run_id).status == "running")
    second = jobs.fit(CONFIG, toy_dataset)
    assert second.run_id == first.run_id
    assert second.status == "running"
    assert jobs.live_runs() == [first.run_id]
    held.set()
    wait_until(is_over(jobs, first.run_id))
    assert jobs.fit(CONFIG, toy_dataset).status == "done"
    assert jobs.live_runs() == []
    assert len(computed) == 1
    assert len(list(jobs.root.glob("[!.]*"))) == 1


def test_two_tabs_pressing_at_once_get_one_run(small, held, jobs, toy_dataset, monkeypatch):
    create, calls, pressed = runs.create, [], []

    def counted_id(*args):
        pressed.append(args)
        return run_id(*args)

    def slow_create(*args):
        calls.append(args)
        wait_until(lambda: len(pressed) == 2)  # the other tab presses meanwhile
        return create(*args)

    monkeypatch.setattr("layerviz.jobs.running.run_id", counted_id)
    monkeypatch.setattr(runs, "create", slow_create)
    tabs = [threading.Thread(target=jobs.fit, args=(CONFIG, toy_dataset)) for _ in range(2)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join(30)
    (run,) = runs.list_runs(jobs.root)
    assert len(calls) == 1  # a second one would put the run's record back to "queued"
    held.set()
    wait_until(is_over(jobs, run.run_id))
    assert runs.read(jobs.root, run.run_id).status == "done"


def test_cancelling_a_waiting_run_is_on_disk_at_once(small, held, jobs, toy_dataset):
    first, second = (jobs.fit(with_seed(seed), toy_dataset) for seed in (0, 1))
    assert jobs.state(second.run_id).ahead == 1
    jobs.cancel(second.run_id)
    assert jobs.state(second.run_id).status == "cancelled"
    assert runs.read(jobs.root, second.run_id).status == "cancelled"
    held.set()
    wait_until(is_over(jobs, first.run_id))
    assert runs.read(jobs.root, first.run_id).status == "done"
    kept = runs.read(jobs.root, second.run_id)
    assert (kept.status, kept.snapshots) == ("cancelled", ())


def test_a_run_cancelled_midway_keeps_its_snapshots_and_can_go_on(small, jobs, toy_dataset):
    config = dataclasses.replace(CONFIG, epochs=100)
    run = jobs.fit(config, toy_dataset)
    wait_until(lambda: len(runs.read(jobs.root, run.run_id).snapshots) >= 2)
    jobs.cancel(run.run_id)
    wait_until(is_over(jobs, run.run_id))
    assert jobs.state(run.run_id).status == "cancelled"
    stopped = runs.read(jobs.root, run.run_id)
    assert stopped.status == "cancelled"
    assert 2 <= len(stopped.snapshots) < 101
    n_before = len(stopped.snapshots)
    assert jobs.fit(config, toy_dataset).status == "queued"
    wait_until(lambda: len(runs.read(jobs.root, run.run_id).snapshots) > n_before)
    jobs.cancel(run.run_id)
    wait_until(is_over(jobs, run.run_id))


def test_a_failed_run_does_not_stop_the_next_and_may_be_tried_again(
    small, jobs, toy_dataset, monkeypatch
):
    load = encoders.load

    def load_unless_first(*args, **settings):
        if settings["seed"] == 0:
            raise MemoryError
        return load(*args, **settings)

    with monkeypatch.context() as patch:
        patch.setattr(encoders, "load", load_unless_first)
        bad, good = (jobs.fit(with_seed(seed), toy_dataset) for seed in (0, 1))
        wait_until(is_over(jobs, bad.run_id, good.run_id))
    state = jobs.state(bad.run_id)
    assert state.status == "failed"
    assert "memory" in state.error.message
    assert runs.read(jobs.root, bad.run_id).reason == str(state.error)
    assert runs.read(jobs.root, good.run_id).status == "done"
    jobs.fit(with_seed(0), toy_dataset)
    wait_until(is_over(jobs, bad.run_id))
    assert runs.read(jobs.root, bad.run_id).status == "done"


def test_a_run_deleted_and_asked_for_again_is_computed_again(small, jobs, toy_dataset):
    run = jobs.fit(CONFIG, toy_dataset)
    wait_until(is_over(jobs, run.run_id))
    runs.delete(jobs.root, run.run_id)
    assert jobs.fit(CONFIG, toy_dataset).status == "queued"
    wait_until(is_over(jobs, run.run_id))
    assert len(runs.read(jobs.root, run.run_id).snapshots) == 3


# --- maps -----------------------------------------------------------------------------------


def drawn(jobs: Jobs, run: runs.Run, layer: int) -> LayerMaps:
    wait_until(lambda: not jobs.update_maps(run, "tsne", "mean", layer).live)
    state = jobs.update_maps(run, "tsne", "mean", layer)
    assert (state.status, state.error) == ("done", None)
    stored = runs.read_map(run.path, "tsne", "mean", layer)
    assert stored is not None
    return LayerMaps.from_arrays(stored)


@pytest.fixture
def trained(small, jobs, toy_dataset) -> runs.Run:
    run = jobs.fit(CONFIG, toy_dataset)
    wait_until(is_over(jobs, run.run_id))
    return runs.read(jobs.root, run.run_id)


def test_maps_cover_every_snapshot_and_go_on_from_earlier_ones(jobs, trained):
    first = dataclasses.replace(trained, snapshots=trained.snapshots[:1])
    early = drawn(jobs, first, 2)
    assert early.xy.shape == (1, 90, 2)
    seen = dataclasses.replace(early, xy=early.xy[:, :, ::-1].copy())  # as no new drawing is
    runs.write_map(trained.path, "tsne", "mean", 2, seen.arrays())
    whole = drawn(jobs, trained, 2)
    assert whole.xy.shape == (3, 90, 2)
    assert np.array_equal(whole.xy[0], seen.xy[0])  # what was seen already does not jump
    assert np.isfinite(whole.xy).all()
    assert jobs.update_maps(trained, "tsne", "mean", 2).progress.done == 100
    assert runs.read_map(trained.path, "tsne", "mean", 1) is None


def test_an_older_view_of_a_run_does_not_undo_newer_maps(jobs, trained):
    whole = drawn(jobs, trained, 1)
    first = dataclasses.replace(trained, snapshots=trained.snapshots[:1])
    assert np.array_equal(drawn(jobs, first, 1).xy, whole.xy)


def test_maps_are_drawn_once_while_the_page_keeps_asking(jobs, trained, monkeypatch):
    calls, draw, go = [], of_run.draw, threading.Event()

    def counted(*args, **settings):
        calls.append(1)
        go.wait(30)
        return draw(*args, **settings)

    monkeypatch.setattr(of_run, "draw", counted)
    assert all(jobs.update_maps(trained, "tsne", "mean", 1).live for _ in range(5))
    go.set()
    drawn(jobs, trained, 1)
    drawn(jobs, trained, 1)
    assert len(calls) == 1


def test_a_layer_is_drawn_by_one_worker_at_a_time_and_two_layers_beside_each_other(
    jobs, trained, monkeypatch
):
    if map_workers() < 2:
        pytest.skip("one core draws one layer at a time")
    draw, go, lock = of_run.draw, threading.Event(), threading.Lock()
    now: list[int] = []

    def watched(name, states, **settings):
        layer = next(
            layer
            for layer in (1, 2)
            if (states.states[0] == runs.read_hidden_states(trained.path, 0, "mean", layer)).all()
        )
        with lock:
            now.append(layer)
        go.wait(30)
        try:
            return draw(name, states, **settings)
        finally:
            with lock:
                now.remove(layer)

    monkeypatch.setattr(of_run, "draw", watched)
    first = dataclasses.replace(trained, snapshots=trained.snapshots[:1])
    jobs.update_maps(first, "tsne", "mean", 1)
    jobs.update_maps(trained, "tsne", "mean", 1)  # the same layer, with more snapshots
    jobs.update_maps(trained, "tsne", "mean", 2)
    wait_until(lambda: len(now) == 2)
    assert sorted(now) == [1, 2]  # not twice the layer that was asked for twice
    assert jobs.update_maps(trained, "tsne", "mean", 1).status == "queued"
    go.set()
    assert drawn(jobs, trained, 1).n_snapshots == len(trained.snapshots)


def test_maps_of_a_run_that_was_deleted_and_computed_again_are_drawn_again(
    jobs, trained, toy_dataset
):
    drawn(jobs, trained, 1)
    runs.delete(jobs.root, trained.run_id)
    jobs.fit(CONFIG, toy_dataset)
    wait_until(is_over(jobs, trained.run_id))
    again = runs.read(jobs.root, trained.run_id)
    assert runs.read_map(again.path, "tsne", "mean", 1) is None
    assert drawn(jobs, again, 1).xy.shape == (3, 90, 2)


# --- measures and mixes ---------------------------------------------------------------------


def unmeasured(run: runs.Run) -> None:
    for snapshot in run.snapshots:
        (run.path / "snapshots" / f"{snapshot.index:03d}" / "probes.safetensors").unlink()
    (run.path / "separability.csv").unlink()


def test_what_a_run_lacks_is_measured_and_again_if_it_is_lost(jobs, trained):
    before = runs.read_separability(trained.path)
    for _ in range(2):
        unmeasured(trained)
        assert jobs.measure(trained).live
        wait_until(lambda: not jobs.measure(trained).live)
        pd.testing.assert_frame_equal(runs.read_separability(trained.path), before)
    assert jobs.measure(trained).status == "done"


def test_an_answer_that_cannot_be_stored_is_told_also_where_an_old_one_lies(jobs, monkeypatch):
    run = made(jobs.root, dataset_of(), "enc", {4: 2.5})
    jobs.answer(run, run.poolings)
    wait_until(lambda: not jobs.answer(run, run.poolings).live)
    assert jobs.answer(run, run.poolings).status == "done"
    os.utime(run.layout.probes(1), ns=(0, 0))  # as if it were measured anew

    @contextmanager
    def refuse(target):
        raise RunError(f"{target.name} cannot be written.")
        yield

    monkeypatch.setattr("layerviz.separability.answer_files.replacing", refuse)
    assert jobs.answer(run, run.poolings).live
    wait_until(lambda: not jobs.answer(run, run.poolings).live)
    state = jobs.answer(run, run.poolings)
    assert state.status == "failed"
    assert "could not be stored" in str(state.error)


def test_a_search_for_a_mix_is_stored_with_the_run(jobs, trained):
    jobs.search_mix(trained, 1, "mean")
    wait_until(lambda: not jobs.search_mix(trained, 1, "mean").live)
    stored = runs.read_mix(trained.path, 1, "mean")
    assert stored is not None
    found = separability.LayerMix(**stored)
    assert 1 <= len(found.layers) <= separability.mixing.MOST_MIXED_LAYERS
    assert found.single in found.layers
    assert found.low <= found.difference <= found.high
    assert runs.read_mix(trained.path, 1, "cls") is None
