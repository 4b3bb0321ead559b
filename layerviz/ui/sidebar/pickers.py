"""The pickers of columns in step 1: a guess is preset, and whatever is there can be picked."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from layerviz import cache, data
from layerviz.data import Columns, Suggestion, Table
from layerviz.ui.parts.controls import SPLIT_COLUMN
from layerviz.ui.parts.mending import NO_SPLIT, split_key
from layerviz.ui.parts.state import plain
from layerviz.ui.sidebar.address import check_address

_CHOOSE = "Choose a column"
_NO_PAIR = "(none: single texts)"


def file_key(content_hash: str) -> str:
    """Return what tells the widgets of one file from those of others."""
    return content_hash[:12]


def pick_columns(table: Table) -> tuple[Columns | None, DeltaGenerator]:
    """Ask for the columns of the train file.

    Returns
    -------
    Columns or None
        None until those that are needed are picked.
    DeltaGenerator
        The place beside the pickers for what else is asked about the file.
    """
    names = list(table.frame.columns)
    guess = cache.suggested_columns(table)
    key = file_key(table.content_hash)
    notice = st.container()
    # What stands in the head must not change with a choice: the expander would close.
    with st.expander(_summary(guess), icon=":material/view_column:", expanded=bool(guess.problem)):
        text = _column(f"text-{key}", "Text column", names, guess.text)
        pair = _pair_column(f"pair-{key}", "Second text column", names, guess.text_pair)
        label = _column(f"label-{key}", "Label column", names, guess.label)
        split = _column(
            split_key(key),
            SPLIT_COLUMN,
            [NO_SPLIT, *names],
            guess.split or NO_SPLIT,
            help="Says for each row whether it belongs to train, val or test.",
        )
        place = st.container()
    if text is None or label is None:
        _ask_below(notice, guess.problem)
        return None, place
    return Columns(text, label, None if split == NO_SPLIT else split, pair), place


def pick_columns_of_others(
    tables: Mapping[str, Table], columns: Columns
) -> dict[str, Columns] | None:
    """Ask for the columns of val and test files whose columns have other names than train's.

    Returns
    -------
    dict of str to Columns, or None
        By role, where names differ; None until all are picked.
    """
    picked = {}
    for role, table in tables.items():
        frame = table.frame
        if role == "train" or {*columns.texts, columns.label} <= set(frame.columns):
            continue
        guess = data.match_columns(frame, columns, tables["train"].frame[columns.label])
        notice = st.container()
        head = f"{plain(table.name)}: {_summary(guess)}"
        with st.expander(head, icon=":material/view_column:", expanded=bool(guess.problem)):
            names, key = list(frame.columns), f"{role}-{file_key(table.content_hash)}"
            text = _column(f"text-{key}", f"Text column ({role})", names, guess.text)
            pair = None
            if columns.text_pair is not None:
                title = f"Second text column ({role})"
                pair = _column(f"pair-{key}", title, names, guess.text_pair)
            label = _column(f"label-{key}", f"Label column ({role})", names, guess.label)
        if text is None or label is None or (columns.text_pair and pair is None):
            _ask_below(notice, f"{table.name}: {guess.problem}")
            return None
        picked[role] = Columns(text, label, text_pair=pair)
    return picked


def preset_columns(key: str, columns: Columns) -> dict[str, object]:
    """Return by widget what it shows where these are the columns of a file.

    Parameters
    ----------
    key : str
        Of the file, as `file_key` gives it; with the role in front for val and test files.
    columns : Columns
    """
    values = {f"text-{key}": columns.text, f"label-{key}": columns.label}
    if not key.startswith(("val-", "test-")):
        values[split_key(key)] = columns.split or NO_SPLIT
        values[f"pair-{key}"] = columns.text_pair or _NO_PAIR
    elif columns.text_pair is not None:
        values[f"pair-{key}"] = columns.text_pair
    return dict(values)


def _column(
    key: str, title: str, names: list[str], guess: str | None, help: str | None = None
) -> str | None:
    if st.session_state.get(key, guess) not in names and key in st.session_state:
        del st.session_state[key]  # of a run whose file was read differently
    check_address(key, title, names.__contains__, "Choose one of the file's columns.")
    return st.selectbox(
        title,
        names,
        None if guess is None else names.index(guess),
        key=key,
        help=help,
        placeholder=_CHOOSE,
        bind="query-params",
    )


def _pair_column(key: str, title: str, names: list[str], guess: str | None) -> str | None:
    help = "Where labels are about pairs of texts: both are read, as the encoder reads pairs."
    pair = _column(key, title, [_NO_PAIR, *names], guess or _NO_PAIR, help)
    return None if pair == _NO_PAIR else pair


def _ask_below(place: DeltaGenerator, problem: str) -> None:
    place.warning(f"{plain(problem)} Choose the columns below.", icon=":material/warning:")


def _summary(guess: Suggestion) -> str:
    parts = {
        "text": guess.text,
        "second text": guess.text_pair,
        "label": guess.label,
        "split": guess.split,
    }
    named = [f"{part} “{plain(name)}”" for part, name in parts.items() if name is not None]
    return f"Guessed: {', '.join(named)}" if named else "Columns"
