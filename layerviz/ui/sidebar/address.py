"""What the address says of the settings: each widget is bound to it, and what is no value is told.

Streamlit leaves out of an address what a widget has by default, and drops what a widget cannot
take; here it is said that something was dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

import streamlit as st

from layerviz.settings import Choice, Number, Setting, Switch, Whole
from layerviz.ui.parts.state import plain
from layerviz.wording import quote

_IGNORED = "ignored_in_address"  # session state: sentences by the key of the widget
_READ = "ignored_and_read"  # session state: sentences
MOST_LETTERS = 40  # of a value that are repeated


def check_address(key: str, label: str, accepts: Callable[[str], bool], hint: str) -> None:
    """Note what the address says of a widget if that is no value; call before it is drawn.

    Parameters
    ----------
    key : str
        Of the widget, which is bound to the query parameter of this name.
    label : str
    accepts : callable
        Whether a text is one of its values.
    hint : str
        Which values there are.
    """
    value = st.query_params.get(key)
    if value is None or accepts(value):
        return
    sentence = f"{label} {quote(value)} in the address was ignored. {hint}"
    if sentence not in st.session_state.get(_READ, ()):
        st.session_state.setdefault(_IGNORED, {})[key] = sentence


def check_setting_in_address(key: str, label: str, entry: Setting, *, percent: bool) -> None:
    """Note what the address says of a setting if that is no value of it."""

    def accepts(text: str) -> bool:
        return (text == "" and bool(entry.empty)) or _is_value(entry, text, percent=percent)

    hint = entry.kind.hint
    if percent and isinstance(entry.kind, Number):
        low, high = (round(100 * share) for share in (entry.kind.low, entry.kind.high))
        hint = f"Give a percentage from {low} to {high}."
    check_address(key, label, accepts, hint)


def show_ignored() -> None:
    """Show what was ignored, until the reader has read it."""
    sentences = st.session_state.get(_IGNORED)
    if not sentences:
        return
    st.warning("  \n".join(plain(text) for text in sentences.values()), icon=":material/link_off:")
    st.button("Got it", key="ignored_read", type="tertiary", on_click=_read)


def _read() -> None:
    ignored = st.session_state.pop(_IGNORED, {})
    st.session_state[_READ] = {*st.session_state.get(_READ, ()), *ignored.values()}


def _is_value(entry: Setting, text: str, *, percent: bool) -> bool:
    with suppress(ValueError):
        match entry.kind:
            case Choice():
                return entry.kind.accepts(text)
            case Switch():
                return text in ("true", "false")
            case Whole():
                return entry.kind.accepts(int(text))
            case Number():
                return entry.kind.accepts(float(text) / 100 if percent else float(text))
    return False
