"""What a reload and the address of a run bring back into the sidebar."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from pathlib import Path

import pytest
from made_runs import dataset_of, made
from pages import caption_text, open_page
from streamlit.testing.v1 import AppTest
from toy import as_csv, toy_rows

from layerviz import data, runs
from layerviz.commands.inputs import keep_files, read_files
from layerviz.errors import DataError, RunError
from layerviz.runs import Run, tables


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    return tmp_path


CONTENT = as_csv(toy_rows(90))
KEY = runs.table_key(data.read_table(CONTENT, "toy.csv").content_hash)


def made_of_upload(root: Path, val_fraction: float = 0.3) -> Run:
    """Return a run on a file that is kept."""
    runs.keep_table(root, CONTENT, "toy.csv")
    table = data.read_table(CONTENT, "toy.csv")
    columns = data.guess_columns(table.frame)
    dataset = data.build_dataset(table, columns, val_fraction=val_fraction)
    return made(root, dataset, "enc", {1: 0.5, 4: 2.0})


def shown_sizes(app: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in app.metric}


def info_text(app: AppTest) -> str:
    return " ".join(element.value for element in app.info).replace("\\", "")


# --- kept files -----------------------------------------------------------------------------


def test_a_file_is_kept_as_it_came_under_its_contents(root):
    key = runs.keep_table(root, CONTENT, "toy.csv")
    assert key == KEY
    assert runs.read_kept_table(root, key) == runs.KeptTable("toy.csv", CONTENT)
    assert runs.keep_table(root, CONTENT, "renamed.csv") == key
    assert runs.read_kept_table(root, key).name == "renamed.csv"
    assert [path.name for path in root.iterdir()] == [tables.TABLES]


@pytest.mark.parametrize("key", ["", "..", "../toy", "0" * 16, KEY + "/..", KEY.upper(), "a" * 99])
def test_a_key_from_an_address_leads_nowhere_else(root, key):
    (root / "toy").mkdir()
    (root / "toy" / tables.TABLE).write_text("secret")
    assert not runs.has_table(root, key)
    with pytest.raises(DataError, match="not kept here"):
        runs.read_kept_table(root, key)


def test_a_kept_file_that_was_changed_is_refused(root):
    runs.keep_table(root, CONTENT, "toy.csv")
    (root / tables.TABLES / KEY / tables.TABLE).write_bytes(b"text,label\n")
    with pytest.raises(DataError, match="was changed"):
        runs.read_kept_table(root, KEY)


def test_a_file_that_is_too_large_is_not_kept(root, monkeypatch):
    monkeypatch.setattr(tables, "MOST_BYTES", 10)
    with pytest.raises(RunError, match="not kept"):
        runs.keep_table(root, CONTENT, "toy.csv")
    assert list(root.iterdir()) == []


def test_old_files_are_dropped_unless_a_run_was_made_from_them(root):
    run = made_of_upload(root)
    unused = runs.keep_table(root, b"text,label\na,b\n", "unused.csv")
    recent = runs.keep_table(root, b"text,label\nc,d\n", "recent.csv")
    long_ago = time.time() - (tables.DAYS_KEPT + 1) * 24 * 3600
    for key in (KEY, unused):
        os.utime(root / tables.TABLES / key / tables.ABOUT, (long_ago, long_ago))
    newest = runs.keep_table(root, b"text,label\ne,f\n", "newest.csv")
    assert not runs.has_table(root, unused)
    assert all(runs.has_table(root, key) for key in (KEY, recent, newest))
    assert run.contents["train"].startswith(KEY)


def test_unused_files_together_have_a_limit(root, monkeypatch):
    monkeypatch.setattr(tables, "MOST_BYTES_UNUSED", 20)
    keys = [runs.keep_table(root, f"text,label\n{n},b\n".encode(), "n.csv") for n in range(3)]
    for age, key in enumerate(reversed(keys[:2])):
        when = time.time() - 60 * (age + 1)
        if runs.has_table(root, key):
            os.utime(root / tables.TABLES / key / tables.ABOUT, (when, when))
    newest = runs.keep_table(root, b"text,label\nx,y\n", "x.csv")
    kept = [key for key in keys if runs.has_table(root, key)]
    assert runs.has_table(root, newest)
    assert len(kept) == 1


def test_the_command_line_keeps_its_files_too(root, tmp_path_factory):
    path = tmp_path_factory.mktemp("files") / "toy.csv"
    path.write_bytes(CONTENT)
    files = read_files(Namespace(data=path, val=None, test=None))
    path.write_bytes(CONTENT + b"one more,red\n")  # while the run trains
    keep_files(files, root)
    assert runs.read_kept_table(root, KEY) == runs.KeptTable("toy.csv", CONTENT)
    keep_files(read_files(Namespace(data=None, val=None, test=None)), root)  # the sample
    assert [folder.name for folder in (root / tables.TABLES).iterdir()] == [KEY]


# --- a reload -------------------------------------------------------------------------------


def test_an_upload_survives_a_reload(root):
    app = open_page()
    app.segmented_control(key="source").set_value("Your file").run()
    app.file_uploader(key="upload_train").upload("toy.csv", CONTENT, "text/csv").run()
    assert not app.exception
    sizes = shown_sizes(app)
    assert sizes["Train examples"] == "72"
    assert app.query_params["train"] == KEY
    again = open_page(train=KEY)
    assert again.segmented_control(key="source").value == "Your file"
    assert shown_sizes(again) == sizes
    assert not again.button(key="fine_tune").disabled
    again.button(key="remove_train").click().run()
    assert "train" not in again.query_params
    assert again.button(key="fine_tune").disabled


def test_settings_and_columns_come_from_the_address(root):
    runs.keep_table(root, CONTENT, "toy.csv")
    short = data.read_table(CONTENT, "toy.csv").content_hash[:12]
    query = {
        "train": KEY,
        f"val-{short}": "40",
        "encoder": "RoBERTa mini · bundled",
        "epochs-bundled": "6",
        "rate-roberta-mini": "0.0003",
        "warmup": "20",
        "keep": "all",
    }
    app = open_page(state=None, **query)
    assert not app.exception
    assert not app.warning
    assert shown_sizes(app)["Val examples"] == "36"
    assert app.selectbox(key="encoder").value == "roberta-mini"
    assert app.number_input(key="epochs-bundled").value == 6
    assert app.number_input(key="rate-roberta-mini").value == pytest.approx(0.0003)
    assert app.number_input(key="warmup").value == 20
    assert app.selectbox(key="keep").value == "all"
    [changed] = [part.value for part in app.caption if "Changed from the default" in part.value]
    assert "Warm" in changed
    assert "Epochs" not in changed  # it is in sight


def test_what_is_no_value_in_the_address_is_ignored_with_a_sentence(root):
    query = {"epochs-bundled": "600", "rate-bert-mini": "nan", "keep": "al", "encoder": "nope"}
    query |= {"seed": "1e3", "warmup": "90"}
    app = open_page(state=None, **query)
    assert not app.exception
    [warning] = app.warning
    sentences = warning.value.replace("\\", "")
    assert (
        "Epochs '600' in the address was ignored. Give a whole number from 0 to 100." in sentences
    )
    for name in ("Learning rate", "Keep weights of", "Encoder", "Seed", "Warm-up"):
        assert name in sentences
    assert "Give a percentage from 0 to 50." in sentences
    assert app.number_input(key="epochs-bundled").value == 4
    assert app.selectbox(key="encoder").value == "bert-mini"
    app.button(key="ignored_read").click().run()
    assert not app.warning


def test_a_file_that_is_not_here_is_told_and_the_sample_is_not_taken(root):
    app = open_page(train="0" * 16)
    assert "names a file that cannot be opened" in info_text(app)
    assert app.button(key="fine_tune").disabled


# --- the address of a run -------------------------------------------------------------------


def test_a_run_brings_its_file_columns_and_val_share_back(root):
    run = made_of_upload(root)
    app = open_page(run=run.run_id)
    assert not app.exception
    assert app.segmented_control(key="source").value == "Your file"
    assert "Not the data of the open run" not in caption_text(app)
    app.button(key="new_run").click().run()
    assert shown_sizes(app)["Val examples"] == "27"
    assert app.query_params["train"] == KEY


def test_opening_another_run_changes_the_data_and_a_change_of_the_data_is_told(root):
    run = made_of_upload(root)
    sample = data.sample_table()
    on_sample = made(
        root, data.build_dataset(sample, data.guess_columns(sample.frame)), "enc", {1: 0.5, 4: 2.0}
    )
    app = open_page(run=run.run_id)
    app.button(key=f"open-{on_sample.run_id}").click().run()
    assert app.segmented_control(key="source").value == "Sample"
    assert "Not the data of the open run" not in caption_text(app)
    app.button(key=f"open-{run.run_id}").click().run()
    assert app.segmented_control(key="source").value == "Your file"
    short = run.contents["train"][:12]
    assert app.slider(key=f"val-{short}").value == 30
    app.slider(key=f"val-{short}").set_value(50).run()
    assert "Not the data of the open run" in caption_text(app)


def test_a_run_whose_file_is_not_kept_says_which_one_to_choose(root):
    run = made(root, dataset_of("elsewhere"), "enc", {1: 0.5, 4: 2.0})
    app = open_page(run=run.run_id)
    assert not app.exception
    assert app.segmented_control(key="source").value == "Your file"
    assert "choose elsewhere.csv: text column “text”" in info_text(app)
    assert app.button(key="fine_tune").disabled


def test_an_earlier_run_that_recorded_no_contents_finds_the_sample(root):
    sample = data.sample_table()
    run = made(
        root, data.build_dataset(sample, data.guess_columns(sample.frame)), "enc", {1: 0.5, 4: 2.0}
    )
    entries = {name: value for name, value in run.dataset.items() if name != "contents"}
    runs.update(run.path, dataset=entries)
    app = open_page(run=run.run_id)
    assert app.segmented_control(key="source").value == "Sample"
    assert not app.button(key="fine_tune").disabled
    other = made(root, dataset_of("elsewhere"), "enc", {1: 0.5, 4: 2.0})
    entries = {name: value for name, value in other.dataset.items() if name != "contents"}
    runs.update(other.path, dataset=entries)
    app = open_page(run=other.run_id)
    assert "choose elsewhere.csv" in info_text(app)
