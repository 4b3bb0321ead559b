"""UMAP: neighbourhoods and more of the wider picture, continued from snapshot to snapshot.

umap-learn compiles itself when it is imported, which takes seconds: only who draws or extends
such a map imports it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
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
from layerviz.projection.components import reduced, reducing_basis, two_columns
from layerviz.projection.layer_maps import LayerMaps, continued, spread

if TYPE_CHECKING:
    from umap import UMAP

FIRST_EPOCHS, NEXT_EPOCHS = 500, 100  # of the optimisation, in the first snapshot and later
FIRST_RATE, NEXT_RATE = 1.0, 0.25  # UMAP's step, which falls to 0
PLACING_EPOCHS = 100
MOST_NEIGHBOURS = 15
HALF_WIDTH = 10.0  # of the positions that the first snapshot starts from, UMAP's own
FEWEST_POINTS = 5  # of train, for neighbourhoods

# Numba's thread pool may abort the process when two threads enter it at a time, as a worker that
# draws and a page that places a text would.
_one_at_a_time = threading.Lock()


def umap_maps(
    states: Sequence[np.ndarray],
    splits: np.ndarray,
    *,
    seed: int,
    earlier: LayerMaps | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> LayerMaps:
    """Map one layer with UMAP (McInnes et al., 2018), each snapshot continued from the one before.

    The first snapshot starts from its first two principal components; each further one from the
    positions of the snapshot before, with fewer and smaller steps. Rows outside train are placed
    by umap-learn's `transform`, which keeps the train points fixed.

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
    on_progress : callable
        Called with a `Progress` that counts percent.
    should_stop : callable
        Asked before the train rows of a snapshot are mapped, and before the others are placed.

    Returns
    -------
    LayerMaps

    Raises
    ------
    Cancelled
        If `should_stop` answers true.
    """

    def draw(index: int, state: np.ndarray, previous: np.ndarray | None) -> np.ndarray:
        xy = _mapped(state, splits == "train", previous, seed, should_stop)
        percent = round(100 * (index + 1) / len(states))
        on_progress(Progress(MAPPING, percent, 100))
        return xy

    return continued(draw, states, splits, earlier)


def place_in_umap(
    xy: np.ndarray, states: np.ndarray, splits: np.ndarray, vectors: np.ndarray, *, seed: int
) -> np.ndarray:
    """Place new vectors in a drawn UMAP map, whose points stay where they are.

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
        The one that the map was drawn with.

    Returns
    -------
    ndarray of shape (m, 2), float32
        In the coordinates of `xy`.
    """
    train = splits == "train"
    mine = states[train].astype(np.float32)
    if not spread(mine):
        return np.zeros((len(vectors), 2), dtype=np.float32)
    basis = reducing_basis(mine)
    placed = basis.transform(vectors.astype(np.float32))
    if len(mine) < FEWEST_POINTS:
        return two_columns(placed[:, :2]).astype(np.float32)
    with _one_at_a_time:
        model = _neighbourhoods(basis.transform(mine), seed)
        return _placed(model, xy[train], placed)


def _mapped(
    states: np.ndarray,
    train: np.ndarray,
    previous: np.ndarray | None,
    seed: int,
    should_stop: ShouldStop,
) -> np.ndarray:
    """Return positions of shape (N, 2), float32: train optimised, the other rows placed."""
    xy = np.zeros((len(states), 2), dtype=np.float32)
    stop_if_asked(should_stop)
    if not spread(states[train]):  # as [CLS] is before the first layer
        return xy
    components = reduced(states, train)
    if train.sum() < FEWEST_POINTS:
        return two_columns(components[:, :2])
    first = previous is None or not spread(previous)
    with _one_at_a_time:
        model = _neighbourhoods(components[train], seed)
        if first:
            start = two_columns(components[train][:, :2])
            start = start * (HALF_WIDTH / np.abs(start).max())
            xy[train] = _optimised(model, start, FIRST_EPOCHS, FIRST_RATE, seed)
        else:
            xy[train] = _optimised(model, previous, NEXT_EPOCHS, NEXT_RATE, seed)
        stop_if_asked(should_stop)
        if not train.all():
            xy[~train] = _placed(model, xy[train], components[~train])
    return xy


def _neighbourhoods(mine: np.ndarray, seed: int) -> UMAP:
    """Return the fuzzy graph of train rows, with nothing laid out yet."""
    from umap import UMAP

    model = UMAP(
        n_neighbors=min(MOST_NEIGHBOURS, len(mine) - 1),
        n_epochs=0,
        init=np.random.default_rng(seed).normal(size=(len(mine), 2)),  # it asks for one
        random_state=seed,
        transform_seed=seed,
        n_jobs=1,
    )
    return model.fit(mine)


def _optimised(model: UMAP, start: np.ndarray, n_epochs: int, rate: float, seed: int) -> np.ndarray:
    """Return the layout of a graph that `start`, (n, 2), leads to.

    umap-learn's own optimisation, called without the method around it, which would stretch both
    axes of `start` to the same range before and so move points that have no reason to move.
    """
    from umap.layouts import optimize_layout_euclidean
    from umap.umap_ import make_epochs_per_sample

    graph = model.graph_.tocoo()
    graph.sum_duplicates()
    graph.data[graph.data < graph.data.max() / n_epochs] = 0  # they would not be drawn once
    graph.eliminate_zeros()
    layout = np.array(start, dtype=np.float32, order="C")
    state = np.random.default_rng(seed).integers(-(2**31) + 1, 2**31 - 1, size=3)
    return optimize_layout_euclidean(
        layout,
        layout,
        graph.row,
        graph.col,
        n_epochs,
        len(layout),
        make_epochs_per_sample(graph.data, n_epochs),
        model._a,
        model._b,
        state.astype(np.int64),
        initial_alpha=rate,
        negative_sample_rate=model.negative_sample_rate,
        parallel=False,
        move_other=True,
    )


def _placed(model: UMAP, drawn: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Return where new rows come to lie, (m, 2), on the layout `drawn`, (n, 2), of the graph."""
    model.embedding_ = np.array(drawn, dtype=np.float32, order="C")
    model.n_epochs = 3 * PLACING_EPOCHS  # `transform` takes a third of it
    return model.transform(components)
