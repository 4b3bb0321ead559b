"""What holds of many cells at once: intervals, a set that holds the best, what is not worse.

Everything here comes from scores of K cells on the same examples and their bootstrap draws on the
same resamples, so that any two cells are compared in pairs. The critical values are those of the
largest studentised deviation (max-T; Westfall & Young, 1993).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from layerviz.separability.resampling import LEVEL

POWER = 0.8  # with which a difference is to be found, where a number of examples is named
NO_DEVIATION = 1e-9  # below this, two cells have made the same predictions
MOST_STEPS = 4  # of a step-down; what a fifth would add is nothing that counts
TWO_SIDED = float(ndtri((1 + LEVEL) / 2))
# In deviations: what no other leads by more stays untested, and what another leads by more than
# Bonferroni's bound, with some room for tails that are not normal, is out untested.
SURE, BEYOND = 1.4, 1.25
MANY, FEWER_DRAWS = 500, 500  # cells from which on fewer draws do: the work grows with K squared
LEAST_LEAD_DEVIATION = 1e-5  # below it, in float32, two cells have made the same predictions


@dataclass(frozen=True)
class Intervals:
    """Differences with intervals that hold all of them at once.

    Parameters
    ----------
    value, low, high : ndarray of shape (K,)
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def simultaneous_interval(
    differences: np.ndarray,
    draws: np.ndarray,
    *,
    least_deviation: np.ndarray | float = 0.0,
    one_sided: bool = False,
) -> Intervals:
    """Return intervals that hold all K differences at once with 95 % confidence.

    Parameters
    ----------
    differences : ndarray of shape (K,)
    draws : ndarray of shape (R, K)
        Their bootstrap draws.
    least_deviation : ndarray of shape (K,) or float
        Standard deviations that no interval may fall below; see `paired_deviation`. Without them,
        a difference that never varies has an interval without width.
    one_sided : bool
        Whether only the lower ends are going to be used: they are closer then, and ``high`` is
        infinite.
    """
    noise = draws - differences  # (R, K)
    deviation = noise.std(axis=0)
    varies = deviation > NO_DEVIATION
    width = np.maximum(deviation, least_deviation)
    if not varies.any():
        critical = ndtri(LEVEL if one_sided else (1 + LEVEL) / 2)
    else:
        studentised = noise[:, varies] / deviation[varies]
        most = studentised.max(axis=1) if one_sided else np.abs(studentised).max(axis=1)
        critical = np.quantile(most, LEVEL)
    margin = critical * width
    high = np.full_like(differences, np.inf) if one_sided else differences + margin
    return Intervals(differences, differences - margin, high)


def confidence_set(scores: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return which of K cells may be the best one: a set that holds it with 95 % confidence.

    Multiple comparisons with the best (Hsu, 1981): a candidate is out when any other one leads it
    by more than chance allows the largest of all its leads, one-sided. Those that are out are then
    left out of the family, and the rest is compared again (step-down, as the model confidence set
    does; Hansen, Lunde & Nason, 2011).

    Parameters
    ----------
    scores : ndarray of shape (K,)
    draws : ndarray of shape (R, K)

    Returns
    -------
    ndarray of shape (K,), bool
        The cell with the highest score is always in it. Where it is the only one, all others are
        behind at once (:func:`certainly_behind`).
    """
    noise, deviation = _noise_of_leads(scores, draws)
    inside = np.ones(len(scores), dtype=bool)
    for _ in range(MOST_STEPS):
        family = np.flatnonzero(inside)
        out = [
            one
            for one in family.tolist()
            if _is_behind(scores[family] - scores[one], noise, deviation[one, family], one, family)
        ]
        if not out:
            break
        inside[out] = False
    return ~certainly_behind(scores, draws) if inside.sum() == 1 else inside


def certainly_behind(scores: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Return which of K cells are not the best one, all of them at once with 95 % confidence.

    A set that holds the best one may lack another that is as good: of each single cell that it
    lacks, only its own error is known. Here the largest lead of any cell over any other one decides
    (Tukey's all-pairs comparisons, stepped down; the range statistic of Hansen, Lunde & Nason,
    2011), so that no cell that is as good as the best is returned in 95 % of all cases.

    Parameters
    ----------
    scores : ndarray of shape (K,)
    draws : ndarray of shape (R, K)

    Returns
    -------
    ndarray of shape (K,), bool
    """
    noise, deviation = _noise_of_leads(scores, draws)
    varies = deviation > LEAST_LEAD_DEVIATION
    inverse = np.divide(1, deviation, out=np.zeros_like(deviation), where=varies)
    leads = (scores[None] - scores[:, None]) * inverse  # of each column over each row
    inside = np.ones(len(scores), dtype=bool)
    for _ in range(MOST_STEPS):
        family = np.flatnonzero(inside)
        most = np.zeros(len(noise), dtype=np.float32)
        for one in family:
            over = (noise[:, family] - noise[:, [one]]) * inverse[one, family]
            most = np.maximum(most, over.max(axis=1))
        out = family[leads[np.ix_(family, family)].max(axis=1) > np.quantile(most, LEVEL)]
        if not len(out):
            break
        inside[out] = False
    return ~inside


def _noise_of_leads(scores: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the noise of the cells' scores, (R, K), and the deviations of their leads, (K, K)."""
    noise = (draws if len(scores) < MANY else draws[:FEWER_DRAWS]) - scores
    noise = (noise - noise.mean(axis=0)).astype(np.float32)
    covariance = noise.T @ noise / len(noise)
    variance = np.diag(covariance)
    return noise, np.sqrt(np.maximum(variance[:, None] + variance[None] - 2 * covariance, 0.0))


def _is_behind(
    leads: np.ndarray, noise: np.ndarray, deviation: np.ndarray, candidate: int, family: np.ndarray
) -> bool:
    """Return whether any member of the family is clearly ahead of the candidate."""
    varies = deviation > LEAST_LEAD_DEVIATION
    if not varies.any():
        return False
    most = (leads[varies] / deviation[varies]).max()
    if most < SURE:
        return False
    if most > BEYOND * -ndtri((1 - LEVEL) / len(family)):
        return True
    of_leads = (noise[:, family[varies]] - noise[:, [candidate]]) / deviation[varies]
    return bool(most > np.quantile(of_leads.max(axis=1), LEVEL))


def lead_over_all(
    scores: np.ndarray, draws: np.ndarray, cell: int, rivals: np.ndarray, searched: np.ndarray
) -> Intervals:
    """Return by how much a cell that was picked among `searched` leads each of its rivals.

    The lower ends hold whichever cell is picked: for each rival, the critical value is that of the
    largest lead over it of all that were searched (Dunnett, 1955). That the cell beats the best of
    the rivals is certain where it beats every one of them.

    Parameters
    ----------
    scores : ndarray of shape (K,)
    draws : ndarray of shape (R, K)
    cell : int
    rivals, searched : ndarray of int
        Indices.
    """
    noise = draws - scores
    value = scores[cell] - scores[rivals]
    margin = np.empty(len(rivals))
    for row, rival in enumerate(rivals):
        leads = noise[:, searched] - noise[:, [rival]]
        deviation = leads.std(axis=0)
        varies = deviation > NO_DEVIATION
        own = float((noise[:, cell] - noise[:, rival]).std())
        if not varies.any() or own <= NO_DEVIATION:
            margin[row] = 0.0
            continue
        most = np.abs(leads[:, varies] / deviation[varies]).max(axis=1)
        margin[row] = np.quantile(most, LEVEL) * own
    return Intervals(value, value - margin, value + margin)


def not_worse(
    differences: np.ndarray,
    draws: np.ndarray,
    margin: float,
    *,
    least_deviation: np.ndarray | float,
) -> np.ndarray:
    """Return for which of K differences a loss of `margin` or more is excluded, all at once.

    A step-down test of non-inferiority (Romano & Wolf, 2005): the error rate over all K is 5 %.

    Parameters
    ----------
    differences : ndarray of shape (K,)
        Negative for a loss.
    draws : ndarray of shape (R, K)
    margin : float
        Positive.
    least_deviation : ndarray of shape (K,) or float
        As in :func:`simultaneous_interval`.

    Returns
    -------
    ndarray of shape (K,), bool
    """
    accepted = np.zeros(len(differences), dtype=bool)
    floor = np.broadcast_to(least_deviation, differences.shape)
    while not accepted.all():
        rest = ~accepted
        bounds = simultaneous_interval(
            differences[rest], draws[:, rest], least_deviation=floor[rest], one_sided=True
        )
        more = np.flatnonzero(rest)[bounds.low > -margin]
        if not len(more):
            break
        accepted[more] = True
    return accepted


def paired_deviation(right: np.ndarray, reference: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return standard deviations of paired differences that no sample may fall below.

    Two classifiers that agree on all n examples at hand may differ on others: a bootstrap cannot
    see that. This is Agresti & Min's (2005) for the difference of paired shares, half an example
    added to each of its four cells, in each class, and the mean taken over the classes.

    Parameters
    ----------
    right : ndarray of shape (K, n), bool
        Whether each of K classifiers is right about each example.
    reference : ndarray of shape (n,), bool
        The same of the one that they are compared with.
    labels : ndarray of shape (n,)

    Returns
    -------
    ndarray of shape (K,), float64
    """
    classes = np.unique(labels)
    variance = np.zeros(len(right))
    for label in classes:
        of_class = labels == label
        n = int(of_class.sum()) + 2
        gained = (right[:, of_class] & ~reference[of_class]).sum(axis=1)
        lost = (~right[:, of_class] & reference[of_class]).sum(axis=1)
        variance += (gained + lost + 1 - (gained - lost) ** 2 / n) / n**2
    return np.sqrt(variance) / len(classes)


def examples_needed(difference: float, deviation: float, n: int, *, n_compared: int = 1) -> int:
    """Return about how many examples would tell a difference from 0, four times out of five.

    From the deviation on n examples, which falls with the square root of their number. The level
    is shared among `n_compared` comparisons (Bonferroni).

    Parameters
    ----------
    difference : float
        Positive.
    deviation : float
        The standard deviation of its estimate on `n` examples.
    n, n_compared : int
    """
    sure = -ndtri((1 - LEVEL) / max(n_compared, 1)) + ndtri(POWER)
    return rounded_up(n * (sure * deviation / difference) ** 2)


def rounded_up(number: float) -> int:
    """Return a number of examples rounded up to two digits: 1,234 to 1,300."""
    unit = 10 ** max(len(str(int(number))) - 2, 0)
    return int(np.ceil(number / unit) * unit)


def mean_draws(draws: np.ndarray, groups: Sequence[np.ndarray]) -> np.ndarray:
    """Return draws (R, G) of the means over G groups of cells; `draws` are theirs, (R, K)."""
    return np.stack([draws[:, group].mean(axis=1) for group in groups], axis=1)
