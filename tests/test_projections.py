"""A projection is one entry of a registry, which puts it everywhere; unknown names are refused."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from made_runs import dataset_of, made
from pages import (
    caption_text,
    map_headings,
    maps_points,
    markdown_text,
    open_page,
    run_until,
)
from streamlit.testing.v1 import AppTest
from waiting import wait_until

from layerviz import cache, runs
from layerviz.__main__ import main
from layerviz.commands import parser
from layerviz.errors import LayervizError
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_run
from layerviz.jobs import Jobs
from layerviz.progress import OnProgress, ShouldStop
from layerviz.projection import (
    PROJECTIONS,
    LayerMaps,
    LayerStates,
    Projection,
    projections_in_words,
    rated,
)
from layerviz.projection.of_run import read_stored_maps, update_stored_maps
from layerviz.registry import UnknownNameError
from layerviz.runs import Run
from layerviz.views import MapsRequest

ROOT = Path(__file__).parents[1]


def first_two(
    layer: LayerStates,
    earlier: LayerMaps | None,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> LayerMaps:
    """Draw the first two dimensions; maps that were drawn before are kept."""
    xy = [state[:, :2].astype(np.float32) for state in layer.states]
    if earlier is not None:
        xy[: earlier.n_snapshots] = earlier.xy
    return rated(xy, layer.states, layer.splits)


def place_first_two(
    layer: LayerStates,
    xy: np.ndarray,
    vectors: np.ndarray,
    at: int,
) -> np.ndarray:
    return vectors[:, :2].astype(np.float32)


FIRST_TWO = Projection(
    name="made_up",
    label="Made up",
    help="the first two dimensions.",
    reading="",
    draw=first_two,
    place=place_first_two,
    uses_labels=True,
)
STORED = Projection(
    name="two_stored",
    label="Two stored",
    help="the same, drawn off the page.",
    reading="",
    draw=first_two,
    place=place_first_two,
    stored=True,
    continues=True,
)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("original")
    return made(root, dataset_of(), "enc", {3: 4.0, 4: 2.0}, n_snapshots=3)


@pytest.fixture
def run(original: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return a copy of a run that a test may write to, alone in its folder of runs."""
    root = tmp_path / "runs"
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(root))
    shutil.copytree(original.path, root / original.run_id)
    return runs.read(root, original.run_id)


def open_maps(run: Run, projection: str) -> AppTest:
    app = open_page(run=run.run_id)
    app.segmented_control(key="projection").set_value(projection).run()
    assert not app.exception
    assert not app.error
    return app


def test_the_page_offers_a_further_projection_and_draws_its_maps(run: Run) -> None:
    with PROJECTIONS.extended(FIRST_TWO):
        app = open_maps(run, "made_up")
        control = app.segmented_control(key="projection")
        assert control.options == [*(entry.label for entry in PROJECTIONS.values())]
        assert "Made up: the first two dimensions." in markdown_text(app)
        assert all("Made up" in heading for heading in map_headings(app))
        assert "Made up is fitted to the train labels" in caption_text(app)
        points = maps_points(app)
    states = runs.read_hidden_states(run.path, 2, "mean", 3)[:, :2].astype(np.float32)
    n_rows, at = len(points["row"]), points["withMaps"].index(3)
    for axis, name in enumerate("xy"):
        of_layer = points[name].reshape(-1, points["slots"], n_rows)[at, 2]
        shown = np.corrcoef(of_layer, states[points["row"], axis])[0, 1]
        assert shown == pytest.approx(1, abs=1e-5)


def test_the_page_waits_for_maps_of_a_further_projection_that_are_stored(run: Run) -> None:
    with PROJECTIONS.extended(STORED):
        app = open_maps(run, "two_stored")
        wait_until(
            lambda: all(runs.read_map(run.path, "two_stored", "mean", n) for n in range(1, 5))
        )
        run_until(app, lambda: all(h.endswith("Two stored") for h in map_headings(app)))


def test_a_worker_draws_stored_maps_of_a_further_projection_and_continues_them(run: Run) -> None:
    jobs = Jobs(run.path.parent)
    with PROJECTIONS.extended(STORED):
        marked = LayerMaps(
            np.full((1, 480, 2), 7, np.float32), np.ones((1, 2), np.float32), np.zeros(2, "f4")
        )
        runs.write_map(run.path, "two_stored", "cls", 2, marked.arrays())
        jobs.update_maps(run, "two_stored", "cls", 2)
        wait_until(lambda: not jobs.update_maps(run, "two_stored", "cls", 2).live)
        assert jobs.update_maps(run, "two_stored", "cls", 2).error is None
        maps = read_stored_maps(run, "two_stored", "cls", 2)
    assert maps is not None
    assert maps.n_snapshots == 3
    assert (maps.xy[0] == 7).all()
    states = runs.read_hidden_states(run.path, 2, "cls", 2)
    np.testing.assert_array_equal(maps.xy[2], states[:, :2].astype(np.float32))


def test_a_projection_that_does_not_continue_draws_all_snapshots_again(run: Run) -> None:
    afresh = Projection(
        "afresh", "Afresh", "", "", first_two, place_first_two, stored=True, continues=False
    )
    marked = LayerMaps(
        np.full((1, 480, 2), 7, np.float32), np.ones((1, 2), np.float32), np.zeros(2, "f4")
    )
    runs.write_map(run.path, "afresh", "mean", 1, marked.arrays())
    with PROJECTIONS.extended(afresh):
        maps = update_stored_maps(run, "afresh", "mean", 1)
    states = runs.read_hidden_states(run.path, 0, "mean", 1)
    np.testing.assert_array_equal(maps.xy[0], states[:, :2].astype(np.float32))


@pytest.mark.parametrize("entry", [FIRST_TWO, STORED])
def test_the_command_line_exports_maps_of_a_further_projection(
    run: Run, entry: Projection, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, chart = tmp_path / "points.csv", tmp_path / "maps.json"
    arguments = ["export", str(run.path), "--projection", entry.name, "--layers", "3"]
    with PROJECTIONS.extended(entry):
        status = main([*arguments, "--csv", str(table), "--vega-lite", str(chart)])
    assert status == 0, capsys.readouterr().err
    states = runs.read_hidden_states(run.path, 1, "mean", 3)[:, :2].astype(np.float32)
    points = pd.read_csv(table)
    shown = points[points["snapshot"] == 1][["x", "y"]].to_numpy()
    np.testing.assert_allclose(shown, states, rtol=1e-4)
    spec = json.loads(chart.read_text(encoding="utf-8"))
    rows = [row for rows in spec["datasets"].values() for row in rows if "heading0" in row]
    assert all(entry.label in row["heading0"] for row in rows)


def test_stored_maps_of_a_further_projection_go_into_a_zip_and_come_out(
    run: Run, tmp_path: Path
) -> None:
    with PROJECTIONS.extended(STORED):
        drawn = update_stored_maps(run, "two_stored", "mean", 3)
        zip_run(run, tmp_path / "run.zip")
        with (tmp_path / "run.zip").open("rb") as stream:
            again = unzip_run(stream, tmp_path / "elsewhere")
        maps = read_stored_maps(again, "two_stored", "mean", 3)
    assert maps is not None
    np.testing.assert_array_equal(maps.xy, drawn.xy)


@pytest.mark.parametrize(
    "use",
    [
        lambda run: MapsRequest(projection="pacmap"),
        lambda run: update_stored_maps(run, "pacmap", "mean", 1),
        lambda run: read_stored_maps(run, "pacmap", "mean", 1),
        lambda run: Jobs(run.path.parent).update_maps(run, "pacmap", "mean", 1),
        lambda run: cache.quick_maps(run, "pacmap", (0,), "mean", 1),
    ],
)
def test_an_unknown_projection_is_refused_with_the_known_ones(
    run: Run, use: Callable[[Run], object]
) -> None:
    with pytest.raises(UnknownNameError, match="Choose one of pca, lda, tsne, umap") as refused:
        use(run)
    assert isinstance(refused.value, LayervizError)
    assert "'pacmap'" in refused.value.message


def test_an_unknown_projection_is_refused_by_the_command_line(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["export", run.run_id, "--projection", "pacmap", "--png", "x.png"])
    told = capsys.readouterr().err
    assert "pacmap" in told
    assert all(name in told for name in PROJECTIONS)


@pytest.mark.parametrize("name", ["", "PCA", "t-sne", "a/b", "x" * 21, "1st"])
def test_the_name_of_a_projection_can_be_part_of_a_file_name(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name"):
        Projection(name, "", "", "", first_two, place_first_two)


def test_how_to_read_each_projection_is_in_the_page_on_maps() -> None:
    page = (ROOT / ".readme" / "maps.md").read_text(encoding="utf-8")
    words = " ".join(page.split())
    for projection in PROJECTIONS.values():
        assert f"- **{projection.label}** {projection.reading}" in words, projection.name
        assert projection.label in projections_in_words()
