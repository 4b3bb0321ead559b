"""UMAP keeps the rules of all maps. Its import and compiling are paid once, by a fixture."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from layers import layer_of
from test_projection import clustered, extent, interleaved, noise

from layerviz.errors import Cancelled
from layerviz.progress import Progress
from layerviz.projection import LayerMaps, draw, place_test, with_test
from layerviz.projection.umap import place_in_umap, umap_maps

ROOT = Path(__file__).resolve().parents[1]
SPLITS = interleaved()
TRAIN = SPLITS == "train"
STATES, CLUSTERS = clustered(SPLITS)


@pytest.fixture(scope="module")
def drawn() -> LayerMaps:
    """Maps of three snapshots between which nothing changes."""
    return umap_maps(layer_of([STATES] * 3, SPLITS))


def test_nothing_but_drawing_umap_imports_it() -> None:
    """Nor does t-SNE import pynndescent, which takes as long."""
    code = (
        "import sys, numpy as np, layerviz.jobs, layerviz.cache, layerviz.export.page\n"
        "x = np.random.default_rng(0).normal(size=(1100, 8)).astype('float32')\n"
        "from layerviz.projection import LayerStates, tsne\n"
        "tsne.FIRST_PHASES = ((1, 10),)\n"
        "splits, labels = np.array(['train'] * 1100), np.zeros(1100, dtype=int)\n"
        "tsne.tsne_maps(LayerStates([x], splits, labels, 0))\n"
        "print([name for name in ('umap', 'numba', 'pynndescent') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_val_has_no_say_in_where_train_lies(drawn: LayerMaps) -> None:
    changed = STATES.copy()
    changed[~TRAIN] = noise(int((~TRAIN).sum()), 16, seed=3)
    after = umap_maps(layer_of([changed] * 2, SPLITS))
    np.testing.assert_array_equal(after.xy[:, TRAIN], drawn.xy[:2, TRAIN])
    assert not np.allclose(after.xy[0, ~TRAIN], drawn.xy[0, ~TRAIN])


def test_the_seed_decides(drawn: LayerMaps) -> None:
    np.testing.assert_array_equal(umap_maps(layer_of([STATES], SPLITS)).xy[0], drawn.xy[0])
    assert (umap_maps(layer_of([STATES], SPLITS, seed=1)).xy[0] != drawn.xy[0]).any()


def test_points_stay_where_the_states_do_not_change(drawn: LayerMaps) -> None:
    """Over several seeds: with one, a single cluster that slides decides, and processors differ."""
    moved = []
    for maps in (
        drawn,
        *(umap_maps(layer_of([STATES] * 3, SPLITS, seed=seed)) for seed in range(1, 5)),
    ):
        for before, after in itertools.pairwise(maps.xy):
            moved.append(np.linalg.norm(after - before, axis=1) / extent(before))
    assert np.median(moved) < 0.12


def test_a_snapshot_starts_where_the_one_before_ended() -> None:
    """Unrelated states end nearer to the earlier map if they start from it."""
    one, other = noise(len(SPLITS), 16), noise(len(SPLITS), 16, seed=1)
    continued = umap_maps(layer_of([one, one + 0.3 * other], SPLITS)).xy
    afresh = umap_maps(layer_of([one + 0.3 * other], SPLITS)).xy[0]
    moved = np.linalg.norm(continued[1] - continued[0], axis=1).mean()
    assert moved < 0.6 * np.linalg.norm(afresh - continued[0], axis=1).mean()


def test_val_lies_with_the_train_points_of_its_cluster(drawn: LayerMaps) -> None:
    apart = np.linalg.norm(drawn.xy[0, ~TRAIN][:, None] - drawn.xy[0, TRAIN], axis=2)
    assert (CLUSTERS[TRAIN][apart.argmin(axis=1)] == CLUSTERS[~TRAIN]).mean() > 0.95
    assert (drawn.trust > 0.8).all()
    assert np.isnan(drawn.explained).all()


def test_new_snapshots_go_on_from_earlier_maps(drawn: LayerMaps) -> None:
    reports: list[Progress] = []
    unread = np.full_like(STATES, np.nan)  # to look at it again would fail
    after = umap_maps(
        layer_of([unread, unread, STATES], SPLITS),
        earlier=drawn.at((0, 1)),
        on_progress=reports.append,
    )
    np.testing.assert_array_equal(after.xy, drawn.xy)
    np.testing.assert_array_equal(after.trust, drawn.trust)
    assert [report.fraction for report in reports] == [1.0]


def test_new_points_land_where_val_was_drawn(drawn: LayerMaps) -> None:
    placed = place_in_umap(layer_of([STATES], SPLITS), drawn.xy[-1], STATES[~TRAIN], 0)
    distance = np.linalg.norm(placed - drawn.xy[-1, ~TRAIN], axis=1)
    assert np.median(distance) < 0.01 * extent(drawn.xy[-1])
    one = place_in_umap(layer_of([STATES], SPLITS), drawn.xy[-1], STATES[~TRAIN][:1], 0)
    assert one.shape == (1, 2)
    assert one.dtype == np.float32


@pytest.mark.parametrize("n_train", [2, 4, 5, 9])
def test_a_handful_of_train_points_is_drawn(n_train: int) -> None:
    splits = interleaved(n_train, 6)
    states = noise(n_train + 6, 8).astype(np.float16)
    maps = umap_maps(layer_of([states, states], splits))
    assert np.isfinite(maps.xy).all()
    placed = place_in_umap(layer_of([states], splits), maps.xy[0], states[:2], 0)
    assert np.isfinite(placed).all()


def test_equal_states_are_one_point_and_later_ones_recover() -> None:
    maps = umap_maps(layer_of([np.ones_like(STATES), STATES], SPLITS))
    assert not maps.xy[0].any()
    assert maps.trust[1, 0] > 0.8
    assert not place_in_umap(
        layer_of([np.ones_like(STATES)], SPLITS), maps.xy[0], STATES[:3], 0
    ).any()


@pytest.mark.parametrize("asked", [1, 2])
def test_it_stops_when_told_to_and_can_be_drawn_again(asked: int) -> None:
    answers = iter([False] * (asked - 1) + [True])
    with pytest.raises(Cancelled):
        umap_maps(layer_of([STATES], SPLITS), should_stop=lambda: next(answers))
    assert umap_maps(layer_of([STATES], SPLITS)).n_snapshots == 1  # no lock was left behind


def test_umap_draws_the_same_with_and_without_test_and_places_it_as_val() -> None:
    splits = np.concatenate([SPLITS, np.full((~TRAIN).sum(), "test")])
    states = np.concatenate([STATES, STATES[~TRAIN]])  # test is val once more
    layer = layer_of([states], splits)
    maps = draw("umap", layer)
    alone = draw("umap", layer_of([STATES], SPLITS))
    np.testing.assert_array_equal(maps.xy[:, : len(SPLITS)], alone.xy)
    both = with_test(maps, place_test("umap", layer, maps), splits)
    np.testing.assert_array_equal(both.xy[:, : len(SPLITS)], alone.xy)
    apart = np.linalg.norm(both.xy[0, splits == "test"] - both.xy[0, splits == "val"], axis=1)
    assert np.median(apart) < 0.01 * extent(alone.xy[0])
