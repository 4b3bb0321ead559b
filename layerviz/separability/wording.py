"""Answers in sentences, and the words that they share with those of a comparison."""

from __future__ import annotations

from layerviz.poolings import pooling_label
from layerviz.separability.answering import Answer, Cell
from layerviz.separability.comparing import PoolingVerdict
from layerviz.separability.resampling import FEW_EXAMPLES
from layerviz.wording import at_epoch, count, number_ranges, sentence_case


def shortage(n: int, smallest: str, n_smallest: int) -> str:
    """Say what val has too few of: examples, or those of its smallest class."""
    if n < FEW_EXAMPLES:
        return f"only {count(n, 'val example')}"
    return f"only {count(n_smallest, 'val example')} of the class {smallest!r}"


def answer_sentences(answer: Answer) -> list[str]:
    """Return what to tell people, one thought each, without markup."""
    best = answer.best
    where = f"Layer {best.layer} {at_epoch(best.epoch)}"
    others = answer.n_cells - 1
    pooling = f"{pooling_label(best.pooling)} pooling"
    if answer.verdict == "chance":
        return [
            f"No layer tells the classes apart on val better than chance: the best of "
            f"{answer.n_cells:,} cells scores macro-F1 {answer.val}, and with shuffled labels the "
            f"best would score as high in {answer.p_chance:.0%} of all cases."
        ]
    if answer.verdict == "few":
        few = shortage(answer.val.n, *answer.smallest_class)
        return [
            f"Too few examples to say which layer generalises best: {few}.",
            f"The highest score is that of {where[0].lower()}{where[1:]}, {pooling}: val macro-F1 "
            f"{answer.val}.",
        ]
    lead = "generalises best" if not answer.ties else "scores highest"
    tied = (
        f"; {len(answer.ties):,} of the {others:,} other cells tie with it" if answer.ties else ""
    )
    said = [f"{where} {lead}: val macro-F1 {answer.val}, {pooling}{tied}.", _ties(answer)]
    if answer.test is not None:
        said.append(
            f"On test, which played no part in the choice, it scores {answer.test}: the honest "
            "figure."
        )
        if answer.test.high < answer.val.low:
            said.append("That is far below val: test does not resemble val and train.")
    else:
        said.append(
            f"Being the best of {answer.n_cells:,} cells flatters it: on unseen examples such a "
            f"pick earns about {answer.corrected:.2f}."
        )
    if answer.since_start is None:
        said.append("No epoch of fine-tuning made any layer better than that.")
    elif answer.since_start.clear:
        said.append(f"Against the best before training ({_start(answer)}): {answer.since_start}.")
    else:
        said.append(
            f"It is not clearly more than the best before training ({_start(answer)}): "
            f"{answer.since_start}."
        )
    said.append(_last_layer(answer))
    said.append(_gap(answer))
    return [sentence for sentence in said if sentence]


def _start(answer: Answer) -> str:
    cell, score = answer.start
    return f"layer {cell.layer}, {pooling_label(cell.pooling)} pooling, {score:.2f}"


def _ties(answer: Answer) -> str:
    best, ties = answer.best, answer.ties
    if not ties:
        return f"All other {answer.n_cells - 1:,} cells (layer, epoch, pooling) are clearly behind."
    beside = [c.layer for c in ties if (c.snapshot, c.pooling) == (best.snapshot, best.pooling)]
    others = len(ties) - len(beside)
    said = []
    if beside:
        which = (
            f"Layer {beside[0]} ties" if len(beside) == 1 else f"Layers {number_ranges(beside)} tie"
        )
        said.append(f"{which} with it at that epoch")
    else:
        said.append("No other layer ties with it at that epoch")
    if others:
        link = "so do" if beside else "though"
        tie = "" if beside else " tie"
        rest = answer.n_cells - 1 - (answer.n_layers - 1)
        said.append(
            f"{link} {others:,} of the {rest:,} cells at other epochs or with other poolings{tie}"
        )
    return "; ".join(said) + "."


def _last_layer(answer: Answer) -> str:
    said = ""
    if answer.best.layer != answer.n_layers:
        cell, score = answer.last_layer
        said = f"The last layer scores {score:.2f} at most ({at_epoch(cell.epoch)})"
    if answer.gained_most is None:
        return f"{said}." if said else ""
    layer, gain = answer.gained_most
    if not gain.clear or gain.value <= 0:
        return f"{said}." if said else ""
    which = "it" if said and layer == answer.n_layers else f"layer {layer}"
    gained = f"{which} gained most from fine-tuning ({gain.value:+.2f})"
    return f"{said}; {gained}." if said else f"{sentence_case(gained)}."


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
