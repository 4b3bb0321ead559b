"""What goes with an answer: its icon, and the poolings among which it is searched."""

from __future__ import annotations

import streamlit as st

from layerviz.config import POOLINGS
from layerviz.ui.parts.map_controls import POOLING_NAMES
from layerviz.ui.parts.state import first_value

ALL_POOLINGS = "all"
VERDICTS = {
    "found": ":material/emoji_events:",
    "chance": ":material/block:",
    "few": ":material/warning:",
}


def poolings_control(key: str) -> tuple[str, ...]:
    """Let the reader choose under which poolings to search."""
    searched = st.segmented_control(
        "Search among",
        [ALL_POOLINGS, *POOLINGS],
        required=True,
        format_func=lambda name: "All poolings" if name == ALL_POOLINGS else POOLING_NAMES[name],
        key=first_value(key, ALL_POOLINGS),
        help="The more cells are searched, the more the best of them is flattered: look at one "
        "pooling if you know which you want.",
    )
    return POOLINGS if searched == ALL_POOLINGS else (searched,)
