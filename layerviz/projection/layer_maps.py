"""The maps of one layer, and how far they can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from layerviz.projection.quality import map_quality

LEAST_VISIBLE = 0.001  # of a map's width: less than a pixel


@dataclass(frozen=True)
class LayerMaps:
    """The maps of one layer at S snapshots.

    Parameters
    ----------
    xy : ndarray of shape (S, N, 2), float32
        Positions; rows in the order of the examples. NaN for the rows of test as long as nobody
        has asked for them: see `with_test`.
    trust : ndarray of shape (S, n_splits), float32
        Trustworthiness per snapshot and split, in the order of `config.SPLITS`: train, val and,
        where it was asked for, test; NaN where a split has too few points.
    explained : ndarray of shape (2,), float32
        The part of the train variance along each axis, 0 where there is no variance at all; NaN
        for projections that do not tell.
    kept : ndarray of shape (S, n_splits), float32, or None
        Share of kept neighbours per snapshot and split, as in `MapQuality`; None where it has not
        been measured, as in files of earlier versions.
    placed_later : ndarray of shape (N,), bool, or None
        The rows of test, where they were placed into maps that had been drawn. They do not set the
        square that the maps fill, so that nothing else moves when they come.
    """

    xy: np.ndarray
    trust: np.ndarray
    explained: np.ndarray
    kept: np.ndarray | None = None
    placed_later: np.ndarray | None = None

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what is stored of maps, under the names that `from_arrays` reads."""
        arrays = {"xy": self.xy, "trust": self.trust, "explained": self.explained}
        return arrays if self.kept is None else arrays | {"kept": self.kept}

    @classmethod
    def from_arrays(cls, arrays: dict[str, np.ndarray]) -> LayerMaps:
        return cls(arrays["xy"], arrays["trust"], arrays["explained"], arrays.get("kept"))

    def at(self, snapshots: Sequence[int]) -> LayerMaps:
        """Return the maps at some of the snapshots."""
        chosen = list(snapshots)
        kept = None if self.kept is None else self.kept[chosen]
        return replace(self, xy=self.xy[chosen], trust=self.trust[chosen], kept=kept)

    @property
    def n_snapshots(self) -> int:
        return len(self.xy)

    def in_unit_square(self) -> np.ndarray:
        """Return `xy` centred and scaled alike on both axes into [0, 1], over all snapshots.

        Rows that were placed later may lie beyond it and are then at its edge: `beyond_square`
        tells which. Rows without a place are NaN.
        """
        square = self.to_unit_square(self.xy)
        if self.placed_later is not None:
            square[:, self.placed_later] = square[:, self.placed_later].clip(0, 1)
        return square

    def beyond_square(self) -> np.ndarray:
        """Return which rows lie beyond the square at some snapshot, shape (N,), bool."""
        square = self.to_unit_square(self.xy)
        beyond = (square < -LEAST_VISIBLE) | (square > 1 + LEAST_VISIBLE)
        return np.any(beyond, axis=(0, 2))

    def to_unit_square(self, xy: np.ndarray) -> np.ndarray:
        """Return positions of shape (..., 2) on these maps in the square of `in_unit_square`.

        Those of new points may lie outside it.
        """
        framing = self.xy if self.placed_later is None else self.xy[:, ~self.placed_later]
        low, high = np.nanmin(framing, axis=(0, 1)), np.nanmax(framing, axis=(0, 1))
        extent = float((high - low).max())
        if extent == 0:
            return np.full(xy.shape, 0.5, dtype=np.float32)
        return ((xy - (low + high) / 2) / extent + 0.5).astype(np.float32)


def rated(
    xy: Sequence[np.ndarray],
    states: Sequence[np.ndarray],
    splits: np.ndarray,
    explained: np.ndarray | None = None,
    *,
    earlier: LayerMaps | None = None,
) -> LayerMaps:
    """Return maps with how far their neighbourhoods can be trusted.

    Parameters
    ----------
    xy : sequence of S ndarrays of shape (N, 2)
        Positions, one array per snapshot.
    states : sequence of S ndarrays of shape (N, D)
        What they show.
    splits : ndarray of shape (N,)
    explained : ndarray of shape (2,), optional
        As in `LayerMaps`.
    earlier : LayerMaps, optional
        The maps of the first snapshots, rated before; only the rest is rated.
    """
    stacked = np.stack(xy).astype(np.float32)
    trust: list[np.ndarray] = []
    kept: list[np.ndarray] = []
    if earlier is not None:
        trust = list(earlier.trust[: len(xy)])
        not_rated = np.full_like(earlier.trust, np.nan)
        kept = list((not_rated if earlier.kept is None else earlier.kept)[: len(xy)])
    for at in range(len(trust), len(xy)):
        quality = map_quality(states[at], stacked[at], splits)
        trust.append(quality.trust)
        kept.append(quality.kept)
    if explained is None:
        explained = np.full(2, np.nan)
    return LayerMaps(
        stacked,
        np.stack(trust).astype(np.float32),
        explained.astype(np.float32),
        np.stack(kept).astype(np.float32),
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
    train = splits == "train"
    for index in range(len(positions), len(states)):
        before = positions[-1][train] if positions else None
        xy = draw(index, states[index].astype(np.float32), before)
        positions.append(xy.astype(np.float32))  # as stored, so that `earlier` goes on alike
    return rated(positions, states, splits, earlier=earlier)
