"""From the probes of all cells to an answer: which layer generalises, at which epoch, how sure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from layerviz.separability.resampling import (
    LEVEL,
    class_f1,
    few_examples,
    find_best,
    interval,
    macro_f1,
    paired_difference,
    resampling_weights,
)


@dataclass(frozen=True, order=True)
class Cell:
    """One layer at one snapshot under one pooling.

    Parameters
    ----------
    snapshot : int
        Its index.
    epoch : float
    pooling : str
    layer : int
        1 to L; the embedding output is a baseline, not a candidate.
    """

    snapshot: int
    epoch: float
    pooling: str
    layer: int


@dataclass(frozen=True)
class Score:
    """A macro-F1 with its 95 % bootstrap interval and the number of examples scored."""

    value: float
    low: float
    high: float
    n: int

    def __str__(self) -> str:
        return f"{self.value:.2f} ({self.low:.2f}–{self.high:.2f}, n = {self.n:,})"


@dataclass(frozen=True)
class Difference:
    """One cell's val macro-F1 minus another's, with its paired 95 % bootstrap interval."""

    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        return f"{self.value:+.2f} ({self.low:+.2f} to {self.high:+.2f})"


@dataclass(frozen=True)
class Answer:
    """Which cell generalises best, and how sure that is.

    Parameters
    ----------
    verdict : {"found", "chance", "few"}
        ``chance``: the best cell is not better than the best of as many under shuffled labels.
        ``few``: too few val examples for any verdict.
    best : Cell
        The cell with the highest val macro-F1.
    val : Score
        Of the best cell.
    test : Score or None
        Of the best cell on test, which played no part in choosing it.
    corrected : float
        What picking the best in this way earns on unseen examples (BBC-CV).
    p_chance : float
        See `Best`.
    n_cells : int
        Candidates.
    ties : tuple of Cell
        The others that cannot be told from the best.
    since_start : Difference or None
        Best cell minus the best cell before training; None if that is the best itself.
    start : tuple of Cell and float
        The best cell before training, and its val macro-F1.
    last_layer : tuple of Cell and float
        The last layer where its val macro-F1 is highest under the best cell's pooling, and that.
    gained_most : tuple of int and Difference, or None
        The layer that gained most between epoch 0 and the best epoch.
    gaps : tuple of (float, float)
        (epoch, train minus val) of the best layer, at the best epoch and at the last.
    smallest_class : tuple of str and int
        The val class with the fewest examples.
    """

    verdict: str
    best: Cell
    val: Score
    test: Score | None
    corrected: float
    p_chance: float
    n_cells: int
    n_layers: int
    ties: tuple[Cell, ...]
    since_start: Difference | None
    start: tuple[Cell, float]
    last_layer: tuple[Cell, float]
    gained_most: tuple[int, Difference] | None
    gaps: tuple[tuple[float, float], ...]
    smallest_class: tuple[str, int]


def find_answer(
    cells: Sequence[Cell],
    predicted: np.ndarray,
    labels: np.ndarray,
    splits: np.ndarray,
    *,
    label_names: Sequence[str],
    seed: int,
) -> Answer:
    """Answer from the probes' predictions.

    Parameters
    ----------
    cells : sequence of K Cells
        The candidates: layers 1..L at every snapshot.
    predicted : ndarray of shape (K, N)
        Class index that each cell's probe predicts for each example.
    labels, splits : ndarray of shape (N,)
        True class indices and names of splits; val must be there.
    label_names : sequence of str
    seed : int
        Of resamples and permutations.

    Returns
    -------
    Answer
    """
    val = splits == "val"
    ranking = find_best(labels[val], predicted[:, val], seed)
    candidates = _Candidates(cells, predicted[:, val], labels[val], ranking.scores, seed)
    best = cells[ranking.index]
    snapshots = sorted({(cell.snapshot, cell.epoch) for cell in cells})
    start, last = snapshots[0], snapshots[-1]
    best_before = candidates.best(cell for cell in cells if cell.snapshot == start[0])
    last_layer = candidates.best(
        Cell(*when, best.pooling, candidates.n_layers) for when in snapshots
    )
    train = splits == "train"
    train_scores = macro_f1(labels[train], predicted[:, train])
    gaps = []
    for when in dict.fromkeys(((best.snapshot, best.epoch), last)):
        row = candidates.rows[Cell(*when, best.pooling, best.layer)]
        gaps.append((when[1], float(train_scores[row] - ranking.scores[row])))
    return Answer(
        verdict=verdict_of(labels[val], ranking.p_chance),
        best=best,
        val=Score(
            float(ranking.scores[ranking.index]),
            float(ranking.low[ranking.index]),
            float(ranking.high[ranking.index]),
            int(val.sum()),
        ),
        test=_test_score(labels, predicted[ranking.index], splits, seed),
        corrected=ranking.corrected,
        p_chance=ranking.p_chance,
        n_cells=len(cells),
        n_layers=candidates.n_layers,
        ties=tuple(
            cell for cell, tied in zip(cells, ranking.ties, strict=True) if tied and cell != best
        ),
        since_start=(
            None if best.snapshot == start[0] else candidates.difference(best, best_before)
        ),
        start=(best_before, candidates.score(best_before)),
        last_layer=(last_layer, candidates.score(last_layer)),
        gained_most=_gained_most(candidates, best, start),
        gaps=tuple(gaps),
        smallest_class=smallest_class(labels[val], label_names),
    )


@dataclass(frozen=True)
class _Candidates:
    """The cells that are searched, and what their probes predict for the n val examples."""

    cells: Sequence[Cell]
    predicted: np.ndarray  # (K, n)
    labels: np.ndarray  # (n,)
    scores: np.ndarray  # (K,)
    seed: int

    @cached_property
    def rows(self) -> dict[Cell, int]:
        return {cell: row for row, cell in enumerate(self.cells)}

    @cached_property
    def n_layers(self) -> int:
        return max(cell.layer for cell in self.cells)

    def score(self, cell: Cell) -> float:
        return float(self.scores[self.rows[cell]])

    def best(self, cells: Iterable[Cell]) -> Cell:
        return max(cells, key=self.score)

    def difference(self, one: Cell, other: Cell) -> Difference:
        first, second = (self.predicted[self.rows[cell]] for cell in (one, other))
        return Difference(*paired_difference(self.labels, first, second, self.seed))


def _gained_most(
    candidates: _Candidates, best: Cell, start: tuple[int, float]
) -> tuple[int, Difference] | None:
    """Return the layer that gained most up to the best cell's epoch, and what it gained."""
    if best.snapshot == start[0]:
        return None
    pairs = {
        layer: (replace(best, layer=layer), Cell(*start, best.pooling, layer))
        for layer in range(1, candidates.n_layers + 1)
    }
    gains = {
        layer: candidates.scores[candidates.rows[now]] - candidates.scores[candidates.rows[then]]
        for layer, (now, then) in pairs.items()
    }
    layer = max(gains, key=gains.__getitem__)
    return layer, candidates.difference(*pairs[layer])


def first_separates(
    cells: Sequence[Cell], predicted: np.ndarray, labels: np.ndarray, threshold: float
) -> dict[int, Cell]:
    """Return for each class the earliest cell (by epoch, then layer) whose F1 reaches `threshold`.

    Parameters
    ----------
    cells : sequence of K Cells
    predicted : ndarray of shape (K, n)
        For the scored examples.
    labels : ndarray of shape (n,)
    threshold : float
        0 to 1.
    """
    f1 = class_f1(labels, predicted)  # (K, C)
    order = sorted(range(len(cells)), key=lambda row: cells[row])
    result = {}
    for column, label in enumerate(np.unique(labels)):
        reached = next((row for row in order if f1[row, column] >= threshold), None)
        if reached is not None:
            result[int(label)] = cells[reached]
    return result


def verdict_of(labels: np.ndarray, p_chance: float) -> str:
    """Return the verdict of a search: "found", "chance" or "few", as in `Answer`.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Class indices of the scored examples.
    p_chance : float
        As in `Best`.
    """
    _, counts = np.unique(labels, return_counts=True)
    if few_examples(len(labels), int(counts.min())):
        return "few"
    return "found" if p_chance <= 1 - LEVEL else "chance"


def smallest_class(labels: np.ndarray, label_names: Sequence[str]) -> tuple[str, int]:
    """Return the name of the class with the fewest examples in `labels`, and how many."""
    classes, counts = np.unique(labels, return_counts=True)
    return label_names[classes[counts.argmin()]], int(counts.min())


def _test_score(
    labels: np.ndarray, predicted: np.ndarray, splits: np.ndarray, seed: int
) -> Score | None:
    test = splits == "test"
    if not test.any():
        return None
    true, of_test = labels[test], predicted[None, test]
    low, high = interval(macro_f1(true, of_test, resampling_weights(len(true), seed)))
    return Score(float(macro_f1(true, of_test)[0]), float(low[0]), float(high[0]), len(true))
