"""PCA: one linear view of a layer for all of its snapshots."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.projection.components import centred, principal_components, two_columns
from layerviz.projection.layer_maps import LayerMaps, rated
from layerviz.projection.projection import LayerStates, Projection

if TYPE_CHECKING:
    from sklearn.decomposition import PCA as Components


def pca_maps(
    layer: LayerStates,
    earlier: LayerMaps | None = None,  # noqa: ARG001
    on_progress: OnProgress = ignore,  # noqa: ARG001
    should_stop: ShouldStop = never,  # noqa: ARG001
) -> LayerMaps:
    """Map one layer with a single PCA basis for all snapshots.

    Each snapshot is centred on its own train mean, which takes out the drift of the whole cloud;
    the basis is fitted on the centred train rows pooled over the snapshots, so that a point that
    moves from one snapshot to the next has moved among the others, not in the basis.
    """
    train = layer.train
    states = [centred(state, state[train]) for state in layer.states]
    basis = _shared_basis(states, train)
    explained = np.zeros(2, dtype=np.float32)
    explained[: basis.n_components_] = np.nan_to_num(basis.explained_variance_ratio_)
    xy = [two_columns(basis.transform(state)) for state in states]
    return rated(xy, states, layer.splits, explained)


def place_in_pca(layer: LayerStates, xy: np.ndarray, vectors: np.ndarray, at: int) -> np.ndarray:  # noqa: ARG001
    """Place new vectors in the map that `pca_maps` draws of one snapshot; nothing is refitted."""
    return _place_at([at], [vectors], layer)[0]


def place_in_all_pca(layer: LayerStates, vectors: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Place new vectors in the maps that `pca_maps` draws, fitted once for all snapshots."""
    return _place_at(range(len(vectors)), vectors, layer)


def _place_at(
    snapshots: Sequence[int], vectors: Sequence[np.ndarray], layer: LayerStates
) -> list[np.ndarray]:
    """Return positions of shape (m, 2), float32, at each of the snapshots."""
    train = layer.train
    basis = _shared_basis([centred(state, state[train]) for state in layer.states], train)
    positions = [
        basis.transform(centred(rows, layer.states[at][train]))
        for at, rows in zip(snapshots, vectors, strict=True)
    ]
    return [two_columns(xy).astype(np.float32) for xy in positions]


def _shared_basis(centred_states: Sequence[np.ndarray], train: np.ndarray) -> Components:
    """Return the two components of the train rows pooled over the snapshots."""
    pooled = np.concatenate([state[train] for state in centred_states])
    return principal_components(pooled, min(2, *pooled.shape))


PCA = Projection(
    name="pca",
    label="PCA",
    help="a linear view, with the same axes at every epoch.",
    reading="uses one basis per layer for all epochs, with each epoch centred on its train mean. "
    "It shows the two directions of greatest variance, which need not be the ones that separate "
    "your classes; the page says how much of the variance they hold.",
    draw=pca_maps,
    place=place_in_pca,
    place_all=place_in_all_pca,
    placed_by="all snapshots",
    explains_variance=True,
    refits=True,
)
