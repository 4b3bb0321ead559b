"""LDA: the directions that tell the train classes apart best, and where val lies on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import cholesky, eigh, orthogonal_procrustes, solve_triangular
from sklearn.covariance import ledoit_wolf_shrinkage

from layerviz.projection.layer_maps import LayerMaps, quality, spread

LEAST_VARIANCE = 1e-6  # of standardised states, within classes: keeps the covariance invertible
LEAST_SINGULAR = 1e-6  # of class means, as a part of the largest: below it there is no discriminant


def lda_maps(states: Sequence[np.ndarray], splits: np.ndarray, labels: np.ndarray) -> LayerMaps:
    """Map one layer onto the two directions that separate the train classes best.

    Fisher's (1936) discriminants in Rao's (1948) form for several classes; the covariance within
    classes is shrunk towards a multiple of the identity (Ledoit & Wolf, 2004), since there are
    often fewer train points than dimensions. Positions are in standard deviations within classes,
    from the train mean. With two classes there is one discriminant: the second axis is then the
    first principal component of what that one leaves of the spread within classes, and the class
    means do not differ along it.

    The discriminants change from snapshot to snapshot. The axes of each one are turned onto those
    of the one before by the rotation or reflection that brings the train points closest
    (orthogonal Procrustes; Schönemann, 1966); a lone discriminant stays the horizontal axis and is
    only reflected.

    Parameters
    ----------
    states : sequence of S ndarrays of shape (N, D)
        Pooled hidden states of the layer, one array per snapshot.
    splits : ndarray of shape (N,)
        Name of each row's split; the rows of ``train`` fit the map.
    labels : ndarray of shape (N,)
        Classes; those of rows outside train are not looked at.

    Returns
    -------
    LayerMaps
    """
    aligned = _aligned_axes(states, splits == "train", labels)
    xy = np.stack([axes.place(state) for axes, state in zip(aligned, states, strict=True)])
    trust = np.stack([quality(s, p, splits) for s, p in zip(states, xy, strict=True)])
    return LayerMaps(xy, trust, np.full(2, np.nan, dtype=np.float32))


def place_in_lda(
    states: Sequence[np.ndarray],
    splits: np.ndarray,
    labels: np.ndarray,
    vectors: np.ndarray,
    at: int,
) -> np.ndarray:
    """Place new vectors in the map that `lda_maps` draws of one snapshot.

    Parameters
    ----------
    states : sequence of S ndarrays of shape (N, D)
        All the states that `lda_maps` was given.
    splits, labels : ndarrays of shape (N,)
    vectors : ndarray of shape (m, D)
        New states of the same layer.
    at : int
        Position, among the S snapshots, of the one that the vectors belong to.

    Returns
    -------
    ndarray of shape (m, 2), float32
        In the coordinates of ``LayerMaps.xy``.
    """
    return _aligned_axes(states[: at + 1], splits == "train", labels)[at].place(vectors)


@dataclass(frozen=True, eq=False)
class _Axes:
    """An affine map into the plane: origin of shape (D,), directions of shape (D, 2)."""

    origin: np.ndarray
    directions: np.ndarray
    n_discriminants: int

    def place(self, states: np.ndarray) -> np.ndarray:
        return ((states.astype(np.float64) - self.origin) @ self.directions).astype(np.float32)

    def turned(self, rotation: np.ndarray) -> _Axes:
        return _Axes(self.origin, self.directions @ rotation, self.n_discriminants)


def _aligned_axes(
    states: Sequence[np.ndarray], train: np.ndarray, labels: np.ndarray
) -> list[_Axes]:
    aligned: list[_Axes] = []
    before = None
    for state in states:
        mine = state[train]
        axes = _fitted(mine.astype(np.float64), labels[train])
        if before is not None:
            alike = axes.n_discriminants == aligned[-1].n_discriminants != 1
            axes = axes.turned(_rotation(axes.place(mine), before, freely=alike))
        before = axes.place(mine)
        aligned.append(axes)
    return aligned


def _rotation(positions: np.ndarray, before: np.ndarray, *, freely: bool) -> np.ndarray:
    """Return the orthogonal matrix, (2, 2), that brings positions closest to those before."""
    if freely:
        return orthogonal_procrustes(positions, before)[0]
    return np.diag(np.where((positions * before).sum(axis=0) < 0, -1.0, 1.0))


def _fitted(mine: np.ndarray, labels: np.ndarray) -> _Axes:
    """Return the axes that train rows of shape (n, D) give, not yet aligned."""
    origin = mine.mean(axis=0)
    if not spread(mine):  # as [CLS] is before the first layer
        return _Axes(origin, np.zeros((len(origin), 2)), 0)
    scale = mine.std(axis=0)
    scale[scale == 0] = 1
    rows = (mine - origin) / scale
    means, within = _by_class(rows, labels)
    root = cholesky(_shrunk_covariance(within), lower=True)  # (D, D), root @ root.T
    whitened = solve_triangular(root, means.T, lower=True)  # (D, K)
    left, singular, _ = np.linalg.svd(whitened, full_matrices=False)
    kept = singular > max(LEAST_SINGULAR * singular[0], 1e-9 * np.sqrt(len(mine)))
    n_found = min(2, int(kept.sum()))
    discriminants = left[:, :n_found]  # orthonormal where the spread within classes is a sphere
    directions = solve_triangular(root, discriminants, lower=True, trans="T")  # (D, n_found)
    if n_found < 2:
        rest = _of_the_rest(within, directions, root @ discriminants, 2 - n_found)
        directions = np.hstack([directions, rest])
    return _Axes(origin, directions / scale[:, None], n_found)


def _by_class(rows: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return class means times the root of their sizes, (K, D), and rows less them, (n, D)."""
    classes, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.zeros((len(classes), rows.shape[1]))
    np.add.at(sums, codes, rows)
    means = sums / counts[:, None]
    return means * np.sqrt(counts)[:, None], rows - means[codes]


def _shrunk_covariance(within: np.ndarray) -> np.ndarray:
    """Return the shrunk covariance of class-centred rows, (D, D)."""
    n, width = within.shape
    covariance = within.T @ within / n
    shrinkage = ledoit_wolf_shrinkage(within, assume_centered=True) if within.any() else 1.0
    covariance *= 1 - shrinkage
    ridge = shrinkage * np.square(within).sum() / (n * width) + LEAST_VARIANCE
    covariance[np.diag_indices(width)] += ridge
    return covariance


def _of_the_rest(
    within: np.ndarray, directions: np.ndarray, loadings: np.ndarray, n_wanted: int
) -> np.ndarray:
    """Return directions, (D, n_wanted), of the principal components that discriminants leave.

    Parameters
    ----------
    within : ndarray of shape (n, D)
        Class-centred train rows.
    directions, loadings : ndarrays of shape (D, n_found)
        Of the discriminants: how a row gives its position, and how a position gives back its part
        of the row.
    n_wanted : int
        1 or 2.
    """
    rest = within - within @ directions @ loadings.T
    width = rest.shape[1]
    first = max(0, width - n_wanted)
    variances, components = eigh(rest.T @ rest / len(rest), subset_by_index=[first, width - 1])
    variances, components = variances[::-1], components[:, ::-1]
    components = components - directions @ (loadings.T @ components)
    there = variances > LEAST_VARIANCE
    scaled = np.where(there, components / np.sqrt(np.where(there, variances, 1)), 0)
    return np.pad(scaled, ((0, 0), (0, n_wanted - scaled.shape[1])))
