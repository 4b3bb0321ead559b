"""Whether a shorter encoder does what the whole model of another one does."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerviz import separability
from layerviz.comparison.contender_scores import ContenderScores
from layerviz.comparison.leads import critical_value
from layerviz.comparison.seed_variance import SeedVariance
from layerviz.separability import Cell, Difference


@dataclass(frozen=True)
class DepthMatch:
    """A contender that, cut off at some layer, certainly does what another whole model does.

    Parameters
    ----------
    name, other : str
        Of the contender, and of the one with the best whole model among the others.
    cell : Cell
        The lowest layer that is enough, where it is and under which pooling.
    n_layers, other_layers : int
        Layers there are.
    reference, reference_epoch : float
        Val macro-F1 of the other's own classifier, mean over the seeds, at its best epoch.
    margin : float
        The loss of macro-F1 that is given away.
    loss : Difference
        What the cell scores above it (below, if negative), corrected for the pick of the epoch; the
        lower end is simultaneous over all layers, poolings and contenders.
    """

    name: str
    other: str
    cell: Cell
    n_layers: int
    other_layers: int
    reference: float
    reference_epoch: float
    margin: float
    loss: Difference


def depth_matches(
    contenders: Sequence[ContenderScores],
    variance: SeedVariance,
    parameters: Sequence[float | None],
    margin: float,
) -> tuple[DepthMatch, ...]:
    """Return which contenders do with fewer layers what the best of the others does with all.

    A probe on layer k is the encoder cut off there; it is held against the own classifier of the
    best of the others, as in `separability.decide_depth`: a loss of `margin` or more is excluded
    for all layers and poolings of all contenders at once (`separability.not_worse`).

    Parameters
    ----------
    contenders : sequence of ContenderScores
    variance : SeedVariance
    parameters : sequence of float or None
        Of each encoder, where they are known.
    margin : float
        Of macro-F1.

    Returns
    -------
    tuple of DepthMatch
        Those of fewer layers, or fewer parameters, than the other has; the lowest first.
    """
    labels = contenders[0].labels
    _, counts = np.unique(labels, return_counts=True)
    is_fine = margin < separability.FINE_MARGIN and len(labels) < separability.FINE_EXAMPLES
    if is_fine or separability.few_examples(len(labels), int(counts.min())):
        return ()
    duels = _duels(contenders, variance)
    differences = np.concatenate([duel.differences for duel in duels])
    draws = differences + np.concatenate([duel.noise for duel in duels], axis=1)
    floor = np.concatenate([duel.floor for duel in duels])
    enough = separability.not_worse(differences, draws, margin, least_deviation=floor)
    bounds = separability.simultaneous_interval(
        differences, draws, least_deviation=floor, one_sided=True
    )
    ends = np.cumsum([len(duel.rows) for duel in duels])[:-1]
    matches = [
        _match(contenders, duel, is_enough, low, parameters, margin)
        for duel, is_enough, low in zip(
            duels, np.split(enough, ends), np.split(bounds.low, ends), strict=True
        )
    ]
    found = [match for match in matches if match is not None]
    return tuple(sorted(found, key=lambda match: (match.cell.layer, -match.loss.value)))


@dataclass(frozen=True)
class _Duel:
    """A contender's K cells at its best epoch against the best whole model of the others.

    Parameters
    ----------
    number, rival : int
        Indices of the contenders.
    rows : list of K ints
        Of the cells.
    reference : float
    differences, floor : ndarray of shape (K,)
    noise : ndarray of shape (R, K)
    """

    number: int
    rival: int
    rows: list[int]
    reference: float
    differences: np.ndarray
    floor: np.ndarray
    noise: np.ndarray


def _duels(contenders: Sequence[ContenderScores], variance: SeedVariance) -> list[_Duel]:
    heads = [contender.of_head(contender.best.snapshot) for contender in contenders]
    whole = [contender.score(head) for contender, head in zip(contenders, heads, strict=True)]
    n_seeds = [len(contender.seeds) for contender in contenders]
    of_seeds = variance.noise(n_seeds, len(contenders[0].draws))
    duels = []
    for number, contender in enumerate(contenders):
        others = [other for other in range(len(contenders)) if other != number]
        rival = max(others, key=lambda other: whole[other])
        rows = _rows_of_best_epoch(contender)
        noise = contender.draws[:, rows] - contender.means[rows] + of_seeds[:, [number]]
        of_head = contenders[rival].draws_of(heads[rival]) - whole[rival] + of_seeds[:, rival]
        noise -= of_head[:, None]
        shares = 1 / n_seeds[number] + 1 / n_seeds[rival]
        noise *= variance.widening(noise.var(axis=0), shares, critical_value(noise))
        has_seeds = max(n_seeds[number], n_seeds[rival]) > 1
        duels.append(
            _Duel(
                number=number,
                rival=rival,
                rows=rows,
                reference=whole[rival],
                differences=contender.means[rows] + contender.correction - whole[rival],
                floor=_floor(contender, rows, heads[rival], has_seeds),
                noise=noise,
            )
        )
    return duels


def _match(
    contenders: Sequence[ContenderScores],
    duel: _Duel,
    enough: np.ndarray,
    low: np.ndarray,
    parameters: Sequence[float | None],
    margin: float,
) -> DepthMatch | None:
    """Return the lowest layer that is enough, if that is a smaller encoder; else None."""
    contender, other = contenders[duel.number], contenders[duel.rival]
    places = np.flatnonzero(enough).tolist()
    if not places:
        return None
    place = min(
        places,
        key=lambda at: (contender.cells[duel.rows[at]].layer, -duel.differences[at]),
    )
    cell = contender.cells[duel.rows[place]]
    own, of_other = parameters[duel.number], parameters[duel.rival]
    has_fewer = own is not None and of_other is not None and own < of_other
    if cell.layer >= other.n_layers and not has_fewer:
        return None
    return DepthMatch(
        name=contender.name,
        other=other.name,
        cell=cell,
        n_layers=contender.n_layers,
        other_layers=other.n_layers,
        reference=duel.reference,
        reference_epoch=other.best.epoch,
        margin=margin,
        # A step-down accepts what is certain once the rest is: never below the margin.
        loss=Difference(
            float(duel.differences[place]), max(float(low[place]), -margin), float("inf")
        ),
    )


def _rows_of_best_epoch(contender: ContenderScores) -> list[int]:
    snapshot = contender.best.snapshot
    return [row for row, cell in enumerate(contender.cells) if cell.snapshot == snapshot]


def _floor(
    contender: ContenderScores, rows: Sequence[int], head: np.ndarray, has_seeds: bool
) -> np.ndarray:
    """Return the deviations that the differences may not fall below, as for leads."""
    right = contender.on_val[0, list(rows)] == contender.labels  # (K, n)
    if has_seeds:
        right = np.repeat((head[0] == contender.labels)[None], len(rows), axis=0)
    return separability.paired_deviation(right, head[0] == contender.labels, contender.labels)
