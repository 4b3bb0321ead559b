"""Hidden states of one layer over the snapshots in, 2-D maps out.

Every map is fitted on train alone and val (and test) are placed into it, so that both splits
share their axes; maps of successive snapshots are aligned, so that movement means change.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import openTSNE
from sklearn.decomposition import PCA
from sklearn.metrics import pairwise_distances

from layerviz.errors import Cancelled

METHODS = ("pca", "tsne")
NEIGHBOURS = 12  # of the trustworthiness
QUALITY_SAMPLE = 250  # points at which it is measured
FIRST_ITERATIONS, NEXT_ITERATIONS = 500, 150
EXAGGERATED_ITERATIONS = 250  # before those of the first snapshot
PLACING_ITERATIONS = 250  # openTSNE's own, for the rows outside train
ITERATIONS_PER_REPORT = 50
FEWEST_FOR_TSNE = 5  # train points


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
        PCA: part of the train variance along each axis, 0 where there is no variance at all;
        NaN for other methods.
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

        Those of new points may lie outside of it.
        """
        low, high = self.xy.min(axis=(0, 1)), self.xy.max(axis=(0, 1))
        extent = float((high - low).max())
        if extent == 0:
            return np.full(xy.shape, 0.5, dtype=np.float32)
        return ((xy - (low + high) / 2) / extent + 0.5).astype(np.float32)


def pca_maps(states: Sequence[np.ndarray], splits: np.ndarray) -> LayerMaps:
    """Map one layer with a single PCA basis for all snapshots.

    Each snapshot is centred on its own train mean, which takes out the drift of the whole cloud;
    the basis is fitted on the centred train rows pooled over the snapshots, so that a point that
    moves from one snapshot to the next has moved among the others, not in the basis.

    Parameters
    ----------
    states : sequence of S ndarrays of shape (N, D)
        Pooled hidden states of the layer, one array per snapshot.
    splits : ndarray of shape (N,)
        Name of each row's split; the rows of ``train`` fit the map.

    Returns
    -------
    LayerMaps
    """
    train = splits == "train"
    states = [_centred(state, state[train]) for state in states]
    basis = _shared_basis(states, train)
    explained = np.zeros(2, dtype=np.float32)
    explained[: basis.n_components_] = np.nan_to_num(basis.explained_variance_ratio_)
    xy = np.stack([_two_columns(basis.transform(state)) for state in states]).astype(np.float32)
    trust = np.stack([_quality(s, p, splits) for s, p in zip(states, xy, strict=True)])
    return LayerMaps(xy, trust, explained)


def place_in_pca(
    states: Sequence[np.ndarray], splits: np.ndarray, vectors: np.ndarray, at: int
) -> np.ndarray:
    """Place new vectors in the map that `pca_maps` draws of one snapshot; nothing is refitted.

    Parameters
    ----------
    states : sequence of S ndarrays of shape (N, D)
        All the states that `pca_maps` was given.
    splits : ndarray of shape (N,)
    vectors : ndarray of shape (m, D)
        New states of the same layer.
    at : int
        Position, among the S snapshots, of the one that the vectors belong to.

    Returns
    -------
    ndarray of shape (m, 2), float32
        In the coordinates of ``LayerMaps.xy``.
    """
    train = splits == "train"
    basis = _shared_basis([_centred(state, state[train]) for state in states], train)
    placed = basis.transform(_centred(vectors, states[at][train]))
    return _two_columns(placed).astype(np.float32)


def tsne_maps(
    states: Sequence[np.ndarray],
    splits: np.ndarray,
    *,
    seed: int,
    earlier: LayerMaps | None = None,
    on_progress: Callable[[float], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    n_jobs: int = 1,
) -> LayerMaps:
    """Map one layer with t-SNE, each snapshot continued from the one before.

    The first snapshot starts from its first two principal components (Kobak & Berens, 2019);
    each further one from the positions of the snapshot before, without early exaggeration.
    Rows outside train are placed by openTSNE's `transform` (Poličar et al., 2019), which keeps
    the train points fixed.

    Parameters
    ----------
    states : sequence of S ndarrays of shape (N, D)
        Pooled hidden states of the layer, one array per snapshot.
    splits : ndarray of shape (N,)
        Name of each row's split; the rows of ``train`` fit the map.
    seed : int
        Seed of the optimisation.
    earlier : LayerMaps, optional
        Maps of the first snapshots, as computed before; only the rest is computed.
    on_progress : callable, optional
        Called with the finished fraction.
    should_stop : callable, optional
        Asked every 50 iterations.
    n_jobs : int
        Threads.

    Returns
    -------
    LayerMaps

    Raises
    ------
    Cancelled
        If `should_stop` answers true.
    """
    done = [] if earlier is None else list(earlier.xy[: len(states)])
    trust = [] if earlier is None else list(earlier.trust[: len(states)])
    train = splits == "train"
    for index in range(len(done), len(states)):
        report = _Report(index, len(states), on_progress, should_stop)
        previous = done[-1][train] if done else None
        xy = _tsne(states[index].astype(np.float32), train, previous, seed, report, n_jobs)
        done.append(xy.astype(np.float32))  # as stored, so that `earlier` goes on alike
        trust.append(_quality(states[index], xy, splits))
        report.finished()
    return LayerMaps(
        np.stack(done),
        np.stack(trust).astype(np.float32),
        np.full(2, np.nan, dtype=np.float32),
    )


def place_in_tsne(
    xy: np.ndarray, states: np.ndarray, splits: np.ndarray, vectors: np.ndarray, *, seed: int
) -> np.ndarray:
    """Place new vectors in a drawn t-SNE map, whose points stay where they are.

    By openTSNE's `transform` (Poličar et al., 2019), with the settings by which `tsne_maps`
    places the rows outside train.

    Parameters
    ----------
    xy : ndarray of shape (N, 2)
        The map of one snapshot, one of ``LayerMaps.xy``.
    states : ndarray of shape (N, D)
        The states that it shows.
    splits : ndarray of shape (N,)
    vectors : ndarray of shape (m, D)
        New states of the same layer and snapshot.
    seed : int
        Of the search for neighbours.

    Returns
    -------
    ndarray of shape (m, 2), float32
        In the coordinates of `xy`.
    """
    mine = states[splits == "train"].astype(np.float32)
    if not _spread(mine):
        return np.zeros((len(vectors), 2), dtype=np.float32)
    basis = _reducing_basis(mine)
    placed = basis.transform(vectors.astype(np.float32))
    if len(mine) < FEWEST_FOR_TSNE:
        return _two_columns(placed[:, :2]).astype(np.float32)
    affinities = openTSNE.affinity.PerplexityBasedNN(
        basis.transform(mine), perplexity=_perplexity(len(mine)), random_state=seed
    )
    drawn = xy[splits == "train"].astype(np.float64)
    embedding = openTSNE.TSNEEmbedding(
        drawn.copy(), affinities, negative_gradient_method="bh", random_state=seed
    )
    placed = _placed(embedding, placed)
    return (placed + (drawn - embedding)[0]).astype(np.float32)  # it was re-centred in place


@dataclass(frozen=True)
class _Report:
    """Progress of one snapshot within all of them, in the form that openTSNE calls."""

    index: int
    n_snapshots: int
    on_progress: Callable[[float], None] | None
    should_stop: Callable[[], bool] | None

    def during(self, n_iterations: int) -> Callable[[int, float, np.ndarray], None]:
        calls = itertools.count(1)  # openTSNE counts its iterations anew in each phase

        def callback(iteration: int, error: float, embedding: np.ndarray) -> None:  # noqa: ARG001
            if self.should_stop is not None and self.should_stop():
                raise Cancelled
            part = min(1.0, next(calls) * ITERATIONS_PER_REPORT / n_iterations)
            if self.on_progress is not None:
                self.on_progress((self.index + 0.95 * part) / self.n_snapshots)

        return callback

    def finished(self) -> None:
        if self.on_progress is not None:
            self.on_progress((self.index + 1) / self.n_snapshots)


def _tsne(
    states: np.ndarray,
    train: np.ndarray,
    previous: np.ndarray | None,
    seed: int,
    report: _Report,
    n_jobs: int,
) -> np.ndarray:
    """Return positions of shape (N, 2): train optimised, the other rows placed."""
    n_train = int(train.sum())
    xy = np.zeros((len(states), 2))
    if not _spread(states[train]):  # as [CLS] is before the first layer
        return xy
    reduced = _reduced(states, train)
    if n_train < FEWEST_FOR_TSNE:  # for neighbourhoods; two components say all there is
        xy[:, : min(2, reduced.shape[1])] = reduced[:, :2]
        return xy
    first = previous is None or not _spread(previous)
    exaggerated = EXAGGERATED_ITERATIONS if first else 0
    n_iter = FIRST_ITERATIONS if first else NEXT_ITERATIONS
    start = reduced[train][:, :2] if first else previous
    embedding = openTSNE.TSNE(
        perplexity=_perplexity(n_train),
        early_exaggeration_iter=exaggerated,
        n_iter=n_iter,
        negative_gradient_method="bh",
        n_jobs=n_jobs,
        random_state=seed,
        callbacks=report.during(exaggerated + n_iter + PLACING_ITERATIONS * (not train.all())),
        callbacks_every_iters=ITERATIONS_PER_REPORT,
    ).fit(reduced[train], initialization=openTSNE.initialization.rescale(_two_columns(start)))
    if not train.all():
        xy[~train] = _placed(embedding, reduced[~train])
    xy[train] = np.asarray(embedding)  # read after transform, which re-centres the reference
    return xy


def _reduced(states: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return the first 50 principal components, fitted on train: t-SNE's usual input."""
    basis = _reducing_basis(states[train])
    reduced = np.zeros((len(states), basis.n_components_), dtype=states.dtype)
    for rows in (train, ~train):  # apart: the number of rows decides how a product is rounded
        if rows.any():
            reduced[rows] = basis.transform(states[rows])
    return reduced


def _reducing_basis(mine: np.ndarray) -> PCA:
    return _principal_components(mine, min(50, *mine.shape))


def _perplexity(n_train: int) -> float:
    return min(30.0, (n_train - 1) / 3)


def _placed(embedding: openTSNE.TSNEEmbedding, reduced: np.ndarray) -> np.ndarray:
    """Return where new rows come to lie, shape (m, 2), after re-centring the embedding in place."""
    placed = embedding.transform(
        reduced,
        perplexity=min(5.0, _perplexity(len(embedding))),
        early_exaggeration_iter=0,
        n_iter=PLACING_ITERATIONS,
    )
    return np.asarray(placed)


def _centred(rows: np.ndarray, mine: np.ndarray) -> np.ndarray:
    """Return rows in float32, less the mean of the train rows of their snapshot."""
    return rows.astype(np.float32) - mine.astype(np.float32).mean(axis=0)


def _shared_basis(centred: Sequence[np.ndarray], train: np.ndarray) -> PCA:
    """Return the two components of the train rows pooled over the snapshots."""
    pooled = np.concatenate([state[train] for state in centred])
    return _principal_components(pooled, min(2, *pooled.shape))


def _principal_components(rows: np.ndarray, n_components: int) -> PCA:
    with np.errstate(invalid="ignore"):  # 0 / 0 where all rows are equal
        return PCA(n_components, svd_solver="covariance_eigh").fit(rows)


def _spread(rows: np.ndarray) -> bool:
    """Return whether not all rows are equal."""
    return bool((rows != rows[:1]).any())


def _two_columns(positions: np.ndarray) -> np.ndarray:
    return np.pad(positions, ((0, 0), (0, 2 - positions.shape[1])))


def _quality(states: np.ndarray, xy: np.ndarray, splits: np.ndarray) -> np.ndarray:
    """Return the trustworthiness of train and of val, shape (2,), NaN where undefined."""
    return np.array(
        [
            trustworthiness(states[splits == split], xy[splits == split])
            for split in ("train", "val")
        ],
        dtype=np.float32,
    )


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
    n = len(states)
    if n < 2 * n_neighbors + 1 or not _spread(states):
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
