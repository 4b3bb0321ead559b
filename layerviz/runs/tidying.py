"""What is no longer of use in the folder of runs: leftovers of deaths, and failed starts."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Sequence
from pathlib import Path

from layerviz.errors import RunError
from layerviz.runs.access import is_read_only
from layerviz.runs.contents import remove_resume
from layerviz.runs.folders import delete
from layerviz.runs.layout import RESUME
from layerviz.runs.leftovers import clean_up
from layerviz.runs.listing import list_runs
from layerviz.runs.record import CLOSED, Run, read
from layerviz.wording import count, enumeration

SECONDS_SHOWN = 24 * 3600
NAMED = 3  # runs, in a sentence


def tidy(root: Path) -> None:
    """Remove what processes that died have left; done at each start.

    That is what lies aside (see `clean_up`), and the Trainer's state of runs that are done: the
    record says so first, so that a death in between costs nothing else.

    Parameters
    ----------
    root : Path
        The runs folder.
    """
    if is_read_only():
        return
    clean_up(root)
    for resume in root.glob(f"*/{RESUME}"):
        with contextlib.suppress(RunError):  # one that cannot be read is told in the list
            if read(root, resume.parent.name).status == "done":
                remove_resume(resume.parent)


def is_failed_start(run: Run) -> bool:
    """Return whether a run ended before its first snapshot, so that there is nothing to look at."""
    return not run.live and run.status != "done" and not run.snapshots


def drop_old_failed_starts(root: Path, keep: str = "") -> list[Run]:
    """Delete runs that failed to start or were cancelled at once, a day after that.

    Those that were waiting or starting when layerviz was closed stay: nobody has seen them end.

    Parameters
    ----------
    root : Path
        Folder of all runs.
    keep : str
        The id of one that stays.

    Returns
    -------
    list of Run
        What was deleted, for whoever tells it with `removal_sentence`.
    """
    before = time.time() - SECONDS_SHOWN
    dropped: list[Run] = []
    for run in list_runs(root):
        if run.run_id == keep or not is_failed_start(run) or run.reason == CLOSED:
            continue
        try:
            if run.layout.record.stat().st_mtime < before:
                delete(root, run.run_id)
                dropped.append(run)
        except (OSError, RunError):
            continue  # it was started again just now, or belongs to somebody else
    return dropped


def removal_sentence(titles: Sequence[str]) -> str:
    """Say what `drop_old_failed_starts` removed.

    Parameters
    ----------
    titles : sequence of str
        What a reader calls those runs; at least one.
    """
    named = list(titles[:NAMED])
    if len(titles) > NAMED:
        named.append(f"{len(titles) - NAMED:,} more")
    runs = f"{count(len(titles), 'run')} that stopped before anything was captured"
    return f"Removed {runs}, over a day ago: {enumeration(named)}."
