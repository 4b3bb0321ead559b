"""The one guard around each part of the page: a part that fails says so, the others stand."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import streamlit as st

from layerviz.errors import LayervizError, RunError
from layerviz.runs import Run
from layerviz.runs.opening import HINT
from layerviz.ui.parts.libraries import wait_for_libraries
from layerviz.ui.parts.state import show_error

log = logging.getLogger(__name__)

IN_THE_LOG = "The server's log says more; please report it."


@contextmanager
def guarded(part: str, *arguments: object) -> Iterator[None]:
    """Show in one sentence why a part of the page cannot be drawn, in place of what is missing.

    Parameters
    ----------
    part : str
        What the page calls it: "The Layers tab".
    *arguments
        What it is drawn with. If there are runs among them, or in their fields, the sentence names
        the first of their files that is damaged.
    """
    try:
        yield
    except LayervizError as error:
        show_error(error)
    except Exception as error:  # whatever it is, the rest of the page is to be seen
        log.exception("%s cannot be drawn", part)
        if damage := _damage_of(_runs_in(arguments)):
            show_error(RunError(f"{part} cannot be drawn: {damage}.", HINT))
        else:
            name = type(error).__name__
            show_error(RunError(f"{part} cannot be drawn: unexpected {name}.", IN_THE_LOG))


def fragment(draw: Callable[..., None], *, run_every: float | None = None) -> Callable[..., None]:
    """Return a function that draws a part of the page redrawn by itself, guarded each time.

    Parameters
    ----------
    draw : callable
        A function of a module, by which Streamlit finds the part again.
    run_every : float, optional
        Seconds after which it is drawn again.
    """

    @functools.wraps(draw)
    def guarded_draw(*arguments: object) -> None:
        with guarded("This part", *arguments):
            draw(*arguments)

    return st.fragment(guarded_draw, run_every=run_every)


def _damage_of(runs: list[Run]) -> str:
    """Say which file is damaged first, and of which run where there are several; "" if none is."""
    if runs:
        wait_for_libraries()
    from layerviz.export.checking import first_damage  # heavy, and seldom needed

    for run in runs:
        if damage := first_damage(run):
            return damage if len(runs) == 1 else f"{damage} in {run.run_id}"
    return ""


def _runs_in(arguments: tuple[object, ...]) -> list[Run]:
    """Return the runs among these, and in their fields `run` and `compared`."""
    runs: list[Run] = []
    for argument in arguments:
        inner = getattr(argument, "run", None), *(getattr(argument, "compared", None) or ())
        parts = argument if isinstance(argument, list | tuple) else ()
        runs += [one for one in (argument, *inner, *parts) if isinstance(one, Run)]
    return list({run.run_id: run for run in runs}.values())
