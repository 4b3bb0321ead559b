"""What a comparison claims, against truths that were planted: how often it is wrong, and right."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from layerviz.comparison.contender_scores import ContenderScores
from layerviz.comparison.depth import depth_matches
from layerviz.comparison.leads import leads_between
from layerviz.comparison.scoring import standing_of
from layerviz.comparison.seed_variance import SeedVariance, pooled_seed_variance
from layerviz.separability import Cell, SplitResamples, resampling_weights

N_VAL, SEED_DEVIATION = 1000, 0.015
N_DRAWS, N_RESAMPLES = 120, 400
STANDARD_ERROR = (0.05 * 0.95 / N_DRAWS) ** 0.5
N_LAYERS = 2

LABELS = np.arange(N_VAL) % 2


class FewResamples(SplitResamples):
    """Fewer than usual, and the same in all draws: for the time's sake."""

    def weights(self, split: str) -> np.ndarray:
        """Return how often each example is in each resample, (R, n)."""
        if split not in self._weights:
            n = len(self.rows[split])
            self._weights[split] = resampling_weights(n, 0, N_RESAMPLES)
        return self._weights[split]


RESAMPLES = FewResamples(np.full(N_VAL, "val"), LABELS, 0)


def contender(
    name: str,
    accuracies: list[float],
    n_seeds: int,
    rng: np.random.Generator,
    difficulty: np.ndarray,
    deviation: float = SEED_DEVIATION,
) -> ContenderScores:
    """Return an encoder whose layers have these accuracies in the population, mean over seeds.

    Classes are balanced and mistaken for each other equally often, so macro-F1 is the accuracy. All
    classifiers find the same examples difficult, layers of one run yet more so.
    """
    cells = tuple(Cell(1, 1.0, "mean", layer) for layer in range(1, len(accuracies) + 1))
    of_seed = rng.normal(0, deviation, n_seeds)
    own = rng.normal(size=(n_seeds, 1, N_VAL))
    of_cell = rng.normal(size=(n_seeds, len(cells), N_VAL))
    ease = 0.7 * difficulty + 0.55 * own + (1 - 0.49 - 0.3025) ** 0.5 * of_cell
    limits = norm.ppf(np.clip(of_seed[:, None] + accuracies, 0.01, 0.99))  # (S, K)
    right = ease < limits[..., None]
    predicted = np.where(right, LABELS, 1 - LABELS)
    seeds = tuple(range(n_seeds))
    return ContenderScores(
        name, tuple(map(str, seeds)), seeds, cells, predicted, {1: predicted[:, -1]}, RESAMPLES
    )


def clear_leads(
    gaps: list[float], n_seeds: list[int], *, n_draws: int = N_DRAWS
) -> list[tuple[int, tuple[bool, ...]]]:
    """Return, draw by draw, which encoder comes out first, and which ones it clearly leads."""
    rng = np.random.default_rng(7)
    claims = []
    for _ in range(n_draws):
        difficulty = rng.normal(size=N_VAL)
        contenders = [
            contender(str(number), [0.75 + gap] * N_LAYERS, n, rng, difficulty)
            for number, (gap, n) in enumerate(zip(gaps, n_seeds, strict=True))
        ]
        leads = leads_between(contenders, pooled_seed_variance(contenders))
        over = tuple(lead is not None and lead.clear for lead in leads.over)
        claims.append((leads.first, over))
    return claims


@pytest.mark.parametrize("n_seeds", [[3, 3], [3, 1], [2, 2, 2]])
def test_equal_encoders_are_seldom_told_apart(n_seeds: list[int]) -> None:
    claims = clear_leads([0.0] * len(n_seeds), n_seeds)
    false = np.mean([any(over) for _, over in claims])
    assert false <= 0.05 + STANDARD_ERROR


def test_the_score_of_the_first_of_five_equals_is_held_by_its_interval() -> None:
    """Whichever comes first is lucky: its interval holds all the same."""
    rng = np.random.default_rng(11)
    n_held, n_draws = 0, 100
    for _ in range(n_draws):
        difficulty = rng.normal(size=N_VAL)
        contenders = [
            contender(str(n), [0.75] * N_LAYERS, 1, rng, difficulty, 0.0) for n in range(5)
        ]
        unknown = SeedVariance(0.0, 0.0, 0)
        leads = leads_between(contenders, unknown)
        unseen = standing_of(contenders[leads.first], unknown, leads, leads.first).unseen
        n_held += unseen.low <= 0.75 <= unseen.high
    assert n_held / n_draws >= 0.93


def test_a_true_gap_is_found_with_five_seeds() -> None:
    claims = clear_leads([0.06, 0.0], [5, 5], n_draws=60)
    assert np.mean([first == 0 and over[1] for first, over in claims]) >= 0.8


def test_more_layers_to_pick_from_are_no_advantage() -> None:
    """Twelve layers that are all alike come out ahead of two such layers half of the time."""
    rng = np.random.default_rng(3)
    gains = []
    for _ in range(60):
        difficulty = rng.normal(size=N_VAL)
        deep, shallow = (
            contender(name, [0.75] * n_layers, 1, rng, difficulty, 0.0)
            for name, n_layers in (("deep", 12), ("shallow", 2))
        )
        gains.append((deep.unseen - shallow.unseen, deep.value - shallow.value))
    corrected, raw = np.mean(gains, axis=0)
    error = np.std(gains, axis=0)[0] / len(gains) ** 0.5
    assert abs(corrected) < 2 * error + 0.002
    assert corrected < raw


@pytest.mark.parametrize(("loss", "is_enough"), [(0.0, True), (0.05, False)])
def test_a_shorter_encoder_is_enough_only_where_it_is(loss: float, is_enough: bool) -> None:
    """Layer 1 of the short encoder loses `loss` against the whole of the long one."""
    rng = np.random.default_rng(5)
    n_found = 0
    for _ in range(20):
        difficulty = rng.normal(size=N_VAL)
        short = contender("short", [0.8 - loss, 0.6], 1, rng, difficulty, 0.0)
        long = contender("long", [0.6, 0.7, 0.8], 1, rng, difficulty, 0.0)
        matches = depth_matches([short, long], SeedVariance(0.0, 0.0, 0), [None, None], 0.05)
        n_found += any(match.name == "short" and match.cell.layer == 1 for match in matches)
    assert n_found >= 14 if is_enough else n_found <= 2
