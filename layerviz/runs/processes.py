"""Whose run it is: the process that a record names, and whether it is still there."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import psutil

from layerviz.runs.locking import holder_of, this_host

CLOCK_TOLERANCE = 5.0  # seconds by which a process's start may seem to move


def this_process() -> dict[str, Any]:
    """Return what a record keeps of the process that computes a run."""
    return {
        "pid": os.getpid(),
        "created": psutil.Process().create_time(),
        "host": this_host(),
    }


def is_this_process(process: dict[str, Any]) -> bool:
    """Return whether a record names this very process."""
    here = (process.get("host") or this_host()) == this_host()
    return here and process["pid"] == os.getpid() and _is_running(process)


def is_alive(process: dict[str, Any], path: Path) -> bool:
    """Return whether the process that computes the run in a folder is still there.

    Of one on another machine, which shares the folder, its last sign of life tells.
    """
    if (process.get("host") or this_host()) == this_host():  # records did not always name a machine
        return _is_running(process)
    holder = holder_of(path)
    return holder is not None and holder.host == process["host"] and holder.is_alive


def _is_running(process: dict[str, Any]) -> bool:
    try:
        created = psutil.Process(int(process["pid"])).create_time()
    except psutil.Error:
        return False
    # Farther apart, the number was given to another; nearer, the clock was set meanwhile.
    return abs(created - process["created"]) < CLOCK_TOLERANCE
