"""Measures of how the states of a layer lie: neighbours, clusters, discriminants, splits."""

from __future__ import annotations

from layerviz.separability import geometry
from layerviz.separability.discriminants import fisher_ratio
from layerviz.separability.measures.measure import (
    LabelledStates,
    LayerMeasure,
    chance_macro_f1,
)
from layerviz.separability.resampling import macro_f1


def _knn_macro_f1(layer: LabelledStates) -> dict[str, float]:
    if not layer.has_val:
        return {}
    predicted = geometry.knn_predict(*layer.neighbours, layer.train_labels)
    return {"val": float(macro_f1(layer.val_labels, predicted[None])[0])}


def _silhouette(layer: LabelledStates) -> dict[str, float]:
    train, val = (
        (layer.train_states, layer.train_labels),
        (layer.val_states, layer.val_labels),
    )
    values = {"train": geometry.silhouette(*train, *train)}
    if layer.has_val:
        values["val"] = geometry.silhouette(*val, *val)
        values["val in train"] = geometry.silhouette(*val, *train)
    return values


def _davies_bouldin(layer: LabelledStates) -> dict[str, float]:
    values = {"train": geometry.davies_bouldin(layer.train_states, layer.train_labels)}
    if layer.has_val:
        values["val"] = geometry.davies_bouldin(layer.val_states, layer.val_labels)
    return values


def _fisher_ratio(layer: LabelledStates) -> dict[str, float]:
    values = fisher_ratio(layer.states, layer.labels, layer.train)
    return values if layer.has_val else {"train": values["train"]}


def _split_auc(layer: LabelledStates) -> dict[str, float]:
    if not layer.has_val:
        return {}
    return {"train and val": geometry.split_divergence(layer.states, ~layer.train, layer.seed)}


KNN_MACRO_F1 = LayerMeasure(
    name="knn_macro_f1",
    label="Nearest neighbours, macro-F1",
    splits=("val",),
    summary="each val example takes the majority class of its 10 nearest train examples",
    explanation="Each val example takes the class of most of its 10 nearest train examples, by "
    "cosine after centring. It needs no training, and finds classes that no straight line "
    "separates.",
    reference="Cover & Hart 1967",
    chance=chance_macro_f1,
    compute=_knn_macro_f1,
)
SILHOUETTE = LayerMeasure(
    name="silhouette",
    label="Silhouette",
    splits=("val", "train", "val in train"),
    summary="how much closer an example is to its own class than to the nearest other one",
    explanation="How much closer an example is to its own class than to the nearest other one, "
    "from −1 to 1. 'Val in train' compares each val example with the train examples of each class. "
    f"Of more than {geometry.SILHOUETTE_ROWS:,} examples of a split, so many are measured, each "
    "against all: within 0.01 of the value of all.",
    reference="Rousseeuw 1987",
    chance=lambda _labels: 0.0,
    compute=_silhouette,
)
DAVIES_BOULDIN = LayerMeasure(
    name="davies_bouldin",
    label="Davies-Bouldin index",
    splits=("val", "train"),
    summary="spread of the classes divided by the distance between them; 0 is best",
    explanation="The spread of classes divided by the distance between their centres, for the "
    "worst pairs. 0 is best.",
    reference="Davies & Bouldin 1979",
    higher_is_better=False,
    compute=_davies_bouldin,
)
FISHER_RATIO = LayerMeasure(
    name="fisher_ratio",
    label="Fisher ratio",
    splits=("val", "train"),
    summary="variance between classes divided by variance within, along discriminants fitted on "
    "train",
    explanation="Variance between classes divided by variance within them, along discriminants "
    "fitted on train with a shrunken covariance. Compare val; train is inflated by the fit.",
    reference="Fisher 1936; Ledoit & Wolf 2004",
    compute=_fisher_ratio,
)
SPLIT_AUC = LayerMeasure(
    name="split_auc",
    label="Train vs val (AUC)",
    splits=("train and val",),
    summary="how well a linear classifier tells the splits apart; 0.5 is guessing",
    explanation="How well a linear classifier tells train states from val states: 0.5 is guessing. "
    "Clearly more means that the splits differ, or that train has been memorised.",
    reference="Lopez-Paz & Oquab 2017",
    higher_is_better=False,
    chance=lambda _labels: 0.5,
    compute=_split_auc,
)
