"""Whatever stops a run, in one sentence and with its remedy."""

from __future__ import annotations

import logging
from pathlib import Path

import torch

from layerviz import runs
from layerviz.disks import is_full
from layerviz.errors import DiskFullError, LayervizError, MemoryShortageError, RunError

log = logging.getLogger(__name__)

ROOM_TO_GO_ON = (
    "Free some space (delete runs that are no longer needed) and start the same run again: it "
    "continues from what was saved."
)


def as_layerviz_error(path: Path, error: Exception) -> LayervizError:
    """Turn whatever stopped the work in a folder into one sentence and its remedy."""
    if isinstance(error, DiskFullError):
        return DiskFullError(error.message, ROOM_TO_GO_ON)
    if isinstance(error, LayervizError):
        return error
    if is_full(path, error):
        return runs.disk_full(path, ROOM_TO_GO_ON)
    if runs.is_writing_error(path, error):
        return runs.writing_error(path, error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return MemoryShortageError(
            "There is not enough memory for this encoder at this batch size.",
            "Halve the batch size, shorten max length, or pick a smaller encoder.",
        )
    log.exception("run %s failed", path.name, exc_info=error)
    return RunError(
        f"Training stopped with {type(error).__name__}: {error}",
        "What was captured is kept; the server's log says more.",
    )
