"""What the model's own classifier confuses, whether its confidence is earned, and the tab."""

from __future__ import annotations

import json
from pathlib import Path
from unittest.mock import Mock

import altair as alt
import numpy as np
import pandas as pd
import pytest
import streamlit as st
from made_runs import dataset_of, made
from pages import caption_text, markdown_text, open_page, specs_of
from specs import ATTACKS, Spec, check_text_is_inert, rows_of

from layerviz import cache, charts, data, runs, separability, views
from layerviz.config import RunConfig
from layerviz.runs import Run
from layerviz.separability import (
    MOST_CLASSES,
    OTHER_CLASSES,
    confusion_table,
    mistaken_pairs,
    most_confused,
    reliability,
    wilson_interval,
)
from layerviz.ui.run.confusion import Predicted
from layerviz.views import learning_curve, scores_on

NAMES = ("cat", "dog", "eel")


# --- confusion ------------------------------------------------------------------------------


def test_each_label_is_counted_for_each_class() -> None:
    true, predicted = np.array([0, 0, 0, 1, 1]), np.array([0, 1, 1, 1, 2])
    table = confusion_table(true, predicted, NAMES)
    pairs = {(row.label, row.predicted): (row.n, row.share) for row in table.itertuples()}
    assert pairs == {
        ("cat", "cat"): (1, pytest.approx(1 / 3)),
        ("cat", "dog"): (2, pytest.approx(2 / 3)),
        ("cat", "eel"): (0, 0),
        ("dog", "cat"): (0, 0),
        ("dog", "dog"): (1, 0.5),
        ("dog", "eel"): (1, 0.5),  # no example is an eel: it has a column and no row
    }
    assert set(table["n_label"]) == {3, 2}


def test_of_many_classes_the_most_frequent_are_told_apart() -> None:
    rng = np.random.default_rng(0)
    true = np.concatenate([np.full(10 + label, label) for label in range(30)])
    predicted = rng.integers(30, size=len(true))
    names = [f"class {label}" for label in range(30)]
    table = confusion_table(true, predicted, names, most=20)
    assert list(table["label"].unique()) == names[10:]
    assert list(table["predicted"].unique()) == [*names[10:], OTHER_CLASSES]
    sums = table.groupby("label")["n"].sum()
    assert (sums == table.groupby("label")["n_label"].first()).all()
    others = table[table["predicted"] == OTHER_CLASSES].set_index("label")["n"]
    assert others["class 29"] == (predicted[true == 29] < 10).sum()


def test_a_class_that_is_called_as_the_others_are_keeps_its_name() -> None:
    true = np.arange(32)
    names = [OTHER_CLASSES, *(f"class {label}" for label in range(1, 32))]
    table = confusion_table(true, true, names)
    assert f"({OTHER_CLASSES})" in set(table["predicted"])


def test_the_matrix_shows_counts_and_shares() -> None:
    table = confusion_table(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), NAMES)
    drawn = charts.confusion_heat_map(table).to_dict()
    numbers = {(row["label"], row["predicted"]): row["number"] for row in tiles_of(drawn)}
    assert numbers == {
        ("cat", "cat"): "2\n67%",
        ("cat", "dog"): "1\n33%",
        ("dog", "cat"): "0\n0%",
        ("dog", "dog"): "1\n100%",
    }
    (texts,) = (layer for layer in drawn["layer"] if layer["mark"]["type"] == "text")
    assert texts["mark"]["lineBreak"] == "\n"


def tiles_of(drawn: Spec) -> list[dict[str, object]]:
    (rows,) = drawn["datasets"].values()
    return rows


def test_axes_say_which_way_the_matrix_reads_and_the_chosen_tile_is_outlined() -> None:
    table = confusion_table(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]), NAMES)
    drawn = charts.confusion_heat_map(table, chosen=("cat", "dog")).to_dict()
    encoding = drawn["layer"][0]["encoding"]
    assert encoding["x"]["title"] == "Predicted class (columns)"
    assert encoding["y"]["title"] == "Label (rows)"
    chosen = [(row["label"], row["predicted"]) for row in tiles_of(drawn) if row["chosen"]]
    assert chosen == [("cat", "dog")]
    assert any(layer.get("transform") == [{"filter": "datum.chosen"}] for layer in drawn["layer"])


def test_many_classes_are_drawn_as_counts_alone() -> None:
    true = np.repeat(np.arange(20), 3)
    drawn = charts.confusion_heat_map(
        confusion_table(true, true, [f"class {label}" for label in range(20)])
    ).to_dict()
    assert {row["number"] for row in tiles_of(drawn)} == {"3", ""}


@pytest.mark.parametrize("dark", [False, True])
def test_names_of_classes_are_never_run(dark: bool) -> None:
    labels = np.arange(len(ATTACKS))
    table = confusion_table(labels, labels, ATTACKS)
    check_text_is_inert(charts.confusion_heat_map(table, dark=dark).to_dict())


# --- reliability ----------------------------------------------------------------------------


def test_bins_hold_equally_many_and_say_how_accurate_they_are() -> None:
    confidence = np.linspace(0.5, 1.0, 1000)
    right = np.arange(1000) % 4 > 0  # three in four, whatever the confidence
    curve = reliability(confidence, right, seed=0)
    assert list(curve.bins["n"]) == [100] * 10
    assert curve.bins["accuracy"].tolist() == pytest.approx([0.75] * 10)
    expected = np.abs(confidence.reshape(10, 100).mean(axis=1) - 0.75).mean()
    assert curve.ece == pytest.approx(expected)
    assert curve.n == 1000


@pytest.mark.parametrize(("n", "n_bins"), [(5, 1), (39, 1), (40, 2), (127, 6), (500, 10)])
def test_few_examples_make_few_bins(n: int, n_bins: int) -> None:
    confidence = np.linspace(0.4, 0.9, n)
    curve = reliability(confidence, np.ones(n, dtype=bool), seed=0)
    assert len(curve.bins) == n_bins
    assert curve.n == n


def test_intervals_are_those_of_wilson() -> None:
    low, high = wilson_interval(np.array([0.5, 1.0, 0.0]), np.array([10, 10, 10]))
    assert low == pytest.approx([0.2366, 0.7225, 0.0], abs=1e-4)
    assert high == pytest.approx([0.7634, 1.0, 0.2775], abs=1e-4)


def test_confidence_that_is_right_is_seldom_called_wrong() -> None:
    rng = np.random.default_rng(0)
    false_claims, covered = 0, 0.0
    for draw in range(200):
        confidence = rng.uniform(0.4, 1.0, size=200)
        curve = reliability(confidence, rng.random(200) < confidence, seed=draw)
        text = " ".join(separability.reliability_sentences(curve))
        false_claims += "cannot tell" not in text
        covered += curve.bins["confidence"].between(curve.bins["low"], curve.bins["high"]).mean()
    assert false_claims / 200 <= 0.05 + 2 * (0.05 * 0.95 / 200) ** 0.5
    assert covered / 200 >= 0.93


@pytest.mark.parametrize(
    ("offset", "word"), [(-0.2, "overconfident"), (0.1, "underconfident"), (0.0, "cannot tell")]
)
def test_what_is_said_of_confidence(offset: float, word: str) -> None:
    rng = np.random.default_rng(1)
    confidence = rng.uniform(0.6, 0.9, size=400)
    curve = reliability(confidence, rng.random(400) < confidence + offset, seed=0)
    text = " ".join(separability.reliability_sentences(curve))
    assert word in text
    assert "(10 bins, n = 400)" in text
    assert "about 40 examples" in text


@pytest.mark.parametrize("dark", [False, True])
def test_the_reliability_curve_has_its_diagonal_intervals_and_sizes(dark: bool) -> None:
    curve = reliability(np.linspace(0.5, 1, 40), np.arange(40) % 3 > 0, seed=0)
    drawn = charts.reliability_chart(curve.bins, 0.5, dark=dark).to_dict()
    diagonal, *_, points = drawn["layer"]
    ends = rows_of(drawn, diagonal)
    assert ends["confidence"].tolist() == ends["accuracy"].tolist() == [0.5, 1.0]
    assert "(n = 20 per bin)" in points["encoding"]["y"]["title"]
    assert any(layer["encoding"].get("y2") == {"field": "high"} for layer in drawn["layer"])


# --- the learning curve ---------------------------------------------------------------------


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    finished = made(tmp_path, dataset_of(), "scratch-bert", {2: 4.0})
    # As earlier versions wrote it: without the losses in evaluation mode.
    rows = pd.DataFrame(
        {
            "step": [0, 1, 10],
            "epoch": [0.0, 0.1, 1.0],
            "loss": [None, 1.1, 0.9],
            "learning_rate": [None, 1e-3, 5e-4],
            "train_accuracy": [0.3, None, 1.0],
            "train_macro_f1": [0.3, None, 1.0],
            "val_accuracy": [0.3, None, 1.0],
            "val_macro_f1": [0.3, None, 1.0],
        }
    )
    rows.to_csv(finished.layout.history, index=False)
    return finished


def test_an_earlier_history_opens_and_its_losses_are_filled_in(run: Run) -> None:
    assert runs.read_history(run.path)["val_loss"].isna().all()
    examples = runs.read_examples(run.path)
    read: list[int] = []

    def predicted(index: int) -> pd.DataFrame:
        read.append(index)
        return runs.read_predictions(run.path, index)

    def scored(index: int) -> dict[str, float]:
        raise AssertionError("there is no test")

    history = learning_curve(run, examples, predicted, scored)
    assert history["val_loss"].round(6).tolist()[::2] == [0.7, 0.7]
    assert np.isnan(history["val_loss"][1])
    assert read == [0, 1]
    runs.write_history(run.path, history)
    pd.testing.assert_frame_equal(learning_curve(run, examples, predicted, scored), history)
    assert read == [0, 1]  # what is recorded is not computed


def test_the_model_is_that_of_the_snapshot_that_was_kept(run: Run) -> None:
    assert runs.model_snapshot(run) == 1
    run = runs.update(run.path, training=run.training | {"model_step": 0})
    assert runs.model_snapshot(run) == 0


# --- the tab --------------------------------------------------------------------------------


def test_the_tab_shows_losses_confusion_and_reliability(run: Run) -> None:
    app = open_page(run=run.run_id, state={"tabs": "Training"})
    assert not app.exception
    specs = specs_of(app)
    assert len(specs) == 4
    assert "## The model's own predictions" in markdown_text(app)
    assert "240 val examples at epoch 1" in caption_text(app)
    sentences = markdown_text(app)
    assert "Expected calibration error: 0.500 (10 bins, n = 240)." in sentences
    assert "underconfident" in sentences
    assert any("confusion" in json.dumps(spec) for spec in specs)
    (control,) = app.select_slider
    assert control.options == ["Before training", "Epoch 1"]
    control.set_value(0).run()
    assert not app.exception
    assert "240 val examples before training" in caption_text(app)
    assert "Rows are labels, columns what the model itself predicts" in caption_text(app)


def test_the_slider_keeps_its_place_and_the_split_its_choice(run: Run) -> None:
    app = open_page(run=run.run_id, state={"tabs": "Training"})
    app.select_slider[0].set_value(0).run()
    app.segmented_control(key="classifier_split").set_value("train").run()
    assert "240 train examples before training" in caption_text(app)
    for tab in ("Run", "Training"):
        app.session_state["tabs"] = tab
        app.run()
    assert not app.exception
    assert "240 train examples before training" in caption_text(app)


def of_many_classes(root: Path) -> Predicted:
    """40 classes of two examples each; only the last ones, which are not drawn, are confused."""
    frame = pd.DataFrame({"text": [f"text {row}" for row in range(160)], "split": "train"})
    frame["label"] = [f"class {row % 40:02}" for row in range(160)]
    frame.loc[80:, "split"] = "val"
    table = data.read_table(frame.to_csv(index=False).encode(), "many.csv")
    dataset = data.build_dataset(table, data.Columns("text", "label", "split"))
    run = runs.create(root, RunConfig("enc", epochs=1), dataset)
    val = dataset.examples[dataset.examples["split"] == "val"]
    taken = val["label"].replace({38: 39})
    return Predicted(run, 0, "val", val, pd.DataFrame({"predicted": taken}))


def test_mistakes_among_classes_that_are_not_drawn_are_listed_as_what_they_are(tmp_path) -> None:
    shown = of_many_classes(tmp_path)
    assert shown.table["label"].nunique() == MOST_CLASSES
    mistakes = shown.mistakes()
    assert mistakes[["label", "predicted", "n"]].to_numpy().tolist() == [
        ["class 38", "class 39", 2]
    ]


def test_a_class_that_is_not_drawn_keeps_its_own_examples(tmp_path) -> None:
    shown = of_many_classes(tmp_path)
    assert len(shown.of_pair("class 38", "class 39")) == 2
    assert len(shown.of_pair("class 38", "class 35")) == 0
    (others,) = set(shown.table["predicted"]) - set(shown.run.label_names)
    assert len(shown.of_pair("class 38", others)) == 2


def test_the_list_of_mistakes_starts_with_the_most_confused_pair() -> None:
    rng = np.random.default_rng(0)
    names = [f"class {label}" for label in range(5)]
    true, predicted = rng.integers(5, size=(2, 200))
    pair = most_confused(true, predicted, names)
    pairs = mistaken_pairs(true, predicted, names)
    assert pair is not None
    assert (pair.label, pair.predicted) == (pairs["label"][0], pairs["predicted"][0])
    assert (pair.share, pair.low) == (pairs["share"][0], pairs["least"][0])
    assert pairs["least"].is_monotonic_decreasing
    assert pairs["n"].sum() == (true != predicted).sum()


def test_a_tile_selects_its_examples_and_shows_them_in_the_maps(run: Run) -> None:
    examples = runs.read_examples(run.path)
    pair = (run.dataset["fingerprint"], "class 1", "class 0")
    app = open_page(run=run.run_id, state={"tabs": "Training", "confused_pair": pair})
    assert "**0 val examples** of class 1 predicted as class 0, epoch 1" in markdown_text(app)
    app.select_slider[0].set_value(0).run()  # where all are predicted as the first class
    hidden = examples[(examples["split"] == "val") & (examples["label"] == 1)]
    assert f"**{len(hidden)} val examples** of class 1 predicted as class 0" in markdown_text(app)
    app.button("confusion_maps").click().run()
    assert not app.exception
    assert app.session_state["tabs"] == "Maps"
    _, ids, how = app.session_state["selected"]
    assert set(ids) == set(hidden["id"])
    assert how == "in the confusion matrix: class 1 predicted as class 0, val, before training"
    app.session_state["tabs"] = "Training"
    app.run()
    app.select_slider[0].set_value(1).run()  # the selection goes along with the epoch
    assert app.session_state["selected"][1] == ()
    app.button("confusion_clear").click().run()
    assert not app.exception
    assert "confused_pair" not in app.session_state


def test_test_has_a_curve_where_there_is_a_test_split(tmp_path: Path) -> None:
    with_test = made(tmp_path, dataset_of(n_test=60), "scratch-bert", {2: 4.0})
    examples = runs.read_examples(with_test.path)
    rows = pd.DataFrame(
        {"step": [0, 5, 10], "epoch": [0.0, 0.5, 1.0], "val_loss": [0.9, None, 0.8]}
    )
    runs.write_history(with_test.path, rows)

    def predicted(index: int) -> pd.DataFrame:
        return runs.read_predictions(with_test.path, index)

    history = learning_curve(
        with_test, examples, predicted, lambda index: scores_on("test", examples, predicted(index))
    )
    loss, macro_f1, accuracy = (
        history[f"test_{name}"].tolist() for name in ("loss", "macro_f1", "accuracy")
    )
    assert np.round(loss[::2], 6).tolist() == [0.7, 0.7]
    assert np.isnan([loss[1], macro_f1[1], accuracy[1]]).all()  # between two snapshots
    assert (macro_f1[2], accuracy[2]) == (1, 1)
    assert 0 < macro_f1[0] < 0.5


def test_what_the_training_tab_counts_is_counted_once(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    st.cache_data.clear()
    scores = Mock(side_effect=scores_on)
    monkeypatch.setattr(views, "scores_on", scores)
    with_test = made(tmp_path, dataset_of(n_test=60), "scratch-bert", {2: 4.0})
    for steps in ([0], [0, 10], [0, 10, 15]):
        runs.write_history(with_test.path, pd.DataFrame({"step": steps, "val_loss": 0.5}))
        assert len(cache.learning_curve(with_test)) == len(steps)
    assert scores.call_count == 2  # snapshots
    curves = Mock(side_effect=reliability)
    monkeypatch.setattr(separability, "reliability", curves)
    drawn = [cache.reliability(with_test, 1, split) for split in ("val", "test", "val")]
    assert [curve.n for curve in drawn] == [240, 60, 240]
    assert curves.call_count == 2


def test_a_run_before_its_first_step_has_an_empty_tab(run: Run) -> None:
    run.layout.history.unlink()
    app = open_page(run=run.run_id, state={"tabs": "Training"})
    assert not app.exception
    assert "The learning curves appear with the first step." in caption_text(app)


def test_a_chart_of_one_bin_is_drawn() -> None:
    curve = reliability(np.array([0.9]), np.array([True]), seed=0)
    assert isinstance(charts.reliability_chart(curve.bins), alt.LayerChart)
