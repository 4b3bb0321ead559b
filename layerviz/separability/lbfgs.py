"""L-BFGS for many small convex problems at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

KEPT_STEPS = 8  # pairs of steps and gradient changes kept
SUFFICIENT = 1e-4  # part of the promised decrease that a step must deliver (Armijo)
SMALLEST_STEP = 2.0**-12


@dataclass(frozen=True)
class Minimum:
    """Where K minimisations ended.

    Parameters
    ----------
    x : Tensor of shape (K, P)
        The minimisers.
    converged : Tensor of shape (K,), bool
        Whether the gradient's largest entry fell below the tolerance.
    n_iterations : int
        Rounds until all had converged or the limit was reached.
    """

    x: torch.Tensor
    converged: torch.Tensor
    n_iterations: int


def minimise(
    value_and_gradient: Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]],
    start: torch.Tensor,
    *,
    tolerance: float,
    max_iterations: int,
) -> Minimum:
    """Minimise K functions of P variables side by side (Liu & Nocedal, 1989).

    Each problem has its own history and step length; only the evaluations are shared, which
    turns many products of a matrix with a vector into one product of matrices.

    Parameters
    ----------
    value_and_gradient : callable
        From points (K, P) to values (K,) and gradients (K, P). Variables should be scaled so that
        the curvature is about alike along all of them.
    start : Tensor of shape (K, P)
        Where to begin.
    tolerance : float
        A problem has converged when no entry of its gradient is larger.
    max_iterations : int
        Rounds after which those that have not converged are given up.

    Returns
    -------
    Minimum
    """
    x = start.clone()
    value, gradient = value_and_gradient(x)
    steps: list[torch.Tensor] = []  # each (K, P), oldest first
    changes: list[torch.Tensor] = []
    converged = gradient.abs().amax(dim=1) <= tolerance
    for iteration in range(max_iterations):
        if bool(converged.all()):
            return Minimum(x, converged, iteration)
        direction = -_inverse_hessian_times(gradient, steps, changes)
        slope = (direction * gradient).sum(dim=1)
        uphill = slope >= 0  # rounding, close to the minimum
        direction = torch.where(uphill[:, None], -gradient, direction)
        slope = torch.where(uphill, -gradient.square().sum(dim=1), slope)
        size = torch.where(converged, 0.0, 1.0)  # (K,)
        if not steps:  # nothing is known of the curvature yet
            size = size / gradient.norm(dim=1).clamp(min=1.0)
        while True:
            moved = x + size[:, None] * direction
            new_value, new_gradient = value_and_gradient(moved)
            allowed = value + SUFFICIENT * size * slope + 1e-7 * value.abs()
            short = (new_value > allowed) & (size > SMALLEST_STEP)
            if not bool(short.any()):
                break
            size = torch.where(short, size / 2, size)
        steps.append(moved - x)
        changes.append(new_gradient - gradient)
        del steps[:-KEPT_STEPS], changes[:-KEPT_STEPS]
        x, value, gradient = moved, new_value, new_gradient
        converged = gradient.abs().amax(dim=1) <= tolerance
    return Minimum(x, converged, max_iterations)


def _inverse_hessian_times(
    gradient: torch.Tensor, steps: list[torch.Tensor], changes: list[torch.Tensor]
) -> torch.Tensor:
    """Return the two-loop recursion's estimate, shape (K, P); a pair of no use counts for none."""
    q = gradient.clone()
    weights, kept = [], []
    for step, change in zip(reversed(steps), reversed(changes), strict=True):
        curvature = (step * change).sum(dim=1)
        useful = curvature > 1e-12
        rho = torch.where(useful, 1 / curvature.clamp(min=1e-12), 0.0)
        alpha = rho * (step * q).sum(dim=1)
        q -= alpha[:, None] * change
        weights.append(alpha)
        kept.append(rho)
    if steps:
        curvature = (steps[-1] * changes[-1]).sum(dim=1)
        length = changes[-1].square().sum(dim=1)
        scale = torch.where(curvature > 1e-12, curvature / length.clamp(min=1e-30), 1.0)
        q *= scale[:, None]
    for step, change, alpha, rho in zip(
        steps, changes, reversed(weights), reversed(kept), strict=True
    ):
        beta = rho * (change * q).sum(dim=1)
        q += (alpha - beta)[:, None] * step
    return q
