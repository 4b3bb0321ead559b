"""The settings of a run as arguments, and the configuration that they make."""

from __future__ import annotations

import argparse

from layerviz.config import CLASS_WEIGHTINGS, PRECISIONS, RunConfig


def add_run_settings(fit: argparse.ArgumentParser) -> None:
    """Add what decides how a run is made, its encoder and its data apart."""
    fit.add_argument("--epochs", type=int, default=5, help="passes over the train examples")
    fit.add_argument("--batch-size", type=int, default=32, help="examples per step")
    fit.add_argument("--learning-rate", type=float, help="by default what suits the encoder's size")
    fit.add_argument("--max-length", type=int, default=128, help="tokens kept of each text")
    fit.add_argument("--max-captured", type=int, default=2000, help="examples captured per split")
    fit.add_argument("--snapshots-per-epoch", type=int, default=1, help="and one before epoch 1")
    fit.add_argument("--seed", type=int, default=0, help="of the head's weights and the order")
    fit.add_argument("--weight-decay", type=float, default=0.01, help="of AdamW")
    fit.add_argument("--warmup-ratio", type=float, default=0.1, help="part of all steps")
    fit.add_argument(
        "--class-weighting",
        choices=CLASS_WEIGHTINGS,
        default="none",
        help="balanced: rare classes count more in the loss",
    )
    fit.add_argument(
        "--precision", choices=PRECISIONS, default="auto", help="auto: bf16 where hardware has it"
    )
    fit.add_argument(
        "--keep-weights", action="store_true", help="those of every snapshot, not the newest alone"
    )


def run_config(parsed: argparse.Namespace, encoder: str, seed: int) -> RunConfig:
    """Return the settings of a run."""
    names = (
        "epochs",
        "batch_size",
        "learning_rate",
        "max_length",
        "weight_decay",
        "warmup_ratio",
        "class_weighting",
        "precision",
        "snapshots_per_epoch",
        "max_captured",
        "keep_weights",
    )
    given = {name: getattr(parsed, name) for name in names}
    return RunConfig(encoder=encoder, seed=seed, **given)
