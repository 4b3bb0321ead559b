"""One entry of a registry is a whole pooling; runs keep the poolings that they were made with."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
import torch
from pages import answered, open_page, specs_of
from safetensors.numpy import load_file
from streamlit.testing.v1 import AppTest

from layerviz import cache, exploring, runs, separability, training
from layerviz.commands import main
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.errors import ConfigError, RunError
from layerviz.export.tables import coordinates
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import files_of, zip_run
from layerviz.poolings import MEAN, POOLINGS, Pooling, look_up, pooling_label, poolings_table
from layerviz.registry import UnknownNameError
from layerviz.runs import Run
from layerviz.ui.run.maps import pooling_now
from layerviz.views import MapsRequest

EARLIER = Path(__file__).parent / "earlier"
TODAY = tuple(POOLINGS)
FORMAT_0 = ("mean", "cls", "max")


def last_token(hidden: torch.Tensor, attention_mask: torch.Tensor) -> torch.Tensor:
    return hidden[torch.arange(len(hidden)), attention_mask.sum(dim=1) - 1]


LAST = Pooling("made_up", "Made up", "the last token", "#B04A00", "diamond", last_token)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def trained(root: Path, toy_dataset: Dataset) -> Run:
    """A run made while there was one more pooling."""
    config = RunConfig(
        "scratch-distilbert", epochs=1, learning_rate=1e-3, max_length=32, precision="fp32"
    )
    with POOLINGS.extended(LAST):
        return training.fit(runs.create(root, config, toy_dataset), toy_dataset)


@pytest.fixture(scope="module")
def earlier(root: Path) -> Run:
    """A run made before there were formats."""
    return unzip_run(EARLIER / "bert" / "run.zip", root)


@pytest.fixture
def extended() -> Iterator[None]:
    with POOLINGS.extended(LAST):
        yield


def page(root: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(root))
    return open_page(run=run.run_id)


def labels_of(app: AppTest, key: str) -> list[str]:
    return list(app.segmented_control(key=key).options)


def pooling_lines(app: AppTest) -> dict[str, str]:
    """Return the lines of the chart of poolings, with their colours."""
    scales = [
        layer["encoding"]["color"]["scale"]
        for spec in specs_of(app)
        for layer in spec.get("layer", ())
        if layer.get("encoding", {}).get("color", {}).get("title") == "Pooling"
    ]
    return dict(zip(scales[0]["domain"], scales[0]["range"], strict=True))


def open_pooling_tab(app: AppTest) -> AppTest:
    app.session_state["tabs"] = "Layers"
    app.session_state["detail_tabs"] = "Pooling"
    return answered(app.run())


# --- the registry ---------------------------------------------------------------------------


def test_an_unknown_pooling_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UnknownNameError, match=rf"no pooling 'median'.*one of {', '.join(TODAY)}"):
        POOLINGS["median"]


@pytest.mark.parametrize("name", ["all", "head", "Last", "last-token", "", "x" * 21])
def test_a_name_that_files_or_the_page_could_not_tell_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        Pooling(name, "x", "x", "#000000", "circle", MEAN.pool)


def test_what_a_run_holds_can_be_shown_though_it_can_no_longer_be_made() -> None:
    stand_in = look_up("made_up")
    assert (stand_in.label, stand_in.layer_0_is_constant) == ("made_up", False)
    with pytest.raises(UnknownNameError, match="no pooling 'made_up'"):
        stand_in.pool(torch.zeros(1, 2, 3), torch.ones(1, 2))
    assert [pooling_label(name) for name in (*FORMAT_0, "made_up")] == [
        "mean",
        "[CLS]",
        "max",
        "made_up",
    ]


def test_the_poolings_are_in_the_documentation() -> None:
    page = Path(__file__).parents[1] / ".readme" / "answers.md"
    assert poolings_table() in page.read_text(encoding="utf-8")
    with POOLINGS.extended(LAST):
        assert poolings_table().endswith("\n| Made up | the last token |")


# --- one more -------------------------------------------------------------------------------


def test_a_new_pooling_is_in_the_files_of_a_run(trained: Run) -> None:
    assert trained.poolings == (*TODAY, "made_up")
    states = load_file(trained.layout.hidden_states(0))
    assert set(states) == {*TODAY, "made_up"}
    assert not np.array_equal(states["made_up"], states["cls"])
    assert set(runs.read_probes(trained.path, 1)) == {*TODAY, "made_up"}


@pytest.mark.usefixtures("extended")
def test_a_new_pooling_is_measured_and_answered_for(trained: Run) -> None:
    table = runs.read_separability(trained.path)
    by_pooling = table[table["measure"] == "probe_macro_f1"].groupby("pooling").size()
    assert by_pooling["made_up"] == by_pooling["mean"]
    cells, _ = separability.cells_of(trained)
    assert {cell.pooling for cell in cells} == {*TODAY, "made_up"}
    alone = separability.answer_of(trained, ("made_up",))
    assert "Made up pooling" in " ".join(separability.answer_sentences(alone))


@pytest.mark.usefixtures("extended")
@pytest.mark.parametrize("command", ["report", "compare", "export"])
def test_a_new_pooling_is_offered_on_the_command_line(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "{" + ",".join((*TODAY, "made_up")) + "}" in capsys.readouterr().out


@pytest.mark.usefixtures("extended")
def test_a_new_pooling_is_reported_and_exported(
    trained: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--pooling=made_up", f"--runs={trained.path.parent}"]
    assert main(["report", trained.run_id, "--json", *where]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["best"]["pooling"] == "made_up"
    assert main(["export", trained.run_id, f"--csv={tmp_path / 'maps.csv'}", *where]) == 0
    assert (tmp_path / "maps.csv").read_text().count("\n") > 90


@pytest.mark.usefixtures("extended")
def test_a_new_pooling_is_on_the_page(
    root: Path, trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(root, trained, monkeypatch)
    assert labels_of(app, "pooling") == ["mean", "[CLS]", "max", "Made up"]
    app.segmented_control(key="pooling").set_value("made_up").run()
    assert not app.exception
    assert not app.error
    app = open_pooling_tab(app)
    assert labels_of(app, "answer_poolings")[-1] == "Made up"
    assert pooling_lines(app)["Made up"] == LAST.colour
    assert not app.exception


def test_maps_open_at_the_recommended_pooling_unless_the_reader_chose_one(
    trained: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the answers of two runs name is made up; the second is the first under another id."""
    verdicts = {"one": ("cls", "found"), "two": ("max", "found"), "three": ("max", "few")}

    def stored_sheet(run: Run, poolings: tuple[str, ...]) -> SimpleNamespace:
        pooling, verdict = verdicts[run.run_id]
        best = SimpleNamespace(pooling=pooling)
        answer = SimpleNamespace(best=best, verdict=verdict)
        return SimpleNamespace(sheet=SimpleNamespace(answer=answer), poolings=poolings)

    state: dict[str, object] = {}
    monkeypatch.setattr(cache, "stored_sheet", stored_sheet)
    monkeypatch.setattr(st, "session_state", state)
    one, two, three = (replace(trained, path=Path(name)) for name in verdicts)
    assert [pooling_now(run) for run in (one, two, three)] == ["cls", "max", "mean"]
    verdicts["three"] = ("cls", "found")
    assert pooling_now(three) == "mean"  # nothing jumps while it is looked at
    state["pooling"] = "max"  # the reader's
    assert [pooling_now(run) for run in (one, two, three)] == ["max"] * 3
    live = replace(one, status="running")
    state.clear()
    assert pooling_now(live) == "mean"


@pytest.mark.usefixtures("extended")
def test_own_texts_are_read_with_a_new_pooling(trained: Run) -> None:
    from layerviz import encoders

    loaded = encoders.load_trained(trained.layout.model)
    read = exploring.read_texts(loaded, ["a pear"], max_length=32, poolings=trained.poolings)
    assert set(read.pooled) == {*TODAY, "made_up"}


@pytest.mark.usefixtures("extended")
def test_a_new_pooling_goes_into_a_zip_and_comes_out_again(trained: Run, tmp_path: Path) -> None:
    arrays = {"xy": np.zeros((2, 90, 2), np.float32), "trust": np.zeros((2, 2), np.float32)}
    arrays["explained"] = np.zeros(2, np.float32)
    runs.write_map(trained.path, "tsne", "made_up", 1, arrays)
    zip_run(trained, tmp_path / "run.zip")
    opened = unzip_run(tmp_path / "run.zip", tmp_path / "elsewhere")
    assert opened.poolings == (*TODAY, "made_up")
    assert set(files_of(opened)) == set(files_of(trained))
    assert opened.layout.map("tsne", "made_up", 1).is_file()


# --- runs with other poolings than today's --------------------------------------------------


@pytest.mark.usefixtures("extended")
def test_an_earlier_run_opens_while_there_is_a_new_pooling(
    root: Path, earlier: Run, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert earlier.poolings == FORMAT_0
    assert main(["report", earlier.run_id, "--json", f"--runs={root}"]) == 0
    stored = json.loads((EARLIER / "bert" / "report.json").read_text())
    printed = json.loads(capsys.readouterr().out)
    assert (printed["cells"], printed["n_cells"]) == (stored["cells"], stored["n_cells"])
    app = page(root, earlier, monkeypatch)
    assert labels_of(app, "pooling") == ["mean", "[CLS]", "max"]
    app = open_pooling_tab(app)
    assert list(pooling_lines(app)) == ["mean", "[CLS]", "max"]
    assert not app.exception


@pytest.mark.usefixtures("extended")
def test_the_page_goes_from_a_run_with_a_pooling_to_one_without(
    root: Path, trained: Run, earlier: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = page(root, trained, monkeypatch)
    app.segmented_control(key="pooling").set_value("made_up").run()
    app = open_pooling_tab(app)
    app.segmented_control(key="answer_poolings").set_value("made_up").run()
    app.query_params["run"] = earlier.run_id
    app.run()
    assert not app.exception
    assert app.segmented_control(key="answer_poolings").value == "all"
    app.session_state["tabs"] = "Maps"
    app.run()
    assert app.segmented_control(key="pooling").value == "mean"
    assert not app.exception


def test_a_run_with_an_unknown_pooling_opens(
    root: Path, trained: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    st.cache_data.clear()  # as in a process that never knew this pooling
    run = runs.read(root, trained.run_id)
    assert run.poolings == (*TODAY, "made_up")
    assert "made_up" in {cell.pooling for cell in separability.cells_of(run)[0]}
    assert len(coordinates(run, MapsRequest("made_up", layers=(1,))))
    app = page(root, run, monkeypatch)
    assert labels_of(app, "pooling") == ["mean", "[CLS]", "max", "made_up"]
    app = open_pooling_tab(app)
    assert list(pooling_lines(app)) == ["mean", "[CLS]", "max", "made_up"]
    assert not app.exception
    zip_run(run, tmp_path / "run.zip")
    opened = unzip_run(tmp_path / "run.zip", tmp_path / "elsewhere")
    assert opened.poolings == run.poolings


def test_a_run_with_an_unknown_pooling_cannot_be_trained_on(
    tmp_path: Path, toy_dataset: Dataset
) -> None:
    config = RunConfig("scratch-distilbert", epochs=1, learning_rate=1e-3, max_length=32)
    with POOLINGS.extended(LAST):
        run = runs.create(tmp_path, config, toy_dataset)
    with pytest.raises(UnknownNameError, match="no pooling 'made_up'"):
        training.fit(run, toy_dataset)
    assert "no pooling 'made_up'" in runs.open_folder(run.path).reason


@pytest.mark.parametrize("command", ["report", "export"])
def test_what_a_run_does_not_hold_is_refused_with_what_it_holds(
    root: Path, earlier: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    file = [f"--csv={tmp_path / 'maps.csv'}"] if command == "export" else []
    assert main([command, earlier.run_id, "--pooling=made_up", *file, f"--runs={root}"]) == 2
    error = capsys.readouterr().err
    assert "'made_up'" in error
    assert "Choose one of mean, cls, max." in error


def test_contenders_are_compared_under_the_poolings_that_all_have(
    root: Path, trained: Run, toy_dataset: Dataset
) -> None:
    from layerviz import comparison

    config = RunConfig(
        "scratch-bert", epochs=1, learning_rate=1e-3, max_length=32, precision="fp32"
    )
    other = training.fit(runs.create(root, config, toy_dataset), toy_dataset)
    contenders = comparison.contenders_of([trained, other])
    assert comparison.shared_poolings(contenders) == TODAY
    judged = comparison.compare_contenders(contenders)
    assert {standing.best.pooling for standing in judged.standings} <= set(TODAY)
    with pytest.raises(RunError, match=re.escape(f"{other.run_id} holds no")):
        comparison.compare_contenders(contenders, ("made_up",))


def test_a_view_of_a_pooling_that_the_run_lacks_is_refused(earlier: Run) -> None:
    with pytest.raises(ConfigError, match="Choose one of mean, cls, max"):
        coordinates(earlier, MapsRequest("made_up"))
