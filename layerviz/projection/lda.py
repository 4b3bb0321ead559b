"""LDA: the directions that tell the train classes apart best, and where val lies on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy

from layerviz.numerics import svd
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.projection.layer_maps import LayerMaps, rated
from layerviz.projection.projection import LayerStates, Projection
from layerviz.projection.quality import vary

LEAST_VARIANCE = 1e-6  # of standardised states, within classes: keeps the covariance invertible
LEAST_SINGULAR = 1e-6  # of class means, as a part of the largest: below it there is no discriminant


def lda_maps(
    layer: LayerStates,
    earlier: LayerMaps | None = None,  # noqa: ARG001
    on_progress: OnProgress = ignore,  # noqa: ARG001
    should_stop: ShouldStop = never,  # noqa: ARG001
) -> LayerMaps:
    """Map one layer onto the two directions that separate the train classes best.

    Fisher's (1936) discriminants in Rao's (1948) form for several classes; the covariance within
    classes is shrunk towards a multiple of the identity (Ledoit & Wolf, 2004), since there are
    often fewer train points than dimensions. Positions are in standard deviations within classes,
    from the train mean. With two classes there is one discriminant: the second axis is then the
    first principal component of what that one leaves of the variation within classes, and the
    class means do not differ along it.

    The discriminants change from snapshot to snapshot. The axes of each one are rotated onto those
    of the one before by the rotation or reflection that brings the train points closest
    (orthogonal Procrustes; Schönemann, 1966); a lone discriminant stays the horizontal axis and is
    only reflected.
    """
    aligned = _aligned_axes(layer.states, layer.train, layer.labels)
    xy = [axes.place(state) for axes, state in zip(aligned, layer.states, strict=True)]
    return rated(xy, layer.states, layer.splits)


def place_in_lda(layer: LayerStates, xy: np.ndarray, vectors: np.ndarray, at: int) -> np.ndarray:  # noqa: ARG001
    """Place new vectors in the map that `lda_maps` draws of one snapshot; nothing is refitted."""
    aligned = _aligned_axes(layer.states[: at + 1], layer.train, layer.labels)
    return aligned[at].place(vectors)


def place_in_all_lda(layer: LayerStates, vectors: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Place new vectors in the maps that `lda_maps` draws, fitted once for all snapshots."""
    aligned = _aligned_axes(layer.states, layer.train, layer.labels)
    return [axes.place(rows) for axes, rows in zip(aligned, vectors, strict=True)]


@dataclass(frozen=True, eq=False)
class _Axes:
    """An affine map into the plane: origin of shape (D,), directions of shape (D, 2)."""

    origin: np.ndarray
    directions: np.ndarray
    n_discriminants: int

    def place(self, states: np.ndarray) -> np.ndarray:
        return ((states.astype(np.float64) - self.origin) @ self.directions).astype(np.float32)

    def rotated(self, rotation: np.ndarray) -> _Axes:
        return _Axes(self.origin, self.directions @ rotation, self.n_discriminants)


def _aligned_axes(
    states: Sequence[np.ndarray], train: np.ndarray, labels: np.ndarray
) -> list[_Axes]:
    aligned: list[_Axes] = []
    before = None
    for state in states:
        train_rows = state[train]
        axes = _fitted_axes(train_rows.astype(np.float64), labels[train])
        if before is not None:
            alike = axes.n_discriminants == aligned[-1].n_discriminants != 1
            axes = axes.rotated(_rotation(axes.place(train_rows), before, freely=alike))
        before = axes.place(train_rows)
        aligned.append(axes)
    return aligned


def _rotation(positions: np.ndarray, before: np.ndarray, *, freely: bool) -> np.ndarray:
    """Return the orthogonal matrix, (2, 2), that brings positions closest to those before."""
    if freely:
        return scipy.linalg.orthogonal_procrustes(positions, before)[0]
    return np.diag(np.where((positions * before).sum(axis=0) < 0, -1.0, 1.0))


def _fitted_axes(train_rows: np.ndarray, labels: np.ndarray) -> _Axes:
    """Return the axes that train rows of shape (n, D) give, not yet aligned."""
    origin = train_rows.mean(axis=0)
    if not vary(train_rows):  # as [CLS] before the first layer
        return _Axes(origin, np.zeros((len(origin), 2)), 0)
    scale = train_rows.std(axis=0)
    scale[scale == 0] = 1
    rows = (train_rows - origin) / scale
    means, within = _by_class(rows, labels)
    root = scipy.linalg.cholesky(_shrunk_covariance(within), lower=True)  # (D, D), root @ root.T
    whitened = scipy.linalg.solve_triangular(root, means.T, lower=True)  # (D, K)
    left, singular, _ = svd(whitened)
    kept = singular > max(LEAST_SINGULAR * singular[0], 1e-9 * np.sqrt(len(train_rows)))
    n_discriminants = min(2, int(kept.sum()))
    discriminants = left[:, :n_discriminants]  # orthonormal where classes are spheres
    directions = scipy.linalg.solve_triangular(root, discriminants, lower=True, trans="T")
    if n_discriminants < 2:
        missing = 2 - n_discriminants
        rest = _leftover_components(within, directions, root @ discriminants, missing)
        directions = np.hstack([directions, rest])
    return _Axes(origin, directions / scale[:, None], n_discriminants)


def _by_class(rows: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return class means times the root of their sizes, (K, D), and rows less them, (n, D)."""
    classes, codes, counts = np.unique(labels, return_inverse=True, return_counts=True)
    members = codes == np.arange(len(classes))[:, None]  # (K, n)
    means = members.astype(rows.dtype) @ rows / counts[:, None]
    return means * np.sqrt(counts)[:, None], rows - means[codes]


def _shrunk_covariance(within: np.ndarray) -> np.ndarray:
    """Return the shrunk covariance of class-centred rows, (D, D)."""
    from sklearn.covariance import ledoit_wolf_shrinkage  # see projections.py

    n, width = within.shape
    covariance = within.T @ within / n
    shrinkage = ledoit_wolf_shrinkage(within, assume_centered=True) if within.any() else 1.0
    covariance *= 1 - shrinkage
    ridge = shrinkage * np.square(within).sum() / (n * width) + LEAST_VARIANCE
    covariance[np.diag_indices(width)] += ridge
    return covariance


def _leftover_components(
    within: np.ndarray, directions: np.ndarray, loadings: np.ndarray, n_wanted: int
) -> np.ndarray:
    """Return directions, (D, n_wanted), of the principal components of what discriminants leave.

    Parameters
    ----------
    within : ndarray of shape (n, D)
        Class-centred train rows.
    directions, loadings : ndarrays of shape (D, n_discriminants)
        Of the discriminants: how a row gives its position, and how a position gives back its part
        of the row.
    n_wanted : int
        1 or 2.
    """
    rest = within - within @ directions @ loadings.T
    width = rest.shape[1]
    first = max(0, width - n_wanted)
    covariance = rest.T @ rest / len(rest)
    variances, components = scipy.linalg.eigh(covariance, subset_by_index=[first, width - 1])
    variances, components = variances[::-1], components[:, ::-1]
    components = components - directions @ (loadings.T @ components)
    varies = variances > LEAST_VARIANCE
    scaled = np.where(varies, components / np.sqrt(np.where(varies, variances, 1)), 0)
    return np.pad(scaled, ((0, 0), (0, n_wanted - scaled.shape[1])))


# --- the projection -------------------------------------------------------------------------


def _notes(n_classes: int) -> tuple[str, ...]:
    if n_classes != 2:
        return ()
    return (
        "With two classes there is only one direction that separates them, the horizontal one; the "
        "vertical one is the first principal component of what it leaves of the variation within "
        "classes.",
    )


LDA = Projection(
    name="lda",
    label="LDA",
    help="the directions that separate the train labels best; what counts is how val does there.",
    reading="shows the directions that separate the *train* labels best (Fisher's discriminants, "
    "with Ledoit and Wolf's shrinkage); each epoch is rotated onto the one before. Train looks "
    "separated even where nothing was learned: judge by val. With more than three classes there "
    "are further such directions, which are not shown. With two classes there is only one, the "
    "horizontal one; the vertical one is the first principal component of what it leaves of the "
    "variation within classes.",
    draw=lda_maps,
    place=place_in_lda,
    place_all=place_in_all_lda,
    placed_by="all snapshots",
    uses_labels=True,
    notes=_notes,
)
