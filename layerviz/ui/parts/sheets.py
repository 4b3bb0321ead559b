"""The answer sheet of a run as the tabs show it: stored, or waited for while a worker makes it."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from layerviz import cache
from layerviz.jobs import JobState
from layerviz.runs import Run
from layerviz.separability import AnswerSheet
from layerviz.ui.parts.polling import wait_for
from layerviz.ui.parts.state import jobs


def awaited_sheet(run: Run, poolings: tuple[str, ...]) -> AnswerSheet | None:
    """Return a run's answer sheet, searched among these poolings; None until there is one.

    Where it is missing or out of date, a worker is asked for it, and the page is drawn again when
    it is made; until then, an older one is returned.
    """
    stored = cache.stored_sheet(run, poolings)
    if stored is None or not stored.is_current:
        draw = _being_made if stored is None else _nothing
        wait_for(lambda: [jobs().answer(run, poolings)], draw)
    return None if stored is None else stored.sheet


def _being_made(states: Sequence[JobState]) -> None:  # noqa: ARG001
    st.caption("The answer is being worked out.")


def _nothing(states: Sequence[JobState]) -> None:
    """Draw nothing: what is shown meanwhile is nearly as new."""
