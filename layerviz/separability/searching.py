"""Which layer is best to search with: where what lies nearest is of the same class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerviz import runs
from layerviz.runs import Run
from layerviz.separability.naming import NEIGHBOURS
from layerviz.separability.resampling import (
    FEW_EXAMPLES,
    interval,
    resampling_weights,
)
from layerviz.separability.scored_cells import Cell
from layerviz.separability.simultaneous import simultaneous_interval
from layerviz.separability.wording import cell_name
from layerviz.wording import decimal


@dataclass(frozen=True)
class SearchAnswer:
    """Which cell finds most of the same class, and whether it beats the best classifying one.

    Parameters
    ----------
    best : Cell
        The cell with the highest precision@10 on val.
    on_val : float
        That precision; it is flattered by the choice.
    unseen, low, high : float
        What picking the best in this way earns on unseen examples, and its 95 % interval.
    chance : float
        What neighbours drawn at random would score.
    classifier : Cell
        The cell that it is compared with.
    gain, gain_low, gain_high : float
        Precision of the best minus that of the classifier's cell, and an interval that holds for
        all cells at once, so that the best may be picked from them.
    n : int
        Val examples.
    n_cells : int
    """

    best: Cell
    on_val: float
    unseen: float
    low: float
    high: float
    chance: float
    classifier: Cell
    gain: float
    gain_low: float
    gain_high: float
    n: int
    n_cells: int


def find_search_answer(
    cells: Sequence[Cell], precision: np.ndarray, classifier: Cell, *, chance: float, seed: int
) -> SearchAnswer:
    """Find the best of K cells for search and compare it with another.

    - *Unseen*: the best cell of each resample, scored on the examples that the resample left out,
      on average (BBC-CV; Tsamardinos et al., 2018). The interval is the best cell's bootstrap
      interval, moved by as much.
    - *Gain*: simultaneous over all comparisons with the classifier's cell (Dunnett, 1955), the
      critical value from the bootstrap (max-T; Westfall & Young, 1993).

    Parameters
    ----------
    cells : sequence of K Cells
    precision : ndarray of shape (K, n)
        The share of each example's nearest train examples that are of its class.
    classifier : Cell
        One of the cells: that which classifies best.
    chance : float
    seed : int
        Of the resamples.
    """
    n = precision.shape[1]
    weights = resampling_weights(n, seed)  # (R, n)
    scores, draws = precision.mean(axis=1), weights @ precision.T / n  # (K,), (R, K)
    best = int(scores.argmax())
    left_out = (weights == 0).astype(np.float32)
    outside = left_out @ precision.T / left_out.sum(axis=1, keepdims=True)
    picked = outside[np.arange(len(draws)), draws.argmax(axis=1)].mean()
    shift = min(float(picked - scores[best]), 0.0)
    low, high = interval(draws[:, best])
    other = cells.index(classifier)
    gains = simultaneous_interval(scores - scores[other], draws - draws[:, [other]])
    return SearchAnswer(
        best=cells[best],
        on_val=float(scores[best]),
        unseen=float(scores[best]) + shift,
        low=float(low) + shift,
        high=float(high) + shift,
        chance=chance,
        classifier=classifier,
        gain=float(gains.value[best]),
        gain_low=float(gains.low[best]),
        gain_high=float(gains.high[best]),
        n=n,
        n_cells=len(cells),
    )


def search_answer_of(
    run: Run, classifier: Cell, poolings: Sequence[str] | None = None
) -> SearchAnswer | None:
    """Return which layer of a run is best to search with.

    Parameters
    ----------
    run : Run
    classifier : Cell
        The cell that classifies best.
    poolings : sequence of str, optional
        Some of the run's, that cell's among them; by default all.

    Returns
    -------
    SearchAnswer or None
        None where val has fewer than 50 examples, or a snapshot was measured before neighbours
        were counted.
    """
    examples = runs.read_examples(run.path)
    labels = examples["label"].to_numpy()
    train, val = ((examples["split"] == split).to_numpy() for split in ("train", "val"))
    if val.sum() < FEW_EXAMPLES:
        return None
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    cells: list[Cell] = []
    hits: list[np.ndarray] = []
    for index in runs.measured_snapshots(run):
        of_pooling = runs.read_search_hits(run.path, index)
        if of_pooling is None:
            return None
        for pooling in poolings or run.poolings:
            layers = range(1, len(of_pooling[pooling]))
            cells += [Cell(index, epochs[index], pooling, layer) for layer in layers]
            hits.append(of_pooling[pooling][1:, val])
    precision = np.concatenate(hits).astype(np.float32) / min(NEIGHBOURS, int(train.sum()))
    shares = [np.bincount(labels[side], minlength=labels.max() + 1) for side in (train, val)]
    chance = float(shares[0] @ shares[1] / (train.sum() * val.sum()))
    return find_search_answer(cells, precision, classifier, chance=chance, seed=run.config.seed)


def search_sentences(answer: SearchAnswer) -> list[str]:
    """Return what to tell people who want to find similar texts with a layer, without markup."""
    lead = (
        f"Best for search: {cell_name(answer.best)}. Of an unseen text's 10 nearest train "
        f"examples, about {_percent(answer.unseen)} are of its class ({_percent(answer.low)} to "
        f"{_percent(answer.high)}; {_percent(answer.chance)} by chance)."
    )
    if answer.best == answer.classifier:
        return [lead, "That is also the layer that classifies best."]
    points = round(100 * answer.gain)
    gain = (
        f"{points} point{'' if points == 1 else 's'} more, {_points(answer.gain_low)} to "
        f"{_points(answer.gain_high)}"
    )
    rival = f"{cell_name(answer.classifier)}, which classifies best"
    if answer.gain_low > 0:
        return [lead, f"It serves search better than {rival} ({gain})."]
    return [lead, f"Val cannot tell whether it serves search better than {rival} ({gain})."]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _points(difference: float) -> str:
    """Write a difference of shares as points, with a true minus sign."""
    return decimal(100 * difference, 0)
