"""The table of all runs: names, comparisons, failed starts, deletion."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path
from unittest.mock import Mock

import pandas as pd
import pytest
from made_runs import dataset_of, made
from pages import caption_text, error_text, markdown_text, open_page
from streamlit.testing.v1 import AppTest

from layerviz import runs
from layerviz.comparison import encoder_label
from layerviz.config import RunConfig
from layerviz.errors import ConfigError, RunError
from layerviz.runs import Run, comparisons, tidying
from layerviz.ui.all_runs import page
from layerviz.ui.parts.tabs import Tab
from layerviz.ui.run.page import TABS


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    return tmp_path


def made_pair(root: Path) -> list[Run]:
    """Return two runs on the same data, the newer one first."""
    for encoder in ("one", "two"):
        made(root, dataset_of("toy"), encoder, {1: 0.5, 4: 2.0})
    return runs.list_runs(root)


def failed_start(root: Path, status: str = "failed", reason: str = "It broke.") -> Run:
    run = runs.create(root, RunConfig("broken", epochs=1), dataset_of("toy"))
    return runs.update(run.path, status=status, reason=reason)


def long_ago(run: Run) -> None:
    when = time.time() - tidying.SECONDS_SHOWN - 60
    os.utime(run.layout.record, (when, when))


def tick(app: AppTest, table: str, keys: list[str], *rows: int) -> AppTest:
    """Tick rows of a table, as a click in their first column does."""
    digest = hashlib.sha256(repr(keys).encode()).hexdigest()[:8]
    ticked = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    app.session_state[f"{table}-{digest}"] = ticked
    return app.run()


# --- names ----------------------------------------------------------------------------------


def test_a_run_is_renamed_and_keeps_its_id(root):
    run = made(root, dataset_of("toy"), "one", {1: 0.5})
    assert runs.rename(root, run.run_id, "  The good\n one ").title == "The good one"
    assert runs.read(root, run.run_id).title == "The good one"
    assert runs.read(root, run.run_id).run_id == run.run_id
    with pytest.raises(ConfigError, match="at most 120"):
        runs.rename(root, run.run_id, "x" * 121)
    assert runs.rename(root, run.run_id, "").title == ""


# --- comparisons ----------------------------------------------------------------------------


def test_a_comparison_is_remembered_once_and_can_be_renamed_and_forgotten(root):
    runs.remember_comparison(root, ["a", "b"])
    runs.remember_comparison(root, ["b", "c"])
    runs.remember_comparison(root, ["b", "a"])
    assert [one.run_ids for one in runs.list_comparisons(root)] == [("b", "c"), ("a", "b")]
    runs.rename_comparison(root, ["a", "b"], "Mine")
    assert [one.title for one in runs.list_comparisons(root)] == ["", "Mine"]
    runs.forget_comparisons(root, [("b", "c")])
    assert [one.title for one in runs.list_comparisons(root)] == ["Mine"]


@pytest.mark.parametrize(
    "content",
    ["", "{}", "[1, null]", '[{"run_ids": ["../x", "b"], "opened": "2026-01-01T00:00:00"}]'],
)
def test_a_garbled_list_of_comparisons_hides_nothing_else(root, content):
    (root / comparisons.COMPARISONS).write_text(content)
    assert runs.list_comparisons(root) == []
    made_pair(root)
    app = open_page(view="runs")
    assert not app.exception
    assert not app.error


# --- runs that cannot be shown ---------------------------------------------------------------


def test_a_run_whose_encoder_is_gone_or_never_was_one_hides_nothing(root):
    """Nothing is looked up where runs are listed: a folder may be moved, a name no name."""
    good = made(root, dataset_of("toy"), "one", {1: 0.5})
    for seed, encoder in enumerate(["/home/me/moved/my-bert", "not a name!!", "..", "a/b\\c/"]):
        run = runs.create(root, RunConfig(encoder, epochs=1, seed=seed), dataset_of("toy"))
        runs.update(run.path, status="failed", reason="It broke.", encoder={})
    made_elsewhere = made(root, dataset_of("toy"), "two", {1: 0.5})
    runs.update(
        made_elsewhere.path,
        encoder=made_elsewhere.encoder | {"label": ""},
        config=made_elsewhere.config.as_dict() | {"encoder": "???"},
    )
    for app in (open_page(), open_page(view="runs"), open_page(run=made_elsewhere.run_id)):
        assert not app.exception
        assert not app.error
        assert any(button.key == f"open-{good.run_id}" for button in app.button)
    names = [encoder_label(run) for run in runs.list_runs(root)]
    assert {"my-bert", "not a name!!", "..", "???"} < set(names)


def test_what_cannot_be_shown_is_a_line_that_says_why_and_can_be_deleted(root, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    good = made(root, dataset_of("toy"), "one", {1: 0.5})
    for name, content in {"bad-1": b"\x00\xff", "bad **2**": b"{}", "bad-3": None}.items():
        (root / name / "snapshots").mkdir(parents=True)
        if content is not None:
            (root / name / "run.json").write_bytes(content)
    (elsewhere / "run.json").write_text("[]")
    (root / "bad-4").symlink_to(elsewhere)
    (root / "not of ours").mkdir()
    folder = runs.runs_in(root)
    assert [run.run_id for run in folder.runs] == [good.run_id]
    assert [one.name for one in folder.unreadable] == ["bad **2**", "bad-1", "bad-3", "bad-4"]
    app = open_page(view="runs")
    assert not app.exception
    assert "4 runs cannot be shown" in markdown_text(app)
    assert r"bad \*\*2\*\*" in " ".join(caption.value for caption in app.caption)
    for _ in folder.unreadable:
        button = next(one for one in app.button if str(one.key).startswith("all_runs-unreadable"))
        button.click().run()
        assert not app.error
    assert runs.runs_in(root).unreadable == ()
    assert [path.name for path in elsewhere.iterdir()] == ["run.json"]  # only the link has gone
    assert (root / "not of ours").is_dir()
    with pytest.raises(RunError, match="no unreadable run"):
        runs.delete_unreadable(root, good.run_id)


@pytest.mark.failing_page
def test_a_part_that_fails_says_so_and_the_others_stand(root, monkeypatch):
    run = made(root, dataset_of("toy"), "one", {1: 0.5})

    def fail(run: Run) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(TABS._entries, "Run", Tab("Run", fail, needs_snapshot=False))
    app = open_page(run=run.run_id, tabs="Run")
    assert not app.exception
    assert error_text(app).startswith("The Run tab cannot be drawn: unexpected ZeroDivisionError.")
    assert any(button.key == f"open-{run.run_id}" for button in app.button)


# --- failed starts --------------------------------------------------------------------------


def test_failed_starts_go_a_day_later_and_nothing_else_does(root):
    good = made(root, dataset_of("toy"), "one", {1: 0.5})
    failed = failed_start(root)
    assert runs.is_failed_start(failed)
    assert not runs.is_failed_start(good)
    assert runs.drop_old_failed_starts(root) == []  # it was shown only just now
    long_ago(failed)
    long_ago(good)
    assert runs.drop_old_failed_starts(root, keep=failed.run_id) == []
    assert [run.run_id for run in runs.drop_old_failed_starts(root)] == [failed.run_id]
    assert [run.run_id for run in runs.list_runs(root)] == [good.run_id]


def test_what_was_removed_is_said():
    sentence = runs.removal_sentence(["A"])
    assert sentence == "Removed 1 run that stopped before anything was captured, over a day ago: A."
    assert runs.removal_sentence(list("ABCDE")).startswith("Removed 5 runs that stopped ")
    assert runs.removal_sentence(list("ABCDE")).endswith(": A, B, C and 2 more.")


def test_a_run_that_waited_when_layerviz_was_closed_stays(root):
    run = failed_start(root, status="queued", reason="")
    runs.update(run.path, process={"pid": 2**22 + 1, "created": 0.0})
    closed = runs.read(root, run.run_id)
    assert closed.status == "failed"
    long_ago(closed)
    assert runs.drop_old_failed_starts(root) == []


# --- the page -------------------------------------------------------------------------------


def test_the_table_lists_runs_and_the_filter_finds_them(root):
    newer, older = made_pair(root)
    runs.rename(root, older.run_id, "The good one")
    app = open_page()
    app.button(key="all_runs").click().run()
    assert not app.exception
    assert app.query_params["view"] == "runs"
    table = app.dataframe[0].value
    assert list(table["Name"]) == ["two on toy, 5 epochs", "The good one"]
    assert set(table["Status"]) == {"Done"}
    app.text_input(key="find_runs").set_value("GOOD").run()
    assert list(app.dataframe[0].value["Name"]) == ["The good one"]
    assert "1 of 2 runs" in caption_text(app)
    app.text_input(key="find_runs").set_value("nothing like it").run()
    assert "0 of 2 runs" in caption_text(app)
    assert not app.exception
    assert newer.run_id != older.run_id


def test_what_is_damaged_or_gone_hides_no_other_run_and_each_row_is_made_once(root, monkeypatch):
    good, damaged = made_pair(root)
    history = pd.DataFrame({"step": [10, 20], "epoch": [1.0, 2.0], "val_macro_f1": [0.5, 0.75]})
    runs.write_history(good.path, history)
    damaged.layout.history.write_text('step,val_macro_f1\n1,"cut off')
    gone = runs.create(root, RunConfig(str(root / "gone"), epochs=1), dataset_of("toy"))
    runs.update(gone.path, status="failed", reason="It broke.")
    garbled = failed_start(root)
    record = garbled.layout.record
    record.write_text(record.read_text("utf-8").replace('"name": "toy"', '"name": 3'), "utf-8")
    made_rows = Mock(side_effect=page._run_row)
    monkeypatch.setattr(page, "_run_row", made_rows)
    app = open_page(view="runs")
    assert not app.exception
    assert not app.error
    table = app.dataframe[0].value.set_index("Name")
    assert len(table) == made_rows.call_count == 3
    assert table["Val F1"]["two on toy, 5 epochs"] == 0.75
    assert table["Epochs"]["two on toy, 5 epochs"] == 1
    assert pd.isna(table["Val F1"]["one on toy, 5 epochs"])
    runs.write_history(good.path, history.assign(val_macro_f1=0.875))
    app.run()
    assert app.dataframe[0].value["Val F1"].max() == 0.875


def test_a_ticked_run_is_opened_and_renamed(root):
    listed = made_pair(root)
    keys = [run.run_id for run in listed]
    app = open_page(view="runs")
    assert app.button(key="all_runs_open").disabled
    tick(app, "all_runs", keys, 1)
    app.button(key="all_runs_rename").click().run()
    app.text_input(key="new_name").set_value("Renamed")
    app.button(key="rename_now").click().run()
    assert not app.exception
    assert runs.read(root, keys[1]).title == "Renamed"
    tick(app, "all_runs", keys, 1)
    app.button(key="all_runs_open").click().run()
    assert app.query_params["run"] == keys[1]
    assert "view" not in app.query_params
    assert any("Renamed" in heading.value for heading in app.title)


def test_several_runs_are_deleted_after_one_confirmation_that_names_them(root):
    listed = made_pair(root)
    keys = [run.run_id for run in listed]
    app = tick(open_page(view="runs"), "all_runs", keys, 0, 1)
    app.button(key="all_runs_delete").click().run()
    assert "- two on toy, 5 epochs" in markdown_text(app)
    assert "- one on toy, 5 epochs" in markdown_text(app)
    assert len(runs.list_runs(root)) == 2
    app.button(key="confirm_now").click().run()
    assert not app.exception
    assert runs.list_runs(root) == []


def test_an_opened_comparison_is_listed_and_opened_again(root):
    keys = [run.run_id for run in made_pair(root)]
    open_page(compare=",".join(keys))
    app = open_page(view="runs")
    table = app.dataframe[1].value
    assert list(table["Name"]) == ["two and one on toy"]
    tick(app, "all_comparisons", [",".join(keys)], 0)
    app.button(key="all_comparisons_open").click().run()
    assert app.query_params["compare"] == ",".join(keys)


def test_failed_starts_are_told_and_tidied_up_but_not_listed_in_the_sidebar(root):
    made(root, dataset_of("toy"), "one", {1: 0.5})
    failed = failed_start(root, reason="The disk is full.")
    app = open_page(view="runs")
    assert "The disk is full" in caption_text(app)
    assert not any(button.key == f"open-{failed.run_id}" for button in app.button)
    app.button(key="tidy_up").click().run()
    app.button(key="confirm_now").click().run()
    assert not app.exception
    with pytest.raises(RunError):
        runs.read(root, failed.run_id)
    assert len(runs.list_runs(root)) == 1


def test_an_empty_runs_folder_says_what_to_do(root):
    app = open_page(view="runs")
    assert not app.exception
    assert any("There are no runs yet" in info.value for info in app.info)
