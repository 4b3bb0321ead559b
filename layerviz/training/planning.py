"""What a run will do: which examples it captures, at which steps, with which settings."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd

from layerviz import encoders
from layerviz.config import BF16, FP32, SPLITS, RunConfig
from layerviz.data import Dataset
from layerviz.runs import Run
from layerviz.training.device import multiplies_bf16

CAPTURE_SEED = 0  # not the run's: runs that differ in their seed are compared on the same examples


def choose_examples(dataset: Dataset, max_captured: int, seed: int) -> pd.DataFrame:
    """Choose at most `max_captured` examples per split, stratified by label and seeded.

    Each class gets its share, and at least one example as long as there are no more classes
    than examples to choose. The result keeps the order of the data set. Corrected labels change
    nothing in the choice, so that runs before and after are compared on the same examples.
    """
    rng = np.random.default_rng(seed)
    chosen = []
    for split in SPLITS:
        part = dataset.split(split)
        if len(part) > max_captured:
            shuffled = part.iloc[rng.permutation(len(part))]
            labels = shuffled["id"].map(dataset.former_labels).fillna(shuffled["label"])
            by_label = shuffled.groupby(labels)["id"]
            rank = by_label.cumcount() / by_label.transform("size")  # 0 for a class's first
            part = shuffled.iloc[np.argsort(rank, kind="stable")[:max_captured]].sort_index()
        chosen.append(part)
    return pd.concat(chosen, ignore_index=True)


def snapshot_steps(n_train: int, epochs: int, config: RunConfig) -> tuple[list[int], int]:
    """Return the optimizer steps after which to capture, 0 first, and the steps per epoch."""
    per_epoch = -(-n_train // config.batch_size)
    snapshots = config.snapshots_per_epoch
    steps = {
        round((epoch + number / snapshots) * per_epoch)
        for epoch in range(epochs)
        for number in range(1, snapshots + 1)
    }
    return [0, *sorted(steps - {0})], per_epoch


def with_defaults(config: RunConfig) -> RunConfig:
    """Return `config` with nothing left open: what suits the encoder, and its version.

    A run is named after its settings, so the page and the command line both come through here.

    Raises
    ------
    ConfigError
        If layers are to be kept or frozen that the encoder is known not to have.
    """
    info = encoders.describe(config.encoder)
    encoders.check_layers(info, freeze=config.freeze, keep_layers=config.keep_layers)
    suitable = encoders.suitable_settings(info)
    filled = {name: value for name, value in suitable.items() if getattr(config, name) is None}
    return dataclasses.replace(config, encoder_version=encoders.version(config.encoder), **filled)


def resolve_precision(precision: str) -> str:
    """Return ``bf16`` or ``fp32`` for a setting that may be ``auto``.

    ``auto`` takes bf16 where the hardware multiplies it natively: CUDA devices that say so and
    CPUs with AMX or AVX-512 BF16.
    """
    if precision != "auto":
        return precision
    return BF16 if multiplies_bf16() else FP32


def capture_precision(run: Run) -> str:
    """Return in which precision a run captures: as it is set to, where that is native.

    A run that has begun goes on as it began; earlier versions captured in fp32 and recorded no
    precision.
    """
    if run.snapshots or "capture_precision" in run.training:
        return run.capture_precision
    return precision_of_captures(run.config)


def precision_of_captures(config: RunConfig) -> str:
    """Return in which precision a run with these settings would capture here."""
    if config.capture_precision == FP32:
        return FP32
    own = resolve_precision(config.precision)
    return own if own == resolve_precision("auto") else FP32
