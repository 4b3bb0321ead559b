"""One's own Trainer with `LayervizCallback`: a run that opens, and a training that is unchanged."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from tiny_encoders import build
from toy import SUBJECTS, toy_rows
from transformers import Trainer, TrainingArguments, set_seed
from visiting import every_tab

import layerviz
from layerviz import encoders, hidden_states, runs
from layerviz.encoders import EncoderSize

ROOT = Path(__file__).resolve().parents[1]
NAMES = ["river", "fruit", "tool"]  # not in the order of the alphabet


def toy_table(n: int, seed: int = 0) -> pd.DataFrame:
    names = list(SUBJECTS)
    rows = [(text, names.index(label)) for text, label in toy_rows(n, seed)]
    return pd.DataFrame(rows, columns=["text", "label"])


def readme_script() -> str:
    """Return the lines of Python in README that train with a callback."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=\S)", readme)
    (block,) = (part for part in blocks if "layerviz.LayervizCallback(" in part and "    " in part)
    return dedent("\n".join(block.splitlines()[1:]))


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The runs folder in which README's script has made its run."""
    home = tmp_path_factory.mktemp("script")
    toy_table(48).to_csv(home / "train.csv", index=False)
    toy_table(40, 1).to_csv(home / "val.csv", index=False)
    encoder = build()
    body: Any = encoder.model.base_model
    body.save_pretrained(home / "my-encoder")  # without a head
    encoder.tokenizer.save_pretrained(home / "my-encoder")
    done = subprocess.run(
        [sys.executable, "-c", readme_script()],
        cwd=home,
        env={**os.environ, "PYTHONPATH": str(ROOT), runs.RUNS_VARIABLE: str(home / "runs")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Best layer" in done.stdout, done.stderr
    return home / "runs"


def test_readmes_script_is_short() -> None:
    lines = [line for line in readme_script().splitlines() if line.strip()]
    assert len(lines) <= 15


def test_readmes_script_makes_a_run_that_the_page_opens(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = root.glob("*/run.json")
    run = layerviz.open_run(record.parent.name, runs=root)
    assert run.status == "done"
    assert run.epochs == [0, 1, 2]
    assert run.label_names == ("LABEL_0", "LABEL_1", "LABEL_2")
    # A Trainer logs no loss in so few steps, unless it is asked to.
    assert runs.read_history(run.path)["val_macro_f1"].notna().tolist() == [True] * 3
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(root))
    for _, page in every_tab(run.id):
        assert "not trained" not in page.title[0].value


def train(folder: Path, callbacks: list[Any]) -> tuple[Any, ...]:
    """Return a tiny classifier's weights, random numbers, modes and losses after training."""
    size = EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=400)
    frame = toy_table(40)
    encoder = encoders.build_scratch(
        "bert", size, frame["text"].tolist(), label_names=NAMES, seed=3
    )
    model: Any = encoder.model
    tokenizer = encoder.tokenizer
    set_seed(5)
    random.seed(5)
    rows = [
        {**tokenizer(text), "label": label}
        for text, label in zip(frame["text"], frame["label"], strict=True)
    ]
    arguments = TrainingArguments(
        str(folder), num_train_epochs=2, report_to="none", use_cpu=True, seed=5,
        per_device_train_batch_size=8, logging_steps=1, save_strategy="no", disable_tqdm=True,
    )  # fmt: skip
    trainer = Trainer(
        model, arguments, train_dataset=rows, processing_class=tokenizer, callbacks=callbacks
    )
    trainer.train()
    drawn = (random.random(), np.random.random(), float(torch.rand(1)))
    modes = [part.training for part in model.modules()]
    weights = {name: value.clone() for name, value in model.state_dict().items()}
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    return weights, drawn, modes, losses


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, ...]:
    return train(tmp_path_factory.mktemp("plain"), [])


def expect_same(one: tuple[Any, ...], other: tuple[Any, ...]) -> None:
    assert one[1:] == other[1:]
    assert one[0].keys() == other[0].keys()
    assert all(torch.equal(value, other[0][name]) for name, value in one[0].items())


def named(n: int, seed: int = 0) -> pd.DataFrame:
    frame = toy_table(n, seed)
    return frame.assign(label=[NAMES[label] for label in frame["label"]])


def test_weights_random_numbers_and_modes_are_those_without_it(
    plain: tuple[Any, ...], tmp_path: Path
) -> None:
    look = layerviz.LayervizCallback(named(30), named(30, 1), runs=tmp_path, every_steps=4)
    expect_same(train(tmp_path / "trained", [look]), plain)
    run = look.run
    assert run.status == "done"
    assert run.label_names == ("fruit", "river", "tool")
    steps = [snapshot.step for snapshot in runs.open_folder(run.path).snapshots]
    assert steps == [0, 4, 8, 10]
    assert runs.read_history(run.path)["loss"].dropna().tolist() == plain[3]
    # The model that was stored has its classes in the order of the run's.
    stored = encoders.load_trained(runs.Layout(run.path).model)
    assert tuple((stored.model.config.id2label or {}).values()) == run.label_names
    examples = run.examples()
    captured = hidden_states.capture(
        stored.model, stored.tokenizer, examples["text"].tolist(), max_length=128
    )
    newest = runs.read_predictions(run.path, 3)["predicted"].to_numpy()
    np.testing.assert_array_equal(captured.logits.argmax(axis=1), newest)


def test_the_same_training_once_more_is_a_run_of_its_own(tmp_path: Path) -> None:
    look = layerviz.LayervizCallback(named(30), named(30, 1), runs=tmp_path)
    ids = []
    for _ in range(2):
        train(tmp_path / "trained", [look])
        assert look.run is not None
        ids.append(look.run.id)
    made = {one.run_id: len(one.snapshots) for one in runs.list_runs(tmp_path)}
    assert made == dict.fromkeys(ids, 3)
    assert len(made) == 2


def test_a_part_that_is_held_in_evaluation_mode_stays_so(tmp_path: Path) -> None:
    """The Trainer itself sets modes at each step; between two, everything is as it was."""
    encoder = build()
    model: Any = encoder.model
    model.train()
    model.base_model.encoder.layer[0].eval()
    before = [part.training for part in model.modules()]
    hidden_states.capture(model, encoder.tokenizer, ["a cat", "a dog"], max_length=16)
    assert [part.training for part in model.modules()] == before


def test_what_fails_is_said_and_training_goes_on(
    plain: tuple[Any, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    real, calls = hidden_states.capture, []

    def fails_at_the_second(*args: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) == 2:
            torch.rand(3)
            raise ValueError("the second one failed")
        return real(*args, **options)

    monkeypatch.setattr(hidden_states, "capture", fails_at_the_second)
    look = layerviz.LayervizCallback(named(30), named(30, 1), runs=tmp_path, every_steps=4)
    expect_same(train(tmp_path / "trained", [look]), plain)
    assert "ValueError: the second one failed. Training goes on" in capfd.readouterr().err
    assert [one.step for one in runs.open_folder(look.run.path).snapshots] == [0, 8, 10]


def test_a_look_that_fails_before_it_begins_leaves_a_run_that_failed(
    plain: tuple[Any, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any) -> None:
        raise ValueError("no tokens today")

    monkeypatch.setattr("layerviz.training.own_trainer.tokenise", fails)
    look = layerviz.LayervizCallback(named(30), named(30, 1), runs=tmp_path / "runs")
    expect_same(train(tmp_path / "trained", [look]), plain)
    (run,) = runs.list_runs(tmp_path / "runs")
    assert (run.status, run.reason) == ("failed", "ValueError: no tokens today.")
    with runs.computing(run.path):  # nobody holds it any longer
        pass


@pytest.mark.parametrize(
    ("frame", "sentence"),
    [
        (toy_table(30).assign(label=["x", "y", "z"] * 10), "are not those of the data"),
        (toy_table(30).assign(label=[0, 1] * 15), "tells 3 classes apart"),
    ],
)
def test_labels_that_are_not_the_models_are_named(
    plain: tuple[Any, ...],
    frame: pd.DataFrame,
    sentence: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    look = layerviz.LayervizCallback(frame[:20], frame[20:], runs=tmp_path / "runs")
    expect_same(train(tmp_path / "trained", [look]), plain)
    assert sentence in capfd.readouterr().err
    assert not list((tmp_path / "runs").glob("*/run.json"))
    with pytest.raises(layerviz.LayervizError, match="Nothing has been captured"):
        look.run  # noqa: B018


def test_bad_data_are_refused_before_any_training(tmp_path: Path) -> None:
    with pytest.raises(layerviz.LayervizError, match="column"):
        layerviz.LayervizCallback(toy_table(30), toy_table(30, 1), label_column="mood")
    with pytest.raises(layerviz.LayervizError, match="decides on encoder"):
        layerviz.LayervizCallback(toy_table(30), toy_table(30, 1), encoder="bert-mini")
    with pytest.raises(layerviz.LayervizError, match="decides on checkpoints"):
        layerviz.LayervizCallback(toy_table(30), toy_table(30, 1), checkpoints="out")
    maps: list[Any] = [{}] * 30
    unstorable = toy_table(30).assign(meta=maps)
    with pytest.raises(layerviz.LayervizError, match="The table for train cannot be stored"):
        layerviz.LayervizCallback(unstorable, toy_table(30, 1))
    with pytest.raises(layerviz.LayervizError, match="train is"):
        layerviz.LayervizCallback([("a text", 0)], toy_table(30, 1))  # type: ignore[arg-type]
