"""How transformers' Trainer takes planned batches: its arguments, progress and a way to stop."""

from __future__ import annotations

import time
from pathlib import Path

import torch
from transformers import PrinterCallback, Trainer, TrainerCallback, TrainingArguments

from layerviz import encoders
from layerviz.errors import Cancelled
from layerviz.pretrain_config import PretrainConfig
from layerviz.progress import OnProgress, Phase, Progress, ShouldStop
from layerviz.training import resolve_precision


def training_arguments(
    config: PretrainConfig, out: Path, total_steps: int, *, saves: bool = True
) -> TrainingArguments:
    """Return the Trainer's arguments for a plan whose items are whole batches."""
    on_cpu = not (torch.cuda.is_available() or torch.backends.mps.is_available())
    arguments = TrainingArguments(
        output_dir=str(out / "resume"),
        num_train_epochs=1,  # the plan holds all epochs, and its items are whole batches
        per_device_train_batch_size=1,
        train_sampling_strategy="sequential",
        learning_rate=config.learning_rate,
        warmup_steps=min(config.warmup_steps, total_steps // 5),
        lr_scheduler_type="linear",
        weight_decay=0.01,
        adam_beta2=0.98,
        seed=config.seed,
        bf16=resolve_precision(config.precision) == "bf16",
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        remove_unused_columns=False,
        logging_steps=max(1, total_steps // 200),
        save_strategy="steps" if saves else "no",
        save_steps=max(1, min(500, total_steps // 4)),
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:
        arguments._n_gpu = 1  # an item is a batch already; a second device would get a second one
    return arguments


class StepWatch(TrainerCallback):
    """Reports progress and stops."""

    def __init__(
        self,
        phase: Phase,
        total_steps: int,
        per_epoch: int,
        on_progress: OnProgress,
        should_stop: ShouldStop,
    ) -> None:
        self.phase = phase
        self.total_steps, self.per_epoch = total_steps, per_epoch
        self.on_progress, self.should_stop = on_progress, should_stop
        self.stopped, self.step = False, 0
        self.loss: float | None = None
        self.started_at, self.started_step = time.monotonic(), 0

    def on_train_begin(self, args, state, control, **_) -> None:  # noqa: ARG002
        self.step = self.started_step = state.global_step
        self.started_at = time.monotonic()

    def on_step_end(self, args, state, control, **_) -> None:
        self.step = state.global_step
        if self.should_stop():
            self.stopped = True
            control.should_training_stop = True
            control.should_save = args.save_strategy != "no"
        self.on_progress(self.progress(self.phase))

    def on_log(self, args, state, control, logs=None, **_) -> None:  # noqa: ARG002
        if logs and "loss" in logs:
            self.loss = float(logs["loss"])

    def progress(self, phase: Phase) -> Progress:
        done = self.step - self.started_step
        pace = (time.monotonic() - self.started_at) / done if done else None
        return Progress(
            phase=phase,
            done=self.step,
            total=self.total_steps,
            step=self.step,
            total_steps=self.total_steps,
            epoch=self.step / self.per_epoch,
            loss=self.loss,
            seconds_left=None if pace is None else pace * (self.total_steps - self.step),
        )


def run_trainer(trainer: Trainer, watch: StepWatch, resume_from: str | None = None) -> None:
    """Train to the end, or raise Cancelled."""
    trainer.remove_callback(PrinterCallback)
    with encoders.quiet():
        trainer.train(resume_from_checkpoint=resume_from)
    if watch.stopped:
        raise Cancelled
