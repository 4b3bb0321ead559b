"""Layers that suggest themselves for freezing, and cheaper runs against the whole one."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_runs import dataset_of, made
from pages import answered, caption_text, markdown_text, open_page
from toy import as_csv, toy_rows
from waiting import wait_until

from layerviz import comparison, data, encoders, runs, separability, training
from layerviz.commands import main
from layerviz.comparison import (
    compare_trial,
    is_trial_of,
    trial_difference,
    trial_name,
    trial_sentences,
)
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.errors import RunError
from layerviz.runs import Run, Snapshot
from layerviz.separability import FEW_EXAMPLES, Cell, freezing_sentence, suggest_freezing
from layerviz.separability.scored_cells import CellScores

CLASSES = 3


# --- the suggestion -------------------------------------------------------------------------


def cells_and_scores(gains: list[float], n: int = 2000, poolings: int = 2) -> CellScores:
    """Return probes of which each layer is right so much more often after training."""
    rng = np.random.default_rng(0)
    labels = rng.integers(CLASSES, size=n)
    cells, predicted = [], []
    for snapshot in (0, 1):
        luck = rng.random(n)  # shared by all layers of a snapshot
        for pooling in ("mean", "cls")[:poolings]:
            for layer, gain in enumerate(gains, start=1):
                right = luck < 0.6 + gain * snapshot
                cells.append(Cell(snapshot, float(snapshot), pooling, layer))
                predicted.append(np.where(right, labels, (labels + 1) % CLASSES))
    return CellScores(tuple(cells), np.stack(predicted), labels, seed=0)


BEST = Cell(1, 1.0, "mean", 4)


@pytest.mark.parametrize(
    ("similarity", "gains", "layers"),
    [
        ([0.99, 0.95, 0.7, 0.5], [0.0, 0.0, 0.2, 0.3], 2),
        ([0.99, 0.8, 0.95, 0.99], [0.0, 0.0, 0.0, 0.0], 1),  # from the first one on, without a gap
        ([0.99, 0.95, 0.95, 0.5], [0.0, 0.2, 0.0, 0.3], 1),  # similar, and better all the same
        ([0.85, 0.99, 0.99, 0.99], [0.0, 0.0, 0.0, 0.0], 0),
        ([0.99, 0.99, 0.99, 0.99], [0.0, 0.0, 0.0, 0.0], 3),  # never all of them
        ([np.nan] * 4, [0.0] * 4, 0),
    ],
)
def test_layers_that_hardly_moved_suggest_themselves(
    similarity: list[float], gains: list[float], layers: int
) -> None:
    by_layer = dict(enumerate(similarity, start=1))
    suggestion = suggest_freezing(cells_and_scores(gains), by_layer, BEST)
    assert suggestion is not None
    assert suggestion.layers == layers
    assert suggestion.n == 2000
    for gain, planted in zip(suggestion.gains, gains, strict=True):
        assert gain.low < planted < gain.high
    sentence = freezing_sentence(suggestion)
    if layers:
        assert sentence.startswith("Fine-tuning hardly moved layer")
        assert "(95 %, n = 2,000)" in sentence
    else:
        measured = not np.isnan(similarity[0])
        assert ("No layer suggests itself" in sentence) == measured
        assert ("was not measured" in sentence) != measured


def test_without_training_there_is_nothing_to_spare() -> None:
    start = Cell(0, 0.0, "mean", 4)
    assert suggest_freezing(cells_and_scores([0.0] * 4), {}, start) is None


def test_the_suggestion_of_a_run_is_taken_from_its_measures(tmp_path: Path) -> None:
    run = made(tmp_path, dataset_of(), "scratch-bert", {3: 4.0, 4: 4.0})
    best = separability.answer_of(run).best
    suggestion = separability.freezing_suggestion_of(run, best)
    assert suggestion is not None
    table = runs.read_separability(run.path)
    cka = table[(table["measure"] == "cka") & (table["snapshot"] == best.snapshot)]
    for layer, value in enumerate(suggestion.similarity, start=1):
        assert value == pytest.approx(cka[cka["layer"] == layer]["value"].mean())
    assert suggestion.layers == 0  # random states, drawn anew, are not similar


# --- a trial --------------------------------------------------------------------------------


def pair(root: Path, dataset: Dataset, shares: tuple[float, float], **changes: Any) -> list[Run]:
    """Write two runs of which each is right in that share of val, where the other is, too."""
    luck = np.random.default_rng(0).random(len(dataset.examples))
    labels = dataset.examples["label"].to_numpy()
    made_runs = []
    for share, cheaper in zip(shares, ({}, {"freeze": 2} | changes), strict=True):
        config = dataclasses.replace(RunConfig("scratch-bert", epochs=1), **cheaper)
        run = runs.create(root, config, dataset)
        runs.write_examples(run.path, dataset.examples)
        predicted = np.where(luck < share, labels, (labels + 1) % CLASSES)
        predictions = pd.DataFrame(
            {"id": dataset.examples["id"], "predicted": predicted, "confidence": 0.5, "loss": 0.7}
        )
        states = {name: np.zeros((5, len(labels), 2), dtype=np.float16) for name in run.poolings}
        runs.write_snapshot(run.path, Snapshot(0, 0, 0.0), states, predictions)
        run = runs.update(
            run.path,
            status="done",
            training={"total_steps": 10, "steps_per_epoch": 10, "n_snapshots": 1,
                      "timed_steps": 10, "train_seconds": 4.0 if cheaper else 5.0},
        )  # fmt: skip
        made_runs.append(run)
    return made_runs


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of()


@pytest.mark.parametrize(
    ("shares", "as_good", "worse"),
    [((0.8, 0.8), True, False), ((0.8, 0.6), False, True), ((0.8, 0.79), False, False)],
)
def test_as_good_is_said_only_where_a_loss_is_excluded(
    dataset: Dataset, tmp_path: Path, shares: tuple[float, float], as_good: bool, worse: bool
) -> None:
    base, trial = pair(tmp_path, dataset, shares)
    verdict = compare_trial(base, trial, margin=0.02)
    assert (verdict.as_good, verdict.worse) == (as_good, worse)
    assert verdict.n == 240
    assert verdict.difference.value == pytest.approx(verdict.trial - verdict.base)
    assert (verdict.base_seconds, verdict.trial_seconds) == (5.0, 4.0)
    first, second = trial_sentences(verdict, trial_name(trial))
    assert "2 layers frozen" in first
    assert second == "An epoch took 4.0 s instead of 5.0 s, 20 % less."
    assert ("does as well:" in first) == as_good
    assert ("does worse:" in first) == worse
    assert ("cannot tell" in first) == (not as_good and not worse)
    if not as_good and not worse:
        assert verdict.needed is not None
        assert verdict.needed > verdict.n


def test_a_true_loss_of_the_margin_is_seldom_called_as_good() -> None:
    rng = np.random.default_rng(0)
    n, n_draws, margin, claims, covered = 300, 100, 0.05, 0, 0
    for seed in range(n_draws):
        labels = rng.integers(2, size=n)  # two classes of equal size: macro-F1 is about accuracy
        base = np.where(rng.random(n) < 0.8, labels, 1 - labels)
        flipped = (base == labels) & (rng.random(n) < margin / 0.8)
        difference = trial_difference(labels, base, np.where(flipped, 1 - labels, base), seed)
        claims += difference.low > -margin
        covered += difference.low <= -margin <= difference.high
    assert claims / n_draws <= 0.05 + 2 * (0.05 * 0.95 / n_draws) ** 0.5
    assert covered / n_draws >= 0.93 - 2 * (0.05 * 0.95 / n_draws) ** 0.5


def test_few_examples_tell_nothing(tmp_path: Path) -> None:
    table = data.read_table(as_csv(toy_rows(90)), "toy.csv")
    few = data.build_dataset(table, data.guess_columns(table.frame))
    base, trial = pair(tmp_path, few, (0.8, 0.8))
    verdict = compare_trial(base, trial)
    assert not verdict.as_good
    assert "Too few examples" in trial_sentences(verdict, "2 layers frozen")[0]


def test_few_different_texts_tell_nothing_however_often_they_are_repeated(tmp_path: Path) -> None:
    rows = [(text, label) for text, label in toy_rows(60) for _ in range(20)]
    table = data.read_table(as_csv(rows), "toy.csv")
    repeated = data.build_dataset(table, data.guess_columns(table.frame))
    base, trial = pair(tmp_path, repeated, (0.8, 0.8))
    verdict = compare_trial(base, trial)
    assert verdict.n >= FEW_EXAMPLES
    assert not verdict.as_good
    assert not verdict.worse
    words = f"only 12 different texts in {verdict.n} val examples"
    assert words in trial_sentences(verdict, "2 layers frozen")[0]


def test_each_run_is_judged_by_the_weights_that_it_kept(dataset: Dataset, tmp_path: Path) -> None:
    base, trial = pair(tmp_path, dataset, (0.8, 0.8))
    worse = runs.read_predictions(trial.path, 0).assign(predicted=0)
    states = {name: np.zeros((5, 480, 2), dtype=np.float16) for name in trial.poolings}
    trial = runs.write_snapshot(trial.path, Snapshot(1, 10, 1.0), states, worse)
    assert compare_trial(base, trial).worse
    trial = runs.update(trial.path, training=trial.training | {"model_step": 0})
    assert compare_trial(base, trial).as_good


def test_runs_on_other_data_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    base, _ = pair(tmp_path / "one", dataset, (0.8, 0.8))
    _, trial = pair(tmp_path / "other", dataset_of(seed=1), (0.8, 0.8))
    with pytest.raises(RunError, match="different data"):
        compare_trial(base, trial)


def test_what_is_a_trial_of_what(dataset: Dataset, tmp_path: Path) -> None:
    base, trial = pair(tmp_path, dataset, (0.8, 0.8), keep_layers=3)
    assert trial_name(trial) == "the first 3 layers alone and 2 layers frozen"
    assert is_trial_of(base, trial)
    assert not is_trial_of(trial, base)
    assert not is_trial_of(base, base)
    other = dataclasses.replace(trial, config=dataclasses.replace(trial.config, seed=1))
    assert not is_trial_of(base, other)


# --- page and command line ------------------------------------------------------------------


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """Return a run of the sample, which is what the page opens with."""
    root = tmp_path_factory.mktemp("trials")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(runs.RUNS_VARIABLE, str(root))
        size = encoders.EncoderSize(layers=2, hidden_size=16, heads=2, vocab_size=300)
        patch.setitem(encoders.SCRATCH_SIZES, "distilbert", size)
        table = data.sample_table()
        sample = data.build_dataset(table, data.guess_columns(table.frame))
        config = RunConfig(
            "scratch-distilbert", epochs=1, batch_size=256, max_captured=60, max_length=16
        )
        run = runs.create(root, training.with_defaults(config), sample)
        yield training.fit(run, sample)


DETAILS = {"tabs": "Layers", "detail_tabs": "Cheaper fine-tuning"}


def test_other_data_in_the_sidebar_is_told(finished: Run) -> None:
    app = answered(open_page(run=finished.run_id, state=dict(DETAILS)))
    assert any(button.key == "try-freeze" for button in app.button)
    split = next(box for box in app.selectbox if box.label == "Split column")
    split.set_value(split.options[0]).run()
    assert not app.exception
    assert not any(button.key == "try-freeze" for button in app.button)
    assert "choose the run's data (customer_messages) in the sidebar" in caption_text(app)


def test_a_trial_is_made_and_compared_on_the_page_and_the_command_line(
    finished: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    app = answered(open_page(run=finished.run_id, state=dict(DETAILS)))
    assert not app.exception
    (layers,) = (box for box in app.number_input if box.label == "Layers to freeze")
    layers.set_value(1).run()
    app.button(key="try-freeze").click().run()
    assert not app.exception
    root = finished.path.parent
    wait_until(lambda: [run for run in runs.list_runs(root) if run.config.freeze and not run.live],
               seconds=180)  # fmt: skip
    app.run()
    assert not app.exception
    assert any(button.key == "compare-freeze" for button in app.button)
    assert "1 layer frozen" in markdown_text(app)
    (trial,) = (run for run in runs.list_runs(finished.path.parent) if run.config.freeze)
    assert trial.status == "done"
    assert dataclasses.replace(trial.config, freeze=0) == finished.config
    assert trial.dataset["fingerprint"] == finished.dataset["fingerprint"]
    assert "An epoch took" in markdown_text(app)

    folder = f"--runs={finished.path.parent}"
    assert main(["compare", trial.run_id, finished.run_id, folder]) == 0
    told = capsys.readouterr().out
    assert "1 layer frozen" in told
    assert "An epoch took" in told
    assert main(["compare", trial.run_id, finished.run_id, folder, "--json"]) == 0
    assert "1 layer frozen" in json.loads(capsys.readouterr().out)["trial"][0]
    assert {contender.name for contender in comparison.contenders_of([finished, trial])} == {
        "DistilBERT from scratch (freeze 0)",
        "DistilBERT from scratch (freeze 1)",
    }

    app = answered(open_page(run=trial.run_id, state=dict(DETAILS)))
    assert not app.exception
    assert "This run is such a trial itself: 1 layer frozen" in caption_text(app)


def test_a_gain_that_is_certain_but_small_does_not_count_as_moved() -> None:
    """With thousands of val rows, nearly every layer has certainly gained something."""
    suggestion = suggest_freezing(
        cells_and_scores([0.015, 0.015, 0.2, 0.3], n=20_000), dict.fromkeys(range(1, 5), 0.95), BEST
    )
    assert suggestion is not None
    assert suggestion.gains[0].low > 0
    assert suggestion.layers == 2
