"""Measures of what training has changed in a layer."""

from __future__ import annotations

import numpy as np

from layerviz.separability import geometry
from layerviz.separability.measures.measure import ChangeMeasure, LayerChange

FEWEST_ROWS = 4  # that the unbiased estimate needs


def _cka(change: LayerChange) -> dict[str, float]:
    train = np.flatnonzero(change.train)
    rows = train[geometry.cka_rows(len(train))]
    if len(rows) < FEWEST_ROWS:
        return {"train": float("nan")}
    now, before = change.now[None, rows], change.before[None, rows]
    return {"train": float(geometry.linear_cka(now, before)[0, 0])}


CKA = ChangeMeasure(
    name="cka",
    label="CKA to epoch 0",
    splits=("train",),
    summary="how similar the layer still is to itself before training",
    explanation="How similar the layer's states are to those before training, regardless of "
    "rotation and scale: 1 is the same geometry. Directions of large variance count most: low "
    "means that fine-tuning changed those.",
    reference="Kornblith et al. 2019; Nguyen et al. 2021 (unbiased)",
    higher_is_better=None,
    compute=_cka,
)
