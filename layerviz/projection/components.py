"""Principal components of train rows: what several projections start from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from layerviz.projection.quality import vary

if TYPE_CHECKING:  # imported where it is used: see projections.py
    from sklearn.decomposition import PCA

MOST_COMPONENTS = 50  # what neighbourhoods are looked for in


def centred(rows: np.ndarray, train_rows: np.ndarray) -> np.ndarray:
    """Return rows in float32, less the mean of the train rows of their snapshot."""
    return rows.astype(np.float32) - train_rows.astype(np.float32).mean(axis=0)


def principal_components(rows: np.ndarray, n_components: int) -> PCA:
    """Return the first components of rows, fitted exactly."""
    from sklearn.decomposition import PCA

    with np.errstate(invalid="ignore"):  # 0 / 0 where all rows are equal
        try:
            return PCA(n_components, svd_solver="covariance_eigh").fit(rows)
        except np.linalg.LinAlgError:  # of nearly equal rows, it need not converge
            return PCA(n_components, svd_solver="full").fit(rows.astype(np.float64))


def reducing_basis(train_rows: np.ndarray) -> PCA:
    """Return the first 50 principal components of train rows: t-SNE's and UMAP's usual input."""
    return principal_components(train_rows, min(MOST_COMPONENTS, *train_rows.shape))


def reduced(states: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return all rows in the components of `reducing_basis`, fitted on train."""
    basis = reducing_basis(states[train])
    components = np.zeros((len(states), basis.n_components_), dtype=states.dtype)
    for rows in (train, ~train):  # separately: the number of rows decides how products round
        if rows.any():
            components[rows] = basis.transform(states[rows])
    return components


def reduced_by_train(
    states: np.ndarray, train: np.ndarray, vectors: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return train rows and new vectors in the components of `reducing_basis`, fitted on train.

    None where all train rows are equal, so that there are no components.
    """
    train_rows = states[train].astype(np.float32)
    if not vary(train_rows):
        return None
    basis = reducing_basis(train_rows)
    return basis.transform(train_rows), basis.transform(vectors.astype(np.float32))


def two_columns(positions: np.ndarray) -> np.ndarray:
    """Return positions with a second column of zeros where there is only one."""
    return np.pad(positions, ((0, 0), (0, 2 - positions.shape[1])))
