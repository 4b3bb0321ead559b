"""Suspicious labels: decided on, written into the file, trained on again, and compared."""

from __future__ import annotations

import dataclasses
import json
import shlex
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pages import caption_text, error_text, markdown_text, open_page, run_until
from toy import as_csv, toy_rows

from layerviz import comparison, data, relabelling, runs, separability, training
from layerviz.commands import main, parser, read_dataset
from layerviz.comparison import RelabelVerdict, ScoredRows, relabel_sentences
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.errors import DataError, RunError
from layerviz.export import recipe
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_run
from layerviz.runs import LabelDecision, Run, Snapshot
from layerviz.separability import Difference

N_TRAIN, N_VAL, FLIPPED = 330, 240, 50  # 15 % of train
TRUE = [label for _, label in toy_rows(N_TRAIN + N_VAL)]
NAMES = sorted(set(TRUE))


def flipped_rows() -> tuple[list[tuple[str, str, str]], dict[str, str]]:
    """Return rows of which some of train have a wrong label, and the true ones of these by id."""
    rng = np.random.default_rng(0)
    rows: list[tuple[str, str, str]] = []
    truth = {}
    wrong = set(rng.choice(N_TRAIN, FLIPPED, replace=False).tolist())
    for i, (text, label) in enumerate(toy_rows(N_TRAIN + N_VAL)):
        split = "train" if i < N_TRAIN else "val"
        if i in wrong:
            truth[f"train-{i + 1}"] = label
            label = NAMES[(NAMES.index(label) + 1) % 3]
        rows.append((text, label, split))
    return rows, truth


def learn(run: Run, dataset: Dataset, **_: Any) -> Run:
    """Stand in for training: a nearest neighbour among made-up states, which learns every label."""
    examples = dataset.examples
    at = examples["id"].str.extract(r"-(\d+)$")[0].astype(int).to_numpy() - 1
    at = np.minimum(at, len(TRUE) - 1)
    truth = np.array([NAMES.index(TRUE[row]) for row in at])
    states = np.random.default_rng(0).normal(size=(N_TRAIN + N_VAL, 6))[at]
    states[np.arange(len(truth)), truth] += 4
    train = (examples["split"] == "train").to_numpy()
    labels = examples["label"].to_numpy()
    distance = ((states[:, None] - states[train][None]) ** 2).sum(axis=2)
    predicted = labels[train][distance.argmin(axis=1)]
    runs.write_examples(run.path, examples)
    pooled = {name: np.stack([states] * 3).astype(np.float16) for name in run.poolings}
    # Wrong labels are learned late: until the end, they have a high loss.
    loss = np.where(labels == truth, 0.1, 3.0)
    predictions = pd.DataFrame(
        {"id": examples["id"], "predicted": predicted, "confidence": 0.9, "loss": loss}
    )
    for index in (0, 1):
        snapshot = Snapshot(index, 10 * index, float(index))
        runs.write_snapshot(run.path, snapshot, pooled, predictions)
    return runs.update(
        run.path,
        status="done",
        encoder={"label": "toy", "family": "BERT", "layers": 2, "hidden_size": 6, "parameters": 9},
        training={"total_steps": 10, "steps_per_epoch": 10, "n_snapshots": 2, "model_step": 10},
    )


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(tmp_path))
    monkeypatch.setattr(training, "fit", learn)
    monkeypatch.setattr(separability, "measure_snapshot", lambda *_, **__: None)
    return tmp_path


CONTENT = as_csv(flipped_rows()[0], "text,label,split")


def base_run(root: Path, content: bytes = CONTENT, name: str = "toys.csv") -> Run:
    table = data.read_table(content, name)
    dataset = data.build_dataset(table, data.guess_columns(table.frame))
    runs.keep_table(root, content, name)
    config = training.with_defaults(RunConfig("scratch-bert", epochs=1))
    return learn(runs.create(root, config, dataset), dataset)


def decided(run: Run, **labels: str) -> dict[str, LabelDecision]:
    made = [LabelDecision(id.replace("_", "-"), "edited", label) for id, label in labels.items()]
    runs.decide_on_labels(run.path, made)
    return runs.read_label_decisions(run.path)


# --- the proof, planted -------------------------------------------------------------------------


def test_wrong_labels_are_found_corrected_trained_on_and_shown_to_have_cost(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, truth = flipped_rows()
    run = base_run(root)
    corrected, listed = root / "corrected.csv", root / "list.csv"
    command = ["labels", run.run_id, f"--runs={root}", "--accept-flagged"]
    assert main([*command, "--corrected", str(corrected), "--csv", str(listed)]) == 0
    decisions = runs.read_label_decisions(run.path)
    right = [id for id, one in decisions.items() if truth.get(id) == one.label]
    assert len(right) >= 0.9 * FLIPPED
    assert len(right) >= 0.9 * len(decisions)
    # Line by line, the file is the old one but for these labels.
    lines = zip(CONTENT.splitlines(), corrected.read_bytes().splitlines(), strict=True)
    changed = {row for row, (old, new) in enumerate(lines) if old != new}
    assert changed == {int(id.rsplit("-", 1)[1]) for id in decisions}
    assert "accepted" in capsys.readouterr().err

    assert main([*command, "--train"]) == 0
    told = capsys.readouterr().out
    assert "worth keeping" in told
    [relabelled] = relabelling.relabelled_runs(run, runs.list_runs(root))
    verdict = comparison.compare_relabelled(run, relabelled)
    assert verdict.better
    assert verdict.untouched.difference.low > 0.05
    assert verdict.untouched.n == N_VAL - verdict.corrected["val"]
    before, after = (runs.read_examples(one.path) for one in (run, relabelled))
    assert before[["id", "split", "text"]].equals(after[["id", "split", "text"]])
    assert relabelled.config == run.config
    assert main(["compare", relabelled.run_id, run.run_id, f"--runs={root}"]) == 0
    assert capsys.readouterr().out.strip() == " ".join(relabel_sentences(verdict))

    # What is told about making the run again makes the same data.
    words = shlex.split(recipe.command(relabelled))
    assert words[words.index("--corrections") + 1] == f"{relabelled.run_id}/run.json"
    for file in (relabelled.layout.record, listed):
        options = ["--data", str(root / "toys.csv"), "--corrections", str(file)]
        (root / "toys.csv").write_bytes(CONTENT)
        again = read_dataset(parser().parse_args(["fit", *options]))
        assert again.fingerprint == relabelled.dataset["fingerprint"]

    # The list that was written holds the decisions; another run takes them from it.
    runs.take_back_decisions(run.path, decisions)
    assert main(["labels", run.run_id, f"--runs={root}", "--decisions", str(listed)]) == 0
    assert runs.read_label_decisions(run.path) == decisions


def test_val_rows_whose_labels_were_corrected_count_for_neither_run(root: Path) -> None:
    run = base_run(root)
    sources = relabelling.sources_of(run)
    wrong = {f"train-{N_TRAIN + i}": NAMES[0] for i in range(1, 31)}  # of val
    corrections = wrong | {"train-1": NAMES[1]}
    dataset = relabelling.relabelled_dataset(run, sources, corrections)
    other = learn(runs.create(root, run.config, dataset), dataset)
    # It agrees with every corrected val label, and is as before elsewhere.
    predictions = runs.read_predictions(run.path, 1)
    flattering = predictions["id"].map(dict.fromkeys(wrong, 0)).fillna(predictions["predicted"])
    file = other.layout.predictions(1)
    predictions.assign(predicted=flattering.astype("int64")).to_parquet(file, index=False)
    verdict = comparison.compare_relabelled(run, other)
    assert (verdict.untouched.n, verdict.whole.n) == (N_VAL - 30, N_VAL)
    assert verdict.untouched.difference.value == 0
    assert verdict.whole.difference.value < 0  # by the labels of the file, which were right
    assert verdict.corrected == {"train": 1, "val": 30}
    assert not verdict.better


def test_leaving_out_what_a_model_doubts_is_no_gain(root: Path) -> None:
    """With labels that mean nothing, a model that learned from suggestions seems to gain."""
    run = base_run(root)
    examples = runs.read_examples(run.path)
    rng = np.random.default_rng(0)
    suggested = rng.integers(3, size=len(examples))
    noise = examples.assign(label=rng.integers(3, size=len(examples)))
    runs.write_examples(run.path, noise)
    doubted = (noise["label"].to_numpy() != suggested) & (rng.random(len(noise)) < 0.5)
    names = [NAMES[code] for code in suggested[doubted]]
    corrections = dict(zip(noise["id"][doubted].tolist(), names, strict=True))
    dataset = relabelling.sources_of(run).dataset(corrections)
    other = learn(runs.create(root, run.config, dataset), dataset)
    predictions = runs.read_predictions(run.path, 1)
    for of_run, predicted in ((run, rng.integers(3, size=len(noise))), (other, suggested)):
        file = of_run.layout.predictions(1)
        predictions.assign(predicted=predicted).to_parquet(file, index=False)
    verdict = comparison.compare_relabelled(run, other)
    assert verdict.untouched.difference.low > 0
    assert not verdict.better
    assert "val cannot tell" in relabel_sentences(verdict)[0]
    assert "On all 240 val rows, by the labels of the file" in relabel_sentences(verdict)[1]


GAIN, LOSS = Difference(0.04, 0.01, 0.07), Difference(-0.04, -0.07, -0.01)
NEITHER = Difference(0.01, -0.02, 0.04)


@pytest.mark.parametrize(
    ("difference", "on_all", "few", "said"),
    [
        (GAIN, GAIN, False, "0.740 (+0.010 to +0.070, 95 %): worth keeping."),
        (LOSS, LOSS, False, "the model does worse"),
        (NEITHER, GAIN, False, "Whether it helps, val cannot tell; about 900 such"),
        (GAIN, NEITHER, False, "Whether it helps, val cannot tell"),
        (LOSS, NEITHER, False, "Whether it helps, val cannot tell"),
        (GAIN, GAIN, True, "too few"),
    ],
)
def test_the_verdict_says_how_many_labels_rows_and_what_follows(
    difference: Difference, on_all: Difference, few: bool, said: str
) -> None:
    untouched = ScoredRows(480, 0.7, 0.74, difference, few)
    whole = ScoredRows(483, 0.7, 0.74, on_all, few)
    verdict = RelabelVerdict(untouched, whole, {"train": 20, "val": 3}, 900)
    sentences = " ".join(relabel_sentences(verdict))
    assert said in sentences
    assert "23 labels corrected (20 of train and 3 of val)" in sentences
    assert "480 untouched val rows" in sentences
    assert "On all 483 val rows" in sentences


# --- decisions ----------------------------------------------------------------------------------


def test_decisions_survive_are_taken_back_and_go_into_zips(root: Path, tmp_path: Path) -> None:
    run = base_run(root)
    runs.decide_on_labels(run.path, [LabelDecision("train-1", "accepted", "tool")])
    runs.decide_on_labels(run.path, [LabelDecision("train-2", "skipped")])
    runs.decide_on_labels(run.path, [LabelDecision("train-1", "edited", "river")])
    decisions = runs.read_label_decisions(run.path)
    assert list(decisions) == ["train-2", "train-1"]  # the newest is the last
    assert decisions["train-1"].label == "river"
    zip_run(run, tmp_path / "run.zip")
    elsewhere = unzip_run(tmp_path / "run.zip", tmp_path / "elsewhere")
    assert runs.read_label_decisions(elsewhere.path) == decisions
    runs.take_back_decisions(run.path, ["train-1"])
    assert list(runs.read_label_decisions(run.path)) == ["train-2"]
    assert relabelling.corrections_of(run, runs.read_label_decisions(run.path)) == {}


@pytest.mark.parametrize(
    "text", ["", "[]", '{"decisions": [{"id": 1, "decision": "accepted", "label": "x"}]}',
             '{"decisions": [{"id": "a", "decision": "maybe"}]}',
             '{"decisions": [{"id": "a", "decision": "skipped", "label": "x"}]}']
)  # fmt: skip
def test_a_damaged_file_of_decisions_is_told_and_not_overwritten(root: Path, text: str) -> None:
    run = base_run(root)
    run.layout.label_decisions.write_text(text, encoding="utf-8")
    with pytest.raises(RunError, match="decisions about labels, cannot be read"):
        runs.decide_on_labels(run.path, [LabelDecision("train-1", "skipped")])
    assert run.layout.label_decisions.read_text(encoding="utf-8") == text


def test_a_zip_with_decisions_about_nothing_is_refused(root: Path, tmp_path: Path) -> None:
    run = base_run(root)
    decided(run, train_1="no such label")
    zip_run(run, tmp_path / "run.zip")
    with pytest.raises(RunError, match="decides about labels"):
        unzip_run(tmp_path / "run.zip", tmp_path / "elsewhere")


EXAMPLE = pd.DataFrame({"id": ["train-1"], "split": ["train"], "text": ["a text"], "label": [1]})


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("id,decision\ntrain-1,maybe\n", "row 1: the decision 'maybe'"),
        ("id,decision\ntrain-9999,accept\n", "'train-9999' is none of the ranked labels"),
        ("id,decision,new_label\ntrain-1,edit,appel\n", "'appel' is none of the labels"),
        ("id,decision,new_label\ntrain-1,edit,\n", "no new one"),
        ("decision,new_label\nedit,tool\n", "'id'"),
        ("id,decision,label\ntrain-1,skip,other\n", "row 1: the label is 'other'"),
        ("id,decision,suggested\ntrain-1,accept,other\n", "row 1: the suggested label is 'other'"),
        ("id,decision,text\ntrain-1,skip,other words\n", "row 1: the text is 'other words'"),
    ],
)
def test_decisions_that_are_not_understood_are_refused_with_their_row(
    root: Path, table: str, said: str
) -> None:
    run = base_run(root)
    runs.write_examples(run.path, EXAMPLE)
    ranked = pd.DataFrame({"id": ["train-1"], "label": [1], "suggested": [0]})
    with pytest.raises(DataError, match=said):
        relabelling.decisions_in(data.read_table(table.encode(), "d.csv"), run, ranked)


def test_a_new_label_that_is_the_old_one_corrects_nothing(root: Path) -> None:
    run = base_run(root)
    ranked = pd.DataFrame({"id": ["train-1"], "label": [1], "suggested": [0]})
    own = run.label_names[1]
    table = data.read_table(f"id,label,new_label\ntrain-1,{own},{own}\n".encode(), "d.csv")
    assert relabelling.decisions_in(table, run, ranked) == [LabelDecision("train-1", "skipped")]


# --- files --------------------------------------------------------------------------------------


def corrected(run: Run, corrections: dict[str, str]) -> list[data.CorrectedFile]:
    sources, examples = relabelling.sources_of(run), runs.read_examples(run.path)
    return relabelling.corrected_files(sources, examples, run.label_names, corrections)


def test_a_file_that_is_not_kept_any_more_is_told(root: Path) -> None:
    run = base_run(root)
    for file in (root / ".data").rglob("table"):
        file.unlink()
    with pytest.raises(RunError, match=r"toys.csv, from which this run was made, is not kept"):
        relabelling.sources_of(run)


def test_rows_that_an_earlier_version_numbered_otherwise_are_found_by_text_and_label(
    root: Path,
) -> None:
    run = base_run(root)
    examples = runs.read_examples(run.path)
    shifted = examples.assign(id=[f"train-{i + 100}" for i in range(len(examples))])
    runs.write_examples(run.path, shifted)
    example = shifted["id"].iloc[5]
    [file] = corrected(run, {example: "tool"})
    lines = CONTENT.splitlines()
    [line] = set(file.content.splitlines()) - set(lines)
    assert line.startswith(b'"' + examples["text"].iloc[5].encode())
    twice = b"\n".join([*lines, lines[6]])
    run = base_run(root / "twice", twice)
    runs.write_examples(run.path, shifted)
    with pytest.raises(DataError, match="is found in 2 rows of the files"):
        corrected(run, {example: "tool"})


def test_several_files_come_as_one_archive(root: Path) -> None:
    rows = [(text, label) for text, label, _ in flipped_rows()[0]]
    parts = {"train": as_csv(rows[:N_TRAIN]), "val": as_csv(rows[N_TRAIN:])}
    tables = {role: data.read_table(content, f"{role}.csv") for role, content in parts.items()}
    for role, content in parts.items():
        runs.keep_table(root, content, f"{role}.csv")
    columns = data.guess_columns(tables["train"].frame)
    dataset = data.build_dataset(tables["train"], columns, val=tables["val"])
    run = runs.create(root, RunConfig("scratch-bert", epochs=1), dataset)
    runs.write_examples(run.path, dataset.examples)
    files = corrected(run, {"train-1": "tool", "val-2": "fruit"})
    assert [file.name for file in files] == ["train-corrected.csv", "val-corrected.csv"]
    for file, content in zip(files, parts.values(), strict=True):
        pairs = zip(content.splitlines(), file.content.splitlines(), strict=True)
        assert sum(old != new for old, new in pairs) == 1
    assert relabelling.archive_of(files)[:2] == b"PK"
    assert len(corrected(run, {"val-2": "fruit"})) == 1


# --- on the page --------------------------------------------------------------------------------


def test_on_the_page_labels_are_decided_on_the_file_is_made_and_the_run_compared(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = base_run(root)
    decided(run, **{f"train_{N_TRAIN + 1}": "tool"})  # of val
    app = open_page(
        run=run.run_id, state={"tabs": "Examples", "examples_view": "Suspicious labels"}
    )
    run_until(app, lambda: any(button.key == "label_accept" for button in app.button))
    assert "there is nothing to compare" in markdown_text(app)
    assert not any(button.key == "train_relabelled" for button in app.button)
    assert main(["labels", run.run_id, f"--runs={root}", "--train"]) == 2
    assert "there is nothing to compare" in capsys.readouterr().err
    runs.take_back_decisions(run.path, runs.read_label_decisions(run.path))
    app.run()
    assert "Label 1 of 570" in markdown_text(app)
    for key in ("label_accept", "label_skip", "label_other-1", "label_accept"):
        app.button(key=key).click().run()
        assert not app.exception
    decisions = list(runs.read_label_decisions(run.path).values())
    assert [one.decision for one in decisions] == ["accepted", "skipped", "edited", "accepted"]
    assert "Label 5 of 570" in markdown_text(app)
    assert "4 decided: 2 accepted, 1 another label, 1 label kept" in markdown_text(app)
    app.button(key="label_undo").click().run()
    assert "Label 4 of 570" in markdown_text(app)
    assert len(runs.read_label_decisions(run.path)) == 3
    app.button(key="label_previous").click().run()
    assert f"decided: now **{decisions[2].label}**" in markdown_text(app)
    app.button(key="label_next").click().run()
    table = next(table.value for table in app.dataframe if "decision" in table.value)
    assert table["decision"].iloc[1] == "kept"

    app.button(key="correct_file").click().run()
    assert not app.exception
    assert "toys-corrected.csv differs from your file in these labels alone" in caption_text(app)
    app.button(key="train_relabelled").click().run()
    assert not error_text(app)
    run_until(app, lambda: "2 labels corrected" in markdown_text(app))
    assert "untouched val rows went from" in markdown_text(app)
    [relabelled] = relabelling.relabelled_runs(run, runs.list_runs(root))
    assert relabelled.status == "done"

    # Opened, its data come back with the labels, and what is decided there adds to them.
    app = open_page(run=relabelled.run_id)
    [toggle] = [one for one in app.toggle if one.label == "Use 2 corrected labels"]
    assert "Not the data of the open run" not in caption_text(app)
    toggle.set_value(False).run()
    assert "Not the data of the open run" in caption_text(app)
    app.toggle(key=str(toggle.key)).set_value(True).run()
    app.query_params["run"] = run.run_id
    app.run()
    assert "Not the data of the open run" not in caption_text(app)
    assert not any("corrected label" in one.label for one in app.toggle)
    later = decided(relabelled, train_5="tool")
    assert len(relabelling.corrections_of(relabelled, later)) == 3


def test_what_differs_in_more_than_labels_is_no_run_with_corrected_labels(root: Path) -> None:
    run = base_run(root)
    sources = relabelling.sources_of(run)
    dataset = relabelling.relabelled_dataset(run, sources, {"train-1": "tool"})
    other = runs.create(root, run.config, dataset)
    assert relabelling.is_relabelled(run, other)
    assert not relabelling.is_relabelled(other, run)
    same = {"train-1": runs.read_examples(run.path)["label"].map(dict(enumerate(NAMES)))[0]}
    with pytest.raises(RunError, match="there is nothing to compare"):
        relabelling.relabelled_dataset(run, sources, same)
    assert not relabelling.is_relabelled(run, run)
    seed = dataclasses.replace(other, config=dataclasses.replace(run.config, seed=1))
    assert not relabelling.is_relabelled(run, seed)
    assert json.loads(other.layout.record.read_text())["dataset"]["row_choices"] == {
        "corrections": {"train-1": "tool"}
    }
