"""The pair of classes that a classifier confuses most, and whether it stands out from the others.

The most confused of many pairs was picked by its count of mistakes: its interval and the claim that
it stands out hold for all pairs that were looked through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import betainccinv, betaincinv

from layerviz.separability.resampling import LEVEL


@dataclass(frozen=True)
class ConfusedPair:
    """How often one class is taken for another, where that happens most.

    Parameters
    ----------
    label, predicted : str
        The class, and what it is taken for.
    share, low, high : float
        Of the examples of `label`; the interval holds for all pairs at once.
    n_label : int
        Examples of `label`.
    n_rivals : int
        Other pairs that may be the most confused one, as far as these examples can tell.
    """

    label: str
    predicted: str
    share: float
    low: float
    high: float
    n_label: int
    n_rivals: int

    @property
    def stands_out(self) -> bool:
        """Whether it certainly is the most confused pair."""
        return self.n_rivals == 0


def most_confused(
    true: np.ndarray, predicted: np.ndarray, label_names: Sequence[str]
) -> ConfusedPair | None:
    """Return the most confused ordered pair of classes; None where nothing is confused.

    That is the pair whose share has the highest lower end: of a class with two examples, half may
    be wrong by chance. Intervals are exact (Clopper & Pearson, 1934), the level being shared among
    all pairs (Bonferroni). Another pair is out of the question where its share is certainly
    smaller: the difference has the interval that follows from those of its two shares (MOVER; Zou &
    Donner, 2008), one-sided, the level being shared among the others (multiple comparisons with the
    best, Hsu 1981). Shares of one class exclude each other, which widens their difference.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Class indices.
    label_names : sequence of str
    """
    rows, columns, wrong, of_label = _ordered_pairs(true, predicted, len(label_names))
    if not wrong.any():
        return None
    n_pairs = len(wrong)
    low, high = _share_interval(wrong, of_label, (1 - LEVEL) / n_pairs)
    share = wrong / of_label
    first = int(np.lexsort((share, low))[-1])
    level = 2 * (1 - LEVEL) / max(n_pairs - 1, 1)  # one-sided
    one_low, one_high = _share_interval(wrong, of_label, level)
    below, above = share[first] - one_low[first], one_high - share
    alike = np.where(rows == rows[first], _correlation(share[first], share), 0.0)
    reach = np.sqrt(np.maximum(below**2 + above**2 - 2 * alike * below * above, 0.0))
    is_rival = share[first] - share - reach <= 0
    is_rival[first] = False
    return ConfusedPair(
        label=label_names[rows[first]],
        predicted=label_names[columns[first]],
        share=float(share[first]),
        low=float(low[first]),
        high=float(high[first]),
        n_label=int(of_label[first]),
        n_rivals=int(is_rival.sum()),
    )


def mistaken_pairs(
    true: np.ndarray, predicted: np.ndarray, label_names: Sequence[str]
) -> pd.DataFrame:
    """Return all ordered pairs of classes that are confused, as `most_confused` ranks them.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Class indices.
    label_names : sequence of str

    Returns
    -------
    DataFrame
        One row per pair, its first one that of `most_confused`: ``label`` and ``predicted``
        (names), ``n`` (examples), ``n_label`` (of the label), ``share`` (of the label's) and
        ``least``, the lower end of its interval, which holds for all pairs at once.
    """
    rows, columns, wrong, of_label = _ordered_pairs(true, predicted, len(label_names))
    least, _ = _share_interval(wrong, of_label, (1 - LEVEL) / max(len(wrong), 1))
    share = wrong / of_label
    order = np.lexsort((share, least))[::-1]
    order = order[wrong[order] > 0]
    names = np.asarray(label_names, dtype=object)
    return pd.DataFrame(
        {
            "label": names[rows[order]],
            "predicted": names[columns[order]],
            "n": wrong[order],
            "n_label": of_label[order],
            "share": share[order],
            "least": least[order],
        }
    )


def _ordered_pairs(
    true: np.ndarray, predicted: np.ndarray, n_classes: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return label, prediction, mistakes and examples of the label, of each pair there may be."""
    counts = np.zeros((n_classes, n_classes), dtype=int)
    np.add.at(counts, (true, predicted), 1)
    sizes = counts.sum(axis=1)
    rows, columns = np.nonzero(~np.eye(n_classes, dtype=bool) & (sizes > 0)[:, None])
    return rows, columns, counts[rows, columns], sizes[rows]


def _share_interval(
    successes: np.ndarray, n: np.ndarray, error: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return exact intervals of shares (Clopper & Pearson, 1934), which err in `error` of cases."""
    pairs, at = np.unique(np.stack([successes, n], axis=1), axis=0, return_inverse=True)
    some, of = pairs.T.astype(float)
    low = np.where(some > 0, betaincinv(np.maximum(some, 1), of - some + 1, error / 2), 0.0)
    high = np.where(some < of, betainccinv(some + 1, np.maximum(of - some, 1), error / 2), 1.0)
    return low[at], high[at]


def _correlation(one: float, others: np.ndarray) -> np.ndarray:
    """Return how shares of the same examples vary together: one excludes the other."""
    odds = one * others / np.maximum((1 - one) * (1 - others), 1e-12)
    return -np.sqrt(np.minimum(odds, 1.0))
