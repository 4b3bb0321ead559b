"""The checkpoints of anybody's Trainer become a run with a snapshot of each."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pages import read_aloud
from tiny_encoders import change_json
from toy import toy_rows
from transformers import Trainer, TrainingArguments
from visiting import every_tab

import layerviz
from layerviz import data, encoders, hidden_states, runs, training
from layerviz.config import FROM_CHECKPOINTS, RunConfig
from layerviz.data import Columns
from layerviz.encoders import EncoderSize
from layerviz.errors import EncoderError
from layerviz.export.recipe import command
from layerviz.training import from_checkpoints
from layerviz.training.from_checkpoints import SavedModel
from layerviz.training.history import History

NAMES = ["river", "fruit", "tool"]  # of the head; the data have them in order


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of a Trainer, with two checkpoints."""
    folder = tmp_path_factory.mktemp("trained")
    rows = toy_rows(40)
    encoder = encoders.build_scratch(
        "bert", EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=400),
        [text for text, _ in rows], label_names=NAMES, seed=0,
    )  # fmt: skip
    features = [{**encoder.tokenizer(text), "label": NAMES.index(label)} for text, label in rows]
    arguments = TrainingArguments(
        str(folder), num_train_epochs=2, report_to="none", use_cpu=True, save_strategy="epoch",
        logging_steps=1, disable_tqdm=True, per_device_train_batch_size=8,
    )  # fmt: skip
    model: Any = encoder.model
    Trainer(model, arguments, train_dataset=features, processing_class=encoder.tokenizer).train()
    return folder


def table() -> pd.DataFrame:
    return pd.DataFrame(toy_rows(80, 1), columns=["text", "label"])


@pytest.fixture(scope="module")
def run(trained: Path, tmp_path_factory: pytest.TempPathFactory) -> layerviz.OpenedRun:
    root = tmp_path_factory.mktemp("runs")
    return layerviz.probe(table(), checkpoints=trained, runs=root, max_captured=40)


def test_each_checkpoint_is_a_snapshot_with_its_step_and_epoch(run: layerviz.OpenedRun) -> None:
    assert run.status == "done"
    opened = runs.open_folder(run.path)
    assert [(one.step, one.epoch) for one in opened.snapshots] == [(5, 1.0), (10, 2.0)]
    assert tuple(runs.measured_snapshots(opened)) == (0, 1)
    assert opened.training["steps_per_epoch"] == 5
    assert runs.read_history(run.path)["loss"].notna().sum() == 10


def test_predictions_are_those_of_the_checkpoints_own_head(
    run: layerviz.OpenedRun, trained: Path
) -> None:
    assert run.label_names == ("fruit", "river", "tool")
    examples = run.examples()
    newest = encoders.load_trained(trained / "checkpoint-10")
    logits = hidden_states.capture(
        newest.model, newest.tokenizer, examples["text"].tolist(), max_length=128
    ).logits
    expected = np.array([sorted(NAMES).index(NAMES[place]) for place in logits.argmax(axis=1)])
    predicted = runs.read_predictions(run.path, 1)["predicted"].to_numpy()
    np.testing.assert_array_equal(predicted, expected)


def test_the_page_opens_it_with_every_tab_and_says_where_it_begins(
    run: layerviz.OpenedRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(run.path.parent))
    for _, page in every_tab(run.id):
        assert "What was captured begins at epoch 1" in read_aloud(one.value for one in page.info)
        assert "your own training" in page.title[0].value
    assert "What was captured begins at epoch 1" in " ".join(run.answer().text.split())
    assert "probe --checkpoints" in command(runs.open_folder(run.path))
    assert "--epochs" not in command(runs.open_folder(run.path))


def test_what_cannot_be_captured_is_named(trained: Path, tmp_path: Path) -> None:
    def refused(folder: Path, **options: Any) -> str:
        with pytest.raises(EncoderError) as told:
            layerviz.probe(table(), checkpoints=folder, runs=tmp_path / "runs", **options)
        assert not list((tmp_path / "runs").glob("*/run.json"))
        return str(told.value)

    (tmp_path / "empty").mkdir()
    assert "empty" in refused(tmp_path / "empty")
    broken = Path(shutil.copytree(trained, tmp_path / "broken"))
    (broken / "checkpoint-5" / "trainer_state.json").write_text("{")
    assert "trainer_state.json of checkpoint-5" in refused(broken)
    renamed = Path(shutil.copytree(trained, tmp_path / "renamed"))
    for checkpoint in renamed.iterdir():
        names = {str(place): f"LABEL_{place}" for place in range(3)}
        change_json(checkpoint / "config.json", id2label=names, label2id={})
    assert "have no names" in refused(renamed)


def test_a_run_whose_first_load_failed_gets_its_setup_when_it_is_tried_again(
    trained: Path, tmp_path: Path
) -> None:
    table_of_it = data.build_dataset(
        data.read_table(table().to_csv(index=False).encode(), "toy.csv"), Columns("text", "label")
    )
    config = RunConfig(
        str(trained), epochs=0, max_captured=20, keep_head="by-name", trained_by=FROM_CHECKPOINTS
    )
    run = runs.create(tmp_path, training.with_defaults(config), table_of_it)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(encoders, "load", missing)
        with pytest.raises(EncoderError, match="Not today"):
            training.fit(run, table_of_it)
    failed = runs.open_folder(run.path)
    assert (failed.status, failed.training) == ("failed", {})
    runs.update(run.path, training={runs.DIVERGED: False})  # as earlier versions left it
    done = training.fit(runs.open_folder(run.path), table_of_it)
    assert done.status == "done"
    assert done.encoder["layers"] == 2
    assert done.training["steps_per_epoch"] == 5


def missing(*_: Any, **__: Any) -> None:
    raise EncoderError("Not today.", "Come back tomorrow.")


def test_the_losses_of_a_long_training_are_written_at_once(
    run: layerviz.OpenedRun, trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = runs.open_folder(shutil.copytree(run.path, tmp_path / run.id))
    log = tuple({"step": step, "epoch": step / 5, "loss": 1.0} for step in range(1, 101))
    saved = SavedModel(trained / "checkpoint-10", 100, 20.0, 100, log)
    written: list[int] = []
    monkeypatch.setattr(runs, "write_history", lambda _, frame: written.append(len(frame)))
    from_checkpoints._record_setup(opened, encoders.load_trained(saved.path), [saved])
    assert written == [100]


def test_a_curve_that_grows_fast_is_written_now_and_then(
    run: layerviz.OpenedRun, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = runs.open_folder(shutil.copytree(run.path, tmp_path / run.id))
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    curve = History(opened)
    seen = []
    for step in (11, 12, 13):
        curve.record(step, step / 5, loss=1.0)
        curve.write_now_and_then()
        seen.append(int(runs.read_history(opened.path)["step"].max()))
        now[0] += 3
    assert seen == [11, 11, 13]
    curve.record(14, 2.8, loss=1.0)
    curve.write()
    assert runs.read_history(opened.path)["step"].max() == 14


def test_a_trainers_folder_is_read_from_its_newest_checkpoint(trained: Path) -> None:
    info = encoders.expect_on_disk(str(trained))
    assert info.on_disk
    assert "checkpoint-10 below it" in info.note


def test_an_older_layout_of_sentence_transformers_is_read_from_the_folder_below(
    trained: Path, tmp_path: Path
) -> None:
    shutil.copytree(trained / "checkpoint-5", tmp_path / "old" / "0_BERT")
    module = '[{"idx": 0, "name": "0", "path": "0_BERT", "type": "x.models.Transformer"}]'
    (tmp_path / "old" / "modules.json").write_text(module)
    assert encoders.expect_on_disk(str(tmp_path / "old")).layers == 2
    (tmp_path / "old" / "modules.json").write_text(module.replace("0_BERT", "../../trained"))
    with pytest.raises(EncoderError, match=r"has no config\.json"):
        encoders.expect_on_disk(str(tmp_path / "old"))


def test_an_adapter_is_refused_with_the_name_of_its_model(tmp_path: Path) -> None:
    folder = tmp_path / "lora"
    folder.mkdir()
    (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "acme/bert"}')
    with pytest.raises(EncoderError, match="is an adapter of 'acme/bert'") as told:
        encoders.expect_on_disk(str(folder))
    assert "merge_and_unload" in str(told.value)
