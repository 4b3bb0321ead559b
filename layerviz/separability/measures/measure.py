"""What a measure is: its words, and how it is computed from states or from predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch

from layerviz.config import SPLITS
from layerviz.separability.geometry import directions, nearest_in_train
from layerviz.separability.resampling import interval, resampling_weights

ScoreFunction = Callable[..., np.ndarray]  # as `resampling.macro_f1`


@dataclass(frozen=True)
class LabelledStates:
    """The states of one layer for the examples of train and val.

    Parameters
    ----------
    states : ndarray of shape (n, D), float32
    labels : ndarray of shape (n,)
        Class indices.
    train : ndarray of shape (n,), bool
        The rows of train; the others are val.
    seed : int
    """

    states: np.ndarray
    labels: np.ndarray
    train: np.ndarray
    seed: int

    @property
    def has_val(self) -> bool:
        return not self.train.all()

    @cached_property
    def train_states(self) -> np.ndarray:
        return self.states[self.train]

    @cached_property
    def train_labels(self) -> np.ndarray:
        return self.labels[self.train]

    @cached_property
    def val_states(self) -> np.ndarray:
        return self.states[~self.train]

    @cached_property
    def val_labels(self) -> np.ndarray:
        return self.labels[~self.train]

    @cached_property
    def directions(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The `directions` of train and of val."""
        train, val = (
            directions(rows, self.train_states) for rows in (self.train_states, self.val_states)
        )
        return train, val

    @cached_property
    def neighbours(self) -> tuple[np.ndarray, np.ndarray]:
        """Cosines and indices of each val example's 10 nearest train examples, nearest first."""
        train, val = self.directions
        return nearest_in_train(val, train)

    @cached_property
    def hits(self) -> np.ndarray:
        """Whether these are of the val example's class, bool of shape (number of val, k)."""
        _, indices = self.neighbours
        return self.train_labels[indices] == self.val_labels[:, None]


@dataclass(frozen=True)
class LayerChange:
    """The states of one layer now and before training.

    Parameters
    ----------
    now, before : ndarray of shape (N, D)
    train : ndarray of shape (N,), bool
        The rows of train.
    """

    now: np.ndarray
    before: np.ndarray
    train: np.ndarray


class SplitResamples:
    """The examples of each split and the resamples that all predictions are scored on.

    Parameters
    ----------
    splits, labels : ndarray of shape (N,)
        Names of splits and class indices.
    seed : int
        Of the resamples.

    Attributes
    ----------
    rows, labels : dict of str to ndarray
        Per split that has examples, their indices and their class indices.
    """

    def __init__(self, splits: np.ndarray, labels: np.ndarray, seed: int) -> None:
        self.rows = {s: np.flatnonzero(splits == s) for s in SPLITS if (splits == s).any()}
        self.labels = {split: labels[rows] for split, rows in self.rows.items()}
        self._seed = seed
        self._weights: dict[str, np.ndarray] = {}

    def weights(self, split: str) -> np.ndarray:
        """Return the resamples of a split, as `resampling_weights` does; they are made once."""
        if split not in self._weights:
            self._weights[split] = resampling_weights(len(self.rows[split]), self._seed)
        return self._weights[split]


@dataclass(frozen=True)
class Estimate:
    """A measure of K layers: values, and the ends of their intervals.

    Parameters
    ----------
    value, low, high : ndarray of shape (K,)
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True)
class ControlPredictions:
    """What K probes predict on a control task.

    Parameters
    ----------
    labels : ndarray of shape (N,)
        The task's class indices, as `control_labels` gives them: -1 where there is none.
    predicted : ndarray of shape (K, N)
        Class indices.
    """

    labels: np.ndarray
    predicted: np.ndarray


@dataclass(frozen=True)
class Predictions:
    """What K probes, or the model's own classifier, predict for all examples.

    Parameters
    ----------
    predicted : ndarray of shape (K, N)
        Class indices.
    resamples : SplitResamples
    scores : ndarray of shape (K, N, C), optional
        The probes' score of each class; those of the model are not kept.
    shuffled : ndarray of shape (K, S, N), optional
        Predictions of probes that were trained on shuffled labels; the model has none.
    control : ControlPredictions, optional
        What probes score on a control task, if there is one.
    """

    predicted: np.ndarray
    resamples: SplitResamples
    scores: np.ndarray | None = None
    shuffled: np.ndarray | None = None
    control: ControlPredictions | None = None
    _draws: dict[tuple[str, ScoreFunction], tuple[np.ndarray, np.ndarray]] = field(
        default_factory=dict
    )

    @property
    def splits(self) -> tuple[str, ...]:
        """The splits that have examples, in the order of `config.SPLITS`."""
        return tuple(self.resamples.rows)

    def draws(self, split: str, score: ScoreFunction) -> tuple[np.ndarray, np.ndarray]:
        """Return a score on a split, shape (K,), and its bootstrap draws, shape (R, K).

        They are computed once, whichever measures ask for them.
        """
        if (split, score) not in self._draws:
            true, predicted = (
                self.resamples.labels[split],
                self.predicted[:, self.resamples.rows[split]],
            )
            draws = score(true, predicted, self.resamples.weights(split))
            self._draws[split, score] = score(true, predicted), draws
        return self._draws[split, score]

    def estimate(self, split: str, score: ScoreFunction) -> Estimate:
        """Return a score on a split with its 95 % bootstrap interval."""
        return bootstrap_estimate(*self.draws(split, score))


def bootstrap_estimate(value: np.ndarray, draws: np.ndarray) -> Estimate:
    """Return values of shape (K,) with the percentile intervals of their draws, shape (R, K)."""
    return Estimate(value, *interval(draws))


def class_shares(labels: np.ndarray) -> np.ndarray:
    """Return the share of examples of each class that `labels` holds."""
    return np.unique(labels, return_counts=True)[1] / max(len(labels), 1)


def chance_macro_f1(labels: np.ndarray) -> float:
    """Return the macro-F1 of guessing each class as often as it comes.

    The F1 of a class is then its share, and shares have a mean of one over the number of classes.
    """
    return float(class_shares(labels).mean())


@dataclass(frozen=True, kw_only=True)
class Measure:
    """One measure of how states separate classes; its subclasses say how it is computed.

    Parameters
    ----------
    name : str
        As in ``separability.csv``.
    label : str
        For people.
    splits : tuple of str
        What it is measured on: ``compute`` returns values for some or all of these.
    summary : str
        What it says, as a clause: for the documentation.
    explanation : str
        Two sentences: for the page.
    reference : str
        Where it comes from.
    higher_is_better : bool or None
        None where neither end is better.
    outlines_best : bool
        Whether its heat map outlines the cell that the answer names.
    chance : callable or None
        Returns what guessing scores, given the class indices of the examples, shape (n,): guessing
        by the frequencies of the classes, or for accuracy always the most frequent one. None where
        nothing is guessed.
    """

    name: str
    label: str
    splits: tuple[str, ...]
    summary: str
    explanation: str
    reference: str
    higher_is_better: bool | None = True
    outlines_best: bool = False
    chance: Callable[[np.ndarray], float] | None = None


@dataclass(frozen=True, kw_only=True)
class LayerMeasure(Measure):
    """A measure of the states of one layer.

    Parameters
    ----------
    compute : callable
        From `LabelledStates` to a value per split; NaN where it is not defined. It is called in a
        thread of its own for each layer.
    """

    compute: Callable[[LabelledStates], Mapping[str, float]]


@dataclass(frozen=True, kw_only=True)
class PredictionMeasure(Measure):
    """A measure of what the probes of all layers predict, and the model's own classifier.

    Parameters
    ----------
    compute : callable
        From `Predictions` to an `Estimate` per split.
    """

    compute: Callable[[Predictions], Mapping[str, Estimate]]


@dataclass(frozen=True, kw_only=True)
class ChangeMeasure(Measure):
    """A measure of what training has changed in one layer.

    Parameters
    ----------
    compute : callable
        From `LayerChange` to a value per split; NaN where it is not defined.
    """

    compute: Callable[[LayerChange], Mapping[str, float]]
