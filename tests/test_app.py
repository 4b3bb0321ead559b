"""The page, driven without a browser."""

from __future__ import annotations

import dataclasses
import gzip
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from layers import layer_of
from made_runs import dataset_of, made
from pages import (
    answered,
    caption_text,
    chart_with,
    error_text,
    map_frame,
    map_headings,
    map_titles,
    maps_points,
    maps_state,
    markdown_text,
    open_page,
    run_until,
    warning_text,
)
from specs import strings_outside_data
from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Toggle
from toy import as_csv, toy_rows
from trained_runs import fit_once
from waiting import wait_until

from layerviz import (
    cache,
    commands,
    comparison,
    data,
    encoders,
    exploring,
    runs,
    separability,
    training,
)
from layerviz.config import RunConfig, run_id
from layerviz.data import FORMATS, Contents, FileFormat
from layerviz.errors import ConfigError, DownloadError, EncoderError
from layerviz.export.pictures import picture
from layerviz.export.zip_writing import zip_run
from layerviz.jobs import Jobs, JobState, worker
from layerviz.poolings import POOLINGS
from layerviz.progress import Progress
from layerviz.projection.tsne import tsne_maps
from layerviz.training import fitting
from layerviz.ui.compare import more_seeds
from layerviz.ui.compare.export import COMPARISON_CHARTS, COMPARISON_REPORTS
from layerviz.ui.parts import stored_maps
from layerviz.ui.parts.state import keep
from layerviz.ui.parts.tabs import Tab
from layerviz.ui.run import page as run_page


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True, scope="module")
def _fit_once() -> Iterator[None]:
    """Train the same run but once, and at once: most tests ask what the page does with it.

    What is waited for is not made behind all other processes of a busy machine, as it otherwise is.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "fit", fit_once)
        patch.setattr(worker, "NICENESS", 0)
        yield


def uploaded(content: bytes, name: str = "toy.csv") -> AppTest:
    app = open_page()
    app.segmented_control(key="source").set_value("Your file").run()
    app.file_uploader(key="upload_train").upload(name, content, "text/csv").run()
    return app


def trained(app: AppTest, root: Path, epochs: int = 2) -> AppTest:
    """Press Fine-tune with the smallest encoder and wait for the end."""
    app.selectbox(key="encoder").set_value("scratch-distilbert").run()
    app.number_input(key="epochs-scratch").set_value(epochs).run()
    app.button(key="fine_tune").click().run()
    wait_until(
        lambda: any(run.status == "done" for run in runs.list_runs(root)),
        seconds=240,  # in the background, on a machine that others share
        why=lambda: [run.reason for run in runs.list_runs(root)],
    )
    return app.run()


def test_first_visit_presets_everything(root):
    app = open_page()
    assert not app.exception
    assert not app.error
    assert not app.button(key="fine_tune").disabled
    figures = {metric.label: metric.value for metric in app.metric}
    assert figures["Classes"] == "4"
    assert int(figures["Train examples"]) > int(figures["Val examples"]) > 400
    assert app.selectbox(key="encoder").value in {"scratch-bert", "bert-mini"}


def long_rows(n: int, words: int) -> list[tuple[str, str]]:
    return [(" ".join([text] * words), label) for text, label in toy_rows(n)]


def test_checks_disappear_when_their_button_is_pressed(root):
    rows = [*(row for row in toy_rows(240) if row[1] == "fruit"), *toy_rows(36, seed=1)]
    app = uploaded(as_csv(rows))
    app.selectbox(key="encoder").set_value("bert-mini").run()
    assert "Classes are uneven" in markdown_text(app)
    assert "fewer than 5 val rows" in markdown_text(app)
    assert "2 checks" in caption_text(app)
    n_val = int({metric.label: metric.value for metric in app.metric}["Val examples"])
    next(button for button in app.button if button.label.startswith("Hold out")).click().run()
    assert "fewer than 5 val rows" not in markdown_text(app)
    assert int({metric.label: metric.value for metric in app.metric}["Val examples"]) > n_val
    assert "1 check ·" in caption_text(app)
    next(button for button in app.button if button.label == "Balance the classes").click().run()
    assert "uneven" not in markdown_text(app)
    assert app.selectbox(key="class_weighting").value == "balanced"
    assert "check ·" not in caption_text(app)
    assert not app.exception


def test_texts_that_are_cut_get_a_length_that_holds_them(root):
    app = uploaded(as_csv(long_rows(90, 15)))
    app.selectbox(key="encoder").set_value("bert-mini").run()
    assert "are cut at max length 128" in markdown_text(app)
    next(one for one in app.button if one.label.startswith("Set max length to")).click().run()
    assert "are cut" not in markdown_text(app)
    assert int(app.number_input(key="max_length").value or 0) > 128
    assert "none will be cut" in caption_text(app)


def test_few_rows_per_class_get_more_steps_by_a_button(root):
    rows = [(f"text {number} of topic {number % 40}", f"topic {number % 40}")
            for number in range(240)]  # fmt: skip
    app = uploaded(as_csv(rows))
    app.selectbox(key="encoder").set_value("bert-mini").run()
    assert "about 5 rows per class" in markdown_text(app)
    next(one for one in app.button if one.label.startswith("Train ")).click().run()
    assert "rows per class" not in markdown_text(app)
    assert app.number_input(key="batch_size").value == 8
    assert int(app.number_input(key="epochs-bundled").value or 0) > 4
    assert not app.exception


def test_a_length_over_the_encoders_limit_is_refused_before_anything_starts(root):
    app = open_page()
    app.selectbox(key="encoder").set_value("bert-mini").run()
    app.number_input(key="max_length").set_value(600).run()
    assert "reads at most 512 tokens" in markdown_text(app)
    app.button(key="fine_tune").click().run()
    assert "BERT mini reads at most 512 tokens. Set max length to 512" in error_text(app)
    assert runs.list_runs(root) == []
    next(one for one in app.button if one.label == "Set max length to 512").click().run()
    assert "at most 512" not in markdown_text(app)


def test_the_share_of_val_is_asked_for_beside_a_split_column_without_val(root):
    rows = [(*row, "test" if n % 4 == 0 else "train") for n, row in enumerate(toy_rows(120))]
    app = uploaded(as_csv(rows, "text,label,split"))
    assert app.slider[0].label == "Held out for val"
    app.slider[0].set_value(40).run()
    assert sizes_of(app) == {"Train": 54, "Val": 36, "Test": 30}


def test_several_labels_are_folded_refused_or_asked_about(root):
    rows = [(text, *("1" if label == kind else "0" for kind in ("fruit", "tool", "river")))
            for text, label in toy_rows(90)]  # fmt: skip
    app = uploaded(as_csv(rows, "text,fruit,tool,river"))
    assert "exactly one 1 in the columns 'fruit', 'tool', 'river'" in caption_text(app)
    assert {metric.label: metric.value for metric in app.metric}["Classes"] == "3"
    [one_hot] = label_toggles(app)
    one_hot.set_value(False).run()
    assert {metric.label: metric.value for metric in app.metric}["Classes"] == "2"
    tags = ["bike", "cake", "bike;cake", "cake;bike"]
    rows = [(text, tags[number % 4]) for number, (text, _) in enumerate(toy_rows(90))]
    app.file_uploader(key="upload_train").upload("tags.csv", as_csv(rows, "text,tags")).run()
    assert "several labels in 44 of 90 rows, such as 'bike;cake'" in error_text(app)
    [combined] = label_toggles(app)
    combined.set_value(True).run()
    assert not app.error
    assert {metric.label: metric.value for metric in app.metric}["Classes"] == "4"


def label_toggles(app: AppTest) -> list[Toggle]:
    """Return the toggles about the data but the one about near repeats, of which toys have many."""
    return [toggle for toggle in app.toggle if not toggle.label.startswith("Keep near repeats")]


def sizes_of(app: AppTest) -> dict[str, int]:
    kinds = [metric.label.removesuffix(" examples") for metric in app.metric]
    values = dict(zip(kinds, [metric.value for metric in app.metric], strict=True))
    return {split: int(values[split]) for split in ("Train", "Val", "Test") if split in values}


def test_words_of_a_split_column_are_asked_for_and_val_can_be_cut_anew(root):
    words = ["train", "train", "val", "test", "blorp", "unsup"]
    rows = [(*row, words[n // 3 % 6]) for n, row in enumerate(toy_rows(180))]
    rows += [(f"{text} again", "Fruit", "train") for text, _ in toy_rows(3)]
    app = uploaded(as_csv(rows, "text,label,split"))
    assert "Choose what 'blorp' means" in warning_text(app)
    assert app.button(key="fine_tune").disabled
    asked = {box.label.replace("\\", ""): box for box in app.selectbox if "rows)" in box.label}
    assert asked["“unsup” (30 rows)"].value == "leave out"
    asked["“blorp” (30 rows)"].set_value("test").run()
    assert not app.warning
    assert sizes_of(app) == {"Train": 63, "Val": 30, "Test": 60}
    assert "'blorp' is taken for test (30 rows)" in caption_text(app)
    next(button for button in app.button if button.label == "Merge them").click().run()
    assert "'Fruit' into 'fruit'" in caption_text(app)
    cut, merge = label_toggles(app)
    assert merge.value
    merge.set_value(False).run()
    assert "Labels look alike" in markdown_text(app)
    merge.set_value(True).run()
    cut.set_value(True).run()
    assert sizes_of(app) == {"Train": 74, "Val": 19, "Test": 60}
    app.slider[0].set_value(50).run()
    assert sum(sizes_of(app).values()) == 153
    assert sizes_of(app)["Val"] in range(44, 49)
    assert not app.exception


def test_page_and_command_line_have_the_same_defaults(root, monkeypatch):
    pressed = []

    def note(self, config, dataset):
        pressed.append(run_id(config, dataset.name, dataset.fingerprint))
        raise ConfigError("Noted.", "")

    app = open_page()
    monkeypatch.setattr(Jobs, "fit", note)
    app.button(key="fine_tune").click().run()
    parsed = commands.parser().parse_args(["fit"])
    config = training.with_defaults(commands.run_config(parsed, parsed.encoder, parsed.seed))
    dataset = commands.read_dataset(parsed)
    assert pressed == [run_id(config, dataset.name, dataset.fingerprint)]
    assert parsed.val_fraction == data.VAL_FRACTION
    margins = (commands.parser().parse_args([name, "x"]).margin for name in ("report", "compare"))
    assert set(margins) == {separability.MARGIN}


def failed_start(app, root, monkeypatch, error):
    def fail(*args, **settings):
        raise error

    monkeypatch.setattr(encoders, "load", fail)
    app.selectbox(key="encoder").set_value("scratch-distilbert").run()
    app.button(key="fine_tune").click().run()
    wait_until(lambda: any(run.status == "failed" for run in runs.list_runs(root)))
    return app.run()


def test_a_failed_start_offers_no_way_on_that_cannot_work(root, monkeypatch):
    error = EncoderError("It reads at most 512 tokens.", "Set max length to at most 512.")
    app = failed_start(open_page(), root, monkeypatch, error)
    assert "at most 512 tokens. Set max length to at most 512." in error_text(app)
    assert not any(button.key == "continue" for button in app.button)
    assert "press Fine-tune" in caption_text(app)
    reopened = open_page(run=runs.list_runs(root)[0].run_id)
    assert "at most 512 tokens" in error_text(reopened)
    assert not any(button.key == "continue" for button in reopened.button)


def test_a_failed_download_can_be_tried_again(root, monkeypatch):
    error = DownloadError("The Hub cannot be reached.", "Check the network.")
    app = failed_start(open_page(), root, monkeypatch, error)
    assert app.button(key="continue").label == "Try again"


def test_one_encoder_cannot_be_compared(root):
    app = open_page()
    app.multiselect(key="compared_encoders").set_value(["bert-mini"])
    app.number_input(key="compared_seeds").set_value(3).run()
    assert app.button(key="compare").disabled


def test_upload_train_and_maps(root, monkeypatch):
    monkeypatch.setattr(training, "fit", fitting.fit)
    app = uploaded(as_csv(toy_rows(90)))
    assert {metric.label: metric.value for metric in app.metric}["Train examples"] == "72"
    app = trained(app, root)
    assert not app.exception
    assert not app.error
    names = [slot["name"] for slot in maps_state(app)["slots"]]
    assert names == ["before training", "epoch 1", "epoch 2"]
    run_until(app, lambda: "Too few val examples to say" in markdown_text(app))
    assert "only 18 val examples" in markdown_text(app)
    assert runs.list_runs(root)[0].run_id in app.query_params["run"]


def test_a_permalink_reopens_a_run_with_every_view(root):
    trained(uploaded(as_csv(toy_rows(90))), root)
    run_id = runs.list_runs(root)[0].run_id
    app = open_page(run=run_id)
    for colouring in ("prediction", "right or wrong", "confidence"):
        app.selectbox(key="colouring").set_value(colouring).run()
        assert not app.exception
    app.segmented_control(key="pooling").set_value("cls").run()
    app.selectbox(key="layers_shown-4").set_value("Every other layer").run()
    assert not app.exception
    assert maps_points(app)["labels"] == ["fruit", "river", "tool"]
    assert maps_points(app)["panels"] == [2, 4]
    app.segmented_control(key="projection").set_value("tsne").run()
    run = runs.read(root, run_id)
    wait_until(lambda: runs.read_map(run.path, "tsne", "cls", 4) is not None)
    run_until(app, lambda: all(heading.endswith("t-SNE") for heading in map_headings(app)))


def test_waiting_for_maps_tells_the_time_left(monkeypatch):
    clock = iter([100.0, 102.0, 110.0, 400.0, 410.0])
    monkeypatch.setattr(stored_maps, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    monkeypatch.setattr(stored_maps.st, "session_state", {})
    first, grown = ("tsne", ("run", 3, "mean", 1)), ("tsne", ("run", 4, "mean", 1))
    assert stored_maps.time_left(first, 0.2) == ""
    assert stored_maps.time_left(first, 0.21) == ""  # too early to tell
    assert stored_maps.time_left(first, 0.4) == ", about 30 s left"  # 0.2 in 10 s
    assert stored_maps.time_left(grown, 0.7) == ""  # a new snapshot: a new wait
    assert stored_maps.time_left(grown, 0.8) == ", about 20 s left"


def test_the_open_tab_is_in_the_address(root):
    run = made(root, dataset_of(), "enc", {1: 0.5, 4: 2.0})
    assert open_page(run=run.run_id, tabs="Run").session_state["tabs"] == "Run"
    unknown = open_page(run=run.run_id, tabs="Nonsense")
    assert not unknown.exception
    assert unknown.session_state["tabs"] == "Maps"


def test_lda_maps_say_that_val_is_to_be_looked_at(root):
    run = made(root, dataset_of(), "enc", {1: 0.5, 4: 2.0})
    app = open_page(run=run.run_id)
    app.segmented_control(key="projection").set_value("lda").run()
    assert not app.exception
    assert not app.error
    assert map_titles(app)
    assert "judge by val" in caption_text(app)
    assert "PCA maps are shown until" not in caption_text(app)
    assert runs.read_map(run.path, "lda", "mean", 4) is not None  # kept for the next time


def test_own_texts_are_placed_in_lda_maps(looked_at, monkeypatch):
    app = examples_tab(looked_at, monkeypatch, "Your own text")
    app.text_area(key="own_texts_typed").set_value("a ripe plum").run()
    app.button(key="own_texts_go").click().run()
    app.segmented_control(key="own_texts_projection").set_value("lda").run()
    assert not app.exception
    assert not app.error
    assert "judge by val" in caption_text(app)


def test_one_layer_large_lists_its_examples(root):
    trained(uploaded(as_csv(toy_rows(90))), root)
    app = open_page(run=runs.list_runs(root)[0].run_id)
    app.selectbox(key="layers_shown-4").set_value(4).run()
    assert not app.exception
    table = app.dataframe[0].value
    assert len(table) == 90
    assert table["loss"].is_monotonic_decreasing


# --- examples -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def looked_at(tmp_path_factory) -> Path:
    """Return a runs folder with one finished run, the weights of every snapshot included."""
    folder = tmp_path_factory.mktemp("looked_at")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(runs.RUNS_VARIABLE, str(folder))
        app = uploaded(as_csv(toy_rows(90)))
        app.selectbox(key="keep").set_value("all")
        trained(app, folder)
    return folder


def examples_tab(looked_at: Path, monkeypatch, part: str) -> AppTest:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(looked_at))
    app = open_page(run=runs.list_runs(looked_at)[0].run_id)
    app.session_state["tabs"] = "Examples"
    app.session_state["examples_view"] = part
    return app.run()


def test_a_search_lists_the_hits_and_lights_them_up_in_all_maps(looked_at, monkeypatch):
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(looked_at))
    run = runs.list_runs(looked_at)[0]
    app = open_page(run=run.run_id)
    assert len(app.dataframe[0].value) == 90
    examples = runs.read_examples(run.path)
    word = examples["text"].iloc[0].split()[0].upper()
    hits = set(examples["id"][examples["text"].str.contains(word, case=False, regex=False)])
    app.text_input(key="search").set_value(word).run()
    assert set(app.dataframe[0].value["id"]) == hits
    assert f"**{len(hits)} example" in markdown_text(app)
    assert set(examples["id"].to_numpy()[maps_state(app)["selected"]]) == hits
    assert maps_state(app)["picked"]["count"] == f"{len(hits)} selected"
    first = maps_state(app)["picked"]["items"][0]
    assert re.fullmatch(r"row \d+ of [\w.]+ \((train|val)\)", first["name"])
    assert app.dataframe[0].value["example"].str.startswith("row ").all()
    assert f"csv-{run.run_id}-selected" in [button.key for button in app.download_button]
    app.button(key="examples_clear").click().run()
    assert len(app.dataframe[0].value) == 90
    assert app.text_input(key="search").value == ""
    app.text_input(key="search").set_value("no text has this").run()
    assert "Nothing found in the 90 captured" in caption_text(app)


def test_a_long_text_full_of_markup_shows_as_text(root):
    attack = "<script>alert(1)</script> **bold** $x$ :red[no] [a](http://b) ![i](http://c/d.png) "
    rows = [(f"{text} {attack * 60}", label) for text, label in toy_rows(90)]
    trained(uploaded(as_csv(rows)), root)
    run = runs.list_runs(root)[0]
    app = open_page(run=run.run_id)
    app.session_state["tabs"] = "Examples"
    example = runs.read_examples(run.path)["id"].iloc[0]
    app.session_state["opened_example"] = (run.dataset["fingerprint"], example)
    app.run()
    assert not app.exception
    shown = next(code.value for code in app.code if "alert" in code.value)
    assert shown == runs.read_examples(run.path)["text"].iloc[0]
    assert not any("alert" in part.value for part in (*app.markdown, *app.caption))
    assert len(shown) > 5000


def test_one_example_tells_predictions_layers_and_neighbours(looked_at, monkeypatch):
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(looked_at))
    run = runs.list_runs(looked_at)[0]
    examples = runs.read_examples(run.path)
    row = int((examples["split"] == "val").to_numpy().argmax())
    app = open_page(run=run.run_id)
    app.session_state["tabs"] = "Examples"
    app.session_state["opened_example"] = (run.dataset["fingerprint"], examples["id"].iloc[row])
    app.run()
    assert not app.exception
    stored = [runs.read_predictions(run.path, s.index).iloc[row] for s in run.snapshots]
    for snapshot, one in zip(run.snapshots, stored, strict=True):
        name = run.label_names[one["predicted"]]
        assert f"{name} ({one['confidence']:.0%})" in markdown_text(app), snapshot
    neighbours = next(d.value for d in app.dataframe if "similarity" in d.value)
    assert len(neighbours) == 10
    assert neighbours["similarity"].is_monotonic_decreasing
    splits = examples.set_index("id")["split"]
    assert set(splits[neighbours["id"]]) == {"train"}
    right = [runs.read_probes(run.path, s.index)["mean"][:, row] for s in run.snapshots]
    right = np.stack(right) == examples["label"].iloc[row]  # (S, L + 1)
    first = exploring.earliest_layer(right[-1, 1:, None])[0]
    expected = (
        "No layer gets it right at any epoch."
        if not right.any()
        else f"every layer gets it right from layer {first} on."
        if first
        else "the last layer gets it wrong."
    )
    assert expected in caption_text(app)


@pytest.mark.parametrize(
    "kind", ["Flipped predictions", "Right only in late layers", "Changed neighbours"]
)
def test_every_kind_of_event_has_its_list(looked_at, monkeypatch, kind):
    app = examples_tab(looked_at, monkeypatch, "Events")
    app.segmented_control(key="event_kind").set_value(kind).run()
    assert not app.exception
    run = runs.list_runs(looked_at)[0]
    examples = runs.read_examples(run.path)
    labels = examples["label"].to_numpy()
    if kind == "Flipped predictions":
        predicted = [runs.read_predictions(run.path, s.index)["predicted"] for s in run.snapshots]
        found = exploring.flips(np.stack(predicted), labels)
    elif kind == "Right only in late layers":
        probed = runs.read_probes(run.path, run.snapshots[-1].index)["mean"][1:]
        found = exploring.only_late(probed == labels)
    else:
        before, after = (runs.read_hidden_states(run.path, at, "mean", 4) for at in (0, 2))
        found = exploring.neighbour_changes(before, after, examples["split"].to_numpy())
    if len(found):
        shown = app.dataframe[0].value["id"].tolist()
        assert shown == examples["id"].iloc[found["row"]].tolist()
    else:
        assert "There are no such examples." in [info.value for info in app.info]
    app.segmented_control(key="event_split").set_value("val").run()
    assert not app.exception
    if kind == "Changed neighbours":
        assert set(app.dataframe[0].value["split"]) == {"val"}
        app.button(key="event_marks").click().run()
        assert not app.exception
        assert app.session_state["tabs"] == "Maps"
        assert len(app.dataframe[0].value) == 12
        assert "because their neighbours changed" in markdown_text(app)


@pytest.mark.parametrize("snapshot", [2, 0])
def test_own_texts_are_read_by_the_model_of_an_epoch_and_placed_in_its_maps(
    looked_at, monkeypatch, snapshot
):
    run = runs.list_runs(looked_at)[0]
    app = examples_tab(looked_at, monkeypatch, "Your own text")
    app.selectbox(key=f"own_texts_epoch-{run.run_id}").set_value(snapshot).run()
    examples = runs.read_examples(run.path)
    text = examples["text"].iloc[0]
    app.text_area(key="own_texts_typed").set_value(f"{text}\n\nsomething else\n").run()
    app.button(key="own_texts_go").click().run()
    assert not app.exception
    assert not app.error
    told = app.dataframe[0].value
    assert told["text"].tolist() == [text, "something else"]
    stored = runs.read_predictions(run.path, snapshot).iloc[0]
    assert told["predicted"].iloc[0] == run.label_names[stored["predicted"]]
    assert told["confidence"].iloc[0] == pytest.approx(stored["confidence"], abs=1e-3)
    nearest = app.dataframe[1].value
    assert nearest["id"].iloc[0] == examples["id"].iloc[0]  # a train text is its own neighbour
    assert nearest["similarity"].iloc[0] == pytest.approx(1, abs=1e-3)
    stars, points = map_frame(app, "verdict"), map_frame(app, "newest")
    for layer, star in stars[stars["number"] == "1"].groupby("layer"):
        drawn = points[(points["layer"] == layer) & (points["row"] == 0)].iloc[0]
        for place in star[["x", "y"]].to_numpy():  # in the train and in the val map
            assert place == pytest.approx([drawn["x0"], drawn["y0"]], abs=0.01)


def test_own_texts_wait_for_maps_of_their_epoch(looked_at, monkeypatch):
    run = runs.list_runs(looked_at)[0]
    splits = runs.read_examples(run.path)["split"].to_numpy()
    for layer in range(1, 5):  # drawn when the run had one snapshot
        states = [runs.read_hidden_states(run.path, 0, "max", layer)]
        maps = tsne_maps(layer_of(states, splits))
        runs.write_map(run.path, "tsne", "max", layer, maps.arrays())
    app = examples_tab(looked_at, monkeypatch, "Your own text")
    app.text_area(key="own_texts_typed").set_value("an apple").run()
    app.button(key="own_texts_go").click().run()
    app.segmented_control(key="own_texts_pooling").set_value("max").run()
    app.segmented_control(key="own_texts_projection").set_value("tsne").run()
    assert not app.exception
    run_until(app, lambda: any(heading.endswith("t-SNE") for heading in map_headings(app)))
    for layer in range(1, 5):
        stored = runs.read_map(run.path, "tsne", "max", layer)
        assert stored is not None
        assert len(stored["xy"]) == 3


def test_a_selection_leaves_chart_and_slider_as_they_are(looked_at, monkeypatch):
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(looked_at))
    monkeypatch.setattr("layerviz.views.slider.MOST_POINTS", 40)
    monkeypatch.setattr("layerviz.views.slider.POINTS_TIMES_SLOTS", 120)
    monkeypatch.setattr("layerviz.views.slider.FEWEST_SLOTS", 2)
    monkeypatch.setattr("layerviz.views.slider.MOST_SLOTS", 3)
    run = runs.list_runs(looked_at)[0]
    app = open_page(run=run.run_id)
    before = maps_state(app)
    app.text_input(key="search").set_value("the").run()  # more than the sample holds
    assert len(app.dataframe[0].value) > 10
    after = maps_state(app)
    for name in ("layouts", "slots", "place"):
        assert after[name] == before[name]
    assert after["selected"]
    assert not before["selected"]


def test_the_slider_stands_where_the_address_says(looked_at, monkeypatch):
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(looked_at))
    run = runs.list_runs(looked_at)[0]
    for epoch, snapshot in (("1", 1), ("0", 0), ("9", 2), ("nonsense", 2)):
        app = open_page(run=run.run_id, epoch=epoch)
        assert not app.exception
        assert maps_state(app)["place"]["snapshot"] == snapshot
        if snapshot < 2:  # what is listed below follows the slider
            assert ("before training" if snapshot == 0 else "epoch 1") in markdown_text(app)


def test_suspicious_labels_are_ranked_off_the_page_and_told_with_the_rows_of_the_file(
    looked_at, monkeypatch
):
    app = examples_tab(looked_at, monkeypatch, "Suspicious labels")
    run = runs.list_runs(looked_at)[0]
    run_until(app, lambda: any("rank" in table.value for table in app.dataframe))
    assert not app.error
    ranking = runs.read_label_ranking(run.path)
    assert ranking is not None
    stored, facts = ranking
    assert f"{facts['n_flagged']} of 90 labels" in markdown_text(app)
    table = app.dataframe[0].value
    assert table["rank"].tolist() == list(range(1, 91))
    assert table["id"].tolist() == stored["id"].tolist()
    app.button(key="suspicious_marks").click().run()
    assert app.session_state["tabs"] == "Maps"
    assert "for their suspicious labels" in markdown_text(app)


# --- layers ---------------------------------------------------------------------------------


def layers_tab(root: Path) -> AppTest:
    """Train on the toy data, and open the tab of the run."""
    trained(uploaded(as_csv(toy_rows(300))), root)
    app = open_page(run=runs.list_runs(root)[0].run_id)
    app.session_state["tabs"] = "Layers"
    return answered(app.run())


def test_the_layers_tab_says_what_is_stored(root):
    app = layers_tab(root)
    app.session_state["answer_details"] = True
    assert not app.exception
    run = runs.list_runs(root)[0]
    answer = separability.answer_of(run)
    first, *others = separability.answer_sentences(answer)
    run_until(app, lambda: first in markdown_text(app))  # a worker makes it
    for sentence in others:
        assert sentence in markdown_text(app)
    best, table = answer.best, runs.read_separability(run.path)
    stored = table[
        table[["snapshot", "pooling", "layer", "measure", "split"]]
        .eq([best.snapshot, best.pooling, best.layer, "probe_macro_f1", "val"])
        .all(axis=1)
    ]
    assert f"scores macro-F1 {stored['value'].item():.2f}" in markdown_text(app)
    app.segmented_control(key="answer_poolings").set_value("cls").run()
    lead = separability.answer_sentences(separability.answer_of(run, ("cls",)))[0]
    run_until(app, lambda: lead in markdown_text(app))


def test_every_measure_has_its_heat_map(root):
    app = layers_tab(root)
    for name, measure in separability.MEASURES.items():
        app.selectbox(key="measure").set_value(name).run()
        assert not app.exception
        heat_map = chart_with(app, "cell")
        assert any(measure.label in text for text in strings_outside_data(heat_map))
    app.toggle(key="against_start").set_value(True).run()
    assert not app.exception


def test_what_stands_below_the_heat_map(root):
    app = layers_tab(root)
    for tab, sentence in (
        ("Pooling", "each at its best layer"),
        ("Overfitting", "val is highest"),
        ("Similarity", "To itself before training"),
        ("Classes", "First separated"),
        ("Mix layers", "concatenated: val macro-F1"),
    ):
        app.session_state["detail_tabs"] = tab
        app.run()
        assert not app.exception, tab
        assert sentence in markdown_text(app), tab
    app.selectbox(key="detail_how").set_value("scalar mix").run()
    assert "with weights" in markdown_text(app)
    app.button(key="search_mix").click().run()
    run = runs.list_runs(root)[0]
    snapshot = separability.answer_of(run).best.snapshot
    wait_until(lambda: any(runs.read_mix(run.path, snapshot, pooling) for pooling in POOLINGS))
    run_until(app, lambda: "Search" in markdown_text(app))


def test_a_run_without_measures_is_measured_when_its_layers_are_asked_for(root):
    trained(uploaded(as_csv(toy_rows(90))), root)
    run = runs.list_runs(root)[0]
    (run.path / "separability.csv").unlink()
    for snapshot in run.snapshots:
        (run.path / "snapshots" / f"{snapshot.index:03d}" / "probes.safetensors").unlink()
    app = open_page(run=run.run_id)
    app.session_state["tabs"] = "Layers"
    app.session_state["answer_details"] = True
    app.run()
    wait_until(lambda: not runs.unmeasured_snapshots(run))
    lead = separability.answer_sentences(separability.answer_of(run))[0]
    run_until(app, lambda: lead in markdown_text(app))


def test_the_same_settings_reopen_the_finished_run(root):
    app = trained(uploaded(as_csv(toy_rows(90))), root)
    before = (runs.list_runs(root)[0].path / "history.csv").stat().st_mtime_ns
    app.button(key="fine_tune").click().run()
    assert len(runs.list_runs(root)) == 1
    assert (runs.list_runs(root)[0].path / "history.csv").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("content", "name", "words"),
    [
        (b"", "empty.csv", "empty"),
        (as_csv([(f"text {i}", "same") for i in range(30)]), "one.csv", "label"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + bytes(range(256)), "picture.csv", "PNG"),
        (b"%PDF-1.7\n", "paper.pdf", "a PDF document"),
    ],
)
def test_a_bad_file_gets_one_sentence_with_the_fix(root, content, name, words):
    app = uploaded(content, name)
    assert not app.exception
    assert len(app.error) == 1
    assert words in error_text(app)
    assert app.button(key="fine_tune").disabled


def test_columns_can_be_picked_where_none_is_guessed(root):
    rows = [
        (str(number), text, label if number < 80 else "")  # too few have one for a guess
        for number, (text, label) in enumerate(toy_rows(200))
    ]
    app = uploaded(as_csv(rows, "number,words,code"))
    assert "None of the columns 'number', 'words', 'code' looks like labels" in warning_text(app)
    assert app.button(key="fine_tune").disabled
    label = next(box for box in app.selectbox if box.label == "Label column")
    assert label.value is None
    label.set_value("code").run()
    assert not app.warning
    assert not app.button(key="fine_tune").disabled
    val = [(text.upper(), text.title(), label) for text, label in toy_rows(30)]
    assert not label_toggles(app)
    val += [(text.upper(), f"{text} again", "NULL") for text, _ in toy_rows(30, seed=1)]
    app.file_uploader(key="upload_val").upload("v.csv", as_csv(val, "a,b,Code")).run()
    assert "v.csv: There is no column 'words'." in warning_text(app)
    next(box for box in app.selectbox if box.label == "Text column (val)").set_value("b").run()
    assert not app.exception
    assert "In v.csv, texts from 'b', labels from 'Code'." in caption_text(app)
    assert "30 rows of v.csv without a label ('NULL') were left out." in caption_text(app)
    [keeps] = label_toggles(app)
    assert (keeps.label.replace("\\", ""), keeps.value) == ("'NULL' is a class", False)
    keeps.set_value(True).run()
    assert "30 rows of val or test with a label that train lacks" in caption_text(app)


def test_a_further_file_format_can_be_uploaded(root):
    def read_jots(content, name, choices, *, one_column):
        rows = [line.split("|") for line in content.decode().splitlines()]
        return Contents(pd.DataFrame(rows, columns=["text", "label"]), "jots", ())

    jots = FileFormat("jots", "Jots", (".jot",), "texts and labels, each row a line", read_jots)
    with FORMATS.extended(jots):
        content = "\n".join("|".join(row) for row in toy_rows(90)).encode()
        app = uploaded(content, "notes.jot")
        assert not app.exception
        assert not app.error
        assert not app.button(key="fine_tune").disabled
        # A file that the browser refuses by its name is a red box without a reason.
        uploader = app.file_uploader(key="upload_train")
        assert not uploader.proto.type
    lines = "\n".join(json.dumps({"text": text, "label": label}) for text, label in toy_rows(90))
    uploader.upload("notes.jsonl.gz", gzip.compress(lines.encode()), "application/gzip").run()
    assert not app.error
    assert "gzip, UTF-8, JSON Lines" in caption_text(app)
    assert not app.button(key="fine_tune").disabled


def test_page_and_command_line_name_a_run_alike(root):
    content = as_csv(toy_rows(90))
    trained(uploaded(content), root)
    table = data.read_table(content, "toy.csv")
    dataset = data.build_dataset(table, data.guess_columns(table.frame))
    config = training.with_defaults(RunConfig(encoder="scratch-distilbert", epochs=2))
    name = run_id(config, dataset.name, dataset.fingerprint)
    assert [run.run_id for run in runs.list_runs(root)] == [name]


def test_a_cancelled_run_offers_to_go_on_where_its_data_is_chosen(root):
    app = trained(uploaded(as_csv(toy_rows(90))), root)
    run = runs.list_runs(root)[0]
    runs.update(run.path, status="cancelled")
    reopened = open_page(run=run.run_id)  # its data come back with it
    assert any(button.key == "continue" for button in reopened.button)
    shutil.rmtree(root / ".data")
    elsewhere = open_page(run=run.run_id)
    assert not any(button.key == "continue" for button in elsewhere.button)
    assert any("choose its data" in caption.value for caption in elsewhere.caption)
    app.run()
    app.button(key="continue").click().run()
    assert not app.exception
    wait_until(lambda: runs.read(root, run.run_id).status == "done")


def test_many_classes_can_be_picked_for_colour(root):
    rows = [(f"message {i} about topic{i % 30}", f"topic {i % 30}") for i in range(240)]
    app = trained(uploaded(as_csv(rows)), root, epochs=1)
    run_id = runs.list_runs(root)[0].run_id
    picker = app.multiselect(key=f"classes-{run_id}")
    assert len(picker.value) == 10
    picker.set_value([0, 29]).run()
    assert not app.exception


def test_separate_files_and_corrected_columns(root):
    header = "id,body,mood,kind"
    rows = [(str(i), text, label, "ab"[i % 2]) for i, (text, label) in enumerate(toy_rows(90))]
    app = uploaded(as_csv(rows, header))
    app.file_uploader(key="upload_val").upload(
        "val.csv",
        as_csv(rows[:0] + [("9", f"{t} again", m, "a") for _, t, m, _ in rows[:30]], header),
    ).run()
    figures = {metric.label: metric.value for metric in app.metric}
    assert (figures["Train examples"], figures["Val examples"]) == ("90", "30")
    label = next(box for box in app.selectbox if box.label == "Label column")
    label.set_value("kind").run()
    assert {metric.label: metric.value for metric in app.metric}["Classes"] == "2"


@pytest.mark.parametrize("run_id", ["../../etc/passwd", "no-such-run", "A B"])
def test_a_wrong_permalink_is_told_and_the_page_lives(root, run_id):
    app = open_page(run=run_id)
    assert not app.exception
    assert len(app.error) == 1
    assert not app.button(key="fine_tune").disabled


@pytest.mark.parametrize("compared", ["../../etc/passwd,no-such-run", "no-such-run", ",,"])
def test_a_wrong_permalink_of_a_comparison_is_told_and_the_page_lives(root, compared):
    app = open_page(compare=compared)
    assert not app.exception
    assert len(app.error) == len([part for part in compared.split(",") if part])
    assert not app.button(key="fine_tune").disabled


def test_runs_that_are_there_are_put_side_by_side(root):
    dataset = dataset_of()
    good = made(root, dataset, "good", {3: 3.0, 4: 3.0})
    weak = made(root, dataset, "weak", {2: 0.9}, n_layers=2, noise=1)
    app = open_page(compare=f"{good.run_id},{weak.run_id}")
    assert not app.exception
    contenders = comparison.contenders_of([good, weak])
    judged = comparison.compare_contenders(contenders)
    for sentence in comparison.comparison_sentences(judged):
        assert sentence in markdown_text(app)
    table, scores = app.table[0].value, app.table[1].value
    assert list(table["Encoder"]) == ["good", "weak"]
    assert table["Standing"][0] == "first"
    assert table["Standing"][1].startswith("behind by ")
    assert table["On unseen data"][0].startswith(f"{judged.best.unseen.value:.3f}")
    assert scores["On this val"][0] == f"{judged.best.val.value:.3f}"
    assert any("weak  ·  layer 2 of 2, " in title for title in map_titles(app))
    for depth, expected in ((0.5, {"layer 2 of 4", "layer 1 of 2"}), (1.0, {"layer 4 of 4"})):
        app.selectbox(key="versus_depth").set_value(depth).run()
        drawn = " ".join(map_titles(app))
        assert all(layer in drawn for layer in expected)
    app.selectbox(key="versus_depth").set_value("At each quarter of the depth").run()
    assert not app.exception
    assert len(map_titles(app)) == 2 * 4 * 2  # encoders, depths, splits
    assert "layer 3 of 4" in " ".join(map_titles(app))
    app.segmented_control(key="versus_poolings").set_value("max").run()
    app.toggle(key="versus_at_best").set_value(False).run()
    assert not app.exception
    for tab, said_there in (
        ("Scores", "Scores over relative depth"),
        ("Agreement", "val examples that one gets right and the other wrong"),
        ("Export", "How to reproduce"),
        ("Runs", "Settings that differ"),
    ):
        app.session_state["compare_tabs"] = tab
        app.run()
        assert not app.exception, tab
        assert said_there in markdown_text(app), tab


def test_more_seeds_are_started_where_the_verdict_is_of_single_runs(root):
    dataset = dataset_of()
    compared = [
        made(root, dataset, name, {4: distance}, noise=number)
        for number, (name, distance) in enumerate((("far", 3.0), ("near", 0.6)))
    ]
    address = ",".join(run.run_id for run in compared)
    app = open_page(compare=address)
    assert "This run of far does better than this run of near" in markdown_text(app)
    button = app.button(key="versus_more_seeds")
    assert "4 more runs" in button.label
    assert button.disabled  # the data that is chosen on the left is the sample
    assert any("choose **toy" in caption.value for caption in app.caption)

    configs = more_seeds.lacking_seeds(comparison.contenders_of(compared), 3)
    assert [(config.encoder, config.seed) for config in configs] == [
        ("far", 1), ("far", 2), ("near", 1), ("near", 2)
    ]  # fmt: skip
    assert {dataclasses.replace(config, seed=0) for config in configs} == {
        run.config for run in compared
    }


def test_the_lacking_seeds_are_queued_beside_the_runs_that_are_compared(root, monkeypatch):
    table = data.sample_table()
    sample = data.build_dataset(table, data.guess_columns(table.frame), val_fraction=0.2, seed=0)
    compared = [
        made(root, sample, encoder, {4: 3.0}, noise=noise)
        for noise, encoder in enumerate(("bert-mini", "roberta-mini"))
    ]
    ids = [run.run_id for run in compared]
    queued: list[tuple[list[RunConfig], list[str]]] = []

    def compare(jobs, configs, dataset, beside=()):
        assert dataset.fingerprint == sample.fingerprint
        queued.append((list(configs), list(beside)))
        return []

    monkeypatch.setattr("layerviz.jobs.Jobs.compare", compare)
    app = open_page(compare=",".join(ids))
    app.number_input(key="versus_seeds_1").set_value(2).run()
    assert "2 more runs" in app.button(key="versus_more_seeds").label
    app.button(key="versus_more_seeds").click().run()
    assert not app.exception
    (configs, beside), *_ = queued
    assert [(config.encoder, config.seed) for config in configs] == [
        ("bert-mini", 1), ("roberta-mini", 1)
    ]  # fmt: skip
    assert beside == ids

    other = {"encoder_version": "of other files"}
    changed = runs.open_folder(compared[1].path).config.as_dict() | other
    runs.update(compared[1].path, status="cancelled", config=changed)
    app.run()
    assert not app.exception
    assert "The files of its encoder have changed since" in caption_text(app)
    assert not any(button.key == f"continue-{ids[1]}" for button in app.button)


def test_a_comparison_is_taken_away_as_table_report_and_commands(root):
    dataset = dataset_of()
    compared = [made(root, dataset, name, {4: 2.0}, noise=n) for n, name in enumerate("ab")]
    ids = [run.run_id for run in compared]
    app = open_page(compare=",".join(ids), state={"compare_tabs": "Export"})
    assert not app.exception
    labels = {button.label for button in app.download_button}
    assert {"Table (CSV)", "Report (text)", "Report (JSON)", "PNG", "SVG"} <= labels
    commands = " ".join(block.value for block in app.code)
    assert f"python -m layerviz compare {' '.join(ids)}" in commands
    assert commands.count("python -m layerviz fit") == 2
    judged = comparison.compare_contenders(comparison.contenders_of(compared))
    table = comparison.comparison_table(judged, comparison.contenders_of(compared))
    for report in COMPARISON_REPORTS.values():
        content = report.write(judged, table).decode()
        assert f"{judged.best.unseen.value:.3f}" in content
    for chart in COMPARISON_CHARTS.values():
        drawn = picture(chart.draw(judged, ["a", "b"], False), "svg").decode()
        assert "macro-F1" in drawn


def test_what_was_measured_by_nobody_is_measured_when_it_is_compared(root):
    dataset = dataset_of()
    compared = [made(root, dataset, name, {4: 2.0}, noise=n) for n, name in enumerate("ab")]
    (compared[1].path / "snapshots" / "001" / "probes.safetensors").unlink()
    app = open_page(compare=",".join(run.run_id for run in compared))
    wait_until(lambda: not runs.unmeasured_snapshots(compared[1]))
    run_until(app, lambda: app.table[0].value["Best layer"].str.contains("epoch 1,").all())
    assert len(app.table[0].value) == 2


def test_maps_of_a_comparison_offer_the_seeds_that_all_encoders_have(root):
    dataset = dataset_of()
    compared = [
        made(root, dataset, name, {4: 2.0}, seed=seed, noise=seed)
        for name in "ab"
        for seed in (0, 1)
    ]
    app = open_page(compare=",".join(run.run_id for run in compared))
    for depth in ("Each at its best layer", 0.5):
        app.selectbox(key="versus_depth").set_value(depth).run()
        assert app.selectbox(key="versus_seed_[0, 1]").options == ["0", "1"]
    app.selectbox(key="versus_seed_[0, 1]").set_value(1).run()
    assert not app.exception
    assert map_titles(app)


def test_runs_on_other_data_are_refused_on_the_page(root):
    one = made(root, dataset_of(), "one", {4: 2.0})
    other = made(root, dataset_of("other", seed=5), "other", {4: 2.0})
    app = open_page(compare=f"{one.run_id},{other.run_id}")
    assert not app.exception
    assert "cannot be compared" in error_text(app)


def test_what_is_compared_follows_the_choices_beside_the_button(root):
    app = open_page()
    assert "3 encoders" in app.button(key="compare").label
    app.multiselect(key="compared_encoders").set_value(["bert-mini", "scratch-bert"]).run()
    app.number_input(key="compared_seeds").set_value(3).run()
    assert not app.exception
    assert "2 encoders, 6 runs" in app.button(key="compare").label
    app.multiselect(key="compared_encoders").set_value(["bert-mini"]).run()
    app.number_input(key="compared_seeds").set_value(1).run()
    assert app.button(key="compare").disabled


def test_a_malformed_encoder_is_told(root):
    app = open_page()
    app.selectbox(key="encoder").set_value("Another: Hub id or folder").run()
    app.text_input(key="other_encoder").set_value("no such/encoder name!").run()
    assert len(app.error) == 1
    assert app.button(key="fine_tune").disabled


def test_an_unreachable_hub_ends_the_run_with_the_fix(root, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    app = uploaded(as_csv(toy_rows(90)))
    app.selectbox(key="encoder").set_value("Another: Hub id or folder").run()
    app.text_input(key="other_encoder").set_value("some-body/no-such-encoder").run()
    app.button(key="fine_tune").click().run()
    wait_until(lambda: not runs.list_runs(root)[0].live)
    app.run()
    assert not app.exception
    assert "some-body/no-such-encoder" in error_text(app)


def test_user_text_is_never_markup(root):
    rows = [
        (f"<b>{text}</b> **bold** $x$ :red[no]", f"<i>{label}</i>") for text, label in toy_rows(90)
    ]
    app = trained(uploaded(as_csv(rows), "<script>.csv"), root, epochs=1)
    assert not app.exception
    shown = [element.value for element in (*app.markdown, *app.caption, *app.title)]
    assert not any("<i>" in text or "<script>" in text for text in shown)
    in_chart = json.dumps([layout["spec"] for layout in maps_state(app)["layouts"]])
    assert "<b>" not in in_chart
    assert "<i>" not in in_chart


def test_deleting_a_run_frees_its_place(root):
    app = trained(uploaded(as_csv(toy_rows(90))), root, epochs=1)
    app.session_state["tabs"] = "Run"
    app.run()
    assert not app.exception
    app.button(key="delete").click().run()
    assert runs.list_runs(root) == []
    assert not app.exception


def test_the_answer_stands_above_every_tab_and_leads_to_its_evidence(root, monkeypatch):
    run = made(root, dataset_of(n_test=150), "enc", {1: 0.5, 4: 2.5})
    app = open_page(run=run.run_id)
    run_until(app, lambda: "**Layer 4**" in markdown_text(app))
    lines = separability.card_lines(separability.current_sheet(run))
    reads = Mock(side_effect=separability.read_sheet)
    monkeypatch.setattr(separability, "read_sheet", reads)
    for tab in run_page.TABS:
        app.session_state["tabs"] = tab
        app.run()
        for line in lines:
            assert f":gray[{line.name}]" in markdown_text(app)
            assert f"**{line.value}**" in markdown_text(app)
    app.button(key="evidence_pooling").click().run()
    assert (app.session_state["tabs"], app.session_state["detail_tabs"]) == ("Layers", "Pooling")
    app.button(key="evidence_confusion").click().run()
    assert app.session_state["tabs"] == "Training"
    assert not app.exception
    assert reads.call_count <= 1  # in all: it has not changed


def test_a_bar_comes_and_goes_without_moving_what_is_below_it(root):
    run = made(root, dataset_of(), "enc", {4: 2.5}, n_snapshots=1)
    done = open_page(run=run.run_id)
    runs.update(run.path, status="running")
    live = open_page(run=run.run_id)
    assert not done.get("progress")
    assert [bar.proto.text for bar in live.get("progress")]
    parts = [[part.type for part in app.main.children.values()] for app in (done, live)]
    assert parts[0] == parts[1]


def test_the_answer_is_made_off_the_page_and_its_place_is_kept_until_then(root, monkeypatch):
    run = made(root, dataset_of(), "enc", {4: 2.5})
    with monkeypatch.context() as patch:
        for name in ("separability.sheet_storage.sheet_of", "export.recipe.answer_of"):
            patch.setattr(f"layerviz.{name}", lambda *_: pytest.fail("made on the page"))
        patch.setattr(Jobs, "answer", lambda *_: JobState("running", Progress(), None, 0, False))
        app = open_page(run=run.run_id)
        assert not app.exception
        assert "Working out the answer" in markdown_text(app)
        for name in separability.LINE_NAMES.values():
            assert f":gray[{name}]" in markdown_text(app)
        for tab in ("Layers", "Export"):
            app.session_state["tabs"] = tab
            app.run()
            assert not app.exception
            assert "The answer is being worked out." in caption_text(app)
    run_until(app, lambda: "**Layer 4**" in markdown_text(app))
    assert "Working out the answer" not in markdown_text(app)


def test_the_answer_follows_what_the_layers_tab_searches(root):
    run = made(root, dataset_of(), "enc", {1: 0.5, 4: 2.5})
    app = open_page(run=run.run_id, state={"tabs": "Layers"})
    app.segmented_control(key="answer_poolings").set_value("cls").run()
    run_until(app, lambda: "**\\[CLS\\]** :small[· the only one searched]" in cards(app))
    app.session_state["tabs"] = "Maps"
    app.run()
    assert "the only one searched" in cards(app)


def cards(app: AppTest) -> str:
    return " ".join(element.value for element in app.markdown)


def test_each_figure_is_shown_once_under_a_name_of_its_own(root, monkeypatch):
    run = made(root, dataset_of(n_test=150), "enc", {1: 0.5, 4: 2.5})
    searched = Mock(return_value=None)
    monkeypatch.setattr(cache, "search_answer", searched)
    app = answered(open_page(run=run.run_id, state={"tabs": "Layers"}))
    assert not searched.called  # the details are closed
    for figure in separability.sheet_figures(separability.current_sheet(run)):
        value = figure.score.with_interval.partition(" ")[0]
        (shown,) = [one.value for one in app.markdown if f"[{figure.name}]" in one.value]
        assert f"**{value}**" in shown
    app.session_state["answer_details"] = True
    app.run()
    assert searched.called


# --- taking a run away, and taking one in ----------------------------------------------------


def test_a_page_is_made_behind_a_bar_that_goes_when_it_is_made(root):
    run = made(root, dataset_of(), "enc", {4: 2.0})
    app = open_page(run=run.run_id)
    app.session_state["tabs"] = "Export"
    app.run()
    app.button(key="make-page").click().run()
    assert not app.exception
    assert not app.get("progress")
    assert any(button.label.startswith("Download (") for button in app.download_button)


def test_a_zip_is_unpacked_and_the_run_in_it_opened(root, tmp_path_factory):
    run = made(tmp_path_factory.mktemp("elsewhere"), dataset_of(), "enc", {4: 2.0})
    content = io.BytesIO()
    zip_run(run, content)
    app = open_page()
    app.button(key="open_zip").click().run()
    app.file_uploader(key="run_zip").upload("run.zip", content.getvalue(), "application/zip")
    app.button(key="open_zip").click().run()  # a dialog is drawn only in the run that opens it
    assert not app.exception
    assert not app.error
    assert app.query_params["run"] == run.run_id
    assert [other.run_id for other in runs.list_runs(root)] == [run.run_id]


def test_a_tab_is_one_entry_of_the_registry(root) -> None:
    run = made(root, dataset_of(), "tiny", {2: 2.0})
    drawn = []
    made_up = Tab("Made up", lambda run: drawn.append(run.run_id))
    with run_page.TABS.extended(made_up):
        app = open_page(run=run.run_id)
        assert not drawn
        names = list(run_page.TABS)
        app.session_state["tabs"] = "Made up"
        app.run()
    assert names[-1] == "Made up"
    assert [tab.label for tab in app.tabs][: len(names)] == names
    assert drawn == [run.run_id]


def test_what_a_reader_chose_is_kept_by_every_widget_that_asks_for_it(root) -> None:
    def draw(run) -> None:
        st.number_input("Made up", 0, 9, key=keep("made_up", 4))

    run = made(root, dataset_of(), "tiny", {2: 2.0})
    with run_page.TABS.extended(Tab("Made up", draw)):
        app = open_page(run=run.run_id)
        app.session_state["tabs"] = "Made up"
        app.run().number_input(key="made_up").set_value(7).run()
        for name in ("Layers", "Made up"):
            app.session_state["tabs"] = name
            app.run()
        assert app.number_input(key="made_up").value == 7
