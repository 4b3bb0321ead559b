"""Which layers, which epochs, which pooling: each asked by itself, averaged over the others.

Of 180 cells, a val set of some hundred examples can hardly tell any two apart. The mean of a layer
over epochs and poolings varies less, and there are only as many to choose from as there are layers.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass

import numpy as np

from layerviz.separability.resampling import interval
from layerviz.separability.scored_cells import Cell, CellScores, Difference
from layerviz.separability.simultaneous import (
    certainly_behind,
    confidence_set,
    examples_needed,
)

GAP_TO_TELL = 0.03  # of macro-F1: the difference for which a number of examples is named


@dataclass(frozen=True)
class Marginal:
    """The levels of one factor, averaged over the others, and which of them may be the best.

    Parameters
    ----------
    levels : tuple
        Layers, epochs or poolings.
    scores : tuple of float
        Mean val macro-F1 of the cells of each.
    may_be_best : tuple
        The levels of which one is the best, with 95 % confidence (`confidence_set`).
    behind : tuple
        The levels that are not the best, all of them at once with 95 % confidence
        (`certainly_behind`): fewer than those of which each by itself may be left out.
    """

    levels: tuple
    scores: tuple[float, ...]
    may_be_best: tuple
    behind: tuple

    @property
    def best(self) -> Hashable:
        """The level with the highest mean."""
        return self.levels[int(np.argmax(self.scores))]

    @property
    def excluded(self) -> tuple:
        """The levels of which none is the best, with 95 % confidence."""
        return tuple(level for level in self.levels if level not in self.may_be_best)


@dataclass(frozen=True)
class Marginals:
    """What val says of layers, epochs and poolings, each by itself.

    Parameters
    ----------
    layers, poolings : Marginal
        Means over the snapshots after training began.
    epochs : Marginal
        Means over all layers and poolings; before training included.
    slope : Difference
        What each layer deeper is worth, on average over the layers, in macro-F1, with its 95 %
        interval.
    examples_to_tell : int
        About how many val examples would tell two layers apart that differ by `GAP_TO_TELL`.
    """

    layers: Marginal
    epochs: Marginal
    poolings: Marginal
    slope: Difference
    examples_to_tell: int


def marginals_of(scored: CellScores, best: Cell) -> Marginals:
    """Return the marginal means of K cells and what they tell apart.

    Parameters
    ----------
    scored : CellScores
    best : Cell
        The one that is recommended: the number of examples is for telling its layer from the
        others at its epoch, under its pooling.
    """
    start = scored.snapshots[0][0]
    trained = scored.where(lambda cell: cell.snapshot > start)
    later = trained if len(trained) else np.arange(len(scored.cells))
    layers, draws = _means(scored, later, lambda cell: cell.layer)
    return Marginals(
        layers=layers,
        epochs=_means(scored, np.arange(len(scored.cells)), lambda cell: cell.epoch)[0],
        poolings=_means(scored, later, lambda cell: cell.pooling)[0],
        slope=_slope(layers, draws),
        examples_to_tell=_examples_to_tell(scored, best),
    )


def _means(
    scored: CellScores, rows: np.ndarray, level_of: Callable[[Cell], Hashable]
) -> tuple[Marginal, np.ndarray]:
    """Return one factor's marginal and the draws of its means, (R, number of levels)."""
    groups: dict[Hashable, list[int]] = {}
    for row in rows:
        groups.setdefault(level_of(scored.cells[row]), []).append(int(row))
    scores = np.array([scored.scores[group].mean() for group in groups.values()])
    draws = np.stack([scored.draws[:, group].mean(axis=1) for group in groups.values()], axis=1)
    inside = confidence_set(scores, draws)
    levels = tuple(groups)
    may_be_best = tuple(level for level, kept in zip(levels, inside, strict=True) if kept)
    is_behind = certainly_behind(scores, draws)
    behind = tuple(level for level, is_out in zip(levels, is_behind, strict=True) if is_out)
    return Marginal(levels, tuple(map(float, scores)), may_be_best, behind), draws


def _slope(layers: Marginal, draws: np.ndarray) -> Difference:
    """Return the least-squares slope of the means over the layers."""
    depth = np.array(layers.levels, dtype=float)
    depth -= depth.mean()
    if len(depth) < 2:
        return Difference(0.0, 0.0, 0.0)
    shares = depth / (depth**2).sum()
    low, high = interval(draws @ shares)
    return Difference(float(np.array(layers.scores) @ shares), float(low), float(high))


def _examples_to_tell(scored: CellScores, best: Cell) -> int:
    row = scored.rows[best]
    others = scored.where(
        lambda cell: (
            (cell.snapshot, cell.pooling) == (best.snapshot, best.pooling)
            and cell.layer != best.layer
        )
    )
    if not len(others):
        return 0
    deviations = (scored.noise[:, [row]] - scored.noise[:, others]).std(axis=0)
    typical = float(np.median(deviations))
    return examples_needed(GAP_TO_TELL, typical, scored.n, n_compared=len(others))
