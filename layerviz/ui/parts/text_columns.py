"""Texts in tables: a column of them, and one more for the second texts of pairs."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from layerviz.pairs import is_pair, parts_of_pair

TEXT, SECOND_TEXT = "text", "second text"
TEXT_SHOWN = 1000  # characters of a text in a table


def text_columns(texts: pd.Series) -> dict[str, pd.Series]:
    """Return the columns of a table that show texts, by their names; cut, under their index."""
    if not texts.map(is_pair).any():
        return {TEXT: texts.str.slice(0, TEXT_SHOWN)}
    parts = texts.map(parts_of_pair)
    return {
        TEXT: parts.map(lambda some: some[0][:TEXT_SHOWN]),
        SECOND_TEXT: parts.map(lambda some: "".join(some[1:])[:TEXT_SHOWN]),
    }


def text_config(frame: pd.DataFrame) -> dict[str, Any]:
    """Return the column configuration of the texts of a table; two share the room of one."""
    width: Any = 240 if SECOND_TEXT in frame else "large"
    return {name: st.column_config.TextColumn(width=width) for name in (TEXT, SECOND_TEXT)}
