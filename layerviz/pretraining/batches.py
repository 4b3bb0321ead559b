"""From texts to the batches of all epochs, padded, masked and in a reproducible order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerBase

from layerviz.pretrain_config import PretrainConfig

MASKED_SHARE = 0.15  # of the tokens
HELD_OUT_SHARE, LEAST_HELD_OUT, MOST_HELD_OUT = 0.01, 20, 1000  # texts kept aside to measure on

NumberedBatch = tuple[int, list[int]]  # its number in the plan, and rows of the texts


@dataclass(frozen=True, eq=False)  # eq: arrays do not compare to a single truth value
class TrainingTexts:
    """What a student learns from, row by row of the corpus.

    Parameters
    ----------
    ids : list of list of int
        The tokens of all texts.
    rows : ndarray of shape (n_train,), int64
        Which of them to train on.
    vectors : ndarray of shape (n_texts, D_t), or None
        The teacher's unit vectors, if there is a teacher.
    """

    ids: list[list[int]]
    rows: np.ndarray
    vectors: np.ndarray | None = None


def hold_out(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to measure on and those to train on, each of shape (k,), int64, sorted."""
    n_out = min(MOST_HELD_OUT, max(LEAST_HELD_OUT, round(HELD_OUT_SHARE * n)))
    shuffled = np.random.default_rng(seed).permutation(n)
    return np.sort(shuffled[:n_out]), np.sort(shuffled[n_out:])


def plan_batches(texts: TrainingTexts, config: PretrainConfig) -> list[NumberedBatch]:
    """Return the batches of all epochs: texts of similar length together, in random order."""
    rows = texts.rows
    lengths = np.array([len(texts.ids[row]) for row in rows])
    starts = np.arange(0, len(rows), config.batch_size)
    batches: list[list[int]] = []
    for epoch in range(config.epochs):
        rng = np.random.default_rng((config.seed, epoch))
        jitter = rng.uniform(-2, 2, len(rows))  # of the lengths, so that batches change
        order = rows[np.argsort(lengths + jitter, kind="stable")]
        batches += [
            order[start : start + config.batch_size].tolist() for start in rng.permutation(starts)
        ]
    return list(enumerate(batches))


class Collator:
    """From a numbered batch of rows to its tensors: padded, masked, with the teacher's vectors.

    The masks follow from the seed and the batch's number alone, so that resumed work goes on
    with exactly the masks that it would have had.

    Parameters
    ----------
    tokenizer : PreTrainedTokenizerBase
    texts : TrainingTexts
    seed : int
        Of the masks.
    masked_share : float
        Share of the tokens to mask. With 0, batches have no labels either.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        texts: TrainingTexts,
        seed: int,
        masked_share: float = MASKED_SHARE,
    ) -> None:
        self.tokenizer, self.texts, self.seed = tokenizer, texts, seed
        self.masked_share = masked_share

    def __call__(self, items: Sequence[NumberedBatch]) -> dict[str, torch.Tensor]:
        ((number, rows),) = items
        tokens = [{"input_ids": self.texts.ids[row]} for row in rows]
        if self.masked_share:
            seed = int(np.random.SeedSequence((self.seed, number)).generate_state(1)[0])
            mask = DataCollatorForLanguageModeling(
                self.tokenizer, mlm_probability=self.masked_share, seed=seed
            )
            batch = dict(mask(tokens))
        else:
            batch = dict(self.tokenizer.pad(tokens, return_tensors="pt"))
        if self.texts.vectors is not None:
            batch["teacher"] = torch.from_numpy(self.texts.vectors[rows]).float()
        return batch
