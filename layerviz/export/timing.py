"""How much faster one model is than another: both in turn on the same batches."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

ENOUGH_SECONDS = 8.0
FEWEST_BATCHES = 3
ROUNDS = 3  # of each batch: the fastest one was disturbed least

Model = Callable[..., Any]


@dataclass(frozen=True)
class Speed:
    """What a race gave.

    Parameters
    ----------
    ratio : float
        The median over the batches: seconds of the first model by those of the second, each in
        the fastest of three rounds.
    n_batches : int
        That were timed.
    batch_size : int
        Texts in each of them.
    n_threads : int
        Of the processor.
    """

    ratio: float
    n_batches: int
    batch_size: int
    n_threads: int


@torch.inference_mode()
def race(full: Model, short: Model, batches: Sequence[Mapping[str, torch.Tensor]]) -> Speed:
    """Time two models in turn, so that whatever else the machine does slows both.

    Parameters
    ----------
    full, short : callable
        Models in evaluation mode.
    batches : sequence of mapping of str to Tensor
        What both are called with, three times each; at least one. The first is also computed once
        without being timed. After 8 seconds and three batches, the others are left out.
    """
    for model in (full, short):
        model(**batches[0])
    ratios: list[float] = []
    begun = time.perf_counter()
    for batch in batches:
        if len(ratios) >= FEWEST_BATCHES and time.perf_counter() - begun > ENOUGH_SECONDS:
            break
        rounds = [(_seconds(full, batch), _seconds(short, batch)) for _ in range(ROUNDS)]
        of_full, of_short = map(min, zip(*rounds, strict=True))
        ratios.append(of_full / of_short)
    return Speed(
        ratio=float(np.median(ratios)),
        n_batches=len(ratios),
        batch_size=len(next(iter(batches[0].values()))),
        n_threads=torch.get_num_threads(),
    )


def _seconds(model: Model, batch: Mapping[str, torch.Tensor]) -> float:
    start = time.perf_counter()
    model(**batch)
    return max(time.perf_counter() - start, 1e-9)
