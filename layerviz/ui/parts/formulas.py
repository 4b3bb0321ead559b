"""Texts of a CSV that a spreadsheet would run as formulas: quoted, unless a reader says no."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from layerviz.ui.parts.state import keep

QUOTE_FORMULAS = "quote_formulas"  # session state
HOW_QUOTED = (
    "In a CSV, texts that begin with =, +, -, @ or a tab get an apostrophe in front, so that no "
    "spreadsheet runs them as formulas; numbers stay as they are. The switch is on the Export tab, "
    "under Numbers."
)


def quotes_formulas() -> bool:
    """Return whether formulas are quoted; they are until a reader says otherwise."""
    return bool(st.session_state.get(QUOTE_FORMULAS, True))


def quote_formulas_control() -> bool:
    """Let the reader choose, and return what is chosen for every CSV of the page."""
    return st.toggle(
        "Keep formulas in CSV files from running",
        key=keep(QUOTE_FORMULAS, True),
        help=HOW_QUOTED,
    )


def csv_of(frame: pd.DataFrame) -> bytes:
    """Return a table as CSV, quoted as the reader has chosen."""
    from layerviz.export.tables import as_csv  # heavy, and needed only for a file

    return as_csv(frame, quote_formulas=quotes_formulas())
