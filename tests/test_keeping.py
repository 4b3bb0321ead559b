"""Which weights a run keeps, and when it ends before its last epoch."""

from __future__ import annotations

import dataclasses
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file

from layerviz import commands, encoders, hidden_states, runs, separability, training
from layerviz.commands import main
from layerviz.config import RunConfig, run_id
from layerviz.data import Dataset
from layerviz.errors import ConfigError
from layerviz.export.recipe import command
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_model, zip_run
from layerviz.progress import TRAINING, Progress
from layerviz.runs import Run
from layerviz.training import epochs_without_rise, watching

CONFIG = RunConfig(
    "scratch-distilbert",
    epochs=5,
    batch_size=32,
    learning_rate=1e-3,
    max_length=16,
    max_captured=30,
)
STEPS = [0, 3, 6, 9, 12, 15]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    size = encoders.EncoderSize(layers=2, hidden_size=16, heads=2, vocab_size=300)
    monkeypatch.setitem(encoders.SCRATCH_SIZES, "distilbert", size)


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Spare the measures, where only the course of a run matters."""

    def measure_nothing(run: Run, index: int, **_: Any) -> None:
        table = pd.DataFrame(columns=[*runs.SEPARABILITY_COLUMNS]).drop(columns="snapshot")
        predicted = np.zeros((3, len(runs.read_examples(run.path))), dtype=np.int16)
        runs.write_measures(run.path, index, table, dict.fromkeys(run.poolings, predicted), {})

    monkeypatch.setattr(separability, "measure_snapshot", measure_nothing)


def fit(root: Path, dataset: Dataset, *, settings: Any = None, **changes: Any) -> Run:
    config = dataclasses.replace(CONFIG, **changes)
    return training.fit(runs.create(root, config, dataset), dataset, **(settings or {}))


def weights(folder: Path) -> dict[str, bytes]:
    arrays = load_file(folder / "model.safetensors")
    return {name: array.tobytes() for name, array in arrays.items()}


@pytest.fixture
def recommend(unmeasured: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[int]], None]:
    """Let the answer recommend, with so many snapshots measured, the one at that place."""

    def plan(recommended: list[int]) -> None:
        def of_run(run: Run) -> int:
            return recommended[len(runs.measured_snapshots(run)) - 1]

        monkeypatch.setattr(separability, "recommended_snapshot", of_run)

    return plan


# --- keep -----------------------------------------------------------------------------------


def test_the_best_epoch_is_the_one_that_the_answer_recommends(
    toy_dataset: Dataset, tmp_path: Path
) -> None:
    every = fit(tmp_path, toy_dataset, keep="all")
    best = fit(tmp_path, toy_dataset, keep="best")
    recommended = separability.answer_of(best).best.snapshot
    assert best.training["model_step"] == STEPS[recommended]
    assert weights(best.layout.model) == weights(every.layout.snapshot_weights(recommended))
    assert runs.model_folders(best) == {recommended: best.layout.model}
    assert not best.layout.weights.exists()


@pytest.mark.parametrize("peak", range(6))
def test_weights_of_whichever_epoch_are_kept_in_little_space(
    toy_dataset: Dataset,
    tmp_path: Path,
    recommend: Callable[[list[int]], None],
    monkeypatch: pytest.MonkeyPatch,
    peak: int,
) -> None:
    # A peak is told once the snapshot after it is measured.
    recommend([0, *(min(peak, n) for n in range(5))])
    if peak == 5:
        recommend([0, 0, 1, 2, 3, 5])
    kept: list[set[str]] = []
    drop = watching.drop_surplus_weights

    def look(run: Run) -> None:
        drop(run)
        kept.append({folder.name for folder in run.layout.weights.iterdir()})

    monkeypatch.setattr(watching, "drop_surplus_weights", look)
    run = fit(tmp_path, toy_dataset, keep="best")
    assert len(kept) == 6
    assert max(map(len, kept)) <= 3
    expected = min(peak, 4) if peak < 5 else 5
    assert run.training["model_step"] == STEPS[expected]
    assert list(runs.model_folders(run)) == [expected]
    stored = runs.read_predictions(run.path, expected)
    loaded = encoders.load_trained(run.layout.model)
    texts = runs.read_examples(run.path)["text"].tolist()
    again = hidden_states.capture(
        loaded.model,
        loaded.tokenizer,
        texts,
        max_length=16,
        precision=run.capture_precision,
    )
    assert (again.logits.argmax(axis=1) == stored["predicted"].to_numpy()).all()


def test_a_stopped_run_keeps_the_best_so_far_and_goes_on(
    toy_dataset: Dataset, tmp_path: Path, recommend: Callable[[list[int]], None]
) -> None:
    recommend([0, 1, 1, 1, 1, 4])
    seen: list[int] = []

    def look(progress: Progress) -> None:
        seen.append(progress.step if progress.phase == TRAINING else 0)

    stop = {"on_progress": look, "should_stop": lambda: max(seen, default=0) >= 10}
    stopped = fit(tmp_path, toy_dataset, keep="best", settings=stop)
    assert stopped.status == "cancelled"
    assert stopped.training["model_step"] == STEPS[1]
    assert set(runs.model_folders(stopped)) == {1, 2, 3}
    done = fit(tmp_path, toy_dataset, keep="best")
    assert (done.status, done.training["model_step"]) == ("done", STEPS[4])
    assert not done.layout.weights.exists()
    straight = fit(tmp_path / "straight", toy_dataset, keep="best")
    assert weights(done.layout.model) == weights(straight.layout.model)


def test_weights_that_the_answer_comes_back_to_too_late_are_not_claimed(
    toy_dataset: Dataset, tmp_path: Path, recommend: Callable[[list[int]], None]
) -> None:
    recommend([0, 1, 2, 3, 4, 0])
    run = fit(tmp_path, toy_dataset, keep="best")
    assert run.training["model_step"] == STEPS[-1]
    assert list(runs.model_folders(run)) == [5]
    assert training.model_sentence(run) == ""


def test_what_is_taken_away_says_of_which_epoch_it_is(
    toy_dataset: Dataset, tmp_path: Path, recommend: Callable[[list[int]], None]
) -> None:
    recommend([0, 1, 2, 2, 2, 2])
    run = fit(tmp_path, toy_dataset, keep="best")
    assert training.model_sentence(run) == (
        "The weights that were kept are those of epoch 2, as recommended."
    )
    zip_model(run, tmp_path / "model.zip")
    with zipfile.ZipFile(tmp_path / "model.zip") as archive:
        readme = archive.read(f"{run.run_id}-model/README.txt").decode()
    assert "as it was at epoch 2." in readme
    zip_run(run, tmp_path / "run.zip")
    elsewhere = unzip_run(tmp_path / "run.zip", tmp_path / "elsewhere")
    assert list(runs.model_folders(elsewhere)) == [2]


# --- the switch that there was --------------------------------------------------------------


def test_the_former_switch_still_works_and_keeps_its_ids(
    toy_dataset: Dataset, tmp_path: Path
) -> None:
    parser = commands.parser()
    words = ["fit", "--encoder=scratch-bert", "--data=x.csv"]
    former, now, untouched = (
        commands.run_config(parser.parse_args([*words, *more]), "scratch-bert", 0)
        for more in (["--keep-weights"], ["--keep", "all"], [])
    )
    assert former == now
    assert (former.keep, untouched.keep) == ("all", "newest")
    # As layerviz named them when there was a switch.
    fingerprint = "0123456789abcdef"
    assert (
        run_id(dataclasses.replace(now, epochs=5, batching="random"), "toy", fingerprint)
        == "scratch-bert-toy-c0c910ba"
    )
    values = RunConfig("scratch-bert", epochs=5).as_dict()
    del values["keep"]
    for on, keep in ((True, "all"), (False, "newest")):
        assert RunConfig.from_dict(values | {"keep_weights": on}).keep == keep
    with pytest.raises(ConfigError, match="Keep weights is 'yes'"):
        RunConfig.from_dict(values | {"keep_weights": "yes"})

    made = runs.create(tmp_path, dataclasses.replace(CONFIG, keep="all"), toy_dataset)
    record = json.loads(made.layout.record.read_text("utf-8"))
    del record["config"]["keep"]
    record["config"]["keep_weights"] = True
    made.layout.record.write_text(json.dumps(record), "utf-8")
    run = runs.open_folder(made.path)
    assert run.config.keep == "all"
    assert runs.create(tmp_path, run.config, toy_dataset).run_id == made.run_id
    assert "--keep all" in command(run)


# --- patience -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scores", "epochs"),
    [
        ([], 0),
        ([0.5], 0),
        ([0.5, 0.6], 0),
        ([0.5, 0.6, 0.6], 1),
        ([0.6, 0.5, 0.59], 2),
        ([0.6, 0.5, 0.61], 0),
        ([0.6, 0.6 + 1e-16, 0.6 - 1e-16], 2),
    ],
)
def test_epochs_without_a_rise(scores: list[float], epochs: int) -> None:
    assert epochs_without_rise(scores) == epochs


@pytest.fixture
def scored(unmeasured: None, monkeypatch: pytest.MonkeyPatch) -> Callable[[list[float]], None]:
    """Let val score as planned at the end of each epoch."""

    def plan(scores: list[float]) -> None:
        score = watching.scores_of
        first: dict[int, int] = {}

        def planned(examples: pd.DataFrame, predictions: pd.DataFrame) -> dict[str, float]:
            digest = hash(predictions["loss"].to_numpy().tobytes())  # of the weights at that time
            epoch = first.setdefault(digest, len(first))
            return score(examples, predictions) | {"val_macro_f1": scores[epoch]}

        monkeypatch.setattr(watching, "scores_of", planned)

    return plan


def test_a_run_stops_when_val_has_not_risen(
    toy_dataset: Dataset, tmp_path: Path, scored: Callable[[list[float]], None]
) -> None:
    scored([0.9, 0.3, 0.5, 0.4, 0.5, 0.9])  # before training does not count
    reports: list[Progress] = []
    run = fit(tmp_path, toy_dataset, patience=2, settings={"on_progress": reports.append})
    assert run.status == "done"
    assert [snapshot.step for snapshot in run.snapshots] == STEPS[:5]
    assert str(training.early_stop_of(run)) == (
        "Stopped after epoch 4 of 5: val macro-F1 had not risen for 2 epochs."
    )
    assert run.training["model_step"] == run.trained_steps == 12
    assert run.training["total_steps"] == 15
    assert max(report.step for report in reports) == 12
    assert not run.layout.resume.exists()
    assert fit(tmp_path, toy_dataset, patience=2) == run


def test_a_run_that_rises_on_is_not_stopped_and_is_the_same(
    toy_dataset: Dataset, tmp_path: Path, scored: Callable[[list[float]], None]
) -> None:
    scored([0.1, 0.2, 0.3, 0.4, 0.5, 0.5])
    patient = fit(tmp_path, toy_dataset, patience=1)
    assert training.early_stop_of(patient) is None  # no more epochs were left to be saved
    assert weights(patient.layout.model) == weights(fit(tmp_path, toy_dataset).layout.model)


def test_looking_does_not_change_when_a_run_stops(
    unmeasured: None, toy_dataset: Dataset, tmp_path: Path
) -> None:
    settings: dict[str, Any] = {"epochs": 12, "patience": 1, "learning_rate": 1e-2}
    seen = fit(tmp_path / "seen", toy_dataset, **settings)
    blind = fit(tmp_path / "blind", toy_dataset, settings={"capture": False}, **settings)
    assert (stop := training.early_stop_of(seen)) is not None
    assert 1 < stop.epoch < 12
    assert training.early_stop_of(blind) == stop
    assert weights(seen.layout.model) == weights(blind.layout.model)


@pytest.mark.parametrize("at", [4, 9])
def test_a_run_that_was_interrupted_stops_where_it_would_have(
    toy_dataset: Dataset, tmp_path: Path, scored: Callable[[list[float]], None], at: int
) -> None:
    scored([0.1, 0.5, 0.4, 0.3, 0.9, 0.9])

    def interrupt(progress: Progress) -> None:
        if progress.phase == TRAINING and progress.step == at:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit(tmp_path, toy_dataset, patience=2, settings={"on_progress": interrupt})
    done = fit(tmp_path, toy_dataset, patience=2)
    stop = training.early_stop_of(done)
    assert stop is not None
    assert (done.status, stop.epoch, done.trained_steps) == ("done", 3, 9)
    straight = fit(tmp_path / "straight", toy_dataset, epochs=5)
    assert np.array_equal(
        runs.read_hidden_states(done.path, 3, "mean", 2),
        runs.read_hidden_states(straight.path, 3, "mean", 2),
    )


def test_a_run_that_was_cut_off_after_its_last_step_takes_no_further_one(
    toy_dataset: Dataset,
    tmp_path: Path,
    scored: Callable[[list[float]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scored([0.1, 0.5, 0.4, 0.3, 0.9, 0.9])

    def crash(*_: Any, **__: Any) -> None:
        raise RuntimeError("cut off")

    with monkeypatch.context() as patch:
        patch.setattr(training.fitting, "store_model", crash)
        with pytest.raises(Exception, match="cut off"):
            fit(tmp_path, toy_dataset, patience=2)
    steps: list[int] = []
    done = fit(
        tmp_path,
        toy_dataset,
        patience=2,
        settings={"on_progress": lambda progress: steps.append(progress.step)},
    )
    assert (done.status, max(steps), done.training["model_step"]) == ("done", 9, 9)


def test_the_command_line_says_what_it_did(
    toy_csv: bytes,
    tmp_path: Path,
    scored: Callable[[list[float]], None],
    recommend: Callable[[list[int]], None],
    capsys: pytest.CaptureFixture[str],
) -> None:
    scored([0.1, 0.5, 0.4, 0.3, 0.9, 0.9])
    recommend([0, 1, 1, 1])
    data = tmp_path / "toy.csv"
    data.write_bytes(toy_csv)
    options = ["--epochs=5", "--batch-size=32", "--patience=2", "--keep=best", "--precision=fp32"]
    arguments = ["--encoder=scratch-distilbert", f"--data={data}", f"--runs={tmp_path / 'runs'}"]
    assert main(["fit", *arguments, *options]) == 0
    told = capsys.readouterr().err
    assert "Stopped after epoch 3 of 5: val macro-F1 had not risen for 2 epochs." in told
    assert "The weights that were kept are those of epoch 1, as recommended." in told
