"""Changing what is chosen on the left from elsewhere on the page."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from layerviz import encoders
from layerviz.checks import Mend
from layerviz.config import SETTINGS
from layerviz.encoders import EncoderInfo
from layerviz.settings import Setting

NO_SPLIT = "(none: cut val at random)"  # among the columns that may say what is val
OTHER_ENCODER = "Another: Hub id or folder"  # among the encoders
ENCODER_KEY, OTHER_ENCODER_KEY = "encoder", "other_encoder"  # of the widgets that ask for one
FILE_KEY = "file_key"  # session state: what the keys of the widgets of the open file end with


def widget_key(entry: Setting, encoder: EncoderInfo) -> str:
    """Return the key of the widget that asks for a setting."""
    key = entry.widget.key if entry.widget else ""
    return (key or entry.name).format(encoder=encoder)


def split_key(file_key: str) -> str:
    """Return the key of the widget that asks for a file's split column."""
    return f"split-{file_key}"


def cut_key(file_key: str) -> str:
    """Return the key of the widget that asks whether val is cut although a column says it."""
    return f"cut-{file_key}"


def merge_key(file_key: str) -> str:
    """Return the key of the widget that asks whether labels that look alike become one."""
    return f"merge-{file_key}"


def val_key(file_key: str) -> str:
    """Return the key of the widget that asks for the share of val."""
    return f"val-{file_key}"


def is_chosen(encoder: EncoderInfo, settings: Mapping[str, Any]) -> bool:
    """Return whether an encoder and these settings are what is chosen on the left."""
    state = st.session_state
    chosen = state.get(ENCODER_KEY)
    name = state.get(OTHER_ENCODER_KEY) if chosen == OTHER_ENCODER else chosen
    return name == encoder.name and all(
        state.get(widget_key(SETTINGS[name], encoder)) == value for name, value in settings.items()
    )


def choose(encoder: EncoderInfo, settings: Mapping[str, Any]) -> None:
    """Choose an encoder and settings on the left; for callbacks, it takes effect in the rerun."""
    is_listed = encoder.name in {info.name for info in encoders.catalogue()}
    st.session_state[ENCODER_KEY] = encoder.name if is_listed else OTHER_ENCODER
    if not is_listed:
        st.session_state[OTHER_ENCODER_KEY] = encoder.name
    apply_mend(Mend("", settings), encoder)


def apply_mend(mend: Mend, encoder: EncoderInfo) -> None:
    """Change the widgets on the left; for callbacks, it takes effect in the rerun."""
    for name, value in mend.settings.items():
        entry = SETTINGS[name]
        percent = entry.widget is not None and entry.widget.percent
        st.session_state[widget_key(entry, encoder)] = round(100 * value) if percent else value
    file_key = st.session_state.get(FILE_KEY, "")
    if mend.merge_labels:
        st.session_state[merge_key(file_key)] = True
    if mend.val_words:
        st.session_state[cut_key(file_key)] = True
    if mend.val_fraction is not None:
        st.session_state[val_key(file_key)] = round(100 * mend.val_fraction)
