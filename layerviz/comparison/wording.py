"""A comparison in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from layerviz.comparison.standings import Comparison, Standing
from layerviz.poolings import pooling_label
from layerviz.separability import Difference, shortage
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
    others = [
        (standing, standing.lead) for standing in comparison.standings if standing.lead is not None
    ]
    others.sort(key=lambda pair: pair[1].value)
    names = enumeration([standing.name for standing, _ in others if standing.tied])
    verb = f"scores highest, not clearly above {names}" if names else "separates the classes best"
    in_order = [best, *(standing for standing, _ in others)]
    return [
        f"{best.name} {verb}: val macro-F1 {best.val}, {best_cell_name(best)}.",
        *(_tie(best, standing, lead) for standing, lead in others if standing.tied),
        *(_defeat(best, standing, lead) for standing, lead in others if not standing.tied),
        *(_best_before_training(standing) for standing in in_order if _never_improved(standing)),
        *_on_test(in_order),
    ]


def _never_improved(standing: Standing) -> bool:
    return standing.best.epoch == 0 and standing.last_epoch > 0


def _best_before_training(standing: Standing) -> str:
    return (
        f"{standing.name} is at its best before training: no epoch of fine-tuning made any of its "
        "layers score higher."
    )


def _on_test(standings: Sequence[Standing]) -> list[str]:
    """Say what the contenders score on test, the best one first; nothing where it has no score."""
    if standings[0].test is None:
        return []
    scores = [f"{standing.name} {standing.test}" for standing in standings if standing.test]
    return [f"On test, which played no part in any choice: {', '.join(scores)}."]


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


def _tie(best: Standing, other: Standing, lead: Difference) -> str:
    fewer = ""
    if other.n_layers < best.n_layers:
        fewer = f", with {other.n_layers} layers instead of {best.n_layers}"
    if lead.value == lead.low == lead.high == 0:
        return f"{other.name} ties with it exactly{fewer}."
    return f"{other.name} ties with it{fewer} (behind by {_margin(lead)})."


def _defeat(best: Standing, other: Standing, lead: Difference) -> str:
    layers = other.beaten_by
    subject, verb, top = f"layer {layers[0]}", "beats", ""
    if len(layers) > 1:
        subject, verb = f"layers {number_ranges(layers)}", "beat"
        top = f", layer {best.best.layer}"
    return (
        f"{best.name}'s {subject} {verb} the best of {other.name} (layer {other.best.layer} of "
        f"{other.n_layers}, {other.val.value:.2f}){top} by {_margin(lead)}."
    )


def _margin(lead: Difference) -> str:
    return f"{lead.value:.2f} ({lead.low:.2f} to {lead.high:.2f})"
