"""How many dimensions states fill, whatever their labels: no measure of how classes separate."""

from __future__ import annotations

import numpy as np
import torch

from layerviz.numerics import all_equal
from layerviz.separability.decompositions import eigvalsh

MOST_ROWS = 1000  # distances and singular values of more would cost much and change little
KEPT_RATIOS = 0.9  # the largest ratios of distances are outliers (Facco et al., 2017)
FEWEST_RATIOS = 10


def spread_rows(n: int) -> np.ndarray:
    """Return all of n rows, or 1,000 evenly spaced ones."""
    return np.unique(np.linspace(0, n - 1, min(n, MOST_ROWS)).astype(int))


def rankme(states: np.ndarray) -> float:
    """Return the effective number of dimensions that centred states span, 1 to min(n, D).

    The exponential of the entropy of the singular values' shares (RankMe; Garrido et al., 2023,
    equation 3, after Roy & Vetterli, 2007), on at most 1,000 rows. States are centred first: their
    mean is by far the largest singular value of most layers, and says nothing of their spread.

    Parameters
    ----------
    states : ndarray of shape (n, D)

    Returns
    -------
    float
        NaN where all states are equal.
    """
    if all_equal(states):
        return float("nan")
    # In float64: roots of float32's rounding errors would be as large as true singular values.
    gram = _gram(_centred(states[spread_rows(len(states))]).double())
    singular = eigvalsh(gram).clamp(min=0).sqrt()
    shares = singular / singular.sum()
    return float(torch.special.entr(shares).sum().exp())


def participation_ratio(states: np.ndarray) -> float:
    """Return the participation ratio of the covariance's eigenvalues, 1 to min(n, D).

    The square of their sum over the sum of their squares (Gao et al., 2017): as many as there are
    if all are alike, 1 if one outweighs all others. NaN where all states are equal.

    Parameters
    ----------
    states : ndarray of shape (n, D)
    """
    if all_equal(states):
        return float("nan")
    gram = _gram(_centred(states[spread_rows(len(states))]))
    return float(gram.trace().square() / gram.square().sum())  # traces of a matrix and its square


def two_nn(states: np.ndarray) -> float:
    """Return the intrinsic dimension from the distances to the two nearest neighbours.

    Facco et al. (2017): where density hardly changes between them, the ratio of the second to the
    first follows a Pareto law whose exponent is the dimension. It is the slope of a line through
    the origin, without the largest tenth of ratios; at most 1,000 rows, equal ones counting once.

    Parameters
    ----------
    states : ndarray of shape (n, D)

    Returns
    -------
    float
        NaN with fewer than ten different rows.
    """
    x = _centred(_distinct(states[spread_rows(len(states))]))
    if len(x) < FEWEST_RATIOS:
        return float("nan")
    distances = torch.cdist(x, x)
    distances.fill_diagonal_(torch.inf)
    nearest = distances.topk(2, dim=1, largest=False).values  # (n, 2)
    nearest = nearest[nearest[:, 0] > 0]  # rows may differ by less than float32 tells apart
    if len(nearest) < FEWEST_RATIOS:
        return float("nan")
    ratios = (nearest[:, 1] / nearest[:, 0]).log().sort().values.numpy()
    share = np.arange(1, len(ratios) + 1) / len(ratios)
    n_kept = int(KEPT_RATIOS * len(ratios))
    x_kept, y_kept = ratios[:n_kept], -np.log1p(-share[:n_kept])
    length = float(x_kept @ x_kept)
    return float(x_kept @ y_kept) / length if length > 0 else float("nan")


def _centred(states: np.ndarray) -> torch.Tensor:
    x = torch.from_numpy(states.astype(np.float32))
    return x - x.mean(dim=0)


def _gram(x: torch.Tensor) -> torch.Tensor:
    """Return the smaller of the two matrices of inner products; their eigenvalues are the same."""
    return x.T @ x if x.shape[1] <= len(x) else x @ x.T


def _distinct(states: np.ndarray) -> np.ndarray:
    """Return each row once, in the order in which they come first."""
    rows = np.ascontiguousarray(states)
    as_bytes = rows.view(np.dtype((np.void, rows.strides[0]))).ravel()  # far faster than by axis
    return rows[np.sort(np.unique(as_bytes, return_index=True)[1])]
