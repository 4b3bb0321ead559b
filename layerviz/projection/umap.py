"""UMAP: neighbourhoods and more of the wider picture, continued from snapshot to snapshot.

umap-learn compiles itself when it is imported, which takes seconds, so it is imported only where
such a map is drawn or extended.
"""

from __future__ import annotations

import threading
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

if TYPE_CHECKING:
    from umap import UMAP as UmapModel

FIRST_EPOCHS, NEXT_EPOCHS = 500, 100  # of the optimisation, in the first snapshot and later
FIRST_RATE, NEXT_RATE = 1.0, 0.25  # UMAP's step, which falls to 0
PLACING_EPOCHS = 100
MOST_NEIGHBOURS = 15
HALF_WIDTH = 10.0  # of the positions that the first snapshot starts from, UMAP's own
FEWEST_POINTS = 5  # of train, for neighbourhoods

# Numba's thread pool may abort the process when two threads enter it at a time, as a worker that
# draws maps and a page that places a text would.
_one_at_a_time = threading.Lock()


def umap_maps(
    layer: LayerStates,
    earlier: LayerMaps | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> LayerMaps:
    """Map one layer with UMAP (McInnes et al., 2018), each snapshot continued from the one before.

    The first snapshot starts from its first two principal components; each further one from the
    positions of the snapshot before, with fewer and smaller steps. Rows outside train are placed
    by umap-learn's `transform`, which keeps the train points fixed.

    `on_progress` is told percent; `should_stop` is asked before the train rows of a snapshot are
    mapped, and before the others are placed.
    """

    def draw(index: int, state: np.ndarray, previous: np.ndarray | None) -> np.ndarray:
        xy = _map_of_snapshot(state, layer.train, previous, layer.seed, should_stop)
        percent = round(100 * (index + 1) / len(layer.states))
        on_progress(Progress(MAPPING, percent, 100))
        return xy

    return continued(draw, layer.states, layer.splits, earlier)


def place_in_umap(layer: LayerStates, xy: np.ndarray, vectors: np.ndarray, at: int) -> np.ndarray:
    """Place new vectors in a UMAP map that was drawn; its points stay where they are."""
    components = reduced_by_train(layer.states[at], layer.train, vectors)
    if components is None:
        return np.zeros((len(vectors), 2), dtype=np.float32)
    train_rows, new_rows = components
    if len(train_rows) < FEWEST_POINTS:
        return two_columns(new_rows[:, :2]).astype(np.float32)
    with _one_at_a_time:
        model = _neighbourhoods(train_rows, layer.seed)
        return _positions_of_new(model, xy[layer.train], new_rows)


def _map_of_snapshot(
    states: np.ndarray,
    train: np.ndarray,
    previous: np.ndarray | None,
    seed: int,
    should_stop: ShouldStop,
) -> np.ndarray:
    """Return positions of shape (N, 2), float32: train optimised, the other rows placed."""
    xy = np.zeros((len(states), 2), dtype=np.float32)
    stop_if_asked(should_stop)
    if not vary(states[train]):  # as [CLS] before the first layer
        return xy
    components = reduced(states, train)
    if train.sum() < FEWEST_POINTS:
        return two_columns(components[:, :2])
    with _one_at_a_time:
        model = _neighbourhoods(components[train], seed)
        if previous is None or not vary(previous):
            start = two_columns(components[train][:, :2])
            start = start * (HALF_WIDTH / np.abs(start).max())
            xy[train] = _optimised(model, start, FIRST_EPOCHS, FIRST_RATE, seed)
        else:
            xy[train] = _optimised(model, previous, NEXT_EPOCHS, NEXT_RATE, seed)
        stop_if_asked(should_stop)
        if not train.all():
            xy[~train] = _positions_of_new(model, xy[train], components[~train])
    return xy


def _neighbourhoods(train_rows: np.ndarray, seed: int) -> UmapModel:
    """Return the fuzzy graph of train rows, with nothing laid out yet."""
    from umap import UMAP as UmapModel

    model = UmapModel(
        n_neighbors=min(MOST_NEIGHBOURS, len(train_rows) - 1),
        n_epochs=0,
        init=np.random.default_rng(seed).normal(size=(len(train_rows), 2)),  # it asks for one
        random_state=seed,
        transform_seed=seed,
        n_jobs=1,
    )
    return model.fit(train_rows)


def _optimised(
    model: UmapModel, start: np.ndarray, n_epochs: int, rate: float, seed: int
) -> np.ndarray:
    """Return the layout of a graph, (n, 2), that the optimisation reaches from `start`, (n, 2).

    Calls umap-learn's own optimisation without the method around it, which would first stretch both
    axes of `start` to the same range and so move points that have no reason to move.
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


def _positions_of_new(model: UmapModel, train_xy: np.ndarray, components: np.ndarray) -> np.ndarray:
    """Return the positions of new rows, (m, 2), on a layout of the graph, (n, 2)."""
    model.embedding_ = np.array(train_xy, dtype=np.float32, order="C")
    model.n_epochs = 3 * PLACING_EPOCHS  # `transform` takes a third of it
    return model.transform(components)


UMAP = Projection(
    name="umap",
    label="UMAP",
    help="aims for the same, and packs neighbours more tightly.",
    reading="aims for the same, packs neighbours more tightly, and continues from epoch to epoch "
    "in the same way. The first UMAP map after the server starts takes up to a minute longer, "
    "while UMAP compiles itself.",
    draw=umap_maps,
    place=place_in_umap,
    stored=True,
    continues=True,
)
