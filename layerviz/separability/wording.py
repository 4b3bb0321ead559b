"""The answer and the decision in sentences, and the words that they share with a comparison's."""

from __future__ import annotations

from layerviz.poolings import pooling_label
from layerviz.separability.answering import Answer
from layerviz.separability.depth import FINE_EXAMPLES, DepthDecision
from layerviz.separability.marginals import GAP_TO_TELL
from layerviz.separability.resampling import FEW_EXAMPLES, few_different_texts
from layerviz.separability.scored_cells import Cell
from layerviz.wording import (
    at_epoch,
    count,
    enumeration,
    epoch_list,
    epoch_name,
    layer_list,
    number_ranges,
    quote,
    sentence_case,
    signed,
)


def shortage(n: int, smallest: str, n_smallest: int, n_texts: int = 0) -> str:
    """Say what val has too few of: different texts, examples, or those of its smallest class."""
    if few_different_texts(n_texts, n):
        return f"only {count(n_texts, 'different text')} in {count(n, 'val example')}"
    if n < FEW_EXAMPLES:
        return f"only {count(n, 'val example')}"
    return f"only {count(n_smallest, 'val example')} of the class {quote(smallest)}"


def shortage_of(answer: Answer) -> str:
    """Say what the val of an answer has too few of."""
    return shortage(answer.val.n, *answer.smallest_class, answer.n_texts)


def repeats_clause(answer: Answer) -> str:
    """Say that val repeats its texts; nothing where it does not."""
    if not answer.repeats_texts:
        return ""
    return f"val has only {count(answer.n_texts, 'different text')}, so this is less sure than said"


# --- in sight: at most two sentences ------------------------------------------------------------


def lead_sentences(answer: Answer, decision: DepthDecision | None = None) -> list[str]:
    """Return the answer and the decision: at most two sentences, without markup."""
    if answer.verdict == "chance":
        return [_chance(answer)]
    if answer.verdict == "few":
        return [
            f"Too few examples to say which layer generalises best: {shortage_of(answer)}.",
            f"The highest score is that of {cell_name(answer.best)}: val macro-F1 {answer.val}.",
        ]
    if answer.verdict == "ranks":
        return _ranks(answer)
    return [_recommendation(answer), *([decision_sentence(decision)] if decision else [])]


def _recommendation(answer: Answer) -> str:
    best = answer.best
    figures = _figures_in_sight(answer)
    where = f"{at_epoch(best.epoch)}, {pooling_label(best.pooling)} pooling"
    rest = _not_clearly_worse(answer)
    if repeats := repeats_clause(answer):
        rest += f"; {repeats}"
    if len(answer.marginals.epochs.levels) == 1 and best.epoch == 0:
        pooling = f"{pooling_label(best.pooling)} pooling"
        return f"In the encoder as it is, layer {best.layer} does best, {pooling}: {figures}{rest}."
    if best.epoch == 0:
        return (
            "Fine-tuning did not help on this val. Use the model as it was, layer "
            f"{best.layer} {where}: {figures}{rest}."
        )
    return f"Take layer {best.layer} {where}: {figures}{rest}."


def _figures_in_sight(answer: Answer) -> str:
    """Say what the recommended layer is worth: on test where there is one, else on unseen data."""
    if (test := answer.test) is not None:
        if test.value == 1:
            return f"no mistakes in {test.n:,} test examples, so at least {test.low_end} (95 %)"
        value, interval = test.value_and_interval
        return f"{value} macro-F1 on test ({interval}, {test.n:,} examples)"
    if answer.val.value == 1:
        return (
            f"no mistakes in {answer.val.n:,} val examples; expect at least "
            f"{answer.unseen.low_end} macro-F1 on unseen data"
        )
    value, interval = answer.unseen.value_and_interval
    return (
        f"expect about {value} macro-F1 on unseen data ({interval}, from {answer.unseen.n:,} "
        "val examples)"
    )


def _not_clearly_worse(answer: Answer) -> str:
    """Say which other layers may be as good, as far as val can tell."""
    if not answer.ties:
        return "; it is clearly the best"
    others = [layer for layer in answer.layers_that_may_be_best if layer != answer.best.layer]
    if not others:
        return "; it is clearly the best layer"
    if len(others) == answer.n_layers - 1 > 1:
        return "; no other layer is clearly worse"
    verb = "is" if len(others) == 1 else "are"
    return f"; {layer_list(others)} {verb} not clearly worse"


def decision_sentence(decision: DepthDecision) -> str:
    """Say how many layers are enough, or that val cannot tell."""
    margin = f"{decision.margin:.2f}"
    if decision.cell is not None:
        k = decision.cell.layer
        subject = f"Layers 1–{k} of {decision.n_layers} are" if k > 1 else "Layer 1 alone is"
        if k == 2:
            subject = f"Layers 1 and 2 of {decision.n_layers} are"
        return (
            f"{subject} enough: the fewest shown to stay within {margin} macro-F1 of the whole "
            "model (95 % confidence)."
        )
    if decision.too_fine:
        return (
            f"How many layers are enough to within {margin} takes {FINE_EXAMPLES:,} val examples "
            f"or more to say, and there are {decision.n:,}."
        )
    start = f"Whether fewer than {decision.n_layers} layers are enough, within {margin},"
    if decision.n_layers == 1:
        return "The encoder has a single layer: there is none to leave out."
    if decision.needed is None:
        return f"{start} these {decision.n:,} val examples cannot tell."
    return (
        f"{start} these {decision.n:,} val examples cannot tell; about {decision.needed:,} would."
    )


def in_how_many(p: float) -> str:
    """Write a p-value as a share of cases: "4 %", or "less than 1 %"."""
    return "less than 1 %" if p < 0.01 else f"{100 * p:.0f} %"


def _chance(answer: Answer) -> str:
    share = in_how_many(answer.p_chance)
    if answer.auc is not None:
        return (
            "No layer tells the classes apart on val better than chance: with shuffled labels, the "
            f"best of {answer.n_cells:,} cells would rank them as well in {share} of all cases."
        )
    return (
        f"No layer tells the classes apart on val better than chance: the best of "
        f"{answer.n_cells:,} cells scores macro-F1 {answer.val}, and with shuffled labels the "
        f"best would score as high in {share} of all cases."
    )


def _ranks(answer: Answer) -> list[str]:
    name, n = answer.smallest_class
    auc = "" if answer.auc is None else f" (AUC {answer.auc.with_interval})"
    return [
        f"{sentence_case(cell_name(answer.best))} ranks the classes better than chance{auc}, but "
        f"its predictions are no better than chance: macro-F1 {answer.val.with_interval}.",
        f"With {n:,} of {answer.val.n:,} val examples in {quote(name)}, train with balanced class "
        "weights, or choose a threshold of your own.",
    ]


def cell_name(cell: Cell) -> str:
    """Name a cell: "layer 9 at epoch 3, mean pooling"."""
    return f"layer {cell.layer} {at_epoch(cell.epoch)}, {pooling_label(cell.pooling)} pooling"


# --- one click away -------------------------------------------------------------------------------


def answer_sentences(answer: Answer, decision: DepthDecision | None = None) -> list[str]:
    """Return all that is said of an answer: what is in sight, then the details."""
    return [*lead_sentences(answer, decision), *detail_sentences(answer, decision)]


def detail_sentences(answer: Answer, decision: DepthDecision | None = None) -> list[str]:
    """Return the evidence behind an answer, one thought each, without markup."""
    if answer.verdict != "found":
        return []
    thoughts = [
        _figures(answer),
        *_on_test(answer),
        _layers(answer),
        _epochs(answer),
        _poolings(answer),
        _all_cells(answer),
        _examples_to_tell(answer),
        _since_start(answer),
        _gains(answer),
        _last_layer(answer),
        _gap(answer),
        "" if decision is None else _whole_model(decision),
    ]
    return [thought for thought in thoughts if thought]


def _figures(answer: Answer) -> str:
    """Say which figure is which."""
    pooling = f"{pooling_label(answer.best.pooling)} pooling"
    auc = "" if answer.auc is None else f"; macro one-vs-rest AUC {answer.auc.with_interval}"
    return (
        f"On this val, layer {answer.best.layer} with {pooling} scores macro-F1 {answer.val}{auc}. "
        f"It was picked from {answer.n_cells:,} combinations of layer, epoch and pooling by that "
        f"score, which flatters it: corrected, val makes one expect {answer.unseen.with_interval}."
    )


def _on_test(answer: Answer) -> list[str]:
    """Say what the best cell scores on examples that had no part in choosing it."""
    if answer.test is None or answer.test_minus_unseen is None:
        return []
    thoughts = [f"On test, which played no part in the choice, it scores {answer.test}."]
    if answer.test_minus_unseen.high < 0:
        thoughts.append(
            f"That is {-answer.test_minus_unseen.value:.2f} less than val made one expect: test "
            "does not resemble val and train."
        )
    return thoughts


def _layers(answer: Answer) -> str:
    marginals = answer.marginals
    if answer.n_layers < 2:
        return ""
    slope = ""
    if marginals.slope.clear:
        worth = marginals.slope
        slope = (
            f" A straight line over depth changes by {signed(worth.value)} a layer "
            f"({signed(worth.low)} to {signed(worth.high)})."
        )
    when = "Averaged over epochs and poolings,"
    layers = marginals.layers
    if not layers.excluded:
        return f"{when} any layer may be the best.{slope}"
    if len(layers.may_be_best) == 1:
        return f"{when} layer {layers.may_be_best[0]} is the best (95 %).{slope}"
    return (
        f"{when} the best layer is one of {number_ranges(layers.may_be_best)}, not "
        f"{number_ranges(layers.excluded)} (95 %).{slope}"
    )


def _epochs(answer: Answer) -> str:
    epochs = answer.marginals.epochs
    if len(epochs.levels) < 2:
        return ""
    when = "Averaged over layers and poolings,"
    if not epochs.excluded:
        return f"{when} any moment may be the best, before training included."
    kept = epoch_list(epochs.may_be_best, "or")
    if len(epochs.may_be_best) > 1 and 0 not in epochs.may_be_best:
        kept = f"one of {epoch_list(epochs.may_be_best)}"
    excluded = epoch_list(epochs.excluded, "or")
    return f"{when} the best moment is {kept}, not {excluded} (95 %)."


def _poolings(answer: Answer) -> str:
    poolings = answer.marginals.poolings
    if len(poolings.levels) < 2:
        return ""
    names = [pooling_label(name) for name in poolings.may_be_best]
    when = "Averaged over layers and epochs,"
    if not poolings.excluded:
        return f"{when} val cannot tell {enumeration(names)} pooling apart."
    excluded = enumeration([pooling_label(name) for name in poolings.excluded], "or")
    return f"{when} the best pooling is {enumeration(names, 'or')}, not {excluded} (95 %)."


def _all_cells(answer: Answer) -> str:
    if not answer.ties:
        return f"It is the best of all {answer.n_cells:,} combinations (95 %)."
    return (
        f"Of the other {answer.n_cells - 1:,} combinations, {len(answer.ties):,} may be just as "
        "good."
    )


def _examples_to_tell(answer: Answer) -> str:
    needed = answer.marginals.examples_to_tell
    if len(answer.marginals.layers.may_be_best) < 2 or needed <= answer.val.n:
        return ""
    return (
        f"To rank two layers that differ by {GAP_TO_TELL:.2f}, you would need about {needed:,} "
        f"val examples; there are {answer.val.n:,}."
    )


def _since_start(answer: Answer) -> str:
    """Say what fine-tuning gained."""
    if answer.since_start is None:
        return ""
    cell, score = answer.start
    start = f"layer {cell.layer}, {pooling_label(cell.pooling)} pooling, {score:.2f}"
    gain = f"The gain over the best probe before training ({start}) is {answer.since_start}"
    if answer.since_start.low > 0 or answer.helped:
        return f"{gain}: fine-tuning helped."
    return f"{gain}: it is not certain that fine-tuning helped."


def _gains(answer: Answer) -> str:
    """Say in which layers fine-tuning certainly changed the score."""
    gains = answer.gains
    if gains is None or not (gains.gained or gains.lost):
        return ""
    pooling = pooling_label(answer.best.pooling)
    clauses = []
    if gains.gained:
        clauses.append(f"a gain since before training is certain for {layer_list(gains.gained)}")
    if gains.lost:
        clauses.append(f"a loss since before training is certain for {layer_list(gains.lost)}")
    largest = ""
    if 0 < len(gains.largest) < len(gains.gained):
        one_of = "one of " if len(gains.largest) > 1 else ""
        largest = f"; the largest gain is in {one_of}{layer_list(gains.largest)}"
    subject = f"With {pooling} pooling at {epoch_name(answer.best.epoch)},"
    return f"{subject} {' and '.join(clauses)} (95 %){largest}."


def _last_layer(answer: Answer) -> str:
    """Say how the last layer does."""
    if answer.best.layer == answer.n_layers:
        return ""
    cell, score = answer.last_layer
    pooling = pooling_label(cell.pooling)
    return (
        f"The last layer's highest {pooling} score on val is {score:.2f}, {at_epoch(cell.epoch)}."
    )


def _gap(answer: Answer) -> str:
    parts = [f"{gap:.2f} {at_epoch(epoch)}" for epoch, gap in reversed(answer.gaps)]
    if answer.gaps[-1][1] <= 0.005:
        return ""
    return f"The probe on layer {answer.best.layer} does better on train by {', '.join(parts)}."


def _whole_model(decision: DepthDecision) -> str:
    """Say what the decision compares with what."""
    lead = (
        f"By its own predictions, the whole model scores {decision.reference:.2f} on val "
        f"{at_epoch(decision.reference_epoch)}"
    )
    if decision.cell is None or decision.loss is None:
        return f"{lead}."
    loss = decision.loss
    pooling = pooling_label(decision.cell.pooling)
    return (
        f"{lead}. Cut off after layer {decision.cell.layer}, with a logistic regression on "
        f"{pooling} as its head, it scores {signed(loss.value)} against that, and at worst "
        f"{signed(loss.low)} (95 %)."
    )
