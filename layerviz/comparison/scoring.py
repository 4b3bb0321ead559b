"""Contenders against each other, each at its best layer, on the same val examples."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

from layerviz import separability
from layerviz.comparison.contender_scores import SEED, ContenderScores
from layerviz.comparison.contenders import Contender, common_examples, shared_poolings
from layerviz.comparison.standings import Comparison, Standing
from layerviz.errors import RunError
from layerviz.separability import Difference, SplitResamples


def compare_contenders(
    contenders: Sequence[Contender], poolings: Sequence[str] | None = None
) -> Comparison:
    """Compare contenders, each at its best layer, by a paired bootstrap on the same val examples.

    Every contender's best cell is picked by val macro-F1 (mean over its seeds) among layers 1 to L,
    its snapshots and `poolings`. The differences to the best contender carry simultaneous 95 %
    intervals (max-T bootstrap, as in `separability.find_best`), so that "not clearly behind" is a
    tie however many are compared. Seeds, where there are several, are resampled with the examples,
    each contender's own; deviations are widened by sqrt(S / (S - 1)), as S seeds resampled vary
    less than S new ones would.

    Parameters
    ----------
    contenders : sequence of Contender
        Two or more, each with a measured snapshot.
    poolings : sequence of str, optional
        Among which to search; by default those that all runs have.

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
    scored = [run for contender in contenders for run in contender.measured]
    for contender in contenders:
        if not contender.snapshots:
            raise RunError(
                f"{contender.name} has not been measured yet.", "Wait for its first snapshot."
            )
    examples, rows = common_examples(scored)
    rows_of = dict(zip((run.path for run in scored), rows, strict=True))
    if poolings is None:
        poolings = shared_poolings(contenders)
    resamples = SplitResamples(examples["split"].to_numpy(), examples["label"].to_numpy(), SEED)
    scores = [
        ContenderScores(contender, resamples, rows_of, poolings, number)
        for number, contender in enumerate(contenders)
    ]
    # Of the layers at the best epoch and pooling, (R, L) each.
    draws = [
        contender.draws(contender.predicted[:, contender.best_layers()]) for contender in scores
    ]
    return _comparison(scores, draws, resamples, scored[0].label_names)


def _comparison(
    scores: Sequence[ContenderScores],
    draws: Sequence[np.ndarray],
    resamples: SplitResamples,
    label_names: Sequence[str],
) -> Comparison:
    true, rows = resamples.labels["val"], resamples.rows["val"]
    predicted = np.concatenate(
        [of_seed[:, rows] for contender in scores for of_seed in contender.predicted]
    )
    # Of one seed, as those shuffled are.
    highest = max(float(contender.scores.max()) for contender in scores)
    p_chance = separability.p_of_chance(true, predicted, highest, SEED)
    profiles = [
        contender.profile(of_layers) for contender, of_layers in zip(scores, draws, strict=True)
    ]
    return Comparison(
        standings=tuple(_standings(scores, draws)),
        verdict=separability.verdict_of(true, p_chance),
        p_chance=p_chance,
        n_val=len(true),
        smallest_class=separability.smallest_class(true, label_names),
        profiles=pd.concat(profiles, ignore_index=True),
        epochs=pd.concat([contender.over_epochs() for contender in scores], ignore_index=True),
    )


def _standings(
    scores: Sequence[ContenderScores], draws: Sequence[np.ndarray]
) -> Iterator[Standing]:
    """Yield how each contender stands to the best one; `draws` as above."""
    values = np.array([contender.value for contender in scores])
    of_best = np.stack(
        [
            of_layers[:, contender.best.layer - 1]
            for of_layers, contender in zip(draws, scores, strict=True)
        ],
        axis=1,
    )  # (R, number of contenders)
    winner = int(values.argmax())
    best = scores[winner]
    leads = separability.simultaneous_interval(
        values[winner] - values, of_best[:, [winner]] - of_best
    )
    profile = best.scores[:, best.best_layers()].mean(axis=0)  # (L,)
    layers = np.arange(1, len(profile) + 1)
    for number, contender in enumerate(scores):
        if number == winner:
            yield contender.standing(of_best[:, number], None, ())
            continue
        lead = Difference(
            float(leads.value[number]), float(leads.low[number]), float(leads.high[number])
        )
        ahead = separability.simultaneous_interval(
            profile - values[number], draws[winner] - of_best[:, [number]]
        )
        clear = lead.clear & ((ahead.low > 0) | (layers == best.best.layer))
        yield contender.standing(of_best[:, number], lead, layers[clear].tolist())
