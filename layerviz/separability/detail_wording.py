"""Answers to narrower questions in sentences: poolings, overfitting, mixes of layers."""

from __future__ import annotations

import pandas as pd

from layerviz.poolings import pooling_label
from layerviz.separability.comparing import PoolingVerdict
from layerviz.separability.epochs import MARGIN
from layerviz.separability.mixing import LayerMix
from layerviz.separability.scored_cells import Cell
from layerviz.wording import at_epoch, enumeration, layer_list, sentence_case, signed


def pooling_sentence(verdict: PoolingVerdict) -> str:
    """Say which pooling serves a snapshot best, and how surely."""
    best = verdict.best
    clear = [(cell, gain) for cell, gain in verdict.against if gain.low > 0]
    tied = [cell for cell, gain in verdict.against if gain.low <= 0]
    thoughts = [f"beats {_pooling_and_layer(cell)} by {gain}" for cell, gain in clear]
    if tied:
        names = enumeration([_pooling_and_layer(cell) for cell in tied], "or")
        thoughts.append(f"cannot be told from {names}")
    thoughts = thoughts or ["is the only pooling"]
    lead = f"{sentence_case(at_epoch(best.epoch))}, each at its best layer:"
    return f"{lead} {_pooling_and_layer(best)} {', and '.join(thoughts)}."


def _pooling_and_layer(cell: Cell) -> str:
    return f"{pooling_label(cell.pooling)} (layer {cell.layer})"


def overfitting_sentence(table: pd.DataFrame, layer: int, margin: float = MARGIN) -> str:
    """Say when to stop by one layer, and in which layers val falls after its peak.

    Parameters
    ----------
    table : DataFrame
        Of `epochs.overfitting`.
    layer : int
    margin : float
        With which the table was made.
    """
    (row,) = table[table["layer"] == layer].to_dict("records")
    if row["peak"] == 0:
        peak = f"For layer {layer}, val is highest before training: fine-tuning did not help it."
    else:
        peak = f"For layer {layer}, stop {at_epoch(row['peak'])}, where val is highest."
        if row["as_good"] < row["peak"]:
            earlier = sentence_case(at_epoch(row["as_good"]))
            peak += f" {earlier} it is as good: at most {margin:.2f} lower (95 %)."
    worse = table["layer"][table["verdict"] == "overfits"].tolist()
    fall = "No layer is certain to fall after its peak."
    if worse:
        fall = f"After its peak, val falls in {layer_list(worse)} (95 %)."
    return f"{peak} {fall}"


MIX_VERBS = {"concatenate": "concatenated", "average": "averaged", "scalar mix": "mixed"}


def mix_sentence(mix: LayerMix, rival: str) -> str:
    """Say how a mix of layers does against a single layer, which `rival` names."""
    verb = MIX_VERBS[mix.how] if len(mix.layers) > 1 else "alone"
    weights = ""
    if mix.how == "scalar mix" and len(mix.layers) > 1:
        weights = f" with weights {', '.join(f'{weight:.2f}' for weight in mix.weights)}"
    gain = f"{signed(mix.difference)} ({signed(mix.low)} to {signed(mix.high)}, paired)"
    verdict = (
        "a real gain" if mix.better else "a loss" if mix.high < 0 else "not certain either way"
    )
    return (
        f"{sentence_case(layer_list(mix.layers))} {verb}{weights}: val macro-F1 {mix.score:.3f}, "
        f"against {mix.single_score:.3f} for {rival}. The difference, {gain}, is {verdict}."
    )


def searched_mix_sentence(mix: LayerMix) -> str:
    """Say what the search for the best mix came to."""
    if len(mix.layers) == 1:
        return (
            f"Search: adding a layer to layer {mix.single} never lowered the loss on the inner "
            "folds of train, so that layer alone is the best mix."
        )
    rival = f"layer {mix.single}, the best one inside train"
    return f"Search, which never looked at val: {mix_sentence(mix, rival)}"
