"""Picking the best of many cells, and what such a pick is worth on examples it has not seen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from layerviz.separability.resampling import interval, macro_f1, p_of_chance, smoothed_score
from layerviz.separability.scored_cells import CellScores, Score
from layerviz.separability.simultaneous import TWO_SIDED, confidence_set

APPARENT, LEFT_OUT = 0.368, 0.632  # shares of the two estimates (Efron, 1983)


@dataclass(frozen=True)
class Best:
    """The best of K cells, and how sure that is.

    Parameters
    ----------
    index : int
        The cell whose neighbourhood (its layer and epoch, and those next to them) scores highest.
    val : Score
        Its macro-F1 on the examples that picked it.
    unseen : Score
        What it is worth on examples that had no part in picking it.
    ties : ndarray of shape (K,), bool
        The cells that may be the best one, `index` among them.
    """

    index: int
    val: Score
    unseen: Score
    ties: np.ndarray


def find_best(scored: CellScores, by: np.ndarray | None = None) -> Best:
    """Pick the best of K cells by macro-F1, and say how sure that is.

    - *Pick*: the highest mean over a cell and its neighbours (layer ± 1, snapshot ± 1). Single
      cells stand out by chance; neighbours that share their examples' luck do so less.
    - *Ties*: `simultaneous.confidence_set`.
    - *Unseen*: see :func:`worth_of_pick`. Its interval is that of the picked cell, moved: see
      :func:`moved`.

    Parameters
    ----------
    scored : CellScores
    by : ndarray of shape (K,), optional
        Other scores to pick by. Macro-F1 then needs no correction.
    """
    index = int((scored.neighbourhood @ (scored.scores if by is None else by)).argmax())
    value = float(scored.scores[index])
    outside = macro_f1(scored.labels, scored.predicted, (scored.weights == 0).astype(np.float32))
    unseen = worth_of_pick(scored.scores, scored.draws, outside, scored.neighbourhood)
    val = score_of(scored.labels, scored.predicted[index], scored.draws[:, index])
    return Best(
        index=index,
        val=val,
        unseen=moved(val, unseen - value) if by is None else val,
        ties=confidence_set(scored.scores, scored.draws) | (np.arange(len(scored.cells)) == index),
    )


def worth_of_pick(
    scores: np.ndarray, draws: np.ndarray, outside: np.ndarray, neighbourhood: csr_array
) -> float:
    """Return what the pick of the best neighbourhood is worth on unseen examples.

    The .632 bootstrap (Efron, 1983) of the whole procedure: in each resample the best cell is
    picked anew and scored on the examples that the resample left out (bias-corrected selection,
    BBC-CV; Tsamardinos et al., 2018). Alone, that mean errs low by 0.005 to 0.03, as a resample
    holds fewer different examples to pick by; the picked cell's own score errs high.

    Parameters
    ----------
    scores : ndarray of shape (K,)
    draws : ndarray of shape (R, K)
        On the resamples.
    outside : ndarray of shape (R, K)
        On what each resample left out.
    neighbourhood : sparse array of shape (K, K)
        From `scored_cells.neighbourhood_means`.

    Returns
    -------
    float
        At most the score of the pick itself.
    """
    apparent = float(scores[int((neighbourhood @ scores).argmax())])
    means = (neighbourhood @ np.nan_to_num(draws, nan=-1.0).T).T  # (R, K)
    of_picks = outside[np.arange(len(draws)), means.argmax(axis=1)]
    if np.isnan(of_picks).all():
        return apparent
    return min(APPARENT * apparent + LEFT_OUT * float(np.nanmean(of_picks)), apparent)


def score_of(labels: np.ndarray, predicted: np.ndarray, draws: np.ndarray) -> Score:
    """Return one classifier's macro-F1 with its bootstrap interval.

    The interval is at least as wide as `resampling.smoothed_score` makes it, around a score with a
    few successes and failures added: a bootstrap of a classifier that makes no mistake on these
    examples would have no width, and one that makes few would not reach low enough.

    Parameters
    ----------
    labels, predicted : ndarray of shape (n,)
    draws : ndarray of shape (R,)
    """
    value = float(macro_f1(labels, predicted[None])[0])
    low, high = interval(draws)
    centre, deviation = smoothed_score(labels, predicted)
    margin = TWO_SIDED * deviation
    return Score(
        value,
        max(min(float(low), value - margin, centre - margin), 0.0),
        min(max(float(high), centre + margin), 1.0),
        len(labels),
    )


def moved(score: Score, by: float) -> Score:
    """Return a score corrected for a pick, and its interval moved along, within 0 to 1.

    The low end moves further, to where BBC-CV alone would have it (:func:`worth_of_pick`), which
    errs low: where picks fit noise, the .632 bootstrap errs high by up to a few hundredths.

    Parameters
    ----------
    score : Score
    by : float
        The correction; negative, or 0.
    """
    ends = [score.value + by, score.low + by / LEFT_OUT, score.high + by]
    value, low, high = np.clip(ends, 0, 1).tolist()
    return Score(value, low, high, score.n)


def p_of_best(scored: CellScores) -> float:
    """Return how often the best cell's macro-F1 is as high where labels mean nothing."""
    return p_of_chance(scored.labels, scored.predicted, float(scored.scores.max()), scored.seed)
