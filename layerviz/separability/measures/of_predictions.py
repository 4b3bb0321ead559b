"""Measures of what probes predict: macro-F1, accuracy, the gap, and a control."""

from __future__ import annotations

import numpy as np

from layerviz.separability.measures.measure import (
    Estimate,
    PredictionMeasure,
    Predictions,
    ScoreFunction,
    bootstrap_estimate,
)
from layerviz.separability.resampling import accuracy, macro_f1


def _on_every_split(predictions: Predictions, score: ScoreFunction) -> dict[str, Estimate]:
    return {split: predictions.estimate(split, score) for split in predictions.splits}


def _gap(predictions: Predictions) -> dict[str, Estimate]:
    if "val" not in predictions.splits:
        return {}
    train, train_draws = predictions.draws("train", macro_f1)
    val, val_draws = predictions.draws("val", macro_f1)
    return {"train-val": bootstrap_estimate(train - val, train_draws - val_draws)}


def _shuffled_macro_f1(predictions: Predictions) -> dict[str, Estimate]:
    """Return mean, least and most of the probes on shuffled labels."""
    if predictions.shuffled is None or "val" not in predictions.splits:
        return {}
    true, rows = predictions.resamples.labels["val"], predictions.resamples.rows["val"]
    scores = np.stack([macro_f1(true, layer[:, rows]) for layer in predictions.shuffled])  # (K, S)
    return {"val": Estimate(scores.mean(axis=1), scores.min(axis=1), scores.max(axis=1))}


PROBE_MACRO_F1 = PredictionMeasure(
    name="probe_macro_f1",
    label="Linear probe, macro-F1",
    splits=("val", "train", "test"),
    summary="mean over classes of the balance between precision and recall; the answer is based on "
    "it",
    explanation="A logistic regression is trained on the layer's train states and predicts the "
    "others. Macro-F1 is the mean over classes of the balance between precision and recall.",
    reference="Alain & Bengio 2016",
    outlines_best=True,
    compute=lambda predictions: _on_every_split(predictions, macro_f1),
)
PROBE_ACCURACY = PredictionMeasure(
    name="probe_accuracy",
    label="Linear probe, accuracy",
    splits=("val", "train", "test"),
    summary="the share of examples it gets right; frequent classes count more",
    explanation="A logistic regression is trained on the layer's train states and predicts the "
    "others. Accuracy is the share of examples it gets right; frequent classes count more.",
    reference="Alain & Bengio 2016",
    outlines_best=True,
    compute=lambda predictions: _on_every_split(predictions, accuracy),
)
PROBE_GAP = PredictionMeasure(
    name="gap",
    label="Probe gap (train − val)",
    splits=("train-val",),
    summary="how much better it does on the data it was fitted to",
    explanation="The probe's macro-F1 on train minus that on val. A large gap means that the "
    "layer's states tell train examples apart in ways that do not carry over.",
    reference="Zhang et al. 2017",
    higher_is_better=False,
    compute=_gap,
)
SHUFFLED_MACRO_F1 = PredictionMeasure(
    name="shuffled_macro_f1",
    label="Control: probe on shuffled labels",
    splits=("val",),
    summary="what the probe scores when there is nothing to learn",
    explanation="The same probe, trained on shuffled train labels: mean of five shuffles, and the "
    "lowest and highest of them. If these score as well as the real probe, the layer says nothing.",
    reference="Hewitt & Liang 2019",
    higher_is_better=None,
    compute=_shuffled_macro_f1,
)
