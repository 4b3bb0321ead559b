"""A run's answer and measures as text, for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from layerviz import runs
from layerviz.poolings import pooling_label
from layerviz.runs import Run
from layerviz.separability.card_wording import card_lines, sheet_figures
from layerviz.separability.collapse import trouble_sentences
from layerviz.separability.depth import DepthDecision
from layerviz.separability.naming import HEAD, LEADING
from layerviz.separability.searching import SearchAnswer, search_sentences
from layerviz.separability.sheet import AnswerSheet
from layerviz.separability.slices import SliceFindings, slices_sentence
from layerviz.separability.untrained import untrained_sentence
from layerviz.separability.wording import answer_sentences, detail_sentences, lead_sentences
from layerviz.wording import epoch_number

REPORT_WIDTH = 96  # characters


def report_table(run: Run, pooling: str) -> pd.DataFrame:
    """Return the probe's macro-F1 with intervals under one pooling, and the head's beside it.

    Returns
    -------
    DataFrame
        ``snapshot``, ``epoch``, ``pooling``, ``layer``, ``split``, ``value``, ``low``, ``high``;
        the rows of the model's own classifier have the pooling ``head`` and the last layer.
    """
    table = runs.read_separability(run.path)
    wanted = (table["measure"] == LEADING) & table["pooling"].isin((pooling, HEAD))
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    table = table[wanted].assign(epoch=table["snapshot"].map(epochs))
    columns = ["snapshot", "epoch", "pooling", "layer", "split", "value", "low", "high"]
    return table[columns].reset_index(drop=True)


def answer_text(
    run: Run,
    sheet: AnswerSheet,
    margin: float,
    table: pd.DataFrame,
    search: SearchAnswer | None = None,
    slices: Sequence[SliceFindings] = (),
) -> str:
    """Return the card, the sentences and a table layer x epoch of val macro-F1, the best marked."""
    answer, decision = sheet.answer, sheet.decision(margin)
    best = answer.best
    lines = [*_card_text(sheet, margin, live=run.live), ""]
    troubles = trouble_sentences(run, runs.read_separability(run.path))
    for sentence in filter(None, [untrained_sentence(run), *troubles]):
        lines += [textwrap.fill(sentence, REPORT_WIDTH), ""]
    lines += [textwrap.fill(line, REPORT_WIDTH) for line in lead_sentences(answer, decision)]
    lines.append("")
    lines += [
        textwrap.fill(line, REPORT_WIDTH, initial_indent="- ", subsequent_indent="  ")
        for line in [
            *detail_sentences(answer, decision),
            *([" ".join(search_sentences(search))] if search else []),
            *(slices_sentence(findings) for findings in slices),
        ]
    ]
    lines += [""] if lines[-1] else []
    n = f"n = {answer.val.n:,}"
    lines.append(f"Val macro-F1 of the linear probe, {pooling_label(best.pooling)} pooling ({n}):")
    val = table[table["split"] == "val"]
    epochs = sorted(val["epoch"].unique())
    lines.append("  layer " + "".join(f"{epoch_number(epoch):>9}" for epoch in epochs) + "  epoch")
    ties = {(c.layer, c.epoch) for c in answer.ties if c.pooling == best.pooling}
    for name, part in (("", val[val["pooling"] != HEAD]), ("head", val[val["pooling"] == HEAD])):
        grid = part.pivot(index="layer", columns="epoch", values="value")
        for layer, row in grid.sort_index(ascending=False).iterrows():
            marked = name != "head" and answer.verdict == "found"
            cells = [
                (f"{value:.3f}" if np.isfinite(value) else "–")
                + ("*" if marked and (layer, epoch) == (best.layer, best.epoch) else "")
                + ("~" if marked and (layer, epoch) in ties else "")
                for epoch, value in row.items()
            ]
            padded = "".join(
                f"{cell:>8} " if cell[-1] not in "*~" else f"{cell:>9}" for cell in cells
            )
            lines.append(f"  {name or layer:>5} {padded}")
    if answer.verdict == "found":
        lines.append("* recommended; ~ may be just as good (95 % confidence set of the best).")
    lines.append("head: the model's own predictions.")
    lines.append(f"All measures: {run.layout.measures}")
    return "\n".join(lines)


def _card_text(sheet: AnswerSheet, margin: float, *, live: bool) -> list[str]:
    """Return the lines of the answer card, and the figures, each by its name."""
    lines = [
        (line.name, "; ".join(filter(None, [line.value, line.certainty])))
        for line in card_lines(sheet, margin, live=live)
    ]
    lines += [
        (figure.name, f"macro-F1 {figure.score.with_interval}, n = {figure.score.n:,}")
        for figure in sheet_figures(sheet)
    ]
    width = max(len(name) for name, _ in lines) + 2
    return [
        textwrap.fill(
            text, REPORT_WIDTH, initial_indent=f"{name:<{width}}", subsequent_indent=" " * width
        )
        for name, text in lines
    ]


def answer_values(
    sheet: AnswerSheet,
    margin: float,
    search: SearchAnswer | None = None,
    slices: Sequence[SliceFindings] = (),
) -> Mapping[str, object]:
    """Return the answer as plain JSON values."""
    answer, decision = sheet.answer, sheet.decision(margin)
    best = vars(answer.best)
    return {
        "verdict": answer.verdict,
        "card": [vars(line) for line in card_lines(sheet, margin)],
        "figures": [
            {"name": figure.name, **vars(figure.score), "note": figure.note}
            for figure in sheet_figures(sheet)
        ],
        "sentences": answer_sentences(answer, decision),
        "best": dict(best),
        "val": vars(answer.val),
        "unseen": vars(answer.unseen),
        "auc": None if answer.auc is None else vars(answer.auc),
        "test": None if answer.test is None else vars(answer.test),
        "corrected": answer.corrected,
        "p_chance": answer.p_chance,
        "n_cells": answer.n_cells,
        "ties": [dict(vars(cell)) for cell in answer.ties],
        "may_be_best": {
            "layers": list(answer.marginals.layers.may_be_best),
            "epochs": list(answer.marginals.epochs.may_be_best),
            "poolings": list(answer.marginals.poolings.may_be_best),
        },
        "search": None
        if search is None
        else vars(search)
        | {
            "best": vars(search.best),
            "classifier": vars(search.classifier),
        },
        "slices": [_slice_values(findings) for findings in slices],
        "decision": None if decision is None else _decision_values(decision),
        "since_start": None if answer.since_start is None else vars(answer.since_start),
        "gaps": [{"epoch": epoch, "train_minus_val": gap} for epoch, gap in answer.gaps],
    }


def _slice_values(findings: SliceFindings) -> Mapping[str, object]:
    return {
        "split": findings.split,
        "sentence": slices_sentence(findings),
        "n_slices": len(findings.slices),
        "clearly_worse": findings.worse.drop(columns=["clearly_worse", "place"]).to_dict("records"),
    }


def _decision_values(decision: DepthDecision) -> Mapping[str, object]:
    return {
        "margin": decision.margin,
        "enough": None if decision.cell is None else dict(vars(decision.cell)),
        "loss": None if decision.loss is None else vars(decision.loss),
        "whole_model": decision.reference,
        "examples_needed": decision.needed,
    }
