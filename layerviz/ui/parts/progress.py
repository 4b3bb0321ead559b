"""Progress of long work: a job in one sentence, and a bar for work that the page waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from layerviz.jobs import JobState
from layerviz.progress import OnProgress, Progress
from layerviz.wording import count


def job_sentence(state: JobState) -> str:
    """Say where a run stands, and what it waits for."""
    if state.stopping:
        return "Stopping: saving what has been captured"
    if state.status == "queued":
        return f"Waiting: {count(state.ahead, 'run')} ahead"
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
