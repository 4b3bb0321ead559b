"""t-SNE: neighbourhoods, each snapshot continued from the one before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from layerviz.progress import (
    MAPPING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
    stop_if_asked,
)
from layerviz.projection.components import reduced, reduced_by_train, two_columns
from layerviz.projection.layer_maps import LayerMaps, continued
from layerviz.projection.projection import LayerStates, Projection
from layerviz.projection.quality import vary

if TYPE_CHECKING:  # imported where it is used: see projections.py
    import openTSNE

# Factors by which neighbours attract one another, and for how many iterations. Without them, points
# of a map that has unfolded cannot get past each other, and it loses 0.01 of its trustworthiness.
# Nearly twice as many iterations change nothing that a map is judged by: over 4 layers and 3
# snapshots of 2,000 tweets, trustworthiness is 0.926 and 0.873 with them (train and val), 0.927 and
# 0.875 without, and the share of kept neighbours 0.298 and 0.252, or 0.299 and 0.249. A coarser
# tree (theta 0.8) would cost 0.01 of that share.
FIRST_PHASES = ((12, 120), (1, 180))
RECOMPUTED_PHASES = ((12, 60), (1, 90))
HELD_PHASES = ((4, 60), (1, 90))
PLACING_ITERATIONS = 100  # for the rows outside train
PLACING_TAKES = 40  # iterations of train, about; for the progress
ITERATIONS_PER_STEP = 10
# Where a smaller share than ENOUGH_TO_HOLD of all nearest neighbours stayed the same, the layout is
# recomputed from a shrunken copy of the map before; held in place, it would keep islands that no
# longer exist. Elsewhere a point stays put if the share STAYING of its neighbours stayed the same;
# other points are drawn back at each step by the fourth power of their share over STAYING. On 2,000
# tweets, 8 layers and 6 snapshots, stable points move 0.09 of the radius (0.28 if none is drawn
# back), and trustworthiness is 0.962 (0.967).
ENOUGH_TO_HOLD = 0.27
STAYING = 0.87
NEIGHBOURS = 10  # that tell how stable a point is
FEWEST_POINTS = 5  # of train, for neighbourhoods
MOST_EXACT = 20_000  # train points up to which comparing all pairs is fast


def tsne_maps(
    layer: LayerStates,
    earlier: LayerMaps | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> LayerMaps:
    """Map one layer with t-SNE, each snapshot continued from the one before.

    The first snapshot starts from its first two principal components (Kobak & Berens, 2019);
    each further one from the positions of the snapshot before. As in dynamic t-SNE (Rauber et al.,
    2016), points are drawn back to where they were; here, the more strongly, the more of a point's
    nearest neighbours stayed the same, so that what moves on the map is what has changed. Where few
    stayed the same, no point is drawn back, and the layout is recomputed from a shrunken copy of
    the map before.
    Rows outside train are placed by openTSNE's `transform` (Poličar et al., 2019), which keeps
    the train points fixed.

    `on_progress` is told percent; `should_stop` is asked every 10 iterations.
    """
    states = layer.states

    def draw(index: int, state: np.ndarray, previous: np.ndarray | None) -> np.ndarray:
        reporter = _Reporter(index, len(states), on_progress, should_stop)
        before = None if previous is None else _Before(states[index - 1], previous)
        xy = _tsne(state, layer.train, before, layer.seed, reporter)
        reporter.finished()
        return xy

    return continued(draw, states, layer.splits, earlier)


def place_in_tsne(layer: LayerStates, xy: np.ndarray, vectors: np.ndarray, at: int) -> np.ndarray:
    """Place new vectors in a t-SNE map that was drawn; its points stay where they are.

    Uses openTSNE's `transform` (Poličar et al., 2019), with the settings with which `tsne_maps`
    places the rows outside train.
    """
    import openTSNE

    components = reduced_by_train(layer.states[at], layer.train, vectors)
    if components is None:
        return np.zeros((len(vectors), 2), dtype=np.float32)
    train_rows, new_rows = components
    if len(train_rows) < FEWEST_POINTS:
        return two_columns(new_rows[:, :2]).astype(np.float32)
    train_xy = xy[layer.train].astype(np.float64)
    embedding = openTSNE.TSNEEmbedding(
        train_xy.copy(),
        _affinities(train_rows, layer.seed),
        negative_gradient_method="bh",
        random_state=layer.seed,
    )
    positions = _positions_of_new(embedding, new_rows)
    shift = train_xy[0] - np.asarray(embedding)[0]  # the embedding was re-centred in place
    return (positions + shift).astype(np.float32)


@dataclass(frozen=True)
class _Before:
    """The snapshot before: states of shape (N, D), and positions of the train rows, (n, 2)."""

    states: np.ndarray
    xy: np.ndarray


@dataclass(frozen=True)
class _Reporter:
    """Progress of one snapshot within all of them."""

    index: int
    n_snapshots: int
    on_progress: OnProgress
    should_stop: ShouldStop

    def reached(self, part: float) -> None:
        stop_if_asked(self.should_stop)
        self._tell(0.95 * part)

    def finished(self) -> None:
        self._tell(1)

    def _tell(self, part: float) -> None:
        percent = round(100 * (self.index + part) / self.n_snapshots)
        self.on_progress(Progress(MAPPING, percent, 100))


def _tsne(
    states: np.ndarray,
    train: np.ndarray,
    before: _Before | None,
    seed: int,
    reporter: _Reporter,
) -> np.ndarray:
    """Return positions of shape (N, 2): train optimised, the other rows placed."""
    import openTSNE

    n_train = int(train.sum())
    xy = np.zeros((len(states), 2))
    if not vary(states[train]):  # as [CLS] before the first layer
        return xy
    components = reduced(states, train)
    if n_train < FEWEST_POINTS:  # for neighbourhoods; two components say all there is
        return two_columns(components[:, :2])
    train_components = components[train]
    if before is None or not vary(before.xy):
        start = openTSNE.initialization.rescale(two_columns(train_components[:, :2]))
        phases, pull = FIRST_PHASES, np.zeros((n_train, 1))
    else:
        old = reduced(before.states.astype(np.float32), train)[train]
        stayed = _neighbours_kept(old, train_components, seed)
        if stayed.mean() < ENOUGH_TO_HOLD:
            start = openTSNE.initialization.rescale(before.xy.astype(np.float64))
            phases, pull = RECOMPUTED_PHASES, np.zeros((n_train, 1))
        else:
            start = before.xy.astype(np.float64)
            start -= start.mean(axis=0)  # as openTSNE centres at each iteration
            phases, pull = HELD_PHASES, np.minimum(1, (stayed / STAYING) ** 4)[:, None]
    embedding = openTSNE.TSNEEmbedding(
        start.copy(),
        _affinities(train_components, seed),
        negative_gradient_method="bh",
        random_state=seed,
    )
    embedding = _optimised(embedding, phases, start, pull, reporter)
    if not train.all():
        xy[~train] = _positions_of_new(embedding, components[~train])
    xy[train] = np.asarray(embedding)  # read after transform, which re-centres the reference
    return xy


def _optimised(
    embedding: openTSNE.TSNEEmbedding,
    phases: Sequence[tuple[float, int]],
    start: np.ndarray,
    pull: np.ndarray,
    reporter: _Reporter,
) -> openTSNE.TSNEEmbedding:
    """Return the embedding after all phases; `pull` (n, 1) draws its points back to `start`."""
    n_iterations = sum(n for _, n in phases)
    done = 0
    for exaggeration, n in phases:
        for _ in range(n // ITERATIONS_PER_STEP):
            embedding = embedding.optimize(ITERATIONS_PER_STEP, exaggeration=exaggeration)
            embedding += pull * (start - embedding)
            done += ITERATIONS_PER_STEP
            reporter.reached(done / (n_iterations + PLACING_TAKES))
    return embedding


def _neighbours_kept(old: np.ndarray, new: np.ndarray, seed: int) -> np.ndarray:
    """Return which share of each row's nearest rows stayed, shape (n,)."""
    k = min(NEIGHBOURS, len(new) - 1)
    first, second = (_index(rows, k, seed).build()[0] for rows in (old, new))
    return (first[:, :, None] == second[:, None, :]).any(axis=2).mean(axis=1)


def _affinities(train_rows: np.ndarray, seed: int) -> openTSNE.affinity.PerplexityBasedNN:
    """Return how near train rows are to one another; its index places others among them."""
    import openTSNE

    perplexity = _perplexity(len(train_rows))
    return openTSNE.affinity.PerplexityBasedNN(
        knn_index=_index(train_rows, min(len(train_rows) - 1, int(3 * perplexity)), seed),
        perplexity=perplexity,
        random_state=seed,
    )


def _index(rows: np.ndarray, k: int, seed: int) -> openTSNE.nearest_neighbors.KNNIndex:
    """Return the index of each row's k nearest rows.

    openTSNE gets it ready-made: choosing one itself, it would import pynndescent (minutes of
    compiling) wherever that is installed, only to learn that it is.
    """
    import openTSNE

    exact = len(rows) <= MOST_EXACT
    return (openTSNE.nearest_neighbors.Sklearn if exact else openTSNE.nearest_neighbors.Annoy)(
        rows,
        k=k,
        metric="euclidean",
        random_state=seed,
        knn_kwargs={"algorithm": "brute"} if exact else None,
    )


def _perplexity(n_train: int) -> float:
    return min(30.0, (n_train - 1) / 3)


def _positions_of_new(embedding: openTSNE.TSNEEmbedding, components: np.ndarray) -> np.ndarray:
    """Return the positions of new rows, shape (m, 2); re-centres the embedding in place."""
    positions = embedding.transform(
        components,
        perplexity=min(5.0, _perplexity(len(embedding))),
        early_exaggeration_iter=0,
        n_iter=PLACING_ITERATIONS,
    )
    return np.asarray(positions)


TSNE = Projection(
    name="tsne",
    label="t-SNE",
    help="keeps neighbours together, as far as it can; distances between far clusters mean little.",
    reading="keeps neighbours together, as far as two dimensions allow. Each epoch starts from the "
    "positions of the one before, and a point is held in place to the extent that its nearest "
    "neighbours stayed the same, so points whose neighbours stayed move little. (Where most "
    "neighbours changed, the layout is recomputed.) Cluster sizes and distances between far "
    "clusters mean little.",
    draw=tsne_maps,
    place=place_in_tsne,
    stored=True,
    continues=True,
)
