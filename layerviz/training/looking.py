"""A guard around what looks at training: where it fails, that is told, and training goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial

import torch

from layerviz import runs, separability
from layerviz.errors import Cancelled, LayervizError, RunError, reason
from layerviz.progress import OnProgress, ShouldStop, ignore, never, part_of
from layerviz.runs import Run

log = logging.getLogger(__name__)


@contextmanager
def looking(
    run: Run,
    what: str,
    note: Callable[[str], object] | None = None,
    should_stop: ShouldStop = never,
) -> Iterator[None]:
    """Keep what only looks at a run, and fails, from ending it.

    Errors that people can mend go through: that somebody stopped the run, or that its folder cannot
    be written, which training could not do without either.

    Parameters
    ----------
    run : Run
    what : str
        What is done, for the log.
    note : callable, optional
        Called with the reason as a clause, to keep it with the run.
    should_stop : callable
        Where it answers true, a failure is no more than a stop: a program that is ending refuses
        its threads new ones.

    Raises
    ------
    Cancelled
        If something failed and `should_stop` answers true.
    """
    try:
        yield
    except LayervizError:
        raise
    except Exception as error:
        if runs.is_writing_error(run.path, error):
            raise
        if should_stop():
            raise Cancelled from error
        log.exception("%s: %s failed; training goes on", run.run_id, what)
        if note is not None:
            note(_why(error))


def measuring(run: Run, index: int, should_stop: ShouldStop) -> AbstractContextManager[None]:
    """Keep a failure to measure a snapshot from ending a run; ``run.json`` says why it failed."""
    note = partial(runs.note_not_measured, run.path, index)
    return looking(run, "measuring", note, should_stop)


def measure_missing(
    run: Run, *, on_progress: OnProgress = ignore, should_stop: ShouldStop = never
) -> None:
    """Measure the snapshots of a run that are not, each by itself.

    Raises
    ------
    RunError
        If some could not be measured; the others are.
    Cancelled
        If `should_stop` answers true.
    """
    missing = runs.unmeasured_snapshots(run)
    for done, index in enumerate(missing):
        with measuring(run, index, should_stop):
            separability.measure_snapshot(
                run,
                index,
                on_progress=part_of(on_progress, done, len(missing)),
                should_stop=should_stop,
            )
    if failed := separability.unmeasured_sentences(runs.open_folder(run.path)):
        raise RunError(" ".join(failed), "The log says more.")


def _why(error: Exception) -> str:
    """Return why something could not be computed, as a clause."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return "there was not enough memory"
    return f"{type(error).__name__}: {reason(error)}"
