"""Fine-tuning with transformers' Trainer, and the captures taken on the way.

The Trainer trains; a callback only looks. It captures between two steps, in evaluation mode,
without gradients and without drawing a random number, so that a run's final weights equal those
of the same run without captures, bit for bit.
"""

from typing import TYPE_CHECKING

from layerviz.lazily import lazy_names

if TYPE_CHECKING:
    from layerviz.training.checkpoints import CheckpointingTrainer, last_checkpoint
    from layerviz.training.costs import (
        MODELLED,
        USUAL_TOKENS,
        Pace,
        RunSeconds,
        expected_seconds,
        learned_pace,
        pace_of,
        together,
    )
    from layerviz.training.failing import as_layerviz_error
    from layerviz.training.fitting import fit
    from layerviz.training.helping import help_with_training
    from layerviz.training.keeping import model_sentence
    from layerviz.training.looking import measure_missing
    from layerviz.training.planning import (
        choose_examples,
        resolve_precision,
        snapshot_steps,
        with_defaults,
    )
    from layerviz.training.sharing import expect_even_shares, sharing_sentence
    from layerviz.training.space import RunBytes, expected_bytes
    from layerviz.training.stopping import EarlyStop, early_stop_of, epochs_without_rise
else:
    __getattr__, __dir__ = lazy_names(__name__)

__all__ = [
    "MODELLED",
    "USUAL_TOKENS",
    "CheckpointingTrainer",
    "EarlyStop",
    "Pace",
    "RunBytes",
    "RunSeconds",
    "as_layerviz_error",
    "choose_examples",
    "early_stop_of",
    "epochs_without_rise",
    "expect_even_shares",
    "expected_bytes",
    "expected_seconds",
    "fit",
    "help_with_training",
    "last_checkpoint",
    "learned_pace",
    "measure_missing",
    "model_sentence",
    "pace_of",
    "resolve_precision",
    "sharing_sentence",
    "snapshot_steps",
    "together",
    "with_defaults",
]
