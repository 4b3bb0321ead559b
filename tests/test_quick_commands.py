"""What commands import before they answer: no more than they need; and reports that are kept."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_runs import dataset_of, made
from scipy.stats import rankdata

from layerviz import runs, separability, source_code
from layerviz.commands import main
from layerviz.runs import Run
from layerviz.separability import answer_files
from layerviz.separability.ranking import _ranks
from layerviz.separability.slices import traits

ROOT = Path(__file__).resolve().parents[1]
MODELS = ("torch", "transformers", "sklearn", "scipy", "openTSNE", "umap", "streamlit", "altair")
TABLES = ("numpy", "pandas", "pyarrow")
RECORDS = ("pydantic", "layerviz.runs", "layerviz.data")


def imported(*words: str, among: tuple[str, ...]) -> list[str]:
    """Return which of some modules a command has imported when it has answered."""
    code = (
        "import sys\n"
        "from layerviz.commands import main\n"
        "try:\n"
        f"    status = main({list(words)})\n"
        "except SystemExit as ending:\n"
        "    status = ending.code\n"
        f"print(status, *(name for name in {among} if name in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    status, *names = done.stderr.splitlines()[-1].split()
    assert status == "0", done.stderr
    return names


def test_the_list_of_commands_needs_none_of_them() -> None:
    heavy = (*MODELS, *TABLES, *RECORDS, "logging", "layerviz.config", "layerviz.commands.fit")
    assert imported("--help", among=heavy) == []


@pytest.mark.parametrize("command", ["report", "list"])
def test_help_needs_no_run(command: str) -> None:
    assert imported(command, "--help", among=(*MODELS, *TABLES, *RECORDS)) == []


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("start")
    made_run = made(root, dataset_of(n_test=150), "enc", {1: 0.3, 4: 2.5}, before={1: 0.3})
    runs.write_history(made_run.path, _history())
    return made_run


def _history() -> pd.DataFrame:
    rows = [(10, 0.5, np.nan), (20, 1.0, 0.7512), (15, 0.75, 0.6), (30, 1.5, np.nan)]
    return pd.DataFrame(rows, columns=["step", "epoch", "val_macro_f1"])


def test_runs_are_listed_without_tables(run: Run) -> None:
    words = ("list", "--runs", str(run.path.parent))
    assert imported(*words, among=(*MODELS, *TABLES)) == []
    assert runs.summary_of(run).val_macro_f1 == 0.7512


@pytest.mark.parametrize("damaged", ["", "step\n1", "step,val_macro_f1\n1,x", '\0,"', "\xff"])
def test_a_damaged_learning_curve_hides_no_run(run: Run, damaged: str) -> None:
    file = run.layout.history
    whole = file.read_bytes()
    try:
        file.write_text(damaged, encoding="latin-1")
        assert runs.summary_of(run).val_macro_f1 is None
    finally:
        file.write_bytes(whole)


# --- reports ----------------------------------------------------------------------------------


def report(run: Run, capsys: pytest.CaptureFixture[str], *options: str) -> str:
    assert main(["report", str(run.path), *options]) == 0
    return capsys.readouterr().out


def test_a_report_is_computed_without_what_trains(run: Run) -> None:
    assert imported("report", str(run.path), among=(*MODELS[:3], "openTSNE", "scipy.stats")) == []
    # The next one is read: it takes no tables at all.
    assert imported("report", str(run.path), among=(*MODELS, *TABLES, "py3langid")) == []


@pytest.mark.parametrize("options", [(), ("--json",), ("--pooling=mean", "--margin=0.07")])
def test_a_stored_report_is_the_one_that_was_made(
    run: Run,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    options: tuple[str, ...],
) -> None:
    shutil.rmtree(run.path / "answers", ignore_errors=True)
    first = report(run, capsys, *options)
    for name in ("sheet_of", "search_answer_of", "all_slices_of", "read_sheet"):
        monkeypatch.setattr(separability, name, None)
    assert report(run, capsys, *options) == first


def test_a_report_reads_the_sheet_that_the_page_made(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(run.path / "answers", ignore_errors=True)
    anew = report(run, capsys)
    shutil.rmtree(run.path / "answers")
    separability.current_sheet(run)
    monkeypatch.setattr(separability, "sheet_of", None)
    assert report(run, capsys) == anew


@pytest.mark.parametrize("changed", ["measures", "predictions", "record", "code"])
def test_what_a_report_was_made_from_is_looked_at_again(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, changed: str
) -> None:
    report(run, capsys)
    if changed == "code":
        monkeypatch.setattr(answer_files, "code_version", lambda: "another")
    else:
        layout = run.layout
        files = {
            "measures": layout.measures,
            "predictions": layout.predictions(1),
            "record": layout.record,
        }
        os.utime(files[changed], ns=(1, 1))
    assert separability.read_report(run, run.poolings, 0.02) is None


def test_code_that_changed_has_another_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for room in ("", "separability", "runs", "data", "ui"):
        (tmp_path / room).mkdir(exist_ok=True)
        (tmp_path / room / "one.py").write_text("a = 1")
    monkeypatch.setattr(source_code, "_PACKAGE", tmp_path)
    version = source_code.code_version.__wrapped__
    before = version()
    (tmp_path / "ui" / "one.py").write_text("a = 2")
    assert version() == before
    (tmp_path / "runs" / "one.py").write_text("a = 2")
    assert version() != before


def test_a_pooling_that_a_run_lacks_reads_no_file(
    run: Run, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(separability, "read_report", None)
    assert main(["report", str(run.path), "--pooling=../../mean"]) == 2
    assert "no hidden states" in capsys.readouterr().err


def test_languages_are_guessed_of_what_is_looked_at(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    guessed: list[str] = []
    monkeypatch.setattr(traits, "guessed_language", guessed.append)
    examples = runs.read_examples(run.path)
    separability.slice_columns(examples)
    assert guessed == examples["text"][examples["split"] != "train"].tolist()


def test_ranks_are_those_of_scipy() -> None:
    rng = np.random.default_rng(0)
    scores = rng.integers(9, size=(5, 60)).astype(np.float32)
    scores[0, :3] = -np.inf
    scores[4, 7] = np.nan
    for axis in (0, 1):
        np.testing.assert_array_equal(_ranks(scores, axis), rankdata(scores, axis=axis))
