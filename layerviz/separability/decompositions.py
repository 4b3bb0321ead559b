"""Eigenvalues of matrices that many equal ones make hard to decompose, as of collapsed states."""

from __future__ import annotations

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
