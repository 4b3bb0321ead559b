"""Centroids and density lines show where a class is on a map."""

from __future__ import annotations

import numpy as np
import pytest
from made_runs import dataset_of, made

from layerviz.projection import class_centroids, density_outlines
from layerviz.runs import Run
from layerviz.views import MapsRequest, RunMaps, centroids_frame, collect_maps, outlines_frame

RNG = np.random.default_rng(0)
SIGMA = 0.08


def inside(line: np.ndarray, xy: np.ndarray) -> np.ndarray:
    """Return which points lie within a closed line (crossings of a ray to the right)."""
    (x0, y0), (x1, y1) = line[:-1].T, line[1:].T
    x, y = xy[:, :1], xy[:, 1:]
    spans = (y0 > y) != (y1 > y)
    with np.errstate(divide="ignore", invalid="ignore"):
        hits = spans & (x < x0 + (y - y0) / (y1 - y0) * (x1 - x0))
    return hits.sum(axis=1) % 2 == 1


def test_a_centroid_is_the_mean_of_its_class_and_nothing_where_there_is_none() -> None:
    xy = RNG.random((2, 6, 2)).astype(np.float32)
    labels = np.array([0, 2, 0, 2, 2, 0])
    means = class_centroids(xy, labels, 4)
    assert means.shape == (2, 4, 2)
    np.testing.assert_allclose(means[1, 2], xy[1, labels == 2].mean(axis=0), rtol=1e-5)
    assert np.isnan(means[:, [1, 3]]).all()


@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_line_holds_its_share_of_a_cloud_and_has_its_radius(share: float) -> None:
    xy = RNG.normal([0.4, 0.6], SIGMA, size=(4000, 2))
    (outline,) = density_outlines(xy, [share])
    assert inside(outline.xy, xy).mean() == pytest.approx(share, abs=0.03)
    radius = np.linalg.norm(outline.xy - [0.4, 0.6], axis=1)
    expected = SIGMA * np.sqrt(-2 * np.log(1 - share))
    assert radius.mean() == pytest.approx(expected, rel=0.1)
    assert radius.std() < 0.1 * expected
    np.testing.assert_array_equal(outline.xy[0], outline.xy[-1])


def test_two_clouds_have_a_line_each() -> None:
    xy = np.concatenate([RNG.normal([at, at], 0.03, size=(300, 2)) for at in (0.2, 0.8)])
    outlines = density_outlines(xy, [0.9])
    assert len(outlines) == 2
    held = [inside(outline.xy, xy) for outline in outlines]
    assert not (held[0] & held[1]).any()
    assert sorted(one[:300].mean() > 0.5 for one in held) == [False, True]


def test_a_ring_has_a_line_outside_and_one_inside() -> None:
    angle = RNG.random(3000) * 2 * np.pi
    ring = 0.5 + 0.35 * np.c_[np.cos(angle), np.sin(angle)] + RNG.normal(0, 0.02, (3000, 2))
    outer, inner = sorted(
        (
            np.linalg.norm(outline.xy - 0.5, axis=1).mean()
            for outline in density_outlines(ring, [0.9])
        ),
        reverse=True,
    )
    assert outer > 0.35 > inner > 0.1


@pytest.mark.parametrize(
    "xy",
    [
        RNG.random((9, 2)),  # too few to speak of density
        np.zeros((0, 2)),
    ],
)
def test_few_points_have_no_lines(xy: np.ndarray) -> None:
    assert density_outlines(xy) == []


@pytest.mark.parametrize(
    "xy", [np.full((50, 2), 0.5), np.c_[np.linspace(0, 1, 50), np.zeros(50)], RNG.random((60, 2))]
)
def test_lines_are_closed_and_near_the_square_whatever_the_points(xy: np.ndarray) -> None:
    outlines = density_outlines(xy)
    assert outlines
    for outline in outlines:
        np.testing.assert_array_equal(outline.xy[0], outline.xy[-1])
        assert np.isfinite(outline.xy).all()
        assert ((outline.xy > -0.3) & (outline.xy < 1.3)).all()


# --- of a view --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    root = tmp_path_factory.mktemp("runs")
    return made(root, dataset_of(n_test=60), "enc", {3: 6.0}, n_snapshots=2)


@pytest.fixture(scope="module")
def maps(run: Run) -> RunMaps:
    request = MapsRequest(layers=(2, 3), splits=("train", "val", "test"))
    return collect_maps(run, request, most_per_split=50)


def test_centroids_are_of_all_examples_of_a_split_not_of_the_drawn_ones(maps: RunMaps) -> None:
    frame = centroids_frame(maps)
    assert len(frame) == 2 * 3 * 3  # layers, splits, classes
    one = frame[(frame["layer"] == 3) & (frame["split"] == "val") & (frame["label"] == 1)].iloc[0]
    rows = (maps.splits == "val") & (maps.labels == 1)
    assert one["n"] == rows.sum() > 50
    square = maps.by_layer[3].in_unit_square()
    np.testing.assert_allclose([one["x1"], one["y1"]], square[1, rows].mean(axis=0), rtol=1e-4)


def test_outlines_lie_around_their_class(maps: RunMaps) -> None:
    frame = outlines_frame(maps, 1)
    part = frame[(frame["layer"] == 3) & (frame["split"] == "train") & (frame["share"] == 0.9)]
    square = maps.by_layer[3].in_unit_square()[1]
    for label in range(3):
        rows = (maps.splits == "train") & (maps.labels == label)
        lines = [
            line.sort_values("order")[["x", "y"]].to_numpy()
            for _, line in part[part["label"] == label].groupby("line")
        ]
        held = np.any([inside(line, square[rows]) for line in lines], axis=0).mean()
        assert held == pytest.approx(0.9, abs=0.08)
    assert set(frame["split"]) == {"train", "val", "test"}
