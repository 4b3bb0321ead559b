"""How far a job is, in words for the page."""

from __future__ import annotations

from layerviz.jobs import JobState


def job_sentence(state: JobState) -> str:
    """Say where a run stands, and what it waits for."""
    if state.stopping:
        return "Stopping: saving what has been captured"
    if state.status == "queued":
        return f"Waiting: {state.ahead} run{'s' if state.ahead != 1 else ''} ahead"
    return state.progress.sentence
