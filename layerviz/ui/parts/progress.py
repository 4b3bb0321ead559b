"""Progress of long work: a job in one sentence, and a bar for work that the page waits for."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from layerviz import runs
from layerviz.jobs import JobState
from layerviz.progress import OnProgress, Progress
from layerviz.runs import Run
from layerviz.ui.parts.state import errors_shown, jobs, plain
from layerviz.wording import count


def job_sentence(state: JobState) -> str:
    """Say where a run stands, and what it waits for."""
    if state.stopping:
        return "Stopping: saving what has been captured"
    if state.status == "queued":
        return f"Waiting: {count(state.ahead, 'run')} ahead"
    return state.progress.sentence


def progress_elsewhere(run: Run, fraction: float) -> tuple[float, str]:
    """Return how far a run is that another process computes, and what to say of it.

    `fraction` stands in where that process says nothing of it, as those of earlier versions do.
    """
    news = runs.news_of(run.path)
    if news is None:
        return fraction, "Running in another process; new snapshots appear here."
    if runs.is_asked_to_stop(run.path):
        return news.fraction, "Stopping: saving what has been captured"
    where = "in another process"
    if news.host and news.host != runs.this_host():
        where = f"on {plain(news.host)}"
    return news.fraction, f"{plain(news.sentence)} · {where}"


def stop_run(run: Run) -> None:
    """Have a run stopped, whoever computes it; for callbacks."""
    with errors_shown():
        if jobs().state(run.run_id) is None:
            runs.ask_to_stop(run.path)
        else:
            jobs().cancel(run.run_id)


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
