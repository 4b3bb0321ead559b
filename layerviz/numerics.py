"""What makes the states of a layer hard to compute with, and decompositions that hold for them.

Training with too high a learning rate may leave every text with nearly the same vector, with values
beyond float16, or with none at all. Whatever looks at states must bear that.
"""

from __future__ import annotations

import numpy as np

NEARLY_ALIKE = 0.01  # of the length of the states: rows that lie no farther apart are collapsed
LARGEST = float(np.finfo(np.float16).max)  # of stored states; squares of these add up in float32


def relative_spread(states: np.ndarray) -> float:
    """Return how far states lie from their mean, as a part of how long they are.

    The root of the mean squared distance from the mean, over the root of the mean squared length:
    0 where all rows are one vector, 1 where their mean is 0.

    Parameters
    ----------
    states : ndarray of shape (n, D)

    Returns
    -------
    float
        0 to 1; NaN where a value is no finite number, or there are no rows.
    """
    if not len(states) or not np.isfinite(states).all():
        return float("nan")
    if all_equal(states):
        return 0.0
    x = within_range(states).astype(np.float64)
    length = float(np.square(x).mean())
    apart = float(np.square(x - x.mean(axis=0)).mean())
    return float(np.sqrt(apart / length)) if length > 0 else 0.0


def all_equal(states: np.ndarray) -> bool:
    """Return whether all rows are one point, as [CLS] is before the first layer."""
    return not (states != states[:1]).any()


def within_range(states: np.ndarray) -> np.ndarray:
    """Return finite states whose squares float32 can hold: as they are, or scaled down.

    Stored states are float16 and stay as they are.
    """
    if states.dtype == np.float16 or not states.size:
        return states
    most = float(np.abs(states).max())
    if not most > LARGEST:
        return states
    return (states.astype(np.float64) * 2.0 ** -np.ceil(np.log2(most / LARGEST))).astype(np.float32)


def well_scaled(states: np.ndarray) -> np.ndarray:
    """Return finite states for measures that no shift and no scale changes, float32 of (n, D).

    Where rows are nearly alike, all that tells them apart is in the last digits of float32, which
    the first square would lose: these rows are centred and scaled in float64. Other states are
    what they were.
    """
    states = within_range(states)
    if not 0 < relative_spread(states) < NEARLY_ALIKE:
        return states.astype(np.float32)
    x = states.astype(np.float64)
    x -= x.mean(axis=0)
    return (x / np.sqrt(np.square(x).mean())).astype(np.float32)


def or_zero(states: np.ndarray) -> np.ndarray:
    """Return states that can be drawn: zeros in place of those with a value that is no number.

    All rows are one point then, as those of a layer that gives every text the same vector.
    """
    return states if np.isfinite(states).all() else np.zeros_like(states)


def svd(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the thin singular value decomposition, falling back on the slower QR iteration.

    Parameters
    ----------
    matrix : ndarray of shape (n, m)
        Finite.
    """
    try:
        return np.linalg.svd(matrix, full_matrices=False)
    except np.linalg.LinAlgError:
        import scipy  # only where numpy fails

        return scipy.linalg.svd(matrix, full_matrices=False, lapack_driver="gesvd")
