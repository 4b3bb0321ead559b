"""What is said of a val set, held against what is true of the population it was drawn from."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from layerviz import separability
from layerviz.bench.populations import Examples, Population
from layerviz.separability import Cell, CellScores
from layerviz.separability.depth import MARGINS
from layerviz.separability.epochs import MARGIN

MIDDLE = (0.03, 0.05)  # gaps for which power is reported
ROUNDING = 1e-9
FALSE, COVERAGE, POWER, MEAN = "false claims", "coverage", "power", "mean"


@dataclass(frozen=True)
class Claim:
    """Something that is said or done, and how it is to hold.

    Parameters
    ----------
    name : str
        For the tables.
    kind : str
        ``false claims``, ``coverage``, ``power`` or ``mean``.
    goal : float or None
        The most of false claims, and the least of the rest.
    """

    name: str
    kind: str
    goal: float | None = None

    @property
    def is_false(self) -> bool:
        """Whether it counts what should not be."""
        return self.kind == FALSE

    def is_met(self, mean: float, error: float) -> bool | None:
        """Return whether a rate meets the goal, as far as its standard error tells."""
        if self.goal is None:
            return None
        slack = 2 * error
        return mean <= self.goal + slack if self.is_false else mean >= self.goal - slack


@dataclass(frozen=True)
class DrawnSets:
    """A val set and a test set of one population, and all that is said of them.

    Parameters
    ----------
    population : Population
    val, test : Examples
        Of one size.
    seed : int
        Of what is said.
    """

    population: Population
    val: Examples
    test: Examples
    seed: int

    @cached_property
    def scored(self) -> CellScores:
        return CellScores(self.population.cells, self.val.predicted, self.val.labels, self.seed)

    @cached_property
    def examples(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Predictions (K, N), labels (N,) and splits (N,) of train, val and test."""
        predicted, labels = self.population.train
        return (
            np.concatenate([predicted, self.val.predicted, self.test.predicted], axis=1),
            np.concatenate([labels, self.val.labels, self.test.labels]),
            np.repeat(
                ["train", "val", "test"], [len(labels), len(self.val.labels), len(self.test.labels)]
            ),
        )

    @cached_property
    def answer(self) -> separability.Answer:
        predicted, labels, splits = self.examples
        return separability.find_answer(
            self.population.cells,
            predicted,
            labels,
            splits,
            label_names=[str(label) for label in range(self.population.class_truth.shape[1])],
            seed=self.seed,
            log_probabilities=self.val.log_probabilities,
        )

    def truth_of(self, cell: Cell) -> float:
        """Return the macro-F1 of a cell in the population."""
        return float(self.population.truth[self.scored.rows[cell]])

    def truth_at(self, is_wanted: Callable[[Cell], bool]) -> np.ndarray:
        """Return the macro-F1 of some cells in the population."""
        return self.population.truth[self.scored.where(is_wanted)]


def draw_from(population: Population, n: int, seed: int) -> DrawnSets:
    """Return val and test sets of n examples each, drawn from a population."""
    rng = np.random.default_rng((seed, n, zlib.crc32(population.name.encode())))
    return DrawnSets(population, population.draw(n, rng), population.draw(n, rng), seed)


Outcomes = Iterator[tuple[Claim, float]]  # 1 where a claim is false, covers or is found; else 0

CHANCE = Claim("an answer is given where there is only noise", FALSE, 0.05)
NOT_CHANCE = Claim("an answer is given where there is something", POWER)
COVERS = Claim("interval of the figure on unseen data holds the cell's true score", COVERAGE, 0.93)
BIAS = Claim("figure on unseen data minus the true score", MEAN)
RAW_BIAS = Claim("score on val minus the true score", MEAN)
REGRET = Claim("true score lost by the pick", MEAN)
PLAIN_REGRET = Claim("true score lost by a plain argmax", MEAN)
UNLIKE = Claim("test is said not to resemble val", FALSE, 0.05)
HELPED = Claim("fine-tuning is said to have helped where it has not", FALSE, 0.05)
LED = Claim("a lead over before training is claimed where there is none", FALSE, 0.05)


def answer_outcomes(draw: DrawnSets) -> Outcomes:
    """Yield what becomes of the recommendation and its figures."""
    answer, truth = draw.answer, draw.population.truth
    is_answer = answer.verdict in ("found", "ranks")
    yield CHANCE if draw.population.is_noise else NOT_CHANCE, is_answer
    if not is_said(draw):
        return
    true = draw.truth_of(answer.best)
    yield COVERS, answer.unseen.low <= true <= answer.unseen.high
    yield BIAS, answer.unseen.value - true
    yield RAW_BIAS, answer.val.value - true
    yield REGRET, truth.max() - true
    yield PLAIN_REGRET, truth.max() - truth[draw.scored.scores.argmax()]
    if answer.test_minus_unseen is not None:
        yield UNLIKE, answer.test_minus_unseen.high < 0
    before = draw.truth_at(lambda cell: cell.snapshot == draw.scored.snapshots[0][0])
    is_none = true <= before.max() + ROUNDING
    yield LED, is_none and answer.since_start is not None and answer.since_start.low > 0
    yield HELPED, is_none and answer.helped


IN_SET = Claim("the best cell is in the set of those that may be", COVERAGE, 0.95)
SOME_OUT = Claim("a cell as good as the best is left out of that set", MEAN)
LONE = Claim("a cell is called the best, with others as good", FALSE, 0.05)
OUT = Claim("cells 0.03-0.05 behind are left out of the set", POWER)
FACTORS = {"layers": "layer", "epochs": "epoch", "poolings": "pooling"}
LEVEL_IN = {
    factor: Claim(f"the best {level} is in the set of those that may be", COVERAGE, 0.95)
    for factor, level in FACTORS.items()
}
LEVEL_LONE = {
    factor: Claim(
        f"{'an' if level == 'epoch' else 'a'} {level} is called the best, with others as good",
        FALSE,
        0.05,
    )
    for factor, level in FACTORS.items()
}
LEVEL_OUT = {
    factor: Claim(f"{factor} 0.03-0.05 behind are left out of the set", POWER) for factor in FACTORS
}
SLOPE = Claim("interval of what a layer is worth holds the true slope", COVERAGE, 0.93)


def _is_middle(gaps: np.ndarray) -> np.ndarray:
    return (gaps >= MIDDLE[0] - ROUNDING) & (gaps <= MIDDLE[1] + ROUNDING)


def set_outcomes(draw: DrawnSets) -> Outcomes:
    """Yield what becomes of sets that are to hold the best cell, layer, epoch and pooling."""
    answer, truth = draw.answer, draw.population.truth
    inside = np.isin(np.arange(len(truth)), [draw.scored.rows[cell] for cell in answer.ties])
    inside[draw.scored.rows[answer.best]] = True
    gaps = truth.max() - truth
    yield IN_SET, inside[truth.argmax()]
    yield SOME_OUT, not inside[gaps <= ROUNDING].all()
    yield LONE, _is_falsely_alone(inside, gaps)
    if _is_middle(gaps).any():
        yield OUT, 1 - inside[_is_middle(gaps)].mean()
    start = draw.scored.snapshots[0][0]
    for factor, level_of in (
        ("layers", lambda cell: cell.layer if cell.snapshot > start else None),
        ("epochs", lambda cell: cell.epoch),
        ("poolings", lambda cell: cell.pooling if cell.snapshot > start else None),
    ):
        marginal = getattr(answer.marginals, factor)
        means = np.array([truth[_rows(draw, level_of, level)].mean() for level in marginal.levels])
        yield from _level_outcomes(factor, marginal, means)
        if factor == "layers":
            slope = answer.marginals.slope
            true = np.polyfit(np.array(marginal.levels, float), means, 1)[0]
            yield SLOPE, slope.low <= true <= slope.high


def _rows(draw: DrawnSets, level_of: Callable[[Cell], Hashable], level: Hashable) -> np.ndarray:
    return draw.scored.where(lambda cell: level_of(cell) == level)


def _level_outcomes(factor: str, marginal: separability.Marginal, means: np.ndarray) -> Outcomes:
    """Yield what becomes of the levels of one factor; `means` are true, in their order."""
    inside = np.array([level in marginal.may_be_best for level in marginal.levels])
    gaps = means.max() - means
    yield LEVEL_IN[factor], inside[means.argmax()]
    yield LEVEL_LONE[factor], _is_falsely_alone(inside, gaps)
    if _is_middle(gaps).any():
        yield LEVEL_OUT[factor], 1 - inside[_is_middle(gaps)].mean()


def _is_falsely_alone(inside: np.ndarray, gaps: np.ndarray) -> bool:
    """Return whether one of several is named the best, while another one is as good or better."""
    return inside.sum() == 1 and not (gaps > ROUNDING)[~inside].all()


GAINED = Claim("a layer is said to have gained or lost that has not", FALSE, 0.05)
GAINS_FOUND = Claim("layers that gain 0.05 or more are said to", POWER)
LARGEST = Claim("the layer that gained most is not among those named", FALSE, 0.05)
OVERFITS = Claim("a layer is said to overfit that does not", FALSE, 0.05)
OVERFITS_FOUND = Claim("layers that fall by 0.05 or more are said to overfit", POWER)
AS_GOOD = Claim("an epoch is called as good that loses more than 0.02", FALSE, 0.05)
EARLIER = Claim("an earlier epoch is called as good, where one is", POWER)


def gain_outcomes(draw: DrawnSets) -> Outcomes:
    """Yield what becomes of the layers that are said to have gained or lost."""
    answer = draw.answer
    first = draw.scored.snapshots[0]
    if answer.gains is not None:
        best = answer.best
        changes = np.array(
            [
                draw.truth_of(Cell(best.snapshot, best.epoch, best.pooling, layer))
                - draw.truth_of(Cell(*first, best.pooling, layer))
                for layer in range(1, answer.n_layers + 1)
            ]
        )
        gained = np.array(answer.gains.gained, int) - 1
        lost = np.array(answer.gains.lost, int) - 1
        yield GAINED, bool((changes[gained] <= 0).any() or (changes[lost] >= 0).any())
        if (large := changes >= 0.05).any():
            yield GAINS_FOUND, np.isin(np.flatnonzero(large), gained).mean()
        if answer.gains.largest:
            most = np.flatnonzero(changes >= changes.max() - ROUNDING) + 1
            yield LARGEST, not np.isin(most, answer.gains.largest).any()


def epoch_outcomes(draw: DrawnSets) -> Outcomes:
    """Yield what becomes of what is said of overfitting and of earlier epochs."""
    predicted, labels, splits = draw.examples
    cells, epochs = draw.population.cells, {e: s for s, e in draw.scored.snapshots}
    last = draw.scored.snapshots[-1]
    false_fall, false_as_good, falls_found, earlier = False, False, [], []
    for pooling in draw.scored.poolings:
        table = separability.overfitting(list(cells), predicted, labels, splits, pooling, draw.seed)
        for row in table.to_dict("records"):
            at = {
                epoch: draw.truth_of(Cell(snapshot, epoch, pooling, row["layer"]))
                for epoch, snapshot in epochs.items()
            }
            overfits = row["verdict"] == "overfits"
            false_fall |= overfits and at[last[1]] >= at[row["peak"]] - ROUNDING
            false_as_good |= at[row["peak"]] - at[row["as_good"]] > MARGIN + ROUNDING
            if max(at.values()) - at[last[1]] >= 0.05:
                falls_found.append(overfits)
            if any(at[e] >= at[row["peak"]] - ROUNDING for e in epochs if e < row["peak"]):
                earlier.append(row["as_good"] < row["peak"])
    yield OVERFITS, false_fall
    yield AS_GOOD, false_as_good
    if falls_found:
        yield OVERFITS_FOUND, float(np.mean(falls_found))
    if earlier:
        yield EARLIER, float(np.mean(earlier))


BOUNDS = Claim("lower ends of all classes' F1 in all cells hold at once", COVERAGE, 0.95)
SEPARATED = Claim("a class is said to be separated that nowhere is", FALSE, 0.05)
POOLED = Claim("a pooling is said to lead that does not", FALSE, 0.05)
POOLED_FOUND = Claim("a pooling that leads by 0.03 or more is said to", POWER)


def class_outcomes(draw: DrawnSets) -> Outcomes:
    """Yield what becomes of the classes that are said to be separated."""
    present = np.unique(draw.val.labels)
    truth = draw.population.class_truth[:, present]
    low = separability.class_f1_bounds(draw.val.predicted, draw.val.labels)
    yield BOUNDS, not (low > truth + ROUNDING).any()
    # With a threshold just above the truth everywhere, whatever is named is named wrongly.
    yield SEPARATED, (low > truth.max(axis=0) + ROUNDING).any()


def pooling_outcomes(draw: DrawnSets) -> Outcomes:
    """Yield what becomes of the comparison of poolings at the recommended epoch."""
    at = draw.answer.best.snapshot
    if len(draw.scored.poolings) < 2:
        return
    verdict = separability.compare_poolings(
        draw.population.cells, draw.val.predicted, draw.val.labels, at, draw.seed
    )
    true = draw.truth_of(verdict.best)
    is_false, leads_found = False, []
    for other, lead in verdict.against:
        rivals = draw.population.truth[
            _rows(draw, lambda cell: (cell.snapshot, cell.pooling), (at, other.pooling))
        ]
        is_false |= bool(lead.low > 0 and true <= rivals.max() + ROUNDING)
        if true - rivals.max() >= MIDDLE[0] - ROUNDING:
            leads_found.append(lead.low > 0)
    yield POOLED, is_false
    if leads_found:
        yield POOLED_FOUND, float(np.mean(leads_found))


DEPTH = {
    margin: Claim(f"layers called enough within {margin:.2f} lose more", FALSE, 0.05)
    for margin in MARGINS
}
DECIDED = {margin: Claim(f"depth is decided within {margin:.2f}", POWER) for margin in MARGINS}


def depth_outcomes(draw: DrawnSets) -> Outcomes:
    """Yield what becomes of the decision how many layers are enough."""
    best = draw.answer.best
    place = [snapshot for snapshot, _ in draw.scored.snapshots].index(best.snapshot)
    for margin in MARGINS:
        decision = separability.decide_depth(draw.scored, draw.val.head[place], best, margin)
        yield DECIDED[margin], decision.cell is not None
        is_wrong = decision.cell is not None and (
            draw.population.head_truth[place] - draw.truth_of(decision.cell) > margin + ROUNDING
        )
        yield DEPTH[margin], is_wrong


ANSWER = (set_outcomes, gain_outcomes, depth_outcomes)  # what only an answer says
DETAILS = (answer_outcomes, epoch_outcomes, class_outcomes, pooling_outcomes)
CLAIMS = (
    CHANCE,
    NOT_CHANCE,
    COVERS,
    BIAS,
    RAW_BIAS,
    REGRET,
    PLAIN_REGRET,
    UNLIKE,
    LED,
    HELPED,
    IN_SET,
    SOME_OUT,
    LONE,
    OUT,
    *LEVEL_IN.values(),
    *LEVEL_LONE.values(),
    *LEVEL_OUT.values(),
    SLOPE,
    GAINED,
    GAINS_FOUND,
    LARGEST,
    OVERFITS,
    OVERFITS_FOUND,
    AS_GOOD,
    EARLIER,
    BOUNDS,
    SEPARATED,
    POOLED,
    POOLED_FOUND,
    *DEPTH.values(),
    *DECIDED.values(),
)


def is_said(draw: DrawnSets) -> bool:
    """Return whether anything is said that has a truth to be held against."""
    return draw.answer.verdict == "found" and not draw.population.is_noise


def outcomes_of(draw: DrawnSets) -> dict[str, float]:
    """Return all outcomes of a draw by the names of their claims."""
    wanted = DETAILS + (ANSWER if is_said(draw) else ())
    return {claim.name: float(outcome) for outcomes in wanted for claim, outcome in outcomes(draw)}
