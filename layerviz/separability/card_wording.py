"""The answer card: a few short lines, each with how sure it is; and the figures, each by its name.

Everything that a reader should know first. What is behind it is in `wording.detail_sentences`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from layerviz.poolings import pooling_label
from layerviz.separability.answering import Answer
from layerviz.separability.confusing import ConfusedPair
from layerviz.separability.depth import FINE_EXAMPLES, DepthDecision
from layerviz.separability.epochs import MARGIN
from layerviz.separability.scored_cells import Score
from layerviz.separability.sheet import AnswerSheet, OwnClassifier
from layerviz.separability.wording import in_how_many, repeats_clause, shortage_of
from layerviz.wording import (
    at_epoch,
    cut_to,
    enumeration,
    epoch_list,
    epoch_name,
    layer_list,
    sentence_case,
)

Question = Literal["layer", "epoch", "pooling", "confusion", "depth"]
NO_WINNER, RECOMMENDED = "No clear winner", "recommended"
OWN = "the model's own predictions"
LONGEST_CLASS_NAME = 28  # characters


@dataclass(frozen=True)
class CardLine:
    """One line of the card.

    Parameters
    ----------
    question : {"layer", "epoch", "pooling", "confusion", "depth"}
        What it answers; a page knows by it where the evidence is.
    name, value, certainty : str
        What it is about, the answer, and how sure that is; without markup.
    is_winner : bool
        Whether the answer is certainly better than all others.
    """

    question: Question
    name: str
    value: str
    certainty: str
    is_winner: bool = False

    def __str__(self) -> str:
        return f"{self.name}: {'; '.join(filter(None, [self.value, self.certainty]))}"


LINE_NAMES: dict[Question, str] = {
    "layer": "Best layer",
    "epoch": "Stop at",
    "pooling": "Pooling",
    "confusion": "Most confused",
    "depth": "Enough layers",
}


def card_lines(
    sheet: AnswerSheet, margin: float = MARGIN, *, live: bool = False
) -> tuple[CardLine, ...]:
    """Return the lines of the card, always the same number.

    Parameters
    ----------
    sheet : AnswerSheet
    margin : float
        The loss of macro-F1 that is given away for fewer layers.
    live : bool
        Whether the run is still going on.
    """
    layer = _layer(sheet.answer)
    if live:
        so_far = f"so far, {sheet.n_measured} of {sheet.n_planned} snapshots"
        certainty = "; ".join(filter(None, [so_far, layer.certainty]))
        layer = CardLine("layer", layer.name, layer.value, certainty)
    return (
        layer,
        _epoch(sheet, live=live),
        _pooling(sheet),
        _confusion(sheet.own),
        _depth(sheet, margin),
    )


def _line(
    question: Question, value: str, certainty: str = "", *, is_winner: bool = False
) -> CardLine:
    return CardLine(question, LINE_NAMES[question], value, certainty, is_winner)


# --- which layer ------------------------------------------------------------------------------


def _layer(answer: Answer) -> CardLine:
    if answer.verdict == "chance":
        share = in_how_many(answer.p_chance)
        return _line(
            "layer",
            "None does better than chance",
            f"with shuffled labels, the best of all layers would do as well in {share} of cases",
        )
    if answer.verdict == "few":
        return _line(
            "layer",
            "Too few val examples to say",
            f"{shortage_of(answer)}; highest: layer "
            f"{answer.best.layer}, macro-F1 {answer.val.with_interval}",
        )
    if answer.verdict == "ranks":
        auc = "" if answer.auc is None else f": AUC {answer.auc.with_interval}"
        return _line(
            "layer",
            "None predicts better than chance",
            f"layer {answer.best.layer} ranks the classes better{auc}; use balanced weights",
        )
    best = answer.best
    as_it_was = " as it was before training" if answer.is_from_before_training else ""
    if answer.n_layers == 1:
        return _line("layer", f"Layer 1{as_it_was}", f"the only one; {worth(answer)}")
    layers = answer.layers_that_may_be_best
    if len(layers) == 1:
        return _line(
            "layer",
            f"Layer {best.layer}{as_it_was}",
            f"clearly the best (95 % confidence); {worth(answer)}",
            is_winner=True,
        )
    which = layer_list(layers, "or")
    if len(layers) == answer.n_layers:
        which = f"any of the {answer.n_layers} layers"
    take = f"{RECOMMENDED}: layer {best.layer}{as_it_was}"
    return _line("layer", f"{NO_WINNER}: {which}", f"{take}; {worth(answer)}")


def worth(answer: Answer) -> str:
    """Say what to expect of the recommended layer, by test where there is one."""
    return f"{_worth(answer)}; {repeats}" if (repeats := repeats_clause(answer)) else _worth(answer)


def _worth(answer: Answer) -> str:
    if answer.test is not None:
        return _worth_on("test", answer.test)
    if answer.val.value == 1:
        return (
            f"no mistakes in {answer.val.n:,} val examples; expect at least "
            f"{answer.unseen.low_end} on unseen data"
        )
    value, interval = answer.unseen.value_and_interval
    return f"expect macro-F1 {value} on unseen data ({interval})"


def _worth_on(split: str, score: Score) -> str:
    if score.value == 1:
        least = f"at least {score.low_end} (95 % confidence)"
        return f"no mistakes in {score.n:,} {split} examples, so {least}"
    value, interval = score.value_and_interval
    return f"macro-F1 {value} on {split} ({interval})"


# --- when to stop -----------------------------------------------------------------------------


def _epoch(sheet: AnswerSheet, *, live: bool) -> CardLine:
    answer = sheet.answer
    if not sheet.trains:
        return _line("epoch", "Nothing was trained", "this is the model as it is")
    if answer.verdict != "found":
        return _line("epoch", "Nothing to go by", "see the first line")
    best, marginal = answer.best.epoch, answer.marginals.epochs
    if len(marginal.levels) == 1:
        return _line("epoch", "Only one snapshot", f"captured {at_epoch(best)}; nothing to compare")
    epochs = sorted({best, *marginal.may_be_best})
    names = epoch_list(epochs, "or")
    if best == 0:
        sure = (
            "before training is clearly the best moment (95 % confidence)"
            if len(epochs) == 1
            else f"{names} may be the best (95 % confidence)"
        )
        return _line(
            "epoch", "Use the model as it is", f"fine-tuning did not help on this val: {sure}"
        )
    helped = "" if answer.helped else "; whether fine-tuning helped is not certain"
    if len(epochs) == 1:
        more = ""
        if best == marginal.levels[-1] and not live:
            more = "; it is the last, so more epochs may do better still"
        value = sentence_case(epoch_name(best))
        return _line(
            "epoch",
            value,
            f"clearly the best moment (95 % confidence){helped}{more}",
            is_winner=True,
        )
    return _line("epoch", f"{NO_WINNER}: {names}", f"{RECOMMENDED}: {epoch_name(best)}{helped}")


# --- which pooling ----------------------------------------------------------------------------


def _pooling(sheet: AnswerSheet) -> CardLine:
    answer = sheet.answer
    best = pooling_label(answer.best.pooling)
    if len(sheet.poolings) == 1:
        only = "the only one captured" if sheet.n_poolings == 1 else "the only one searched"
        return _line("pooling", sentence_case(best), only)
    if answer.verdict != "found":
        return _line("pooling", "Nothing to go by", "see the first line")
    marginal = answer.marginals.poolings
    on_average = [pooling_label(name) for name in marginal.may_be_best]
    if marginal.may_be_best == (answer.best.pooling,):
        sure = "clearly the best (95 % confidence)"
        return _line("pooling", sentence_case(best), sure, is_winner=True)
    if answer.best.pooling not in marginal.may_be_best:
        names = enumeration(on_average, "or")
        return _line(
            "pooling",
            f"{sentence_case(best)} for layer {answer.best.layer}",
            f"averaged over layers and epochs, {names} is better (95 % confidence)",
        )
    names = enumeration(on_average, "or")
    return _line("pooling", f"{NO_WINNER}: {names}", f"{RECOMMENDED}: {best}")


# --- which classes ----------------------------------------------------------------------------


def _confusion(own: OwnClassifier) -> CardLine:
    if own.is_untrained:
        return _line("confusion", "Nothing to go by", "the classification head is untrained")
    pair = own.confused
    if pair is None:
        value = f"No mistakes in {own.val.n:,} val examples"
        return _line("confusion", value, f"{OWN}, {epoch_name(own.epoch)}")
    figures = f"{_percents(pair)} in {OWN} on val"
    if pair.stands_out:
        sure = f"{figures}; clearly the most (95 % confidence)"
        return _line("confusion", _taken_for(pair), sure, is_winner=True)
    return _line("confusion", "No pair stands out", f"highest: {_taken_for(pair)}, {figures}")


def _taken_for(pair: ConfusedPair) -> str:
    one, other = (cut_to(name, LONGEST_CLASS_NAME) for name in (pair.label, pair.predicted))
    return f"{one} → {other}"


def _percents(pair: ConfusedPair) -> str:
    share, low, high = (f"{100 * part:.0f}" for part in (pair.share, pair.low, pair.high))
    n_taken = round(pair.share * pair.n_label)
    return f"{n_taken:,} of {pair.n_label:,} ({share} %; {low}–{high} %)"


# --- how many layers --------------------------------------------------------------------------


def _depth(sheet: AnswerSheet, margin: float) -> CardLine:
    answer, decision = sheet.answer, sheet.decision(margin)
    if answer.verdict != "found":
        return _line("depth", "Nothing to go by", "see the first line")
    if decision is None:
        return _line(
            "depth",
            "Not known before training" if sheet.trains else "Not known without training",
            "an untrained classification head predicts nothing to compare with",
        )
    return _line("depth", *_decision(decision))


def _decision(decision: DepthDecision) -> tuple[str, str]:
    n, within = decision.n_layers, f"within {decision.margin:.2f}"
    if n == 1:
        return "All", "the encoder has a single layer"
    if decision.cell is not None:
        k = decision.cell.layer
        value = f"The first {k} of {n}" if k > 1 else f"The first of {n}"
        return value, f"{within} macro-F1 of the whole model (95 % confidence)"
    if decision.too_fine:
        return "Cannot tell", f"{within} takes {FINE_EXAMPLES:,} val examples or more"
    would = ""
    if decision.needed is not None:
        would = f"; about {decision.needed:,} would"
    return (
        "Cannot tell",
        f"whether fewer do, {within}: {decision.n:,} val examples are too few{would}",
    )


# --- the figures --------------------------------------------------------------------------------


@dataclass(frozen=True)
class SheetFigure:
    """One of the figures that belong to an answer.

    Parameters
    ----------
    name : str
        Which it is; no two figures have one name.
    score : Score
        Macro-F1.
    note : str
        What it is for, in a sentence.
    """

    name: str
    score: Score
    note: str


UNSEEN = "Expected on unseen data"
PICKED_ON_VAL, PICKED_ON_TEST = "Best layer on this val", "Best layer on test"
OWN_ON_VAL, OWN_ON_TEST = "Model's own predictions on this val", "Model's own predictions on test"


def sheet_figures(sheet: AnswerSheet) -> tuple[SheetFigure, ...]:
    """Return the figures of an answer, all macro-F1, so that no two seem to be the same thing."""
    answer, own = sheet.answer, sheet.own
    cell = (
        f"layer {answer.best.layer} {at_epoch(answer.best.epoch)}, "
        f"{pooling_label(answer.best.pooling)} pooling"
    )
    whose = f"What the model itself predicts, {at_epoch(own.epoch)}"
    figures = []
    if answer.verdict == "found":
        figures = [
            SheetFigure(
                UNSEEN,
                answer.unseen,
                f"The probe of {cell}, corrected for having been picked from "
                f"{answer.n_cells:,} by its score on this val.",
            ),
            SheetFigure(
                PICKED_ON_VAL,
                answer.val,
                "The same probe as it was measured: the score that picked it, and flatters it.",
            ),
        ]
        if answer.test is not None:
            figures.append(
                SheetFigure(
                    PICKED_ON_TEST,
                    answer.test,
                    "The same probe on examples that had no part in any choice.",
                )
            )
    figures.append(SheetFigure(OWN_ON_VAL, own.val, f"{whose}; no layer is picked for it."))
    if own.test is not None:
        figures.append(
            SheetFigure(
                OWN_ON_TEST, own.test, f"{whose}, on examples that had no part in training."
            )
        )
    return tuple(figures)
