"""Contenders against each other, each at its best layer, on the same val examples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from layerviz import separability
from layerviz.comparison.contender_scores import (
    SEED,
    ContenderScores,
    contender_scores,
    probe_scores_of,
)
from layerviz.comparison.contenders import Contender, common_examples, costs_of, shared_poolings
from layerviz.comparison.curves import curves_over_epochs, profile_of
from layerviz.comparison.depth import depth_matches
from layerviz.comparison.leads import Leads, leads_between
from layerviz.comparison.seed_variance import TWO_SIDED, SeedVariance, pooled_seed_variance
from layerviz.comparison.standings import Comparison, Standing
from layerviz.errors import RunError
from layerviz.separability import MARGIN, Score, SplitResamples


def compare_contenders(
    contenders: Sequence[Contender],
    poolings: Sequence[str] | None = None,
    margin: float = MARGIN,
) -> Comparison:
    """Compare contenders, each at its best layer, on the val examples that all of them captured.

    - *Pick*: as in `separability.find_best`, by the mean over a contender's seeds, among layers 1
      to L, its snapshots and `poolings`.
    - *Order*: by what the pick is worth on unseen examples, so that more cells to pick from are no
      advantage.
    - *Leads*: see `leads_between`; the first is ahead of another only where its interval says so.
    - *Seeds*: see `SeedVariance`. With one seed each, everything holds of these runs alone.
    - *Depth*: see `depth_matches`.

    Parameters
    ----------
    contenders : sequence of Contender
        Two or more, each with a measured snapshot.
    poolings : sequence of str, optional
        Among which to search; by default those that all runs have.
    margin : float
        The loss of macro-F1 that is given away for fewer layers.

    Returns
    -------
    Comparison

    Raises
    ------
    RunError
        If there are fewer than two contenders, one is not measured yet or lacks a pooling, or
        they have no val example, or no pooling, in common.
    """
    if len(contenders) < 2:
        raise RunError(
            "A comparison needs two different runs.", "Add another run on the same data."
        )
    measured = [run for contender in contenders for run in contender.measured]
    for contender in contenders:
        if not contender.snapshots:
            raise RunError(
                f"{contender.name} has not been measured yet.", "Wait for its first snapshot."
            )
    examples, rows = common_examples(measured)
    rows_of = dict(zip((run.path for run in measured), rows, strict=True))
    if poolings is None:
        poolings = shared_poolings(contenders)
    resamples = SplitResamples(examples["split"].to_numpy(), examples["label"].to_numpy(), SEED)
    scores = [contender_scores(contender, resamples, rows_of, poolings) for contender in contenders]
    n_texts = examples["text"][examples["split"] == "val"].nunique()
    return _comparison(contenders, scores, rows_of, margin, n_texts)


def _comparison(
    contenders: Sequence[Contender],
    scores: Sequence[ContenderScores],
    rows_of: Mapping[Path, np.ndarray],
    margin: float,
    n_texts: int,
) -> Comparison:
    resamples = scores[0].resamples
    val, labels = resamples.rows["val"], resamples.labels["val"]
    p_by_f1, p_by_auc = _chance(
        contenders, scores, {path: rows[val] for path, rows in rows_of.items()}
    )
    variance = pooled_seed_variance(scores)
    leads = leads_between(scores, variance)
    parameters = [costs_of(contender)["parameters"] for contender in contenders]
    verdict = separability.verdict_of(labels, p_by_f1, p_by_auc, n_texts=n_texts)
    return Comparison(
        standings=tuple(
            standing_of(contender, variance, leads, number)
            for number, contender in enumerate(scores)
        ),
        verdict=verdict,
        p_chance=p_by_f1 if p_by_auc is None else p_by_auc,
        by_auc=p_by_auc is not None,
        n_val=len(labels),
        n_texts=n_texts,
        smallest_class=separability.smallest_class(labels, contenders[0].measured[0].label_names),
        seed_deviation=variance.observed_deviation if variance.is_known else None,
        examples_to_tell=leads.examples_to_tell,
        seeds_weigh_more=leads.seeds_weigh_more,
        depth=depth_matches(scores, variance, parameters, margin) if verdict == "found" else (),
        profiles=pd.concat([profile_of(one, variance) for one in scores], ignore_index=True),
        epochs=pd.concat([curves_over_epochs(one, variance) for one in scores], ignore_index=True),
    )


def _chance(
    contenders: Sequence[Contender],
    scores: Sequence[ContenderScores],
    val_rows: Mapping[Path, np.ndarray],
) -> tuple[float, float | None]:
    """Return how often the best cell of all would do as well by chance: by macro-F1, by AUC.

    One seed's, as the labels that are shuffled are scored for one seed, too.
    """
    labels = scores[0].labels
    predicted = np.concatenate([of_seed for one in scores for of_seed in one.on_val])
    highest = max(float(one.scores.max()) for one in scores)
    by_f1 = separability.p_of_chance(labels, predicted, highest, SEED)
    parts = []
    for contender, one in zip(contenders, scores, strict=True):
        of_probes = probe_scores_of(contender, one.cells, val_rows)
        if of_probes is None:
            return by_f1, None
        parts.append(of_probes)
    return by_f1, separability.p_of_chance_by_auc(labels, np.concatenate(parts), SEED)


def standing_of(
    contender: ContenderScores, variance: SeedVariance, leads: Leads, number: int
) -> Standing:
    """Return how a contender stands; `number` is its index in `leads`."""
    val = _score_of(contender, variance, "val")
    train = contender.resamples.rows.get("train")
    gap = float("nan")
    if train is not None:
        gap = contender.score(contender.of_best("train"), "train") - contender.value
    has_test = "test" in contender.resamples.rows
    newest = max(contender.heads)
    return Standing(
        name=contender.name,
        run_ids=contender.run_ids,
        seeds=contender.seeds,
        n_layers=contender.n_layers,
        n_cells=len(contender.cells),
        last_epoch=max(cell.epoch for cell in contender.cells),
        best=contender.best,
        val=val,
        unseen=separability.moved(_stretched(val, leads.reach / TWO_SIDED), contender.correction),
        by_seed=tuple(float(score) for score in contender.by_seed),
        test=_score_of(contender, variance, "test") if has_test else None,
        head=contender.score(contender.of_head(newest)),
        gap=gap,
        lead=leads.over[number],
        beaten_by=leads.beaten_by[number],
    )


def _stretched(score: Score, by: float) -> Score:
    """Return a score whose interval reaches `by` times as far to either side."""
    value = score.value
    return Score(
        value, value - (value - score.low) * by, value + (score.high - value) * by, score.n
    )


def _score_of(contender: ContenderScores, variance: SeedVariance, split: str) -> Score:
    """Return what the best cell scores on a split, with its interval."""
    labels, predicted = contender.resamples.labels[split], contender.of_best(split)
    draws = contender.draws_of(predicted, split)
    if not variance.is_known:
        return separability.score_of(labels, predicted[0], draws)
    value = contender.score(predicted, split)
    ends = variance.interval(np.array([value]), draws[:, None], len(contender.seeds))
    low, high = (float(end[0]) for end in ends)
    # No narrower than a single run may be: a bootstrap of perfect predictions has no width.
    smoothed = [separability.smoothed_score(labels, of_seed) for of_seed in predicted]
    centre, deviation = (float(mean) for mean in np.mean(smoothed, axis=0))
    least = TWO_SIDED * deviation
    low = max(min(low, value - least, centre - least), 0.0)
    return Score(value, low, min(max(high, centre + least), 1.0), len(labels))
