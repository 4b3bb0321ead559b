"""Scores of predictions, their bootstrap intervals, and a test of chance.

All cells of a run are scored on the same resamples of the same examples, so that two cells can be
compared in pairs (Efron & Tibshirani, 1993, chapter 16).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from layerviz.data import few_texts

RESAMPLES = 1000
PERMUTATIONS = 1000
FEW_EXAMPLES, FEW_IN_CLASS = 50, 5  # val needs these before layers are told apart
LEVEL = 0.95
CELLS_AT_ONCE = 64
MANY_CLASSES = 32  # from here on, work that does not grow with the classes is faster


def resampling_weights(n: int, seed: int, n_resamples: int = RESAMPLES) -> np.ndarray:
    """Return how often each of n examples is in each resample, float32 of shape (R, n)."""
    rng = np.random.default_rng((seed, n))
    return rng.multinomial(n, np.full(n, 1 / n), size=n_resamples).astype(np.float32)


def stratified_folds(labels: np.ndarray, n_folds: int, seed: int) -> np.ndarray:
    """Return each row's fold, 0 to `n_folds` - 1, the rows of each class spread over the folds.

    Unlike scikit-learn's ``StratifiedKFold`` it takes classes of fewer rows than folds without a
    warning, which could not be held back safely beside other threads.
    """
    rng = np.random.default_rng(seed)
    folds = np.empty(len(labels), dtype=int)
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        folds[rows] = (np.arange(len(rows)) + rng.integers(n_folds)) % n_folds
    return folds


def macro_f1(
    true: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the macro-F1 of K predictions, under R weightings of the examples if given.

    The mean is over the classes that `true` holds (in a resample: those that were drawn), as
    ``sklearn.metrics.f1_score(..., average="macro", labels=np.unique(true), zero_division=0)``.

    Parameters
    ----------
    true : ndarray of shape (n,)
        Class indices.
    predicted : ndarray of shape (K, n)
        Class indices.
    weights : ndarray of shape (R, n), optional

    Returns
    -------
    ndarray of shape (K,), or (R, K) with weights; float64
    """
    given = np.ones((1, len(true)), dtype=np.float32) if weights is None else weights
    total, n_drawn = np.zeros((len(given), len(predicted))), np.zeros((len(given), 1))
    if len(np.unique(true)) > MANY_CLASSES:
        for column, f1, drawn in _f1_of_each_prediction(true, predicted, given):
            total[:, column] = np.where(drawn, f1, 0.0).sum(axis=0)
            n_drawn = drawn.sum(axis=0)[:, None]
    else:
        for f1, drawn in _f1_of_each_class(true, predicted, given):
            total += np.where(drawn, f1, 0.0)
            n_drawn += drawn
    with np.errstate(invalid="ignore"):
        mean = total / n_drawn
    return mean[0] if weights is None else mean


def class_f1(true: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """Return the F1 of each class that `true` holds, in class order.

    Parameters
    ----------
    true : ndarray of shape (n,)
    predicted : ndarray of shape (K, n)

    Returns
    -------
    ndarray of shape (K, C), float64
    """
    alike = np.ones((1, len(true)), dtype=np.float32)
    return np.stack([f1[0] for f1, _ in _f1_of_each_class(true, predicted, alike)], axis=1)


def _f1_of_each_class(
    true: np.ndarray, predicted: np.ndarray, weights: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield, class by class, its F1 of shape (R, K) and whether it was drawn, (R, 1)."""
    for label in np.unique(true):
        is_class = true == label  # (n,)
        n_true = (weights @ is_class.astype(np.float32))[:, None]  # (R, 1)
        hit_parts, claim_parts = [], []
        for start in range(0, len(predicted), CELLS_AT_ONCE):
            claimed = (predicted[start : start + CELLS_AT_ONCE] == label).astype(np.float32).T
            claim_parts.append(weights @ claimed)  # (R, k)
            hit_parts.append(weights[:, is_class] @ claimed[is_class])
        hits, claims = (np.concatenate(parts, axis=1) for parts in (hit_parts, claim_parts))
        # 2 tp / (2 tp + fp + fn); in float64, so that equal scores come out equal.
        yield 2 * hits.astype(np.float64) / np.maximum(n_true + claims, 1.0), n_true > 0


def _f1_of_each_prediction(
    true: np.ndarray, predicted: np.ndarray, weights: np.ndarray
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Yield, prediction by prediction, its index, F1 and whether a class was drawn, (C, R) each.

    The same numbers as `_f1_of_each_class`. An example is of one class and is claimed for one, so
    that its weights are added once, however many classes there are.
    """
    classes, codes = np.unique(true, return_inverse=True)
    drawn_weights = np.ascontiguousarray(weights.T)  # (n, R)

    def sums(of_rows: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Return the weights of some rows, added up by class, (C, R)."""
        ones = np.ones(len(rows), dtype=np.float32)
        from scipy.sparse import csr_array

        members = csr_array((ones, (of_rows, rows)), shape=(len(classes), len(true)))
        return members @ drawn_weights

    everything = np.arange(len(true))
    n_true = sums(codes, everything)
    for column, claimed in enumerate(predicted):
        places = np.searchsorted(classes, claimed).clip(max=len(classes) - 1)
        is_known = classes[places] == claimed
        claims = sums(places[is_known], everything[is_known])
        is_right = claimed == true
        hits = sums(codes[is_right], everything[is_right])
        yield column, 2 * hits.astype(np.float64) / np.maximum(n_true + claims, 1.0), n_true > 0


def accuracy(
    true: np.ndarray, predicted: np.ndarray, weights: np.ndarray | None = None
) -> np.ndarray:
    """Return the share of right predictions; arguments and shapes as in :func:`macro_f1`."""
    right = (predicted == true).astype(np.float32)  # (K, n)
    if weights is None:
        return right.mean(axis=1, dtype=np.float64)
    return (weights @ right.T / len(true)).astype(np.float64)


def interval(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the percentile interval of bootstrap draws (R, ...): low and high of shape (...)."""
    tail = (1 - LEVEL) / 2
    low, high = np.nanquantile(draws, [tail, 1 - tail], axis=0)
    return low, high


def smoothed_score(true: np.ndarray, predicted: np.ndarray) -> tuple[float, float]:
    """Return a macro-F1 with a few successes and failures added, and its standard deviation.

    The bootstrap of a classifier that is right about all n examples has no deviation at all. The F1
    of a class follows from the share J of examples that are of the class and claimed for it, among
    those that are either: F1 = 2 J / (1 + J). J is a binomial share, which is taken, and so is its
    variance, with two successes and two failures added (Agresti & Coull, 1998).

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Class indices.
    """
    total, variance, classes = 0.0, 0.0, np.unique(true)
    for label in classes:
        both = int(((true == label) & (predicted == label)).sum())
        either = int(((true == label) | (predicted == label)).sum())
        share = (both + 2) / (either + 4)
        total += 2 * share / (1 + share)
        variance += (2 / (1 + share) ** 2) ** 2 * share * (1 - share) / (either + 4)
    return total / len(classes), float(np.sqrt(variance)) / len(classes)


def paired_difference(
    true: np.ndarray, one: np.ndarray, other: np.ndarray, seed: int
) -> tuple[float, float, float]:
    """Return macro-F1 of `one` minus that of `other`, with its 95 % paired bootstrap interval.

    Parameters
    ----------
    true, one, other : ndarray of shape (n,)
        Class indices: true ones, and two predictions for the same examples.
    seed : int
        Of the resamples.
    """
    both = np.stack([one, other])
    draws = macro_f1(true, both, resampling_weights(len(true), seed))
    low, high = interval(draws[:, 0] - draws[:, 1])
    first, second = macro_f1(true, both)
    return float(first - second), float(low), float(high)


def p_of_chance(true: np.ndarray, predicted: np.ndarray, best: float, seed: int) -> float:
    """Return how often the best of K cells would score `best` or more under shuffled labels.

    A max-statistic permutation test (Nichols & Holmes, 2002): the labels of the scored examples are
    shuffled, and the highest of all cells counts. It holds its level however many cells are
    searched and however they resemble each other.

    Parameters
    ----------
    true : ndarray of shape (n,)
        Class indices of the scored examples.
    predicted : ndarray of shape (K, n)
        Each cell's predictions for them.
    best : float
        The highest macro-F1 of them.
    seed : int
        Of the permutations.
    """
    rng = np.random.default_rng((seed, 1))
    orders = np.stack([rng.permutation(len(true)) for _ in range(PERMUTATIONS)])  # (B, n)
    classes, counts = np.unique(true, return_counts=True)
    total = np.zeros((PERMUTATIONS, len(predicted)))
    if len(classes) > MANY_CLASSES:
        # An example counts for the one class that it is claimed for, if it is of it.
        shuffled = np.searchsorted(classes, true)[orders]  # (B, n)
        for column, claimed in enumerate(predicted):
            places = np.searchsorted(classes, claimed).clip(max=len(classes) - 1)
            places = np.where(classes[places] == claimed, places, -1)
            n_claimed = np.bincount(places[places >= 0], minlength=len(classes))
            worth = np.append(2 / (counts + n_claimed), 0.0)  # of none: the last
            total[:, column] = (shuffled == places) @ worth[places]
        most = (total / len(classes)).max(axis=1)
        return float((1 + (most >= best - 1e-9).sum()) / (1 + PERMUTATIONS))
    for label, count in zip(classes, counts, strict=True):
        is_class = (true == label)[orders].astype(np.float32)  # (B, n)
        for start in range(0, len(predicted), CELLS_AT_ONCE):
            claimed = (predicted[start : start + CELLS_AT_ONCE] == label).astype(np.float32)
            # In float64 from here, as the observed scores are: equal scores must count as equal.
            hits = (is_class @ claimed.T).astype(np.float64)
            total[:, start : start + CELLS_AT_ONCE] += 2 * hits / (count + claimed.sum(axis=1))
    most = (total / len(classes)).max(axis=1)  # (B,)
    return float((1 + (most >= best - 1e-9).sum()) / (1 + PERMUTATIONS))


def few_examples(n: int, fewest: int) -> bool:
    """Return whether val has too few examples, or too few of a class, to tell layers apart."""
    return n < FEW_EXAMPLES or fewest < FEW_IN_CLASS


def few_different_texts(n_texts: int, n: int) -> bool:
    """Return whether n val examples repeat so few texts that they are too few to tell layers apart.

    0 texts are some that were not counted.
    """
    return 0 < n_texts < FEW_EXAMPLES and few_texts(n_texts, n, FEW_EXAMPLES)
