"""Decompositions that hold for matrices with many equal eigenvalues, as of collapsed states."""

from __future__ import annotations

import numpy as np
import scipy
import torch


def eigh(matrix: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return eigenvalues, rising, and eigenvectors of a symmetric matrix, in its own precision.

    LAPACK's divide and conquer may not converge where many eigenvalues are the same, as those of
    collapsed states are; the QR iteration in float64, which is slower, does.
    """
    try:
        values, vectors = torch.linalg.eigh(matrix)
        if bool(torch.isfinite(values).all()) and bool(torch.isfinite(vectors).all()):
            return values, vectors
    except torch.linalg.LinAlgError:
        pass
    found = scipy.linalg.eigh(matrix.double().numpy(), driver="ev")
    values, vectors = (torch.from_numpy(part).to(matrix.dtype) for part in found)
    return values, vectors


def eigvalsh(matrix: torch.Tensor) -> torch.Tensor:
    """Return the eigenvalues alone, as `eigh` does."""
    try:
        values = torch.linalg.eigvalsh(matrix)
    except torch.linalg.LinAlgError:
        return eigh(matrix)[0]
    return values if bool(torch.isfinite(values).all()) else eigh(matrix)[0]


def solve(matrix: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
    """Solve a system with a symmetric matrix, (D, D), for columns (D, c).

    One that is singular to its last digit is solved in float64 by least squares.
    """
    solved, singular = torch.linalg.solve_ex(matrix, columns)
    if not int(singular) and bool(torch.isfinite(solved).all()):
        return solved
    return torch.from_numpy(
        np.linalg.lstsq(matrix.double().numpy(), columns.double().numpy(), rcond=None)[0]
    ).to(matrix.dtype)
