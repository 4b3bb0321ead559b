"""Mixes of layers: concatenated, averaged, or weighted as ELMo does; and a search for the best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch

from layerviz.errors import ConfigError, RunError
from layerviz.numerics import or_zero, within_range
from layerviz.progress import (
    MIXING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
    stop_if_asked,
)
from layerviz.separability.probe import fit_probe
from layerviz.separability.resampling import macro_f1, paired_difference

MIX_METHODS = ("concatenate", "average", "scalar mix")
MOST_MIXED_LAYERS = 4  # that the search puts together
MIX_STEPS = 200


@dataclass(frozen=True)
class LayerMix:
    """A mix of layers, scored on val against a single layer.

    Parameters
    ----------
    layers : tuple of int
    how : str
        One of `MIX_METHODS`.
    weights : tuple of float
        Shares of the layers in a scalar mix; equal otherwise.
    score : float
        Macro-F1 of the mix's probe on val.
    single : int
        The layer it is compared with.
    single_score : float
        Macro-F1 of that layer's probe on val.
    difference, low, high : float
        Mix minus single, with its 95 % paired bootstrap interval.
    """

    layers: tuple[int, ...]
    how: str
    weights: tuple[float, ...]
    score: float
    single: int
    single_score: float
    difference: float
    low: float
    high: float

    @property
    def better(self) -> bool:
        """Whether the interval of the difference lies above 0."""
        return self.low > 0


def mix_of(stored: Mapping[str, Any]) -> LayerMix:
    """Return a mix as it was stored, by the names of its fields.

    Raises
    ------
    RunError
        If it is none.
    """
    try:
        if set(stored) != {field.name for field in fields(LayerMix)}:
            raise ValueError("other fields")
        scores = ("score", "single_score", "difference", "low", "high")
        numbers = {name: float(stored[name]) for name in scores}
        mix = LayerMix(
            layers=tuple(int(layer) for layer in stored["layers"]),
            how=str(stored["how"]),
            weights=tuple(float(weight) for weight in stored["weights"]),
            single=int(stored["single"]),
            **numbers,
        )
        if mix.how not in MIX_METHODS or not np.isfinite([*numbers.values(), *mix.weights]).all():
            raise ValueError("no scores")
    except (TypeError, ValueError, OverflowError) as error:
        raise RunError(
            "A mix of layers that was stored with this run is damaged.",
            "Delete the folder mixes in the run's folder: it is searched again when asked for.",
        ) from error
    return mix


def mix_layers(
    states: np.ndarray,
    labels: np.ndarray,
    splits: np.ndarray,
    layers: Sequence[int],
    how: str,
    *,
    single: int,
    seed: int,
) -> LayerMix:
    """Probe a mix of layers and compare it with one layer on the same val examples.

    Parameters
    ----------
    states : ndarray of shape (L + 1, N, D)
        Hidden states of one pooling at one snapshot.
    labels, splits : ndarray of shape (N,)
        Class indices and names of splits; train fits, val scores.
    layers : sequence of int
        The layers to put together.
    how : {"concatenate", "average", "scalar mix"}
        ``average``: of the layers' states, each standardised on train. ``scalar mix``: the same
        with weights learned on train (Peters et al., 2018: ELMo, equation 1).
    single : int
        The layer to compare with.
    seed : int
        Of folds and resamples.

    Returns
    -------
    LayerMix

    Raises
    ------
    ConfigError
        If there are no layers or `how` is unknown.
    """
    if not layers or how not in MIX_METHODS:
        raise ConfigError("Nothing to mix.", f"Choose layers, and one of {', '.join(MIX_METHODS)}.")
    train, val = splits == "train", splits == "val"
    parts = [_standardised(states[layer], train) for layer in layers]
    weights = np.full(len(layers), 1 / len(layers))
    if how == "concatenate":
        mixed = np.concatenate(parts, axis=1)  # (N, k * D)
    else:
        if how == "scalar mix" and len(layers) > 1:
            weights = _scalar_weights(parts, labels, train)
        mixed = np.tensordot(weights, np.stack(parts), axes=1).astype(np.float32)  # (N, D)
    of_mix = fit_probe(mixed, labels, train, seed=seed).predicted
    of_single = fit_probe(states[single], labels, train, seed=seed).predicted
    difference, low, high = paired_difference(labels[val], of_mix[val], of_single[val], seed)
    score, single_score = macro_f1(labels[val], np.stack([of_mix[val], of_single[val]]))
    return LayerMix(
        tuple(layers), how, tuple(map(float, weights)), float(score), single, float(single_score),
        difference, low, high,
    )  # fmt: skip


def search_mix(
    states: np.ndarray,
    labels: np.ndarray,
    splits: np.ndarray,
    *,
    seed: int,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> LayerMix:
    """Find layers to concatenate without looking at val, then score them on it once.

    Greedy forward selection: beginning with the layer whose probe has the least log loss on the
    inner folds of train, the layer that lowers it most is added, up to four, for as long as it
    falls. The comparison is with the layer it began with. Arguments as in :func:`mix_layers`.

    Raises
    ------
    Cancelled
        If `should_stop` answers true.
    """
    train = splits == "train"
    parts = [_standardised(state, train)[train] for state in states]
    train_labels, everything = labels[train], np.ones(int(train.sum()), dtype=bool)
    n_layers = len(states)
    most = min(MOST_MIXED_LAYERS, n_layers - 1)
    total = sum(n_layers - 1 - taken for taken in range(most))
    done = 0
    on_progress(Progress(MIXING, done, total))

    def loss(layers: list[int]) -> float:
        nonlocal done
        stop_if_asked(should_stop)
        joined = np.concatenate([parts[layer] for layer in layers], axis=1)
        inner_loss = fit_probe(joined, train_labels, everything, seed=seed).inner_loss
        done += 1
        on_progress(Progress(MIXING, done, total))
        return inner_loss

    chosen: list[int] = []
    least = np.inf
    while len(chosen) < most:
        rest = [layer for layer in range(1, n_layers) if layer not in chosen]
        losses = {layer: loss([*chosen, layer]) for layer in rest}
        best = min(rest, key=losses.__getitem__)
        if not losses[best] < least and chosen:
            break
        chosen.append(best)
        least = losses[best]
    return mix_layers(
        states, labels, splits, sorted(chosen), "concatenate", single=chosen[0], seed=seed
    )


def _standardised(state: np.ndarray, train: np.ndarray) -> np.ndarray:
    state = within_range(or_zero(state)).astype(np.float32)
    deviation = state[train].std(axis=0)
    return (state - state[train].mean(axis=0)) / np.where(deviation > 1e-6, deviation, 1.0)


def _scalar_weights(parts: list[np.ndarray], labels: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Learn softmax weights of layers together with a linear classifier, on train."""
    x = torch.from_numpy(np.stack(parts)[:, train])  # (k, n, D)
    classes, targets = np.unique(labels[train], return_inverse=True)
    aim = torch.from_numpy(targets)
    with torch.enable_grad():
        shares = torch.zeros(len(parts), requires_grad=True)
        weight = torch.zeros(x.shape[2], len(classes), requires_grad=True)
        bias = torch.zeros(len(classes), requires_grad=True)
        optimiser = torch.optim.LBFGS(
            [shares, weight, bias], max_iter=MIX_STEPS, line_search_fn="strong_wolfe"
        )

        def closure() -> torch.Tensor:
            optimiser.zero_grad()
            mixed = torch.einsum("k,knd->nd", shares.softmax(dim=0), x)
            loss = torch.nn.functional.cross_entropy(mixed @ weight + bias, aim)
            loss = loss + weight.square().sum() / (2 * 0.03 * len(aim))
            loss.backward()
            return loss

        optimiser.step(closure)
    return shares.detach().softmax(dim=0).numpy()
