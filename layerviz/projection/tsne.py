"""t-SNE: neighbourhoods, each snapshot continued from the one before."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import openTSNE

from layerviz.errors import Cancelled
from layerviz.projection.components import reduced, reducing_basis, two_columns
from layerviz.projection.layer_maps import LayerMaps, continued, spread

# Half of openTSNE's own numbers and less: on 2,000 tweets, two layers and 4 snapshots, more of them
# changed neither the trustworthiness nor the neighbours of val by more than 0.01.
FIRST_ITERATIONS, NEXT_ITERATIONS = 250, 100
EXAGGERATED_ITERATIONS = 250  # before those of the first snapshot
PLACING_ITERATIONS = 100  # for the rows outside train
ITERATIONS_PER_REPORT = 25
FEWEST_POINTS = 5  # of train, for neighbourhoods
MOST_EXACT = 20_000  # train points up to which looking at all pairs is fast and needs no luck


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
        Asked every 25 iterations.
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

    def draw(index: int, state: np.ndarray, previous: np.ndarray | None) -> np.ndarray:
        report = _Report(index, len(states), on_progress, should_stop)
        xy = _tsne(state, splits == "train", previous, seed, report, n_jobs)
        report.finished()
        return xy

    return continued(draw, states, splits, earlier)


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
    if not spread(mine):
        return np.zeros((len(vectors), 2), dtype=np.float32)
    basis = reducing_basis(mine)
    placed = basis.transform(vectors.astype(np.float32))
    if len(mine) < FEWEST_POINTS:
        return two_columns(placed[:, :2]).astype(np.float32)
    affinities = _affinities(basis.transform(mine), seed)
    drawn = xy[splits == "train"].astype(np.float64)
    embedding = openTSNE.TSNEEmbedding(
        drawn.copy(), affinities, negative_gradient_method="bh", random_state=seed
    )
    placed = _placed(embedding, placed)
    moved = drawn[0] - np.asarray(embedding)[0]  # it was re-centred in place
    return (placed + moved).astype(np.float32)


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
    if not spread(states[train]):  # as [CLS] is before the first layer
        return xy
    components = reduced(states, train)
    if n_train < FEWEST_POINTS:  # for neighbourhoods; two components say all there is
        return two_columns(components[:, :2])
    first = previous is None or not spread(previous)
    exaggerated = EXAGGERATED_ITERATIONS if first else 0
    n_iter = FIRST_ITERATIONS if first else NEXT_ITERATIONS
    start = components[train][:, :2] if first else previous
    embedding = openTSNE.TSNE(
        early_exaggeration_iter=exaggerated,
        n_iter=n_iter,
        negative_gradient_method="bh",
        n_jobs=n_jobs,
        random_state=seed,
        callbacks=report.during(exaggerated + n_iter + PLACING_ITERATIONS * (not train.all())),
        callbacks_every_iters=ITERATIONS_PER_REPORT,
    ).fit(
        affinities=_affinities(components[train], seed, n_jobs),
        initialization=openTSNE.initialization.rescale(two_columns(start)),
    )
    if not train.all():
        xy[~train] = _placed(embedding, components[~train])
    xy[train] = np.asarray(embedding)  # read after transform, which re-centres the reference
    return xy


def _affinities(
    mine: np.ndarray, seed: int, n_jobs: int = 1
) -> openTSNE.affinity.PerplexityBasedNN:
    """Return how near train rows are to one another, and the index that places others among them.

    The index is handed over ready: openTSNE would import pynndescent (minutes of compiling)
    wherever that is installed, only to learn that it is there.
    """
    perplexity = _perplexity(len(mine))
    exact = len(mine) <= MOST_EXACT
    index = (openTSNE.nearest_neighbors.Sklearn if exact else openTSNE.nearest_neighbors.Annoy)(
        mine,
        k=min(len(mine) - 1, int(3 * perplexity)),
        metric="euclidean",
        n_jobs=n_jobs,
        random_state=seed,
        knn_kwargs={"algorithm": "brute"} if exact else None,
    )
    return openTSNE.affinity.PerplexityBasedNN(
        knn_index=index, perplexity=perplexity, n_jobs=n_jobs, random_state=seed
    )


def _perplexity(n_train: int) -> float:
    return min(30.0, (n_train - 1) / 3)


def _placed(embedding: openTSNE.TSNEEmbedding, components: np.ndarray) -> np.ndarray:
    """Return where new rows come to lie, shape (m, 2), after re-centring the embedding in place."""
    placed = embedding.transform(
        components,
        perplexity=min(5.0, _perplexity(len(embedding))),
        early_exaggeration_iter=0,
        n_iter=PLACING_ITERATIONS,
    )
    return np.asarray(placed)
