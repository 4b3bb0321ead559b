"""One of several choices, side by side: one of them is always chosen."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

import streamlit as st

from layerviz.ui.parts.state import keep_choice

V = TypeVar("V")


def choose_one(
    label: str,
    choices: Sequence[V],
    *,
    key: str,
    first: V | None = None,
    format_func: Callable[[V], str] = str,
    label_visibility: Literal["visible", "hidden", "collapsed"] = "visible",
    width: Literal["stretch", "content"] = "content",
    help: str | None = None,
) -> V:
    """Let the reader choose; the choice is kept while another part of the page is drawn.

    Parameters
    ----------
    label : str
    choices : sequence
        At least one.
    key : str
        Of the widget and of the session state.
    first : optional
        The choice at first, and where the one that was kept is no longer offered; by default the
        first of the choices.
    format_func : callable
        Returns the words for a choice.
    label_visibility : {"visible", "hidden", "collapsed"}
    width : {"content", "stretch"}
    help : str, optional
    """
    first = choices[0] if first is None else first
    chosen = st.segmented_control(
        label,
        choices,
        required=True,
        format_func=format_func,
        key=keep_choice(key, choices, first),
        label_visibility=label_visibility,
        width=width,
        help=help,
    )
    # The session state holds a choice by now, which Streamlit's types cannot know.
    return first if chosen is None else chosen
