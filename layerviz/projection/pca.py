"""PCA: one linear view of a layer for all of its snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerviz.progress import OnProgress, ShouldStop
from layerviz.projection.components import centred, principal_components, two_columns
from layerviz.projection.layer_maps import LayerMaps, rated
from layerviz.projection.projection import LayerStates, Projection

if TYPE_CHECKING:
    from sklearn.decomposition import PCA as Components


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
    states = [centred(state, state[train]) for state in states]
    basis = _shared_basis(states, train)
    explained = np.zeros(2, dtype=np.float32)
    explained[: basis.n_components_] = np.nan_to_num(basis.explained_variance_ratio_)
    xy = [two_columns(basis.transform(state)) for state in states]
    return rated(xy, states, splits, explained)


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
    basis = _shared_basis([centred(state, state[train]) for state in states], train)
    placed = basis.transform(centred(vectors, states[at][train]))
    return two_columns(placed).astype(np.float32)


def _shared_basis(centred_states: Sequence[np.ndarray], train: np.ndarray) -> Components:
    """Return the two components of the train rows pooled over the snapshots."""
    pooled = np.concatenate([state[train] for state in centred_states])
    return principal_components(pooled, min(2, *pooled.shape))


# --- the projection -------------------------------------------------------------------------


def _draw(
    layer: LayerStates,
    earlier: LayerMaps | None,  # noqa: ARG001
    on_progress: OnProgress,  # noqa: ARG001
    should_stop: ShouldStop,  # noqa: ARG001
) -> LayerMaps:
    return pca_maps(layer.states, layer.splits)


def _place(layer: LayerStates, xy: np.ndarray, vectors: np.ndarray, at: int) -> np.ndarray:  # noqa: ARG001
    return place_in_pca(layer.states, layer.splits, vectors, at)


PCA = Projection(
    name="pca",
    label="PCA",
    help="a linear view, with the same axes at every epoch.",
    reading="uses one basis per layer for all epochs, with each epoch centred on its train mean. "
    "It shows the two directions of greatest variance, which need not be the ones that separate "
    "your classes; the page says how much of the variance they hold.",
    draw=_draw,
    place=_place,
    placed_by="all snapshots",
    explains_variance=True,
    refits=True,
)
