"""The maps of one layer, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from layerviz.config import TRAIN_AND_VAL

NEIGHBOURS = 12  # of the trustworthiness
QUALITY_SAMPLE = 250  # points at which it is measured


@dataclass(frozen=True)
class LayerMaps:
    """The maps of one layer at S snapshots.

    Parameters
    ----------
    xy : ndarray of shape (S, N, 2), float32
        Positions; rows in the order of the examples.
    trust : ndarray of shape (S, n_splits), float32
        Trustworthiness per snapshot and split, NaN where a split has too few points.
    explained : ndarray of shape (2,), float32
        The part of the train variance along each axis, 0 where there is no variance at all; NaN
        for projections that do not tell.
    """

    xy: np.ndarray
    trust: np.ndarray
    explained: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays under the names that `from_arrays` reads."""
        return {"xy": self.xy, "trust": self.trust, "explained": self.explained}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> LayerMaps:
        return cls(arrays["xy"], arrays["trust"], arrays["explained"])

    def at(self, snapshots: Sequence[int]) -> LayerMaps:
        """Return the maps at some of the snapshots."""
        chosen = list(snapshots)
        return LayerMaps(self.xy[chosen], self.trust[chosen], self.explained)

    @property
    def n_snapshots(self) -> int:
        return len(self.xy)

    def in_unit_square(self) -> np.ndarray:
        """Return `xy` centred and scaled alike on both axes into [0, 1], over all snapshots."""
        return self.to_unit_square(self.xy)

    def to_unit_square(self, xy: np.ndarray) -> np.ndarray:
        """Return positions of shape (..., 2) on these maps in the square of `in_unit_square`.

        Those of new points may lie outside it.
        """
        low, high = self.xy.min(axis=(0, 1)), self.xy.max(axis=(0, 1))
        extent = float((high - low).max())
        if extent == 0:
            return np.full(xy.shape, 0.5, dtype=np.float32)
        return ((xy - (low + high) / 2) / extent + 0.5).astype(np.float32)


def vary(rows: np.ndarray) -> bool:
    """Return whether not all rows are equal."""
    return bool((rows != rows[:1]).any())


def rated(
    xy: Sequence[np.ndarray],
    states: Sequence[np.ndarray],
    splits: np.ndarray,
    explained: np.ndarray | None = None,
) -> LayerMaps:
    """Return maps with their trustworthiness.

    Parameters
    ----------
    xy : sequence of S ndarrays of shape (N, 2)
        Positions, one array per snapshot.
    states : sequence of S ndarrays of shape (N, D)
        What they show.
    splits : ndarray of shape (N,)
    explained : ndarray of shape (2,), optional
        As in `LayerMaps`.
    """
    stacked = np.stack(xy).astype(np.float32)
    trust = [
        split_trustworthiness(state, positions, splits)
        for state, positions in zip(states, stacked, strict=True)
    ]
    if explained is None:
        explained = np.full(2, np.nan)
    return LayerMaps(stacked, np.stack(trust), explained.astype(np.float32))


def split_trustworthiness(states: np.ndarray, xy: np.ndarray, splits: np.ndarray) -> np.ndarray:
    """Return the trustworthiness of train and of val, shape (2,), NaN where undefined."""
    return np.array(
        [trustworthiness(states[splits == split], xy[splits == split]) for split in TRAIN_AND_VAL],
        dtype=np.float32,
    )


def continued(
    draw: Callable[[int, np.ndarray, np.ndarray | None], np.ndarray],
    states: Sequence[np.ndarray],
    splits: np.ndarray,
    earlier: LayerMaps | None,
) -> LayerMaps:
    """Map snapshot after snapshot, each from the positions of the one before.

    Parameters
    ----------
    draw : callable
        Given a snapshot's position, its states in float32 and the train positions of the one
        before (None for the first), returns positions of shape (N, 2).
    states : sequence of S ndarrays of shape (N, D)
    splits : ndarray of shape (N,)
    earlier : LayerMaps or None
        Maps of the first snapshots, as computed before; only the rest is computed.
    """
    positions = [] if earlier is None else list(earlier.xy[: len(states)])
    trust = [] if earlier is None else list(earlier.trust[: len(states)])
    train = splits == "train"
    for index in range(len(positions), len(states)):
        before = positions[-1][train] if positions else None
        xy = draw(index, states[index].astype(np.float32), before)
        positions.append(xy.astype(np.float32))  # as stored, so that `earlier` goes on alike
        trust.append(split_trustworthiness(states[index], xy, splits))
    nothing = np.full(2, np.nan, dtype=np.float32)
    return LayerMaps(np.stack(positions), np.stack(trust).astype(np.float32), nothing)


def trustworthiness(
    states: np.ndarray,
    xy: np.ndarray,
    *,
    n_neighbors: int = NEIGHBOURS,
    max_points: int = QUALITY_SAMPLE,
) -> float:
    """Return how far neighbours on the map are neighbours in the hidden states, 0 to 1.

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
    from sklearn.metrics import pairwise_distances  # see projections.py

    n = len(states)
    if n < 2 * n_neighbors + 1 or not vary(states):
        return float("nan")
    at = np.unique(np.linspace(0, n - 1, min(n, max_points)).astype(int))
    states = states.astype(np.float32)
    far = pairwise_distances(states[at], states)  # (m, n) in the hidden size
    near = pairwise_distances(xy[at], xy)  # (m, n) on the map
    rows = np.arange(len(at))
    far[rows, at] = near[rows, at] = np.inf
    neighbours = np.argpartition(near, n_neighbors, axis=1)[:, :n_neighbors]  # (m, k)
    distances = np.take_along_axis(far, neighbours, axis=1)  # (m, k)
    ranks = (far[:, None, :] < distances[:, :, None]).sum(axis=2) + 1  # (m, k), 1 = nearest
    excess = np.clip(ranks - n_neighbors, 0, None).sum()
    worst = len(at) * n_neighbors * (2 * n - 3 * n_neighbors - 1) / 2
    return float(1 - excess / worst)
