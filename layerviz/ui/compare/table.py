"""The table of a comparison: what decides in sight, everything else behind "More columns"."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
import streamlit as st

from layerviz import comparison
from layerviz.comparison import Comparison
from layerviz.poolings import pooling_label
from layerviz.separability import Difference
from layerviz.ui.parts.state import plain
from layerviz.wording import decimal, epoch_name, signed

Column = tuple[str, str, Callable[[float], str]]
_whole, _tenths, _score = (partial(decimal, places=places) for places in (0, 1, 3))
# The further columns by what they are about: column of the table, title, and how it is written.
MORE_COLUMNS = {
    "Scores": (
        ("val_macro_f1", "On this val", _score),
        ("head", "Model's own predictions", _score),
        ("gap", "Gap", signed),
        ("seeds", "Seeds", _whole),
        ("spread", "SD over seeds", _score),
    ),
    "Costs": (
        ("parameters", "Weights (M)", _tenths),
        ("epoch_seconds", "Seconds per epoch", _tenths),
        ("train_seconds", "Training (s)", _whole),
        ("model_bytes", "On disk (MB)", _tenths),
    ),
}
MILLIONS = ("parameters", "model_bytes")


def contenders_table(table: pd.DataFrame, judged: Comparison) -> None:
    """Show how the contenders stand; names and words wrap, so that nothing is cut.

    Parameters
    ----------
    table : DataFrame
        As from `comparison.comparison_table`.
    judged : Comparison
    """
    rows = table.to_dict("records")
    frame = pd.DataFrame(
        {
            "Encoder": [plain(str(row["name"])) for row in rows],
            "On unseen data": [
                f"{row['corrected']:.3f} ({row['corrected_low']:.3f}–{row['corrected_high']:.3f})"
                for row in rows
            ],
            "Test": _texts(table["test_macro_f1"], _score),
            "Standing": [plain(standing_words(row, judged)) for row in rows],
            "Best layer": [
                f"{row['best_layer']} of {row['layers']}, {epoch_name(row['epoch'])}, "
                f"{plain(pooling_label(row['pooling']))}"
                for row in rows
            ],
        }
    )
    if not table["test_macro_f1"].notna().any():
        frame = frame.drop(columns="Test")
    st.table(frame, hide_index=True, alt="Macro-F1 of each encoder at its best layer.")
    with st.expander("More columns", icon=":material/table_chart:"):
        for title, columns in MORE_COLUMNS.items():
            more = _more(table, columns)
            if len(more.columns) > 1:
                st.markdown(f"**{title}**")
                st.table(more, hide_index=True, alt=f"{title} of each encoder.")


def standing_words(row: dict, judged: Comparison) -> str:
    """Say how a contender compares with the first one, with the margin's interval.

    Parameters
    ----------
    row : dict
        Of the table, with ``lead``, ``lead_low``, ``lead_high`` and ``tied``.
    judged : Comparison
    """
    if pd.isna(row["lead_low"]):
        return "first"
    if judged.verdict != "found":
        return f"lower by {decimal(row['lead'])}"
    lead = Difference(row["lead"], row["lead_low"], row["lead_high"])
    margin = f"behind by {comparison.margin_of_lead(lead)}"
    return f"may be as good: {margin}" if row["tied"] else margin


def _more(table: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """Return the columns that hold anything, beside the encoders' names."""
    frame = pd.DataFrame({"Encoder": [plain(str(name)) for name in table["name"]]})
    for name, title, write in columns:
        if table[name].notna().any():
            values = table[name] / 1e6 if name in MILLIONS else table[name]
            frame[title] = _texts(values, write)
    return frame


def _texts(values: pd.Series, write: Callable[[float], str]) -> list[str]:
    return ["" if pd.isna(value) else write(value) for value in values]
