"""LDA separates train classes, shows val as it is, and keeps its axes from snapshot to snapshot."""

from __future__ import annotations

import numpy as np
import pytest
from layers import layer_of
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from layerviz.projection import LayerMaps, projection_notes
from layerviz.projection.lda import lda_maps, place_in_lda

pytestmark = pytest.mark.fast


def mixed_splits(n_train: int, n_val: int) -> np.ndarray:
    names = np.array(["train"] * n_train + ["val"] * n_val)
    return np.random.default_rng(5).permutation(names)


def classes(
    n: int, n_classes: int, width: int, seed: int = 0, apart: float = 3.0
) -> tuple[np.ndarray, np.ndarray]:
    """Return states of shape (n, width), Gaussian around a centre per class, and their labels."""
    centres = apart * np.random.default_rng(99).normal(size=(n_classes, width)) / np.sqrt(width)
    labels = np.arange(n) % n_classes
    noise = np.random.default_rng(seed).normal(size=(n, width))
    return (centres[labels] + noise).astype(np.float32), labels


def drawn(
    n_classes: int, n: int = 240, width: int = 12
) -> tuple[LayerMaps, np.ndarray, np.ndarray, np.ndarray]:
    splits = mixed_splits(2 * n // 3, n - 2 * n // 3)
    states, labels = classes(n, n_classes, width)
    return lda_maps(layer_of([states], splits, labels)), states, splits, labels


def test_val_and_its_labels_have_no_say_in_where_train_lies() -> None:
    maps, states, splits, labels = drawn(3)
    train = splits == "train"
    states[~train] = 50 * np.random.default_rng(3).normal(size=(int((~train).sum()), 12))
    labels[~train] = 0
    after = lda_maps(layer_of([states], splits, labels))
    np.testing.assert_array_equal(after.xy[0, train], maps.xy[0, train])
    assert not np.allclose(after.xy[0, ~train], maps.xy[0, ~train])


def test_with_many_points_the_plane_is_that_of_scikit_learn() -> None:
    """Without need of shrinkage, both find the same two discriminants, up to signs."""
    splits = np.array(["train"] * 4000)
    states, labels = classes(4000, 4, 6)
    ours = lda_maps(layer_of([states], splits, labels)).xy[0]
    theirs = LinearDiscriminantAnalysis(n_components=2).fit(states, labels).transform(states)
    for axis in (0, 1):
        assert abs(np.corrcoef(ours[:, axis], theirs[:, axis])[0, 1]) > 0.999
    for label in range(4):
        assert ours[labels == label].std(axis=0) == pytest.approx([1, 1], abs=0.1)


def test_of_two_classes_the_second_axis_is_what_the_discriminant_leaves() -> None:
    splits = np.array(["train"] * 600)
    states, labels = classes(600, 2, 8)
    states[:, 3] *= 6  # large within both classes
    xy = lda_maps(layer_of([states], splits, labels)).xy[0]
    means = np.array([xy[labels == label].mean(axis=0) for label in (0, 1)])
    assert abs(np.diff(means[:, 0])[0]) > 2
    assert abs(np.diff(means[:, 1])[0]) < 1e-3
    within = xy - means[labels]
    assert within.std(axis=0) == pytest.approx([1, 1], abs=0.1)
    assert abs(np.corrcoef(within.T)[0, 1]) < 0.1


def test_a_lone_discriminant_stays_horizontal_and_keeps_its_side() -> None:
    splits = np.array(["train"] * 400)
    one, labels = classes(400, 2, 8)
    turned = one @ np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    maps = lda_maps(layer_of([one, turned, -turned], splits, labels))
    for xy in maps.xy:
        gap = xy[labels == 1].mean(axis=0) - xy[labels == 0].mean(axis=0)
        assert abs(gap[1]) < 1e-3
        assert np.sign(gap[0]) == np.sign(
            (maps.xy[0, labels == 1] - maps.xy[0, labels == 0]).mean(axis=0)[0]
        )


@pytest.mark.parametrize("n_classes", [3, 7])
def test_a_layer_that_turns_as_a_whole_does_not_move_on_the_map(n_classes: int) -> None:
    splits = mixed_splits(400, 100)
    states, labels = classes(500, n_classes, 8)
    turned = np.linalg.qr(np.random.default_rng(1).normal(size=(8, 8)))[0]
    same = states[:, ::-1].copy()  # scaling by column makes other turns nearly, not quite, neutral
    maps = lda_maps(layer_of([states, same, states @ turned], splits, labels))
    size = np.ptp(maps.xy[0], axis=0).max()
    assert np.abs(maps.xy[1] - maps.xy[0]).max() < 1e-3 * size
    assert np.median(np.linalg.norm(maps.xy[2] - maps.xy[1], axis=1)) < 0.05 * size


def test_val_is_not_flattered_where_train_points_are_fewer_than_dimensions() -> None:
    """Of pure noise, train looks separated and val does not: the picture is to be read on val."""
    splits = mixed_splits(60, 60)
    states, labels = classes(120, 2, 200, apart=0.0)
    xy = lda_maps(layer_of([states], splits, labels)).xy[0]
    assert np.isfinite(xy).all()
    gaps = {
        split: abs(
            xy[(splits == split) & (labels == 1), 0].mean()
            - xy[(splits == split) & (labels == 0), 0].mean()
        )
        / xy[splits == split, 0].std()
        for split in ("train", "val")
    }
    assert gaps["train"] > 1.5 > 0.7 > gaps["val"]


@pytest.mark.filterwarnings("error")
def test_equal_states_are_one_point_and_later_ones_recover() -> None:
    splits = mixed_splits(80, 40)
    states, labels = classes(120, 3, 16)
    maps = lda_maps(layer_of([np.ones_like(states, dtype=np.float16), states], splits, labels))
    assert not maps.xy[0].any()
    assert np.isnan(maps.trust[0]).all()
    assert np.ptp(maps.xy[1], axis=0).min() > 1
    assert np.isnan(maps.explained).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("n", "n_classes", "width"), [(6, 2, 40), (9, 1, 5), (8, 8, 30), (30, 2, 1), (30, 3, 2)]
)
def test_small_and_odd_shapes_are_drawn(n: int, n_classes: int, width: int) -> None:
    """One example per class, one class, one dimension."""
    states, labels = classes(n, n_classes, width)
    maps = lda_maps(layer_of([states] * 2, np.array(["train"] * n), labels))
    assert maps.xy.shape == (2, n, 2)
    assert np.isfinite(maps.xy).all()
    np.testing.assert_allclose(maps.xy[0], maps.xy[1], atol=1e-3 * (1 + np.abs(maps.xy).max()))


def test_an_example_is_placed_exactly_where_it_is_drawn() -> None:
    splits = mixed_splits(160, 80)
    snapshots = [classes(240, 3, 12, seed=seed)[0] for seed in range(3)]
    labels = classes(240, 3, 12)[1]
    maps = lda_maps(layer_of(snapshots, splits, labels))
    for at, states in enumerate(snapshots):
        placed = place_in_lda(layer_of(snapshots, splits, labels), maps.xy[at], states[::7], at)
        assert placed.dtype == np.float32
        np.testing.assert_allclose(placed, maps.xy[at, ::7], atol=1e-4)


def test_a_reader_is_told_to_look_at_val_and_what_the_second_axis_is() -> None:
    assert "judge by val" in projection_notes("lda", 5)[0]
    assert len(projection_notes("lda", 5)) == 1
    assert "vertical" in projection_notes("lda", 2)[1]
    assert projection_notes("pca", 2) == []
