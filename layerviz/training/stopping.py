"""Ending a run before its last epoch, when val has not risen for some epochs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerviz.runs import Run
from layerviz.wording import count

TOLERANCE = 1e-9  # scores that were written and read again may differ in their last digit


@dataclass(frozen=True)
class EarlyStop:
    """That a run ended early, and why; stored in ``run.json`` under ``training``.

    Parameters
    ----------
    epoch : int
        The last one that was trained.
    epochs : int
        As many were planned.
    patience : int
        For so many epochs val macro-F1 had not risen.
    step : int
        The last optimizer step.
    """

    epoch: int
    epochs: int
    patience: int
    step: int

    def __str__(self) -> str:
        return (
            f"Stopped after epoch {self.epoch} of {self.epochs}: val macro-F1 had not risen for "
            f"{count(self.patience, 'epoch')}."
        )


def epochs_without_rise(scores: Sequence[float]) -> int:
    """Return for how many of the last epochs a score has been no higher than before them.

    Parameters
    ----------
    scores : sequence of float
        At the ends of the epochs, from the first on; what was before training does not count.
    """
    best, at = float("-inf"), 0
    for epoch, score in enumerate(scores):
        if score > best + TOLERANCE:
            best, at = score, epoch
    return len(scores) - 1 - at if scores else 0


def early_stop_of(run: Run) -> EarlyStop | None:
    """Return how a run ended early, or None if it did not."""
    stored = run.training.get("stopped_early")
    return EarlyStop(**stored) if stored else None
