"""What every process but the first does in a run that several share: what that one tells it."""

from __future__ import annotations

import dataclasses
import json
import traceback
from contextlib import suppress
from pathlib import Path

import torch
from transformers import TrainerCallback, TrainerControl

from layerviz import encoders, runs
from layerviz.cluster import Follower, Message
from layerviz.encoders import LoadedEncoder
from layerviz.errors import Cancelled, LayervizError, RunError, reason
from layerviz.progress import ignore
from layerviz.runs import Run
from layerviz.tokenising import Share, Tokenised
from layerviz.training.failing import as_layerviz_error
from layerviz.training.preparing import (
    TrainingTask,
    freeze_as_set,
    prepare_trainer,
    trainer_arguments,
)
from layerviz.training.sharing import (
    BROKEN,
    CAPTURE,
    LABELS,
    LEFT,
    OF_CAPTURE,
    OF_TRAINING,
    READY,
    TEXTS,
    TRAIN,
    CaptureSettings,
    as_answer,
    capture_share,
    device_name,
    part_of_arrays,
)


def help_with_training(follower: Follower) -> int:
    """Train and capture as the first process says, until it ends the command.

    Returns
    -------
    int
        Never: the process ends with the command's own exit status.
    """
    while True:
        message = follower.next()
        if message.what != TRAIN:
            raise ValueError(f"unexpected {message.what!r} between two runs")
        path = Path(message.words["path"])
        try:
            _train(follower, message, path)
        except Cancelled:
            follower.pass_on_signals()
        except Exception as error:
            failure = as_layerviz_error(path, error)
            is_bug = type(failure) is RunError and failure is not error
            follower.fail(failure, traceback.format_exc() if is_bug else "")


def _train(follower: Follower, message: Message, path: Path) -> None:
    words, arrays = message.words, message.arrays
    if not runs.Layout(path).record.exists():
        raise RunError(
            f"The run's folder {path} is not there.",
            "Keep runs in a folder that all machines find under the same path.",
        )
    run = runs.parse(path, words["record"])
    config = run.config
    tokens = Tokenised.from_arrays(part_of_arrays(arrays, OF_TRAINING))
    task = TrainingTask(
        tokens, arrays[LABELS], words["epochs"], words["total_steps"], words["precision"]
    )
    texts = json.loads(arrays[TEXTS].tobytes()) if TEXTS in arrays else []
    encoder = encoders.load(
        config.encoder,
        label_names=run.label_names,
        seed=config.seed,
        texts=texts,
        max_length=config.max_length,
        keep_layers=config.keep_layers,
        keep_head=config.keep_head,
        should_stop=follower.should_leave,
    )
    freeze_as_set(config, encoder, tokens)
    arguments = trainer_arguments(run, encoder, task)
    facts = {"device": device_name(arguments), "node": follower.peer.node}
    follower.answer(Message(READY, facts))
    steps = {
        "total_steps": task.total_steps,
        "steps_per_epoch": -(-len(tokens) // config.batch_size),
        "learning_rate": arguments.learning_rate,
    }
    run = dataclasses.replace(run, training=run.training | steps)
    captured = Tokenised.from_arrays(part_of_arrays(arrays, OF_CAPTURE))
    obeying = Obeying(follower, run, encoder, captured)
    trainer = prepare_trainer(run, encoder, task, arguments, obeying)
    with encoders.quiet(), suppress(Cancelled):
        if task.epochs:
            trainer.train(resume_from_checkpoint=words["checkpoint"])
        else:  # the Trainer trains one epoch at least
            obeying.on_train_begin(arguments, trainer.state, trainer.control)


class Obeying(TrainerCallback):
    """Does, before training and after each step, what the first process says."""

    def __init__(
        self, follower: Follower, run: Run, encoder: LoadedEncoder, texts: Tokenised
    ) -> None:
        self._follower, self._run = follower, run
        self._encoder, self._texts = encoder, texts

    # Called by the Trainer.

    def on_train_begin(self, args, state, control, **_) -> None:  # noqa: ARG002
        self._obey(control)

    def on_step_end(self, args, state, control, **_) -> None:  # noqa: ARG002
        self._obey(control)

    # Its own work.

    def _obey(self, control: TrainerControl) -> None:
        while (message := self._follower.next()).what == CAPTURE:
            self._follower.answer(self._capture(message))
        control.should_training_stop = message.words["stop"]
        control.should_save = message.words["save"]
        if message.words["over"]:
            raise Cancelled

    def _capture(self, message: Message) -> Message:
        """Return what the first process asked for, or why there is none: it decides what then."""
        peer = self._follower.peer
        try:
            captured = capture_share(
                self._encoder,
                self._texts,
                CaptureSettings(**message.words),
                Share(peer.rank, peer.world_size),
                ignore,
                self._follower.should_leave,
            )
        except Cancelled:
            return Message(LEFT)
        except LayervizError:
            raise
        except Exception as error:
            memory = isinstance(error, torch.OutOfMemoryError | MemoryError)
            why = f"process {peer.rank}: {type(error).__name__}: {reason(error)}"
            return Message(BROKEN, {"memory": memory, "reason": why})
        return as_answer(captured)
