"""How a file is read: what was guessed of it, what of that is in doubt, and the choices."""

from __future__ import annotations

from collections.abc import Collection

import streamlit as st

from layerviz import data
from layerviz.data import DELIMITERS, ENCODINGS, GUESS, GUESSED, QUOTES, ReadingChoices, Table
from layerviz.errors import DataError
from layerviz.ui.parts.controls import HEADER_LINE, HEADER_ROW
from layerviz.ui.parts.state import plain
from layerviz.ui.sidebar.address import check_address
from layerviz.ui.sidebar.pickers import file_key

_GUESS_LABEL = "Guess"
_DELIMITER_NAMES = tuple(DELIMITERS.values())


def chosen_reading(role: str, key: str) -> ReadingChoices:
    """Return what is chosen of a file, before the widgets that choose it are drawn.

    Parameters
    ----------
    role : str
    key : str
        Under which the file is kept.
    """
    values = {
        name: st.session_state.get(widget, st.query_params.get(widget))
        for name, widget in _widgets(role, key).items()
    }
    try:
        return data.reading_choices(**values)
    except DataError:  # of the address: the widgets say so
        return GUESS


def preset_reading(role: str, key: str, choices: ReadingChoices) -> dict[str, object]:
    """Return by widget what it shows where these are the choices."""
    widgets, values = _widgets(role, key), choices.as_dict()
    shown: dict[str, object] = {name: values.get(name, GUESSED) for name in widgets}
    shown["delimiter"] = DELIMITERS.get(str(shown["delimiter"]), shown["delimiter"])
    shown["header_line"] = str(values.get("header_line", ""))
    return {widget: shown[name] for name, widget in widgets.items()}


def ask_how_to_read(
    role: str, key: str, table: Table | None, choices: Collection[str] | None = None
) -> None:
    """Say how a file was read, and let people choose otherwise.

    Parameters
    ----------
    role, key : str
        See `chosen_reading`.
    table : Table or None
        None if it could not be read.
    choices : collection of str, optional
        What can be chosen: names of fields of `ReadingChoices`; by default what the table says of
        how it was read.
    """
    for doubt in table.doubts if table is not None else ():
        st.warning(plain(doubt.sentence), icon=":material/warning:")
    if choices is None:
        choices = table.reading.as_dict() if table is not None else ()
    if not choices:
        return  # there are formats that leave nothing to choose
    widgets = _widgets(role, key)
    # What is on the button must not change with a choice: the popover would close.
    with st.popover("How the file is read", icon=":material/tune:", type="tertiary"):
        if table is not None:
            st.caption(plain(f"Read as {table.layout}.{_header_words(table)}"))
            for note in table.notes:
                st.caption(plain(note))
        if "encoding" in choices:
            _select(widgets["encoding"], "Encoding", ENCODINGS)
        if "delimiter" in choices:
            names = {name: name.capitalize() for name in _DELIMITER_NAMES}
            _select(widgets["delimiter"], "Delimiter", names)
        if "quotes" in choices:
            _select(widgets["quotes"], "Quotation marks", QUOTES)
        if "header_line" in choices:
            _ask_for_header(widgets["header_line"], "line" if "delimiter" in choices else "row")


def _widgets(role: str, key: str) -> dict[str, str]:
    """Return the keys of the widgets of a file, by what they choose."""
    of_file = file_key(key) if role == "train" else f"{role}-{file_key(key)}"
    names = ("encoding", "delimiter", "quotes", "header_line")
    return {name: f"{name.replace('_', '-')}-{of_file}" for name in names}


def _ask_for_header(widget: str, unit: str) -> None:
    label = HEADER_LINE if unit == "line" else HEADER_ROW
    check_address(widget, label, _is_line, f"Give a {unit}'s number.")
    st.text_input(
        label,
        key=widget,
        placeholder=_GUESS_LABEL,
        help=f"The number of the {unit} that names the columns; 0 if none does.",
        bind="query-params",
    )


def _header_words(table: Table) -> str:
    line = table.reading.header_line
    if line is None:
        return ""
    unit = "line" if table.reading.delimiter is not None else "row"
    which = f"{unit.capitalize()} {line}" if line else f"No {unit}"
    return f" {which} names the columns."


def _select(widget: str, label: str, choices: dict[str, str]) -> None:
    shown = {GUESSED: _GUESS_LABEL, **choices}
    options = list(shown)
    current = st.session_state.get(widget, st.query_params.get(widget))
    if current is not None and current not in options and _is_choice(label, current):
        options.append(current)  # of the command line, where more can be chosen
    check_address(widget, label, options.__contains__, f"Choose one of {', '.join(options[:5])}.")
    st.selectbox(
        label,
        options,
        key=widget,
        format_func=lambda option: (
            _GUESS_LABEL if option == GUESSED else choices.get(option, option)
        ),
        bind="query-params",
    )


def _is_choice(label: str, value: str) -> bool:
    try:
        data.reading_choices(**{label.lower(): value})
    except (DataError, TypeError):
        return False
    return True


def _is_line(text: str) -> bool:
    try:
        data.reading_choices(header_line=text)
    except DataError:
        return False
    return True
