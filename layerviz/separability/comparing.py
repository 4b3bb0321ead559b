"""Answers to narrower questions: poolings, single classes, and classes that stay confused."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betaincinv

from layerviz.separability.resampling import (
    LEVEL,
    class_f1,
)
from layerviz.separability.scored_cells import Cell, CellScores, Difference
from layerviz.separability.simultaneous import lead_over_all

FEWEST_TO_SEPARATE = 10  # val examples of a class, before it may count as separated


@dataclass(frozen=True)
class PoolingVerdict:
    """Which pooling serves a snapshot best.

    Parameters
    ----------
    best : Cell
        The best layer of the best pooling.
    against : tuple of (Cell, Difference)
        The best layer of every other pooling, and by how much `best` leads that pooling, whichever
        of its layers is best.
    """

    best: Cell
    against: tuple[tuple[Cell, Difference], ...]


def compare_poolings(
    cells: Sequence[Cell], predicted: np.ndarray, labels: np.ndarray, snapshot: int, seed: int
) -> PoolingVerdict:
    """Compare the poolings at one snapshot, each at its best layer, on the same val examples.

    The layers were picked by their scores: a lead is certain where it holds over every layer of
    the other pooling, whichever layer the leading one was picked from (`lead_over_all`).

    Parameters
    ----------
    cells : sequence of K Cells
        With two poolings or more.
    predicted : ndarray of shape (K, n)
        The probes' predictions for the val examples.
    labels : ndarray of shape (n,)
    snapshot, seed : int
    """
    at = [row for row, cell in enumerate(cells) if cell.snapshot == snapshot]
    scored = CellScores(tuple(cells[row] for row in at), predicted[at], labels, seed)
    means = scored.neighbourhood @ scored.scores
    names = np.array([cell.pooling for cell in scored.cells])
    layers = {pooling: np.flatnonzero(names == pooling) for pooling in scored.poolings}
    best = {pooling: int(rows[means[rows].argmax()]) for pooling, rows in layers.items()}
    first, *others = sorted(best, key=lambda pooling: -means[best[pooling]])
    against = []
    for other in others:
        leads = lead_over_all(
            scored.scores, scored.draws, best[first], layers[other], np.arange(len(at))
        )
        place = int(np.flatnonzero(layers[other] == best[other])[0])
        low = float(leads.low.min())
        lead = Difference(float(leads.value[place]), low, float(leads.high[place]))
        against.append((scored.cells[best[other]], lead))
    return PoolingVerdict(scored.cells[best[first]], tuple(against))


def class_scores(
    cells: Sequence[Cell], predicted: np.ndarray, labels: np.ndarray, label_names: Sequence[str]
) -> pd.DataFrame:
    """Return each class's F1 in each cell.

    Parameters
    ----------
    cells : sequence of K Cells
    predicted : ndarray of shape (K, n)
        For the scored examples.
    labels : ndarray of shape (n,)
    label_names : sequence of str

    Returns
    -------
    DataFrame
        ``label``, ``snapshot``, ``pooling``, ``layer``, ``value``, ``n`` (examples of the class).
    """
    f1 = class_f1(labels, predicted)  # (K, C)
    classes, counts = np.unique(labels, return_counts=True)
    frames = [
        pd.DataFrame(
            {
                "label": label_names[label],
                "snapshot": [cell.snapshot for cell in cells],
                "pooling": [cell.pooling for cell in cells],
                "layer": [cell.layer for cell in cells],
                "value": f1[:, column],
                "n": int(counts[column]),
            }
        )
        for column, label in enumerate(classes)
    ]
    return pd.concat(frames, ignore_index=True)


def confused_pairs(
    layers: Sequence[int], predicted: np.ndarray, labels: np.ndarray, label_names: Sequence[str]
) -> pd.DataFrame:
    """Return which pairs of classes are confused, and in which layer least.

    Parameters
    ----------
    layers : sequence of K ints
        The layers of one snapshot and pooling.
    predicted : ndarray of shape (K, n)
        Their probes' predictions for the scored examples.
    labels : ndarray of shape (n,)
    label_names : sequence of str

    Returns
    -------
    DataFrame
        One row per pair that any layer confuses: ``one``, ``other`` (names), ``n`` (examples of
        both), ``least`` (the smallest share of them taken for the other class), ``layer`` (where
        that is), ``last`` (the share in the last layer); most confused in the last layer first.
    """
    classes = np.unique(labels)
    result = []
    for one, other in itertools.combinations(classes, 2):
        both = (labels == one) | (labels == other)
        swapped = (labels[both] == one) & (predicted[:, both] == other)
        swapped |= (labels[both] == other) & (predicted[:, both] == one)
        shares = swapped.mean(axis=1)  # (K,)
        if shares.any():
            least = int(shares.argmin())
            result.append(
                {
                    "one": label_names[one],
                    "other": label_names[other],
                    "n": int(both.sum()),
                    "least": float(shares[least]),
                    "layer": layers[least],
                    "last": float(shares[-1]),
                }
            )
    columns = ["one", "other", "n", "least", "layer", "last"]
    frame = pd.DataFrame(result, columns=columns)
    return frame.sort_values("last", ascending=False, ignore_index=True)


def first_separates(
    cells: Sequence[Cell], predicted: np.ndarray, labels: np.ndarray, threshold: float
) -> dict[int, Cell]:
    """Return for each class the earliest cell (by epoch, then layer) that certainly separates it.

    Certainly: the lower end of its F1 reaches `threshold`, where the lower ends hold for all cells
    and classes at once with 95 % confidence (:func:`class_f1_bounds`). Classes with fewer than 10
    examples are left out.

    Parameters
    ----------
    cells : sequence of K Cells
    predicted : ndarray of shape (K, n)
        For the scored examples.
    labels : ndarray of shape (n,)
    threshold : float
        0 to 1.
    """
    low = class_f1_bounds(predicted, labels)  # (K, C)
    order = sorted(range(len(cells)), key=lambda row: cells[row])
    result = {}
    for column, label in enumerate(np.unique(labels)):
        reached = next((row for row in order if low[row, column] >= threshold), None)
        if reached is not None:
            result[int(label)] = cells[reached]
    return result


def class_f1_bounds(predicted: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return lower ends of each class's F1 in each cell, which hold all at once with 95 %.

    F1 = 2 J / (1 + J), where J is the share of the examples of a class that it is rightly claimed
    for, among all that are of the class or claimed for it. J is a binomial share, and its lower end
    is exact (Clopper & Pearson, 1934), the level being shared among all cells and classes
    (Bonferroni). A bootstrap would see no deviation in a class without mistakes.

    Parameters
    ----------
    predicted : ndarray of shape (K, n)
    labels : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (K, C)
        For the classes of `labels` in their order; NaN for those with fewer than 10 examples.
    """
    classes, counts = np.unique(labels, return_counts=True)
    wanted = counts >= FEWEST_TO_SEPARATE
    low = np.full((len(predicted), len(classes)), np.nan)
    if not wanted.any():
        return low
    level = (1 - LEVEL) / (len(predicted) * int(wanted.sum()))
    for column, label in enumerate(classes):
        if wanted[column]:
            claimed, of_class = predicted == label, labels == label
            both = (claimed & of_class).sum(axis=1)
            either = (claimed | of_class).sum(axis=1)
            share = np.where(
                both > 0, betaincinv(np.maximum(both, 1), either - both + 1, level), 0.0
            )
            low[:, column] = 2 * share / (1 + share)
    return low
