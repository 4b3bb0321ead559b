"""The learning curve of a run, written as it grows."""

from __future__ import annotations

import time
from typing import Any

import pandas as pd

from layerviz import runs
from layerviz.runs import Run

SECONDS_BETWEEN = 5.0  # of two times that a curve is written while points come fast


class History:
    """One row per step at which anything was recorded; what a run holds already is kept.

    The file is written as a whole, so recording many points and writing them are two things.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._path = run.path
        rows = runs.read_history(run.path).to_dict("records")
        self._rows: dict[int, dict[Any, Any]] = {int(row["step"]): row for row in rows}
        self._is_written = True
        self._written_at = -SECONDS_BETWEEN

    def at(self, step: int) -> dict[Any, Any]:
        """Return what is recorded of a step; nothing where there is nothing."""
        return self._rows.get(step, {})

    def record(self, step: int, epoch: float, **values: float) -> None:
        """Record values at a step, beside those that are there; `write` stores them."""
        self._rows.setdefault(step, {}).update(step=step, epoch=epoch, **values)
        self._is_written = False

    def write(self) -> None:
        """Store what was recorded since it was stored last, if anything was."""
        if self._is_written:
            return
        frame = pd.DataFrame([self._rows[step] for step in sorted(self._rows)])
        runs.write_history(self._path, frame)
        self._is_written, self._written_at = True, time.monotonic()

    def write_now_and_then(self) -> None:
        """Store it as `write` does, unless that was done a few seconds ago."""
        if time.monotonic() - self._written_at >= SECONDS_BETWEEN:
            self.write()
