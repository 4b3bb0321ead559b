"""Whether classifiers do worse in some slices of the examples than outside of them.

Many slices are looked at, by several classifiers, and what stands out was picked from all of that:
intervals and claims hold for all slices and all classifiers at once.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from layerviz.separability.resampling import LEVEL
from layerviz.separability.simultaneous import TWO_SIDED

LEAST_IN_SLICE = 20  # examples inside, and as many outside, that a slice is looked at with
SHUFFLES = 2000
SHUFFLES_AT_ONCE = 250
ROUNDING = 1e-9


@dataclass(frozen=True)
class Comparable:
    """Slices of n examples as far as what is inside can be compared with what is outside.

    Parameters
    ----------
    inside : ndarray of shape (n, S), float64
        Weights that take 0s and 1s to their mean inside of each slice.
    outside : ndarray of shape (n, S), float64
        The same outside, each class counting for what it counts for inside.
    n_inside : ndarray of shape (S,), int
        Examples inside, of classes that are outside as well.
    n_outside : ndarray of shape (S,), float64
        Examples outside, fewer where some of them count more than others: 1 / sum of squares of
        their weights (Kish, 1965).
    """

    inside: np.ndarray
    outside: np.ndarray
    n_inside: np.ndarray
    n_outside: np.ndarray


@dataclass(frozen=True)
class SliceScores:
    """How J classifiers do in S slices, and by how much worse than outside of them.

    Parameters
    ----------
    inside, outside : ndarray of shape (J, S)
        Shares of right predictions; outside, the classes are mixed as they are inside.
    difference, low, high : ndarray of shape (J, S)
        Inside minus outside, with intervals that hold all of them at once with 95 % confidence.
    n_inside, n_outside : ndarray of shape (S,)
        As in `Comparable`.
    critical : float
        What the intervals reach to either side, in standard deviations.
    """

    inside: np.ndarray
    outside: np.ndarray
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray
    n_inside: np.ndarray
    n_outside: np.ndarray
    critical: float

    @property
    def is_worse(self) -> np.ndarray:
        """Whether a classifier certainly does worse inside, (J, S)."""
        return self.high < 0


def comparable(members: np.ndarray, labels: np.ndarray) -> Comparable:
    """Return the weights by which slices are compared with what is outside of them.

    A slice may hold more of the hard classes. What is outside is therefore weighted so that its
    classes are mixed as they are inside (direct standardisation; Miettinen, 1972); a class that is
    on one side alone is left out.

    Parameters
    ----------
    members : ndarray of shape (S, n), bool
        Which examples are in each slice.
    labels : ndarray of shape (n,)
        Class indices.
    """
    classes, of_example = np.unique(labels, return_inverse=True)
    is_class = np.eye(len(classes))[of_example]  # (n, C)
    inner = members @ is_class  # (S, C): examples of each class inside
    outer = is_class.sum(axis=0) - inner
    shared = (inner > 0) & (outer > 0)
    n_inside = np.where(shared, inner, 0.0).sum(axis=1)  # (S,)
    total = np.maximum(n_inside, 1.0)[:, None]
    per_inner = np.where(shared, 1.0, 0.0) / total
    per_outer = np.where(shared, inner, 0.0) / (np.maximum(outer, 1.0) * total)
    squares = (per_outer**2 * outer).sum(axis=1)
    return Comparable(
        inside=(per_inner[:, of_example] * members).T,
        outside=(per_outer[:, of_example] * ~members).T,
        n_inside=n_inside.astype(int),
        n_outside=np.divide(1.0, squares, out=np.zeros_like(squares), where=squares > 0),
    )


def compare_slices(
    right: np.ndarray, labels: np.ndarray, members: np.ndarray, seed: int
) -> SliceScores:
    """Compare what J classifiers get right inside of S slices with what they do outside.

    - *Width*: the standard deviation of a difference of two shares, one success and one failure
      added to each side (Agresti & Caffo, 2000), but at least that of the score test of two equal
      shares: a slice of twenty examples without a mistake is no certain one.
    - *All at once*: the critical value is that of the largest studentised difference of all slices
      and classifiers (max-T; Westfall & Young, 1993) when outcomes are shuffled among the examples
      of each class, those of all classifiers together. Shuffled so, no slice is worse than what is
      outside, and every confusion matrix, and with it the choice of a layer by val, stays as it
      is. That nothing is worse while something is called so therefore happens in 5 % of cases at
      most, exactly, however few mistakes there are and however the slices overlap; where some
      slices are worse, it holds for the others about so, as differences are studentised (Chung &
      Romano, 2013).

    Parameters
    ----------
    right : ndarray of shape (J, n), bool
        Whether each classifier is right about each example.
    labels : ndarray of shape (n,)
        Class indices.
    members : ndarray of shape (S, n), bool
        Of slices that can be compared: see :func:`can_be_compared`.
    seed : int
        Of the shuffles.
    """
    weights = comparable(members, labels)
    inside, outside = _means(right.astype(float), weights)
    difference = inside - outside
    deviation = _deviation(inside, outside, weights)
    most = _largest_of_shuffled(right, labels, weights, seed)
    rank = math.ceil(LEVEL * (len(most) + 1)) - 1
    critical = max(float(np.sort(most)[rank]), TWO_SIDED) + ROUNDING
    margin = critical * deviation
    return SliceScores(
        inside=inside,
        outside=outside,
        difference=difference,
        low=np.maximum(difference - margin, -1.0),
        high=np.minimum(difference + margin, 1.0),
        n_inside=weights.n_inside,
        n_outside=weights.n_outside,
        critical=critical,
    )


def can_be_compared(members: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return which slices hold enough examples, and leave enough outside, of the same classes.

    Parameters
    ----------
    members : ndarray of shape (S, n), bool
    labels : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (S,), bool
    """
    weights = comparable(members, labels)
    return (weights.n_inside >= LEAST_IN_SLICE) & (weights.n_outside >= LEAST_IN_SLICE)


def _means(right: np.ndarray, weights: Comparable) -> tuple[np.ndarray, np.ndarray]:
    """Return shares inside and outside, (..., S), of outcomes (..., n)."""
    return right @ weights.inside, right @ weights.outside


def _deviation(inside: np.ndarray, outside: np.ndarray, weights: Comparable) -> np.ndarray:
    """Return standard deviations of differences of shares; shapes (..., S).

    The larger one of two: that of two shares of their own, and that of two equal ones. In a small
    slice without a mistake, the first is far too small.
    """
    n_inside, n_outside = weights.n_inside, weights.n_outside
    own = _variance(inside, n_inside) + _variance(outside, n_outside)
    pooled = (inside * n_inside + outside * n_outside) / (n_inside + n_outside)
    equal = pooled * (1 - pooled) * (1 / n_inside + 1 / n_outside)
    return np.sqrt(np.maximum(own, equal))


def _variance(share: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Return the variance of a share of n, with one success and one failure added."""
    near = (share * n + 1) / (n + 2)
    return near * (1 - near) / (n + 2)


def _largest_of_shuffled(
    right: np.ndarray, labels: np.ndarray, weights: Comparable, seed: int
) -> np.ndarray:
    """Return the largest studentised difference of each shuffle, (SHUFFLES,)."""
    rng = np.random.default_rng((seed, len(labels)))
    rows_of_classes = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    largest = np.empty(SHUFFLES)
    order = np.empty((SHUFFLES_AT_ONCE, len(labels)), dtype=np.intp)
    for start in range(0, SHUFFLES, SHUFFLES_AT_ONCE):
        for rows in rows_of_classes:
            order[:, rows] = rng.permuted(np.tile(rows, (SHUFFLES_AT_ONCE, 1)), axis=1)
        most = np.zeros(SHUFFLES_AT_ONCE)
        for outcomes in right:
            inside, outside = _means(outcomes[order].astype(float), weights)
            studentised = np.abs(inside - outside) / _deviation(inside, outside, weights)
            most = np.maximum(most, studentised.max(axis=1))
        largest[start : start + SHUFFLES_AT_ONCE] = most
    return largest
