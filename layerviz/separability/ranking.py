"""How well scores rank the examples of a class above the others, and whether that is chance."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd

from layerviz.separability.resampling import CELLS_AT_ONCE, MANY_CLASSES, PERMUTATIONS

PERMUTATIONS_AT_ONCE = 250  # of the labels of tens of thousands of examples, in float64
ROUNDING = 1e-9
FEW_TO_COUNT = 24  # examples of a class up to which comparing beats sorting, as with many classes


def macro_auc(
    true: np.ndarray, scores: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the macro area under the ROC curve of K cells, under R weightings if given.

    The mean over the classes that `true` holds of the one-vs-rest area (Hand & Till, 2001;
    Fawcett, 2006): how often an example of the class has a higher score for it than one of another
    class, ties counting half.

    With weights, the area is that of the weighted examples to first order: each example keeps its
    placement, the share of the other side that it stands rightly to (DeLong et al., 1988), and
    the weights average the placements. Ranking the examples anew in each resample would take
    twenty times as long, and moves an area by a small part of its standard error: a sixth where 6
    examples face 114, a tenth where 60 face 60. The error itself stays within a few per
    cent.

    Parameters
    ----------
    true : ndarray of shape (n,)
        Class indices.
    scores : ndarray of shape (K, n, C)
        The score of each class; a class index is a column.
    weights : ndarray of shape (R, n), optional
        As from `resampling_weights`.

    Returns
    -------
    ndarray of shape (K,), or (R, K) with weights; float64
        0.5 where scores tell nothing. A class that a resample has not drawn is left out there; NaN
        where `true`, or a resample, holds fewer than two classes.
    """
    given = np.ones((1, len(true)), dtype=np.float32) if weights is None else weights
    total, n_drawn = np.zeros((len(given), len(scores))), np.zeros((len(given), 1))
    for label, is_class in _classes(true):
        sides = np.stack([is_class, ~is_class]).astype(np.float32)  # (2, n)
        n_in, n_out = (given @ sides.T).T[..., None]  # (R, 1) each
        drawn = (n_in > 0) & (n_out > 0)  # (R, 1)
        for start in range(0, len(scores), CELLS_AT_ONCE):
            cells = slice(start, start + CELLS_AT_ONCE)
            placements = _placements(scores[cells, :, label], is_class)  # (k, n)
            area = placements[:, is_class].mean(axis=1)
            if weights is not None:
                inside, outside = (
                    given[:, side] @ placements[:, side].astype(np.float32).T
                    if side.sum() <= FEW_TO_COUNT
                    else given @ (placements * side).astype(np.float32).T
                    for side in (is_class, ~is_class)
                )
                moved = inside / np.maximum(n_in, 1) + outside / np.maximum(n_out, 1) - area
                area = np.clip(moved, 0, 1)
            total[:, cells] += np.where(drawn, area, 0.0)
        n_drawn += drawn
    with np.errstate(invalid="ignore"):
        mean = total / n_drawn
    return mean[0] if weights is None else mean


def p_of_chance_by_auc(
    true: np.ndarray, scores: np.ndarray, seed: int, n_permutations: int = PERMUTATIONS
) -> float:
    """Return how often the best of K cells would rank as well if labels meant nothing.

    The highest macro area of the cells against that of the highest under shuffled labels
    (max-statistic permutation test; Nichols & Holmes, 2002). It holds its level however many cells
    are searched. Unlike a test of predictions it finds a class that is too rare to be predicted.

    Parameters
    ----------
    true : ndarray of shape (n,)
        Class indices of the scored examples.
    scores : ndarray of shape (K, n, C)
        As in :func:`macro_auc`.
    seed : int
        Of the permutations.
    n_permutations : int

    Returns
    -------
    float
        Above 0, at most 1; 1 with fewer than two classes.
    """
    rng = np.random.default_rng((seed, 1))
    # The first order is that of the labels themselves.
    orders = np.stack(
        [np.arange(len(true)), *(rng.permutation(len(true)) for _ in range(n_permutations))]
    )
    total, n_classes = np.zeros((1 + n_permutations, len(scores))), len(np.unique(true))
    if n_classes < 2:
        return 1.0
    if n_classes > MANY_CLASSES:
        for cell, of_cell in enumerate(scores):
            total[:, cell] = _total_areas(true, of_cell, orders)
        return _p_of_most(total)
    for label, is_class in _classes(true):
        n_in, n_out = int(is_class.sum()), int((~is_class).sum())
        for start in range(0, len(scores), CELLS_AT_ONCE):
            cells = slice(start, start + CELLS_AT_ONCE)
            ranks = _ranks(scores[cells, :, label].astype(np.float32), axis=1)  # (k, n)
            for first in range(0, 1 + n_permutations, PERMUTATIONS_AT_ONCE):
                rows = slice(first, first + PERMUTATIONS_AT_ONCE)
                # In float64, where sums of ranks are exact: equal areas must count as equal.
                of_class = is_class[orders[rows]].astype(np.float64)
                total[rows, cells] += (of_class @ ranks.T - n_in * (n_in + 1) / 2) / (n_in * n_out)
    return _p_of_most(total)


def _ranks(scores: np.ndarray, axis: Literal[0, 1]) -> np.ndarray:
    """Return ranks from 1 along an axis of a matrix, float64; those that tie share their mean.

    As scipy's `rankdata`, whose package takes longer to import than a run takes to rank. Where one
    is no number, none along that axis has a rank.
    """
    ranks = pd.DataFrame(scores).rank(axis=axis).to_numpy()
    return np.where(np.isnan(scores).any(axis=axis, keepdims=True), np.nan, ranks)


def _p_of_most(total: np.ndarray) -> float:
    """Return how often the highest of a row of (1 + B, K) is as high as that of the first row."""
    observed, *most = total.max(axis=1)
    return float((1 + (np.array(most) >= observed - ROUNDING).sum()) / (1 + len(most)))


def _total_areas(true: np.ndarray, scores: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Return the sum over classes of the areas of one cell under orders of the labels, (B,).

    An example counts for the one class that an order gives it: this does not grow with the classes.
    Arguments as in `p_of_chance_by_auc`; `scores` of shape (n, C), `orders` of shape (B, n).
    """
    classes, codes, n_in = np.unique(true, return_inverse=True, return_counts=True)
    n_out = len(true) - n_in
    ranks = _ranks(scores[:, classes].astype(np.float32), axis=0) / (n_in * n_out)  # (n, C)
    counted = np.zeros(len(orders))
    for row, of_row in enumerate(codes[orders].T):  # the codes that the orders give an example
        counted += ranks[row, of_row]
    return counted - ((n_in + 1) / (2 * n_out)).sum()


def _classes(true: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield each class that has examples beside it, and which examples are its own."""
    labels = np.unique(true)
    for label in labels if len(labels) > 1 else ():
        yield int(label), true == label


def _placements(scores: np.ndarray, is_class: np.ndarray) -> np.ndarray:
    """Return the share of the other side that each example stands rightly to, of shape (k, n).

    For one of the class, the share of the rest that scores lower; for one of the rest, the share
    of the class that scores higher; ties count half.
    """
    scores = scores.astype(np.float32)
    n_in, n_out = is_class.sum(), (~is_class).sum()
    if n_in <= FEW_TO_COUNT:
        below = _counted_below(scores, is_class)
    else:
        below = _ranks(scores, axis=1)
        for side in (is_class, ~is_class):
            below[:, side] -= _ranks(scores[:, side], axis=1)
    return np.where(is_class, below / n_out, 1 - below / n_in)


def _counted_below(scores: np.ndarray, is_class: np.ndarray) -> np.ndarray:
    """Return how many of the other side score lower than each example, ties counting half, (k, n).

    By comparing each of the few examples of the class with all others.
    """
    own, others = scores[:, is_class, None], scores[:, None, ~is_class]  # (k, m, 1), (k, 1, n - m)
    over, level = own > others, own == others
    below = np.empty(scores.shape)
    below[:, is_class] = over.sum(axis=2) + level.sum(axis=2) / 2
    below[:, ~is_class] = is_class.sum() - over.sum(axis=1) - level.sum(axis=1) / 2
    return below
