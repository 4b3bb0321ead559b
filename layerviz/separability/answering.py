"""From the probes of all cells to an answer: which layer generalises, at which epoch, how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from layerviz.data import few_texts
from layerviz.separability.epochs import EpochComparisons, Gains, gains_since_start
from layerviz.separability.marginals import Marginals, marginals_of
from layerviz.separability.picking import find_best, p_of_best, score_of
from layerviz.separability.ranking import macro_auc, p_of_chance_by_auc
from layerviz.separability.resampling import (
    FEW_EXAMPLES,
    LEVEL,
    few_different_texts,
    few_examples,
    interval,
    macro_f1,
    resampling_weights,
)
from layerviz.separability.scored_cells import Cell, CellScores, Difference, Score
from layerviz.separability.simultaneous import TWO_SIDED, lead_over_all

STRICTER = float(ndtri(0.995))


@dataclass(frozen=True)
class Answer:
    """Which cell generalises best, and how sure that is.

    Parameters
    ----------
    verdict : {"found", "ranks", "chance", "few"}
        ``chance``: the best cell is not better than the best of as many under shuffled labels.
        ``ranks``: the best ranks the classes better than chance (AUC), but no cell's predictions
        are (macro-F1), as where a class is too rare to be ever predicted.
        ``few``: too few val examples for any verdict.
    best : Cell
        The recommended cell: see `find_best`.
    val : Score
        Its macro-F1 on val, which helped to pick it.
    unseen : Score
        What it is worth on unseen examples: corrected for the pick, with its interval.
    auc : Score or None
        Its macro one-vs-rest AUC on val; None for runs that hold no probe scores.
    test : Score or None
        Its macro-F1 on test, which played no part in choosing it.
    test_minus_unseen : Difference or None
        How far test is from what val made one expect, both samples' errors counted.
    p_chance : float
        How often the best of as many cells would do as well under shuffled labels: by AUC where
        probe scores are stored, else by macro-F1.
    n_cells, n_layers : int
        Candidates; layers of the encoder.
    ties : tuple of Cell
        The others that may be the best (`simultaneous.confidence_set`).
    marginals : Marginals
    start : tuple of Cell and float
        The best cell before training, and its val macro-F1.
    since_start : Difference or None
        What the recommended cell leads the best one before training by, whichever that is; None if
        it is from before training itself.
    gains : Gains or None
        What fine-tuning added to the layers; None as above.
    last_layer : tuple of Cell and float
        The last layer where its val macro-F1 is highest under the best cell's pooling, and that.
    gaps : tuple of (float, float)
        (epoch, train minus val) of the best layer, at the best epoch and at the last.
    smallest_class : tuple of str and int
        The val class with the fewest examples.
    n_texts : int
        Different texts among the val examples; 0 where they were not counted.
    """

    verdict: str
    best: Cell
    val: Score
    unseen: Score
    auc: Score | None
    test: Score | None
    test_minus_unseen: Difference | None
    p_chance: float
    n_cells: int
    n_layers: int
    ties: tuple[Cell, ...]
    marginals: Marginals
    start: tuple[Cell, float]
    since_start: Difference | None
    gains: Gains | None
    last_layer: tuple[Cell, float]
    gaps: tuple[tuple[float, float], ...]
    smallest_class: tuple[str, int]
    n_texts: int = 0

    @property
    def corrected(self) -> float:
        """The corrected macro-F1, without its interval."""
        return self.unseen.value

    @property
    def is_from_before_training(self) -> bool:
        """Whether the recommended cell is from before training, and there are later ones."""
        return self.best.epoch == 0 and len(self.marginals.epochs.levels) > 1

    @property
    def layers_that_may_be_best(self) -> tuple[int, ...]:
        """The recommended layer and the others that may be the best one, as far as val can tell.

        Each averaged over epochs and poolings; what is recommended as it was before training is
        held against the other layers as they were then.
        """
        others: tuple[int, ...] = self.marginals.layers.may_be_best
        if self.is_from_before_training:
            others = tuple(cell.layer for cell in self.ties if cell.snapshot == self.best.snapshot)
        return tuple(sorted({self.best.layer, *(others if self.ties else ())}))

    @property
    def repeats_texts(self) -> bool:
        """Whether val has so few different texts that scores on it mislead."""
        return bool(self.n_texts) and few_texts(self.n_texts, self.val.n, FEW_EXAMPLES)

    @property
    def helped(self) -> bool:
        """Whether fine-tuning certainly made the recommended cell better than any before it."""
        start = self.start[0].epoch
        return self.since_start is not None and (
            self.since_start.low > 0 or start in self.marginals.epochs.behind
        )


def find_answer(
    cells: Sequence[Cell],
    predicted: np.ndarray,
    labels: np.ndarray,
    splits: np.ndarray,
    *,
    label_names: Sequence[str],
    seed: int,
    log_probabilities: np.ndarray | None = None,
    n_texts: int = 0,
) -> Answer:
    """Answer from the probes' predictions.

    Parameters
    ----------
    cells : sequence of K Cells
        The candidates: layers 1..L at every snapshot.
    predicted : ndarray of shape (K, N)
        Class index that each cell's probe predicts for each example.
    labels, splits : ndarray of shape (N,)
        True class indices and names of splits; val must be there.
    label_names : sequence of str
    seed : int
        Of resamples and permutations.
    log_probabilities : ndarray of shape (K, n, C), optional
        The probes' scores of each class for the n val examples, where the run holds them.
    n_texts : int
        Different texts among the val examples, where they were counted.

    Returns
    -------
    Answer
    """
    val, train = splits == "val", splits == "train"
    scored = CellScores(tuple(cells), predicted[:, val], labels[val], seed)
    verdict, p_chance = _verdict(scored, log_probabilities, n_texts)
    by_auc = None
    if verdict == "ranks" and log_probabilities is not None:
        by_auc = macro_auc(scored.labels, log_probabilities)
    pick = find_best(scored, by_auc)
    best = cells[pick.index]
    start, since_start = _against_start(scored, pick.index)
    last_layer = max(
        (Cell(*when, best.pooling, scored.n_layers) for when in scored.snapshots),
        key=scored.score,
    )
    of_train = macro_f1(labels[train], predicted[:, train])
    gaps = []
    for when in dict.fromkeys(((best.snapshot, best.epoch), scored.snapshots[-1])):
        row = scored.rows[Cell(*when, best.pooling, best.layer)]
        gaps.append((when[1], float(of_train[row] - scored.scores[row])))
    test = _test_score(labels, predicted[pick.index], splits, seed)
    return Answer(
        verdict=verdict,
        best=best,
        val=pick.val,
        unseen=pick.unseen,
        auc=None if log_probabilities is None else _auc(scored, log_probabilities[pick.index]),
        test=test,
        test_minus_unseen=None if test is None else two_sample_difference(test, pick.unseen),
        p_chance=p_chance,
        n_cells=len(cells),
        n_layers=scored.n_layers,
        ties=tuple(
            cell for cell, tied in zip(cells, pick.ties, strict=True) if tied and cell != best
        ),
        marginals=marginals_of(scored, best),
        start=(start, scored.score(start)),
        since_start=since_start,
        gains=gains_since_start(EpochComparisons(scored), best),
        last_layer=(last_layer, scored.score(last_layer)),
        gaps=tuple(gaps),
        smallest_class=smallest_class(labels[val], label_names),
        n_texts=n_texts,
    )


def _verdict(
    scored: CellScores, log_probabilities: np.ndarray | None, n_texts: int
) -> tuple[str, float]:
    """Return the verdict and the p-value behind it."""
    by_f1 = p_of_best(scored)
    if log_probabilities is None:
        return verdict_of(scored.labels, by_f1, n_texts=n_texts), by_f1
    by_auc = p_of_chance_by_auc(scored.labels, log_probabilities, scored.seed)
    return verdict_of(scored.labels, by_f1, by_auc, n_texts=n_texts), by_auc


def _against_start(scored: CellScores, best: int) -> tuple[Cell, Difference | None]:
    """Return the best cell before training, and what the recommended one leads it by."""
    first = scored.snapshots[0][0]
    rivals = scored.where(lambda cell: cell.snapshot == first)
    leader = int(scored.scores[rivals].argmax())
    start = scored.cells[rivals[leader]]
    if scored.cells[best].snapshot == first:
        return start, None
    searched = scored.where(lambda cell: cell.snapshot != first)
    leads = lead_over_all(scored.scores, scored.draws, best, rivals, searched)
    lead = Difference(float(leads.value[leader]), float(leads.low.min()), float(leads.high[leader]))
    return start, lead


def _auc(scored: CellScores, log_probabilities: np.ndarray) -> Score | None:
    """Return the AUC of one cell; None where val holds a single class."""
    if len(np.unique(scored.labels)) < 2:
        return None
    one = log_probabilities[None]
    low, high = interval(macro_auc(scored.labels, one, scored.weights))
    value = float(macro_auc(scored.labels, one)[0])
    return Score(value, float(low[0]), float(high[0]), scored.n)


def verdict_of(
    labels: np.ndarray, p_by_f1: float, p_by_auc: float | None = None, *, n_texts: int = 0
) -> str:
    """Return the verdict of a search: "found", "ranks", "chance" or "few", as in `Answer`.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        Class indices of the scored examples.
    p_by_f1, p_by_auc : float
        How often the best of as many cells would have as high a macro-F1, or AUC, by chance.
    n_texts : int
        Different texts among the scored examples, where they were counted.
    """
    _, counts = np.unique(labels, return_counts=True)
    n = len(labels)
    if few_examples(n, int(counts.min())) or few_different_texts(n_texts, n):
        return "few"
    if (p_by_f1 if p_by_auc is None else p_by_auc) > 1 - LEVEL:
        return "chance"
    return "found" if p_by_f1 <= 1 - LEVEL else "ranks"


def smallest_class(labels: np.ndarray, label_names: Sequence[str]) -> tuple[str, int]:
    """Return the name of the class with the fewest examples in `labels`, and how many."""
    classes, counts = np.unique(labels, return_counts=True)
    return label_names[classes[counts.argmin()]], int(counts.min())


def two_sample_difference(one: Score, other: Score) -> Difference:
    """Return the difference of scores on two samples, with its 99 % interval.

    The variances of independent samples add up; each is taken from its own 95 % interval. One of
    the scores was corrected for a pick, and how far that correction errs is in neither: hence the
    stricter level.
    """
    value = one.value - other.value
    half = float(np.hypot(one.high - one.low, other.high - other.low)) / 2
    margin = half * STRICTER / TWO_SIDED
    return Difference(value, value - margin, value + margin)


def _test_score(
    labels: np.ndarray, predicted: np.ndarray, splits: np.ndarray, seed: int
) -> Score | None:
    test = splits == "test"
    if not test.any():
        return None
    true, of_test = labels[test], predicted[test]
    draws = macro_f1(true, of_test[None], resampling_weights(len(true), seed))
    return score_of(true, of_test, draws[:, 0])
