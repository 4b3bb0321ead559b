"""What the first of several contenders leads the others by, and how sure that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, permutations

import numpy as np
from scipy.stats import norm

from layerviz import separability
from layerviz.comparison.contender_scores import ContenderScores
from layerviz.comparison.seed_variance import SeedVariance
from layerviz.separability import GAP_TO_TELL, LEVEL, Difference

NO_SPREAD = 1e-9  # of draws: below, two contenders have made the same predictions


@dataclass(frozen=True)
class Leads:
    """How contenders stand to the first of them.

    Parameters
    ----------
    first : int
        The index of the contender whose corrected score is highest.
    reach : float
        How many deviations the scores' own intervals reach, so that they hold for all contenders at
        once, and so for the first of them, which is the first by its luck, too.
    over : tuple of Difference or None
        Corrected macro-F1 of the first minus that of each; None for itself.
    beaten_by : tuple of tuple of int
        For each, the first one's layers, at its best epoch and pooling, that certainly beat it.
    examples_to_tell : int
        About how many val examples would tell two contenders apart that differ by `GAP_TO_TELL`,
        if their seeds did not vary.
    seeds_weigh_more : bool
        Whether seeds widen the intervals by more than examples do.
    """

    first: int
    reach: float
    over: tuple[Difference | None, ...]
    beaten_by: tuple[tuple[int, ...], ...]
    examples_to_tell: int
    seeds_weigh_more: bool


def leads_between(contenders: Sequence[ContenderScores], variance: SeedVariance) -> Leads:
    """Compare C contenders in pairs, each at its best cell, corrected for having picked it.

    The intervals hold all pairs at once with 95 % confidence (max-T over all pairs), so that they
    hold whichever contender comes out first. They cover the val examples (paired bootstrap) and, as
    far as `variance` knows them, the seeds; see `SeedVariance.widening`.

    Parameters
    ----------
    contenders : sequence of ContenderScores
        On the same resamples.
    variance : SeedVariance
    """
    unseen = np.array([contender.unseen for contender in contenders])
    first = int(unseen.argmax())
    pairs = list(combinations(range(len(contenders)), 2))
    of_examples = np.stack(
        [contender.draws[:, contender.row] - contender.value for contender in contenders], axis=1
    )  # (R, C)
    n_seeds = [len(contender.seeds) for contender in contenders]
    of_seeds = variance.noise(n_seeds, len(of_examples))
    noise = of_examples + of_seeds
    critical = critical_value(
        np.stack([noise[:, one] - noise[:, other] for one, other in pairs], axis=1)
    )
    over: list[Difference | None] = []
    for number, contender in enumerate(contenders):
        if number == first:
            over.append(None)
            continue
        shares = 1 / n_seeds[first] + 1 / n_seeds[number]
        deviation = np.sqrt(
            (of_examples[:, first] - of_examples[:, number]).var() + variance.of_seeds * shares
        )
        deviation = max(deviation, least_paired_deviation(contenders[first], contender))
        margin = critical * deviation * variance.widening(deviation**2, shares, critical)
        lead = float(unseen[first] - unseen[number])
        over.append(Difference(lead, float(lead - margin), float(lead + margin)))
    examples = [
        float((of_examples[:, first] - of_examples[:, number]).std())
        for number in range(len(contenders))
        if number != first
    ]
    typical = float(np.median(examples))
    doubt = critical * variance.observed_deviation * (2 / min(n_seeds)) ** 0.5
    doubt *= variance.tail_ratio(critical)
    n_pairs = len(contenders) * (len(contenders) - 1)
    n_val = len(contenders[first].labels)
    return Leads(
        first=first,
        reach=critical_value(noise),
        over=tuple(over),
        beaten_by=_beaten_by(contenders, variance, first, over, of_seeds),
        examples_to_tell=separability.examples_needed(
            GAP_TO_TELL, typical, n_val, n_compared=n_pairs
        ),
        seeds_weigh_more=doubt > critical * typical,
    )


def critical_value(noise: np.ndarray) -> float:
    """Return how many deviations hold K differences at once (max-T); `noise` has shape (R, K)."""
    deviation = noise.std(axis=0)
    varies = deviation > NO_SPREAD
    if not varies.any():
        return float(norm.isf((1 - LEVEL) / (2 * noise.shape[1])))
    return float(np.quantile(np.abs(noise[:, varies] / deviation[varies]).max(axis=1), LEVEL))


def least_paired_deviation(one: ContenderScores, other: ContenderScores) -> float:
    """Return a deviation that the difference of two best cells may not fall below.

    See `separability.paired_deviation`; means over several seeds agree on more than single runs do,
    and are given the least that two classifiers can have.
    """
    first, second = (contender.of_best("val")[0] == contender.labels for contender in (one, other))
    if max(len(one.seeds), len(other.seeds)) > 1:
        second = first
    return float(separability.paired_deviation(first[None], second, one.labels)[0])


def _beaten_by(
    contenders: Sequence[ContenderScores],
    variance: SeedVariance,
    first: int,
    over: Sequence[Difference | None],
    of_seeds: np.ndarray,
) -> tuple[tuple[int, ...], ...]:
    """Return for each contender the layers of the first one that certainly beat it.

    The intervals hold at once for the layers of any contender that might have come out first.
    """
    leads, blocks, owners = [], [], []
    for ahead, behind in permutations(range(len(contenders)), 2):
        winner, loser = contenders[ahead], contenders[behind]
        rows = winner.profile_rows
        leads.append(winner.means[rows] + winner.correction - loser.unseen)
        noise = winner.draws[:, rows] - winner.means[rows] + of_seeds[:, [ahead]]
        of_loser = loser.draws[:, loser.row] - loser.value + of_seeds[:, behind]
        blocks.append(noise - of_loser[:, None])
        owners.append((ahead, behind))
    critical = critical_value(np.concatenate(blocks, axis=1))
    beaten: dict[int, tuple[int, ...]] = {}
    for (ahead, behind), lead, noise in zip(owners, leads, blocks, strict=True):
        total = over[behind]
        if ahead != first or total is None:
            continue
        shares = 1 / len(contenders[ahead].seeds) + 1 / len(contenders[behind].seeds)
        deviation = noise.std(axis=0)
        low = lead - critical * deviation * variance.widening(deviation**2, shares, critical)
        top = contenders[first].best.layer
        beaten[behind] = tuple(
            layer
            for layer, end in enumerate(low.tolist(), start=1)
            if total.low > 0 and (end > 0 or layer == top)
        )
    return tuple(beaten.get(number, ()) for number in range(len(contenders)))
