"""Step 1: a file or a data set of the Hub, its columns, its splits."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from layerviz import cache, data
from layerviz.data import (
    GUESS,
    LEAST_VAL_FRACTION,
    MOST_VAL_FRACTION,
    NOTHING_CHOSEN,
    VAL_FRACTION,
    Columns,
    Dataset,
    ReadingChoices,
    RowChoices,
    Table,
)
from layerviz.ui.parts.mending import FILE_KEY, val_key
from layerviz.ui.parts.state import go_to, plain
from layerviz.ui.sidebar.address import check_address
from layerviz.ui.sidebar.files import ask_for_files, write_files_into_address
from layerviz.ui.sidebar.hub import ask_for_hub_data
from layerviz.ui.sidebar.pickers import (
    file_key,
    pick_columns,
    pick_columns_of_others,
    preset_columns,
)
from layerviz.ui.sidebar.reading import preset_reading
from layerviz.ui.sidebar.rows import (
    ask_about_near_repeats,
    ask_about_one_hot,
    ask_about_rows,
    preset_rows,
)
from layerviz.views import short_line

SAMPLE, UPLOAD, HUB = "Sample", "Your file", "Hub"
KEPT_NAMED = 8  # further columns
SOURCE = "source"  # session state: which of them


def choose_data() -> Dataset | None:
    """Show step 1 and return the data set, or None while there is no file yet."""
    st.subheader("1  Data")
    source = st.segmented_control(
        "Data",
        [SAMPLE, UPLOAD, HUB],
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
        tables = ask_for_files() if source == UPLOAD else ask_for_hub_data()
    write_files_into_address(wanted=source == UPLOAD or (source == HUB and bool(tables)))
    train = tables.get("train")
    if train is None and source == HUB:
        return None
    if train is None:
        st.caption(
            f"{data.formats_in_words()} with one row per example: a column of texts and a column "
            "of labels."
        )
        return None
    st.session_state[FILE_KEY] = file_key(train.content_hash)
    columns, place = pick_columns(train)
    if columns is None:
        return None
    others = pick_columns_of_others(tables, columns)
    if others is None:
        return None
    key = file_key(train.content_hash)
    columns_of = {role: others.get(role, columns) for role in tables}
    questions = cache.row_questions(tables, columns_of)
    with place:
        one_hot = ask_about_one_hot(questions, key)
    if one_hot is False:
        questions = cache.row_questions(tables, columns_of, RowChoices(one_hot=False))
    choices = ask_about_rows(questions, others, one_hot, key, place)
    if choices is None:
        return None
    with place:
        fraction = _val_fraction(train) if questions.cuts_val(choices) else VAL_FRACTION
    dataset = cache.dataset(
        train, tables.get("val"), tables.get("test"), columns, fraction, 0, choices
    )
    ask_about_near_repeats(dataset, key)
    _tell_kept_columns(dataset)
    return dataset


def _tell_kept_columns(dataset: Dataset) -> None:
    kept = data.further_names(dataset.examples)
    if not kept:
        return
    named = ", ".join(short_line(name) for name in kept[:KEPT_NAMED])
    more = f" and {len(kept) - KEPT_NAMED} more" if len(kept) > KEPT_NAMED else ""
    st.caption(
        plain(f"Kept beside text and label: {named}{more}."),
        help="They can colour the maps and filter the tables of examples. They are not trained on.",
    )


def source_of(name: str) -> str:
    """Return where a file of this name is chosen."""
    return HUB if data.is_hub_name(name) else UPLOAD


def sample_columns() -> Columns:
    """Return the columns of the sample."""
    return data.guess_columns(cache.sample().frame)


def choose_columns(
    contents: Mapping[str, str],
    columns: Columns,
    val_fraction: float | None,
    choices: RowChoices = NOTHING_CHOSEN,
    readings: Mapping[str, ReadingChoices] | None = None,
    *,
    keep: bool,
) -> None:
    """Choose the columns and the val share of files before their widgets are drawn.

    Parameters
    ----------
    contents : mapping of str to str
        Their content hashes by role.
    columns : Columns
    val_fraction : float or None
        None where no val was cut.
    choices : RowChoices
    readings : mapping of str to ReadingChoices, optional
        How files are read, by their role.
    keep : bool
        Whether what the address says of them is left to it.
    """
    key = file_key(contents["train"])
    values = preset_columns(key, columns) | preset_rows(key, choices)
    for role, content_hash in contents.items():
        values |= preset_reading(role, content_hash, (readings or {}).get(role, GUESS))
    for role, own in choices.columns_of:
        if role in contents:
            values |= preset_columns(f"{role}-{file_key(contents[role])}", own)
    if val_fraction is not None:
        values[val_key(key)] = round(100 * val_fraction)
    for widget, value in values.items():
        if not (keep and widget in st.query_params):
            st.session_state[widget] = value


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
