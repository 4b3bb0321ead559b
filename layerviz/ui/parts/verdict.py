"""What goes with an answer: its icon, and the poolings among which it is searched."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from layerviz.poolings import pooling_label
from layerviz.runs import Run
from layerviz.separability import MARGIN, MARGINS
from layerviz.ui.parts.choice import choose_one
from layerviz.ui.parts.state import keep

ALL_POOLINGS = "all"
SEARCHED, ACCEPTED_LOSS = "answer_poolings", "answer_margin"  # session state: for all of the run
VERDICT_ICONS = {
    "found": ":material/lightbulb:",
    "ranks": ":material/balance:",
    "chance": ":material/block:",
    "few": ":material/warning:",
}


def margin_control(key: str) -> float:
    """Let the reader choose how much macro-F1 to give away for a smaller model."""
    return st.select_slider(
        "Loss you accept for fewer layers",
        MARGINS,
        format_func=lambda margin: f"{margin:.2f}",
        key=keep(key, MARGIN),
        width=260,
        help="Macro-F1. The smaller it is, the more val examples it takes to say that a shorter "
        "encoder loses no more than this.",
    )


def poolings_control(key: str, poolings: Sequence[str]) -> tuple[str, ...]:
    """Let the reader choose which of these poolings to search."""
    choices = [ALL_POOLINGS, *poolings]
    searched = choose_one(
        "Search among",
        choices,
        key=key,
        format_func=lambda name: "All poolings" if name == ALL_POOLINGS else pooling_label(name),
        help="The more cells are searched, the more the best score flatters: choose one pooling if "
        "you know which one you want.",
    )
    return tuple(poolings) if searched == ALL_POOLINGS else (searched,)


def chosen_poolings(run: Run) -> tuple[str, ...]:
    """Return the poolings that the reader chose in the Layers tab to search, by default all."""
    searched = st.session_state.get(SEARCHED, ALL_POOLINGS)
    return (searched,) if searched in run.poolings else tuple(run.poolings)


def chosen_margin() -> float:
    """Return the loss that the reader accepts for fewer layers, as chosen in the Layers tab."""
    return st.session_state.get(ACCEPTED_LOSS, MARGIN)
