"""How far long work is: what the page says of a job, and a bar that follows work done at once."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from layerviz.jobs import JobState
from layerviz.progress import OnProgress, Progress


def job_sentence(state: JobState) -> str:
    """Say where a run stands, and what it waits for."""
    if state.stopping:
        return "Stopping: saving what has been captured"
    if state.status == "queued":
        return f"Waiting: {state.ahead} run{'s' if state.ahead != 1 else ''} ahead"
    return state.progress.sentence


@contextmanager
def bar_while_waiting(first: str) -> Iterator[OnProgress]:
    """Show a bar for as long as the block runs; `first` is what it says before any progress."""
    bar = st.progress(0.0, first)

    def show_progress(progress: Progress) -> None:
        bar.progress(progress.fraction, progress.sentence)

    try:
        yield show_progress
    finally:
        bar.empty()
