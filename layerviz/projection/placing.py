"""Test examples on the maps: placed when they are asked for, into maps that stay as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from layerviz.config import TRAIN_AND_VAL
from layerviz.progress import (
    MAPPING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
    stop_if_asked,
)
from layerviz.projection.layer_maps import LayerMaps
from layerviz.projection.projection import LayerStates, Projection
from layerviz.projection.projections import PROJECTIONS
from layerviz.projection.quality import map_quality


@dataclass(frozen=True, eq=False)
class PlacedTest:
    """Where the m test examples of a run lie in the maps of one layer at S snapshots.

    Parameters
    ----------
    xy : ndarray of shape (S, m, 2), float32
        Positions in the coordinates of the maps; rows in the order of the examples.
    trust, kept : ndarrays of shape (S,), float32
        As `MapQuality` has them for val: trustworthiness among test, and the share of kept
        neighbours among train.
    placed_in : ndarray of shape (S,), int64
        Which map each was placed into: see `map_digest`.
    """

    xy: np.ndarray
    trust: np.ndarray
    kept: np.ndarray
    placed_in: np.ndarray

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays under the names of the parameters, as they are stored."""
        return dict(vars(self))

    def at(self, snapshots: Sequence[int]) -> PlacedTest:
        """Return the positions at some of the snapshots."""
        chosen = list(snapshots)
        return PlacedTest(**{name: array[chosen] for name, array in vars(self).items()})

    @property
    def n_snapshots(self) -> int:
        return len(self.xy)


def place_test(
    name: str,
    layer: LayerStates,
    maps: LayerMaps,
    *,
    earlier: PlacedTest | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> PlacedTest:
    """Place the test examples into maps of train and val, which stay as they are.

    They are placed as val was: by the fit on train alone. Neither the fit nor the maps are changed.

    Parameters
    ----------
    name : str
        Of a projection.
    layer : LayerStates
        All rows at the S snapshots of `maps`.
    maps : LayerMaps
        As `draw` returned them for these states.
    earlier : PlacedTest, optional
        What was placed before: used again for the first snapshots, as far as their maps are still
        the ones it was placed into.
    on_progress : callable
        Told percent.
    should_stop : callable
        Asked before each snapshot.

    Raises
    ------
    UnknownNameError
        If there is no such projection.
    Cancelled
        If `should_stop` answers true.
    """
    splits, is_test = layer.splits, layer.splits == "test"
    n, train = maps.n_snapshots, layer.train
    digests = np.array([map_digest(xy[train]) for xy in maps.xy], dtype=np.int64)
    done = 0 if earlier is None else _n_alike(earlier.placed_in, digests)
    xy = [] if earlier is None else list(earlier.xy[:done])
    trust = [] if earlier is None else list(earlier.trust[:done])
    kept = [] if earlier is None else list(earlier.kept[:done])
    positions = _positions(PROJECTIONS[name], layer, maps, range(done, n))
    for at in range(done, n):
        stop_if_asked(should_stop)
        xy.append(next(positions).astype(np.float32))
        whole = maps.xy[at].copy()
        whole[is_test] = xy[-1]
        quality = map_quality(layer.states[at], whole, splits, ("test",))
        trust.append(quality.trust[0])
        kept.append(quality.kept[0])
        on_progress(Progress(MAPPING, round(100 * (at + 1) / n), 100))
    return PlacedTest(
        np.stack(xy), np.array(trust, np.float32), np.array(kept, np.float32), digests
    )


def with_test(maps: LayerMaps, placed: PlacedTest, splits: np.ndarray) -> LayerMaps:
    """Return maps with the test examples in them; those of train and val are where they were.

    Parameters
    ----------
    maps : LayerMaps
        At S snapshots.
    placed : PlacedTest
        At the same snapshots.
    splits : ndarray of shape (N,)
        Name of each row's split.

    Returns
    -------
    LayerMaps
        ``trust`` and ``kept`` have a third column.
    """
    is_test = splits == "test"
    xy = maps.xy.copy()
    xy[:, is_test] = placed.xy
    kept = np.full_like(maps.trust, np.nan) if maps.kept is None else maps.kept
    return replace(
        maps,
        xy=xy,
        trust=np.column_stack([maps.trust, placed.trust]),
        kept=np.column_stack([kept, placed.kept]),
        placed_later=is_test,
    )


def map_digest(train_xy: np.ndarray) -> int:
    """Return a number that tells one map of the train examples, of shape (n, 2), from another."""
    content = np.ascontiguousarray(train_xy, dtype=np.float32).tobytes()
    return int.from_bytes(hashlib.blake2b(content, digest_size=8).digest(), "big", signed=True)


def _n_alike(one: np.ndarray, other: np.ndarray) -> int:
    """Return in how many of the first entries two arrays agree."""
    shared = min(len(one), len(other))
    differ = np.flatnonzero(one[:shared] != other[:shared])
    return int(differ[0]) if len(differ) else shared


def _positions(
    projection: Projection, layer: LayerStates, maps: LayerMaps, snapshots: Sequence[int]
) -> Iterator[np.ndarray]:
    """Yield the positions of the test rows, (m, 2), snapshot by snapshot."""
    mapped, is_test = np.isin(layer.splits, TRAIN_AND_VAL), layer.splits == "test"
    drawn = layer.at_rows(mapped)
    vectors = [state[is_test] for state in layer.states]
    if projection.place_all is not None:
        yield from projection.place_all(drawn, vectors)[snapshots[0] :] if snapshots else []
        return
    for at in snapshots:
        yield projection.place(drawn, maps.xy[at, mapped], vectors[at], at)
