"""How each projection of `config.METHOD_NAMES` is drawn, extended and to be read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.projection.layer_maps import LayerMaps
from layerviz.projection.lda import lda_maps, place_in_lda
from layerviz.projection.pca import pca_maps, place_in_pca
from layerviz.projection.tsne import place_in_tsne, tsne_maps
from layerviz.projection.umap import place_in_umap, umap_maps

STORED = ("tsne", "umap")  # too slow for a page: drawn off it, and kept in the run's folder


def notes(method: str, n_classes: int) -> list[str]:
    """Return what a reader must know of a projection before believing it, in sentences."""
    if method != "lda":
        return []
    said = [
        "LDA looks for the directions that tell the train labels apart, so train looks separated "
        "even where nothing was learnt: judge by val."
    ]
    if n_classes == 2:
        said.append(
            "Two classes have one such direction, the horizontal one; the vertical one is the "
            "first principal component of what is left of the spread within the classes."
        )
    return said


def quick_maps(
    method: str, states: Sequence[np.ndarray], splits: np.ndarray, labels: np.ndarray
) -> LayerMaps:
    """Map one layer by a method that a page can wait for.

    Parameters
    ----------
    method : {"pca", "lda"}
    states : sequence of S ndarrays of shape (N, D)
        Pooled hidden states of the layer, one array per snapshot.
    splits : ndarray of shape (N,)
        Name of each row's split; the rows of ``train`` fit the map.
    labels : ndarray of shape (N,)
        Their classes, which LDA looks at for train alone.
    """
    return pca_maps(states, splits) if method == "pca" else lda_maps(states, splits, labels)


def slow_maps(
    method: str,
    states: Sequence[np.ndarray],
    splits: np.ndarray,
    *,
    seed: int,
    earlier: LayerMaps | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> LayerMaps:
    """Map one layer by one of the methods `STORED`; see `tsne_maps` and `umap_maps`."""
    draw = {"tsne": tsne_maps, "umap": umap_maps}[method]
    return draw(
        states,
        splits,
        seed=seed,
        earlier=earlier,
        on_progress=on_progress,
        should_stop=should_stop,
    )


def place(
    method: str,
    xy: np.ndarray,
    states: Sequence[np.ndarray],
    splits: np.ndarray,
    labels: np.ndarray,
    vectors: np.ndarray,
    *,
    at: int,
    seed: int,
) -> np.ndarray:
    """Place new vectors in a drawn map; nothing is refitted.

    Parameters
    ----------
    method : {"pca", "lda", "tsne", "umap"}
    xy : ndarray of shape (N, 2)
        The map of the snapshot that the vectors belong to.
    states : sequence of S ndarrays of shape (N, D)
        The states of all mapped snapshots.
    splits, labels : ndarrays of shape (N,)
    vectors : ndarray of shape (m, D)
        New states of the same layer.
    at : int
        Position of their snapshot among the S.
    seed : int
        The one that the map was drawn with.

    Returns
    -------
    ndarray of shape (m, 2), float32
        In the coordinates of `xy`.
    """
    if method == "pca":
        return place_in_pca(states, splits, vectors, at)
    if method == "lda":
        return place_in_lda(states, splits, labels, vectors, at)
    place_in = {"tsne": place_in_tsne, "umap": place_in_umap}[method]
    return place_in(xy, states[at], splits, vectors, seed=seed)
