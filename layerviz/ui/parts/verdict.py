"""What goes with an answer: its icon, and the poolings among which it is searched."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from layerviz.poolings import pooling_label
from layerviz.ui.parts.state import keep_choice

ALL_POOLINGS = "all"
VERDICT_ICONS = {
    "found": ":material/emoji_events:",
    "chance": ":material/block:",
    "few": ":material/warning:",
}


def poolings_control(key: str, poolings: Sequence[str]) -> tuple[str, ...]:
    """Let the reader choose which of these poolings to search."""
    choices = [ALL_POOLINGS, *poolings]
    searched = st.segmented_control(
        "Search among",
        choices,
        required=True,
        format_func=lambda name: "All poolings" if name == ALL_POOLINGS else pooling_label(name),
        key=keep_choice(key, choices, ALL_POOLINGS),
        help="The more cells are searched, the more the best score flatters: choose one pooling if "
        "you know which one you want.",
    )
    return tuple(poolings) if searched in (None, ALL_POOLINGS) else (searched,)
