"""What changes from one epoch to another, and what may be said of it after looking everywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations

import numpy as np
import pandas as pd
from scipy.special import ndtri

from layerviz.separability.resampling import LEVEL, macro_f1
from layerviz.separability.scored_cells import Cell, CellScores, Difference
from layerviz.separability.simultaneous import NO_DEVIATION, confidence_set, paired_deviation

MARGIN = 0.02  # of macro-F1: a loss that is given away, unless the reader says otherwise


@dataclass(frozen=True)
class EpochComparisons:
    """All pairs of epochs of every layer under every pooling, compared at once.

    The intervals hold all of these differences with 95 % confidence (max-T), so that whatever is
    picked from among them, the largest gain or a fall after a peak, is still true of it.

    Parameters
    ----------
    scored : CellScores
    """

    scored: CellScores

    @cached_property
    def critical(self) -> float:
        """How many deviations an interval reaches to either side."""
        noise = self.scored.noise.astype(np.float32)
        most = np.zeros(len(noise))
        varies = False
        for rows in self._by_layer():
            pairs = np.array(list(combinations(rows, 2)), dtype=int).reshape(-1, 2)
            change = noise[:, pairs[:, 1]] - noise[:, pairs[:, 0]]
            deviation = change.std(axis=0)
            used = deviation > NO_DEVIATION
            if used.any():
                varies = True
                studentised = np.abs(change[:, used] / deviation[used])
                most = np.maximum(most, studentised.max(axis=1))
        return float(np.quantile(most, LEVEL)) if varies else float(ndtri((1 + LEVEL) / 2))

    def _by_layer(self) -> Iterator[list[int]]:
        """Yield the rows of each layer under each pooling, by epoch."""
        groups: dict[tuple[str, int], list[int]] = {}
        for row in sorted(range(len(self.scored.cells)), key=lambda row: self.scored.cells[row]):
            cell = self.scored.cells[row]
            groups.setdefault((cell.pooling, cell.layer), []).append(row)
        yield from groups.values()

    def difference(self, cell: Cell, other: Cell) -> Difference:
        """Return macro-F1 of a cell minus that of the same layer at another epoch."""
        scored = self.scored
        row, column = scored.rows[cell], scored.rows[other]
        deviation = max(
            float((scored.noise[:, row] - scored.noise[:, column]).std()),
            float(
                paired_deviation(scored.right[[row]], scored.right[column], scored.labels)[0]
                if row != column
                else 0.0
            ),
        )
        value = float(scored.scores[row] - scored.scores[column])
        margin = self.critical * deviation
        return Difference(value, value - margin, value + margin)


@dataclass(frozen=True)
class Gains:
    """What fine-tuning has added to the layers up to one epoch, under one pooling.

    Parameters
    ----------
    gained, lost : tuple of int
        Layers whose val macro-F1 has certainly risen, or fallen, since before training.
    of_layer : Difference
        The change of one layer.
    largest : tuple of int
        The layers among which the one that gained most is, with 95 % confidence; empty where none
        has certainly gained.
    """

    gained: tuple[int, ...]
    lost: tuple[int, ...]
    of_layer: Difference
    largest: tuple[int, ...]


def gains_since_start(comparisons: EpochComparisons, best: Cell) -> Gains | None:
    """Return what the layers gained up to the epoch of `best`; None if that is the first one."""
    scored = comparisons.scored
    start = scored.snapshots[0]
    if best.snapshot == start[0]:
        return None
    layers = range(1, scored.n_layers + 1)
    now = [Cell(best.snapshot, best.epoch, best.pooling, layer) for layer in layers]
    before = [Cell(*start, best.pooling, layer) for layer in layers]
    changes = [comparisons.difference(*pair) for pair in zip(now, before, strict=True)]
    gained = [layer for layer, change in zip(layers, changes, strict=True) if change.low > 0]
    lost = [layer for layer, change in zip(layers, changes, strict=True) if change.high < 0]
    largest: list[int] = []
    if gained:
        at, to = ([scored.rows[cell] for cell in cells] for cells in (now, before))
        inside = confidence_set(
            scored.scores[at] - scored.scores[to], scored.draws[:, at] - scored.draws[:, to]
        )
        largest = [layer for layer, is_inside in zip(layers, inside, strict=True) if is_inside]
    return Gains(tuple(gained), tuple(lost), changes[best.layer - 1], tuple(largest))


def overfitting(
    cells: list[Cell],
    predicted: np.ndarray,
    labels: np.ndarray,
    splits: np.ndarray,
    pooling: str,
    seed: int,
    margin: float = MARGIN,
) -> pd.DataFrame:
    """Say for each layer at which epoch val is best, and what happens to it after that.

    Parameters
    ----------
    cells : list of K Cells
        All that are searched, those of other poolings included.
    predicted : ndarray of shape (K, N)
    labels, splits : ndarray of shape (N,)
    pooling : str
        Of the layers that are returned.
    seed : int
    margin : float
        The loss of macro-F1 up to which an earlier epoch counts as being as good.

    Returns
    -------
    DataFrame
        One row per layer: ``layer``; ``peak`` (the epoch of the highest val macro-F1, averaged over
        a cell and its neighbours, as in `find_best`); ``as_good`` (the earliest epoch before it
        that certainly scores at most `margin` less; else the peak); ``val_peak``, ``val_last``,
        ``train_peak``, ``train_last`` (macro-F1 at the peak and at the last epoch); ``change``,
        ``low``, ``high`` (val at the last epoch minus val at the peak); ``verdict``: ``overfits``
        (val falls certainly while train does not), ``unclear`` (no fall is certain) or ``rising``
        (the last epoch is the peak). Intervals are simultaneous over all layers, poolings and pairs
        of epochs.
    """
    val, train = splits == "val", splits == "train"
    scored = CellScores(tuple(cells), predicted[:, val], labels[val], seed)
    comparisons = EpochComparisons(scored)
    means = scored.neighbourhood @ scored.scores
    of_train = macro_f1(labels[train], predicted[:, train])
    result = []
    for layer in range(1, scored.n_layers + 1):
        at = [row for row, c in enumerate(cells) if (c.layer, c.pooling) == (layer, pooling)]
        at.sort(key=lambda row: cells[row])
        peak, last = max(at, key=lambda row: means[row]), at[-1]
        change = comparisons.difference(cells[last], cells[peak])
        fell = change.high < 0 and of_train[last] >= of_train[peak]
        result.append(
            {
                "layer": layer,
                "peak": cells[peak].epoch,
                "as_good": cells[_as_good(comparisons, at, peak, margin)].epoch,
                "val_peak": scored.scores[peak],
                "val_last": scored.scores[last],
                "train_peak": of_train[peak],
                "train_last": of_train[last],
                "change": change.value,
                "low": change.low,
                "high": change.high,
                "verdict": "rising" if last == peak else "overfits" if fell else "unclear",
            }
        )
    return pd.DataFrame(result)


def _as_good(comparisons: EpochComparisons, rows: list[int], peak: int, margin: float) -> int:
    """Return the earliest of the rows up to the peak that certainly loses at most `margin`."""
    cells = comparisons.scored.cells
    return next(
        row
        for row in rows
        if row == peak or comparisons.difference(cells[peak], cells[row]).high < margin
    )
