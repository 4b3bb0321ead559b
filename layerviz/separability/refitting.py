"""The probe of one cell again, as a linear map: a run stores what its probes predict, not them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import torch

from layerviz import runs
from layerviz.errors import RunError
from layerviz.runs import Run
from layerviz.separability.answering import Cell
from layerviz.separability.measuring import THREADS
from layerviz.separability.probe import fit_regressions

NEVER = -1e4  # the score of a class that no train row has; its probability is 0 in float32
MOST_DIFFERENT = 0.002  # of the examples: two classes may be as good as level on some


@dataclass(frozen=True)
class LinearProbe:
    """A probe as a linear map of the states as they are: standardisation is in its weights.

    Parameters
    ----------
    weights : ndarray of shape (C, D), float64
        Of two classes, the first has zeros: the second's score is its log odds.
    intercepts : ndarray of shape (C,), float64
    strength : float
        The chosen inverse strength of the penalty; NaN where train holds a single class.
    """

    weights: np.ndarray
    intercepts: np.ndarray
    strength: float

    def scores(self, states: np.ndarray) -> np.ndarray:
        """Return class scores of shape (N, C), float64, for states of shape (N, D)."""
        return states.astype(np.float64) @ self.weights.T + self.intercepts

    def predict(self, states: np.ndarray) -> np.ndarray:
        """Return the class index with the highest score, of shape (N,)."""
        return self.scores(states).argmax(axis=1)


@torch.inference_mode()
def linear_probe(
    states: np.ndarray, labels: np.ndarray, train: np.ndarray, *, n_classes: int, seed: int
) -> LinearProbe:
    """Return the probe that `fit_probe` fits, as a linear map.

    Parameters
    ----------
    states : ndarray of shape (N, D)
    labels : ndarray of shape (N,)
        Class indices.
    train : ndarray of shape (N,), bool
    n_classes : int
        C; a class that train does not hold never wins.
    seed : int
    """
    classes, targets = np.unique(labels[train], return_inverse=True)
    weights = np.zeros((n_classes, states.shape[1]))
    intercepts = np.full(n_classes, NEVER)
    intercepts[classes] = 0.0
    if len(classes) < 2:
        return LinearProbe(weights, intercepts, float("nan"))
    fit = fit_regressions(states, targets, train, seed)
    axes, beta = fit.axes, fit.minimum.x[0].view(len(fit.axes.curvature) + 1, -1).double()
    # score = ((state - centre) / deviation) @ directions @ beta + intercept
    columns = (axes.directions.double() @ beta[:-1]) / axes.deviation.double()[:, None]
    offsets = beta[-1] - axes.centre.double() @ columns
    with_weights = classes[-beta.shape[1] :]  # all of them, or the second of two
    weights[with_weights] = columns.T.numpy()
    intercepts[with_weights] = offsets.numpy()
    return LinearProbe(weights, intercepts, fit.strength)


def refit_probe(run: Run, cell: Cell) -> LinearProbe:
    """Fit the probe of a cell as it was fitted when the snapshot was measured.

    Raises
    ------
    RunError
        If its predictions are not those that the run holds.
    """
    examples = runs.read_examples(run.path)
    states = runs.read_hidden_states(run.path, cell.snapshot, cell.pooling, cell.layer)
    # In one thread, as it was measured: products in several are summed in another order.
    with ThreadPoolExecutor(1, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        probe = pool.submit(
            linear_probe,
            states,
            examples["label"].to_numpy(),
            (examples["split"] == "train").to_numpy(),
            n_classes=len(run.label_names),
            seed=run.config.seed,
        ).result()
    torch.set_num_threads(THREADS)  # new threads would take over the 1
    stored = runs.read_probes(run.path, cell.snapshot)[cell.pooling][cell.layer]
    different = int((probe.predict(states) != stored).sum())
    if different > max(1, MOST_DIFFERENT * len(stored)):
        raise RunError(
            f"The probe of layer {cell.layer} cannot be fitted again: it now predicts another "
            f"class for {different:,} of {len(stored):,} examples than when it was measured.",
            "Start the run again with this version of layerviz.",
        )
    return probe
