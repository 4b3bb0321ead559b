"""Step 1: a file, its columns, its splits."""

from __future__ import annotations

import streamlit as st

from layerviz import cache, data
from layerviz.data import (
    LEAST_VAL_FRACTION,
    MOST_VAL_FRACTION,
    VAL_FRACTION,
    Columns,
    Dataset,
    Table,
)
from layerviz.ui.parts.mending import FILE_KEY, NO_SPLIT, split_key, val_key
from layerviz.ui.parts.state import go_to, plain
from layerviz.ui.sidebar.address import check_address
from layerviz.ui.sidebar.files import ask_for_files, write_files_into_address

SAMPLE, UPLOAD = "Sample", "Your file"
SOURCE = "source"  # session state: which of the two


def choose_data() -> Dataset | None:
    """Show step 1 and return the data set, or None while there is no file yet."""
    st.subheader("1  Data")
    source = st.segmented_control(
        "Data",
        [SAMPLE, UPLOAD],
        default=SAMPLE,
        required=True,
        key=SOURCE,
        label_visibility="collapsed",
        width="stretch",
        on_change=go_to,
        args=(None,),
        bind="query-params",
    )
    if source == SAMPLE:
        tables = {"train": cache.sample()}
        st.caption("Customer messages in four classes, written for layerviz: who should answer?")
    else:
        tables = ask_for_files()
    write_files_into_address(wanted=source == UPLOAD)
    train = tables.get("train")
    if train is None:
        st.caption(
            f"{data.formats_in_words()} with one row per example: a column of texts and a column "
            "of labels."
        )
        return None
    columns, fraction = _columns(train, "val" in tables)
    return cache.dataset(train, tables.get("val"), tables.get("test"), columns, fraction, 0)


def sample_columns() -> Columns:
    """Return the columns of the sample."""
    return data.guess_columns(cache.sample().frame)


def choose_columns(
    content_hash: str, columns: Columns, val_fraction: float | None, *, keep: bool
) -> None:
    """Choose the columns and the val share of a file before its widgets are drawn.

    Parameters
    ----------
    content_hash : str
        Of the file.
    columns : Columns
    val_fraction : float or None
        None where no val was cut.
    keep : bool
        Whether what the address says of them is left to it.
    """
    key = file_key(content_hash)
    values: dict[str, object] = {
        f"text-{key}": columns.text,
        f"label-{key}": columns.label,
        split_key(key): columns.split or NO_SPLIT,
    }
    if val_fraction is not None:
        values[val_key(key)] = round(100 * val_fraction)
    for widget, value in values.items():
        if not (keep and widget in st.query_params):
            st.session_state[widget] = value


def file_key(content_hash: str) -> str:
    """Return what tells the widgets of one file from those of others."""
    return content_hash[:12]


def _columns(table: Table, has_val_file: bool) -> tuple[Columns, float]:
    """Let the user correct the guess and size val; every file has its own widgets."""
    names = list(table.frame.columns)
    guess = data.guess_columns(table.frame)
    st.session_state[FILE_KEY] = file_key(table.content_hash)
    with st.expander(_summary(guess), icon=":material/view_column:"):
        text = _column(table, "text", "Text column", names, guess.text)
        label = _column(table, "label", "Label column", names, guess.label)
        split = _column(
            table,
            "split",
            "Split column",
            [NO_SPLIT, *names],
            guess.split or NO_SPLIT,
            help="Says for each row whether it belongs to train, val or test.",
        )
        columns = Columns(text, label, None if split == NO_SPLIT else split)
        cut = not has_val_file and not data.gives_val(table.frame, columns.split)
        fraction = _val_fraction(table) if cut else VAL_FRACTION
    return columns, fraction


def _column(
    table: Table,
    what: str,
    title: str,
    names: list[str],
    guess: str,
    help: str | None = None,
) -> str:
    key = f"{what}-{file_key(table.content_hash)}"
    if st.session_state.get(key, guess) not in names:
        del st.session_state[key]  # of a run whose file was read differently
    check_address(key, title, names.__contains__, "Choose one of the file's columns.")
    return st.selectbox(title, names, names.index(guess), key=key, help=help, bind="query-params")


def _summary(guess: Columns) -> str:
    split = f", split “{plain(guess.split)}”" if guess.split else ""
    return f"Guessed: text “{plain(guess.text)}”, label “{plain(guess.label)}”{split}"


def _val_fraction(table: Table) -> float:
    key = val_key(file_key(table.content_hash))
    low, high = round(100 * LEAST_VAL_FRACTION), round(100 * MOST_VAL_FRACTION)
    shares = {str(percent) for percent in range(low, high + 1)}
    hint = f"Give a percentage from {low} to {high}."
    check_address(key, "Held out for val", shares.__contains__, hint)
    percent = st.slider(
        "Held out for val",
        low,
        high,
        round(100 * VAL_FRACTION),
        5,
        format="%d %%",
        key=key,
        bind="query-params",
        help="Cut from train at random, with the same share of every class. Asked for where "
        "neither a column nor a file says what is val.",
    )
    return percent / 100
