"""Batches hold texts of similar length, in an order that follows from seed and epoch."""

from __future__ import annotations

import dataclasses
from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch
from test_training import CONFIG, fit, smaller_encoder

from layerviz.data import Dataset
from layerviz.training.batching import (
    STAND_IN,
    BatchShare,
    LengthSampler,
    order_by_length,
    padded_share,
)
from layerviz.training.diverging import CheckingTrainer


def lengths_of(n: int) -> np.ndarray:
    """Return lengths that are as uneven as those of tweets."""
    return np.random.default_rng(0).gamma(2.0, 15.0, n).astype(int).clip(0, 125) + 3


def order(sampler: LengthSampler, epoch: int) -> list[int]:
    sampler.set_epoch(epoch)
    return list(sampler)


@pytest.mark.parametrize("n", [1, 31, 32, 33, 1600, 1601, 5000])
def test_every_example_comes_once_an_epoch(n: int) -> None:
    sampler = LengthSampler(lengths_of(n).tolist(), 32, seed=3)
    assert len(sampler) == n
    assert sorted(order(sampler, 0)) == sorted(order(sampler, 7)) == list(range(n))


def test_little_padding_is_computed() -> None:
    lengths, rng = lengths_of(5000), np.random.default_rng(1)
    assert padded_share(lengths, rng.permutation(5000), 32) > 2
    assert padded_share(lengths, order_by_length(lengths, 32, rng), 32) < 1.06
    assert padded_share(np.array([2, 4, 3]), np.array([0, 1, 2]), 2) == pytest.approx(11 / 9)


def test_an_order_follows_from_seed_and_epoch_alone() -> None:
    lengths = lengths_of(500).tolist()
    global_state = torch.get_rng_state(), str(np.random.get_state())
    third = order(LengthSampler(lengths, 8, seed=1), 3)
    resumed = LengthSampler(lengths, 8, seed=1)
    assert [order(resumed, epoch) for epoch in (2, 3)][1] == third
    assert third not in (order(resumed, 2), order(LengthSampler(lengths, 8, seed=2), 3))
    assert torch.equal(torch.get_rng_state(), global_state[0])
    assert str(np.random.get_state()) == global_state[1]


def test_batches_of_all_lengths_come_at_any_time() -> None:
    lengths = lengths_of(4800)
    firsts = []
    for epoch in range(1, 9):
        rows = np.array(order(LengthSampler(lengths.tolist(), 32, seed=0), epoch))
        means = lengths[rows].reshape(-1, 32).mean(axis=1)
        assert abs(np.corrcoef(np.arange(len(means)), means)[0, 1]) < 0.3
        firsts.append(means[0])
    assert max(firsts) > 2 * min(firsts)


def test_a_lack_of_memory_shows_in_the_first_step() -> None:
    lengths = lengths_of(3000)
    sampler = LengthSampler(lengths.tolist(), 32, seed=0)
    assert lengths[order(sampler, 0)[:32]].max() == lengths.max()


def test_the_rest_of_an_epoch_is_of_similar_length_too() -> None:
    lengths, rng = lengths_of(1610), np.random.default_rng(0)
    rests = [lengths[order_by_length(lengths, 32, rng)[-10:]] for _ in range(20)]
    assert np.median([np.ptp(rest) for rest in rests]) < 0.2 * np.ptp(lengths)
    assert np.ptp([rest.mean() for rest in rests]) > 10  # and not always the same texts


def test_training_takes_the_batches(
    toy_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    masks: list[torch.Tensor] = []
    step = CheckingTrainer.training_step

    def watched(self, model, inputs, *args, **settings):
        masks.append(inputs["attention_mask"])
        return step(self, model, inputs, *args, **settings)

    monkeypatch.setattr(CheckingTrainer, "training_step", watched)
    computed: dict[str, float] = {}
    for batching in ("length", "random"):
        masks.clear()
        config = dataclasses.replace(CONFIG, batching=batching, batch_size=8, epochs=2)
        with smaller_encoder():
            fit(tmp_path, toy_dataset, config, capture=False)
        real = sum(int(mask.sum()) for mask in masks)
        computed[batching] = sum(mask.numel() for mask in masks) / real
    lengths = np.sort(torch.cat([mask.sum(dim=1) for mask in masks]).numpy()[:72])
    assert computed["length"] == pytest.approx(padded_share(lengths, np.arange(72), 8))
    assert computed["length"] < computed["random"]


@pytest.mark.parametrize(("n", "n_processes"), [(25, 2), (25, 3), (24, 2)])
def test_processes_share_the_batches_that_one_alone_would_take(n: int, n_processes: int) -> None:
    alone = LengthSampler(lengths_of(n).tolist(), 6, seed=3)
    shares = [
        BatchShare(LengthSampler(lengths_of(n).tolist(), 6, seed=3), 6, rank, n_processes)
        for rank in range(n_processes)
    ]
    for epoch in (0, 4):
        for share in shares:
            share.set_epoch(epoch)
        rows = order(alone, epoch)
        batches = [rows[start : start + 6] for start in range(0, n, 6)]
        steps = list(zip(*shares, strict=True))  # as many for each
        assert len(steps) == len(shares[0]) == len(batches)
        for parts, batch in zip(steps, batches, strict=True):
            assert all(parts)
            taken = [row for part in parts for row in part if row != STAND_IN]
            assert sorted(taken) == sorted(batch)


def test_random_batches_are_those_of_one_process(
    toy_dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    orders: list[tuple[list[int], list[int]]] = []

    def compared(self, **_):
        loader = self.get_train_dataloader()
        loader.set_epoch(1)
        share = BatchShare(self._random_order(), 8, 0, 1)
        share.set_epoch(1)
        orders.append(([*chain(*loader.batch_sampler)], [*chain(*share)]))

    monkeypatch.setattr(CheckingTrainer, "train", compared)
    config = dataclasses.replace(CONFIG, batching="random", batch_size=8, epochs=2)
    with smaller_encoder():
        fit(tmp_path, toy_dataset, config, capture=False)
    ((alone, shared),) = orders
    assert alone == shared
    assert sorted(alone) == list(range(len(alone)))
    assert alone != sorted(alone)
