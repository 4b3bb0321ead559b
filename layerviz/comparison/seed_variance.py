"""What another training seed changes, estimated from the few seeds that there are.

Two or three seeds cannot be resampled: their variance is estimated from all contenders together,
and the doubt that is left in so few is Student's. This is the analysis of studies in which several
readers read the same cases (Obuchowski & Rockette, 1995): the seeds are the readers, the val
examples the cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

from layerviz import separability
from layerviz.comparison.contender_scores import SEED, ContenderScores

TWO_SIDED = float(norm.ppf((1 + separability.LEVEL) / 2))
LEAST_VARIANCE = 1e-12


@dataclass(frozen=True)
class SeedVariance:
    """The variance of macro-F1 between runs that differ in their seed alone.

    Parameters
    ----------
    observed : float
        On the same val examples, pooled over the contenders.
    of_seeds : float
        What is left of it without the chance that two runs are wrong about different examples,
        which the bootstrap over examples counts already.
    degrees : int
        Its degrees of freedom, sum of (seeds - 1); 0 where each contender has one seed, and nothing
        is known of the others.
    """

    observed: float
    of_seeds: float
    degrees: int

    @property
    def is_known(self) -> bool:
        return self.degrees > 0

    @property
    def observed_deviation(self) -> float:
        return float(np.sqrt(self.observed))

    def tail_ratio(self, critical: float) -> float:
        """Return Student's quantile at the normal distribution's tail of `critical`, over it."""
        if not self.is_known:
            return 1.0
        return float(t.isf(norm.sf(critical), self.degrees)) / critical

    def of_mean(self, n_seeds: int) -> float:
        """Return the variance that the seeds give to a mean over `n_seeds` of them."""
        return self.of_seeds / n_seeds

    def widening(
        self, variance: np.ndarray, shares: float, critical: float = TWO_SIDED
    ) -> np.ndarray:
        """Return by what to widen an interval, as the variance of seeds is itself an estimate.

        For the part of the variance that comes from seeds, Student's t takes the place of the
        normal distribution: the critical value is the mean of both, weighted by the two parts
        (Cochran, 1964). Degrees of freedom by Satterthwaite (1946) would do for ten seeds; with two
        or three of each, they let 5.3 to 7.2 % of equal encoders through where this lets 1.6 to
        4.5 %.

        Parameters
        ----------
        variance : ndarray of shape (K,)
            Of the estimates, examples and seeds together.
        shares : float
            What the variance of seeds is multiplied by in them: 1 / S for a mean over S seeds,
            added up for a difference of two.
        critical : float
            How many deviations the interval reaches: the further, the more the tails differ.
        """
        if self.observed <= 0 or not self.is_known:
            return np.ones(np.shape(variance))
        share = np.minimum(self.observed * shares / np.maximum(variance, LEAST_VARIANCE), 1.0)
        return 1.0 + share * (self.tail_ratio(critical) - 1.0)

    def noise(self, n_seeds: Sequence[int], n_resamples: int) -> np.ndarray:
        """Return draws of what other seeds would add to each contender's mean, (R, C)."""
        rng = np.random.default_rng((SEED, len(n_seeds), 2))
        draws = rng.standard_normal((n_resamples, len(n_seeds)))
        draws = (draws - draws.mean(axis=0)) / draws.std(axis=0)
        return draws * np.sqrt([self.of_mean(n) for n in n_seeds])

    def interval(
        self, values: np.ndarray, draws: np.ndarray, n_seeds: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return 95 % intervals of means over `n_seeds` seeds: ends of shape (K,).

        Where nothing is known of other seeds, they cover the examples alone.

        Parameters
        ----------
        values : ndarray of shape (K,)
        draws : ndarray of shape (R, K)
            Bootstrap draws over the examples.
        n_seeds : int
        """
        low, high = separability.interval(draws)
        if not self.is_known:
            return low, high
        variance = draws.var(axis=0) + self.of_mean(n_seeds)
        margin = TWO_SIDED * self.widening(variance, 1 / n_seeds) * np.sqrt(variance)
        return np.clip(values - margin, 0, 1), np.clip(values + margin, 0, 1)


def pooled_seed_variance(contenders: Sequence[ContenderScores]) -> SeedVariance:
    """Estimate the variance between seeds from the best cells of all contenders."""
    observed = between_examples = 0.0
    degrees = 0
    for contender in contenders:
        n_seeds = len(contender.seeds)
        if n_seeds < 2:
            continue
        observed += (n_seeds - 1) * float(contender.by_seed.var(ddof=1))
        covariance = np.cov(contender.draws_by_seed, rowvar=False)  # (S, S)
        own = float(np.trace(covariance)) / n_seeds
        shared = (float(covariance.sum()) - own * n_seeds) / (n_seeds * (n_seeds - 1))
        between_examples += (n_seeds - 1) * (own - shared)
        degrees += n_seeds - 1
    if not degrees:
        return SeedVariance(0.0, 0.0, 0)
    observed, between_examples = observed / degrees, between_examples / degrees
    return SeedVariance(observed, max(observed - between_examples, 0.0), degrees)
