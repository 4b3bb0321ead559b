"""Planted slices: whether they are found, and whether any is where none was planted.

Examples have nine further columns, of values and of numbers, which make about 50 slices; two
classifiers are right about them at planted rates.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import norm

from layerviz.bench.claims import COVERAGE, FALSE, POWER, ROUNDING, Claim
from layerviz.separability.slices import SliceFindings, comparable, find_slices

PLANTED_IN = 200  # examples
LEAST_VAL = 500  # examples, of which so many may be in a planted slice
COMMON = 0.8  # how much of what makes an example hard is common to both classifiers
VALUE_SHARES = (0.4, 0.3, 0.15, 0.1, 0.05)  # of the values of a column
N_OF_VALUES, N_OF_NUMBERS = 5, 4  # columns
N_TINY = 20  # equally frequent values of a column, where slices are tiny

NO_SLICE = Claim("a slice is said to do clearly worse that does not", FALSE, 0.05)
SLICE_FOUND = Claim("a slice of 200 in which accuracy is 0.2 less is found", POWER, 0.9)
SLICES_COVERED = Claim(
    "intervals of all slices hold their true differences at once", COVERAGE, 0.95
)
SLICE_CLAIMS = (NO_SLICE, SLICE_FOUND, SLICES_COVERED)


@dataclass(frozen=True)
class SlicePopulation:
    """Examples with further columns, and how often two classifiers are right about them.

    Parameters
    ----------
    name : str
        For the tables.
    rates : tuple of float
        How often an example of each class is recognised.
    planted : float
        By how much less often in the planted slice; 0 for none.
    alike : float
        How much the further columns have in common.
    of_class : float
        How far they go with the class: the shift of their scores from class to class.
    is_tiny : bool
        Whether all columns have many values, so that slices are as small as they may be.
    """

    name: str
    rates: tuple[float, ...]
    planted: float = 0.0
    alike: float = 0.0
    of_class: float = 0.0
    is_tiny: bool = False

    def suits(self, n: int) -> bool:
        """Return whether a val set of n examples has room for what is planted."""
        return not self.planted or n >= LEAST_VAL

    def outcomes(self, n: int, seed: int) -> dict[str, float]:
        """Draw n examples, look for slices, and return what becomes of the claims, by name."""
        rng = np.random.default_rng((seed, n, zlib.crc32(self.name.encode())))
        labels = rng.integers(len(self.rates), size=n)
        columns = self._columns(labels, rng)
        is_planted = np.zeros(n, dtype=bool)
        rates = np.array(self.rates)[labels]
        if self.planted:
            is_planted[rng.permutation(n)[:PLANTED_IN]] = True
            others = rng.choice(["web", "mail"], n)
            columns["source"] = np.where(is_planted, "forum", others)
            rates = rates - self.planted * is_planted
        hardness = np.sqrt(COMMON) * rng.normal(size=n)
        hardness = hardness + np.sqrt(1 - COMMON) * rng.normal(size=(2, n))
        right = hardness < norm.ppf(rates)
        others = (labels + 1) % len(self.rates)
        predicted = {
            name: np.where(of_one, labels, others)
            for name, of_one in zip(("the model", "a probe"), right, strict=True)
        }
        examples = pd.DataFrame(
            {"text": [str(row) for row in range(n)], "label": labels, "split": "val"}
        )
        found = find_slices(examples, columns, predicted, "val", seed)
        return {
            claim.name: float(is_so)
            for claim, is_so in self._outcomes(found, labels, rates, is_planted)
        }

    def _columns(self, labels: np.ndarray, rng: np.random.Generator) -> pd.DataFrame:
        """Return the further columns of examples, values and numbers."""
        n = len(labels)
        common, columns = rng.normal(size=n), {}
        for number in range(N_OF_VALUES + N_OF_NUMBERS):
            scores = np.sqrt(self.alike) * common + np.sqrt(1 - self.alike) * rng.normal(size=n)
            scores = scores + self.of_class * labels
            ranks = (np.argsort(np.argsort(scores)) + 0.5) / n
            if self.is_tiny:
                columns[f"tiny {number}"] = [f"v{int(N_TINY * rank)}" for rank in ranks]
            elif number < N_OF_VALUES:
                ends = np.cumsum(VALUE_SHARES)
                columns[f"values {number}"] = [f"v{np.searchsorted(ends, rank)}" for rank in ranks]
            else:
                columns[f"numbers {number}"] = scores
        return pd.DataFrame(columns)

    def _outcomes(
        self, found: SliceFindings, labels: np.ndarray, rates: np.ndarray, is_planted: np.ndarray
    ) -> Iterator[tuple[Claim, bool]]:
        if found.scores is None:
            return
        scores = found.scores
        members = np.array([one.members for one in found.slices])
        weights = comparable(members, labels)
        true = rates @ weights.inside - rates @ weights.outside  # (S,): of these examples
        yield NO_SLICE, bool((scores.is_worse & (true > -ROUNDING)).any())
        yield SLICES_COVERED, bool(((scores.low <= true) & (true <= scores.high)).all())
        if self.planted:
            wanted = [row for row, one in enumerate(members) if (one == is_planted).all()]
            yield SLICE_FOUND, bool(scores.is_worse[:, wanted].any())


def slice_populations() -> list[SlicePopulation]:
    """Return all kinds: with a slice of 0.2 less at several accuracies, and with none."""
    return [
        *(
            SlicePopulation(f"slice planted, accuracy {rate}", (rate, rate), planted=0.2)
            for rate in (0.7, 0.8, 0.9)
        ),
        SlicePopulation("slice planted, columns alike", (0.8, 0.8), planted=0.2, alike=0.7),
        SlicePopulation("no slice, accuracy 0.8", (0.8, 0.8)),
        SlicePopulation("no slice, accuracy 0.98", (0.98, 0.98)),
        SlicePopulation("no slice, tiny ones", (0.9, 0.9), is_tiny=True),
        SlicePopulation("no slice, tiny ones, accuracy 0.98", (0.98, 0.98), is_tiny=True),
        SlicePopulation("no slice, columns alike", (0.8, 0.8), alike=0.9),
        SlicePopulation("no slice, columns go with hard classes", (0.95, 0.8, 0.6), of_class=1.0),
    ]
