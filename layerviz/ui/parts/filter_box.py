"""One filter by a further column of the data, the same for all tables of a run's examples."""

from __future__ import annotations

from datetime import UTC, date, datetime, time

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache
from layerviz.data import FurtherColumn
from layerviz.runs import Run
from layerviz.ui.parts.state import keep, plain
from layerviz.views import ColumnFilter
from layerviz.views import in_words as value_in_words
from layerviz.wording import NO_VALUE, count

FILTER = "filter_column"  # session state: the name of the column, or None


def filter_box(run: Run) -> ColumnFilter | None:
    """Let the reader filter by a further column, where the run has any.

    Returns
    -------
    ColumnFilter or None
        None where nothing is asked.
    """
    columns = {column.name: column for column in cache.further_columns(run)}
    if not columns:
        return None
    if st.session_state.get(FILTER) not in columns:
        st.session_state[FILTER] = None
    with st.container(horizontal=True, vertical_alignment="bottom", gap="xsmall", key="filter"):
        name = st.selectbox(
            "Filter by",
            list(columns),
            index=None,
            format_func=lambda column: f"Filter: {column}",
            key=keep(FILTER),
            placeholder="Filter by a column",
            label_visibility="collapsed",
            width=196,
        )
        if name is None:
            return None
        chosen = _asked(run, columns[name])
    return None if chosen.is_open else chosen


def filtered(part: pd.DataFrame, asked: ColumnFilter | None) -> pd.DataFrame:
    """Return the examples that pass a filter, and say how many did not."""
    if asked is None:
        return part
    passing = part[asked.matching(part)]
    left_out = len(part) - len(passing)
    sentence = f"Filtered: {asked.in_words()}. {count(len(passing), 'example')}; "
    st.caption(plain(f"{sentence}{left_out:,} {'is' if left_out == 1 else 'are'} left out."))
    return passing


def _asked(run: Run, column: FurtherColumn) -> ColumnFilter:
    """Ask for values, a range or words, as the column has them."""
    key = f"{run.run_id}-{column.name}"
    if column.kind == "category":
        options = [*column.values, *([""] if column.n_missing else [])]
        values = st.multiselect(
            "Values",
            options,
            format_func=lambda value: value or NO_VALUE,
            key=keep(f"filter_values-{key}"),
            placeholder="Choose values",
            label_visibility="collapsed",
            width=320,
        )
        return ColumnFilter(column, values=tuple(values))
    if column.kind == "text":
        words = st.text_input(
            "Words",
            key=keep(f"filter_words-{key}"),
            placeholder="Words in it",
            label_visibility="collapsed",
            width=240,
        )
        return ColumnFilter(column, words=words.strip())
    numbers = cache.numbers_of(run, column.name)
    numbers = numbers[~np.isnan(numbers)]
    ask = _day if column.kind == "date" else _whole if (numbers % 1 == 0).all() else _number
    low, high = (
        ask(f"{word} ({value_in_words(column, end)})", f"filter_{word}-{key}")
        for word, end in (("From", numbers.min()), ("To", numbers.max()))
    )
    if column.kind == "date" and high is not None:
        high += 24 * 3600 - 1e-3  # to the end of that day
    return ColumnFilter(column, low=low, high=high)


def _number(label: str, key: str) -> float | None:
    return st.number_input(label, value=None, key=keep(key), format="%.6g", width=150)


def _whole(label: str, key: str) -> float | None:
    return st.number_input(label, value=None, key=keep(key), step=1, format="%d", width=150)


def _day(label: str, key: str) -> float | None:
    day = st.date_input(
        label,
        value=None,
        key=keep(key),
        format="YYYY-MM-DD",
        min_value=date(1, 1, 1),
        max_value=date(9999, 12, 31),
        width=150,
    )
    return datetime.combine(day, time(), UTC).timestamp() if isinstance(day, date) else None
