"""Runs that train nothing: an encoder is looked at as it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pages import caption_text, read_aloud
from toy import as_csv, toy_rows
from visiting import every_tab

import layerviz
from layerviz import checks, runs, separability
from layerviz.config import RunConfig
from layerviz.data import Columns, build_dataset, read_table
from layerviz.ui.run.training import TRAINING

SMALL: dict[str, Any] = {"encoder": "scratch-distilbert", "max_length": 16, "max_captured": 60}


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("probed")


@pytest.fixture(scope="module")
def probed(root: Path) -> layerviz.OpenedRun:
    table = pd.DataFrame(toy_rows(150), columns=["text", "label"])
    return layerviz.probe(table, runs=root, **SMALL)


def test_a_probe_has_one_snapshot_and_trains_nothing(probed: layerviz.OpenedRun) -> None:
    assert probed.status == "done"
    assert probed.epochs == [0]
    run = runs.open_folder(probed.path)
    assert not run.trains
    assert run.training["total_steps"] == run.training["trained_parameters"] == 0
    assert tuple(runs.measured_snapshots(run)) == (0,)
    assert run.layout.model_weights.is_file()


def test_no_epochs_is_the_same_run(probed: layerviz.OpenedRun, root: Path) -> None:
    table = pd.DataFrame(toy_rows(150), columns=["text", "label"])
    assert layerviz.fit(table, runs=root, epochs=0, **SMALL).id == probed.id


def test_a_report_speaks_of_no_training(probed: layerviz.OpenedRun) -> None:
    report = probed.answer()
    text = " ".join(report.text.split())
    assert "Nothing was trained: this run shows the encoder as it is." in text
    assert "the model's own predictions say nothing" in text
    lines = {line["question"]: line["value"] for line in report.values["card"]}
    assert lines["epoch"] == "Nothing was trained"
    assert lines["confusion"] == "Nothing to go by"
    assert lines["depth"] in ("Not known without training", "Nothing to go by")
    assert "ine-tuning" not in text
    assert report.values["since_start"] is None


def test_what_only_training_suffers_from_is_no_finding() -> None:
    rows = toy_rows(90)
    rows = [row for row in rows if row[1] != "tool"] + [row for row in rows if row[1] == "tool"][:3]
    dataset = build_dataset(read_table(as_csv(rows), "toy.csv"), Columns("text", "label"))

    def found(epochs: int) -> str:
        plan = checks.plan_for(RunConfig("scratch-bert", epochs=epochs), dataset)
        return " ".join(finding.sentence for finding in checks.findings_of(plan))

    assert "Classes are uneven" in found(1)
    assert "Classes are uneven" not in found(0)


def test_the_page_opens_a_probe_with_every_tab(
    probed: layerviz.OpenedRun, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(root))
    for tab, page in every_tab(probed.id):
        if tab == TRAINING:
            said = read_aloud(info.value for info in page.info)
            assert separability.untrained_sentence(runs.open_folder(probed.path)) in said
            assert "not trained" in read_aloud(title.value for title in page.title)
            assert "Nothing was trained, so that there are no" in caption_text(page)
