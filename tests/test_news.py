"""Processes that share a runs folder see how far each other's runs are, and can stop them."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from made_runs import dataset_of, made
from pages import open_page, run_until
from waiting import wait_until

from layerviz import runs, training
from layerviz.bench.torture.toys import toy_config, toy_dataset
from layerviz.errors import RunError
from layerviz.progress import CAPTURING, Progress, ignore, never
from layerviz.runs import Run, news
from layerviz.runs.locking import note_of
from layerviz.runs.processes import this_process


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return runs.create(tmp_path, toy_config("scratch-bert"), toy_dataset())


def test_progress_is_told_to_others_and_ends_with_the_work(run: Run) -> None:
    assert runs.news_of(run.path) is None
    seen: list[Progress] = []
    with runs.computing(run.path), runs.telling(run.path, seen.append, never) as (report, _):
        report(Progress(CAPTURING, 1, 4))
        report(Progress(CAPTURING, 2, 4))  # too soon to be written
        told = runs.news_of(run.path)
        assert told is not None
        assert (told.fraction, told.host) == (0.25, runs.this_host())
        assert told.sentence == Progress(CAPTURING, 1, 4).sentence
    assert [one.done for one in seen] == [1, 2]
    assert runs.news_of(run.path) is None


def test_others_can_ask_to_stop(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(news, "SECONDS_BETWEEN_LOOKS", 0)
    runs.ask_to_stop(run.path)  # before: too late for whoever computed it then
    with runs.telling(run.path, ignore, never) as (_, should_stop):
        assert not should_stop()
        runs.ask_to_stop(run.path)
        assert runs.is_asked_to_stop(run.path)
        assert should_stop()
    assert not runs.is_asked_to_stop(run.path)


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"fraction": "x", "sentence": ""}', '{"fraction": null, "sentence": 1}'],
)
def test_damaged_news_are_none(run: Run, content: str) -> None:
    note = note_of(run.path, "progress")
    note.parent.mkdir(exist_ok=True)
    note.write_text(content, encoding="utf-8")
    assert runs.news_of(run.path) is None


def test_a_run_of_another_process_is_stopped_in_good_order(run: Run) -> None:
    trainer = threading.Thread(
        target=training.fit,
        args=(run, toy_dataset()),
        kwargs={"on_progress": lambda _: runs.ask_to_stop(run.path)},
    )
    trainer.start()
    trainer.join(120)
    ended = runs.open_folder(run.path)
    assert ended.status == "cancelled"
    assert not list(run.path.parent.joinpath(".locks").glob("*.progress.json"))


def test_where_nobody_may_change_anything_nobody_stops_it(run: Run, monkeypatch) -> None:
    monkeypatch.setenv(runs.READ_ONLY_VARIABLE, "1")
    with pytest.raises(RunError, match="only looked at"):
        runs.ask_to_stop(run.path)


def test_the_page_shows_a_run_of_another_machine_and_stops_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    run = made(tmp_path, dataset_of("toy"), "one", {1: 0.5, 4: 2.0})
    runs.update(run.path, status="running", process=this_process() | {"host": "far *away*"})
    with runs.computing(run.path), runs.telling(run.path, ignore, never) as (report, _):
        report(Progress(CAPTURING, 1, 4))
        holder = note_of(run.path)
        values = json.loads(holder.read_text(encoding="utf-8")) | {"host": "far *away*"}
        holder.write_text(json.dumps(values), encoding="utf-8")
        page = open_page(run=run.run_id)
        (bar,) = page.get("progress")
        assert bar.proto.value == 25
        assert "on far \\*away\\*" in bar.proto.text
        page.button(key="cancel").click().run()
        assert not page.exception
        assert runs.is_asked_to_stop(run.path)
        run_until(page, lambda: page.button(key="cancel").disabled)
    wait_until(lambda: not runs.is_asked_to_stop(run.path), 5)
