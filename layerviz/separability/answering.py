"""From the probes of all cells to an answer: which layer generalises, at which epoch, how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerviz.separability.resampling import (
    Best,
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
    true, shown = labels[val], predicted[:, val]
    found = find_best(true, shown, seed)
    best = cells[found.index]
    place = {cell: row for row, cell in enumerate(cells)}
    train_scores = macro_f1(labels[splits == "train"], predicted[:, splits == "train"])
    snapshots = sorted({(cell.snapshot, cell.epoch) for cell in cells})
    n_layers = max(cell.layer for cell in cells)

    def at(snapshot: tuple[int, float], layer: int) -> int:
        return place[Cell(*snapshot, best.pooling, layer)]

    def difference(one: int, other: int) -> Difference:
        return Difference(*paired_difference(true, shown[one], shown[other], seed))

    start, now = snapshots[0], (best.snapshot, best.epoch)
    before = [row for row, cell in enumerate(cells) if cell.snapshot == start[0]]
    best_before = max(before, key=lambda row: found.scores[row])
    last = max((at(when, n_layers) for when in snapshots), key=lambda row: found.scores[row])
    gained = None
    if now != start:
        rise = {
            layer: found.scores[at(now, layer)] - found.scores[at(start, layer)]
            for layer in range(1, n_layers + 1)
        }
        layer = max(rise, key=rise.__getitem__)
        gained = (layer, difference(at(now, layer), at(start, layer)))
    gaps = tuple(
        (when[1], float(train_scores[at(when, best.layer)] - found.scores[at(when, best.layer)]))
        for when in dict.fromkeys((now, snapshots[-1]))
    )
    codes, counts = np.unique(true, return_counts=True)
    return Answer(
        verdict=_verdict(found, len(true), counts.min()),
        best=best,
        val=Score(
            *(float(x[found.index]) for x in (found.scores, found.low, found.high)), len(true)
        ),
        test=_test_score(labels, predicted[found.index], splits, seed),
        corrected=found.corrected,
        p_chance=found.p_chance,
        n_cells=len(cells),
        n_layers=n_layers,
        ties=tuple(
            cell for row, cell in enumerate(cells) if found.ties[row] and row != found.index
        ),
        since_start=None if best.snapshot == start[0] else difference(found.index, best_before),
        start=(cells[best_before], float(found.scores[best_before])),
        last_layer=(cells[last], float(found.scores[last])),
        gained_most=gained,
        gaps=gaps,
        smallest_class=(label_names[codes[counts.argmin()]], int(counts.min())),
    )


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


def _verdict(found: Best, n: int, fewest: int) -> str:
    if few_examples(n, fewest):
        return "few"
    return "found" if found.above_chance else "chance"


def _test_score(labels, predicted, splits, seed) -> Score | None:
    at = splits == "test"
    if not at.any():
        return None
    true, shown = labels[at], predicted[None, at]
    low, high = interval(macro_f1(true, shown, resampling_weights(len(true), seed)))
    return Score(float(macro_f1(true, shown)[0]), float(low[0]), float(high[0]), len(true))
