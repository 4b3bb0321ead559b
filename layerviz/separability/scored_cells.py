"""Cells and their scores on val: what every answer is drawn from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.sparse import csr_array

from layerviz.separability.resampling import macro_f1, resampling_weights
from layerviz.wording import count, signed


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
    """A score with its 95 % interval and the number of examples scored."""

    value: float
    low: float
    high: float
    n: int

    @property
    def with_interval(self) -> str:
        """The score and its interval: "0.73 (0.65–0.79)"."""
        return f"{self._number(self.value)} ({self._interval})"

    def __str__(self) -> str:
        n = f"n = {self.n:,}"
        if self.value == 1:
            n = f"no mistakes in {count(self.n, 'example')}"
        return f"{self._number(self.value)} ({self._interval}, {n})"

    @property
    def value_and_interval(self) -> tuple[str, str]:
        """The score and its interval as two texts: "0.73" and "0.65–0.79"."""
        return self._number(self.value), self._interval

    @property
    def low_end(self) -> str:
        """The low end of the interval: "0.65"."""
        return self._number(self.low)

    @property
    def _interval(self) -> str:
        return f"{self._number(self.low)}–{self._number(self.high)}"

    def _number(self, value: float) -> str:
        """Write a number so that what is below 1 does not read as 1: 0.98, but 0.997."""
        closest = max((one for one in (self.low, self.value) if one < 1), default=0.0)
        places = next((p for p in (2, 3) if round(closest, p) < 1), 4)
        return f"{value:.{places}f}"


@dataclass(frozen=True)
class Difference:
    """One macro-F1 minus another, with a 95 % interval."""

    value: float
    low: float
    high: float

    @property
    def clear(self) -> bool:
        return self.low > 0 or self.high < 0

    def __str__(self) -> str:
        places = 3 if any(abs(n) < 0.005 for n in (self.low, self.high)) else 2
        return "{} ({} to {})".format(
            *(signed(number, places) for number in (self.value, self.low, self.high))
        )


@dataclass(frozen=True)
class CellScores:
    """K cells, what their probes predict for the n val examples, and how well.

    Parameters
    ----------
    cells : tuple of K Cells
    predicted : ndarray of shape (K, n)
        Class indices.
    labels : ndarray of shape (n,)
        True class indices.
    seed : int
        Of the resamples.
    """

    cells: tuple[Cell, ...]
    predicted: np.ndarray
    labels: np.ndarray
    seed: int

    @property
    def n(self) -> int:
        return len(self.labels)

    @cached_property
    def weights(self) -> np.ndarray:
        """How often each example is in each resample, (R, n)."""
        return resampling_weights(self.n, self.seed)

    @cached_property
    def scores(self) -> np.ndarray:
        """Macro-F1, (K,)."""
        return macro_f1(self.labels, self.predicted)

    @cached_property
    def draws(self) -> np.ndarray:
        """Its bootstrap draws, (R, K)."""
        return macro_f1(self.labels, self.predicted, self.weights)

    @cached_property
    def noise(self) -> np.ndarray:
        """What the draws are above the scores, (R, K)."""
        return self.draws - self.scores

    @cached_property
    def right(self) -> np.ndarray:
        """Whether each cell is right about each example, (K, n)."""
        return self.predicted == self.labels

    @cached_property
    def rows(self) -> dict[Cell, int]:
        """The index of each cell."""
        return {cell: row for row, cell in enumerate(self.cells)}

    @cached_property
    def snapshots(self) -> tuple[tuple[int, float], ...]:
        """(index, epoch) of each snapshot, in order."""
        return tuple(sorted({(cell.snapshot, cell.epoch) for cell in self.cells}))

    @property
    def n_layers(self) -> int:
        return max(cell.layer for cell in self.cells)

    @cached_property
    def poolings(self) -> tuple[str, ...]:
        """In the order of the cells."""
        return tuple(dict.fromkeys(cell.pooling for cell in self.cells))

    @cached_property
    def neighbourhood(self) -> csr_array:
        """See :func:`neighbourhood_means`."""
        return neighbourhood_means(self.cells)

    def score(self, cell: Cell) -> float:
        """Return the macro-F1 of one cell."""
        return float(self.scores[self.rows[cell]])

    def where(self, is_wanted: Callable[[Cell], bool]) -> np.ndarray:
        """Return the indices of some of the cells."""
        return np.array([row for row, cell in enumerate(self.cells) if is_wanted(cell)], dtype=int)


def neighbourhood_means(cells: Sequence[Cell]) -> csr_array:
    """Return the matrix (K, K) that takes scores to means over each cell and its neighbours.

    Neighbours are the layers above and below and the snapshots before and after, under the same
    pooling: a cell counts four times, those beside it twice, those at its corners once. What was
    before training is no neighbour of what came after it: between the two, scores may jump.
    """
    rows = {(cell.snapshot, cell.pooling, cell.layer): row for row, cell in enumerate(cells)}
    order = sorted({cell.snapshot for cell in cells})
    place = {snapshot: number for number, snapshot in enumerate(order)}
    start, entries = order[0], []
    for row, cell in enumerate(cells):
        at = place[cell.snapshot]
        weights = {
            rows[key]: (2 - abs(place[snapshot] - at)) * (2 - abs(layer - cell.layer))
            for snapshot in order[max(at - 1, 0) : at + 2]
            if (snapshot == start) == (cell.snapshot == start)
            for layer in (cell.layer - 1, cell.layer, cell.layer + 1)
            if (key := (snapshot, cell.pooling, layer)) in rows
        }
        total = sum(weights.values())
        entries += [(row, column, weight / total) for column, weight in weights.items()]
    at_row, at_column, share = zip(*entries, strict=True)
    return csr_array((share, (at_row, at_column)), shape=(len(cells), len(cells)))
