"""Training whose loss or weights are no numbers any more: it ends at once, in one sentence."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from layerviz.errors import DivergedError, EncoderError
from layerviz.runs import Run
from layerviz.separability import lower_rate_advice
from layerviz.training.batching import BatchingTrainer


class CheckingTrainer(BatchingTrainer):
    """Ends training at the first loss that is no finite number: no later step could mend it.

    Parameters
    ----------
    run : Run
        With its learning rate, for the advice.
    **kwargs
        As for the `BatchingTrainer`.
    """

    def __init__(self, run: Run, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._run = run

    def training_step(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        loss = super().training_step(*args, **kwargs)
        if not bool(torch.isfinite(loss).all()):
            raise diverged(self._run, self.state.global_step + 1, "the loss is not a finite number")
        return loss


def expect_finite(run: Run, step: int, *values: np.ndarray | torch.Tensor) -> None:
    """Raise `DivergedError` if values that the weights give, or weights, are not finite numbers.

    Raises
    ------
    EncoderError
        If that is so before the first step.
    """
    if all(bool(torch.isfinite(torch.as_tensor(part)).all()) for part in values):
        return
    if step == 0:
        raise EncoderError(
            "This encoder gives values that are not finite numbers, before any training.",
            "Its weights are damaged: get a sound copy of them, or choose another encoder.",
        )
    raise diverged(run, step, "the weights give values that are not finite numbers")


def diverged(run: Run, step: int, what: str) -> DivergedError:
    """Return the error that says what happened at a step, and which learning rate to try."""
    total, per_epoch = run.training["total_steps"], run.training["steps_per_epoch"]
    rate = float(run.training["learning_rate"])
    return DivergedError(
        f"Training diverged at step {step:,} of {total:,} (epoch {step / per_epoch:.2f}): {what}.",
        f"{lower_rate_advice(rate, run.encoder.get('hidden_size'))} What was captured is kept.",
    )
