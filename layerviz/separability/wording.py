"""Answers in sentences, and the words that they share with those of a comparison."""

from __future__ import annotations

import pandas as pd

from layerviz.poolings import pooling_label
from layerviz.separability.answering import Answer, Cell
from layerviz.separability.comparing import PoolingVerdict
from layerviz.separability.mixing import LayerMix
from layerviz.separability.resampling import FEW_EXAMPLES
from layerviz.wording import (
    at_epoch,
    count,
    layer_list,
    number_ranges,
    sentence_case,
)


def shortage(n: int, smallest: str, n_smallest: int) -> str:
    """Say what val has too few of: examples, or those of its smallest class."""
    if n < FEW_EXAMPLES:
        return f"only {count(n, 'val example')}"
    return f"only {count(n_smallest, 'val example')} of the class {smallest!r}"


def answer_sentences(answer: Answer) -> list[str]:
    """Return what to tell people, one thought each, without markup."""
    if answer.verdict == "chance":
        return [
            f"No layer tells the classes apart on val better than chance: the best of "
            f"{answer.n_cells:,} cells scores macro-F1 {answer.val}, and with shuffled labels the "
            f"best would score as high in {answer.p_chance:.0%} of all cases."
        ]
    moment = at_epoch(answer.best.epoch)
    pooling = f"{pooling_label(answer.best.pooling)} pooling"
    if answer.verdict == "few":
        return [
            "Too few examples to say which layer generalises best: "
            f"{shortage(answer.val.n, *answer.smallest_class)}.",
            f"The highest score is that of layer {answer.best.layer} {moment}, {pooling}: val "
            f"macro-F1 {answer.val}.",
        ]
    verb = "generalises best" if not answer.ties else "scores highest"
    ties = ""
    if answer.ties:
        others = answer.n_cells - 1
        ties = f"; {len(answer.ties):,} of the {others:,} other cells tie with it"
    lead = f"Layer {answer.best.layer} {moment} {verb}: val macro-F1 {answer.val}, {pooling}{ties}."
    thoughts = [
        lead,
        _ties(answer),
        *_on_unseen_examples(answer),
        _since_start(answer),
        _last_layer(answer),
        _gap(answer),
    ]
    return [thought for thought in thoughts if thought]


def _on_unseen_examples(answer: Answer) -> list[str]:
    """Say what the best cell scores on examples that had no part in choosing it."""
    if answer.test is None:
        return [
            f"Being the best of {answer.n_cells:,} cells flatters it: on unseen examples such a "
            f"pick earns about {answer.corrected:.2f}."
        ]
    thoughts = [
        f"On test, which played no part in the choice, it scores {answer.test}: the honest figure."
    ]
    if answer.test.high < answer.val.low:
        thoughts.append("That is far below val: test does not resemble val and train.")
    return thoughts


def _since_start(answer: Answer) -> str:
    """Say what fine-tuning gained."""
    if answer.since_start is None:
        return "No epoch of fine-tuning made any layer better than that."
    cell, score = answer.start
    start = f"layer {cell.layer}, {pooling_label(cell.pooling)} pooling, {score:.2f}"
    if answer.since_start.clear:
        return f"Against the best before training ({start}): {answer.since_start}."
    return f"It is not clearly more than the best before training ({start}): {answer.since_start}."


def _ties(answer: Answer) -> str:
    best, ties = answer.best, answer.ties
    if not ties:
        return f"All other {answer.n_cells - 1:,} cells (layer, epoch, pooling) are clearly behind."
    same_moment = [
        cell.layer
        for cell in ties
        if (cell.snapshot, cell.pooling) == (best.snapshot, best.pooling)
    ]
    if not same_moment:
        clauses = ["No other layer ties with it at that epoch"]
    elif len(same_moment) == 1:
        clauses = [f"Layer {same_moment[0]} ties with it at that epoch"]
    else:
        clauses = [f"Layers {number_ranges(same_moment)} tie with it at that epoch"]
    if elsewhere := len(ties) - len(same_moment):
        link, verb = ("so do", "") if same_moment else ("though", " tie")
        rest = answer.n_cells - 1 - (answer.n_layers - 1)
        clauses.append(
            f"{link} {elsewhere:,} of the {rest:,} cells at other epochs or with other "
            f"poolings{verb}"
        )
    return "; ".join(clauses) + "."


def _last_layer(answer: Answer) -> str:
    """Say how the last layer does, and which layer gained most."""
    clauses = []
    if answer.best.layer != answer.n_layers:
        cell, score = answer.last_layer
        clauses.append(f"the last layer scores {score:.2f} at most ({at_epoch(cell.epoch)})")
    if answer.gained_most is not None:
        layer, gain = answer.gained_most
        if gain.clear and gain.value > 0:
            subject = "it" if clauses and layer == answer.n_layers else f"layer {layer}"
            clauses.append(f"{subject} gained most from fine-tuning ({gain.value:+.2f})")
    return f"{sentence_case('; '.join(clauses))}." if clauses else ""


def _gap(answer: Answer) -> str:
    parts = [f"{gap:.2f} {at_epoch(epoch)}" for epoch, gap in reversed(answer.gaps)]
    if answer.gaps[-1][1] <= 0.005:
        return ""
    return f"Train runs ahead of val by {', '.join(parts)} (layer {answer.best.layer})."


def pooling_sentence(verdict: PoolingVerdict) -> str:
    """Say which pooling serves a snapshot best, and how surely."""
    best = verdict.best
    clear = [(cell, gain) for cell, gain in verdict.against if gain.clear]
    tied = [cell for cell, gain in verdict.against if not gain.clear]
    thoughts = [f"beats {_pooling_and_layer(cell)} by {gain}" for cell, gain in clear]
    if tied:
        thoughts.append(f"ties with {' and '.join(map(_pooling_and_layer, tied))}")
    thoughts = thoughts or ["is the only pooling"]
    lead = f"{sentence_case(at_epoch(best.epoch))}, each at its best layer:"
    return f"{lead} {_pooling_and_layer(best)} {', and '.join(thoughts)}."


def _pooling_and_layer(cell: Cell) -> str:
    return f"{pooling_label(cell.pooling)} (layer {cell.layer})"


# --- closer questions -------------------------------------------------------------------------


def overfitting_sentence(table: pd.DataFrame, layer: int) -> str:
    """Say when to stop by one layer, and in which layers val falls after its peak.

    Parameters
    ----------
    table : DataFrame
        Of `comparing.overfitting`.
    layer : int
    """
    (row,) = table[table["layer"] == layer].to_dict("records")
    peak = f"For layer {layer}, val is highest {at_epoch(row['peak'])};"
    if row["stop"] < row["peak"]:
        stop = f"{at_epoch(row['stop'])} it is not clearly lower: stop there."
    else:
        stop = "at every earlier epoch it is clearly lower: stop there."
    worse = table["layer"][table["verdict"] == "overfits"].tolist()
    fall = "In no layer does val fall clearly after its peak."
    if worse:
        fall = f"After its peak, val falls clearly in {layer_list(worse)}."
    return f"{peak} {stop} {fall}"


MIX_VERBS = {"concatenate": "concatenated", "average": "averaged", "scalar mix": "mixed"}


def mix_sentence(mix: LayerMix, rival: str) -> str:
    """Say how a mix of layers does against a single layer, which `rival` names."""
    verb = MIX_VERBS[mix.how] if len(mix.layers) > 1 else "alone"
    weights = ""
    if mix.how == "scalar mix" and len(mix.layers) > 1:
        weights = f" with weights {', '.join(f'{weight:.2f}' for weight in mix.weights)}"
    gain = f"{mix.difference:+.3f} ({mix.low:+.3f} to {mix.high:+.3f}, paired)"
    verdict = "a real gain" if mix.better else "a loss" if mix.high < 0 else "a tie"
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
