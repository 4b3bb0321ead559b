"""How far a job is, in words and as a fraction."""

from __future__ import annotations

import math

from layerviz.jobs import JobState
from layerviz.training import Progress


def fraction(progress: Progress) -> float:
    """Return how much of a run is done, 0 to 1."""
    if progress.phase == "downloading" and progress.total:
        return min(1.0, progress.done / progress.total)
    return min(1.0, progress.step / progress.total_steps) if progress.total_steps else 0.0


def sentence(state: JobState) -> str:
    """Say where a run stands."""
    now = state.progress
    if state.stopping:
        return "Stopping: saving what is there"
    if state.status == "queued":
        return f"Waiting: {state.ahead} run{'s' if state.ahead != 1 else ''} ahead"
    if now.phase in ("waiting", "loading"):
        return "Loading the encoder"
    if now.phase == "downloading":
        return f"Downloading the encoder: {now.done / 1e6:,.0f} of {now.total / 1e6:,.0f} MB"
    if now.phase == "preparing":
        return "Turning texts into tokens"
    parts = [f"Step {now.step:,} / {now.total_steps:,}", f"epoch {now.epoch:.2f}"]
    if now.loss is not None:
        parts.append(f"loss {now.loss:.3f}")
    if now.phase == "capturing":
        parts.append(f"capturing hidden states {now.done:,} / {now.total:,}")
    elif now.phase == "measuring":
        parts.append(f"measuring layers {now.done:,} / {now.total:,}")
    elif now.phase == "saving":
        parts.append("saving")
    elif now.seconds_left is not None:
        parts.append(f"about {duration(now.seconds_left)} left")
    return " · ".join(parts)


def duration(seconds: float) -> str:
    """Say how long something takes."""
    if seconds < 90:
        return f"{math.ceil(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes / 60:.1f} h"
