"""Measures of what probes predict: macro-F1, accuracy, the area under the curve, and controls."""

from __future__ import annotations

import numpy as np

from layerviz.separability.control_task import NO_CLASS
from layerviz.separability.measures.measure import (
    Estimate,
    PredictionMeasure,
    Predictions,
    ScoreFunction,
    bootstrap_estimate,
    chance_macro_f1,
    class_shares,
)
from layerviz.separability.ranking import macro_auc
from layerviz.separability.resampling import accuracy, macro_f1


def _on_every_split(predictions: Predictions, score: ScoreFunction) -> dict[str, Estimate]:
    return {split: predictions.estimate(split, score) for split in predictions.splits}


def _auc(predictions: Predictions) -> dict[str, Estimate]:
    if predictions.scores is None:
        return {}
    return {split: _auc_on(split, predictions.scores, predictions) for split in predictions.splits}


def _auc_on(split: str, scores: np.ndarray, predictions: Predictions) -> Estimate:
    true, rows = predictions.resamples.labels[split], predictions.resamples.rows[split]
    value = macro_auc(true, scores[:, rows])
    if np.isnan(value).all():  # one class
        return Estimate(value, value, value)
    draws = macro_auc(true, scores[:, rows], predictions.resamples.weights(split))
    return bootstrap_estimate(value, draws)


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


def _selectivity(predictions: Predictions) -> dict[str, Estimate]:
    """Return the accuracy on the task minus that on the control task, on the same examples."""
    if predictions.scores is None or "val" not in predictions.splits:
        return {}
    if predictions.control is None:
        undefined = np.full(len(predictions.predicted), np.nan)
        return {"val": Estimate(undefined, undefined, undefined)}
    rows, weights = predictions.resamples.rows["val"], predictions.resamples.weights("val")
    control = predictions.control.labels[rows]
    has_class = control != NO_CLASS
    right = predictions.predicted[:, rows] == predictions.resamples.labels["val"]
    right_on_control = predictions.control.predicted[:, rows] == control
    gain = (right.astype(np.float32) - right_on_control)[:, has_class]  # (K, m)
    weights = weights[:, has_class]
    draws = weights @ gain.T / np.maximum(weights.sum(axis=1, keepdims=True), 1)
    return {"val": bootstrap_estimate(gain.mean(axis=1, dtype=np.float64), draws)}


PROBE_MACRO_F1: PredictionMeasure = PredictionMeasure(
    name="probe_macro_f1",
    label="Linear probe, macro-F1",
    splits=("val", "train", "test"),
    summary="mean over classes of the balance between precision and recall; the answer is based on "
    "it",
    explanation="A logistic regression is trained on the layer's train states and predicts the "
    "others. Macro-F1 is the mean over classes of the balance between precision and recall.",
    reference="Alain & Bengio 2016",
    outlines_best=True,
    chance=chance_macro_f1,
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
    chance=lambda labels: float(class_shares(labels).max()),
    compute=lambda predictions: _on_every_split(predictions, accuracy),
)
PROBE_AUC = PredictionMeasure(
    name="probe_auc",
    label="Linear probe, AUC",
    splits=("val", "train", "test"),
    summary="how often it scores an example of a class above one of another; it also sees a class "
    "that is too rare to be predicted",
    explanation="How often the probe scores an example of a class higher for that class than an "
    "example of another, on average over classes; 0.5 is chance. It also sees what a layer knows "
    "of a class that is too rare to be predicted.",
    reference="Hand & Till 2001; Fawcett 2006",
    chance=lambda _labels: 0.5,
    compute=_auc,
)
PROBE_GAP = PredictionMeasure(
    name="gap",
    label="Probe gap (train − val)",
    splits=("train-val",),
    summary="how much better it does on the data it was fitted to",
    explanation="The probe's macro-F1 on train minus that on val. With few examples and many "
    "dimensions a probe fits train in any layer, so compare it with the gap before training: what "
    "came on top tells train examples apart in ways that do not carry over.",
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
    "lowest and highest of them. If these score as well as the real probe, it finds nothing here.",
    reference="Ojala & Garriga 2010",
    chance=chance_macro_f1,
    higher_is_better=None,
    compute=_shuffled_macro_f1,
)
SELECTIVITY = PredictionMeasure(
    name="selectivity",
    label="Control: selectivity",
    splits=("val",),
    summary="the probe's accuracy minus its accuracy at telling a random class for each word",
    explanation="The probe's accuracy minus that of the same probe on a control task: each text "
    "takes a random class that belongs to its rarest word known from train. Near 0 or below, the "
    "probe could as well know words by heart.",
    reference="Hewitt & Liang 2019",
    chance=lambda _labels: 0.0,
    compute=_selectivity,
)
