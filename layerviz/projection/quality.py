"""How far the neighbourhoods on a map can be trusted: two figures that say different things.

Trustworthiness weighs each wrong neighbour by how far away it really is; the share of kept
neighbours counts how many are right. A map of hundreds of dimensions can have a trustworthiness of
0.93 while it keeps 38 % of the neighbours, so neither figure is shown without the other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerviz.config import TRAIN_AND_VAL
from layerviz.numerics import all_equal

NEIGHBOURS = 12  # of a point, for both figures
QUALITY_SAMPLE = 250  # points at which a map is rated
COMPARED_AT_ONCE = 2**24  # distances, so that memory grows with the points of a map alone


@dataclass(frozen=True, eq=False)
class MapQuality:
    """How far the maps of each split can be trusted.

    Parameters
    ----------
    trust : ndarray of shape (n_splits,), float32
        Trustworthiness of train, of val and perhaps of test, each among its own points; NaN where
        undefined.
    kept : ndarray of shape (n_splits,), float32
        The share of kept neighbours of train among train, and of the others among train, into whose
        map they are placed; NaN where `trust` is.
    """

    trust: np.ndarray
    kept: np.ndarray


def map_quality(
    states: np.ndarray,
    xy: np.ndarray,
    splits: np.ndarray,
    rated_splits: Sequence[str] = TRAIN_AND_VAL,
) -> MapQuality:
    """Rate one map, at up to `QUALITY_SAMPLE` evenly spaced points of each split.

    Parameters
    ----------
    states : ndarray of shape (N, D)
        The hidden states.
    xy : ndarray of shape (N, 2)
        Their map.
    splits : ndarray of shape (N,)
        Name of each row's split.
    rated_splits : sequence of str
        The splits to rate, in the order of the figures.
    """
    train = np.flatnonzero(splits == "train")
    trust = np.full(len(rated_splits), np.nan, dtype=np.float32)
    kept = trust.copy()
    for side, split in enumerate(rated_splits):
        rows = np.flatnonzero(splits == split)
        if not _can_be_rated(states[rows], NEIGHBOURS):
            continue
        rated_rows = _evenly_spaced(rows, QUALITY_SAMPLE)
        ranks = _neighbour_ranks(states, xy, rated_rows, rows, NEIGHBOURS)
        trust[side] = _trust_of(ranks, len(rows))
        if split == "train":
            kept[side] = _kept_of(ranks)
        elif _can_be_rated(states[train], NEIGHBOURS):
            kept[side] = _kept_of(_neighbour_ranks(states, xy, rated_rows, train, NEIGHBOURS))
    return MapQuality(trust, kept)


def trustworthiness(
    states: np.ndarray,
    xy: np.ndarray,
    *,
    n_neighbors: int = NEIGHBOURS,
    max_points: int = QUALITY_SAMPLE,
) -> float:
    """Return how little the wrong neighbours on the map weigh, 0 to 1.

    1 less a penalty for each point that is among the nearest of another on the map but not in the
    hidden states: by how many ranks it misses being one, as a part of the worst that could be.

    Venna & Kaski (2001), as scikit-learn's ``sklearn.manifold.trustworthiness``, but measured
    at an evenly spaced sample of at most `max_points` points (each against all others), which
    estimates the same mean without a full N x N ranking.

    Parameters
    ----------
    states : ndarray of shape (N, D)
        The hidden states.
    xy : ndarray of shape (N, 2)
        Their map.
    n_neighbors : int
        Size of a neighbourhood.
    max_points : int
        Points at which it is measured.

    Returns
    -------
    float
        NaN where the measure is not defined: if N is below ``2 * n_neighbors + 1``, or if all
        states are equal.
    """
    if not _can_be_rated(states, n_neighbors):
        return float("nan")
    rows = np.arange(len(states))
    sample = _evenly_spaced(rows, max_points)
    return _trust_of(_neighbour_ranks(states, xy, sample, rows, n_neighbors), len(rows))


def kept_neighbours(
    states: np.ndarray,
    xy: np.ndarray,
    *,
    n_neighbors: int = NEIGHBOURS,
    max_points: int = QUALITY_SAMPLE,
) -> float:
    """Return the share of a point's nearest in the hidden states that are nearest on the map, too.

    The mean over points of ``|nearest in the hidden states & nearest on the map| / n_neighbors``,
    by the distances that `trustworthiness` ranks. Where several points are as far away as the
    last of the nearest, each of them is a neighbour. Parameters, and where it is NaN, as there.
    """
    if not _can_be_rated(states, n_neighbors):
        return float("nan")
    rows = np.arange(len(states))
    return _kept_of(
        _neighbour_ranks(states, xy, _evenly_spaced(rows, max_points), rows, n_neighbors)
    )


def vary(rows: np.ndarray) -> bool:
    """Return whether not all rows are equal."""
    return not all_equal(rows)


def _can_be_rated(states: np.ndarray, n_neighbors: int) -> bool:
    return len(states) >= 2 * n_neighbors + 1 and vary(states)


def _evenly_spaced(rows: np.ndarray, most: int) -> np.ndarray:
    return rows[np.unique(np.linspace(0, len(rows) - 1, min(len(rows), most)).astype(int))]


def _neighbour_ranks(
    states: np.ndarray, xy: np.ndarray, rows: np.ndarray, among: np.ndarray, n_neighbors: int
) -> np.ndarray:
    """Return how near, in the hidden states, the nearest on the map are; 1 is the nearest.

    Parameters
    ----------
    states, xy : ndarrays of shape (N, D) and (N, 2)
    rows : ndarray of shape (m,)
        The points whose neighbours are looked for.
    among : ndarray of shape (n,)
        The points that may be neighbours; none is its own.
    n_neighbors : int
        k

    Returns
    -------
    ndarray of shape (m, k), int
    """
    from sklearn.metrics import pairwise_distances  # see projections.py

    others, others_xy = states[among].astype(np.float32), xy[among]
    ranks = []
    step = max(1, COMPARED_AT_ONCE // (n_neighbors * len(among)))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        far = pairwise_distances(states[block].astype(np.float32), others)  # (b, n), hidden size
        near = pairwise_distances(xy[block], others_xy)  # (b, n), on the map
        itself = block[:, None] == among
        far[itself] = near[itself] = np.inf
        neighbours = np.argpartition(near, n_neighbors, axis=1)[:, :n_neighbors]  # (b, k)
        distances = np.take_along_axis(far, neighbours, axis=1)  # (b, k)
        ranks.append((far[:, None, :] < distances[:, :, None]).sum(axis=2) + 1)
    return np.concatenate(ranks)


def _trust_of(ranks: np.ndarray, n: int) -> float:
    """Return the trustworthiness that ranks of shape (m, k) among n points make."""
    m, k = ranks.shape
    excess = np.clip(ranks - k, 0, None).sum()
    return float(1 - excess / (m * k * (2 * n - 3 * k - 1) / 2))


def _kept_of(ranks: np.ndarray) -> float:
    """Return the share of neighbours on the map, of ranks (m, k), that are neighbours indeed."""
    return float((ranks <= ranks.shape[1]).mean())
