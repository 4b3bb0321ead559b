"""A comparison as a table, as text for a terminal, and as JSON values."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd

from layerviz.comparison.contenders import Contender, costs_of
from layerviz.comparison.depth import DepthMatch
from layerviz.comparison.standings import Comparison
from layerviz.comparison.wording import (
    comparison_details,
    comparison_lead,
    comparison_sentences,
    seeds_note,
)
from layerviz.poolings import pooling_label
from layerviz.separability import REPORT_WIDTH
from layerviz.wording import decimal

COMPARISON_COLUMNS = (
    "name", "layers", "best_layer", "depth", "epoch", "pooling",
    "corrected", "corrected_low", "corrected_high", "lead", "lead_low", "lead_high", "tied",
    "val_macro_f1", "low", "high", "seeds", "spread", "test_macro_f1", "head", "gap", "parameters",
    "epoch_seconds", "train_seconds", "model_bytes",
)  # fmt: skip


def comparison_table(comparison: Comparison, contenders: Sequence[Contender]) -> pd.DataFrame:
    """Return one row per contender, the first one first, with the columns `COMPARISON_COLUMNS`.

    ``corrected`` is what the best layer is worth on unseen data; ``lead`` the first contender's
    lead over it there; ``tied`` whether that may be chance; ``head`` the model's own classifier at
    its newest snapshot; ``gap`` train minus val of the best layer; costs as in `costs_of`.

    Parameters
    ----------
    comparison : Comparison
    contenders : sequence of Contender
        In the order of its standings.
    """
    by_name = {contender.name: contender for contender in contenders}
    rows = []
    for standing in comparison.ranked:
        best = standing.best
        rows.append(
            {
                "name": standing.name,
                "layers": standing.n_layers,
                "best_layer": best.layer,
                "depth": best.layer / standing.n_layers,
                "epoch": best.epoch,
                "pooling": best.pooling,
                "corrected": standing.unseen.value,
                "corrected_low": standing.unseen.low,
                "corrected_high": standing.unseen.high,
                "lead": 0.0 if standing.lead is None else standing.lead.value,
                "lead_low": standing.lead and standing.lead.low,
                "lead_high": standing.lead and standing.lead.high,
                "tied": standing.tied or comparison.verdict != "found",
                "val_macro_f1": standing.val.value,
                "low": standing.val.low,
                "high": standing.val.high,
                "seeds": len(standing.seeds),
                "spread": standing.spread,
                "test_macro_f1": standing.test and standing.test.value,
                "head": standing.head,
                "gap": standing.gap,
                **costs_of(by_name[standing.name]),
            }
        )
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def comparison_text(comparison: Comparison, table: pd.DataFrame) -> str:
    """Return the sentences and the table."""
    lead = [textwrap.fill(line, REPORT_WIDTH) for line in comparison_lead(comparison)]
    details = [
        textwrap.fill(line, REPORT_WIDTH, initial_indent="- ", subsequent_indent="  ")
        for line in comparison_details(comparison) or [seeds_note(comparison)]
    ]
    width = max(len("encoder"), *(len(name) for name in table["name"]))
    has_seeds = bool((table["seeds"] > 1).any())
    spread = f"{'sd':>7}" if has_seeds else ""
    header = (
        f"  {'encoder':<{width}}  {'unseen (95 %)':<21}{'this val':>9}{spread}  "
        f"{'best layer':>10} {'epoch':>6} {'pooling':>7}"
        f"{'head':>7}{'gap':>7}{'weights':>9}{'s/epoch':>9}{'MB':>7}"
    )
    return "\n".join(
        [
            *lead,
            "",
            *details,
            "",
            "Macro-F1 of the linear probe in each one's best layer:",
            header,
            *(_text_row(row, width, has_seeds) for row in table.to_dict("records")),
            "* first; ~ cannot be told from it "
            f"(simultaneous paired intervals, n = {comparison.n_val:,} val examples).",
            "unseen: this val corrected for having picked the layer by it. head: the model's own "
            "classifier\nat the newest snapshot. gap: train minus val.",
        ]
    )


def _text_row(row: dict[Hashable, Any], width: int, has_seeds: bool) -> str:
    mark = " "
    if row["tied"]:
        mark = "*" if pd.isna(row["lead_low"]) else "~"
    unseen = f"{row['corrected']:.3f} ({row['corrected_low']:.3f}–{row['corrected_high']:.3f})"
    best_layer = f"{row['best_layer']} of {row['layers']}"
    spread = f"{_number(row['spread'], '.3f'):>7}" if has_seeds else ""
    return (
        f"{mark} {row['name']:<{width}}  {unseen:<21}{row['val_macro_f1']:>9.3f}{spread}  "
        f"{best_layer:>10} {row['epoch']:>6g} {pooling_label(row['pooling']):>7}"
        f"{row['head']:>7.3f}{decimal(row['gap'], 3):>7}"
        f"{_number(row['parameters'], '.1f', 1e6, ' M'):>9}"
        f"{_number(row['epoch_seconds'], '.1f'):>9}{_number(row['model_bytes'], '.1f', 1e6):>7}"
    )


def comparison_values(comparison: Comparison, table: pd.DataFrame) -> dict[str, Any]:
    """Return the comparison as plain JSON values, the encoders in the order they were given."""
    rows = {str(row["name"]): row for row in _records(table)}
    ranks = {standing.name: rank for rank, standing in enumerate(comparison.ranked, start=1)}
    return {
        "verdict": comparison.verdict,
        "sentences": comparison_sentences(comparison),
        "seeds": seeds_note(comparison),
        "n_val": comparison.n_val,
        "p_chance": comparison.p_chance,
        "covers_seeds": comparison.seed_deviation is not None,
        "seed_deviation": comparison.seed_deviation,
        "examples_to_tell": comparison.examples_to_tell,
        "encoders": [
            rows[standing.name]
            | {
                "rank": ranks[standing.name],
                "runs": list(standing.run_ids),
                "by_seed": list(standing.by_seed),
                "beaten_by": list(standing.beaten_by),
            }
            for standing in comparison.standings
        ],
        "shorter": [_depth_values(match) for match in comparison.depth],
        "layers": _records(comparison.profiles),
        "epochs": _records(comparison.epochs),
    }


def _depth_values(match: DepthMatch) -> dict[str, Any]:
    return {
        "name": match.name,
        **vars(match.cell),
        "layers": match.n_layers,
        "other": match.other,
        "other_layers": match.other_layers,
        "whole_model": match.reference,
        "margin": match.margin,
        "loss": match.loss.value,
        "loss_low": match.loss.low,
    }


def _records(frame: pd.DataFrame) -> list[dict]:
    return json.loads(frame.to_json(orient="records", double_precision=6))


def _number(value: float | None, form: str, unit: float = 1.0, suffix: str = "") -> str:
    return "" if value is None or pd.isna(value) else f"{value / unit:{form}}{suffix}"
