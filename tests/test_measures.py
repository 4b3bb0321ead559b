"""A measure is one entry of a registry: measured, stored, shown and taken along."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_runs import dataset_of, made
from pages import answered, caption_text, chart_with, open_page
from specs import strings_outside_data

from layerviz import __main__ as cli
from layerviz import runs
from layerviz.errors import ConfigError
from layerviz.export.run_charts import heat_map_chart
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_run
from layerviz.runs import Run
from layerviz.separability import (
    MEASURES,
    ChangeMeasure,
    Estimate,
    LabelledStates,
    LayerChange,
    LayerMeasure,
    PredictionMeasure,
    Predictions,
    dimension,
    measure_layers,
    measures_table,
)
from layerviz.separability.control_task import control_labels
from layerviz.separability.measures.for_search import PRECISION_AT_10

WORDS: dict[str, Any] = {
    "summary": "nothing",
    "explanation": "What a test makes up. It means nothing.",
    "reference": "A test 2026",
}


def _norm(layer: LabelledStates) -> dict[str, float]:
    values = {"train": float(np.linalg.norm(layer.train_states, axis=1).mean())}
    if layer.has_val:
        values["val"] = float(np.linalg.norm(layer.val_states, axis=1).mean())
    return values


NORM = LayerMeasure(
    name="made_up", label="Mean norm", splits=("val", "train"), compute=_norm, **WORDS
)


@pytest.fixture
def run(tmp_path, monkeypatch) -> Iterator[Run]:
    """A run that was made while `NORM` is one of the measures."""
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    with MEASURES.extended(NORM):
        yield made(tmp_path, dataset_of(), "scratch-bert", {3: 3.0, 4: 3.0})


def test_a_new_measure_is_measured_and_stored(run):
    table = runs.read_separability(run.path)
    part = table[table["measure"] == "made_up"].set_index(["snapshot", "pooling", "layer", "split"])
    assert len(part) == 2 * 3 * 5 * 2  # snapshots, poolings, layers, splits
    states = runs.read_hidden_states(run.path, 1, "max", 4).astype(np.float32)
    val = (runs.read_examples(run.path)["split"] == "val").to_numpy()
    expected = np.linalg.norm(states[val], axis=1).mean()
    assert part.loc[(1, "max", 4, "val"), "value"] == pytest.approx(expected, rel=1e-4)


def test_a_new_measure_is_offered_on_the_page_and_has_its_heat_map(run):
    app = answered(open_page(run=run.run_id, state={"tabs": "Layers"}))
    assert not app.exception
    assert app.selectbox(key="measure").options[-1] == "Mean norm"
    app.selectbox(key="measure").set_value("made_up").run()
    assert not app.exception
    assert "Mean norm (n = 240)" in strings_outside_data(chart_with(app, "cell"))
    assert WORDS["explanation"] in caption_text(app)
    chart = heat_map_chart(run, "made_up", "train").to_dict()
    assert any("Mean norm" in text for text in strings_outside_data(chart))


def test_a_run_that_was_made_before_the_measure_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    old = made(tmp_path, dataset_of(), "scratch-bert", {4: 3.0}, n_snapshots=1)
    with MEASURES.extended(NORM):
        state: dict[str, object] = {"tabs": "Layers", "measure": "made_up"}
        app = answered(open_page(run=old.run_id, state=state))
        assert not app.exception
        assert any("Mean norm was not measured" in info.value for info in app.info)


def test_a_new_measure_is_exported_and_comes_back_from_a_zip(run, tmp_path, capsys):
    file = tmp_path / "measures.csv"
    assert cli.main(["export", run.run_id, "--measures", str(file)]) == 0
    exported = pd.read_csv(file)
    assert {"val", "train"} == set(exported.loc[exported["measure"] == "made_up", "split"])
    zipped = io.BytesIO()
    zip_run(run, zipped)
    opened = unzip_run(zipped, tmp_path / "elsewhere")
    table = runs.read_separability(opened.path)
    pd.testing.assert_frame_equal(table, runs.read_separability(run.path))
    assert "made_up" in set(table["measure"])


def test_an_unknown_measure_lists_the_known_ones(run):
    with pytest.raises(ConfigError, match=r"no measure 'nom'.*probe_macro_f1, .*, made_up"):
        heat_map_chart(run, "nom")
    with pytest.raises(ConfigError, match=r"Mean norm is not measured on 'test'.*val, train"):
        heat_map_chart(run, "made_up", "test")


def test_the_measures_are_in_the_documentation():
    page = Path(__file__).parents[1] / ".readme" / "answers.md"
    assert measures_table() in page.read_text(encoding="utf-8")
    with MEASURES.extended(NORM):
        assert measures_table().endswith("\n| Mean norm | nothing | A test 2026 |")


# --- kinds of measures ------------------------------------------------------------------------


def measured(measure: LayerMeasure | PredictionMeasure | ChangeMeasure) -> pd.DataFrame:
    """Return the rows of one more measure on states of two layers."""
    rng = np.random.default_rng(0)
    labels = rng.integers(2, size=60)
    examples = pd.DataFrame({"split": np.repeat(["train", "val"], 30), "label": labels})
    states = rng.normal(size=(2, 60, 3)).astype(np.float16)
    with MEASURES.extended(measure):
        table = measure_layers({"mean": states}, examples, labels, first=None, seed=0).table
    return table[table["measure"] == measure.name]


def test_a_measure_of_predictions_covers_the_models_own_classifier():
    def share_of_zeros(predictions: Predictions) -> dict[str, Estimate]:
        value = (predictions.predicted == 0).mean(axis=1)
        return {"train and val": Estimate(value, value - 1, value + 1)}

    table = measured(
        PredictionMeasure(
            name="zeros",
            label="Zeros",
            splits=("train and val",),
            compute=share_of_zeros,
            **WORDS,
        )
    )
    assert list(table["pooling"]) == ["mean", "mean", "head"]
    assert (table["low"] < table["value"]).all()


def test_a_measure_of_change_sees_the_states_before_training():
    def moved(change: LayerChange) -> dict[str, float]:
        return {"train": float(np.abs(change.now - change.before)[change.train].mean())}

    table = measured(
        ChangeMeasure(name="moved", label="Moved", splits=("train",), compute=moved, **WORDS)
    )
    assert list(table["value"]) == [0.0, 0.0]  # these are the states before training
    assert table["low"].isna().all()


def test_a_value_for_a_split_that_nobody_would_see_is_refused():
    stray = LayerMeasure(
        name="stray", label="Stray", splits=("val",), compute=lambda layer: {"train": 1.0}, **WORDS
    )
    with pytest.raises(ValueError, match="'stray' has no split 'train'"):
        measured(stray)


# --- controls -------------------------------------------------------------------------------


def told(n: int = 900, n_words: int = 60) -> tuple[pd.DataFrame, np.ndarray]:
    """Return examples of random words, and which of the words each holds, (n, words)."""
    rng = np.random.default_rng(0)
    shares = 1 / np.arange(2, n_words + 2)
    held = rng.random((n, n_words)) < 4 * shares / shares.sum()
    held[:, 0] = True  # a word that all texts hold stands for none of them
    words = np.array([f"w{i:02d}" for i in range(n_words)])
    texts = ["Hello, " + " ".join(words[row]) for row in held]
    labels = rng.choice(3, size=n, p=[0.5, 0.3, 0.2])
    splits = np.repeat(["train", "val"], [600, n - 600])
    return pd.DataFrame({"split": splits, "label": labels, "text": texts}), held


def test_a_control_class_belongs_to_a_word_and_is_as_frequent_as_the_labels():
    examples, held = told()
    train = (examples["split"] == "train").to_numpy()
    labels = examples["label"].to_numpy()
    control = control_labels(examples["text"].tolist(), labels, train, 0)
    assert control is not None
    assert (control >= 0).mean() > 0.95
    rarest = np.where(held, held[train].sum(axis=0), 10_000).argmin(axis=1)
    frame = pd.DataFrame({"word": rarest, "control": control})
    distinct = frame.groupby("word")["control"].nunique()
    assert (distinct == 1).mean() > 0.9  # but for words of which two are equally rare
    assert distinct.size > 20
    share = np.bincount(control[train], minlength=3) / train.sum()
    assert share == pytest.approx(np.bincount(labels[train]) / train.sum(), abs=0.05)
    assert abs(np.corrcoef(control, labels)[0, 1]) < 0.1
    others = np.where(train, labels, 0)  # labels outside train have no say
    again = control_labels(examples["text"].tolist(), others, train, 0)
    assert again is not None
    assert (again == control).all()
    other_seed = control_labels(examples["text"].tolist(), labels, train, 1)
    assert other_seed is not None
    assert (other_seed != control).mean() > 0.3


def test_texts_that_share_no_words_have_no_control_task():
    train = np.arange(40) < 30
    texts = [f"text{i}" for i in range(40)]
    assert control_labels(texts, np.arange(40) % 2, train, 0) is None
    chinese = ["我喜欢这个" if i % 2 else "他不喜欢那个" for i in range(40)]  # no spaces in it
    assert control_labels(chinese, np.arange(40) % 2, train, 0) is not None


def test_selectivity_tells_a_layer_that_knows_classes_from_one_that_knows_words():
    examples, held = told()
    labels = examples["label"].to_numpy()
    rng = np.random.default_rng(1)
    states = rng.normal(size=(3, len(labels), 64)).astype(np.float32)
    states[1, np.arange(len(labels)), labels] += 8
    states[2] = states[1]
    states[2, :, 4:] = 8 * held  # and its words, which say nothing of the label
    measured_on = {"mean": states.astype(np.float16)}
    table = measure_layers(measured_on, examples, labels, first=None, seed=0).table
    rows = table[(table["measure"] == "selectivity") & (table["pooling"] == "mean")]
    noise, classes, classes_and_words = rows["value"]
    assert abs(noise) < 0.15
    assert classes > 0.4
    assert classes_and_words < classes - 0.2
    assert (rows["low"] < rows["value"]).all()
    assert (rows["value"] < rows["high"]).all()
    assert set(table.loc[table["measure"] == "selectivity", "pooling"]) == {"mean"}  # not the head
    without = measure_layers(
        measured_on, examples.drop(columns="text"), labels, first=None, seed=0
    ).table
    assert without.loc[without["measure"] == "selectivity", "value"].isna().all()
    rest = table["measure"] != "selectivity"  # the control changes nothing else
    pd.testing.assert_frame_equal(table[rest], without[rest])


# --- for search, and without labels -----------------------------------------------------------


def test_the_measures_for_search_know_a_layer_whose_classes_are_compact():
    rng = np.random.default_rng(0)
    labels = rng.integers(3, size=300)
    examples = pd.DataFrame({"split": np.repeat(["train", "val"], 150), "label": labels})
    states = rng.normal(size=(3, 300, 12))
    states[1, np.arange(300), labels] += 2
    states[2, np.arange(300), labels] += 6
    pooled = {"mean": states.astype(np.float16)}
    table = measure_layers(pooled, examples, labels, first=None, seed=0).table
    precision, nearest_mean, variance = (
        table.loc[(table["measure"] == name) & (table["split"] == "val"), "value"].to_numpy()
        for name in ("precision_at_10", "ncm_macro_f1", "cdnv")
    )
    assert precision[0] == pytest.approx(1 / 3, abs=0.05)
    assert precision[0] < precision[1] < precision[2]
    assert precision[2] > 0.95
    assert nearest_mean[0] < nearest_mean[1] < nearest_mean[2]
    assert variance[0] > 5 * variance[1]
    assert variance[1] > 3 * variance[2]


def test_precision_at_10_is_counted_by_hand():
    train = np.array([[1, 0], [1, 0.1], [1, -0.1], [-1, 0], [-1, 0.1], [-1, -0.1]])
    states = np.concatenate([train, [[2, 0.05]]]).astype(np.float32)
    labels = np.array([0, 0, 1, 1, 1, 1, 0])
    layer = LabelledStates(states, labels, np.arange(7) < 6, 0)
    similarity, indices = layer.neighbours  # train has but 6
    assert sorted(indices[0][:3]) == [0, 1, 2]
    assert (np.diff(similarity[0]) <= 0).all()
    assert PRECISION_AT_10.compute(layer)["val"] == pytest.approx(2 / 6)


@pytest.mark.parametrize("n", [300, 3000])
def test_dimensions_of_a_flat_cloud_are_those_it_was_made_with(n):
    rng = np.random.default_rng(0)
    flat = rng.uniform(size=(n, 5)) @ np.linalg.qr(rng.normal(size=(40, 5)))[0].T + 100
    assert dimension.two_nn(flat) == pytest.approx(5, abs=0.8)
    assert dimension.rankme(flat) == pytest.approx(5, abs=0.2)
    assert dimension.participation_ratio(flat) == pytest.approx(5, abs=0.3)
    uneven = flat - flat.mean(axis=0)
    uneven = 100 * uneven[:, :1] @ np.ones((1, 40)) + uneven
    assert dimension.participation_ratio(uneven) < 1.1  # one outweighs the others
    assert dimension.rankme(uneven) < 1.5


def test_dimensions_without_a_cloud_are_not_defined():
    equal = np.ones((50, 8), np.float32)
    assert np.isnan([dimension.rankme(equal), dimension.participation_ratio(equal)]).all()
    assert np.isnan(dimension.two_nn(equal))
    rng = np.random.default_rng(0)
    doubled = np.repeat(rng.uniform(size=(400, 2)), 2, axis=0)  # each its own nearest neighbour
    assert dimension.two_nn(doubled) == pytest.approx(2, abs=0.4)


def test_what_no_label_enters_says_that_it_says_nothing_of_classes():
    for name in ("rankme", "participation_ratio", "two_nn"):
        assert MEASURES[name].higher_is_better is None
        assert "says nothing of how well classes separate" in MEASURES[name].explanation
