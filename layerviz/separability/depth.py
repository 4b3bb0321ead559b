"""How many layers are enough: whether an encoder that ends at layer k does what all of it does.

A linear probe on layer k is the truncated model: the layers above it take no part. It is compared
with the model's own classifier on the same val examples (as in Sajjad et al., 2023, "On the effect
of dropping layers of pre-trained transformer models"; Phang et al., 2021).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerviz.separability.epochs import MARGIN
from layerviz.separability.resampling import few_examples, macro_f1
from layerviz.separability.scored_cells import Cell, CellScores, Difference
from layerviz.separability.simultaneous import (
    not_worse,
    paired_deviation,
    rounded_up,
    simultaneous_interval,
)

MARGINS = (0.01, 0.02, 0.03, 0.04, 0.05)  # of macro-F1, that a reader may give away
FINE_MARGIN, FINE_EXAMPLES = 0.02, 2000  # a finer margin needs as many val examples as this
MOST_NEEDED = 50  # times as many examples as there are: beyond, a guess is worth nothing


@dataclass(frozen=True)
class DepthDecision:
    """How many layers are enough.

    Parameters
    ----------
    margin : float
        The loss of macro-F1 that is given away.
    cell : Cell or None
        The lowest layer that certainly loses less, where it is and under which pooling; None where
        val cannot tell, or no layer but the last does.
    n_layers : int
    reference : float
        Macro-F1 of the whole model's own classifier on val, at the same epoch.
    reference_epoch : float
    loss : Difference or None
        What `cell` scores above the whole model (below, if negative); its lower end is
        simultaneous over all layers and poolings.
    n : int
        Val examples.
    needed : int or None
        About how many val examples would tell, where these do not; None where no number would.
    layers : tuple of Difference
        For layers 1 to L at that epoch, under the pooling of the decision (or the recommended
        one): probe minus whole model, simultaneous as above.
    pooling : str
        Of `layers`.
    """

    margin: float
    cell: Cell | None
    n_layers: int
    reference: float
    reference_epoch: float
    loss: Difference | None
    n: int
    needed: int | None
    layers: tuple[Difference, ...]
    pooling: str

    @property
    def too_fine(self) -> bool:
        """Whether the margin asks for more examples than there are, whatever they show."""
        return self.margin < FINE_MARGIN and self.n < FINE_EXAMPLES


def decide_depth(
    scored: CellScores, head: np.ndarray, best: Cell, margin: float = MARGIN
) -> DepthDecision:
    """Return the lowest layer that certainly does what the whole model does, less a margin.

    Every layer under every pooling at the epoch of `best` is compared with the model's own
    classifier in pairs, and a loss of `margin` or more is to be excluded with 95 % confidence for
    all of them at once (`simultaneous.not_worse`).

    Parameters
    ----------
    scored : CellScores
    head : ndarray of shape (n,)
        What the model's own classifier predicts at that epoch.
    best : Cell
        The recommended one.
    margin : float
        Of macro-F1.
    """
    rows = scored.where(lambda cell: cell.snapshot == best.snapshot)
    cells = [scored.cells[row] for row in rows]
    reference = float(macro_f1(scored.labels, head[None])[0])
    head_draws = macro_f1(scored.labels, head[None], scored.weights)
    differences = scored.scores[rows] - reference
    draws = scored.draws[:, rows] - head_draws
    floor = paired_deviation(scored.right[rows], head == scored.labels, scored.labels)
    bounds = simultaneous_interval(differences, draws, least_deviation=floor, one_sided=True)
    values = [
        Difference(*map(float, numbers))
        for numbers in zip(bounds.value, bounds.low, bounds.high, strict=True)
    ]
    _, counts = np.unique(scored.labels, return_counts=True)
    enough = not_worse(differences, draws, margin, least_deviation=floor)
    fine = margin < FINE_MARGIN and scored.n < FINE_EXAMPLES
    if fine or few_examples(scored.n, int(counts.min())):
        enough[:] = False
    chosen = _lowest(cells, differences, enough)
    pooling = best.pooling if chosen is None else cells[chosen].pooling
    return DepthDecision(
        margin=margin,
        cell=None if chosen is None else cells[chosen],
        n_layers=scored.n_layers,
        reference=reference,
        reference_epoch=best.epoch,
        loss=None if chosen is None else values[chosen],
        n=scored.n,
        needed=None if chosen is not None else _needed(cells, values, margin, scored),
        layers=tuple(
            value for cell, value in zip(cells, values, strict=True) if cell.pooling == pooling
        ),
        pooling=pooling,
    )


def _lowest(cells: Sequence[Cell], differences: np.ndarray, enough: np.ndarray) -> int | None:
    """Return the row of the lowest layer that is enough; of its poolings, the one best on val."""
    last = max(cell.layer for cell in cells)
    rows = [row for row in np.flatnonzero(enough).tolist() if cells[row].layer < last]
    if not rows:
        return None
    return min(rows, key=lambda row: (cells[row].layer, -differences[row]))


def _needed(
    cells: Sequence[Cell], values: Sequence[Difference], margin: float, scored: CellScores
) -> int | None:
    """Return how many examples would tell, if the differences were those that were seen."""
    reaches = []
    for cell, value in zip(cells, values, strict=True):
        slack = value.value + margin
        if cell.layer < scored.n_layers and slack > margin / 4:
            reaches.append(scored.n * ((value.value - value.low) / slack) ** 2)
    if not reaches:
        return None
    needed = rounded_up(max(min(reaches), scored.n + 1))
    if margin < FINE_MARGIN:
        needed = max(needed, FINE_EXAMPLES)
    return needed if needed <= MOST_NEEDED * scored.n else None
