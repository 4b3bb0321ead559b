"""States turned along the principal axes of train, on which a probe is fitted in fewer steps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from layerviz.numerics import within_range
from layerviz.separability.decompositions import eigh

NO_DIRECTION = 1e-5  # singular values below this part of the largest are rounding errors


@dataclass(frozen=True)
class Axes:
    """Standardised states along train's principal axes."""

    inputs: torch.Tensor  # (N, r)
    curvature: torch.Tensor  # (r,): the mean square along each axis
    centre: torch.Tensor  # (D,)
    deviation: torch.Tensor  # (D,)
    directions: torch.Tensor  # (D, r): the axes


def rotated(states: np.ndarray, train: np.ndarray) -> Axes:
    """Standardise states and turn them along train's principal axes.

    The L2 penalty does not change under a rotation, but along these axes the curvature of the
    loss is nearly diagonal, and axes on which no train row lies can be left out.
    """
    x = torch.from_numpy(within_range(states).astype(np.float32))  # (N, D)
    x_train = x[torch.from_numpy(np.flatnonzero(train))]  # (n, D)
    deviation = x_train.std(dim=0, unbiased=False)
    deviation = torch.where(deviation > 1e-6, deviation, 1.0)
    centre = x_train.mean(dim=0)
    x_train = (x_train - centre) / deviation
    x = (x - centre) / deviation
    n, d = x_train.shape
    if d <= n:
        square, axes = eigh(x_train.T @ x_train)
    else:
        square, left = eigh(x_train @ x_train.T)
        axes = x_train.T @ left / square.clamp(min=1e-12).sqrt()
    kept = square > square[-1].clamp(min=1e-12) * NO_DIRECTION**2 * max(n, d)
    directions = axes[:, kept]
    return Axes(x @ directions, square[kept] / n, centre, deviation, directions)
