"""What the tabs below the heat map are about, and what they share."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from layerviz.runs import Run
from layerviz.separability import Answer, DepthDecision
from layerviz.ui.parts.measured import epoch_control

F1 = "Probe macro-F1"


@dataclass(frozen=True)
class Detail:
    """What the tabs below the heat map are about.

    Parameters
    ----------
    run : Run
    measured : tuple of int
        Its measured snapshots.
    answer : Answer
    pooling : str
        As chosen above the heat map.
    margin : float
        The loss of macro-F1 that the reader accepts.
    decision : DepthDecision or None
        How many layers are enough; None where the answer names no layer.
    """

    run: Run
    measured: tuple[int, ...]
    answer: Answer
    pooling: str
    margin: float
    decision: DepthDecision | None

    def snapshot_control(self, name: str) -> int:
        """Let the reader choose a snapshot, the best one at first; `name` is that of the tab."""
        best = self.answer.best.snapshot  # part of the key: in a live run the best one changes
        key = f"detail_epoch_{self.run.run_id}_{self.run.created}_{name}_{best}"
        return epoch_control(self.run, self.measured, key, best)


def is_dark() -> bool:
    """Return whether the page has a dark background."""
    return st.context.theme.type == "dark"
