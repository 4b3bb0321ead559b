"""Where a piece of work stands, and how it is asked to stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Where a run stands, for a progress bar.

    Parameters
    ----------
    phase : str
        ``waiting``, ``loading``, ``downloading``, ``preparing``, ``capturing``,
        ``measuring``, ``training``, ``teaching``, ``words``, ``saving``, ``mapping`` or
        ``mixing``.
    done, total : int
        Bytes while downloading, examples while capturing, layers while measuring, else optimizer
        steps.
    step, total_steps : int
        Optimizer steps, whatever the phase; 0 of 0 before they are known.
    epoch : float
        Passes over the training examples done.
    loss : float or None
        The newest recorded training loss.
    seconds_left : float or None
        Estimated from the pace so far, captures included; None before the first step.
    """

    phase: str = "waiting"
    done: int = 0
    total: int = 0
    step: int = 0
    total_steps: int = 0
    epoch: float = 0.0
    loss: float | None = None
    seconds_left: float | None = None


OnProgress = Callable[[Progress], None]
ShouldStop = Callable[[], bool]


def ignore(progress: Progress) -> None:
    """Show nothing."""


def never() -> bool:
    """Let the work go on."""
    return False
