"""Measures of how a layer would serve search: what lies nearest is of the same class."""

from __future__ import annotations

from layerviz.separability import geometry
from layerviz.separability.measures.measure import (
    LabelledStates,
    LayerMeasure,
    chance_macro_f1,
    class_shares,
)
from layerviz.separability.resampling import macro_f1


def _precision_at_10(layer: LabelledStates) -> dict[str, float]:
    if not layer.has_val:
        return {}
    return {"val": float(layer.hits.mean())}


def _nearest_mean_macro_f1(layer: LabelledStates) -> dict[str, float]:
    if not layer.has_val:
        return {}
    train, val = layer.directions
    predicted = geometry.nearest_mean_predict(val, train, layer.train_labels)
    return {"val": float(macro_f1(layer.val_labels, predicted[None])[0])}


def _cdnv(layer: LabelledStates) -> dict[str, float]:
    train = layer.train_states, layer.train_labels
    values = {"train": geometry.class_distance_variance(*train, *train)}
    if layer.has_val:
        values["val"] = geometry.class_distance_variance(layer.val_states, layer.val_labels, *train)
    return values


PRECISION_AT_10 = LayerMeasure(
    name="precision_at_10",
    label="Search: precision@10",
    splits=("val",),
    summary="the share of the 10 nearest train examples that are of the val example's class",
    explanation="The share of a val example's 10 nearest train examples, by cosine after "
    "centring, that are of its own class. It is what somebody who searches with this layer sees.",
    reference="Manning et al. 2008",
    chance=lambda labels: float((class_shares(labels) ** 2).sum()),
    compute=_precision_at_10,
)
NCM_MACRO_F1 = LayerMeasure(
    name="ncm_macro_f1",
    label="Nearest class mean, macro-F1",
    splits=("val",),
    summary="each val example takes the class whose mean over train lies nearest",
    explanation="Each val example takes the class whose mean over the train examples lies "
    "nearest, at unit length after centring. It is high where every class is one compact group.",
    reference="Mensink et al. 2013",
    chance=chance_macro_f1,
    compute=_nearest_mean_macro_f1,
)
CDNV = LayerMeasure(
    name="cdnv",
    label="Class-distance variance (CDNV)",
    splits=("val", "train"),
    summary="spread around the class means of train divided by their squared distance; 0 is best",
    explanation="The spread of examples around their class's mean over train, divided by the "
    "squared distance between two such means, on average over pairs of classes. 0 is best.",
    reference="Galanti et al. 2022",
    higher_is_better=False,
    compute=_cdnv,
)
