"""The paths of one text's tokens through the layers, drawn as in VisBERT."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.linalg import orthogonal_procrustes

from layerviz.numerics import or_zero, svd


@dataclass(frozen=True)
class TokenPaths:
    """Where T tokens lie in each layer.

    Parameters
    ----------
    xy : ndarray of shape (L + 1, T, 2), float32
        Positions; index 0 is the embedding output.
    explained : ndarray of shape (L + 1, 2), float32
        Part of a layer's variance along each axis; 0 where all tokens are alike.
    """

    xy: np.ndarray
    explained: np.ndarray


def token_paths(states: np.ndarray) -> TokenPaths:
    """Map the tokens of one text layer by layer.

    Each layer has a PCA of its own, as in VisBERT (van Aken et al., 2020, "VisBERT: hidden-state
    visualizations for transformers"). A PCA's axes may point either way and trade places from
    layer to layer: each map is rotated and reflected, but never stretched, onto the one before
    (orthogonal Procrustes; Schönemann, 1966), so that a token can be followed.

    Parameters
    ----------
    states : ndarray of shape (L + 1, T, D)
        Of ``hidden_states.token_states``.

    Returns
    -------
    TokenPaths
    """
    maps: list[np.ndarray] = []
    explained = np.zeros((len(states), 2), dtype=np.float32)
    for layer, tokens in enumerate(map(or_zero, states)):
        centred = tokens.astype(np.float64) - tokens.mean(axis=0, dtype=np.float64)  # (T, D)
        left, scale, _ = svd(centred)
        xy = np.zeros((len(tokens), 2))
        n_axes = min(2, len(scale))
        xy[:, :n_axes] = left[:, :n_axes] * scale[:n_axes]
        if maps:
            xy = xy @ orthogonal_procrustes(xy, maps[-1])[0]
        total = (scale**2).sum()
        if total > 0:
            explained[layer] = (xy**2).sum(axis=0) / total
        maps.append(xy)
    return TokenPaths(np.stack(maps).astype(np.float32), explained)
