"""What is drawn again and again while work goes on, without disturbing the rest of the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from layerviz.jobs import JobState
from layerviz.ui.parts.guard import fragment
from layerviz.ui.parts.state import show_error

SECONDS_BETWEEN_LOOKS = 1.0


def draw_while_live(
    draw: Callable[..., None],
    *arguments: object,
    live: bool,
    seconds: float = SECONDS_BETWEEN_LOOKS,
) -> None:
    """Draw a part of the page by itself, every few seconds as long as something is live.

    Parameters
    ----------
    draw : callable
        A function of a module, by which Streamlit finds the part again.
    *arguments
        What it is called with each time: those of the page's last full run.
    live : bool
        Whether there can be news.
    seconds : float
        Between two looks.
    """
    fragment(draw, run_every=seconds if live else None)(*arguments)


def wait_for(
    jobs: Callable[[], Sequence[JobState]], draw: Callable[[Sequence[JobState]], None]
) -> None:
    """Ask jobs once a second how far they are; redraw the page when one of them has ended.

    Parameters
    ----------
    jobs : callable
        Asks for the work, which is done once however often it is asked for, and returns how each
        job stands.
    draw : callable
        Draws how far they are.
    """
    draw_while_live(_wait, jobs, draw, sum(not state.live for state in jobs()), live=True)


def _wait(
    jobs: Callable[[], Sequence[JobState]],
    draw: Callable[[Sequence[JobState]], None],
    n_ended_before: int,
) -> None:
    states = jobs()
    for state in states:
        if state.error is not None:
            show_error(state.error)
            return
    n_ended = sum(not state.live for state in states)
    if n_ended == len(states) or n_ended > n_ended_before:
        st.rerun()
    draw(states)


def mean_fraction(states: Sequence[JobState]) -> float:
    """Return how much of the work of several jobs is done, 0 to 1."""
    parts = [state.progress.fraction if state.live else 1.0 for state in states]
    return min(1.0, sum(parts) / max(1, len(parts)))
