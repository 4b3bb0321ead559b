"""Test examples come to the maps when they are asked for, and nothing else moves."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from layers import layer_of
from made_runs import dataset_of, made
from pages import caption_text, map_headings, maps_state, open_page
from waiting import wait_until

from layerviz import cache, runs
from layerviz.__main__ import main
from layerviz.errors import ConfigError, RunError
from layerviz.export.checking import check_contents
from layerviz.export.page_data import most_points
from layerviz.export.pictures import specification
from layerviz.export.run_charts import chart_of
from layerviz.export.stage import Moment, Stage
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import files_of, zip_run
from layerviz.jobs import Jobs
from layerviz.projection import (
    PROJECTIONS,
    LayerMaps,
    draw,
    map_quality,
    of_run,
    place_test,
    with_test,
)
from layerviz.projection.of_run import (
    maps_of_layer,
    read_stored_maps,
    read_stored_test,
    ready_by_layer,
    update_stored_maps,
    update_stored_test,
)
from layerviz.runs import Run
from layerviz.runs.layout import Layout
from layerviz.ui.parts.stored_maps import ready_maps
from layerviz.views import MapsRequest, collect_maps, small_print

N_TRAIN, N_VAL, N_TEST = 90, 45, 45
RNG = np.random.default_rng(0)
SPLITS = RNG.permutation(np.array(["train"] * N_TRAIN + ["val"] * N_VAL + ["test"] * N_TEST))
LABELS = np.arange(len(SPLITS)) % 3
CENTRES = 6 * np.eye(3, 16)
TEST, MAPPED = SPLITS == "test", SPLITS != "test"


def snapshots(seed: int = 1) -> list[np.ndarray]:
    """Return states of two snapshots, float16 of shape (N, 16), of three clusters that part."""
    rng = np.random.default_rng(seed)
    noise = rng.normal(size=(2, len(SPLITS), 16))
    return [(far * CENTRES[LABELS] + noise[at]).astype(np.float16) for at, far in enumerate((1, 2))]


STATES = snapshots()
QUICK_TO_IMPORT = [name for name in PROJECTIONS if name != "umap"]  # see test_umap.py


@pytest.mark.parametrize("name", QUICK_TO_IMPORT)
def test_train_and_val_are_the_same_bit_for_bit_with_and_without_test(name: str) -> None:
    whole = draw(name, layer_of(STATES, SPLITS, LABELS))
    alone = draw(
        name, layer_of([state[MAPPED] for state in STATES], SPLITS[MAPPED], LABELS[MAPPED])
    )
    np.testing.assert_array_equal(whole.xy[:, MAPPED], alone.xy)
    np.testing.assert_array_equal(whole.trust, alone.trust)
    assert np.isnan(whole.xy[:, TEST]).all()
    np.testing.assert_array_equal(whole.in_unit_square()[:, MAPPED], alone.in_unit_square())


@pytest.mark.parametrize("name", QUICK_TO_IMPORT)
def test_test_is_placed_as_val_was_and_moves_nothing(name: str) -> None:
    states = [state.copy() for state in STATES]
    for state in states:
        state[TEST] = state[SPLITS == "val"]  # so test must come to lie where val does
    layer = layer_of(states, SPLITS, LABELS)
    maps = draw(name, layer)
    before = maps.xy.copy()
    placed = place_test(name, layer, maps)
    both = with_test(maps, placed, SPLITS)
    np.testing.assert_array_equal(maps.xy, before)
    np.testing.assert_array_equal(both.xy[:, MAPPED], maps.xy[:, MAPPED])
    apart = np.linalg.norm(both.xy[:, TEST] - both.xy[:, SPLITS == "val"], axis=2)
    extent = float(np.ptp(maps.xy[:, MAPPED], axis=(0, 1)).max())
    assert np.median(apart) < 1e-4 * extent
    assert np.quantile(apart, 0.9) < 0.05 * extent  # t-SNE and UMAP amplify the last bit of a float
    np.testing.assert_allclose(both.trust[:, 2], maps.trust[:, 1], atol=0.02)
    assert both.kept is not None
    np.testing.assert_allclose(both.kept[:, 2], both.kept[:, 1], atol=0.02)


def test_test_is_rated_as_val_is() -> None:
    layer = layer_of(STATES, SPLITS, LABELS)
    maps = draw("pca", layer)
    both = with_test(maps, place_test("pca", layer, maps), SPLITS)
    expected = map_quality(STATES[1], both.xy[1], SPLITS, ("train", "val", "test"))
    assert both.kept is not None
    np.testing.assert_allclose(both.trust[1], expected.trust, atol=0.002)
    np.testing.assert_allclose(both.kept[1], expected.kept, atol=0.005)
    as_val = np.where(TEST, "val", np.where(SPLITS == "val", "", SPLITS))
    assert both.trust[1, 2] == pytest.approx(map_quality(STATES[1], both.xy[1], as_val).trust[1])


def test_a_test_example_far_away_is_drawn_at_the_edge_and_leaves_the_scale_as_it_is() -> None:
    states = [state.copy() for state in STATES]
    far = np.flatnonzero(TEST)[0]
    states[1][far] += 60
    layer = layer_of(states, SPLITS, LABELS)
    maps = draw("pca", layer)
    both = with_test(maps, place_test("pca", layer, maps), SPLITS)
    square = both.in_unit_square()
    np.testing.assert_array_equal(square[:, MAPPED], maps.in_unit_square()[:, MAPPED])
    assert both.beyond_square()[far]
    assert square[1, far].max() == 1 or square[1, far].min() == 0
    assert ((square >= 0) & (square <= 1)).all()


def test_what_was_placed_before_is_used_again_as_long_as_its_map_is_the_same() -> None:
    layer = layer_of(STATES, SPLITS, LABELS)
    maps = draw("tsne", layer)
    first = place_test("tsne", layer_of(STATES[:1], SPLITS, LABELS), maps.at([0]))
    marked = type(first)(first.xy + 100, first.trust, first.kept, first.placed_in)
    again = place_test("tsne", layer, maps, earlier=marked)
    np.testing.assert_array_equal(again.xy[0], marked.xy[0])
    moved = LayerMaps(maps.xy + 1, maps.trust, maps.explained, maps.kept)
    anew = place_test("tsne", layer, moved, earlier=marked)
    assert (anew.xy[0] != marked.xy[0]).all()


# --- of a run -------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("original")
    return made(root, dataset_of(n_test=60), "enc", {3: 4.0, 4: 2.0}, n_snapshots=2)


@pytest.fixture
def run(original: Run, tmp_path: Path) -> Run:
    """Return a copy of a run that a test may write to."""
    root = tmp_path / "runs"
    shutil.copytree(original.path, root / original.run_id)
    return runs.read(root, original.run_id)


def test_stored_maps_hold_no_test_until_it_is_asked_for_and_are_not_written_to_then(
    run: Run,
) -> None:
    drawn = update_stored_maps(run, "tsne", "mean", 3)
    is_test = (runs.read_examples(run.path)["split"] == "test").to_numpy()
    assert np.isnan(drawn.xy[:, is_test]).all()
    assert read_stored_test(run, "tsne", "mean", 3) is None
    file = run.layout.map("tsne", "mean", 3)
    content, version = file.read_bytes(), runs.map_version(run.path, "tsne", "mean", 3)
    placed = update_stored_test(run, "tsne", "mean", 3)
    assert placed.xy.shape == (2, 60, 2)
    assert np.isfinite(placed.xy).all()
    assert file.read_bytes() == content
    assert runs.map_version(run.path, "tsne", "mean", 3) == version
    again = read_stored_test(run, "tsne", "mean", 3)
    assert again is not None
    np.testing.assert_array_equal(again.xy, placed.xy)
    maps = maps_of_layer(run, "tsne", "mean", 3, [1], splits=("train", "val", "test"))
    assert maps.trust.shape == (1, 3)
    np.testing.assert_array_equal(maps.xy[0, ~is_test], drawn.xy[1, ~is_test])


def test_maps_of_an_earlier_version_open_as_they_are_and_take_test_in(run: Run) -> None:
    drawn = update_stored_maps(run, "tsne", "mean", 3)
    is_test = (runs.read_examples(run.path)["split"] == "test").to_numpy()
    earlier = drawn.arrays() | {"xy": drawn.xy + np.float32(3)}  # as no new drawing is
    earlier["xy"][:, is_test] = 7  # it placed test beside val
    runs.write_map(run.path, "tsne", "mean", 3, earlier)
    maps = update_stored_maps(run, "tsne", "mean", 3)
    np.testing.assert_array_equal(maps.xy[:, ~is_test], earlier["xy"][:, ~is_test])
    assert np.isnan(maps.xy[:, is_test]).all()
    placed = update_stored_test(run, "tsne", "mean", 3)
    low, high = np.nanmin(maps.xy, axis=(0, 1)), np.nanmax(maps.xy, axis=(0, 1))
    inside = ((placed.xy > low - 5) & (placed.xy < high + 5)).all(axis=2)
    assert inside.mean() > 0.9


def test_maps_drawn_anew_forget_where_test_was(run: Run) -> None:
    update_stored_maps(run, "tsne", "mean", 3)
    update_stored_test(run, "tsne", "mean", 3)
    run.layout.map("tsne", "mean", 3).unlink()
    update_stored_maps(run, "tsne", "mean", 3)
    assert runs.placed_snapshots(run.path, "tsne", "mean", 3) == 0


def test_test_cannot_be_placed_into_maps_that_are_not_there(run: Run) -> None:
    with pytest.raises(RunError, match="not drawn yet"):
        update_stored_test(run, "tsne", "mean", 3)


def test_a_look_at_the_files_tells_how_many_snapshots_are_ready(run: Run) -> None:
    assert runs.mapped_snapshots(run.path, "tsne", "mean", 3) == 0
    drawn = update_stored_maps(run, "tsne", "mean", 3)
    assert runs.mapped_snapshots(run.path, "tsne", "mean", 3) == 2
    assert runs.placed_snapshots(run.path, "tsne", "mean", 3) == 0
    runs.write_map(run.path, "tsne", "mean", 3, drawn.at([0]).arrays())
    assert runs.mapped_snapshots(run.path, "tsne", "mean", 3) == 1
    maps = read_stored_maps(run, "tsne", "mean", 3)
    assert maps is not None
    assert maps.n_snapshots == 1


def test_a_worker_draws_the_maps_and_places_test(run: Run) -> None:
    jobs = Jobs(run.path.parent)
    jobs.place_test(run, "tsne", "mean", 4)
    wait_until(lambda: not jobs.place_test(run, "tsne", "mean", 4).live)
    state = jobs.place_test(run, "tsne", "mean", 4)
    assert state.error is None
    assert state.progress.fraction == 1
    assert runs.mapped_snapshots(run.path, "tsne", "mean", 4) == 2
    assert runs.placed_snapshots(run.path, "tsne", "mean", 4) == 2


def test_where_test_lies_goes_into_a_zip_and_comes_out(run: Run, tmp_path: Path) -> None:
    update_stored_maps(run, "tsne", "mean", 3)
    placed = update_stored_test(run, "tsne", "mean", 3)
    zip_run(run, tmp_path / "run.zip")
    with (tmp_path / "run.zip").open("rb") as stream:
        again = unzip_run(stream, tmp_path / "elsewhere")
    there = read_stored_test(again, "tsne", "mean", 3)
    assert there is not None
    np.testing.assert_array_equal(there.xy, placed.xy)


def test_a_zip_with_places_of_other_examples_is_refused(run: Run, tmp_path: Path) -> None:
    update_stored_maps(run, "tsne", "mean", 3)
    placed = update_stored_test(run, "tsne", "mean", 3)
    cut = placed.arrays() | {"xy": placed.xy[:, :5].copy()}
    runs.write_placed_test(run.path, "tsne", "mean", 3, cut)
    zip_run(run, tmp_path / "run.zip")
    with (
        (tmp_path / "run.zip").open("rb") as stream,
        pytest.raises(RunError, match="does not have a point for each test example"),
    ):
        unzip_run(stream, tmp_path / "elsewhere")


# --- views ----------------------------------------------------------------------------------


def test_a_view_with_test_has_a_third_panel_and_the_points_of_test(run: Run) -> None:
    two = collect_maps(run, MapsRequest(layers=(3,)))
    three = collect_maps(run, MapsRequest(layers=(3,), splits=("test", "train", "val")))
    assert three.view.splits == ("train", "val", "test")
    assert three.sizes == two.sizes | {"test": 60}
    points = three.points()
    part = points[points["split"] != "test"].reset_index(drop=True)
    assert part.equals(two.points())  # nothing of train and val is different
    assert (points["split"] == "test").sum() == 60
    panels = three.panels()
    assert panels["split"].tolist() == ["train", "val", "test"]
    title, heading = str(panels.loc[2, "title1"]), str(panels.loc[2, "heading0"])
    assert title.count("T 0.") == 1
    assert "F1" in title
    assert heading.startswith("Test (n = 60)")
    assert panels.iloc[:2].equals(two.panels())
    assert "val and test are placed into them. Nothing is chosen by test." in " ".join(
        small_print([three])
    )
    assert "test" not in " ".join(small_print([two]))


def test_a_view_of_test_alone_has_the_figures_of_test(run: Run) -> None:
    three = collect_maps(run, MapsRequest(layers=(3,), splits=("train", "val", "test"))).panels()
    alone = collect_maps(run, MapsRequest(layers=(3,), splits=("test",))).panels()
    assert alone.iloc[[0]].equals(three.iloc[[2]].reset_index(drop=True))


def test_the_small_print_counts_test_examples_beyond_the_edge(run: Run) -> None:
    maps = collect_maps(run, MapsRequest(layers=(3,), splits=("train", "val", "test")))
    test = maps.rows[maps.splits[maps.rows] == "test"]
    of_layer = maps.by_layer[3]
    of_layer.xy[0, test[:2]] = 1e4
    sentences = " ".join(small_print([maps]))
    assert "2 test examples lie beyond the edge of a map and are drawn at it." in sentences


def test_a_split_that_is_not_there_is_refused(run: Run) -> None:
    counts = {split: run.dataset["counts"][split] for split in ("train", "val")}
    without_test = replace(run, dataset=run.dataset | {"counts": counts})
    with pytest.raises(ConfigError, match="no test split") as refused:
        collect_maps(without_test, MapsRequest(splits=("train", "test")))
    assert "train, val" in refused.value.hint
    with pytest.raises(ConfigError, match="no split 'dev'"):
        MapsRequest(splits=("dev",))
    with pytest.raises(ConfigError, match="No split is chosen"):
        MapsRequest(splits=())
    view = collect_maps(run, MapsRequest(layers=(3,), splits=("train", "val", "test"))).view
    assert view.as_request().splits == view.splits


# --- export ---------------------------------------------------------------------------------


def test_the_command_line_lists_where_test_lies(run: Run, tmp_path: Path) -> None:
    two, three = tmp_path / "two.csv", tmp_path / "three.csv"
    arguments = ["export", str(run.path), "--layers", "3", "--csv"]
    assert main([*arguments, str(two)]) == 0
    assert main([*arguments, str(three), "--splits", "train,val,test"]) == 0
    table = pd.read_csv(three)
    assert (table["split"] == "test").sum() == 2 * 60
    assert table[["x", "y"]].notna().all(axis=None)
    part = table[table["split"] != "test"].reset_index(drop=True)
    assert part.equals(pd.read_csv(two))


def test_the_command_line_refuses_a_split_that_there_is_not(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["export", str(run.path), "--splits", "train,dev", "--csv", str(tmp_path / "c.csv")])
    assert "'dev' is no split: choose from train, val, test" in capsys.readouterr().err


def test_pictures_and_animations_have_a_column_for_test(run: Run) -> None:
    maps = collect_maps(run, MapsRequest(layers=(1, 3), splits=("train", "val", "test")))
    panels = maps.panels()
    assert panels["split"].value_counts().to_dict() == {"train": 2, "val": 2, "test": 2}
    chart = specification(chart_of(maps))
    assert "Test (n = 60)" in json.dumps(chart)
    stage = Stage(maps, 600, runs.read_separability(run.path), dark=False)
    frame = np.asarray(stage.frame(Moment(1, 1))).reshape(stage.height, 600, 3).astype(int)
    colours = np.array(stage.colours_used())[-len(run.label_names) :]
    is_dot = (np.abs(frame[:, :, None] - colours).sum(axis=3) == 0).any(axis=2)
    half = stage.map_side() / 2
    for side in range(3):
        x, y = stage.panel_middle(1, side)
        assert half < x < 600 - half
        panel = is_dot[int(y - half) : int(y + half), int(x - half) : int(x + half)]
        assert panel.sum() > 60  # pixels of the colours of classes


def test_the_offline_page_has_as_few_points_as_its_columns_need() -> None:
    assert most_points(8, 100, 3) < most_points(8, 100, 2)


def test_quick_maps_of_a_whole_run_are_kept_and_drawn_again_where_the_file_is_damaged(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = runs.read(Path(shutil.copytree(run.path, tmp_path / run.run_id)).parent, run.run_id)
    first = of_run.quick_maps(own, "lda", "mean", 2, [0, 1])
    file = Layout(own.path).map("lda", "mean", 2)
    assert file.is_file()
    check_contents(own.path, own)
    assert not any("lda" in name for name in files_of(own))  # whoever opens a zip has them at once
    with monkeypatch.context() as patch:
        patch.setattr(of_run, "draw", lambda *_: pytest.fail("drawn twice"))
        kept = of_run.quick_maps(own, "lda", "mean", 2, [0, 1])
        for name, array in first.arrays().items():
            np.testing.assert_array_equal(kept.arrays()[name], array, strict=True)
    only_last = of_run.quick_maps(own, "lda", "mean", 2, [1])  # other axes: of that one alone
    assert only_last.n_snapshots == 1
    fewer = {name: array[:, :5] for name, array in first.arrays().items() if name == "xy"}
    runs.write_map(own.path, "lda", "mean", 2, first.arrays() | fewer)  # of another run
    np.testing.assert_array_equal(of_run.quick_maps(own, "lda", "mean", 2, [0, 1]).xy, first.xy)
    file.write_bytes(b"damaged")
    again = of_run.quick_maps(own, "lda", "mean", 2, [0, 1])
    np.testing.assert_array_equal(again.xy, first.xy)


def test_a_run_that_is_deleted_while_its_maps_are_drawn_stays_deleted(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = runs.read(Path(shutil.copytree(run.path, tmp_path / run.run_id)).parent, run.run_id)

    def deleted_meanwhile(*arguments: object, **options: object) -> LayerMaps:
        shutil.rmtree(own.path)
        return draw(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(of_run, "draw", deleted_meanwhile)
    assert of_run.quick_maps(own, "lda", "mean", 2, [0, 1]).n_snapshots == 2
    assert not own.path.exists()


def test_several_layers_are_drawn_at_once_and_kept_in_the_cache(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = runs.read(Path(shutil.copytree(run.path, tmp_path / run.run_id)).parent, run.run_id)
    st.cache_data.clear()
    cache.draw_quick_maps(own, "lda", (0, 1), "mean", (1, 2))
    monkeypatch.setattr(of_run, "quick_maps", lambda *_: pytest.fail("drawn twice"))
    cache.draw_quick_maps(own, "lda", (0, 1), "mean", (1, 2))
    assert cache.quick_maps(own, "lda", (0, 1), "mean", 2).n_snapshots == 2


def test_maps_of_a_run_that_goes_on_are_not_kept(run: Run, tmp_path: Path) -> None:
    own = runs.read(Path(shutil.copytree(run.path, tmp_path / run.run_id)).parent, run.run_id)
    of_run.quick_maps(replace(own, status="running"), "lda", "mean", 2, [0, 1])
    assert not Layout(own.path).map("lda", "mean", 2).exists()


def test_a_layer_that_is_behind_the_others_shows_its_newest_map(run: Run, tmp_path: Path) -> None:
    behind = runs.read(Path(shutil.copytree(run.path, tmp_path / run.run_id)).parent, run.run_id)
    early = replace(behind, snapshots=behind.snapshots[:1])
    update_stored_maps(early, "tsne", "mean", 3)
    shown = ready_maps(behind, "tsne", "mean", 3, [0, 1])
    assert shown.n_snapshots == 1
    np.testing.assert_array_equal(shown.xy, ready_maps(behind, "tsne", "mean", 3, [0]).xy)
    np.testing.assert_array_equal(shown.xy, ready_maps(behind, "tsne", "mean", 3, [1]).xy)


def test_what_can_be_shown_is_told_layer_by_layer(run: Run) -> None:
    update_stored_maps(run, "tsne", "mean", 3)
    assert ready_by_layer(run, "pca", "mean", [1, 3]) == {1: 2, 3: 2}
    assert ready_by_layer(run, "tsne", "mean", [1, 3]) == {1: 0, 3: 2}
    with_test = ("train", "val", "test")
    assert ready_by_layer(run, "tsne", "mean", [3], with_test) == {3: 0}
    update_stored_test(run, "tsne", "mean", 3)
    assert ready_by_layer(run, "tsne", "mean", [3], with_test) == {3: 2}


# --- page -----------------------------------------------------------------------------------


def test_a_test_example_has_its_path_and_leads_to_the_maps_of_test(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(run.path.parent))
    app = open_page(run=run.run_id)
    app.session_state["tabs"] = "Examples"
    app.session_state["opened_example"] = (run.dataset["fingerprint"], "train-490")
    app.run()
    assert not app.exception
    assert "row 490 of toy.csv (test)" in caption_text(app)
    assert "for a point of val or test" in caption_text(app)
    assert any(heading.startswith("Test (n = 60)") for heading in map_headings(app))
    (nearest,) = (d.value for d in app.dataframe if "before training" in d.value)
    labels = dict(
        zip(*(runs.read_examples(run.path)[name] for name in ("id", "label")), strict=True)
    )
    assert nearest.loc["Layer 3", "epoch 1"] == run.label_names[labels["train-490"]]
    app.button(key="example_in_maps").click().run()
    assert not app.exception
    assert app.toggle(key="show_test").value
    assert maps_state(app)["picked"]["count"] == "1 selected"
    assert "Nothing is chosen by test." in caption_text(app)
