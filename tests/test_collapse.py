"""Layers that training has made collapse: everything that looks at them holds, and says so."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from pages import caption_text, open_page, warning_text

from layerviz import (
    charts,
    data,
    encoders,
    exploring,
    hidden_states,
    runs,
    separability,
    training,
    views,
)
from layerviz.__main__ import main
from layerviz.bench.torture.collapses import (
    KINDS,
    LABELS,
    WIDTH,
    N,
    examples_of,
    maps_hold,
    measures_hold,
    states_of,
)
from layerviz.bench.torture.toys import toy_config, toy_dataset
from layerviz.errors import Cancelled, DivergedError, EncoderError, RunError
from layerviz.numerics import relative_spread, svd, well_scaled
from layerviz.poolings import POOLINGS
from layerviz.runs import Run, Snapshot
from layerviz.separability.decompositions import eigh
from layerviz.training import looking, watching

ALIKE = "this layer gives every text the same vector"
CONFIG = replace(toy_config("scratch-bert"), epochs=1, learning_rate=0.5)


# --- measures and maps ----------------------------------------------------------------------


@pytest.mark.parametrize("labels", LABELS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_measure_holds_for_every_kind_of_states(kind: str, labels: str) -> None:
    measures_hold(kind, labels, seed=0)


@pytest.mark.parametrize("kind", KINDS)
def test_quick_maps_hold_for_every_kind_of_states(kind: str) -> None:
    for projection in ("pca", "lda"):
        maps_hold(kind, projection, "two classes", seed=0)


@pytest.mark.parametrize("kind", ["constant", "last digits differ", "three vectors", "no numbers"])
def test_tsne_holds_for_states_of_a_collapsed_layer(kind: str) -> None:
    maps_hold(kind, "tsne", "two classes", seed=0)  # the others, and UMAP: bench torture


def test_decompositions_fall_back_where_lapack_does_not_converge(monkeypatch) -> None:
    rows = np.random.default_rng(0).normal(size=(20, 6))
    matrix = torch.from_numpy(rows.T @ rows)
    expected = np.linalg.eigvalsh(matrix.numpy()), np.linalg.svd(rows)[1]

    def fail(*args, **settings):
        raise torch.linalg.LinAlgError if torch.is_tensor(args[0]) else np.linalg.LinAlgError

    monkeypatch.setattr(torch.linalg, "eigh", fail)
    monkeypatch.setattr(np.linalg, "svd", fail)
    values, vectors = eigh(matrix)
    assert np.allclose(values, expected[0])
    assert np.allclose(vectors * values @ vectors.T, matrix)
    assert np.allclose(svd(rows)[1], expected[1])
    measures_hold("sound", "two classes", seed=0)


def test_sound_states_are_measured_as_they_are_and_nearly_equal_ones_without_loss() -> None:
    sound = states_of("sound", 0)
    assert np.array_equal(well_scaled(sound), sound.astype(np.float32))
    # Far from zero, the same cloud keeps its shape, whatever float32 can square.
    cloud = np.random.default_rng(0).normal(size=(N, WIDTH))
    far = (1 + 1e-4 * cloud).astype(np.float32)
    assert relative_spread(far) == pytest.approx(1e-4, rel=0.05)
    here, there = (well_scaled(x).astype(float) for x in (cloud.astype(np.float32), far))
    correlations = [
        np.corrcoef(one, other)[0, 1] for one, other in zip(here.T, there.T, strict=True)
    ]
    assert min(correlations) > 0.999


# --- a run ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def collapsed(tmp_path_factory) -> Run:
    """A run whose layers are sound before training, and of every kind after it."""
    examples = examples_of("five classes")
    table = data.read_table(examples.drop(columns="id").to_csv(index=False).encode(), "toy.csv")
    dataset = data.build_dataset(table, data.Columns("text", "label", "split"))
    kinds = [kind for kind in KINDS if kind not in ("rank two, wide", "huge")]
    run = runs.create(tmp_path_factory.mktemp("runs"), replace(CONFIG, epochs=2), dataset)
    runs.write_examples(run.path, dataset.examples)
    facts = {"label": "Toy", "family": "BERT", "layers": len(kinds) - 1, "hidden_size": WIDTH}
    runs.update(
        run.path,
        status="done",
        encoder=facts | {"parameters": 1000},
        training={"total_steps": 1, "steps_per_epoch": 1, "n_snapshots": 2, "learning_rate": 0.5},
    )
    predictions = pd.DataFrame(
        {
            "id": dataset.examples["id"],
            "predicted": dataset.examples["label"],
            "confidence": 0.5,
            "loss": 0.7,
        }
    )
    for index in range(2):
        states = [states_of(kind if index else "sound", seed) for seed, kind in enumerate(kinds)]
        pooled = dict.fromkeys(POOLINGS, np.stack(states))
        run = runs.write_snapshot(
            run.path, Snapshot(index, index, float(index)), pooled, predictions
        )
        separability.measure_snapshot(run, index)
    return run


def test_the_answer_and_all_details_hold(collapsed: Run) -> None:
    examples = runs.read_examples(collapsed.path)
    labels, splits = examples["label"].to_numpy(), examples["split"].to_numpy()
    sheet = separability.sheet_of(collapsed)
    separability.search_answer_of(collapsed, sheet.answer.best)
    cells, predicted = separability.cells_of(collapsed)
    val = splits == "val"
    separability.compare_poolings(cells, predicted[:, val], labels[val], 1, 0)
    separability.overfitting(cells, predicted, labels, splits, "mean", 0)
    states = runs.read_pooled(collapsed.path, 1)["mean"]
    with np.errstate(all="raise"):
        similar = separability.linear_cka(states, states)
    assert np.isnan(similar[:, 1]).all()  # a layer of zeros is like no other
    for how in separability.MIX_METHODS:
        mix = separability.mix_layers(
            states, labels, splits, range(len(states)), how, single=1, seed=0
        )
        assert np.isfinite([mix.score, mix.difference, *mix.weights]).all()
    assert separability.search_mix(states[[0, 2, -1, -3]], labels, splits, seed=0).layers
    for layer in states:
        exploring.nearest_train(layer, splits, np.arange(N))
    exploring.token_paths(states.astype(np.float32))


def test_suspicious_labels_hold_without_sound_states(collapsed: Run, monkeypatch) -> None:
    read = runs.read_hidden_states
    monkeypatch.setattr(runs, "read_hidden_states", lambda path, _, *cell: read(path, 1, *cell))
    assert np.isfinite(exploring.suspicious_labels(collapsed).frame["score"]).all()


def test_a_cell_says_what_is_wrong_with_it_and_the_report_since_when(collapsed, capsys) -> None:
    table, examples = runs.read_separability(collapsed.path), runs.read_examples(collapsed.path)
    names = list(KINDS)
    cells = views.measure_cells(collapsed, table, examples, "silhouette", "val", "mean")
    notes = cells[cells["snapshot"] == 1].set_index("layer")["note"]
    assert notes[names.index("constant")] == ALIKE
    assert "nearly the same" in notes[names.index("last digits differ")]
    assert notes[0] == ""
    drawn = charts.score_heat_map(cells, measure="Silhouette").to_dict()
    (rows,) = drawn["datasets"].values()
    constant = [row for row in rows if row["layer"] == names.index("constant")]
    assert [row["value_text"] == ALIKE for row in constant] == [False, True]

    (trouble,) = separability.trouble_sentences(collapsed, table)
    assert "Since epoch 1, layers 1–5" in trouble
    assert "try 0.0005." in trouble
    assert separability.trouble_sentences(collapsed, table[table["snapshot"] == 0]) == []
    runs_folder = ["--runs", str(collapsed.path.parent)]
    assert main(["report", collapsed.run_id, *runs_folder]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert trouble in text
    assert "nan" not in text
    assert main(["report", collapsed.run_id, "--json", *runs_folder]) == 0
    assert json.loads(capsys.readouterr().out)["troubles"] == [trouble]


def test_a_button_sets_the_lower_rate_in_the_sidebar_and_says_so(collapsed, monkeypatch) -> None:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(collapsed.path.parent))
    page = open_page(run=collapsed.run_id)
    rate = encoders.default_learning_rate(WIDTH)
    (button,) = (one for one in page.button if one.key == "lower_rate")
    assert button.label == f"Set learning rate to {rate:g}"
    assert f"try {rate:g}." in warning_text(page)
    button.click().run()
    assert not page.exception
    assert page.selectbox(key="encoder").value == CONFIG.encoder
    assert page.number_input(key=f"rate-{CONFIG.encoder}").value == rate
    assert f"a learning rate of {rate:g}. Press Fine-tune there" in caption_text(page)
    assert "lower_rate" not in [one.key for one in page.button]


def test_no_rate_is_advised_where_training_is_not_to_blame(collapsed) -> None:
    table = runs.read_separability(collapsed.path)
    assert separability.rate_to_try(collapsed, table) is not None
    assert separability.rate_to_try(collapsed, table[table["snapshot"] == 0]) is None
    before = table[table["snapshot"] == 1].assign(snapshot=0)
    assert separability.rate_to_try(collapsed, before) is None


def test_no_measure_ends_training_and_it_is_made_up_for(tmp_path, monkeypatch) -> None:
    measure = separability.measure_snapshot

    def fail(run: Run, index: int, **settings: Any) -> None:
        if index:
            raise ZeroDivisionError("a bug")
        measure(run, index, **settings)

    dataset = toy_dataset()
    run = runs.create(tmp_path, replace(CONFIG, keep="best"), dataset)
    with monkeypatch.context() as patched:
        patched.setattr(separability, "measure_snapshot", fail)
        run = training.fit(run, dataset)
        assert (run.status, len(run.snapshots)) == ("done", 2)
        said = "The measures of epoch 1 could not be made (ZeroDivisionError: a bug)."
        assert separability.trouble_sentences(run, runs.read_separability(run.path)) == [said]
        with pytest.raises(RunError, match="epoch 1 could not be made"):
            training.measure_missing(run)
    training.measure_missing(run)
    (trouble,) = separability.trouble_sentences(run, runs.read_separability(run.path))
    assert "epoch 1" in trouble  # such a rate makes its layers collapse
    assert "could not" not in trouble


def test_no_capture_ends_training_once_it_has_begun(tmp_path, monkeypatch) -> None:
    capture, scores_of = hidden_states.capture, watching.scores_of
    captured: list[bool] = []

    def fail(*arguments: Any, **settings: Any) -> Any:
        captured.append(True)
        if len(captured) in (2, 3):  # the second is a look at val alone, for early stopping
            raise torch.OutOfMemoryError
        return capture(*arguments, **settings)

    def fail_once(*arguments: Any) -> dict[str, float]:
        if len(captured) == 5:
            raise ZeroDivisionError("a bug")
        return scores_of(*arguments)

    dataset = toy_dataset()
    config = replace(CONFIG, epochs=4, patience=3, keep="all", learning_rate=1e-3)
    run = runs.create(tmp_path, config, dataset)
    monkeypatch.setattr(hidden_states, "capture", fail)
    monkeypatch.setattr(watching, "scores_of", fail_once)
    run = training.fit(run, dataset)
    assert run.status == "done"
    assert [(one.index, one.epoch) for one in run.snapshots] == [(0, 0), (1, 2), (2, 4)]
    assert runs.measured_snapshots(run) == (0, 1, 2)
    assert run.training["n_snapshots"] == 3
    told = separability.trouble_sentences(run, runs.read_separability(run.path))
    assert told[:2] == [
        "The snapshot of epoch 1 could not be captured (there was not enough memory); training "
        "went on without it.",
        "The snapshot of epoch 3 could not be captured (ZeroDivisionError: a bug); training went "
        "on without it.",
    ]
    for snapshot in run.snapshots:
        assert runs.has_snapshot(run.path, snapshot.index)


def test_what_fails_while_a_run_is_being_stopped_is_stopped(tmp_path) -> None:
    run = runs.create(tmp_path, CONFIG, toy_dataset())
    with pytest.raises(Cancelled), looking.measuring(run, 1, lambda: True):
        raise RuntimeError("cannot schedule new futures after shutdown")
    assert runs.NOT_MEASURED not in runs.open_folder(run.path).training


def test_a_first_capture_that_fails_ends_the_run_before_a_step(tmp_path, monkeypatch) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a bug")

    dataset = toy_dataset()
    run = runs.create(tmp_path, CONFIG, dataset)
    monkeypatch.setattr(hidden_states, "capture", fail)
    with pytest.raises(RunError, match="a bug"):
        training.fit(run, dataset)
    assert runs.open_folder(run.path).training["timed_steps"] == 0


def test_training_without_a_loss_ends_at_once_in_one_sentence(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(
        "transformers.Trainer.training_step", lambda *_, **__: torch.tensor(float("nan"))
    )
    dataset = toy_dataset()
    run = runs.create(tmp_path, CONFIG, dataset)
    with pytest.raises(DivergedError, match="diverged at step 1 of") as caught:
        training.fit(run, dataset)
    assert "0.5: try 0.0005." in caught.value.hint
    failed = runs.open_folder(run.path)
    assert (failed.status, failed.recurs, len(failed.snapshots)) == ("failed", True, 1)
    table = runs.read_separability(run.path)
    assert separability.rate_to_try(failed, table) == 5e-4  # the page has a button for it
    again = replace(failed, status="running")
    assert separability.rate_to_try(again, table) is None


def test_an_encoder_without_numbers_is_refused(tmp_path, monkeypatch) -> None:
    load = encoders.load

    def load_damaged(*args, **settings):
        loaded = load(*args, **settings)
        with torch.no_grad():
            next(loaded.model.parameters()).fill_(float("nan"))
        return loaded

    monkeypatch.setattr(encoders, "load", load_damaged)
    dataset = toy_dataset()
    run = runs.create(tmp_path, CONFIG, dataset)
    with pytest.raises(EncoderError, match="not finite numbers, before any training"):
        training.fit(run, dataset)


@pytest.mark.parametrize(
    ("rate", "width", "lower"), [(0.01, 128, 5e-4), (5e-4, 128, 1e-4), (2e-5, 1024, 5e-6)]
)
def test_a_lower_learning_rate_is_the_default_or_below(rate, width, lower) -> None:
    assert encoders.lower_learning_rate(rate, width) == pytest.approx(lower)
