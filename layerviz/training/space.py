"""How much room a run takes on the disk, from the shapes of what it writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from layerviz.config import BY_LAYERVIZ, KEEP_ALL, KEEP_BEST, RunConfig
from layerviz.encoders import EncoderInfo
from layerviz.poolings import POOLINGS
from layerviz.training.planning import snapshot_steps

BYTES_PER_WEIGHT = 4  # weights, and each of the two moments that AdamW keeps of them
MOMENTS = 2  # of each weight that is trained; a checkpoint holds all weights and these
BLOCK = 12  # times the hidden size squared: attention and a feed-forward part four times as wide
BEST_AT_ONCE = 3  # snapshots whose weights are kept until it is known which is the best
BYTES_PER_EXAMPLE = 300  # its text, and one row of predictions
SMALL_FILES = 3_000_000  # tokenizer, tables, the record
MARGIN = 1.1


@dataclass(frozen=True)
class RunBytes:
    """About how much room a run takes.

    Parameters
    ----------
    kept : int
        When it is done.
    most : int
        While it goes on: checkpoints are written beside the older one before that is removed.
    """

    kept: int
    most: int


def expected_bytes(
    config: RunConfig,
    encoder: EncoderInfo,
    rows: Mapping[str, int],
    n_classes: int,
    n_poolings: int = len(POOLINGS),
) -> RunBytes | None:
    """Return about how much room a run takes; None where the encoder's size is not known yet.

    Parameters
    ----------
    config : RunConfig
        With its epochs.
    encoder : EncoderInfo
    rows : mapping of str to int
        Examples per split.
    n_classes, n_poolings : int
    """
    if not encoder.layers or not encoder.hidden_size or config.epochs is None:
        return None
    if config.trained_by != BY_LAYERVIZ:
        return None
    plan, _ = snapshot_steps(rows["train"], config.epochs, config)
    n = sum(min(number, config.max_captured) for number in rows.values())
    cells = n_poolings * (1 + (config.keep_layers or encoder.layers))
    # Float16 states; of the probes int16 predictions, float16 scores and uint8 neighbours.
    snapshot = cells * n * (2 * encoder.hidden_size + 2 + 2 * n_classes + 1)
    n_weights, n_trained = _numbers_of_weights(config, encoder)
    weights, moments = BYTES_PER_WEIGHT * n_weights, BYTES_PER_WEIGHT * MOMENTS * n_trained
    kept_weights = {KEEP_ALL: 1 + len(plan), KEEP_BEST: 1}.get(config.keep, 1) * weights
    kept = len(plan) * (snapshot + BYTES_PER_EXAMPLE * n) + kept_weights + SMALL_FILES
    beside = 2 * (weights + moments)
    beside += BEST_AT_ONCE * weights if config.keep == KEEP_BEST else 0
    return RunBytes(round(MARGIN * kept), round(MARGIN * (kept + beside)))


def _numbers_of_weights(config: RunConfig, encoder: EncoderInfo) -> tuple[int, int]:
    """Return about how many weights there are with the layers that are kept, and are trained.

    Where layers share their weights, as in ALBERT, there are as many with fewer of them.
    """
    n_weights, layers = encoder.parameters or 0, encoder.layers or 0
    block = BLOCK * (encoder.hidden_size or 0) ** 2
    if layers * block > n_weights:
        return n_weights, n_weights
    kept = config.keep_layers or layers
    n_kept = n_weights - max(0, layers - kept) * block
    # The embeddings are frozen with the first layers.
    return n_kept, (kept - config.freeze) * block if config.freeze else n_kept
