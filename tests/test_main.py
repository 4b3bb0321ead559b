"""The command line: a CSV in, a run folder out, and one sentence with the fix for bad input."""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_runs import dataset_of, made
from safetensors import safe_open
from toy import as_csv, toy_rows
from waiting import wait_until

from layerviz import encoders, interrupts, runs, separability
from layerviz.__main__ import main
from layerviz.commands import COMMANDS, Command, parser
from layerviz.errors import ConfigError, EncoderError

ROOT = Path(__file__).resolve().parents[1]
SMALL = ("--epochs=1", "--max-length=16", "--max-captured=40")


@dataclass(frozen=True)
class Answer:
    """What one command left behind."""

    status: int
    out: str
    err: str
    runs: Path

    @property
    def folder(self) -> Path:
        return Path(self.out.splitlines()[-1])

    @property
    def run(self) -> dict[str, Any]:
        return json.loads((self.folder / "run.json").read_text(encoding="utf-8"))

    @property
    def counts(self) -> dict[str, int]:
        """Examples per split."""
        return {split: sum(n.values()) for split, n in self.run["dataset"]["counts"].items()}


Fit = Callable[..., Answer]


@pytest.fixture(autouse=True)
def _interrupts() -> Iterator[None]:
    """A fit takes over Ctrl-C; pytest wants it back."""
    before = {number: signal.getsignal(number) for number in interrupts.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def fit(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Fit:
    """Run ``fit`` in this process on bytes, which become files; later options win.

    Its encoder is smaller than that of the package: what is read and told is the matter.
    """

    size = encoders.EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=8192)
    monkeypatch.setitem(encoders.SCRATCH_SIZES, "distilbert", size)

    def run(content: bytes | None, *options: str, **files: bytes) -> Answer:
        arguments = ["fit", "--encoder=scratch-distilbert", f"--runs={tmp_path / 'runs'}", *SMALL]
        for role, data in {"data": content, **files}.items():
            path = tmp_path / f"{role}.csv"
            if data is not None:
                path.write_bytes(data)
            arguments.append(f"--{role}={path}")
        status = main([*arguments, *options])
        printed = capsys.readouterr()
        return Answer(status, printed.out, printed.err, tmp_path / "runs")

    return run


def check_done(answer: Answer) -> None:
    assert (answer.status, answer.run["status"]) == (0, "done"), answer.err
    assert answer.folder.parent == answer.runs


def texts_of(answer: Answer, split: str) -> list[str]:
    examples = pd.read_parquet(answer.folder / "examples.parquet")
    return examples["text"][examples["split"] == split].tolist()


# --- what comes out -------------------------------------------------------------------------


def test_fit_leaves_a_run_folder_and_finds_it_again(fit: Fit, toy_csv: bytes) -> None:
    answer = fit(toy_csv, "--seed=7", "--learning-rate=0.001", "--snapshots-per-epoch=2")
    check_done(answer)
    assert answer.out == f"{answer.folder}\n"  # nothing else on stdout
    assert "comma-separated" in answer.err
    assert "'text'" in answer.err
    assert "'label'" in answer.err
    folder, run = answer.folder, answer.run
    assert run["label_names"] == ["fruit", "river", "tool"]
    assert answer.counts == {"train": 72, "val": 18}
    asked = {"epochs": 1, "max_length": 16, "seed": 7, "learning_rate": 0.001, "max_captured": 40}
    assert asked.items() <= run["config"].items()
    assert [snapshot["epoch"] for snapshot in run["snapshots"]] == [0, pytest.approx(2 / 3), 1]
    examples = pd.read_parquet(folder / "examples.parquet")
    assert dict(examples["split"].value_counts()) == {"train": 40, "val": 18}
    for name in ("000", "001", "002"):
        with safe_open(folder / "snapshots" / name / "hidden_states.safetensors", "np") as states:
            assert set(states.keys()) == {"mean", "cls", "max"}
            assert states.get_slice("mean").get_shape() == [3, 58, 32]
            assert states.get_slice("mean").get_dtype() == "F16"
        predictions = pd.read_parquet(folder / "snapshots" / name / "predictions.parquet")
        assert list(predictions["id"]) == list(examples["id"])
    history = pd.read_csv(folder / "history.csv")
    assert history["val_macro_f1"].notna().sum() == 3
    assert {"config.json", "model.safetensors"} <= {p.name for p in (folder / "model").iterdir()}
    assert not (folder / "resume").exists()

    written = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    again = fit(toy_csv, "--seed=7", "--learning-rate=0.001", "--snapshots-per-epoch=2")
    assert (again.status, again.out) == (0, answer.out)
    assert "already" in again.err
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == written


def test_fit_and_report_say_which_layer_generalises(
    fit: Fit, toy_csv: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = fit(toy_csv)
    check_done(answer)
    sentences = separability.answer_sentences(
        separability.answer_of(runs.open_folder(answer.folder))
    )
    assert " ".join(sentences) in answer.err
    assert main(["report", str(answer.folder)]) == 0
    printed = capsys.readouterr()
    assert sentences[0].split(":")[0] in " ".join(printed.out.split())
    assert "layer" in printed.out
    assert "so far" not in printed.err
    runs.update(answer.folder, status="cancelled")
    assert main(["report", str(answer.folder)]) == 0
    assert "is cancelled: 2 of 2 snapshots so far." in capsys.readouterr().err
    assert main(["report", answer.folder.name, f"--runs={answer.runs}", "--json"]) == 0
    values = json.loads(capsys.readouterr().out)
    assert values["sentences"] == sentences
    cells = pd.DataFrame(values["cells"])
    best = cells[cells["layer"].eq(values["best"]["layer"]) & cells["split"].eq("val")]
    best = best[best["snapshot"].eq(values["best"]["snapshot"]) & best["pooling"].ne("head")]
    assert best["value"].item() == pytest.approx(values["val"]["value"], abs=1e-5)


@pytest.mark.parametrize("which", ["no-such-run", "../../etc", "/nowhere"])
def test_a_report_of_what_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], which: str
) -> None:
    assert main(["report", which, f"--runs={tmp_path}"]) == 2
    assert capsys.readouterr().err.startswith("layerviz: ")


def test_export_writes_what_is_named_and_import_opens_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made(tmp_path / "runs", dataset_of(), "bert-a", {2: 4.0}, n_layers=2)
    (tmp_path / "maps.svg").write_text("what was there before")
    files = {
        "gif": b"GIF8", "html": b"<!DOCTYPE html>", "png": b"\x89PNG", "svg": b"<svg",
        "vega-lite": b"{", "csv": b"id,split", "parquet": b"PAR1", "measures": b"snapshot,epoch",
        "run-zip": b"PK",
    }  # fmt: skip
    paths = {kind: tmp_path / f"maps.{kind.replace('-', '_')}" for kind in files}
    options = [f"--{kind}={path}" for kind, path in paths.items()]
    assert main(["export", str(run.path), "--layers=2", "--dark", *options]) == 0
    printed = capsys.readouterr()
    assert sorted(printed.out.split()) == sorted(map(str, paths.values()))
    for kind, beginning in files.items():
        assert paths[kind].read_bytes().startswith(beginning)
    assert not list(tmp_path.glob(".*"))  # no temporary is left
    heat = tmp_path / "heat.svg"
    assert main(["export", str(run.path), "--chart=heat-map", f"--svg={heat}"]) == 0
    assert "macro-F1" in heat.read_text()
    capsys.readouterr()
    elsewhere = tmp_path / "elsewhere"
    assert main(["import", str(paths["run-zip"]), f"--runs={elsewhere}"]) == 0
    assert capsys.readouterr().out == f"{elsewhere / run.run_id}\n"
    assert main(["report", run.run_id, f"--runs={elsewhere}"]) == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "No file to write was given"),
        (("--png=.",), "is a folder"),
        (("--png=x.png", "--layers=40"), "no layer 40"),
        (("--model-zip=x.zip",), "no model"),
    ],
)
def test_an_export_that_cannot_be_is_told(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
    message: str,
) -> None:
    run = made(tmp_path / "runs", dataset_of(), "bert-a", {2: 4.0}, n_layers=2)
    monkeypatch.chdir(tmp_path)
    assert main(["export", str(run.path), *options]) == 2
    assert message in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["runs"]


def test_an_import_of_what_is_no_run_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.zip").write_bytes(b"no zip")
    for name in ("x.zip", "missing.zip"):
        assert main(["import", str(tmp_path / name), f"--runs={tmp_path / 'runs'}"]) == 2
        assert "layerviz: " in capsys.readouterr().err
    assert not (tmp_path / "runs").exists()


def test_an_export_into_a_missing_folder_asks_whether_to_make_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made(tmp_path / "runs", dataset_of(), "bert-a", {2: 4.0}, n_layers=2)
    file = tmp_path / "new" / "folder" / "points.csv"
    assert main(["export", str(run.path), f"--csv={file}"]) == 2
    assert "no folder" in (err := capsys.readouterr().err)
    assert "--parents" in err
    assert main(["export", "no-such-run", f"--csv={file}", "--parents"]) == 2
    assert not file.parent.parent.exists()
    assert main(["export", str(run.path), f"--csv={file}", "--parents"]) == 0
    assert file.read_bytes().startswith(b"id,split")


def test_runs_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "runs"
    assert main(["list", f"--runs={folder}"]) == 0
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "no runs" in printed.err
    assert "python -m layerviz fit --encoder" in printed.err
    assert main(["list", f"--runs={folder}", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []
    dataset = dataset_of()
    for name, created, score in (("bert-a", "2026-01-02", 0.5), ("bert-b", "2026-03-04", 0.25)):
        run = made(folder, dataset, name, {2: 4.0}, n_layers=2)
        runs.update(run.path, created=f"{created}T10:00:00+00:00")
        history = pd.DataFrame({"step": [0, 10], "epoch": [0.0, 1.0], "val_macro_f1": [0.1, score]})
        runs.write_history(run.path, history)
    assert main(["list", f"--runs={folder}"]) == 0
    header, *lines = capsys.readouterr().out.splitlines()
    assert header.split() == ["date", "(UTC)", "data", "encoder", "epochs", "val", "F1",
                              "status", "id"]  # fmt: skip
    assert lines[0].startswith("2026-03-04 10:00  toy   bert-b        1   0.250  done    bert-b-")
    assert "bert-a" in lines[1]
    assert main(["list", f"--runs={folder}", "--sort=val-f1", "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert [one["val_macro_f1"] for one in listed] == [0.5, 0.25]
    assert {"created", "data", "encoder", "epochs", "status", "run_id"} < set(listed[0])
    assert main(["report", listed[0]["run_id"], f"--runs={folder}"]) == 0


def test_compare_makes_runs_once_and_compares_them_by_name_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for family in ("bert", "distilbert"):  # small: only what becomes of the runs matters
        size = replace(encoders.SCRATCH_SIZES[family], layers=2)
        monkeypatch.setitem(encoders.SCRATCH_SIZES, family, size)
    (tmp_path / "toy.csv").write_bytes(as_csv(toy_rows(300)))
    folder = tmp_path / "runs"
    command = ["compare", f"--data={tmp_path / 'toy.csv'}", f"--runs={folder}", *SMALL]
    command += ["--encoder=scratch-distilbert", "--encoder=scratch-bert", "--seeds=2"]
    command += ["--max-captured=60"]
    assert main(command) == 0
    printed = capsys.readouterr()
    run_ids = sorted(run.run_id for run in runs.list_runs(folder))
    assert len(run_ids) == 4
    assert "Run 4 of 4: scratch-bert, seed 1" in printed.err
    for name in ("DistilBERT from scratch", "BERT from scratch", "Means of 2 seeds"):
        assert name in printed.out
    assert main([*command, "--json"]) == 0
    again = capsys.readouterr()
    assert again.err.count("nothing to compute") == 4
    values = json.loads(again.out)
    assert [len(encoder["runs"]) for encoder in values["encoders"]] == [2, 2]
    assert values["n_val"] == 60
    assert main(["compare", *run_ids, f"--runs={folder}", "--json"]) == 0
    by_name = json.loads(capsys.readouterr().out)
    scores = [{e["name"]: e["val_macro_f1"] for e in one["encoders"]} for one in (values, by_name)]
    assert scores[0] == scores[1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Nothing to compare"),
        (["--encoder=scratch-bert"], "--data"),
        (["some-run", "--encoder=scratch-bert"], "both runs and encoders"),
        (["no-such-run", "nor-this"], "no run"),
        (["--encoder=scratch-bert", "--data=no.csv", "--seeds=0"], "Seeds"),
        (["--encoder=scratch-bert", "--data=no.csv", "--seeds=3"], "Only one encoder"),
        (["--encoder=bert-mini", "--encoder=bert-mini", "--data=no.csv"], "given twice"),
        (["one-run"], "Only one run"),
        (["one-run", "one-run"], "Only one run"),
    ],
)
def test_a_comparison_of_nothing_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert main(["compare", *arguments, f"--runs={tmp_path}"]) == 2
    message = capsys.readouterr().err
    assert message.startswith("layerviz: ")
    assert words in message


def test_runs_go_where_the_environment_says(
    toy_csv: bytes,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("LAYERVIZ_RUNS", str(tmp_path / "elsewhere"))
    (tmp_path / "toy.csv").write_bytes(toy_csv)
    arguments = ["--encoder=scratch-distilbert", f"--data={tmp_path / 'toy.csv'}", *SMALL]
    assert main(["fit", *arguments]) == 0
    assert Path(capsys.readouterr().out.strip()).parent == tmp_path / "elsewhere"


def test_a_further_command_is_one_entry(capsys: pytest.CaptureFixture[str]) -> None:
    def add_arguments(parser: argparse.ArgumentParser) -> None:
        parser.add_argument("whom")

    def greet(parsed: argparse.Namespace) -> int:
        if parsed.whom == "nobody":
            raise ConfigError("There is nobody to greet.", "Name somebody.")
        sys.stdout.write(f"Hello, {parsed.whom}\n")
        return 0

    with COMMANDS.extended(Command("greet", "say hello", add_arguments, greet)):
        assert main(["greet", "layer 3"]) == 0
        assert main(["greet", "nobody"]) == 2
        printed = capsys.readouterr()
        assert printed.out == "Hello, layer 3\n"
        assert printed.err == "layerviz: There is nobody to greet. Name somebody.\n"
        assert "say hello" in parser().format_help()
    with pytest.raises(SystemExit):
        main(["greet", "layer 3"])


# --- where the splits come from -------------------------------------------------------------


def test_val_and_test_may_be_files_of_their_own(fit: Fit) -> None:
    rows = toy_rows(90)
    answer = fit(as_csv(rows[:60]), val=as_csv(rows[60:78]), test=as_csv(rows[78:]))
    check_done(answer)
    assert answer.counts == {"train": 60, "val": 18, "test": 12}
    assert texts_of(answer, "val") == [text for text, _ in rows[60:78]]
    assert texts_of(answer, "test") == [text for text, _ in rows[78:]]


PARTS = [("train", "dev", "train", "test")[at % 4] for at in range(60)]
WITH_SPLIT = [(*row, part) for row, part in zip(toy_rows(60), PARTS, strict=True)]


@pytest.mark.parametrize(
    ("options", "counts", "split"),
    [
        ((), {"train": 30, "val": 15, "test": 15}, "fold"),
        (("--split-column=none", "--val-fraction=0.5"), {"train": 30, "val": 30}, None),
        (
            ("--text-column=text", "--label-column=label"),
            {"train": 30, "val": 15, "test": 15},
            "fold",
        ),
    ],
)
def test_a_split_column_is_followed_unless_told_not_to(
    fit: Fit, options: tuple[str, ...], counts: dict[str, int], split: str | None
) -> None:
    answer = fit(as_csv(WITH_SPLIT, "text,label,fold"), *options)
    check_done(answer)
    assert answer.counts == counts
    assert answer.run["dataset"]["columns"]["split"] == split
    if split:
        expected = [text for text, _, part in WITH_SPLIT if part == "dev"]
        assert texts_of(answer, "val") == expected


def test_what_is_found_before_a_run_is_printed_with_the_option_that_mends_it(fit: Fit) -> None:
    rows = [*(row for row in toy_rows(240) if row[1] == "fruit"), *toy_rows(36, seed=1)]
    answer = fit(as_csv(rows), "--max-length=8")
    check_done(answer)
    assert answer.out == f"{answer.folder}\n"
    assert "Check: Classes are uneven" in answer.err
    assert "Mend it with --class-weighting balanced." in answer.err
    assert "Mend it with --max-length 32." in answer.err
    assert "Mend it with --val-fraction" in answer.err
    assert "This will take about" in answer.err
    assert "capturing and measuring" in answer.err


def test_a_start_that_fails_leaves_no_folder(
    fit: Fit, toy_csv: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **settings: object) -> None:
        raise EncoderError("Its weights are damaged.", "Download them again.")

    monkeypatch.setattr(encoders, "load", fail)
    answer = fit(toy_csv)
    assert answer.status == 2
    assert answer.err.endswith("layerviz: Its weights are damaged. Download them again.\n")
    assert runs.list_runs(answer.runs) == []


def test_a_length_over_the_encoders_limit_is_refused_at_once(fit: Fit) -> None:
    answer = fit(as_csv(toy_rows(40)), "--encoder=bert-mini", "--max-length=600")
    assert answer.status == 2
    assert answer.err == (
        "layerviz: Max length is 600, and BERT mini reads at most 512 tokens. "
        "Set max length to 512.\n"
    )
    assert not answer.runs.exists()


def test_named_columns_win_over_the_guess(fit: Fit) -> None:
    rows = [
        ("not this one, though it is longer", text, "ab"[n % 2], label)
        for n, (text, label) in enumerate(toy_rows(40))
    ]
    content = as_csv(rows, "text,words,label,kind")
    answer = fit(content, "--text-column=words", "--label-column=kind")
    check_done(answer)
    columns = answer.run["dataset"]["columns"]
    assert (columns["text"], columns["label"]) == ("words", "kind")
    assert answer.run["label_names"] == ["fruit", "river", "tool"]


# --- bad input ------------------------------------------------------------------------------

GOOD = as_csv(toy_rows(40))
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(range(256))
BAD: dict[str, tuple[bytes | None, tuple[str, ...], str]] = {
    "one class": (as_csv([(text, "same") for text, _ in toy_rows(40)]), (), "'same'"),
    "empty file": (b"", (), "empty"),
    "header only": (b"text,label\n", (), "no rows"),
    "no such column": (GOOD, ("--label-column=hateful",), "'hateful'"),
    "no such text column": (GOOD, ("--text-column=tweet",), "'tweet'"),
    "no such split column": (GOOD, ("--split-column=fold",), "'fold'"),
    "no label column": (b"a,b\n1,2\n3,4\n", (), "label|text"),
    "picture": (PNG, (), "PNG"),
    "missing file": (None, (), "data.csv"),
    "malformed encoder": (GOOD, ("--encoder=a b//c",), "'a b//c'"),
    "empty encoder": (GOOD, ("--encoder= ",), "encoder"),
    "folder without a model": (GOOD, (f"--encoder={ROOT / 'tests'}",), "config.json"),
    "fewer than no epochs": (GOOD, ("--epochs=-1",), "Epochs is -1"),
    "learning rate": (GOOD, ("--learning-rate=5",), "Learning rate is 5"),
    "no learning rate": (GOOD, ("--learning-rate=nan",), "Learning rate is nan"),
    "val fraction": (GOOD, ("--val-fraction=0.9",), "0.9"),
    "too few rows": (as_csv(toy_rows(6)), (), "6 usable rows"),
    "runs folder is a file": (GOOD, (f"--runs={ROOT / 'streamlit_app.py'}",), "could not be"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_answered_with_one_sentence_and_its_fix(fit: Fit, case: str) -> None:
    content, options, named = BAD[case]
    answer = fit(content, *options)
    assert answer.status == 2
    assert answer.out == ""
    assert answer.err.startswith("layerviz: ")
    assert answer.err.count("\n") == 1
    assert any(name in answer.err for name in named.split("|")), answer.err
    problem, _, fix = answer.err.strip().rpartition(". ")
    assert problem
    assert fix.endswith(".") or ": " in fix
    assert not answer.runs.exists()


@pytest.mark.parametrize("role", ["val", "test"])
def test_a_bad_val_or_test_file_is_named(fit: Fit, role: str) -> None:
    rows = [(text, "glad") for text, _ in toy_rows(20)]
    answer = fit(GOOD, **{role: as_csv(rows, "text,mood")})
    assert answer.status == 2
    assert f"{role}.csv" in answer.err
    assert "'label'" in answer.err
    assert f"--{role}-label-column" in answer.err
    assert not answer.runs.exists()


@pytest.mark.parametrize(
    ("arguments", "guess"),
    [
        (["fti"], "fit"),
        (["fit", "--data=x.csv", "--epochss=3"], "--epochs"),
        (["fit", "--data=x.csv", "--keep=bets"], "best"),
        (["export", "x", "--projection=tnse"], "tsne"),
        (["bench", "captur"], "capture"),
        (["list", "--sort=statu"], "status"),
    ],
)
def test_a_misspelt_word_is_answered_with_what_was_meant(
    capsys: pytest.CaptureFixture[str], arguments: list[str], guess: str
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    assert f"Did you mean {guess}?" in capsys.readouterr().err


def test_misspelt_names_are_answered_with_what_was_meant(fit: Fit) -> None:
    for options, guess in (
        (("--encoder=bert-mimi",), "bert-mini"),
        (("--encoder=scratch-distilbrt",), "scratch-distilbert"),
        (("--label-column=lable",), "label"),
        (("--text-column=txt",), "text"),
    ):
        answer = fit(GOOD, *options)
        assert answer.status == 2
        assert f"Did you mean {guess}?" in answer.err
        assert answer.err.count("\n") == 1
        assert not answer.runs.exists()


def test_a_misspelt_run_is_answered_with_the_run_that_was_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = made(tmp_path, dataset_of(), "bert-a", {1: 1.0}, n_layers=1, n_snapshots=1)
    assert main(["report", run.run_id[:-1], f"--runs={tmp_path}"]) == 2
    assert f"Did you mean {run.run_id}?" in capsys.readouterr().err


def test_help_names_the_encoders_that_come_with_layerviz(
    capsys: pytest.CaptureFixture[str],
) -> None:
    for arguments in (["--help"], ["fit", "--help"], ["compare", "--help"]):
        with pytest.raises(SystemExit):
            main(arguments)
        printed = " ".join(capsys.readouterr().out.split()).replace("- ", "-")
        assert all(name in printed for name in ("bert-mini", "roberta-mini", "distilbert-mini"))


def test_options_that_are_no_numbers_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["fit", "--encoder=scratch-bert", "--data=x.csv", "--epochs=many"])
    assert stopped.value.code == 2
    printed = capsys.readouterr()
    assert "--epochs" in printed.err
    assert printed.out == ""


# --- odd input that works -------------------------------------------------------------------


def test_latin_1_with_semicolons(fit: Fit) -> None:
    rows = [(f"très bien, là-bas {text}", label) for text, label in toy_rows(40)]
    answer = fit(as_csv(rows, delimiter=";").decode().encode("latin-1"))
    check_done(answer)
    assert "(Windows-1252), semicolon-separated" in answer.err
    assert "is a guess" in answer.err
    assert "Choose with --encoding.\n" in answer.err
    assert set(texts_of(answer, "train")) < {text for text, _ in rows}


def test_a_byte_order_mark_is_no_part_of_the_first_column(fit: Fit) -> None:
    answer = fit(b"\xef\xbb\xbf" + GOOD)
    check_done(answer)
    assert answer.run["dataset"]["columns"]["text"] == "text"
    assert "UTF-8 with BOM" in answer.err


def test_three_hundred_classes(fit: Fit) -> None:
    rng = random.Random(0)
    rows = [(f"{rng.choice('abcdef')} topic {n % 300} {n}", f"class {n % 300}") for n in range(900)]
    answer = fit(as_csv(rows), "--batch-size=128")
    check_done(answer)
    assert len(answer.run["label_names"]) == 300
    assert answer.counts == {"train": 600, "val": 300}
    predictions = pd.read_parquet(answer.folder / "snapshots" / "001" / "predictions.parquet")
    assert predictions["predicted"].between(0, 299).all()


def test_a_very_long_text_and_a_missing_label(fit: Fit) -> None:
    rows = [("a word and " * 1820, "fruit"), ("nobody said what this is", ""), *toy_rows(40)]
    assert len(rows[0][0]) > 20_000
    answer = fit(as_csv(rows), "--max-length=128")
    check_done(answer)
    assert "1 row of data.csv without a label was left out." in answer.err
    assert sum(answer.counts.values()) == 41
    assert sum(answer.run["training"]["n_truncated"].values()) == 1
    stored = texts_of(answer, "train") + texts_of(answer, "val")
    assert max(map(len, stored)) > 20_000  # stored whole, whatever the encoder reads of it


# --- as a program ---------------------------------------------------------------------------


def test_ctrl_c_during_training_ends_in_good_order(tmp_path: Path, toy_csv: bytes) -> None:
    (tmp_path / "toy.csv").write_bytes(toy_csv)
    command = [sys.executable, "-m", "layerviz", "fit", "--encoder=scratch-distilbert"]
    command += ["--data=toy.csv", "--runs=runs", "--epochs=100", "--batch-size=2", "--max-length=8"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            run = wait_for_a_snapshot(process, tmp_path / "runs")
            assert json.loads(run.read_text())["status"] == "running"
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert out == f"{run.parent}\n"
    assert "Ctrl-C" in err
    assert "Traceback" not in err
    kept = json.loads(run.read_text())
    assert kept["status"] == "cancelled"
    assert kept["snapshots"][0]["step"] == 0
    assert kept["snapshots"][-1]["epoch"] < 100
    assert (run.parent / "resume").is_dir()  # the same command goes on from there
    assert (run.parent / "model" / "model.safetensors").exists()


def test_ctrl_c_twice_ends_at_once_without_a_traceback(tmp_path: Path, toy_csv: bytes) -> None:
    (tmp_path / "toy.csv").write_bytes(toy_csv)
    command = [sys.executable, "-m", "layerviz", "fit", "--encoder=scratch-distilbert"]
    command += ["--data=toy.csv", "--runs=runs", "--epochs=100", "--batch-size=2", "--max-length=8"]
    with subprocess.Popen(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_for_a_snapshot(process, tmp_path / "runs")
            process.send_signal(signal.SIGINT)
            time.sleep(0.1)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "Traceback" not in err
    assert "Exception" not in err
    assert err.count("\n") < 20  # no bar where there is no terminal


@pytest.mark.parametrize(("seconds", "number"), [(0.0, signal.SIGINT), (2.0, signal.SIGTERM)])
def test_signals_before_the_work_has_begun_leave_no_traceback(
    tmp_path: Path, toy_csv: bytes, seconds: float, number: signal.Signals
) -> None:
    (tmp_path / "toy.csv").write_bytes(toy_csv)
    command = [sys.executable, "-m", "layerviz", "fit", "--encoder=scratch-distilbert"]
    with subprocess.Popen(
        [*command, "--data=toy.csv", "--runs=runs"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            wait_until(lambda: answers_signals(process))
            time.sleep(seconds)
            for _ in range(2):
                process.send_signal(number)
                time.sleep(0.2)
            _, err = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 128 + number
    assert "Traceback" not in err
    assert err.endswith("Stopped.\n")


def answers_signals(process: subprocess.Popen) -> bool:
    """Return whether a process has installed its handlers, by the kernel's list of them."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        pytest.skip("only Linux tells which signals a process answers")
    (caught,) = re.findall(r"SigCgt:\s*(\w+)", status.read_text())
    # The last of those that are installed; under nohup, SIGHUP stays ignored.
    is_hung_up = signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN
    last = signal.SIGHUP if is_hung_up else signal.SIGTERM
    return bool(int(caught, 16) >> (last - 1) & 1)


def wait_for_a_snapshot(process: subprocess.Popen, runs: Path) -> Path:
    """Return run.json once training has begun."""

    def with_a_snapshot() -> list[Path]:
        assert process.poll() is None, process.communicate()[1]
        records = runs.glob("*/run.json")
        return [path for path in records if json.loads(path.read_text())["snapshots"]]

    return wait_until(with_a_snapshot)[0]


def test_the_program_ends_with_the_status_of_its_answer(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "layerviz", "fit", "--encoder=scratch-bert", "--data=no.csv"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("layerviz: no.csv cannot be read")
    assert done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
