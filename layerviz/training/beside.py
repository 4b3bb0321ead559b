"""Snapshots that are measured beside training, where the two do not share a processor."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait

import numpy as np
import torch

from layerviz import separability
from layerviz.progress import MEASURING, Progress, ShouldStop, stop_if_asked
from layerviz.runs import Run
from layerviz.training.keeping import drop_surplus_weights

MOST_HELD = 2  # snapshots whose states stay in memory: the one that is measured, and the next
SECONDS_BETWEEN_LOOKS = 0.2


def trains_elsewhere(device: torch.device) -> bool:
    """Return whether a device trains while the processor measures.

    On a processor alone they would take turns at the same cores, and both take longer.
    """
    return device.type != "cpu"


class MeasuringBeside:
    """Measures snapshots in a thread of its own, one after the other, in their order.

    Whoever hands them in never waits. What a snapshot's measures end in, an error too, is told by
    `ended`, to the thread that asks. Where more than `MOST_HELD` are in hand, the states of later
    ones are read back from their files instead of being kept.

    Parameters
    ----------
    run : Run
    should_stop : callable
        Asked before each cell, from the other thread.
    """

    def __init__(self, run: Run, should_stop: ShouldStop) -> None:
        self._run, self._should_stop = run, should_stop
        self._closing = threading.Event()
        self._in_hand: deque[tuple[int, Future[None]]] = deque()
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="layerviz-beside")
        self.progress = Progress(MEASURING, 0, 1)  # of the snapshot that is measured

    @property
    def is_idle(self) -> bool:
        """Whether all that was handed in has ended, and has been told."""
        return not self._in_hand

    def submit(self, index: int, pooled: Mapping[str, np.ndarray] | None) -> None:
        """Have a snapshot measured that is on disk, as `separability.measure_snapshot` does."""
        held = pooled if len(self._in_hand) < MOST_HELD else None
        self._in_hand.append((index, self._pool.submit(self._measure, index, held)))

    def ended(self) -> Iterator[tuple[int, Future[None]]]:
        """Yield the snapshots whose measures have ended since, and how, in their order."""
        while self._in_hand and self._in_hand[0][1].done():
            yield self._in_hand.popleft()

    def wait(self) -> None:
        """Wait for the next one, but no longer than a reader waits for a sign of life."""
        if self._in_hand:
            wait([self._in_hand[0][1]], SECONDS_BETWEEN_LOOKS)

    def close(self) -> None:
        """End the thread; what is not measured by then is left for later."""
        self._closing.set()
        self._pool.shutdown(cancel_futures=True)

    def _measure(self, index: int, pooled: Mapping[str, np.ndarray] | None) -> None:
        stop_if_asked(self._stops)
        separability.measure_snapshot(
            self._run,
            index,
            pooled=pooled,
            on_progress=self._note,
            should_stop=self._stops,
        )
        drop_surplus_weights(self._run)

    def _stops(self) -> bool:
        return self._closing.is_set() or self._should_stop()

    def _note(self, progress: Progress) -> None:
        self.progress = progress
