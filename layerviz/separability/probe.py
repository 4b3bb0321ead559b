"""The linear probe: multinomial logistic regression on frozen states, its strength chosen in train.

Alain & Bengio (2016), "Understanding intermediate layers using linear classifier probes".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from layerviz.separability.lbfgs import Minimum, minimise
from layerviz.separability.resampling import stratified_folds
from layerviz.separability.rotating import Axes, rotated

STRENGTHS = (3e-4, 3e-3, 3e-2, 3e-1)  # C: inverse strength of the L2 penalty, as scikit-learn's
FOLDS = 3
FEWEST_TO_CHOOSE = 12  # train rows
TOLERANCE = 1e-4  # of the mean loss's gradient, as scikit-learn's
CHOOSING_TOLERANCE = 1e-3  # is enough to tell one strength from another
SHUFFLES = 5  # one alone may agree with the labels by chance
MAX_ITERATIONS = 500


@dataclass(frozen=True)
class Probe:
    """What probes of one matrix of states yield.

    Parameters
    ----------
    predicted : ndarray of shape (N,), int16
        Class index for every row, those outside train included.
    scores : ndarray of shape (N, C), float16
        Log-probability of every class for every row; -inf for a class that train does not hold.
        The predicted class has the highest one. Rounding may let others draw level with it, so
        that predictions are to be read from `predicted`.
    shuffled : ndarray of shape (5, N), int16
        The same as `predicted` from probes that were trained on shuffled train labels.
    strength : float
        The chosen C.
    inner_loss : float
        Mean log loss, in nats, on the held-out folds of train at that C; NaN without folds,
        infinite where states are not finite.
    converged : bool
        Whether all minimisations reached the tolerance.
    control : ndarray of shape (N,), int16, or None
        The same as `predicted` from a probe that was trained on the labels of a control task.
    """

    predicted: np.ndarray
    scores: np.ndarray
    shuffled: np.ndarray
    strength: float
    inner_loss: float
    converged: bool
    control: np.ndarray | None = None


@torch.inference_mode()
def fit_probe(
    states: np.ndarray,
    labels: np.ndarray,
    train: np.ndarray,
    *,
    seed: int,
    n_classes: int | None = None,
    control: np.ndarray | None = None,
    strengths: Sequence[float] = STRENGTHS,
) -> Probe:
    """Train a linear probe on the train rows and let it predict all rows.

    States are standardised by the train rows' mean and deviation. The penalty's strength is the
    one with the least log loss in stratified 3-fold cross-validation inside train; with fewer than
    12 train rows it is a middle one of `strengths`. Where train holds one class, or states are not
    all finite numbers, nothing is fitted: the probe knows how frequent the classes are.

    Parameters
    ----------
    states : ndarray of shape (N, D)
        Pooled hidden states.
    labels : ndarray of shape (N,)
        Class indices; those of train are used.
    train : ndarray of shape (N,), bool
        The rows to train on.
    seed : int
        Of the folds and of the shuffled labels.
    n_classes : int, optional
        C; by default as many as `labels` need.
    control : ndarray of shape (N,), optional
        Class indices of a control task, some of those of train, -1 where there is none.
    strengths : sequence of float
        Values of C to choose from.

    Returns
    -------
    Probe
    """
    classes, targets = np.unique(labels[train], return_inverse=True)
    scores = np.full((len(states), n_classes or int(labels.max()) + 1), -np.inf, dtype=np.float16)
    if len(classes) < 2 or not np.isfinite(states).all():
        return _knowing_nothing(scores, classes, targets, control)
    fit = fit_regressions(states, targets, train, seed, strengths)
    decisions = fit.problem.scores(fit.minimum.x, fit.axes.inputs)  # (N, 1 + 5, classes)
    predicted = classes[decisions.argmax(dim=2).numpy()].astype(np.int16)
    scores[:, classes] = decisions[:, 0].log_softmax(dim=1).half().numpy()
    return Probe(
        predicted=predicted[:, 0],
        scores=scores,
        shuffled=predicted[:, 1:].T,
        strength=fit.strength,
        inner_loss=fit.loss,
        converged=bool(fit.minimum.converged.all()),
        control=None if control is None else _fit_control(fit, classes, control, train),
    )


def _knowing_nothing(
    scores: np.ndarray, classes: np.ndarray, targets: np.ndarray, control: np.ndarray | None
) -> Probe:
    """Return the probe that goes by how frequent the classes of train are, and by nothing else."""
    shares = np.bincount(targets) / len(targets)
    scores[:, classes] = np.log(shares)
    commonest = np.full(len(scores), classes[shares.argmax()], dtype=np.int16)
    return Probe(
        predicted=commonest,
        scores=scores,
        shuffled=np.stack([commonest] * SHUFFLES),
        strength=float("nan"),
        inner_loss=float("nan") if len(classes) < 2 else float("inf"),
        converged=True,
        control=None if control is None or len(classes) < 2 else commonest,
    )


def _fit_control(
    fit: Regressions, classes: np.ndarray, control: np.ndarray, train: np.ndarray
) -> np.ndarray:
    """Return what a probe of the same strength predicts on a control task.

    By itself, not beside the others: the probe is the same whether there is such a task or not.
    """
    rows = torch.from_numpy(np.flatnonzero(train & (control >= 0)))
    problem = replace(fit.problem, inputs=fit.axes.inputs[rows])
    targets = torch.from_numpy(np.searchsorted(classes, control[rows.numpy()]))[None]  # (1, n)
    minimum = problem.solve(targets, torch.ones(targets.shape), [fit.strength], TOLERANCE)
    best = problem.scores(minimum.x, fit.axes.inputs)[:, 0].argmax(dim=1).numpy()
    return classes[best].astype(np.int16)


@dataclass(frozen=True)
class Regressions:
    """What was fitted: the regression on the labels and, after it, those on shuffled labels."""

    axes: Axes
    problem: _Problem
    minimum: Minimum
    strength: float
    loss: float


def fit_regressions(
    states: np.ndarray,
    targets: np.ndarray,
    train: np.ndarray,
    seed: int,
    strengths: Sequence[float] = STRENGTHS,
) -> Regressions:
    """Fit to the train rows as `fit_probe` does; `targets` number their classes without gaps."""
    axes = rotated(states, train)
    inputs = axes.inputs[torch.from_numpy(np.flatnonzero(train))]
    problem = _Problem(inputs, axes.curvature, int(targets.max()) + 1)
    strength, loss = strengths[len(strengths) // 2], float("nan")
    if len(targets) >= FEWEST_TO_CHOOSE:
        strength, loss = _choose(problem, targets, strengths, seed)
    rng = np.random.default_rng(seed)
    aims = np.stack([targets, *(rng.permutation(targets) for _ in range(SHUFFLES))])  # (1 + 5, n)
    minimum = problem.solve(
        torch.from_numpy(aims), torch.ones(aims.shape), [strength] * len(aims), TOLERANCE
    )
    return Regressions(axes, problem, minimum, float(strength), loss)


@torch.inference_mode()
def out_of_fold(
    inputs: np.ndarray,
    labels: np.ndarray,
    *,
    seed: int,
    strengths: Sequence[float],
    n_folds: int = 5,
    kept: np.ndarray | None = None,
) -> np.ndarray:
    """Return class probabilities of each row from logistic regressions that did not see it.

    Stratified cross-validation (Stone, 1974), the penalty's strength being the one with the least
    held-out log loss.

    Parameters
    ----------
    inputs : ndarray of shape (N, r)
        Features whose scale means something to the penalty, best along nearly uncorrelated axes.
    labels : ndarray of shape (N,)
        Class indices 0 to C - 1.
    seed : int
        Of the folds.
    strengths : sequence of float
        Values of C to choose from.
    n_folds : int
    kept : ndarray of shape (N,), bool, optional
        Rows that may be trained on, and whose log loss chooses; all rows are predicted.

    Returns
    -------
    ndarray of shape (N, C), float32
    """
    kept = np.ones(len(labels), dtype=bool) if kept is None else kept
    x = torch.from_numpy(inputs.astype(np.float32, copy=False))
    problem = _Problem(x, x.square().mean(dim=0), int(labels.max()) + 1)
    fold = stratified_folds(labels, n_folds, seed)
    fitted = (np.arange(n_folds)[:, None] != fold) & kept  # (folds, N)
    aim = torch.from_numpy(labels.astype(np.int64))
    best, least = np.empty((0, problem.n_classes), dtype=np.float32), np.inf
    for strength in strengths:  # one at a time: all scores at once would take much memory
        minimum = problem.solve(
            aim.expand(n_folds, -1),
            torch.from_numpy(fitted.astype(np.float32)),
            [strength] * n_folds,
            CHOOSING_TOLERANCE,
        )
        scores = problem.scores(minimum.x, x)[torch.arange(len(x)), torch.from_numpy(fold)]
        log_p = scores.log_softmax(dim=1)  # (N, C)
        loss = -float(log_p[torch.arange(len(aim)), aim][torch.from_numpy(kept)].mean())
        if loss < least:
            best, least = log_p.exp().numpy(), loss
    return best


@dataclass(frozen=True)
class _Problem:
    """Logistic regressions that share their inputs and differ in labels, rows and strength.

    Two classes have one column of weights, the score of the second over the first, so that the
    penalty means what it means in scikit-learn.
    """

    inputs: torch.Tensor  # (n, r)
    curvature: torch.Tensor  # (r,)
    n_classes: int

    @property
    def n_columns(self) -> int:
        return 1 if self.n_classes == 2 else self.n_classes

    def solve(
        self,
        targets: torch.Tensor,
        weights: torch.Tensor,
        strengths: Sequence[float],
        tolerance: float,
    ) -> Minimum:
        """Minimise K penalised mean losses.

        Parameters
        ----------
        targets : Tensor of shape (K, n), int64
        weights : Tensor of shape (K, n)
            1 for the rows that take part, 0 for the others.
        strengths : sequence of K floats
        tolerance : float

        Returns
        -------
        Minimum
            ``x`` of shape (K, (r + 1) * n_columns): weights, then the intercepts.
        """
        shares = weights / weights.sum(dim=1, keepdim=True)  # (K, n)
        penalty = 1 / (torch.tensor(strengths) * weights.sum(dim=1))  # (K,)
        # Unit steps along variables of unit curvature: p (1 - p) is at most 1/4.
        scale = (0.25 * self.curvature[None] + penalty[:, None]).rsqrt()  # (K, r)
        scale = torch.cat([scale, torch.full((len(scale), 1), 2.0)], dim=1)[..., None]
        size = (len(targets), len(self.curvature) + 1, self.n_columns)
        bias = torch.ones(len(self.inputs), 1)
        inputs = torch.cat([self.inputs, bias], dim=1)  # (n, r + 1)
        penalised = penalty[:, None, None].repeat(1, size[1], 1)  # (K, r + 1, 1)
        penalised[:, -1] = 0.0

        def value_and_gradient(
            x: torch.Tensor, which: torch.Tensor
        ) -> tuple[torch.Tensor, torch.Tensor]:
            beta = x.view(len(x), *size[1:]) * scale[which]  # (k, r + 1, c)
            scores = self._times(inputs, beta)  # (k, n, c)
            loss, slope = self._loss_and_slope(scores, targets[which])
            value = (loss * shares[which]).sum(dim=1)
            value = value + 0.5 * (penalised[which] * beta.square()).sum(dim=(1, 2))
            slope.mul_(shares[which, :, None])
            gradient = self._times(inputs.T, slope) + penalised[which] * beta
            return value, (gradient * scale[which]).reshape(x.shape)

        minimum = minimise(
            value_and_gradient,
            torch.zeros(size[0], size[1] * size[2]),
            tolerance=tolerance,
            max_iterations=MAX_ITERATIONS,
        )
        return replace(minimum, x=(minimum.x.view(size) * scale).flatten(1))

    def _loss_and_slope(
        self, scores: torch.Tensor, targets: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return losses (k, n) and their slopes (k, n, c) at scores (k, n, c), which are used up.

        With many classes the scores are by far the largest array there is: it is gone through as
        seldom as can be, and the one 1 among a row's zeros is taken from its place.
        """
        if self.n_classes == 2:
            truth = targets[..., None].to(scores.dtype)
            loss = torch.nn.functional.softplus(scores) - truth * scores
            return loss[..., 0], torch.sigmoid(scores) - truth
        places = targets[..., None]
        own = scores.gather(2, places)
        most = scores.amax(dim=2, keepdim=True)
        powers = scores.sub_(most).exp_()
        total = powers.sum(dim=2, keepdim=True)
        loss = most + total.log() - own
        slope = powers.div_(total)
        slope.scatter_add_(2, places, -torch.ones_like(own))
        return loss[..., 0], slope

    def scores(self, x: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        """Return class scores of shape (N, K, n_classes) for inputs of shape (N, r)."""
        beta = x.view(len(x), len(self.curvature) + 1, self.n_columns)
        scores = self._times(inputs, beta[:, :-1]) + beta[:, -1:]  # (K, N, c)
        if self.n_classes == 2:
            scores = torch.cat([torch.zeros_like(scores), scores], dim=2)
        return scores.transpose(0, 1)

    @staticmethod
    def _times(matrix: torch.Tensor, columns: torch.Tensor) -> torch.Tensor:
        """Multiply (a, b) with K matrices (K, b, c) in one product; return (K, a, c)."""
        k, _, c = columns.shape
        flat = columns.permute(1, 0, 2).reshape(matrix.shape[1], k * c)
        return (matrix @ flat).view(-1, k, c).permute(1, 0, 2)


def _choose(
    problem: _Problem, targets: np.ndarray, strengths: Sequence[float], seed: int
) -> tuple[float, float]:
    """Return the strength with the least held-out log loss, and that loss."""
    out = np.arange(FOLDS)[:, None] == stratified_folds(targets, FOLDS, seed)  # (folds, n)
    held_out = torch.from_numpy(np.tile(out, (len(strengths), 1)))  # (K, n), strength by strength
    aim = torch.from_numpy(targets)
    minimum = problem.solve(
        aim.expand(len(held_out), -1),
        (~held_out).float(),
        np.repeat(strengths, FOLDS).tolist(),
        CHOOSING_TOLERANCE,
    )
    log_p = problem.scores(minimum.x, problem.inputs).log_softmax(dim=2)  # (n, K, n_classes)
    loss = -log_p[torch.arange(len(aim)), :, aim].T  # (K, n)
    loss = (loss * held_out).sum(dim=1) / held_out.sum(dim=1)
    loss = loss.view(len(strengths), FOLDS).mean(dim=1)
    best = int(loss.argmin())
    return strengths[best], float(loss[best])
