"""A comparison in sentences."""

from __future__ import annotations

from layerviz.comparison.scoring import Comparison, Standing
from layerviz.poolings import pooling_label
from layerviz.separability import shortage
from layerviz.wording import at_epoch, enumeration, number_ranges


def comparison_sentences(comparison: Comparison) -> list[str]:
    """Return what to tell people, one thought each, without markup."""
    best = comparison.best
    if comparison.verdict == "chance":
        return [
            "No encoder tells the classes apart on val better than chance: the best layer of all "
            f"scores macro-F1 {best.val}, and with shuffled labels the best would score as high in "
            f"{comparison.p_chance:.0%} of all cases."
        ]
    if comparison.verdict == "few":
        few = shortage(comparison.n_val, *comparison.smallest_class)
        return [
            f"Too few examples to say which encoder does better: {few}.",
            f"The highest score is that of {best.name}: val macro-F1 {best.val}.",
        ]
    others = sorted(
        (s for s in comparison.standings if s.lead is not None), key=lambda s: s.lead.value
    )
    tied = [standing for standing in others if standing.tied]
    names = enumeration([standing.name for standing in tied])
    verb = f"scores highest, not clearly above {names}" if tied else "separates the classes best"
    said = [f"{best.name} {verb}: val macro-F1 {best.val}, {best_cell_name(best)}."]
    said += [_tie(best, other) for other in tied]
    said += [_defeat(best, other) for other in others if not other.tied]
    said += [
        f"{standing.name} is at its best before training: no epoch of fine-tuning made any of its "
        "layers score higher."
        for standing in (best, *others)
        if standing.best.epoch == 0 and standing.last_epoch > 0
    ]
    if best.test is not None:
        scores = ", ".join(
            f"{standing.name} {standing.test}" for standing in (best, *others) if standing.test
        )
        said.append(f"On test, which played no part in any choice: {scores}.")
    return said


def best_cell_name(standing: Standing) -> str:
    """Name a contender's best cell: "layer 9 of 12 at epoch 3, mean pooling"."""
    best = standing.best
    pooling = f"{pooling_label(best.pooling)} pooling"
    return f"layer {best.layer} of {standing.n_layers} {at_epoch(best.epoch)}, {pooling}"


def seeds_note(comparison: Comparison) -> str:
    """Say what the intervals cover."""
    if all(len(standing.seeds) > 1 for standing in comparison.standings):
        counts = sorted({len(standing.seeds) for standing in comparison.standings})
        n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        return f"Means of {n} seeds; the intervals cover both val examples and seeds."
    if any(len(standing.seeds) > 1 for standing in comparison.standings):
        return (
            "Where there are several seeds, means of them; where there is one, another may move "
            "scores by more than the interval says."
        )
    return "One training run each: another seed may move scores by more than the intervals say."


def _tie(best: Standing, other: Standing) -> str:
    fewer = ""
    if other.n_layers < best.n_layers:
        fewer = f", with {other.n_layers} layers instead of {best.n_layers}"
    if other.lead.value == other.lead.low == other.lead.high == 0:
        return f"{other.name} ties with it exactly{fewer}."
    return f"{other.name} ties with it{fewer} (behind by {_margin(other)})."


def _defeat(best: Standing, other: Standing) -> str:
    layers = other.beaten_by
    which = f"layer {layers[0]}" if len(layers) == 1 else f"layers {number_ranges(layers)}"
    verb = "beats" if len(layers) == 1 else "beat"
    top = "" if len(layers) == 1 else f", layer {best.best.layer}"
    return (
        f"{best.name}'s {which} {verb} the best of {other.name} (layer {other.best.layer} of "
        f"{other.n_layers}, {other.val.value:.2f}){top} by {_margin(other)}."
    )


def _margin(other: Standing) -> str:
    lead = other.lead
    return f"{lead.value:.2f} ({lead.low:.2f} to {lead.high:.2f})"
