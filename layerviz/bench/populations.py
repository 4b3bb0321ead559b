"""Populations of which the truth is known: what classifiers score on endless examples is planted.

Made ones are drawn from a Gaussian copula: an example that is hard for one cell is hard for the
others. A run with thousands of val rows is one, too: its rows are the population, and what is said
of a small val set drawn from them is held against what holds of all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from scipy.stats import norm

from layerviz import runs
from layerviz.errors import ConfigError
from layerviz.runs import Run
from layerviz.separability import Cell, cells_of
from layerviz.separability.resampling import class_f1, macro_f1

TRAIN_ROWS = 100  # of made populations: on train, scores rise from epoch to epoch
FEWEST_ROWS = 1000  # that make a population


@dataclass(frozen=True)
class Examples:
    """Examples drawn from a population, and what every classifier says of them.

    Parameters
    ----------
    predicted : ndarray of shape (K, n)
        Of the cells.
    labels : ndarray of shape (n,)
    head : ndarray of shape (S, n)
        Of the model's own classifier at each snapshot.
    log_probabilities : ndarray of shape (K, n, C) or None
    """

    predicted: np.ndarray
    labels: np.ndarray
    head: np.ndarray
    log_probabilities: np.ndarray | None = None


class Population(Protocol):
    """Where val sets are drawn from, and what is true of all of it."""

    @property
    def name(self) -> str:
        """What the tables call it."""

    @property
    def cells(self) -> tuple[Cell, ...]:
        """K of them."""

    @property
    def is_noise(self) -> bool:
        """Whether no classifier knows anything."""

    @property
    def class_truth(self) -> np.ndarray:
        """F1 of each class in each cell, (K, C)."""

    @property
    def truth(self) -> np.ndarray:
        """Macro-F1 of the cells, (K,)."""

    @property
    def head_truth(self) -> np.ndarray:
        """Macro-F1 of the model's own classifier at each snapshot, (S,)."""

    @property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        """Predictions (K, m) and labels (m,) of train."""

    def draw(self, n: int, rng: np.random.Generator) -> Examples:
        """Return n examples."""


# --- made ones --------------------------------------------------------------------------------


def grid(
    n_layers: int, n_snapshots: int, poolings: tuple[str, ...] = ("mean", "cls")
) -> tuple[Cell, ...]:
    """Return the cells of a made-up run, in the order of a run's."""
    return tuple(
        Cell(snapshot, float(snapshot), pooling, layer)
        for snapshot in range(n_snapshots)
        for pooling in poolings
        for layer in range(1, n_layers + 1)
    )


def f1_of_rates(rates: np.ndarray, shares: np.ndarray) -> np.ndarray:
    """Return the F1 of classes in endless examples, where mistakes fall on any other class alike.

    Parameters
    ----------
    rates : ndarray of shape (..., C)
        How often an example of each class is recognised.
    shares : ndarray of shape (C,)
        Of the classes among the examples.

    Returns
    -------
    ndarray of shape (..., C)
    """
    mistakes = shares * (1 - rates)  # (..., C): of each class
    claimed = shares * rates
    claimed = claimed + (mistakes.sum(axis=-1, keepdims=True) - mistakes) / (len(shares) - 1)
    return 2 * shares * rates / (shares + claimed)


def _rising_train(cells: tuple[Cell, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Return predictions and labels of train, the more of them right the later the snapshot."""
    labels = np.arange(TRAIN_ROWS) % 2
    n_right = np.array([min(TRAIN_ROWS, 90 + 2 * cell.snapshot) for cell in cells])
    return np.where(np.arange(TRAIN_ROWS) < n_right[:, None], labels, 1 - labels), labels


@dataclass(frozen=True)
class MadePopulation:
    """Classifiers that recognise each class at a planted rate.

    Cell k is right about example i where sqrt(s) z_i + sqrt(1 - s) e_ki < Phi^-1(rate), with the
    z and e from a standard normal distribution.

    Parameters
    ----------
    name : str
    cells : tuple of K Cells
    rates : ndarray of shape (K, C)
    head_rates : ndarray of shape (S, C)
    shares : ndarray of shape (C,)
    common : float
        s, how much of what makes an example hard is common to all classifiers.
    """

    name: str
    cells: tuple[Cell, ...]
    rates: np.ndarray
    head_rates: np.ndarray
    shares: np.ndarray
    common: float = 0.8
    is_noise: bool = False

    @property
    def class_truth(self) -> np.ndarray:
        return f1_of_rates(self.rates, self.shares)

    @property
    def truth(self) -> np.ndarray:
        return self.class_truth.mean(axis=1)

    @property
    def head_truth(self) -> np.ndarray:
        return f1_of_rates(self.head_rates, self.shares).mean(axis=1)

    @property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        return _rising_train(self.cells)

    def draw(self, n: int, rng: np.random.Generator) -> Examples:
        labels = rng.choice(len(self.shares), n, p=self.shares)
        rates = np.concatenate([self.rates, self.head_rates])
        hardness = np.sqrt(self.common) * rng.normal(size=n)
        hardness = hardness + np.sqrt(1 - self.common) * rng.normal(size=(len(rates), n))
        other = (labels + rng.integers(1, len(self.shares), n)) % len(self.shares)
        said = np.where(hardness < norm.ppf(rates[:, labels]), labels, other).astype(np.int16)
        return Examples(said[: len(self.cells)], labels, said[len(self.cells) :])


@dataclass(frozen=True)
class ScoredPopulation:
    """Two classes, told apart by a score from a normal distribution, shifted for the second one.

    Parameters
    ----------
    name : str
    cells : tuple of K Cells
    shift : float
        In standard deviations; the area under the ROC curve is Phi(shift / sqrt(2)).
    read_as : float
        The shift that log-odds are computed with.
    rare : float
        The share of the second class.
    common : float
        How much of the scores is common to all cells.
    """

    name: str
    cells: tuple[Cell, ...]
    shift: float
    read_as: float
    rare: float
    common: float = 0.7

    @property
    def is_noise(self) -> bool:
        return self.shift == 0

    @property
    def class_truth(self) -> np.ndarray:
        threshold = self.read_as / 2 - self._prior_log_odds / self.read_as
        rates = np.array([norm.cdf(threshold), norm.sf(threshold - self.shift)])
        f1 = f1_of_rates(rates, np.array([1 - self.rare, self.rare]))
        return np.tile(f1, (len(self.cells), 1))

    @property
    def truth(self) -> np.ndarray:
        return self.class_truth.mean(axis=1)

    @property
    def head_truth(self) -> np.ndarray:
        return np.full(1 + max(cell.snapshot for cell in self.cells), self.truth[0])

    @property
    def train(self) -> tuple[np.ndarray, np.ndarray]:
        return _rising_train(self.cells)

    @property
    def _prior_log_odds(self) -> float:
        return float(np.log(self.rare / (1 - self.rare)))

    def draw(self, n: int, rng: np.random.Generator) -> Examples:
        labels = (rng.random(n) < self.rare).astype(int)
        n_heads = len(self.head_truth)
        scores = np.sqrt(self.common) * rng.normal(size=n) + self.shift * labels
        own = rng.normal(size=(len(self.cells) + n_heads, n))
        log_odds = self.read_as * (scores + np.sqrt(1 - self.common) * own - self.read_as / 2)
        log_odds += self._prior_log_odds
        said = (log_odds > 0).astype(np.int16)
        of_cells = log_odds[:-n_heads]
        both = np.stack([-np.logaddexp(0, of_cells), -np.logaddexp(0, -of_cells)], axis=-1)
        return Examples(said[:-n_heads], labels, said[-n_heads:], both.astype(np.float16))


FALLING = (0.66, 0.72, 0.78, 0.75, 0.72)  # from epoch to epoch
STEPS = (0.051, 0.041, 0.031, 0.021, 0.011, 0.0)  # below the whole model, up to the last layer


def made_populations(n_layers: int = len(STEPS)) -> list[Population]:
    """Return all kinds of planted truths, with 10 cells per layer: 5 snapshots, 2 poolings."""
    cells = grid(n_layers, len(FALLING))

    def made(
        name: str,
        rate: Callable[[Cell], float] | float,
        head: Sequence[float] | float,
        n_classes: int = 2,
        common: float = 0.8,
    ) -> MadePopulation:
        of_cells = [rate(cell) if callable(rate) else rate for cell in cells]
        of_heads = np.broadcast_to(head, len(FALLING))
        rates, head_rates = (
            np.tile(np.array(values)[:, None], n_classes) for values in (of_cells, of_heads)
        )
        shares = np.full(n_classes, 1 / n_classes)
        return MadePopulation(name, cells, rates, head_rates, shares, common)

    def imbalanced(name: str, rare: float, rates: tuple[float, float]) -> MadePopulation:
        alike = np.tile(rates, (len(cells), 1))
        shares = np.array([1 - rare, rare])
        return MadePopulation(name, cells, alike, alike[: len(FALLING)], shares)

    return [
        ScoredPopulation("noise", cells, shift=0, read_as=1.0, rare=0.5),
        ScoredPopulation("noise, 95:5", cells, shift=0, read_as=1.0, rare=0.05),
        made("equal cells", 0.75, 0.75),
        made("equal cells, little in common", 0.75, 0.75, common=0.3),
        made("half far behind", lambda cell: 0.75 if cell.layer > n_layers / 2 else 0.62, 0.785),
        made(
            "two layers far ahead", lambda cell: 0.78 if cell.layer > n_layers - 2 else 0.66, 0.78
        ),
        made("ramp over depth", _ramp, 0.66 + 0.02 * n_layers, n_classes=4),
        made("small steps", lambda cell: 0.80 - STEPS[cell.layer - 1 - n_layers], 0.80),
        made("peak, then a fall", lambda cell: FALLING[cell.snapshot], FALLING),
        imbalanced("90:10", 0.1, (0.96, 0.6)),
        imbalanced("95:5", 0.05, (0.98, 0.5)),
        ScoredPopulation("95:5, AUC 0.77", cells, shift=1.045, read_as=1.045, rare=0.05),
        made("nearly perfect", 0.97, 0.97),
    ]


def _ramp(cell: Cell) -> float:
    """Return a rate that rises by 0.02 a layer; [CLS] and the start of training lie 0.04 below."""
    return 0.64 + 0.02 * cell.layer - 0.04 * (cell.pooling == "cls") - 0.04 * (cell.epoch == 0)


# --- real ones --------------------------------------------------------------------------------


@dataclass(frozen=True)
class RunPopulation:
    """A run's val rows, all of them, from which val sets are drawn with replacement.

    Parameters
    ----------
    name : str
    cells : tuple of K Cells
    examples : Examples
        The rows.
    train : tuple of ndarray
        Predictions (K, m) and labels (m,).
    """

    name: str
    cells: tuple[Cell, ...]
    examples: Examples
    train: tuple[np.ndarray, np.ndarray]
    is_noise: bool = False

    @cached_property
    def class_truth(self) -> np.ndarray:
        return class_f1(self.examples.labels, self.examples.predicted)

    @cached_property
    def truth(self) -> np.ndarray:
        return macro_f1(self.examples.labels, self.examples.predicted)

    @cached_property
    def head_truth(self) -> np.ndarray:
        return macro_f1(self.examples.labels, self.examples.head)

    def draw(self, n: int, rng: np.random.Generator) -> Examples:
        rows = rng.choice(len(self.examples.labels), n)
        scores = self.examples.log_probabilities
        return Examples(
            self.examples.predicted[:, rows],
            self.examples.labels[rows],
            self.examples.head[:, rows],
            None if scores is None else scores[:, rows],
        )


def run_population(run: Run) -> RunPopulation:
    """Return the population of a run's captured val rows.

    Raises
    ------
    ConfigError
        If they are too few to be one.
    """
    cells, predicted = cells_of(run)
    examples = runs.read_examples(run.path)
    labels, splits = examples["label"].to_numpy(), examples["split"].to_numpy()
    val, train = splits == "val", splits == "train"
    if val.sum() < FEWEST_ROWS:
        raise ConfigError(
            f"{run.run_id} has {val.sum():,} captured val examples: too few for a population.",
            f"Give a run with {FEWEST_ROWS:,} or more.",
        )
    snapshots = dict.fromkeys(cell.snapshot for cell in cells)
    head = [runs.read_predictions(run.path, index)["predicted"].to_numpy() for index in snapshots]
    return RunPopulation(
        run.run_id,
        tuple(cells),
        Examples(predicted[:, val], labels[val], np.stack(head)[:, val]),
        (predicted[:, train], labels[train]),
    )
