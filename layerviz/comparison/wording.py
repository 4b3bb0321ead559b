"""A comparison in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from layerviz.comparison.depth import DepthMatch
from layerviz.comparison.standings import Comparison, Standing
from layerviz.poolings import pooling_label
from layerviz.separability import GAP_TO_TELL, Difference, in_how_many, shortage
from layerviz.wording import at_epoch, count, decimal, enumeration, layer_list, quote, signed

ANOTHER_SEED = "another seed may turn that round"


def comparison_sentences(comparison: Comparison) -> list[str]:
    """Return all that is said of a comparison: what is in sight, then the details."""
    return [*comparison_lead(comparison), *comparison_details(comparison)]


# --- in sight: at most three sentences ----------------------------------------------------------


def comparison_lead(comparison: Comparison) -> list[str]:
    """Return which encoder does better, and what follows: at most three sentences, without markup.

    The first one is the first of the table: what ranks them is the score on unseen data. Where
    another column of the table has another one ahead, that is said.
    """
    first = comparison.ranked[0]
    if comparison.verdict == "chance":
        return [_chance(comparison)]
    if comparison.verdict == "few":
        few = shortage(comparison.n_val, *comparison.smallest_class, comparison.n_texts)
        return [
            f"Too few examples to say which encoder does better: {few}.",
            f"{first.name} comes first with about {first.unseen} macro-F1 on unseen data.",
            *_otherwise(comparison),
        ]
    if comparison.verdict == "ranks":
        return [*_ranks(comparison, first), *_otherwise(comparison)]
    second = [
        *(depth_sentence(match, comparison) for match in comparison.depth[:1]),
        *_to_tell(comparison),
    ]
    return [_first(comparison), *_otherwise(comparison), *second[:1]]


def _otherwise(comparison: Comparison) -> list[str]:
    """Say in which columns of the table another contender is ahead of the first one."""
    first = comparison.ranked[0]
    columns: list[tuple[str, dict[str, float]]] = [
        ("on this val, uncorrected", {one.name: one.val.value for one in comparison.standings}),
        ("on test", {one.name: one.test.value for one in comparison.standings if one.test}),
        ("by its own predictions on val", {one.name: one.head for one in comparison.standings}),
    ]
    ahead: dict[str, list[str]] = {}
    for where, scores in columns:
        top = max(scores, key=lambda name: scores[name], default=first.name)
        if first.name in scores and round(scores[top], 3) > round(scores[first.name], 3):
            figures = f"{scores[top]:.3f} against {scores[first.name]:.3f}"
            ahead.setdefault(top, []).append(f"{where} ({figures})")
    if not ahead:
        return []
    clauses = [f"{name} is ahead {enumeration(places)}" for name, places in ahead.items()]
    return [f"Other figures rank otherwise: {'; '.join(clauses)}."]


def _chance(comparison: Comparison) -> str:
    highest = max(comparison.standings, key=lambda standing: standing.val.value)
    share = in_how_many(comparison.p_chance)
    start = "No encoder tells the classes apart on val better than chance"
    if comparison.by_auc:
        return (
            f"{start}: with shuffled labels, the best layer of all would rank them as well in "
            f"{share} of all cases."
        )
    return (
        f"{start}: the best layer of all scores macro-F1 {highest.val}, and with shuffled labels "
        f"the best would score as high in {share} of all cases."
    )


def _ranks(comparison: Comparison, first: Standing) -> list[str]:
    name, n = comparison.smallest_class
    return [
        "Some layers rank the classes better than chance (AUC), but no encoder's predictions are "
        f"better than chance, so there is nothing to choose by: {first.name} comes first with "
        f"macro-F1 {first.unseen.with_interval} on unseen data.",
        f"With {n:,} of {comparison.n_val:,} val examples in {quote(name)}, train with balanced "
        "class weights, or choose a threshold of your own.",
    ]


def _first(comparison: Comparison) -> str:
    """Say which contender comes out first, and whether it certainly does better."""
    first, *others = comparison.ranked
    tied = [standing for standing in others if standing.tied]
    value, interval = first.unseen.value_and_interval
    figures = f"about {value} macro-F1 on unseen data ({interval}, n = {comparison.n_val:,})"
    subject = _subject([first], comparison)
    if tied:
        return (
            f"{subject} comes out first with {figures}, but val cannot tell it from "
            f"{_object(tied, comparison)}."
        )
    against = f" against {others[0].unseen.value:.2f}" if len(others) == 1 else ""
    caveat = "" if _covers_seeds(comparison) else f"; {ANOTHER_SEED}"
    return f"{subject} does better than {_object(others, comparison)}: {figures}{against}{caveat}."


def depth_sentence(match: DepthMatch, comparison: Comparison) -> str:
    """Say that a shorter encoder does what another one does in full."""
    k, n = match.cell.layer, match.n_layers
    cut = f"with {'its one layer' if n == 1 else f'its {n} layers'}"
    if k < n:
        cut = f"at {k} of {n} layers"
    runs = "" if _covers_seeds(comparison) else "this run of "
    name = f"This run of {match.name}" if runs else match.name
    return (
        f"{name} {cut} does what {runs}{match.other} does at {match.other_layers}: at most "
        f"{match.margin:.2f} macro-F1 below (95 %)."
    )


def _to_tell(comparison: Comparison) -> list[str]:
    """Say what it would take to tell those apart that val cannot."""
    if not any(standing.tied for standing in comparison.ranked[1:]):
        return []
    gap, n = f"{GAP_TO_TELL:.2f}", comparison.examples_to_tell
    if n <= comparison.n_val and not comparison.seeds_weigh_more:
        return []
    if comparison.seeds_weigh_more:
        return [f"To tell {gap} apart, run more seeds: they add more doubt than the val examples."]
    return [
        f"To tell {gap} apart, you would need about {n:,} val examples; there are "
        f"{comparison.n_val:,}."
    ]


def _covers_seeds(comparison: Comparison) -> bool:
    return comparison.seed_deviation is not None


def _subject(standings: Sequence[Standing], comparison: Comparison) -> str:
    names = enumeration([standing.name for standing in standings])
    return names if _covers_seeds(comparison) else f"This run of {names}"


def _object(standings: Sequence[Standing], comparison: Comparison) -> str:
    names = enumeration([standing.name for standing in standings])
    if _covers_seeds(comparison):
        return names
    return f"this run of {names}" if len(standings) == 1 else f"the runs of {names}"


# --- one click away -------------------------------------------------------------------------------


def comparison_details(comparison: Comparison) -> list[str]:
    """Return the evidence behind a comparison, one thought each, without markup."""
    if comparison.verdict != "found":
        return []
    first, *others = comparison.ranked
    pairs = [(standing, standing.lead) for standing in others if standing.lead is not None]
    in_sight = comparison_lead(comparison)
    claims = [
        *(_tie(first, standing, lead) for standing, lead in pairs if standing.tied),
        *(_defeat(first, standing, lead) for standing, lead in pairs if not standing.tied),
        *(_best_before_training(one) for one in comparison.ranked if _never_improved(one)),
    ]
    scope = "" if _covers_seeds(comparison) else "In these runs, "
    thoughts = [
        *(f"{scope}{claim}" for claim in claims),
        *_to_tell(comparison),
        *(depth_sentence(match, comparison) for match in comparison.depth),
        *(_whole_model(match) for match in comparison.depth),
        *(_figures(standing) for standing in comparison.ranked),
        "The scores on this val picked the cells and flatter them; those on unseen data are "
        "corrected for that.",
        *_on_test(comparison.ranked),
        seeds_note(comparison),
    ]
    return [thought for thought in thoughts if thought not in in_sight]


def _tie(first: Standing, other: Standing, lead: Difference) -> str:
    fewer = ""
    if other.n_layers < first.n_layers:
        fewer = f", with {count(other.n_layers, 'layer')} instead of {first.n_layers}"
    return (
        f"{other.name} cannot be told from {first.name}: behind by {margin_of_lead(lead)}{fewer}."
    )


def _defeat(first: Standing, other: Standing, lead: Difference) -> str:
    layers = other.beaten_by
    verb = "beats" if len(layers) == 1 else "beat"
    top = "" if len(layers) == 1 else f", layer {first.best.layer}"
    return (
        f"{first.name}'s {layer_list(layers)} {verb} the best of {other.name} (layer "
        f"{other.best.layer} of {other.n_layers}, about {other.unseen.value:.2f} on unseen "
        f"data){top} by {margin_of_lead(lead)}."
    )


def margin_of_lead(lead: Difference) -> str:
    """Write a lead with its interval: "0.05 (−0.01 to 0.11)", closer where an end is near 0."""
    ends = (lead.value, lead.low, lead.high)
    places = 3 if any(abs(end) < 0.005 for end in ends[1:]) else 2
    value, low, high = (decimal(end, places) for end in ends)
    return f"{value} ({low} to {high})"


def _whole_model(match: DepthMatch) -> str:
    """Say what was held against what."""
    pooling = pooling_label(match.cell.pooling)
    loss, least = signed(match.loss.value), signed(match.loss.low)
    return (
        f"The whole {match.other}, by its own predictions {at_epoch(match.reference_epoch)}, "
        f"scores {match.reference:.2f} on val; a probe on layer {match.cell.layer} of {match.name} "
        f"({at_epoch(match.cell.epoch)}, {pooling} pooling) scores {loss} against "
        f"it, corrected for its pick, and with 95 % confidence not less than {least}."
    )


def _figures(standing: Standing) -> str:
    """Say where a contender is at its best, and which figure is which."""
    return (
        f"{standing.name}: {best_cell_name(standing)}, picked from {standing.n_cells:,} cells; "
        f"{standing.val.with_interval} on this val, about {standing.unseen.with_interval} on "
        "unseen data."
    )


def _never_improved(standing: Standing) -> bool:
    return standing.best.epoch == 0 and standing.last_epoch > 0


def _best_before_training(standing: Standing) -> str:
    return (
        f"{standing.name} is at its best before training: no epoch of fine-tuning made any of its "
        "layers score higher."
    )


def _on_test(standings: Sequence[Standing]) -> list[str]:
    """Say what the contenders score on test, the first one first; nothing where it has no score."""
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
    if comparison.seed_deviation is None:
        return (
            "One training run each: the intervals cover val examples alone, and another seed may "
            "move scores by more than they say."
        )
    counts = sorted({len(standing.seeds) for standing in comparison.standings})
    spread = f"{comparison.seed_deviation:.3f}"
    if counts[0] > 1:
        n = f"{counts[0]}" if len(counts) == 1 else f"{counts[0]} to {counts[-1]}"
        return (
            f"Means of {n} seeds; the intervals cover both val examples and seeds, whose scores "
            f"vary by {spread} (standard deviation, from all encoders together)."
        )
    single = enumeration([one.name for one in comparison.standings if len(one.seeds) == 1])
    return (
        f"Means over the seeds. There is one run of {single}: how much seeds vary there is taken "
        f"from the others ({spread}, standard deviation). The intervals cover val examples and "
        "seeds."
    )
