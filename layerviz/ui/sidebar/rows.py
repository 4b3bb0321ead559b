"""What step 1 asks about the rows of the files: only what they leave open."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from layerviz import cache
from layerviz.data import Columns, RowChoices, RowQuestions, Table
from layerviz.data.wording import quoted
from layerviz.ui.parts.state import plain
from layerviz.ui.sidebar.address import check_address


def ask_about_rows(
    tables: Mapping[str, Table],
    columns: Columns,
    others: Mapping[str, Columns],
    key: str,
) -> RowChoices:
    """Ask what the rows leave open, and return what was chosen.

    Parameters
    ----------
    tables : mapping of str to Table
        By role.
    columns : Columns
        Of the train file.
    others : mapping of str to Columns
        Of val and test files whose columns have other names.
    key : str
        What tells the widgets of the train file from those of others.
    """
    columns_of = {role: others.get(role, columns) for role in tables}
    questions = cache.row_questions(dict(tables), columns_of)
    return RowChoices(
        columns_of=tuple(others.items()),
        keep_missing_labels=_keeps_missing(questions, key),
    )


def preset_rows(key: str, choices: RowChoices) -> dict[str, object]:
    """Return by widget what it shows where these are the choices."""
    values: dict[str, object] = {}
    if choices.keep_missing_labels is not None:
        values[_missing_key(key)] = choices.keep_missing_labels
    return values


def _missing_key(key: str) -> str:
    return f"missing-{key}"


def _keeps_missing(questions: RowQuestions, key: str) -> bool | None:
    words = questions.missing_words
    if not words:
        return None
    return _toggle(
        _missing_key(key),
        f"{plain(quoted(words, 3))} {'is a class' if len(words) == 1 else 'are classes'}",
        default=questions.are_classes,
        help="Usually such labels say that there is none, and their rows are left out.",
    )


def _toggle(key: str, label: str, *, default: bool, help: str) -> bool:
    check_address(key, label, ("true", "false").__contains__, "Give true or false.")
    return st.toggle(label, default, key=key, help=help, bind="query-params")
