"""Maps are fitted on train alone, comparable from snapshot to snapshot, and honestly rated."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import openTSNE
import pytest
from layers import layer_of
from sklearn.manifold import trustworthiness as sklearn_trustworthiness

from layerviz.errors import Cancelled
from layerviz.progress import Progress
from layerviz.projection import LayerMaps, trustworthiness, tsne
from layerviz.projection.pca import pca_maps, place_in_pca
from layerviz.projection.tsne import place_in_tsne, tsne_maps

pytestmark = pytest.mark.fast

N_TRAIN, N_VAL = 90, 45
CENTRES = 6 * np.eye(3, 16)  # of three clusters, far apart


def interleaved(n_train: int = N_TRAIN, n_val: int = N_VAL) -> np.ndarray:
    """Return split names with train and val rows mixed, as a split column may have them."""
    names = np.array(["train"] * n_train + ["val"] * n_val)
    return np.random.default_rng(5).permutation(names)


def clustered(splits: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return float16 states of shape (N, 16) in three clusters, and the cluster of each row."""
    rng = np.random.default_rng(seed)
    clusters = np.arange(len(splits)) % len(CENTRES)
    return (CENTRES[clusters] + rng.normal(size=(len(splits), 16))).astype(np.float16), clusters


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def extent(xy: np.ndarray) -> float:
    return float(np.ptp(xy, axis=0).max())


def same_map(one: np.ndarray, other: np.ndarray) -> bool:
    return bool(np.allclose(one, other, rtol=0, atol=1e-4 * extent(one)))


@pytest.fixture(scope="module")
def splits() -> np.ndarray:
    return interleaved()


@pytest.fixture(scope="module")
def train(splits: np.ndarray) -> np.ndarray:
    return splits == "train"


@pytest.fixture(scope="module")
def states(splits: np.ndarray) -> np.ndarray:
    return clustered(splits)[0]


@pytest.fixture(scope="module")
def drawn(states: np.ndarray, splits: np.ndarray) -> LayerMaps:
    """t-SNE maps of three snapshots between which nothing changes."""
    return tsne_maps(layer_of([states] * 3, splits))


# --- trustworthiness ------------------------------------------------------------------------


@pytest.mark.parametrize("n_neighbors", [5, 12])
def test_trustworthiness_is_that_of_scikit_learn(n_neighbors: int) -> None:
    states = noise(180, 10)
    xy = states[:, :2] + 0.5 * noise(180, 2, seed=1)
    ours = trustworthiness(states, xy, n_neighbors=n_neighbors)
    theirs = sklearn_trustworthiness(states, xy, n_neighbors=n_neighbors)
    assert ours == pytest.approx(theirs, abs=1e-9)
    assert 0.5 < ours < 0.95  # a map neither useless nor perfect, so that equality means something


def test_trustworthiness_of_a_sample_is_close_to_that_of_all_points() -> None:
    states = noise(1200, 10)
    xy = states[:, :2]
    sampled = trustworthiness(states, xy, max_points=200)
    assert sampled == pytest.approx(sklearn_trustworthiness(states, xy, n_neighbors=12), abs=0.02)


def test_trustworthiness_ranks_a_faithful_map_above_a_shuffled_one() -> None:
    states = noise(300, 2)
    assert trustworthiness(states, states) == 1.0
    assert trustworthiness(states, states[::-1]) < 0.6


def test_trustworthiness_is_undefined_for_few_points_and_for_equal_ones() -> None:
    assert np.isnan(trustworthiness(noise(24, 4), noise(24, 2)))
    assert np.isfinite(trustworthiness(noise(25, 4), noise(25, 2)))
    assert np.isnan(trustworthiness(np.ones((60, 4), np.float16), np.zeros((60, 2))))


def test_each_split_is_rated_by_its_own_points() -> None:
    splits = interleaved(80, 20)
    trust = pca_maps(layer_of([noise(100, 2)], splits)).trust
    assert trust.shape == (1, 2)
    assert trust[0, 0] == pytest.approx(1.0)  # two dimensions fit on a map
    assert np.isnan(trust[0, 1])  # 20 val points are too few


# --- PCA ------------------------------------------------------------------------------------


def test_pca_is_fitted_on_train_only(
    states: np.ndarray, splits: np.ndarray, train: np.ndarray
) -> None:
    changed = states.copy()
    changed[~train] = 50 * noise(N_VAL, 16, seed=3)
    before, after = pca_maps(layer_of([states], splits)), pca_maps(layer_of([changed], splits))
    assert same_map(before.xy[0, train], after.xy[0, train])
    assert not same_map(before.xy[0, ~train], after.xy[0, ~train])
    np.testing.assert_array_equal(before.explained, after.explained)


def test_pca_places_val_by_the_map_that_places_train(
    states: np.ndarray, splits: np.ndarray, train: np.ndarray
) -> None:
    """The one affine map that takes the train rows to their positions takes val to theirs."""
    xy = pca_maps(layer_of([states], splits)).xy[0]
    rows = np.c_[states.astype(np.float64), np.ones(len(states))]
    affine = np.linalg.lstsq(rows[train], xy[train], rcond=None)[0]
    assert same_map(rows[~train] @ affine, xy[~train])


def test_a_val_row_equal_to_a_train_row_lies_on_it(splits: np.ndarray, train: np.ndarray) -> None:
    states = noise(len(splits), 16)
    states[np.flatnonzero(~train)] = states[np.flatnonzero(train)[:N_VAL]]
    xy = pca_maps(layer_of([states], splits)).xy[0]
    assert same_map(xy[~train], xy[train][:N_VAL])


def test_pca_has_one_basis_for_all_snapshots(states: np.ndarray, splits: np.ndarray) -> None:
    other = noise(len(splits), 16, seed=9) * np.linspace(5, 1, 16)
    xy = pca_maps(layer_of([states, other, states], splits)).xy
    assert same_map(xy[0], xy[2])
    assert not same_map(xy[0], xy[1])


def test_pca_takes_out_the_drift_of_the_whole_cloud(states: np.ndarray, splits: np.ndarray) -> None:
    drifted = states.astype(np.float32) + np.linspace(-30, 30, 16, dtype=np.float32)
    xy = pca_maps(layer_of([states, drifted], splits)).xy
    assert same_map(xy[0], xy[1])
    np.testing.assert_allclose(xy[0, splits == "train"].mean(axis=0), 0, atol=1e-4)


def test_pca_says_how_much_train_variance_each_axis_has(
    splits: np.ndarray, train: np.ndarray
) -> None:
    states = noise(len(splits), 6) * np.array([5, 3, 1, 1, 0.5, 0.1], dtype=np.float32)
    states[~train] *= 100
    variances = np.linalg.eigvalsh(np.cov(states[train].T))[::-1]
    explained = pca_maps(layer_of([states], splits)).explained
    np.testing.assert_allclose(explained, variances[:2] / variances.sum(), rtol=1e-4)


def test_pca_explains_the_variance_of_all_snapshots_together(splits: np.ndarray) -> None:
    spread = noise(len(splits), 3) * np.array([1, 0, 0], dtype=np.float32)
    turned = noise(len(splits), 3) * np.array([0, 2, 0], dtype=np.float32)
    maps = pca_maps(layer_of([spread, turned], splits))
    first, second = maps.explained
    assert first + second == pytest.approx(1)
    assert first > 0.7  # the second snapshot's axis has four times the variance of the first's
    assert np.ptp(maps.xy[0, :, 1]) > 1 > 1e-3 > np.ptp(maps.xy[0, :, 0])


def test_pca_keeps_the_precision_of_float16_input(states: np.ndarray, splits: np.ndarray) -> None:
    """Computed in float16, sums over large values would overflow."""
    large = (states.astype(np.float32) * 1000).astype(np.float16)
    assert large.dtype == np.float16
    ours = pca_maps(layer_of([large], splits)).xy[0]
    exact = pca_maps(layer_of([large.astype(np.float64)], splits)).xy[0]
    assert ours.dtype == np.float32
    assert same_map(exact, ours)


def test_pca_maps_one_dimension_onto_one_axis(splits: np.ndarray) -> None:
    states = noise(len(splits), 1)
    maps = pca_maps(layer_of([states, states], splits))
    assert maps.xy.shape == (2, len(splits), 2)
    assert abs(np.corrcoef(maps.xy[0, :, 0], states[:, 0])[0, 1]) == pytest.approx(1)
    assert not maps.xy[..., 1].any()
    np.testing.assert_allclose(maps.explained, [1, 0])


def test_pca_maps_two_train_points() -> None:
    splits = np.array(["train", "val", "train", "val"])
    maps = pca_maps(layer_of([noise(4, 8)], splits))
    assert np.isfinite(maps.xy).all()
    assert maps.explained[0] == pytest.approx(1)
    assert np.isnan(maps.trust).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("projection", ["pca", "tsne"])
def test_equal_states_are_one_point_without_a_rating(projection: str, splits: np.ndarray) -> None:
    """The [CLS] vectors of layer 0 are the same for every text."""
    states = np.tile(noise(1, 128).astype(np.float16), (len(splits), 1))
    two = [states, states]
    maps = (
        pca_maps(layer_of(two, splits)) if projection == "pca" else tsne_maps(layer_of(two, splits))
    )
    assert (maps.in_unit_square() == 0.5).all()
    assert np.isnan(maps.trust).all()
    if projection == "pca":
        np.testing.assert_array_equal(maps.explained, 0)


# --- t-SNE ----------------------------------------------------------------------------------


def test_tsne_places_val_without_moving_train(
    states: np.ndarray, splits: np.ndarray, train: np.ndarray, drawn: LayerMaps
) -> None:
    changed = states.copy()
    changed[~train] = noise(N_VAL, 16, seed=3)
    after = tsne_maps(layer_of([changed] * 2, splits))
    np.testing.assert_array_equal(after.xy[:, train], drawn.xy[:2, train])
    assert not same_map(after.xy[0, ~train], drawn.xy[0, ~train])


def test_tsne_of_train_does_not_depend_on_how_many_val_rows_there_are(
    states: np.ndarray, splits: np.ndarray, train: np.ndarray, drawn: LayerMaps
) -> None:
    kept = train | (np.arange(len(splits)) % 2 == 0)
    after = tsne_maps(layer_of([states[kept]], splits[kept]))
    np.testing.assert_array_equal(after.xy[0, train[kept]], drawn.xy[0, train])


def test_tsne_is_the_same_for_the_same_seed(
    states: np.ndarray, splits: np.ndarray, drawn: LayerMaps
) -> None:
    again = tsne_maps(layer_of([states] * 3, splits))
    np.testing.assert_array_equal(again.xy, drawn.xy)
    np.testing.assert_array_equal(again.trust, drawn.trust)


def test_tsne_is_the_same_for_the_same_seed_where_neighbours_are_approximate(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With very many train rows, neighbours are looked for in random trees."""
    monkeypatch.setattr(tsne, "FIRST_PHASES", ((12, 20), (1, 20)))
    monkeypatch.setattr(tsne, "PLACING_ITERATIONS", 25)
    monkeypatch.setattr(tsne, "MOST_EXACT", 1000)
    splits = interleaved(1100, 40)
    states = noise(1140, 60)
    one, again, other = (tsne_maps(layer_of([states], splits, seed=seed)).xy for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


@dataclass(frozen=True)
class Step:
    """What openTSNE was asked for: iterations, with neighbours attracting by a factor."""

    affinities: openTSNE.affinity.Affinities
    exaggeration: float
    n_iter: int


@pytest.fixture
def steps(monkeypatch: pytest.MonkeyPatch) -> list[Step]:
    """The steps of every optimisation of this test."""
    taken: list[Step] = []
    optimize = openTSNE.TSNEEmbedding.optimize

    def watched(embedding: openTSNE.TSNEEmbedding, n_iter: int, exaggeration: float):
        taken.append(Step(embedding.affinities, exaggeration, n_iter))
        return optimize(embedding, n_iter, exaggeration=exaggeration)

    monkeypatch.setattr(openTSNE.TSNEEmbedding, "optimize", watched)
    return taken


def iterations(steps: list[Step], key: Callable[[Step], object]) -> list[int]:
    """Return the iterations of the steps that follow one another with the same key."""
    return [sum(step.n_iter for step in group) for _, group in itertools.groupby(steps, key)]


def test_tsne_computes_affinities_once_per_snapshot_and_of_train_alone(
    splits: np.ndarray, states: np.ndarray, train: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []
    affinities = openTSNE.affinity.PerplexityBasedNN

    def counted(*, knn_index: openTSNE.nearest_neighbors.KNNIndex, **settings: Any):
        seen.append(knn_index.data.shape)
        return affinities(knn_index=knn_index, **settings)

    monkeypatch.setattr(openTSNE.affinity, "PerplexityBasedNN", counted)
    tsne_maps(layer_of([states] * 3, splits))
    assert seen == [(N_TRAIN, 16)] * 3


def test_a_continued_tsne_map_takes_fewer_iterations_than_the_first(
    splits: np.ndarray, steps: list[Step]
) -> None:
    tsne_maps(layer_of([noise(len(splits), 16)] * 3, splits))
    first, *continued = iterations(steps, lambda step: id(step.affinities))  # one per snapshot
    assert len(continued) == 2
    assert max(continued) <= first / 2
    assert first <= 300  # more take time, and change nothing that a map is judged by


def test_tsne_moves_the_points_whose_neighbours_changed(splits: np.ndarray) -> None:
    """A cluster whose rows are drawn anew is shaken, the others keep their places."""
    states, clusters = clustered(splits)
    after, anew = states.copy(), clusters == clusters.max()
    after[anew] = np.random.default_rng(7).permutation(states[anew])
    maps = tsne_maps(layer_of([states, after], splits))
    moved = np.linalg.norm(maps.xy[1] - maps.xy[0], axis=1) / extent(maps.xy[0])
    train = splits == "train"
    assert np.median(moved[train & ~anew]) < 0.02
    assert np.median(moved[train & anew]) > 4 * np.median(moved[train & ~anew])


def test_tsne_holds_what_stayed_and_recomputes_the_layout_where_most_changed(
    splits: np.ndarray, steps: list[Step]
) -> None:
    one, other = noise(len(splits), 16), noise(len(splits), 16, seed=1)
    first, held, anew = tsne_maps(layer_of([one, one, other], splits)).xy[:, splits == "train"]
    factors = [factor for factor, _ in itertools.groupby(step.exaggeration for step in steps)]
    phases = zip(factors, iterations(steps, lambda step: step.exaggeration), strict=True)
    assert list(phases) == [*tsne.FIRST_PHASES, *tsne.HELD_PHASES, *tsne.RECOMPUTED_PHASES]
    size = extent(first)
    assert np.abs(held - first).max() < 1e-3 * size
    assert np.median(np.linalg.norm(anew - held, axis=1)) > 0.1 * size


def test_tsne_goes_on_from_earlier_maps(splits: np.ndarray) -> None:
    """A new snapshot leaves the maps that the reader has seen as they are."""
    three = [noise(len(splits), 16, seed=seed) for seed in range(3)]
    whole = tsne_maps(layer_of(three, splits))
    assert whole.xy.dtype == np.float32
    earlier = LayerMaps(whole.xy[:2], whole.trust[:2], whole.explained)
    three[0] = np.full_like(three[0], np.nan)  # to look at it again would fail
    reports: list[Progress] = []
    after = tsne_maps(
        layer_of(three, splits),
        earlier=LayerMaps.from_arrays(earlier.arrays()),
        on_progress=reports.append,
    )
    np.testing.assert_array_equal(after.xy, whole.xy)  # as if all had been drawn at once
    np.testing.assert_array_equal(after.trust, whole.trust)
    assert min(report.fraction for report in reports) > 2 / 3


def test_tsne_keeps_points_in_place_where_the_states_do_not_change(drawn: LayerMaps) -> None:
    size = extent(drawn.xy[0])
    for before, after in zip(drawn.xy[:-1], drawn.xy[1:], strict=True):
        moved = np.linalg.norm(after - before, axis=1) / size
        assert np.median(moved) < 0.06
        assert np.quantile(moved, 0.95) < 0.2


def test_tsne_starts_a_snapshot_where_the_one_before_ended(splits: np.ndarray) -> None:
    """Unrelated states end nearer to the earlier map if they start from it."""
    one, other = noise(len(splits), 16), noise(len(splits), 16, seed=1)
    continued = tsne_maps(layer_of([one, one + 0.3 * other], splits)).xy
    afresh = tsne_maps(layer_of([one + 0.3 * other], splits)).xy[0]
    moved = np.linalg.norm(continued[1] - continued[0], axis=1).mean()
    assert moved < 0.6 * np.linalg.norm(afresh - continued[0], axis=1).mean()


def test_tsne_puts_val_points_with_the_train_points_of_their_cluster(
    states: np.ndarray, splits: np.ndarray, train: np.ndarray, drawn: LayerMaps
) -> None:
    clusters = clustered(splits)[1]
    xy = drawn.xy[0]
    apart = np.linalg.norm(xy[~train, None] - xy[None, train], axis=2)  # (n_val, n_train)
    nearest = clusters[train][apart.argmin(axis=1)]
    np.testing.assert_array_equal(nearest, clusters[~train])
    assert (drawn.trust > 0.8).all()
    assert np.isnan(drawn.explained).all()


@pytest.mark.parametrize("n_train", [2, 4, 5, 9])
def test_tsne_works_with_a_handful_of_train_points(n_train: int) -> None:
    splits = interleaved(n_train, 6)
    states = noise(n_train + 6, 8).astype(np.float16)
    maps = tsne_maps(layer_of([states, states], splits))
    assert np.isfinite(maps.xy).all()
    assert extent(maps.xy[1]) > 0
    assert np.isnan(maps.trust).all()


def test_tsne_works_without_val_rows(states: np.ndarray, train: np.ndarray) -> None:
    maps = tsne_maps(layer_of([states[train]], np.array(["train"] * N_TRAIN)))
    assert np.isfinite(maps.xy).all()
    assert maps.trust[0, 0] > 0.8
    assert np.isnan(maps.trust[0, 1])


def test_tsne_recovers_once_equal_states_move_apart(states: np.ndarray, splits: np.ndarray) -> None:
    maps = tsne_maps(layer_of([np.ones_like(states), states], splits))
    assert np.isfinite(maps.xy).all()
    assert maps.trust[1, 0] > 0.8


@pytest.mark.parametrize("asked", [1, 8, 18])
def test_tsne_stops_soon_when_told_to(states: np.ndarray, splits: np.ndarray, asked: int) -> None:
    """Whether it is exaggerating, optimising or placing val."""
    answers = iter([False] * (asked - 1) + [True])
    with pytest.raises(Cancelled):
        tsne_maps(layer_of([states], splits), should_stop=lambda: next(answers))


@pytest.mark.parametrize("with_val", [True, False])
def test_tsne_progress_rises_evenly_to_one(
    states: np.ndarray, splits: np.ndarray, train: np.ndarray, with_val: bool
) -> None:
    rows = slice(None) if with_val else train
    reports: list[Progress] = []
    tsne_maps(layer_of([states[rows]] * 2, splits[rows]), on_progress=reports.append)
    seen = [report.fraction for report in reports]
    steps = np.diff([0.0, *seen])
    assert seen[-1] == 1.0
    assert (steps >= 0).all()
    assert steps.max() < 0.2  # no long wait without a sign of life


# --- the unit square ------------------------------------------------------------------------


def as_maps(xy: np.ndarray) -> LayerMaps:
    return LayerMaps(xy.astype(np.float32), np.zeros((len(xy), 2)), np.zeros(2))


def test_the_unit_square_holds_all_snapshots_at_one_scale() -> None:
    xy = noise(3, 50, 2) * np.array([8, 1], dtype=np.float32) + 100
    xy[2] *= 3
    unit = as_maps(xy).in_unit_square()
    assert unit.dtype == np.float32
    assert unit.min() >= -1e-5
    assert unit.max() <= 1 + 1e-5
    spans = np.ptp(unit, axis=(0, 1))
    assert spans.max() == pytest.approx(1, abs=1e-4)  # nothing of it is wasted
    distances = np.linalg.norm(xy[:, 1:] - xy[:, :-1], axis=2)
    drawn = np.linalg.norm(unit[:, 1:] - unit[:, :-1], axis=2)
    np.testing.assert_allclose(drawn / distances, (drawn / distances)[0, 0], rtol=1e-2)


def test_the_narrow_axis_is_centred_in_the_unit_square() -> None:
    unit = as_maps(np.array([[[0, 0], [10, 1]]])).in_unit_square()
    np.testing.assert_allclose(unit[0], [[0, 0.45], [1, 0.55]], atol=1e-6)


def test_a_single_point_is_in_the_middle_of_the_unit_square() -> None:
    np.testing.assert_array_equal(as_maps(np.full((2, 4, 2), 7)).in_unit_square(), 0.5)


def test_maps_at_some_of_the_snapshots_are_those_of_all(drawn: LayerMaps) -> None:
    some = drawn.at((0, 2))
    np.testing.assert_array_equal(some.xy, drawn.xy[[0, 2]])
    np.testing.assert_array_equal(some.trust, drawn.trust[[0, 2]])
    assert some.n_snapshots == 2


# --- new points -----------------------------------------------------------------------------


def test_an_example_is_placed_by_pca_exactly_where_it_is_drawn(splits: np.ndarray) -> None:
    snapshots = [clustered(splits, seed=seed)[0] + np.float16(seed) for seed in range(3)]
    maps = pca_maps(layer_of(snapshots, splits))
    for at, states in enumerate(snapshots):
        placed = place_in_pca(layer_of(snapshots, splits), maps.xy[at], states[::7], at)
        assert placed.dtype == np.float32
        assert np.allclose(placed, maps.xy[at, ::7], atol=1e-5 * extent(maps.xy[at]))


def test_pca_places_new_points_where_all_states_are_equal_or_one_dimensional() -> None:
    splits = np.array(["train"] * 6 + ["val"] * 2)
    same = np.ones((8, 4), dtype=np.float16)
    layer = layer_of([same], splits)
    assert (place_in_pca(layer, pca_maps(layer).xy[0], same[:1], 0) == 0).all()
    line = np.arange(8, dtype=np.float16)[:, None]
    layer = layer_of([line], splits)
    xy = pca_maps(layer).xy[0]
    assert np.allclose(place_in_pca(layer, xy, line[:3], 0), xy[:3], atol=1e-5)


def test_a_copy_of_a_train_point_lands_beside_it_on_a_tsne_map(
    drawn: LayerMaps, states: np.ndarray, splits: np.ndarray, train: np.ndarray
) -> None:
    xy = drawn.xy[-1] + np.float32(100)  # wherever the map is, new points come to lie in it
    before = xy.copy()
    placed = place_in_tsne(layer_of([states], splits), xy, states[train], 0)
    distance = np.linalg.norm(placed - xy[train], axis=1)
    assert np.median(distance) < 0.03 * extent(xy)
    assert distance.max() < 0.2 * extent(xy)
    assert np.array_equal(xy, before)


def test_val_is_placed_again_about_where_tsne_drew_it(
    drawn: LayerMaps, states: np.ndarray, splits: np.ndarray, train: np.ndarray
) -> None:
    placed = place_in_tsne(layer_of([states], splits), drawn.xy[-1], states[~train], 0)
    distance = np.linalg.norm(placed - drawn.xy[-1, ~train], axis=1)
    assert np.median(distance) < 0.01 * extent(drawn.xy[-1])


def test_tsne_places_new_points_on_maps_of_next_to_nothing() -> None:
    splits = np.array(["train"] * 4 + ["val"] * 4)
    states = noise(8, 3)
    maps = tsne_maps(layer_of([states], splits))
    assert np.allclose(
        place_in_tsne(layer_of([states], splits), maps.xy[0], states, 0), maps.xy[0], atol=1e-5
    )
    same = np.ones((8, 3), dtype=np.float16)
    assert (place_in_tsne(layer_of([same], splits), maps.xy[0], same[:2], 0) == 0).all()


def test_new_points_enter_the_square_of_their_maps(states: np.ndarray, splits: np.ndarray) -> None:
    maps = pca_maps(layer_of([states], splits))
    square = maps.in_unit_square()
    assert np.array_equal(maps.to_unit_square(maps.xy[0, 3:5]), square[0, 3:5])
    outside = maps.xy[0, :1] + extent(maps.xy[0])
    assert (maps.to_unit_square(outside) - square[0, :1]).tolist() == [
        pytest.approx([1, 1], abs=1e-5)
    ]
