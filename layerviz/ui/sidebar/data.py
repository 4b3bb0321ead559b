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

SAMPLE, UPLOAD = "Sample", "Your file"


def choose_data() -> Dataset | None:
    """Show step 1 and return the data set, or None while there is no file yet."""
    st.subheader("1  Data")
    source = st.segmented_control(
        "Data",
        [SAMPLE, UPLOAD],
        default=SAMPLE,
        required=True,
        key="source",
        label_visibility="collapsed",
        width="stretch",
        on_change=go_to,
        args=(None,),
    )
    if source == SAMPLE:
        files: tuple[Table | None, Table | None, Table | None] = (cache.sample(), None, None)
        st.caption("Customer messages in four classes, written for layerviz: who should answer?")
    else:
        files = _uploads()
    train, val, test = files
    if train is None:
        st.caption(
            f"{data.formats_in_words()} with one row per example: a column of texts and a column "
            "of labels."
        )
        return None
    columns, fraction = _columns(train, val is not None)
    return cache.dataset(train, val, test, columns, fraction, 0)


def _uploads() -> tuple[Table | None, Table | None, Table | None]:
    train = _upload("File (all of the data, or train)", "upload_train")
    with st.expander("Separate val and test files"):
        val = _upload("Val file", "upload_val")
        test = _upload("Test file (optional)", "upload_test")
    return train, val, test


def _upload(label: str, key: str) -> Table | None:
    file = st.file_uploader(
        label, type=list(data.table_suffixes()), key=key, on_change=go_to, args=(None,)
    )
    if file is None:
        return None
    return cache.table(file)


def _columns(table: Table, has_val_file: bool) -> tuple[Columns, float]:
    """Let the user correct the guess and size val; every file has its own widgets."""
    names = list(table.frame.columns)
    guess = data.guess_columns(table.frame)
    key = st.session_state[FILE_KEY] = table.content_hash[:12]
    with st.expander(_summary(guess), icon=":material/view_column:"):
        text = st.selectbox("Text column", names, names.index(guess.text), key=f"text-{key}")
        label = st.selectbox("Label column", names, names.index(guess.label), key=f"label-{key}")
        choices = [NO_SPLIT, *names]
        split = st.selectbox(
            "Split column",
            choices,
            choices.index(guess.split) if guess.split else 0,
            key=split_key(key),
            help="Says for each row whether it belongs to train, val or test.",
        )
        columns = Columns(text, label, None if split == NO_SPLIT else split)
        cut = not has_val_file and not data.gives_val(table.frame, columns.split)
        fraction = _val_fraction(key) if cut else VAL_FRACTION
    return columns, fraction


def _summary(guess: Columns) -> str:
    split = f", split **{plain(guess.split)}**" if guess.split else ""
    return f"Guessed: text **{plain(guess.text)}**, label **{plain(guess.label)}**{split}"


def _val_fraction(key: str) -> float:
    percent = st.slider(
        "Held out for val",
        round(100 * LEAST_VAL_FRACTION),
        round(100 * MOST_VAL_FRACTION),
        round(100 * VAL_FRACTION),
        5,
        format="%d %%",
        key=val_key(key),
        help="Cut from train at random, with the same share of every class. Asked for where "
        "neither a column nor a file says what is val.",
    )
    return percent / 100
