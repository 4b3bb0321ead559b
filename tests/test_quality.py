"""A map's trustworthiness and its share of kept neighbours: what they are, and where they stand."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import altair as alt
import numpy as np
import pandas as pd
import pytest
from layers import layer_of
from made_runs import dataset_of, made
from specs import texts_in_svg

from layerviz import charts, runs
from layerviz.charts import Grid
from layerviz.export.pictures import picture
from layerviz.export.stage import Moment, Stage
from layerviz.export.zip_reading import unzip_run
from layerviz.export.zip_writing import zip_run
from layerviz.projection import (
    NEIGHBOURS,
    PROJECTIONS,
    kept_neighbours,
    map_quality,
    quality,
    trustworthiness,
)
from layerviz.projection.of_run import read_stored_maps, update_stored_maps
from layerviz.runs import Run
from layerviz.views import MAPS_FOOTNOTE, MapsRequest, collect_maps, small_print
from layerviz.wording import map_figures

pytestmark = pytest.mark.fast

EARLIER = Path(__file__).parent / "earlier" / "runs" / "tiny-bert-messages-dd4b362b"
SPLITS = np.random.default_rng(1).permutation(["train"] * 90 + ["val"] * 40 + ["test"] * 20)


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.linalg.norm(points[:, None].astype(np.float64) - others[None], axis=2)


def kept_by_hand(states: np.ndarray, xy: np.ndarray, at: np.ndarray, among: np.ndarray) -> float:
    """Return the mean share of nearest neighbours that two spaces have in common, set by set."""
    shares = []
    for row in at:
        others = among[among != row]
        nearest = [
            set(others[np.argsort(distances(space[[row]], space[others])[0])[:NEIGHBOURS]])
            for space in (states, xy)
        ]
        shares.append(len(nearest[0] & nearest[1]) / NEIGHBOURS)
    return float(np.mean(shares))


def rows_of_split(split: str) -> np.ndarray:
    return np.flatnonzero(split == SPLITS)


# --- what the figures are -------------------------------------------------------------------


@pytest.mark.parametrize("blur", [0.0, 0.5, 5.0])
def test_the_share_of_kept_neighbours_is_that_of_a_count_by_hand(blur: float) -> None:
    states = noise(len(SPLITS), 6).astype(np.float16)
    xy = states[:, :2].astype(np.float32) + blur * noise(len(SPLITS), 2, seed=1)
    rated = map_quality(states, xy, SPLITS)
    train, val = rows_of_split("train"), rows_of_split("val")
    assert rated.kept[0] == pytest.approx(kept_by_hand(states, xy, train, train))
    assert rated.kept[1] == pytest.approx(kept_by_hand(states, xy, val, train))
    assert rated.kept[0] == pytest.approx(kept_neighbours(states[train], xy[train]))
    assert rated.trust[1] == pytest.approx(trustworthiness(states[val], xy[val]))


def test_a_map_that_shows_everything_keeps_all_and_one_at_random_keeps_chance() -> None:
    flat = noise(400, 2)
    assert kept_neighbours(flat, flat) == 1.0
    assert kept_neighbours(flat, noise(400, 2, seed=1)) == pytest.approx(12 / 399, abs=0.02)


def test_trustworthiness_is_high_where_few_neighbours_are_kept() -> None:
    """Clusters lie as they should, and within them points lie at random."""
    rng = np.random.default_rng(0)
    clusters = np.arange(600) % 10
    centres = 40 * rng.normal(size=(10, 30))
    states = centres[clusters] + rng.normal(size=(600, 30))
    xy = centres[clusters, :2] + rng.normal(size=(600, 2))
    rated = map_quality(states, xy, np.array(["train"] * 400 + ["val"] * 200))
    assert (rated.trust > 0.93).all()
    assert (rated.kept < 0.45).all()
    assert rated.kept[0] == pytest.approx(12 / 39, abs=0.05)  # what chance keeps in a cluster


def test_blocks_of_points_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    states = noise(len(SPLITS), 8)
    whole = map_quality(states, states[:, :2], SPLITS)
    monkeypatch.setattr(quality, "COMPARED_AT_ONCE", 7 * NEIGHBOURS * 90)
    in_blocks = map_quality(states, states[:, :2], SPLITS)
    np.testing.assert_array_equal(whole.trust, in_blocks.trust)
    np.testing.assert_array_equal(whole.kept, in_blocks.kept)


def test_a_sample_of_points_is_close_to_all_of_them() -> None:
    states = noise(1200, 10)
    sampled = kept_neighbours(states, states[:, :2])
    assert sampled == pytest.approx(
        kept_neighbours(states, states[:, :2], max_points=1200), abs=0.02
    )


def test_equal_points_are_each_others_neighbours() -> None:
    """Of thirty equal texts, no twelve are nearer than the others."""
    states = np.repeat(noise(4, 8), 30, axis=0)
    assert kept_neighbours(states, states[:, :2]) == 1.0


def test_few_points_and_equal_ones_are_not_rated() -> None:
    few = np.array(["train"] * 24 + ["val"] * 60)
    rated = map_quality(noise(84, 4), noise(84, 2), few)
    assert np.isnan(rated.trust[0])
    assert np.isnan(rated.kept).all()  # val is placed among train, of which there is too little
    equal = map_quality(np.ones((90, 4)), noise(90, 2), np.array(["train", "val"] * 45))
    assert np.isnan([equal.trust, equal.kept]).all()


@pytest.mark.parametrize("name", ["pca", "lda", "tsne"])
def test_every_projection_is_rated(name: str) -> None:
    states = noise(len(SPLITS), 6).astype(np.float16)
    maps = PROJECTIONS[name].draw(
        layer_of([states], SPLITS, np.arange(len(SPLITS)) % 3), None, lambda _: None, lambda: False
    )
    expected = map_quality(states, maps.xy[0], SPLITS)
    assert maps.kept is not None
    np.testing.assert_allclose(maps.kept[0], expected.kept, atol=0.002)
    np.testing.assert_allclose(maps.trust[0], expected.trust, atol=0.002)


# --- maps that are stored -------------------------------------------------------------------


@pytest.fixture
def earlier(tmp_path: Path) -> Run:
    return runs.open_folder(Path(shutil.copytree(EARLIER, tmp_path / "runs" / EARLIER.name)))


def test_maps_stored_without_the_share_are_rated_on_reading(earlier: Run) -> None:
    stored = runs.read_map(earlier.path, "tsne", "mean", 1)
    assert stored is not None
    assert "kept" not in stored
    maps = read_stored_maps(earlier, "tsne", "mean", 1)
    assert maps is not None
    np.testing.assert_array_equal(maps.xy, stored["xy"])
    np.testing.assert_array_equal(maps.trust, stored["trust"])
    splits = runs.read_examples(earlier.path)["split"].to_numpy()
    assert maps.kept is not None
    for snapshot, kept in enumerate(maps.kept):
        states = runs.read_hidden_states(earlier.path, snapshot, "mean", 1)
        np.testing.assert_array_equal(kept, map_quality(states, maps.xy[snapshot], splits).kept)
    assert "kept" not in (runs.read_map(earlier.path, "tsne", "mean", 1) or {})  # only read


def test_maps_made_now_store_the_share_and_come_out_of_a_zip(earlier: Run, tmp_path: Path) -> None:
    earlier.layout.map("tsne", "mean", 1).unlink()
    made_now = update_stored_maps(earlier, "tsne", "mean", 1)
    stored = runs.read_map(earlier.path, "tsne", "mean", 1)
    assert stored is not None
    assert made_now.kept is not None
    np.testing.assert_array_equal(stored["kept"], made_now.kept)
    zip_run(earlier, tmp_path / "run.zip")
    again = read_stored_maps(unzip_run(tmp_path / "run.zip", tmp_path / "there"), "tsne", "mean", 1)
    assert again is not None
    np.testing.assert_array_equal(again.kept, made_now.kept)


# --- where they stand -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return made(tmp_path_factory.mktemp("runs"), dataset_of(), "bert-a", {3: 4.0, 4: 2.0})


def figures_of(run: Run) -> tuple[str, str, float]:
    """Return T and the share of kept neighbours of layer 3 in train, as titles write them."""
    maps = collect_maps(run, MapsRequest(layers=(3,))).by_layer[3]
    assert maps.kept is not None
    _, trust, kept = map_figures(0.0, maps.trust[-1, 0], maps.kept[-1, 0])
    return trust, kept, float(maps.kept[-1, 0])


def test_figures_are_written_as_people_do() -> None:
    assert map_figures(0.789, 0.934, 0.384) == ["F1 0.79", "T 0.93", "kept 38 %"]
    assert map_figures(np.nan, 0.9, np.nan) == ["T 0.90"]


def test_the_small_print_says_what_both_figures_are(run: Run) -> None:
    maps = collect_maps(run, MapsRequest(layers=(3,)))
    text = " ".join(small_print([maps]))
    _, kept, share = figures_of(run)
    assert "trustworthiness of a map (Venna and Kaski 2001)" in text
    assert f"“{kept}” means that {100 * share:.0f} % of a point's 12 nearest neighbours" in text
    assert "are also among its 12 nearest on the map" in text
    n_train = (maps.splits == "train").sum()
    assert f"at random would keep about {1200 / (n_train - 1):.0f} %" in text


def test_without_the_share_maps_show_trustworthiness_alone(run: Run) -> None:
    maps = collect_maps(run, MapsRequest(layers=(3,)))
    alone = dataclasses.replace(
        maps, by_layer={3: dataclasses.replace(maps.by_layer[3], kept=None)}
    )
    assert not any("kept" in title for title in alone.panels()["title0"])
    assert all("T " in title for title in alone.panels()["title0"])
    assert "“kept" not in " ".join(small_print([alone]))


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_pictures_show_both_and_say_what_they_are(run: Run, theme: str) -> None:
    from layerviz.export.run_charts import maps_chart

    chart = maps_chart(run, MapsRequest(layers=(3, 4)), dark=theme == "dark")
    written = texts_in_svg(picture(chart, "svg", theme=theme))
    trust, kept, _ = figures_of(run)
    assert any(trust in text and kept in text for text in written)
    assert MAPS_FOOTNOTE.split()[-1] in " ".join(written)


def test_animations_show_both_and_say_what_they_are(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[tuple[str, float]] = []  # and where it ends, in parts of the width
    from PIL import ImageDraw

    draw = ImageDraw.ImageDraw.text

    def text(self, at, words, *args, **kwargs) -> None:
        if kwargs.get("anchor") != "ra":
            written.append((words, at[0] + kwargs["font"].getlength(words)))
        draw(self, at, words, *args, **kwargs)

    monkeypatch.setattr(ImageDraw.ImageDraw, "text", text)
    trust, kept, _ = figures_of(run)
    for layers in ((3,), tuple(range(5))):
        maps = collect_maps(run, MapsRequest(layers=layers))
        written.clear()
        Stage(maps, 400, runs.read_separability(run.path), dark=True).frame(Moment(1, 1))
        assert any(trust in words and kept in words for words, _ in written)
        assert MAPS_FOOTNOTE in " ".join(words for words, _ in written)
        assert max(end for _, end in written) <= 400


def chart_of_panels(n_maps: int, names: str = "") -> alt.LayerChart:
    rng, rows = np.random.default_rng(0), np.arange(12)
    layers = range(1, n_maps + 1)
    figures = {layer: np.array([[0.88, 0.88]]) for layer in layers}
    predictions = [pd.DataFrame({"predicted": [0] * 12, "confidence": [0.5] * 12})]
    panels = charts.panels_frame(
        figures, [3.0], {"train": 2000, "val": 1000}, 1, figures, "t-SNE",
        dict.fromkeys(layers, names) if names else None, kept=figures,
    )  # fmt: skip
    positions = {layer: rng.random((1, 12, 2)) for layer in layers}
    splits = np.array(["train", "val"] * 6)
    return charts.layer_maps(
        charts.points_frame(positions, splits, rows, predictions, [rows * 0]),
        pd.DataFrame({"row": rows, "text": "t", "label": "x"}),
        panels,
        layers=list(layers),
        label_names=["x"],
        n_slots=1,
        grid=Grid.matrix(n_maps) if names else Grid.of(n_maps),
    )


@pytest.mark.parametrize("width", [358, 700, 1200])  # 358: a page of 390 pixels
@pytest.mark.parametrize("n_maps", [1, 8, 12, 16])
def test_titles_are_not_cut_off(n_maps: int, width: int) -> None:
    chart = chart_of_panels(n_maps)
    written = texts_in_svg(picture(chart, "svg", width=width))
    assert not [text for text in written if "…" in text]
    titles = [text for text in written if text.startswith("Layer ")]
    assert len(titles) == 2 * n_maps
    assert all("F1 0.88" in text and "T 0.88" in text and "kept 88 %" in text for text in titles)


@pytest.mark.parametrize("width", [358, 700, 1200])
@pytest.mark.parametrize("n_maps", [2, 4])
def test_titles_of_a_comparison_are_not_cut_off(n_maps: int, width: int) -> None:
    chart = chart_of_panels(n_maps, "DistilBERT mini  ·  layer 12 of 12, mean, epoch 0.25")
    written = texts_in_svg(picture(chart, "svg", width=width))
    assert not [text for text in written if "…" in text]
    assert sum("kept 88 %" in text for text in written) == 2 * n_maps
