"""Looking changes nothing, stopping loses nothing, and the folder holds what it promises."""

from __future__ import annotations

import dataclasses
import errno
import json
import math
import shutil
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.numpy import load_file
from sklearn.metrics import accuracy_score, f1_score
from sklearn.utils.class_weight import compute_class_weight
from transformers import (
    AutoConfig,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedTokenizerBase,
)

from layerviz import data, encoders, hidden_states, runs, separability, training
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.errors import Cancelled, DiskFullError, LayervizError, RunError
from layerviz.poolings import MAX, POOLINGS
from layerviz.progress import (
    CAPTURING,
    LOADING,
    MEASURING,
    PREPARING,
    SAVING,
    TRAINING,
    Progress,
)
from layerviz.runs import Run
from layerviz.training import beside, choose_examples, fitting, planning, snapshot_steps

# 72 train examples in batches of 16: 5 steps per epoch, snapshots after steps 0, 2, 5, 8, 10.
CONFIG = RunConfig(
    "scratch-distilbert",
    epochs=2,
    batch_size=16,
    learning_rate=1e-3,
    max_length=32,
    precision="fp32",
    snapshots_per_epoch=2,
)
STEPS = [0, 2, 5, 8, 10]


def fit(root: Path, dataset: Dataset, config: RunConfig = CONFIG, **settings) -> Run:
    return training.fit(runs.create(root, config, dataset), dataset, **settings)


def weights(run: Run) -> dict[str, np.ndarray]:
    return load_file(run.path / "model" / "model.safetensors")


def assert_same_weights(one: Run, other: Run) -> None:
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    different = [name for name in first if first[name].tobytes() != second[name].tobytes()]
    assert not different


def assert_same_snapshots(one: Run, other: Run) -> None:
    assert one.snapshots == other.snapshots
    for snapshot in one.snapshots:
        stored = [
            load_file(run.path / "snapshots" / f"{snapshot.index:03d}/hidden_states.safetensors")
            for run in (one, other)
        ]
        for pooling in ("mean", "cls", "max"):
            assert np.array_equal(stored[0][pooling], stored[1][pooling])


def assert_same_measures(one: Run, other: Run) -> None:
    table = runs.read_separability(one.path)
    pd.testing.assert_frame_equal(table, runs.read_separability(other.path))
    assert set(table["snapshot"]) == {snapshot.index for snapshot in one.snapshots}
    for snapshot in one.snapshots:
        probes = [runs.read_probes(run.path, snapshot.index) for run in (one, other)]
        assert all((probes[0][pooling] == probes[1][pooling]).all() for pooling in probes[0])


def imbalanced(dataset: Dataset, kept: dict[int, int]) -> Dataset:
    """Return the data set with only the first so many train examples of each label."""
    examples = dataset.examples
    place = examples.groupby(["split", "label"]).cumcount()
    cut = (examples["split"] == "train") & (place >= examples["label"].map(kept))
    return dataclasses.replace(
        dataset, examples=examples[~cut].reset_index(drop=True), fingerprint="1" * 16
    )


class Stop:
    """Answers `should_stop` with true from the first progress that fulfils a condition."""

    def __init__(self, condition: Callable[[Progress], bool]) -> None:
        self.condition, self.met = condition, False
        self.seen: list[Progress] = []

    def look(self, progress: Progress) -> None:
        self.seen.append(progress)
        self.met = self.met or self.condition(progress)

    def fit(self, root: Path, dataset: Dataset) -> Run:
        return fit(root, dataset, on_progress=self.look, should_stop=lambda: self.met)


@contextmanager
def one_thread() -> Iterator[None]:
    """Spare tiny matrices the threads that wait for each other, where that is not the matter."""
    n_threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


@contextmanager
def smaller_encoder() -> Iterator[None]:
    """Shrink scratch-distilbert, and let a capture take several batches all the same."""
    with pytest.MonkeyPatch.context() as patch, one_thread():
        size = encoders.EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=8192)
        patch.setitem(encoders.SCRATCH_SIZES, "distilbert", size)
        patch.setattr(hidden_states, "tokens_at_once", lambda model: 256)
        yield


@pytest.fixture
def small() -> Iterator[None]:
    """For tests in which only the course of a run matters."""
    with smaller_encoder():
        yield


@pytest.fixture(scope="module")
def reported() -> list[Progress]:
    """What the run of `finished` reported."""
    return []


@pytest.fixture(scope="module")
def finished(tmp_path_factory, toy_dataset, reported) -> Run:
    """A run of full size with captures, from its beginning to its end."""
    return fit(tmp_path_factory.mktemp("finished"), toy_dataset, on_progress=reported.append)


@pytest.fixture(scope="module")
def small_finished(tmp_path_factory, toy_dataset) -> Run:
    """The same with the smaller encoder."""
    with smaller_encoder():
        return fit(tmp_path_factory.mktemp("small"), toy_dataset)


# --- captures -------------------------------------------------------------------------------


def test_a_run_with_captures_ends_in_the_weights_of_one_without(finished, toy_dataset, tmp_path):
    blind = fit(tmp_path, toy_dataset, capture=False)
    assert AutoConfig.from_pretrained(blind.path / "model").dropout > 0
    assert blind.snapshots == ()
    assert len(finished.snapshots) == len(STEPS)
    assert_same_weights(finished, blind)


def test_dropout_and_seed_matter_so_that_equal_weights_prove_something(
    small, small_finished, toy_dataset, tmp_path, monkeypatch
):
    other = fit(tmp_path, toy_dataset, dataclasses.replace(CONFIG, seed=1))
    with pytest.raises(AssertionError):
        assert_same_weights(small_finished, other)
    without_dropout(monkeypatch)
    dry = fit(tmp_path, toy_dataset)
    with pytest.raises(AssertionError):
        assert_same_weights(small_finished, dry)


def without_dropout(monkeypatch) -> None:
    load = encoders.load

    def load_dry(*args, **settings):
        encoder = load(*args, **settings)
        for module in encoder.model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        return encoder

    monkeypatch.setattr(encoders, "load", load_dry)


def test_each_text_is_tokenised_once_in_a_run(small, toy_dataset, tmp_path, monkeypatch):
    seen: Counter[str] = Counter()
    tokenise = PreTrainedTokenizerBase.__call__

    def counted(self, text, *args, **settings):
        seen.update([text] if isinstance(text, str) else text)
        return tokenise(self, text, *args, **settings)

    monkeypatch.setattr(PreTrainedTokenizerBase, "__call__", counted)
    run = fit(tmp_path, toy_dataset)
    assert len(run.snapshots) == len(STEPS)
    assert seen == Counter(toy_dataset.examples["text"])


def say_that_bf16_is(monkeypatch, *, native: bool) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": native})
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)


def captured_again(run: Run, precision: str) -> np.ndarray:
    loaded = encoders.load_trained(run.layout.model)
    texts = runs.read_examples(run.path)["text"].tolist()
    return hidden_states.capture(
        loaded.model, loaded.tokenizer, texts, max_length=32, precision=precision
    ).pooled["mean"]


BF16 = dataclasses.replace(CONFIG, epochs=1, precision="bf16", capture_precision="training")


def test_captures_are_in_float32_where_bf16_is_not_native(
    small, toy_dataset, tmp_path, monkeypatch
):
    say_that_bf16_is(monkeypatch, native=False)
    run = fit(tmp_path, toy_dataset, BF16)
    assert (run.training["precision"], run.training["capture_precision"]) == ("bf16", "fp32")
    stored = runs.read_pooled(run.path, run.snapshots[-1].index)["mean"]
    np.testing.assert_allclose(stored, captured_again(run, "fp32"), atol=1e-3)


def test_captures_are_in_float32_unless_they_are_set_to_be_as_training(monkeypatch):
    say_that_bf16_is(monkeypatch, native=True)
    assert planning.precision_of_captures(BF16) == "bf16"
    default = dataclasses.replace(BF16, capture_precision="fp32")
    assert planning.precision_of_captures(default) == "fp32"


def test_captures_share_the_precision_of_training_where_it_is_native_and_change_no_weights(
    small, toy_dataset, tmp_path, monkeypatch
):
    say_that_bf16_is(monkeypatch, native=True)
    run = fit(tmp_path / "captured", toy_dataset, BF16)
    assert runs.open_folder(run.path).capture_precision == "bf16"
    assert_same_weights(run, fit(tmp_path / "not", toy_dataset, BF16, capture=False))
    stored = runs.read_pooled(run.path, run.snapshots[-1].index)["mean"]
    np.testing.assert_array_equal(stored, captured_again(run, "bf16"))
    assert (stored != captured_again(run, "fp32")).any()


def test_a_run_that_was_stopped_goes_on_capturing_as_it_began(
    small, toy_dataset, tmp_path, monkeypatch
):
    say_that_bf16_is(monkeypatch, native=False)
    run = fit(tmp_path, toy_dataset, BF16, should_stop=iter([False] * 8 + [True] * 99).__next__)
    assert run.status == "cancelled"
    assert run.snapshots
    record = {name: run.training[name] for name in run.training if name != "capture_precision"}
    runs.update(run.path, training=record)  # as earlier versions left it
    say_that_bf16_is(monkeypatch, native=True)
    assert fit(tmp_path, toy_dataset, BF16).training["capture_precision"] == "fp32"


def test_a_bf16_run_leaves_nothing_behind_for_the_next_fp32_run(
    small, small_finished, toy_dataset, tmp_path
):
    bf16 = fit(tmp_path, toy_dataset, dataclasses.replace(CONFIG, precision="bf16"))
    fp32 = fit(tmp_path, toy_dataset)
    assert_same_weights(fp32, small_finished)
    with pytest.raises(AssertionError):
        assert_same_weights(bf16, fp32)


# --- the folder of a finished run -----------------------------------------------------------


def test_the_folder_holds_what_the_design_says(finished):
    assert finished.status == "done"
    names = {path.name for path in finished.path.iterdir()}
    assert names == {
        "run.json",
        "examples.parquet",
        "history.csv",
        "separability.csv",
        "snapshots",
        "model",
    }
    folders = sorted((finished.path / "snapshots").iterdir())
    assert [folder.name for folder in folders] == ["000", "001", "002", "003", "004"]
    for folder in folders:
        assert {path.name for path in folder.iterdir()} == {
            "hidden_states.safetensors",
            "predictions.parquet",
            "probes.safetensors",
        }
        stored = load_file(folder / "hidden_states.safetensors")
        assert set(stored) == {"mean", "cls", "max"}
        for values in stored.values():
            assert values.dtype == np.float16
            assert values.shape == (5, 90, 128)
        predictions = pd.read_parquet(folder / "predictions.parquet")
        assert list(predictions) == ["id", "predicted", "confidence", "loss"]
        assert len(predictions) == 90


def test_every_snapshot_is_measured_in_every_layer_and_pooling(finished):
    table = runs.read_separability(finished.path)
    assert tuple(table) == runs.SEPARABILITY_COLUMNS
    probes = table[(table["measure"] == "probe_macro_f1") & (table["split"] == "val")]
    per_snapshot = probes.groupby("snapshot")["value"].size()
    assert per_snapshot.to_dict() == dict.fromkeys(range(5), 3 * 5 + 1)  # and the model's own head
    examples, stored = runs.read_examples(finished.path), runs.read_probes(finished.path, 4)
    scores = runs.read_probe_scores(finished.path, 4)
    assert scores is not None
    assert set(scores) == set(stored)
    assert scores["mean"].shape == (5, len(examples), len(finished.label_names))
    val = (examples["split"] == "val").to_numpy()
    labels = examples["label"][val]
    by_hand = f1_score(labels, stored["mean"][3, val], average="macro", labels=np.unique(labels))
    row = probes[probes[["snapshot", "pooling", "layer"]].eq([4, "mean", 3]).all(axis=1)]
    assert row["value"].item() == pytest.approx(by_hand, abs=1e-5)
    head = probes[(probes["pooling"] == "head") & (probes["snapshot"] == 4)]["value"].item()
    assert head == pytest.approx(
        runs.read_history(finished.path)["val_macro_f1"].iloc[-1], abs=1e-5
    )


def test_measures_of_states_in_memory_are_those_of_states_read_back(finished, tmp_path):
    copy = shutil.copytree(finished.path, tmp_path / finished.run_id)
    run = runs.open_folder(copy)
    for pooled in (
        None,
        runs.read_pooled(copy, 4),
        dict(reversed(runs.read_pooled(copy, 4).items())),
    ):
        separability.measure_snapshot(run, 4, pooled=pooled)
        assert (copy / "separability.csv").read_bytes() == (
            finished.path / "separability.csv"
        ).read_bytes()
        probes, expected = (runs.read_probes(path, 4) for path in (copy, finished.path))
        assert all(np.array_equal(probes[name], expected[name]) for name in expected)


def test_a_snapshot_is_measured_without_being_read_back(toy_dataset, tmp_path, monkeypatch):
    read_pooled, indices = runs.read_pooled, []

    def read(path: Path, index: int) -> dict[str, np.ndarray]:
        indices.append(index)
        return read_pooled(path, index)

    monkeypatch.setattr(runs, "read_pooled", read)
    run = fit(tmp_path, toy_dataset, dataclasses.replace(CONFIG, epochs=1))
    assert len(run.snapshots) == 3
    assert set(indices) == {0}  # the first one alone, with which later ones are compared


def test_run_json_says_how_it_was_trained(finished):
    said = json.loads((finished.path / "run.json").read_text(encoding="utf-8"))
    assert said["format"] == runs.FORMAT
    assert said["poolings"] == ["mean", "cls", "max"]
    assert said["dataset"]["files"] == {"train": "toy.csv"}
    assert said["dataset"]["val_fraction"] == 0.2
    assert said["training"]["world_size"] == 1
    assert said["training"]["device"].partition(":")[0] in ("cpu", "cuda", "mps")


def test_run_json_is_complete_and_readable_without_layerviz(finished, toy_dataset):
    said = json.loads((finished.path / "run.json").read_text(encoding="utf-8"))
    assert said["status"] == "done"
    assert said["config"] == CONFIG.as_dict()
    assert said["seed"] == 0
    assert said["label_names"] == list(toy_dataset.label_names)
    assert said["dataset"]["fingerprint"] == toy_dataset.fingerprint
    assert said["dataset"]["counts"]["train"] == dict.fromkeys(toy_dataset.label_names, 24)
    assert [s["step"] for s in said["snapshots"]] == STEPS
    assert [s["epoch"] for s in said["snapshots"]] == [0, 0.4, 1.0, 1.6, 2.0]
    assert {"torch", "transformers", "python"} <= set(said["versions"])
    assert said["encoder"]["layers"] == 4
    assert said["encoder"]["hidden_size"] == 128
    assert said["training"]["total_steps"] == 10
    assert said["training"]["n_snapshots"] == len(STEPS)
    assert said["training"]["learning_rate"] == 1e-3
    assert said["training"]["precision"] == "fp32"


def test_examples_are_stored_in_the_order_of_the_data(finished, toy_dataset):
    stored = pd.read_parquet(finished.path / "examples.parquet")
    assert list(stored) == ["id", "split", "text", "label"]
    pd.testing.assert_frame_equal(stored, toy_dataset.examples[list(stored)], check_dtype=False)


def test_history_holds_the_loss_of_every_step_and_scores_of_every_snapshot(finished):
    history = pd.read_csv(finished.path / "history.csv")
    assert tuple(history) == runs.HISTORY_COLUMNS
    assert history["step"].tolist() == list(range(11))
    assert history["epoch"].tolist() == pytest.approx([step / 5 for step in range(11)])
    assert history["loss"].notna().tolist() == [False] + [True] * 10
    assert history["learning_rate"].max() == pytest.approx(1e-3)
    scored = history[history["val_macro_f1"].notna()]
    assert scored["step"].tolist() == STEPS
    examples = runs.read_examples(finished.path)
    for snapshot, (_, row) in zip(finished.snapshots, scored.iterrows(), strict=True):
        predicted = runs.read_predictions(finished.path, snapshot.index)["predicted"]
        for split in ("train", "val"):
            rows = examples["split"] == split
            true, said = examples["label"][rows], predicted[rows]
            assert row[f"{split}_accuracy"] == pytest.approx(accuracy_score(true, said))
            assert row[f"{split}_macro_f1"] == pytest.approx(
                f1_score(true, said, average="macro", zero_division=0)
            )


def test_the_model_opens_with_plain_transformers_and_equals_the_last_snapshot(
    finished, toy_dataset
):
    model = AutoModelForSequenceClassification.from_pretrained(finished.path / "model")
    tokenizer = AutoTokenizer.from_pretrained(finished.path / "model")
    assert model.config.id2label == dict(enumerate(toy_dataset.label_names))
    assert model.config.label2id == {name: i for i, name in enumerate(toy_dataset.label_names)}
    examples = runs.read_examples(finished.path)
    stored = runs.read_predictions(finished.path, finished.snapshots[-1].index)
    assert stored["id"].tolist() == examples["id"].tolist()
    for row in range(0, 90, 9):  # by hand, one text at a time
        with torch.no_grad():
            logits = model(**tokenizer(examples["text"][row], return_tensors="pt")).logits[0]
        exponentials = [math.exp(value) for value in logits.tolist()]
        chances = [value / sum(exponentials) for value in exponentials]
        assert stored["predicted"][row] == chances.index(max(chances))
        assert stored["confidence"][row] == pytest.approx(max(chances), abs=1e-4)
        assert stored["loss"][row] == pytest.approx(
            -math.log(chances[examples["label"][row]]), abs=1e-4
        )


def test_kept_weights_are_those_of_their_snapshots_and_change_nothing(
    finished, toy_dataset, tmp_path
):
    kept = fit(tmp_path, toy_dataset, dataclasses.replace(CONFIG, keep="all"))
    assert_same_weights(finished, kept)
    assert list(runs.model_folders(finished)) == [len(STEPS) - 1]
    folders = runs.model_folders(kept)
    assert list(folders) == list(range(len(STEPS)))
    versions = {runs.model_version(folder) for folder in folders.values()}
    assert len(versions) == len(STEPS)
    for index, folder in folders.items():
        model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
        texts = runs.read_examples(kept.path)["text"].tolist()[:8]
        tokenizer = AutoTokenizer.from_pretrained(folder)
        again = hidden_states.capture(model, tokenizer, texts, max_length=CONFIG.max_length)
        stored = runs.read_predictions(kept.path, index)
        assert (again.logits.argmax(axis=1) == stored["predicted"].to_numpy()[:8]).all()
        states = runs.read_pooled(kept.path, index)["mean"][:, :8]
        assert np.abs(again.pooled["mean"] - states).max() < 0.02


def test_saved_weights_belong_to_the_snapshot_before_them(small, toy_dataset, tmp_path):
    stop = Stop(lambda progress: progress.phase == TRAINING and progress.step == 3)
    stopped = stop.fit(tmp_path, toy_dataset)
    assert [s.step for s in stopped.snapshots] == [0, 2]
    assert stopped.training["model_step"] == 4
    assert list(runs.model_folders(stopped)) == [1]
    farther = dataclasses.replace(  # as while it goes on: more snapshots, the weights of then
        stopped, snapshots=(*stopped.snapshots, runs.Snapshot(2, 5, 1.0))
    )
    assert list(runs.model_folders(farther)) == [1]
    finished = fit(tmp_path, toy_dataset)
    assert finished.training["model_step"] == 10
    assert list(runs.model_folders(finished)) == [4]


def test_progress_never_goes_back_and_ends_at_the_total(finished, reported):
    assert [p.phase for p in reported[:2]] == [LOADING, PREPARING]
    assert reported[-1].phase == SAVING
    steps = [p.step for p in reported]
    assert steps == sorted(steps)
    assert (reported[-1].step, reported[-1].done, reported[-1].epoch) == (10, 10, 2.0)
    in_training = [p for p in reported if p.phase == TRAINING]
    assert [p.done for p in in_training] == list(range(1, 11))
    assert {(p.total, p.total_steps) for p in in_training} == {(10, 10)}
    assert all(p.seconds_left >= 0 for p in in_training)
    assert in_training[-1].seconds_left == 0
    in_run = [p for p in reported if p.total_steps]
    assert all(p.seconds_left is not None for p in in_run)  # from the first capture on
    fractions = [p.fraction for p in reported]
    assert fractions == sorted(fractions)
    measured_at_start = [p.fraction for p in in_run if p.phase == MEASURING and p.step == 0]
    assert 0 < measured_at_start[0] < measured_at_start[-1] < 1
    assert fractions[-1] == 1
    assert in_training[-1].loss > 0
    measured = [p for p in reported if p.phase == MEASURING]
    assert (measured[0].done, measured[0].total) == (0, measured[-1].total)  # named at once
    captures = [p for p in reported if p.phase == CAPTURING]
    assert [p.step for p in captures if p.done == p.total == 90] == STEPS


def test_training_really_trains(toy_dataset, tmp_path):
    config = dataclasses.replace(
        CONFIG, epochs=11, batch_size=8, snapshots_per_epoch=1, max_captured=30
    )
    with one_thread():
        run = fit(tmp_path, toy_dataset, config)
    scores = runs.read_history(run.path)["train_macro_f1"].dropna()
    assert scores.iloc[0] < 0.7
    assert scores.iloc[-1] > 0.9


def test_a_finished_run_is_not_computed_again(finished, toy_dataset, monkeypatch):
    monkeypatch.setattr(encoders, "load", lambda *a, **k: pytest.fail("loaded again"))
    again = fit(finished.path.parent, toy_dataset)
    assert again == finished


def test_captures_and_truncation_are_limited_and_counted(small, toy_dataset, tmp_path):
    config = dataclasses.replace(CONFIG, epochs=1, max_captured=10, max_length=8)
    run = fit(tmp_path, toy_dataset, config)
    examples = runs.read_examples(run.path)
    assert examples["split"].value_counts().to_dict() == {"train": 10, "val": 10}
    assert runs.read_hidden_states(run.path, 0, "cls", 1).shape == (10 + 10, 32)
    tokenizer = AutoTokenizer.from_pretrained(run.path / "model")
    for split, told in run.training["n_truncated"].items():
        lengths = [len(tokenizer(text).input_ids) for text in toy_dataset.split(split)["text"]]
        assert told == sum(length > 8 for length in lengths) > 0


# --- what is captured, and when -------------------------------------------------------------


@pytest.mark.parametrize(
    ("n_train", "batch_size", "epochs", "per_epoch", "steps"),
    [
        (72, 16, 2, 1, [0, 5, 10]),
        (72, 16, 2, 2, [0, 2, 5, 8, 10]),
        (64, 16, 1, 4, [0, 1, 2, 3, 4]),
        (65, 16, 1, 1, [0, 5]),
        (10, 32, 3, 5, [0, 1, 2, 3]),  # one step per epoch cannot hold five snapshots
        (33, 32, 1, 20, [0, 1, 2]),
    ],
)
def test_snapshot_steps(n_train, batch_size, epochs, per_epoch, steps):
    config = dataclasses.replace(CONFIG, batch_size=batch_size, snapshots_per_epoch=per_epoch)
    plan, steps_per_epoch = snapshot_steps(n_train, epochs, config)
    assert plan == steps
    assert plan[-1] == steps_per_epoch * epochs


def many_examples(toy_dataset: Dataset, sizes: dict[str, dict[int, int]]) -> Dataset:
    rows = [
        (split, label)
        for split, labels in sizes.items()
        for label, n in labels.items()
        for _ in range(n)
    ]
    order = np.random.default_rng(5).permutation(len(rows))
    examples = pd.DataFrame([rows[i] for i in order], columns=["split", "label"])
    examples = examples.sort_values("split", key=lambda s: s.map(list(sizes).index), kind="stable")
    examples = examples.reset_index(drop=True)
    examples.insert(0, "id", [f"{split}-{n}" for n, split in enumerate(examples["split"])])
    examples["text"] = examples["id"]
    return dataclasses.replace(toy_dataset, examples=examples)


def test_chosen_examples_are_stratified_and_no_more_than_asked_for(toy_dataset):
    sizes = {"train": {0: 600, 1: 300, 2: 100}, "val": {0: 20, 1: 20}, "test": {0: 99, 2: 99}}
    dataset = many_examples(toy_dataset, sizes)
    chosen = choose_examples(dataset, 50, seed=0)
    by_split = {split: part["label"].value_counts() for split, part in chosen.groupby("split")}
    assert by_split["train"].to_dict() == {0: 30, 1: 15, 2: 5}
    assert by_split["val"].to_dict() == {0: 20, 1: 20}
    assert by_split["test"].to_dict() == {0: 25, 2: 25}


def test_chosen_examples_keep_their_order_and_follow_the_seed(toy_dataset):
    dataset = many_examples(toy_dataset, {"train": {0: 300, 1: 300}, "val": {0: 100, 1: 10}})
    chosen = choose_examples(dataset, 40, seed=3)
    place = dataset.examples.reset_index().set_index("id")["index"]
    assert place[chosen["id"]].is_monotonic_increasing
    assert chosen.index.tolist() == list(range(80))
    pd.testing.assert_frame_equal(chosen, choose_examples(dataset, 40, seed=3))
    assert set(chosen["id"]) != set(choose_examples(dataset, 40, seed=4)["id"])
    merged = chosen.merge(dataset.examples, on=["id", "split", "label", "text"])
    assert len(merged) == 80  # rows were not torn apart


def test_corrected_labels_change_nothing_in_which_examples_are_chosen(toy_csv):
    table = data.read_table(toy_csv, "toy.csv")
    columns = data.guess_columns(table.frame)
    before = data.build_dataset(table, columns)
    train = before.split("train")
    wrong = train["id"][train["label"] == 0].tolist()[:12]
    corrections = tuple((example, before.label_names[1]) for example in wrong)
    after = data.build_dataset(table, columns, choices=data.RowChoices(corrections=corrections))
    chosen = [choose_examples(dataset, 10, seed=0) for dataset in (before, after)]
    assert chosen[0]["id"].tolist() == chosen[1]["id"].tolist()
    assert chosen[0]["label"].tolist() != chosen[1]["label"].tolist()


def test_rare_classes_are_kept(toy_dataset):
    dataset = many_examples(toy_dataset, {"train": {0: 5000, 1: 1, 2: 2}, "val": {0: 30, 1: 1}})
    chosen = choose_examples(dataset, 10, seed=0)
    assert set(chosen[chosen["split"] == "train"]["label"]) == {0, 1, 2}
    assert set(chosen[chosen["split"] == "val"]["label"]) == {0, 1}
    assert chosen["split"].value_counts().max() == 10


def test_choosing_leaves_the_global_random_state_alone(toy_dataset):
    np.random.seed(7)
    expected = np.random.random(3).tolist()
    np.random.seed(7)
    choose_examples(toy_dataset, 10, seed=0)
    assert np.random.random(3).tolist() == expected


# --- class weights --------------------------------------------------------------------------


@pytest.mark.parametrize("weighting", ["none", "balanced"])
def test_class_weights_in_the_loss_are_those_of_scikit_learn(
    small, toy_dataset, tmp_path, monkeypatch, weighting
):
    without_dropout(monkeypatch)
    dataset = imbalanced(toy_dataset, {0: 24, 1: 3, 2: 9})
    config = dataclasses.replace(
        CONFIG, epochs=1, batch_size=36, class_weighting=weighting, snapshots_per_epoch=1
    )
    run = fit(tmp_path, dataset, config)  # one step over one batch that holds all train examples
    train = dataset.split("train")["label"].to_numpy()
    assert np.bincount(train).tolist() == [24, 3, 9]
    losses = runs.read_predictions(run.path, 0)["loss"].to_numpy()[: len(train)]
    class_weights = compute_class_weight("balanced", classes=np.arange(3), y=train)
    expected = {"none": losses.mean(), "balanced": np.average(losses, weights=class_weights[train])}
    assert abs(expected["none"] - expected["balanced"]) > 1e-3
    logged = runs.read_history(run.path).set_index("step")["loss"][1]
    assert logged == pytest.approx(expected[weighting], abs=2e-4)


# --- cancelling, crashing, going on ---------------------------------------------------------


@pytest.mark.parametrize(
    ("condition", "n_kept"),
    [
        (lambda p: p.phase == TRAINING and p.step == 3, 2),
        (lambda p: p.phase == TRAINING and p.step == 4, 2),  # stops at the end of an epoch
        (lambda p: p.phase == CAPTURING and p.step == 0, 0),
        (lambda p: p.phase == CAPTURING and p.step == 5, 2),
        (lambda p: p.phase == CAPTURING and p.step == 10, 4),
        (lambda p: p.phase == MEASURING and p.step == 0, 1),
        (lambda p: p.phase == MEASURING and p.step == 10, 5),
    ],
    ids=[
        "mid-epoch",
        "end-of-epoch",
        "first-capture",
        "middle-capture",
        "last-capture",
        "first-measures",
        "last-measures",
    ],
)
def test_a_cancelled_run_goes_on_as_if_nothing_had_been(
    small, small_finished, toy_dataset, tmp_path, condition, n_kept
):
    stop = Stop(condition)
    stopped = stop.fit(tmp_path, toy_dataset)
    assert stopped.status == "cancelled"
    assert stopped.reason == ""
    assert len(stopped.snapshots) >= n_kept
    for snapshot in stopped.snapshots:
        assert len(runs.read_predictions(stopped.path, snapshot.index)) == 90
    AutoModelForSequenceClassification.from_pretrained(stopped.path / "model")
    AutoTokenizer.from_pretrained(stopped.path / "model")

    reports: list[Progress] = []
    queued = runs.create(tmp_path, CONFIG, toy_dataset)
    assert (queued.status, queued.path) == ("queued", stopped.path)
    done = training.fit(queued, toy_dataset, on_progress=reports.append)
    assert done.status == "done"
    assert not (done.path / "resume").exists()
    assert_same_weights(done, small_finished)
    assert_same_snapshots(done, small_finished)
    assert_same_measures(done, small_finished)
    steps = [p.step for p in reports if p.phase == TRAINING]
    assert steps == list(range(stop.seen[-1].step + 1, 11))  # nothing was computed twice
    columns = ["step", "epoch", "learning_rate", "train_macro_f1", "val_macro_f1"]
    pd.testing.assert_frame_equal(
        runs.read_history(done.path)[columns], runs.read_history(small_finished.path)[columns]
    )


def test_a_run_begun_with_random_batches_goes_on_with_them(
    small, small_finished, toy_dataset, tmp_path
):
    by_chance = dataclasses.replace(CONFIG, batching="random")
    undisturbed = fit(tmp_path / "undisturbed", toy_dataset, by_chance)
    with pytest.raises(AssertionError):
        assert_same_weights(undisturbed, small_finished)
    stop = Stop(lambda p: p.phase == TRAINING and p.step == 3)
    stopped = runs.create(tmp_path, by_chance, toy_dataset)
    training.fit(stopped, toy_dataset, on_progress=stop.look, should_stop=lambda: stop.met)
    record = json.loads((stopped.path / "run.json").read_text("utf-8"))
    del record["config"]["batching"]  # as before there was the setting
    (stopped.path / "run.json").write_text(json.dumps(record), "utf-8")
    queued = runs.create(tmp_path, runs.open_folder(stopped.path).config, toy_dataset)
    assert (queued.path, queued.status) == (stopped.path, "queued")
    assert_same_weights(training.fit(queued, toy_dataset), undisturbed)
    # What is started anew takes batches by length, and is another run.
    assert runs.create(tmp_path, CONFIG, toy_dataset).path != stopped.path


def test_a_run_begun_before_formats_goes_on_with_the_poolings_it_has(
    small, small_finished, toy_dataset, tmp_path
):
    stopped = Stop(lambda p: p.phase == CAPTURING and p.step == 5).fit(tmp_path, toy_dataset)
    record = json.loads((stopped.path / "run.json").read_text("utf-8"))
    for name in ("format", "poolings"):
        del record[name]
    for name in ("files", "val_fraction"):
        del record["dataset"][name]
    (stopped.path / "run.json").write_text(json.dumps(record), "utf-8")
    with POOLINGS.extended(dataclasses.replace(MAX, name="more")):
        done = fit(tmp_path, toy_dataset)
    assert (done.status, done.poolings) == ("done", ("mean", "cls", "max"))
    assert_same_snapshots(done, small_finished)
    assert_same_measures(done, small_finished)


def test_cancelling_the_same_snapshot_twice_loses_nothing(
    small, small_finished, toy_dataset, tmp_path
):
    for _ in range(2):  # the second time it is the first thing that is done
        stopped = Stop(lambda p: p.phase == CAPTURING and p.step == 5).fit(tmp_path, toy_dataset)
        assert stopped.status == "cancelled"
        assert [snapshot.step for snapshot in stopped.snapshots] == [0, 2]
        assert (stopped.path / "model").is_dir()
    done = fit(tmp_path, toy_dataset)
    assert_same_weights(done, small_finished)
    assert_same_snapshots(done, small_finished)


# --- measures beside training ---------------------------------------------------------------


@pytest.fixture
def elsewhere(small, monkeypatch) -> Iterator[pytest.MonkeyPatch]:
    """Let training seem to go on where the processor is not needed."""
    with monkeypatch.context() as patch:
        patch.setattr(beside, "trains_elsewhere", lambda _device: True)
        yield patch


def test_only_a_device_of_its_own_trains_while_the_processor_measures():
    assert not beside.trains_elsewhere(torch.device("cpu"))
    assert beside.trains_elsewhere(torch.device("cuda:0"))
    assert beside.trains_elsewhere(torch.device("mps"))


def test_no_step_waits_for_measures_where_training_goes_on_elsewhere(
    elsewhere, small_finished, toy_dataset, tmp_path
):
    trained, order, measure = threading.Event(), [], separability.measure_snapshot

    def slow(run: Run, index: int, **settings: Any) -> None:
        if not trained.wait(60):  # until the last step has been taken
            raise TimeoutError("a step waits for measures")
        order.append((index, settings["pooled"] is not None))
        measure(run, index, **settings)

    def look(progress: Progress) -> None:
        if progress.phase == TRAINING and progress.step == progress.total_steps:
            trained.set()

    elsewhere.setattr(separability, "measure_snapshot", slow)
    done = fit(tmp_path, toy_dataset, on_progress=look)
    assert done.status == "done"
    # In their order; memory holds the states of two, and the others are read.
    assert order == [(0, True), (1, True), (2, False), (3, False), (4, False)]
    assert_same_weights(done, small_finished)
    assert_same_snapshots(done, small_finished)
    assert_same_measures(done, small_finished)
    assert not [one for one in threading.enumerate() if one.name.startswith("layerviz-beside")]
    assert done.training["pace"].get("measure", 1) > 0  # not that of hearing of them


def test_measures_that_a_stop_or_a_death_left_out_are_made_up_when_the_run_goes_on(
    elsewhere, small_finished, toy_dataset, tmp_path
):
    stop = Stop(lambda p: p.phase == TRAINING and p.step == 9)

    def until_stopped(*_: Any, should_stop: Callable[[], bool], **__: Any) -> None:
        while not should_stop():
            time.sleep(0.001)
        raise Cancelled

    elsewhere.setattr(separability, "measure_snapshot", until_stopped)
    stopped = stop.fit(tmp_path, toy_dataset)
    assert stopped.status == "cancelled"
    assert [snapshot.step for snapshot in stopped.snapshots] == STEPS[:-1]
    assert runs.unmeasured_snapshots(stopped) == (0, 1, 2, 3)
    elsewhere.undo()  # it goes on where training and measures take turns
    done = fit(tmp_path, toy_dataset)
    assert done.status == "done"
    assert_same_weights(done, small_finished)
    assert_same_measures(done, small_finished)


def test_what_fails_beside_training_is_told_as_it_is_in_between(elsewhere, toy_dataset, tmp_path):
    config, measure = dataclasses.replace(CONFIG, epochs=1), separability.measure_snapshot

    def failing(run: Run, index: int, **settings: Any) -> None:
        if index == 1:
            raise ValueError("one axis too many")
        measure(run, index, **settings)

    elsewhere.setattr(separability, "measure_snapshot", failing)
    run = fit(tmp_path / "one", toy_dataset, config)
    assert run.status == "done"
    assert runs.measured_snapshots(run) == (0, 2)
    assert run.training[runs.NOT_MEASURED] == {"1": "ValueError: one axis too many"}

    def full(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    elsewhere.setattr(separability, "measure_snapshot", full)
    with pytest.raises(DiskFullError, match=r"continues from what was saved"):
        fit(tmp_path / "other", toy_dataset, config)


def test_a_disk_that_fills_up_costs_no_snapshot_once_there_is_space_again(
    small, small_finished, toy_dataset, tmp_path, monkeypatch
):
    def write_predictions(self, path, **settings):
        if path.parent.name.startswith(".003"):
            raise OSError(errno.ENOSPC, "No space left on device")
        return to_parquet(self, path, **settings)

    to_parquet = pd.DataFrame.to_parquet
    with monkeypatch.context() as patch:
        patch.setattr(pd.DataFrame, "to_parquet", write_predictions)
        with pytest.raises(RunError, match="disk is full"):
            fit(tmp_path, toy_dataset)
    (failed,) = runs.list_runs(tmp_path)
    assert failed.status == "failed"
    assert [snapshot.index for snapshot in failed.snapshots] == [0, 1, 2]
    done = fit(tmp_path, toy_dataset)
    assert_same_weights(done, small_finished)
    assert_same_snapshots(done, small_finished)


def test_stopping_ends_the_run_at_the_next_step(small, toy_dataset, tmp_path):
    stop = Stop(lambda p: p.phase == TRAINING and p.step == 3)
    stop.fit(tmp_path, toy_dataset)
    assert max(p.step for p in stop.seen) <= 4
    assert stop.seen[-1].phase == SAVING


def test_cancelling_while_the_encoder_is_loaded(small, small_finished, toy_dataset, tmp_path):
    stopped = Stop(lambda p: p.phase == LOADING).fit(tmp_path, toy_dataset)
    assert stopped.status == "cancelled"
    assert stopped.snapshots == ()
    assert not (stopped.path / "model").exists()
    done = fit(tmp_path, toy_dataset)
    assert done.status == "done"
    assert_same_weights(done, small_finished)
    assert_same_snapshots(done, small_finished)


@pytest.mark.parametrize("blow", [RuntimeError("a bug"), KeyboardInterrupt()], ids=type)
def test_a_crash_costs_no_more_than_the_epoch_it_happened_in(
    small, small_finished, toy_dataset, tmp_path, blow
):
    steps = []

    def crash(progress: Progress) -> None:
        steps.append(progress.step)
        if progress.phase == TRAINING and progress.step == 9:
            raise blow

    run = runs.create(tmp_path, CONFIG, toy_dataset)
    with pytest.raises((LayervizError, KeyboardInterrupt)):
        training.fit(run, toy_dataset, on_progress=crash)
    assert len(runs.open_folder(run.path).snapshots) == 4
    half_written = run.path / "resume" / "checkpoint-9"  # as a pulled plug leaves it
    half_written.mkdir()
    (half_written / "model.safetensors").write_bytes(b"half")

    again: list[Progress] = []
    done = fit(tmp_path, toy_dataset, on_progress=again.append)
    assert done.status == "done"
    assert_same_weights(done, small_finished)
    assert_same_snapshots(done, small_finished)
    assert min(p.step for p in again if p.phase == TRAINING) == 6


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "disk is full", "Free some space"),
        (MemoryError(), "not enough memory", "Halve the batch size"),
        (torch.OutOfMemoryError("CUDA out of memory"), "not enough memory", "Halve the batch size"),
        (ValueError("twelve is not a colour"), "ValueError: twelve is not a colour", "log"),
        (RunError("A clear sentence.", "A way out."), "A clear sentence.", "A way out."),
    ],
    ids=["disk", "memory", "gpu-memory", "bug", "told"],
)
def test_a_failure_is_recorded_in_one_sentence_with_the_way_out(
    toy_dataset, tmp_path, monkeypatch, error, message, hint
):
    def fail(*args, **settings):
        raise error

    monkeypatch.setattr(encoders, "load", fail)
    run = runs.create(tmp_path, CONFIG, toy_dataset)
    with pytest.raises(LayervizError) as caught:
        training.fit(run, toy_dataset)
    assert message in caught.value.message
    assert hint in caught.value.hint
    assert "\n" not in str(caught.value)
    failed = runs.open_folder(run.path)
    assert failed.status == "failed"
    assert failed.reason == str(caught.value)
    assert failed.recurs is (message == "not enough memory")
    assert runs.create(tmp_path, CONFIG, toy_dataset).status == "queued"  # may be tried again


def test_a_failure_on_a_full_disk_still_reaches_the_user(toy_dataset, tmp_path, monkeypatch):
    run = runs.create(tmp_path, CONFIG, toy_dataset)

    def no_space(*args, **settings):
        raise OSError(errno.ENOSPC, "No space left on device")

    def load(*args, **settings):
        monkeypatch.setattr(Path, "write_text", no_space)
        no_space()

    monkeypatch.setattr(encoders, "load", load)
    with pytest.raises(RunError, match="disk is full"):
        training.fit(run, toy_dataset)


def test_precision_is_taken_as_asked():
    assert training.resolve_precision("fp32") == "fp32"
    assert training.resolve_precision("bf16") == "bf16"
    assert training.resolve_precision("auto") in ("bf16", "fp32")


def test_a_run_that_goes_on_keeps_what_was_noted_of_it(toy_dataset, tmp_path):
    run = runs.create(tmp_path, CONFIG, toy_dataset)
    noted = {"model_step": 2, "pace": {"step": 0.5}, "passed_over": "A checkpoint was damaged."}
    runs.update(run.path, training=noted)
    run = runs.note_not_measured(run.path, 1, "a bug")
    runs.update(run.path, training=run.training | {runs.NOT_CAPTURED: {"2": "a bug"}})
    run = runs.open_folder(run.path)
    info = SimpleNamespace(label="x", family="BERT", layers=1, hidden_size=8, parameters=9)
    encoder = SimpleNamespace(info=info, model=torch.nn.Linear(1, 1))
    arguments = SimpleNamespace(learning_rate=1e-3, bf16=False, device="cpu", world_size=1)
    run = fitting._record_setup(run, encoder, arguments, [0, 2, 4], 2, {})  # type: ignore[arg-type]
    assert run.training.items() >= (noted | {runs.NOT_MEASURED: {"1": "a bug"}}).items()
    assert run.training["snapshot_steps"] == [0, 4]  # what was left out stays out
    assert (run.training["total_steps"], run.training["n_snapshots"]) == (4, 2)
