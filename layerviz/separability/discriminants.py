"""How far classes lie apart along the directions that separate them best."""

from __future__ import annotations

import numpy as np
import torch

from layerviz.numerics import all_equal
from layerviz.separability.decompositions import solve


def fisher_ratio(states: np.ndarray, labels: np.ndarray, train: np.ndarray) -> dict[str, float]:
    """Return how far classes lie apart along the discriminants, in units of their spread.

    The discriminants are those of a linear discriminant analysis fitted on train (Fisher, 1936;
    Rao, 1948) with a shrunken within-class covariance (Ledoit & Wolf, 2004). The value is the
    trace of the between-class covariance over that of the within-class covariance in that space,
    measured on train and, with the same discriminants, on val rows, where it is not inflated.

    Returns
    -------
    dict
        ``train`` and ``val``; NaN where a split has fewer than two classes, or all states of
        train are equal.
    """
    missing = {"train": float("nan"), "val": float("nan")}
    train_states, targets = states[train].astype(np.float32), labels[train]
    classes = np.unique(targets)
    if len(classes) < 2 or all_equal(train_states):
        return missing
    means = np.stack([train_states[targets == label].mean(axis=0) for label in classes])  # (C, D)
    residuals = train_states - means[np.searchsorted(classes, targets)]
    within = shrunken_covariance(residuals)
    within.diagonal().add_(max(float(within.trace()) / len(within), 1e-12) * 1e-6)
    discriminants = solve(within, torch.from_numpy(means - means.mean(axis=0)).T).numpy()  # (D, C)
    result = dict(missing)
    for split, rows in (("train", train), ("val", ~train)):
        if len(np.unique(labels[rows])) > 1:
            result[split] = _between_over_within(
                states[rows].astype(np.float32) @ discriminants, labels[rows]
            )
    return result


def shrunken_covariance(residuals: np.ndarray) -> torch.Tensor:
    """Return the covariance of centred rows, shrunken towards its mean variance.

    Ledoit & Wolf (2004), as ``sklearn.covariance.ledoit_wolf``, in a single product instead of
    three: the squares that it sums over all pairs of columns are, row by row, the square of the
    row's squared length. PyTorch's product keeps to this thread; NumPy's would start threads that
    the other layers' are waiting for.

    Parameters
    ----------
    residuals : ndarray of shape (n, D), float32
        Deviations from what is taken for their mean.

    Returns
    -------
    Tensor of shape (D, D), float32
    """
    x = torch.from_numpy(residuals)
    n, d = x.shape
    covariance = x.T @ x / n
    mean = float(covariance.trace()) / d
    square = float(covariance.square().sum(dtype=torch.float64))
    fourth = float(x.square().sum(dim=1).double().square().sum())
    spread = (fourth / n - square) / (d * n)  # beta and delta of the paper
    distance = square / d - mean**2
    shrinkage = min(spread, distance) / distance if spread > 0 and distance > 0 else 0.0
    covariance *= 1 - shrinkage
    covariance.diagonal().add_(shrinkage * mean)
    return covariance


def _between_over_within(projected: np.ndarray, labels: np.ndarray) -> float:
    scale = np.maximum(projected.std(axis=0), 1e-12)
    projected = (projected - projected.mean(axis=0)) / scale
    between = within = 0.0
    for label in np.unique(labels):
        rows = projected[labels == label]
        between += len(rows) * float((rows.mean(axis=0) ** 2).sum())
        within += float(((rows - rows.mean(axis=0)) ** 2).sum())
    return between / max(within, 1e-12)
