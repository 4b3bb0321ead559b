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
from pages import caption_text, chart_with, open_page
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
    measure_layers,
    measures_table,
)

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
    app = open_page(run=run.run_id, state={"tabs": "Layers"})
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
        app = open_page(run=old.run_id, state={"tabs": "Layers", "measure": "made_up"})
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
