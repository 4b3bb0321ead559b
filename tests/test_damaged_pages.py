"""A run with a damaged file on the page: each tab is drawn, or says one sentence that names it.

A few are tried here, chosen with a seed; LAYERVIZ_DAMAGES=1000 tries all by hand.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from pages import error_text, open_page
from streamlit.testing.v1 import AppTest

from layerviz import runs
from layerviz.bench.torture.damaged import DAMAGES, opened_files, whole_run
from layerviz.export import checking
from layerviz.ui.parts.state import OPEN_TAB
from layerviz.ui.run.page import TABS

N_DAMAGES = int(os.environ.get("LAYERVIZ_DAMAGES", "5"))
MOST_LETTERS = 500  # of a sentence


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_run(tmp_path_factory.mktemp("whole"))


def faults(app: AppTest, name: str) -> Iterator[str]:
    """Yield what a page says other than one sentence about a file of this name."""
    yield from (exception.value for exception in app.exception)
    for error in app.error:
        sentence = error.value.replace("\\", "")
        if name not in sentence or len(sentence) > MOST_LETTERS or "unexpected" in sentence:
            yield sentence


def test_every_tab_is_drawn_or_names_the_damaged_file(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = [(name, kind) for name in opened_files(whole) for kind in DAMAGES]
    n_told = 0
    found: list[tuple[str, ...]] = []
    for name, kind in random.Random(22).sample(every, min(N_DAMAGES, len(every))):
        root = tmp_path / f"{name} {kind}".replace("/", " ")
        path = root / whole.name
        shutil.copytree(whole, path)
        DAMAGES[kind](path / name)
        monkeypatch.setenv(runs.RUNS_VARIABLE, str(root))
        app = open_page(run=path.name)
        for tab in TABS:
            app.session_state[OPEN_TAB] = tab
            app.run()
            found += [(name, kind, tab, fault) for fault in faults(app, Path(name).name)]
            n_told += bool(error_text(app))
    assert not found
    assert n_told, "no damage was seen at all"


def test_a_run_is_searched_for_damage_once_until_a_file_changes(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = Path(shutil.copytree(whole, tmp_path / whole.name))
    run = runs.open_folder(path)
    predictions = run.layout.predictions(1)
    predictions.write_bytes(b"none")
    search = Mock(wraps=checking.check_contents)
    monkeypatch.setattr(checking, "check_contents", search)
    assert len({checking.first_damage(run) for _ in range(2)}) == 1
    assert search.call_count == 2  # what was written just now may be written again
    for file in path.rglob("*"):
        os.utime(file, (1, 1))
    for _ in range(3):
        assert "001/predictions.parquet cannot be read" in checking.first_damage(run)
    assert search.call_count == 3
    shutil.copyfile(whole / predictions.relative_to(path), predictions)
    os.utime(predictions, (2, 2))
    assert [checking.first_damage(run) for _ in range(2)] == ["", ""]
    assert search.call_count == 4
