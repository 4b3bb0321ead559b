"""Fine-tuning with transformers' Trainer, and the captures taken on the way.

The Trainer trains; a callback only looks. It captures between two steps, in evaluation mode,
without gradients and without drawing a random number, so that a run's final weights equal those
of the same run without captures, bit for bit.
"""

from layerviz.progress import OnProgress, Progress, ShouldStop, ignore, never
from layerviz.training.fitting import explained, fit, last_checkpoint
from layerviz.training.planning import (
    choose_examples,
    resolve_precision,
    snapshot_steps,
    with_defaults,
)

__all__ = [
    "OnProgress",
    "Progress",
    "ShouldStop",
    "choose_examples",
    "explained",
    "fit",
    "ignore",
    "last_checkpoint",
    "never",
    "resolve_precision",
    "snapshot_steps",
    "with_defaults",
]
