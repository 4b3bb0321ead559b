"""The states of a layer as projections take them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerviz.projection import LayerStates


def layer_of(
    states: Sequence[np.ndarray],
    splits: np.ndarray,
    labels: np.ndarray | None = None,
    seed: int = 0,
) -> LayerStates:
    """Return a layer; all its rows are of one class where nothing is said."""
    return LayerStates(
        states, splits, np.zeros(len(splits), dtype=int) if labels is None else labels, seed
    )
