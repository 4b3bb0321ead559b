"""The train examples as the Trainer takes them; those of similar length share a batch."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from accelerate.data_loader import SeedableRandomSampler, SkipBatchSampler
from torch.utils.data import BatchSampler, DataLoader, Dataset, Sampler

from layerviz.tokenising import Tokenised
from layerviz.training.checkpoints import CheckpointingTrainer

STAND_IN = -1  # for a process to which nothing of a batch is left
IGNORED = -100  # a label that PyTorch's losses leave out
STRETCH = 50  # batches over which texts are sorted: longer ones save no padding worth having


class Features(Dataset[dict[str, Any]]):
    """The train examples as a collator takes them, made when they are asked for.

    As lists of Python's numbers, a million texts of 40 tokens would take 2 GB for as long as the
    run goes on.

    Parameters
    ----------
    tokens : Tokenised
        N texts.
    labels : ndarray of shape (N,), int

    Row `STAND_IN` is a text without a label, which no loss counts.
    """

    def __init__(self, tokens: Tokenised, labels: np.ndarray) -> None:
        self._tokens, self._labels = tokens, labels

    def __len__(self) -> int:
        return len(self._tokens)

    def __getitem__(self, row: int) -> dict[str, Any]:
        ids = self._tokens.input_ids[row].tolist()
        feature = {
            "input_ids": ids,
            "attention_mask": [1] * len(ids),
            "label": int(self._labels[row]) if row >= 0 else IGNORED,
        }
        if self._tokens.token_type_ids is not None:
            feature["token_type_ids"] = self._tokens.token_type_ids[row].tolist()
        return feature


class LengthSampler(Sampler[int]):
    """Orders the examples of each epoch so that those of similar length share a batch.

    All examples are shuffled and cut into stretches of at most 50 batches; each stretch is sorted
    by length and cut into batches, and those of all stretches are shuffled. So the length of a text
    does not decide when in an epoch it is trained on, as it does with ``group_by_length`` of
    transformers 5, which also draws its order from the global random state. Only the longest batch
    is the first of the first epoch, so that a lack of memory shows at once. The order follows from
    seed and epoch alone: a run that goes on in the middle of an epoch finds the batches it has
    left.

    Parameters
    ----------
    lengths : sequence of N ints
        Tokens of each example.
    batch_size : int
    seed : int
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths = np.asarray(lengths, dtype=np.int64)
        self._batch_size, self._seed = batch_size, seed
        self._epoch = 0

    def __len__(self) -> int:
        return len(self._lengths)

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, from 0; the Trainer does."""
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        rng = np.random.default_rng([self._seed, self._epoch])
        first = self._epoch == 0
        order = order_by_length(self._lengths, self._batch_size, rng, longest_first=first)
        return iter(order.tolist())


class BatchShare(BatchSampler):
    """What one of several processes takes of each batch: every `of`-th example.

    All processes step through the same batches as one alone would, each with its own examples, so
    that the sum of their gradients is that of the whole batch. What is the last batch's is shared
    as well, be it smaller than the processes are many: who is left with nothing takes a stand-in.

    Parameters
    ----------
    order : Sampler
        Of the examples, the same in all processes.
    batch_size : int
        Of all processes together.
    rank : int
    of : int
        How many processes there are.
    """

    def __init__(self, order: Sampler[int], batch_size: int, rank: int, of: int) -> None:
        super().__init__(order, batch_size, drop_last=False)
        self._order, self._rank, self._of = order, rank, of

    def __iter__(self) -> Iterator[list[int]]:
        for batch in super().__iter__():
            yield batch[self._rank :: self._of] or [STAND_IN]

    def set_epoch(self, epoch: int) -> None:
        """Say which epoch begins, from 0; the Trainer does."""
        self._order.set_epoch(epoch)  # type: ignore[attr-defined]


class BatchingTrainer(CheckpointingTrainer):
    """The Trainer, with an order of the examples that was made elsewhere.

    Parameters
    ----------
    order : Sampler or None
        None leaves the order to the Trainer, which takes random ones.
    batch_size : int
        Of all processes together.
    **kwargs
        As for the ``Trainer``.
    """

    def __init__(self, order: LengthSampler | None, batch_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._order, self._batch_size = order, batch_size

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler | None:
        return super()._get_train_sampler(train_dataset) if self._order is None else self._order

    def get_train_dataloader(self) -> DataLoader:
        """Return the batches, or what this one of several processes takes of each."""
        if self.args.world_size == 1:
            return super().get_train_dataloader()
        examples = cast("Dataset[dict[str, Any]]", self.train_dataset)
        # Accelerate's own way of sharing repeats examples where the last batch does not divide.
        share = BatchShare(
            self._order or self._random_order(),
            self._batch_size,
            self.args.process_index,
            self.args.world_size,
        )
        return DataLoader(
            examples,
            # Another sampler around it, where the Trainer looks for what wants to know the epoch.
            batch_sampler=SkipBatchSampler(share),
            collate_fn=self._get_collator_with_removed_columns(self.data_collator, "training"),
            pin_memory=self.args.dataloader_pin_memory,
        )

    def _random_order(self) -> Sampler:
        """Return the order that the Trainer takes in one process."""
        return SeedableRandomSampler(
            self.train_dataset, generator=torch.Generator(), data_seed=self.args.data_seed
        )


def order_by_length(
    lengths: np.ndarray,
    batch_size: int,
    rng: np.random.Generator,
    *,
    stretch: int = STRETCH,
    longest_first: bool = False,
) -> np.ndarray:
    """Return row numbers of which each `batch_size` in turn are of similar length.

    Parameters
    ----------
    lengths : ndarray of shape (N,), int
    batch_size : int
    rng : Generator
    stretch : int
        At most so many batches are sorted at a time.
    longest_first : bool
        Whether the batch that holds the longest text comes first.

    Returns
    -------
    ndarray of shape (N,), int64
        A permutation. Where N is no multiple of `batch_size`, the rest is the last batch, and of
        one length as well.
    """
    order = rng.permutation(len(lengths))
    n_rest = len(lengths) % batch_size
    batches: list[np.ndarray] = []
    rest = order[:0]
    n_batches = -(-len(order) // batch_size)
    n_stretches = -(-n_batches // stretch)
    # Equally long ones: the rest of an epoch would otherwise be sorted among few.
    ends = batch_size * np.linspace(0, n_batches, n_stretches + 1).round().astype(int)
    for rows in np.split(order, ends[1:-1]):
        rows = rows[np.argsort(lengths[rows], kind="stable")]
        if len(rows) % batch_size:  # cut out anywhere, so that it is of any length
            at = batch_size * int(rng.integers(len(rows) // batch_size + 1))
            rest, rows = rows[at : at + n_rest], np.delete(rows, slice(at, at + n_rest))
        batches += np.split(rows, len(rows) // batch_size) if len(rows) else []
    shuffled = [batches[number] for number in rng.permutation(len(batches))]
    if longest_first and shuffled:
        at = int(np.argmax([lengths[batch].max() for batch in shuffled]))
        shuffled[0], shuffled[at] = shuffled[at], shuffled[0]
    return np.concatenate([*shuffled, rest])


def padded_share(lengths: np.ndarray, order: np.ndarray, batch_size: int) -> float:
    """Return how many tokens are computed per real one, where each batch is padded to its longest.

    Parameters
    ----------
    lengths : ndarray of shape (N,), int
    order : ndarray of shape (N,), int
        Row numbers, of which each `batch_size` in turn are a batch.
    batch_size : int
    """
    batches = np.split(lengths[order], np.arange(batch_size, len(order), batch_size))
    return float(sum(batch.max() * len(batch) for batch in batches) / lengths.sum())
