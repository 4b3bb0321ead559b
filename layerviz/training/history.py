"""The learning curve of a run, written as it grows."""

from __future__ import annotations

from typing import Any

import pandas as pd

from layerviz import runs
from layerviz.runs import Run


class History:
    """One row per step at which anything was recorded; what a run holds already is kept.

    Parameters
    ----------
    run : Run
    """

    def __init__(self, run: Run) -> None:
        self._path = run.path
        rows = runs.read_history(run.path).to_dict("records")
        self._rows: dict[int, dict[Any, Any]] = {int(row["step"]): row for row in rows}

    def at(self, step: int) -> dict[Any, Any]:
        """Return what is recorded of a step; nothing where there is nothing."""
        return self._rows.get(step, {})

    def record(self, step: int, epoch: float, **values: float) -> None:
        """Record values at a step, beside those that are there."""
        self._rows.setdefault(step, {}).update(step=step, epoch=epoch, **values)
        frame = pd.DataFrame([self._rows[step] for step in sorted(self._rows)])
        runs.write_history(self._path, frame)
