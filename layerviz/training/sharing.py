"""What the process that owns a run has the others do: their share of its training and captures.

The others follow what it says, step by step (`helping`): what it decides, from ending early to
stopping, holds for all at the same step. While it measures they wait for its next word, for which
there is no time limit.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import TrainerControl, TrainingArguments

from layerviz import hidden_states, runs
from layerviz.cluster import LEAVE, Leader, Message
from layerviz.config import RunConfig
from layerviz.encoders import LoadedEncoder
from layerviz.errors import Cancelled, ConfigError
from layerviz.hidden_states import Capture
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.runs import Run
from layerviz.tokenising import WHOLE, Share, Tokenised, rows_of_share
from layerviz.training.preparing import TrainingTask
from layerviz.wording import count

TRAIN, CAPTURE, GO_ON = "train", "capture", "go on"  # what others are told to do
READY, CAPTURED, LEFT, BROKEN = "ready", "captured", "left", "broken"  # and what they answer
OF_TRAINING, OF_CAPTURE = "train.", "captured."  # which texts an array is of
LABELS, TEXTS, LOGITS = "labels", "texts", "logits"


@dataclass(frozen=True)
class CaptureSettings:
    """How all processes capture, so that their batches are those of one."""

    poolings: tuple[str, ...]
    precision: str
    tokens_per_batch: int


class Team:
    """The processes that share a run.

    Parameters
    ----------
    leader : Leader or None
        None where this is the only one, which does everything itself.
    """

    def __init__(self, leader: Leader | None) -> None:
        self._leader = leader

    def begin(
        self,
        run: Run,
        task: TrainingTask,
        captured: Tokenised,
        texts: pd.Series,
        encoder: LoadedEncoder,
        checkpoint: str | None,
    ) -> None:
        """Have the others load the encoder and begin to train.

        Parameters
        ----------
        run : Run
        task : TrainingTask
        captured : Tokenised
            The texts of the captured examples.
        texts : Series of str
            Those to train on, of which a scratch encoder makes its tokenizer.
        encoder : LoadedEncoder
            That of this process.
        checkpoint : str or None
            The folder of what training goes on from.
        """
        if self._leader is None:
            return
        arrays = {OF_TRAINING + name: one for name, one in task.tokens.as_arrays().items()}
        arrays |= {OF_CAPTURE + name: one for name, one in captured.as_arrays().items()}
        arrays[LABELS] = task.labels
        if encoder.info.source == "scratch":
            letters = json.dumps(texts.tolist()).encode()
            arrays[TEXTS] = np.frombuffer(letters, dtype=np.uint8)
        words = {
            "path": str(run.path),
            "record": runs.read_values(run.path),
            "epochs": task.epochs,
            "total_steps": task.total_steps,
            "precision": task.precision,
            "checkpoint": checkpoint,
        }
        self._leader.tell(Message(TRAIN, words, arrays))

    def facts(self, arguments: TrainingArguments) -> dict[str, Any]:
        """Return what ``run.json`` says of the processes, once all have loaded the encoder."""
        devices = Counter([device_name(arguments)])
        nodes = 1
        if self._leader is not None:
            answers = self._leader.answers()
            devices.update(answer.words["device"] for answer in answers)
            own = self._leader.peer.node
            nodes = len({own, *(answer.words["node"] for answer in answers)})
        return {"devices": dict(devices), "nodes": nodes}

    def capture(
        self,
        encoder: LoadedEncoder,
        texts: Tokenised,
        poolings: Sequence[str],
        precision: str,
        *,
        on_progress: OnProgress = ignore,
        should_stop: ShouldStop = never,
    ) -> Capture:
        """Return what `hidden_states.capture` does, of which each process computes its batches.

        Raises
        ------
        Cancelled
            If `should_stop` answers true.
        MemoryError, RuntimeError
            If another process cannot do its share.
        """
        size = hidden_states.tokens_at_once(encoder.model)
        settings = CaptureSettings(tuple(poolings), precision, size)
        leader = self._leader
        if leader is None:
            return capture_share(encoder, texts, settings, WHOLE, on_progress, should_stop)
        share = Share(0, leader.world_size)
        leader.tell(Message(CAPTURE, asdict(settings)))
        try:
            own = capture_share(encoder, texts, settings, share, on_progress, should_stop)
        except BaseException:
            leader.tell(Message(LEAVE))
            leader.answers()
            raise
        answers = leader.answers()
        for answer in answers:
            if answer.what == LEFT:
                raise Cancelled
            if answer.what == BROKEN:
                kind = MemoryError if answer.words["memory"] else RuntimeError
                raise kind(answer.words["reason"])
        return whole_capture([own, *map(as_capture, answers)], texts, size)

    def go_on(self, control: TrainerControl, *, over: bool = False) -> None:
        """Have the others go on with what was decided after a step.

        Parameters
        ----------
        control : TrainerControl
            Whether to stop, and whether to save.
        over : bool
            Whether there is no step to come at all.
        """
        if self._leader is not None:
            words = {
                "stop": control.should_training_stop,
                "save": control.should_save,
                "over": over,
            }
            self._leader.tell(Message(GO_ON, words))


def capture_share(
    encoder: LoadedEncoder,
    texts: Tokenised,
    settings: CaptureSettings,
    share: Share,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> Capture:
    """Capture a process's share of the texts."""
    return hidden_states.capture(
        encoder.model,
        encoder.tokenizer,
        texts,
        max_length=0,  # they are cut already
        poolings=settings.poolings,
        precision=settings.precision,
        tokens_per_batch=settings.tokens_per_batch,
        share=share,
        on_progress=on_progress,
        should_stop=should_stop,
    )


def whole_capture(parts: Sequence[Capture], texts: Tokenised, tokens_per_batch: int) -> Capture:
    """Return what several processes have captured, in the order of the texts.

    Parameters
    ----------
    parts : sequence of Capture
        One for each share, in their order; a share without batches has no arrays.
    texts : Tokenised
        N texts.
    tokens_per_batch : int
        With which they were captured.
    """
    first = parts[0]  # always has a batch
    pooled = {
        name: np.empty((one.shape[0], len(texts), one.shape[2]), dtype=one.dtype)
        for name, one in first.pooled.items()
    }
    logits = np.empty((len(texts), first.logits.shape[1]), dtype=first.logits.dtype)
    for number, part in enumerate(parts):
        rows = rows_of_share(texts, Share(number, len(parts)), tokens_per_batch)
        if len(rows):
            logits[rows] = part.logits
            for name, one in part.pooled.items():
                pooled[name][:, rows] = one
    return Capture(pooled, logits, sum(part.n_clipped for part in parts))


def as_answer(captured: Capture) -> Message:
    """Put a share of a capture into a message."""
    arrays = {f"{OF_CAPTURE}{name}": one for name, one in captured.pooled.items()}
    return Message(CAPTURED, {"n_clipped": captured.n_clipped}, {LOGITS: captured.logits} | arrays)


def as_capture(answer: Message) -> Capture:
    """Return the share of a capture that is in a message."""
    pooled = part_of_arrays(answer.arrays, OF_CAPTURE)
    return Capture(pooled, answer.arrays[LOGITS], answer.words["n_clipped"])


def part_of_arrays(arrays: dict[str, np.ndarray], prefix: str) -> dict[str, np.ndarray]:
    """Return the arrays of one kind, without what says so."""
    return {
        name.removeprefix(prefix): one for name, one in arrays.items() if name.startswith(prefix)
    }


def device_name(arguments: TrainingArguments) -> str:
    """Return what a process computes on, as one would order it."""
    device = arguments.device
    return torch.cuda.get_device_name(device) if device.type == "cuda" else device.type


def expect_even_shares(config: RunConfig, n_processes: int) -> None:
    """Refuse a batch size that the processes cannot share evenly.

    Raises
    ------
    ConfigError
    """
    if config.batch_size % n_processes:
        more = -(-config.batch_size // n_processes) * n_processes
        raise ConfigError(
            f"Batches of {count(config.batch_size, 'example')} cannot be shared evenly by "
            f"{n_processes} processes.",
            f"Choose a batch size that is a multiple of {n_processes}, such as {more}.",
            (f"--batch-size {more}",),
        )


def sharing_sentence(run: Run) -> str:
    """Say which processes computed a run, the last ones if others began it; "" where it was one.

    A training of somebody's own says only how many there were.
    """
    world_size = run.training.get("world_size", 1)
    computed_on = run.training.get("devices")
    if world_size < 2 or not computed_on:
        return ""
    devices = ", ".join(f"{n} × {name}" for name, n in computed_on.items())
    where = count(run.training.get("nodes", 1), "machine")
    batch = run.config.batch_size
    return (
        f"Computed by {world_size} processes on {where} ({devices}). Batch size and learning rate "
        f"are those of all together: each took {batch // world_size} of the {batch} examples of "
        "a batch."
    )
