"""The bar counts training, captures and measures, learns their pace, and never goes back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from made_runs import dataset_of, made

from layerviz import encoders, runs, training
from layerviz.config import RunConfig
from layerviz.progress import CAPTURING, DOWNLOADING, LOADING, Progress
from layerviz.training import RunSeconds
from layerviz.training.timetable import DownloadShare, Timetable

EXPECTED = RunSeconds(step=1.0, capture=5.0, measure=20.0, n_steps=100, n_snapshots=4)
NOTHING = {"step": 0, "capture": 0, "measure": 0}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def whole_run(timetable: Timetable, clock: Clock, actual: RunSeconds) -> list[tuple[float, float]]:
    """Go through a run of 100 steps and 4 snapshots; return share and time left on the way."""
    noted = []

    def work(name: str, seconds: float) -> None:
        timetable.begin(name)
        for part in range(1, 5):
            clock.now += seconds / 4
            timetable.advance(name, part / 4)
            noted.append((timetable.share, timetable.seconds_left))
        timetable.end(name)
        noted.append((timetable.share, timetable.seconds_left))

    for step in range(101):
        if step:
            work("step", actual.step)
        if step in (0, 33, 66, 100):
            work("capture", actual.capture)
            work("measure", actual.measure)
    return noted


@pytest.mark.parametrize("factor", [0.1, 1.0, 8.0])
def test_the_bar_never_goes_back_and_ends_full_whatever_the_estimate_was(factor: float) -> None:
    clock = Clock()
    timetable = Timetable(EXPECTED, NOTHING, clock=clock)
    assert (timetable.share, timetable.seconds_left) == (0.0, 200.0)
    actual = RunSeconds(factor, 5 * factor, 20 * factor, 100, 4)
    noted = whole_run(timetable, clock, actual)
    shares = [share for share, _ in noted]
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert noted[-1][1] == pytest.approx(0)
    middle = len(noted) // 2
    assert noted[middle][1] == pytest.approx(100 * factor, rel=0.35)
    assert shares[middle] == pytest.approx(0.5, abs=0.15)


def test_measuring_that_takes_most_of_the_time_takes_most_of_the_bar() -> None:
    clock = Clock()
    slow = RunSeconds(0.33, 2.0, 24.0, 64, 5)  # 64 steps of 21 s in a run of 150 s
    timetable = Timetable(slow, NOTHING, clock=clock)
    assert timetable.seconds_left == pytest.approx(151, abs=1)
    timetable.begin("capture")
    clock.now += 2
    timetable.end("capture")
    timetable.begin("measure")
    clock.now += 12
    timetable.advance("measure", 0.5)
    assert timetable.share == pytest.approx(14 / 151, abs=0.01)
    assert timetable.seconds_left == pytest.approx(137, abs=2)


def test_a_run_that_goes_on_starts_where_it_was() -> None:
    timetable = Timetable(EXPECTED, {"step": 0, "capture": 2, "measure": 2}, clock=Clock())
    timetable.start_at(50)
    assert timetable.share == pytest.approx(0.5)
    assert timetable.seconds_left == pytest.approx(100)


def test_a_capture_that_was_stopped_is_not_counted() -> None:
    clock = Clock()
    timetable = Timetable(EXPECTED, NOTHING, clock=clock)
    timetable.begin("capture")
    clock.now += 50
    timetable.drop("capture")
    assert timetable.seconds_left == 200
    assert timetable.timed.capture == 0


def test_a_download_fills_the_first_part_of_the_bar_only() -> None:
    reports: list[Progress] = []
    download = DownloadShare(reports.append)
    for done in (0, 50, 100):
        download.report(Progress(DOWNLOADING, done, 100))
    download.report(Progress(LOADING))
    assert [report.fraction for report in reports] == [0, 0.05, 0.1, 0.1]
    timetable = Timetable(EXPECTED, NOTHING, download.share, clock=Clock())
    assert timetable.share == pytest.approx(0.1)
    assert Progress(CAPTURING, 1, 2, share=timetable.share).fraction == pytest.approx(0.1)


def test_what_runs_took_is_kept_and_tells_how_long_the_next_takes(tmp_path: Path) -> None:
    dataset = dataset_of()
    run = made(tmp_path, dataset, "bert-mini", {1: 1.0}, n_snapshots=1)
    assert training.pace_of([run], "bert-mini").n_runs == 0  # nothing was timed yet
    config = RunConfig("bert-mini", epochs=4)
    encoder = encoders.describe(config.encoder)
    modelled = training.expected_seconds(config, encoder, dataset)
    assert modelled is not None
    took = dataclasses.replace(
        modelled, step=2 * modelled.step, capture=0.0, measure=3 * modelled.measure
    )
    pace = training.learned_pace(took, modelled)
    run = runs.update(run.path, training=run.training | {"pace": pace})
    learned = training.pace_of(runs.list_runs(tmp_path), "bert-mini")
    assert (learned.step, learned.capture, learned.measure) == (2.0, 1.0, 3.0)
    assert learned.same_encoder
    whole = training.learned_pace(dataclasses.replace(took, capture=5 * modelled.capture), modelled)
    captured = dataclasses.replace(run, training=run.training | {"pace": whole})
    paces = training.pace_of([run, run, captured], "bert-mini")
    assert (paces.capture, paces.n_runs) == (5.0, 3)  # of the runs that timed it
    other = training.pace_of([run], "roberta-mini")
    assert (other.step, other.same_encoder) == (2.0, False)
    elsewhere = {"pace": pace | {"cores": pace["cores"] + 62}}
    run = runs.update(run.path, training=run.training | elsewhere)
    assert training.pace_of([run], "bert-mini").n_runs == 0  # another machine
