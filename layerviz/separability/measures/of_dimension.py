"""Measures that no label enters: how many dimensions a layer's states fill."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from layerviz.separability import dimension
from layerviz.separability.measures.measure import LabelledStates, LayerMeasure

WARNING = (
    "By itself it says nothing of how well classes separate: between layers it can run dead "
    "against held-out macro-F1 (rank correlations down to −0.94 were measured)."
)


def _on_train(
    estimate: Callable[[np.ndarray], float],
) -> Callable[[LabelledStates], dict[str, float]]:
    return lambda layer: {"train": estimate(layer.train_states)}


RANKME = LayerMeasure(
    name="rankme",
    label="RankMe (no labels)",
    splits=("train",),
    summary="how many dimensions the states span, weak ones included; no measure of separation",
    explanation="How many dimensions the train states span, from the entropy of their singular "
    f"values. {WARNING}",
    reference="Garrido et al. 2023",
    higher_is_better=None,
    compute=_on_train(dimension.rankme),
)
PARTICIPATION_RATIO = LayerMeasure(
    name="participation_ratio",
    label="Participation ratio (no labels)",
    splits=("train",),
    summary="how many dimensions share most of the states' variance; no measure of separation",
    explanation=f"How many dimensions share most of the variance of the train states. {WARNING}",
    reference="Gao et al. 2017",
    higher_is_better=None,
    compute=_on_train(dimension.participation_ratio),
)
TWO_NN = LayerMeasure(
    name="two_nn",
    label="Intrinsic dimension (no labels)",
    splits=("train",),
    summary="how many dimensions the states fill locally, from their two nearest neighbours; no "
    "measure of separation",
    explanation="How many dimensions the train states fill locally, from the distances to each "
    f"one's two nearest neighbours. {WARNING}",
    reference="Facco et al. 2017",
    higher_is_better=None,
    compute=_on_train(dimension.two_nn),
)
