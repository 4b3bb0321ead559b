"""Runs that ended before anything was captured: they hold a record and nothing else."""

from __future__ import annotations

import time
from pathlib import Path

from layerviz.errors import RunError
from layerviz.runs.record import CLOSED, Run, delete, list_runs

SECONDS_SHOWN = 24 * 3600


def is_failed_start(run: Run) -> bool:
    """Return whether a run ended before its first snapshot, so that there is nothing to look at."""
    return not run.live and run.status != "done" and not run.snapshots


def drop_old_failed_starts(root: Path, keep: str = "") -> list[str]:
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
    list of str
        Their ids.
    """
    before = time.time() - SECONDS_SHOWN
    dropped = []
    for run in list_runs(root):
        if run.run_id == keep or not is_failed_start(run) or run.reason == CLOSED:
            continue
        try:
            if run.layout.record.stat().st_mtime < before:
                delete(root, run.run_id)
                dropped.append(run.run_id)
        except (OSError, RunError):
            continue  # it was started again just now, or belongs to somebody else
    return dropped
