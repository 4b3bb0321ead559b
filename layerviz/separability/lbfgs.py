"""L-BFGS for many small convex problems at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

ValueAndGradient = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]

KEPT_STEPS = 8  # pairs of steps and gradient changes kept
SUFFICIENT = 1e-4  # part of the promised decrease that a step must deliver (Armijo)
SMALLEST_STEP = 2.0**-12
# Problems that have converged are left out as soon as so many remain, and are worth the copying.
REMAINING, WORTH = 0.75, 100_000  # a share of the problems; variables


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
    value_and_gradient: ValueAndGradient,
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
        From points (k, P) of some of the problems, and the indices of these, (k,), to values (k,)
        and gradients (k, P). Variables should be scaled so that the curvature is about alike along
        all of them.
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
    x, which = start.clone(), torch.arange(len(start))
    ended, all_converged = torch.empty_like(start), torch.zeros(len(start), dtype=torch.bool)
    value, gradient = value_and_gradient(x, which)
    steps: list[torch.Tensor] = []  # each (K, P), oldest first
    changes: list[torch.Tensor] = []
    converged = gradient.abs().amax(dim=1) <= tolerance
    n_iterations = 0
    while n_iterations < max_iterations and not bool(converged.all()):
        n_iterations += 1
        rest = ~converged
        if rest.sum() <= REMAINING * len(rest) and rest.sum() * x.shape[1] >= WORTH:
            ended[which], all_converged[which] = x, converged
            x, value, gradient, which = x[rest], value[rest], gradient[rest], which[rest]
            steps, changes = ([one[rest] for one in kept] for kept in (steps, changes))
            converged = converged[rest]
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
            new_value, new_gradient = value_and_gradient(moved, which)
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
    ended[which], all_converged[which] = x, converged
    return Minimum(ended, all_converged, n_iterations)


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
