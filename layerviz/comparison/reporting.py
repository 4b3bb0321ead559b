"""A comparison as a table, as text for a terminal, and as JSON values."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Hashable, Sequence
from typing import Any

import pandas as pd

from layerviz.comparison.contenders import Contender, costs_of
from layerviz.comparison.standings import Comparison
from layerviz.comparison.wording import comparison_sentences, seeds_note
from layerviz.poolings import pooling_label
from layerviz.separability import REPORT_WIDTH

COMPARISON_COLUMNS = (
    "name", "layers", "best_layer", "depth", "epoch", "pooling", "val_macro_f1", "low", "high",
    "seeds", "spread", "lead", "lead_low", "lead_high", "tied",
    "test_macro_f1", "corrected", "head", "gap", "parameters",
    "epoch_seconds", "train_seconds", "model_bytes",
)  # fmt: skip


def comparison_table(comparison: Comparison, contenders: Sequence[Contender]) -> pd.DataFrame:
    """Return one row per contender, in the given order, with the columns `COMPARISON_COLUMNS`.

    ``lead`` is the best contender's lead over it; ``head`` the model's own classifier at its newest
    snapshot; ``gap`` train minus val of the best layer; costs as in `costs_of`.
    """
    rows = []
    for standing, contender in zip(comparison.standings, contenders, strict=True):
        best = standing.best
        rows.append(
            {
                "name": standing.name,
                "layers": standing.n_layers,
                "best_layer": best.layer,
                "depth": best.layer / standing.n_layers,
                "epoch": best.epoch,
                "pooling": best.pooling,
                "val_macro_f1": standing.val.value,
                "low": standing.val.low,
                "high": standing.val.high,
                "seeds": len(standing.seeds),
                "spread": standing.spread,
                "lead": 0.0 if standing.lead is None else standing.lead.value,
                "lead_low": standing.lead and standing.lead.low,
                "lead_high": standing.lead and standing.lead.high,
                "tied": standing.tied,
                "test_macro_f1": standing.test and standing.test.value,
                "corrected": standing.corrected,
                "head": standing.head,
                "gap": standing.gap,
                **costs_of(contender),
            }
        )
    return pd.DataFrame(rows, columns=list(COMPARISON_COLUMNS))


def comparison_text(comparison: Comparison, table: pd.DataFrame) -> str:
    """Return the sentences and the table."""
    sentences = [*comparison_sentences(comparison), seeds_note(comparison)]
    width = max(len("encoder"), *(len(name) for name in table["name"]))
    has_seeds = bool((table["seeds"] > 1).any())
    spread = f"{'sd':>7}" if has_seeds else ""
    header = (
        f"  {'encoder':<{width}}  {'best layer':>10} {'epoch':>6} {'pooling':>7}  "
        f"{'val macro-F1 (95 %)':<21}{spread}{'unseen':>8}"
        f"{'head':>7}{'gap':>7}{'weights':>9}{'s/epoch':>9}{'MB':>7}"
    )
    return "\n".join(
        [
            textwrap.fill(" ".join(sentences), REPORT_WIDTH),
            "",
            header,
            *(_text_row(row, width, has_seeds) for row in table.to_dict("records")),
            "* best; ~ cannot be told from it "
            f"(paired bootstrap, n = {comparison.n_val:,} val examples).",
            "unseen: what the pick earns on examples that had no part in it (BBC-CV). head: the "
            "model's\nown classifier at the newest snapshot. gap: train minus val.",
        ]
    )


def _text_row(row: dict[Hashable, Any], width: int, has_seeds: bool) -> str:
    mark = " "
    if row["tied"]:
        mark = "*" if row["lead"] == 0 else "~"
    score = f"{row['val_macro_f1']:.3f} ({row['low']:.3f}–{row['high']:.3f})"
    best_layer = f"{row['best_layer']} of {row['layers']}"
    spread = f"{_number(row['spread'], '.3f'):>7}" if has_seeds else ""
    return (
        f"{mark} {row['name']:<{width}}  {best_layer:>10} {row['epoch']:>6g} "
        f"{pooling_label(row['pooling']):>7}  {score:<21}{spread}{row['corrected']:>8.3f}"
        f"{row['head']:>7.3f}{row['gap']:>7.3f}"
        f"{_number(row['parameters'], '.1f', 1e6, ' M'):>9}"
        f"{_number(row['epoch_seconds'], '.1f'):>9}{_number(row['model_bytes'], '.1f', 1e6):>7}"
    )


def comparison_values(comparison: Comparison, table: pd.DataFrame) -> dict[str, Any]:
    """Return the comparison as plain JSON values."""
    return {
        "verdict": comparison.verdict,
        "sentences": comparison_sentences(comparison),
        "seeds": seeds_note(comparison),
        "n_val": comparison.n_val,
        "p_chance": comparison.p_chance,
        "encoders": [
            row
            | {
                "runs": list(standing.run_ids),
                "by_seed": list(standing.by_seed),
                "beaten_by": list(standing.beaten_by),
            }
            for row, standing in zip(_records(table), comparison.standings, strict=True)
        ],
        "layers": _records(comparison.profiles),
        "epochs": _records(comparison.epochs),
    }


def _records(frame: pd.DataFrame) -> list[dict]:
    return json.loads(frame.to_json(orient="records", double_precision=6))


def _number(value: float | None, form: str, unit: float = 1.0, suffix: str = "") -> str:
    return "" if value is None or pd.isna(value) else f"{value / unit:{form}}{suffix}"
