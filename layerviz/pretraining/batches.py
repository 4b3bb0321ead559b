"""From texts to the batches of all epochs, padded, masked and in a reproducible order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from transformers import DataCollatorForLanguageModeling, PreTrainedTokenizerBase

from layerviz.config import PretrainConfig

MASKED = 0.15  # of the tokens
HELD_OUT, LEAST_HELD_OUT, MOST_HELD_OUT = 0.01, 20, 1000  # texts kept aside to measure on


def hold_out(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows to measure on and those to train on."""
    n_out = min(MOST_HELD_OUT, max(LEAST_HELD_OUT, round(HELD_OUT * n)))
    shuffled = np.random.default_rng(seed).permutation(n)
    return np.sort(shuffled[:n_out]), np.sort(shuffled[n_out:])


def plan_batches(
    ids: Sequence[Sequence[int]], rows: np.ndarray, config: PretrainConfig
) -> list[tuple[int, list[int]]]:
    """Return the numbered batches of all epochs: texts of like length together, in random order."""
    lengths = np.array([len(ids[row]) for row in rows])
    starts = np.arange(0, len(rows), config.batch_size)
    planned: list[list[int]] = []
    for epoch in range(config.epochs):
        rng = np.random.default_rng((config.seed, epoch))
        jitter = rng.uniform(-2, 2, len(rows))  # of the lengths, so that batches change
        order = rows[np.argsort(lengths + jitter, kind="stable")]
        planned += [order[at : at + config.batch_size].tolist() for at in rng.permutation(starts)]
    return list(enumerate(planned))


class Collate:
    """From a numbered batch of rows to its tensors: padded, masked, with the teacher's vectors.

    Where no share of the tokens is to be `masked` there are no labels either.

    The masks follow from the seed and the batch's number alone, so that work which was stopped
    goes on with the very masks it would have had.
    """

    def __init__(
        self,
        tokenizer: PreTrainedTokenizerBase,
        ids: list[list[int]],
        vectors: np.ndarray | None,
        seed: int,
        masked: float = MASKED,
    ) -> None:
        self.tokenizer, self.ids, self.vectors, self.seed = tokenizer, ids, vectors, seed
        self.masked = masked

    def __call__(self, items: Sequence[tuple[int, list[int]]]) -> dict[str, torch.Tensor]:
        ((number, rows),) = items
        texts = [{"input_ids": self.ids[row]} for row in rows]
        if self.masked:
            seed = int(np.random.SeedSequence((self.seed, number)).generate_state(1)[0])
            mask = DataCollatorForLanguageModeling(
                self.tokenizer, mlm_probability=self.masked, seed=seed
            )
            batch = dict(mask(texts))
        else:
            batch = dict(self.tokenizer.pad(texts, return_tensors="pt"))
        if self.vectors is not None:
            batch["teacher"] = torch.from_numpy(self.vectors[rows]).float()
        return batch
