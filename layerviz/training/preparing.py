"""The Trainer of a run, as every process that takes part in it makes it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import distributed
from transformers import (
    DataCollatorWithPadding,
    PrinterCallback,
    TrainerCallback,
    TrainingArguments,
)

from layerviz import encoders
from layerviz.config import BF16, BY_LENGTH, RunConfig
from layerviz.encoders import LoadedEncoder
from layerviz.runs import Run
from layerviz.tokenising import Tokenised
from layerviz.training.batching import IGNORED, Features, LengthSampler
from layerviz.training.diverging import CheckingTrainer

Loss = Callable[..., torch.Tensor]

CURVE_POINTS = 100  # loss values recorded over a whole run


@dataclass(frozen=True)
class TrainingTask:
    """What is trained on, and for how long.

    Parameters
    ----------
    tokens : Tokenised
        The train texts.
    labels : ndarray of shape (N,), int
        Their class indices.
    epochs : int
    total_steps : int
        Optimizer steps.
    precision : str
        ``bf16`` or ``fp32``, in all processes alike.
    """

    tokens: Tokenised
    labels: np.ndarray
    epochs: int
    total_steps: int
    precision: str


def trainer_arguments(run: Run, encoder: LoadedEncoder, task: TrainingTask) -> TrainingArguments:
    """Return the Trainer's arguments; where there are several processes, they meet here."""
    config = run.config
    on_cpu = not (torch.cuda.is_available() or torch.backends.mps.is_available())
    os.environ["ACCELERATE_MIXED_PRECISION"] = "no"  # the run's own setting holds, not a launcher's
    rate = config.learning_rate or encoders.default_learning_rate(encoder.info.hidden_size)
    arguments = TrainingArguments(
        output_dir=str(run.layout.resume),
        num_train_epochs=task.epochs,
        per_device_train_batch_size=config.batch_size,  # of all processes: see `BatchShare`
        learning_rate=rate,
        weight_decay=config.weight_decay,
        warmup_steps=round(config.warmup_ratio * task.total_steps),
        lr_scheduler_type="linear",
        seed=config.seed,
        data_seed=config.seed,
        bf16=task.precision == BF16,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        logging_steps=max(1, task.total_steps // CURVE_POINTS),
        logging_first_step=True,
        logging_nan_inf_filter=False,  # the trainer looks at each loss itself
        save_strategy="epoch",
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
    )
    if arguments.n_gpu > 1:  # else the Trainer takes as many batches at a time
        arguments._n_gpu = 1
    return arguments


def freeze_as_set(config: RunConfig, encoder: LoadedEncoder, tokens: Tokenised) -> None:
    """Freeze the layers that a run is set to freeze."""
    if config.freeze:
        batch = encoders.example_batch(tokens.input_ids[0])
        encoders.freeze_layers(encoder.model, batch, config.freeze)


def prepare_trainer(
    run: Run,
    encoder: LoadedEncoder,
    task: TrainingTask,
    arguments: TrainingArguments,
    callback: TrainerCallback,
) -> CheckingTrainer:
    """Return a Trainer that goes through the same batches however many processes share them.

    Parameters
    ----------
    run : Run
        With its learning rate and steps, for what is said when training diverges.
    encoder : LoadedEncoder
    task : TrainingTask
    arguments : TrainingArguments
        Of `trainer_arguments`.
    callback : TrainerCallback
        What looks on.
    """
    n_classes, config = len(run.label_names), run.config
    together = arguments.world_size > 1
    loss = _whole_batch_loss if together else _weighted_loss
    trainer = CheckingTrainer(
        run,
        model=encoder.model,
        args=arguments,
        train_dataset=Features(task.tokens, task.labels),
        order=_order(task.tokens, config),
        batch_size=config.batch_size,
        processing_class=encoder.tokenizer,
        data_collator=DataCollatorWithPadding(encoder.tokenizer),
        callbacks=[*([OwnDropout(config.seed)] if together else []), callback],
        compute_loss_func=loss(_class_weights(task.labels, n_classes, config)),
    )
    trainer.remove_callback(PrinterCallback)
    return trainer


class OwnDropout(TrainerCallback):
    """Lets each of several processes drop out other units, at every step by a seed of its own.

    So the noise of one process is not that of another, and a run that goes on from a checkpoint
    takes the steps that it would have taken.
    """

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def on_step_begin(self, args, state, control, **_) -> None:  # noqa: ARG002
        numbers = [self._seed, state.global_step, args.process_index]
        torch.manual_seed(int(np.random.SeedSequence(numbers).generate_state(1)[0]))


def _order(tokens: Tokenised, config: RunConfig) -> LengthSampler | None:
    """Return the order of the train examples; None leaves it to the Trainer."""
    if config.batching != BY_LENGTH:
        return None
    lengths = [len(ids) for ids in tokens.input_ids]
    return LengthSampler(lengths, config.batch_size, config.seed)


def _class_weights(labels: np.ndarray, n_classes: int, config: RunConfig) -> torch.Tensor | None:
    """Return balanced class weights, if the run is set to have any.

    They are n / (n_classes * n_class), as scikit-learn's ``class_weight="balanced"``
    (King & Zeng, 2001).
    """
    if config.class_weighting == "none":
        return None
    counts = np.bincount(labels, minlength=n_classes)
    return torch.tensor(len(labels) / (n_classes * np.maximum(counts, 1)), dtype=torch.float32)


def _weighted_loss(weights: torch.Tensor | None) -> Loss | None:
    """Return a loss function for class weights; None, the model's own, without any."""
    if weights is None:
        return None

    def loss(
        outputs: Mapping[str, torch.Tensor],
        labels: torch.Tensor,
        num_items_in_batch: torch.Tensor | int | None = None,  # noqa: ARG001
    ) -> torch.Tensor:
        logits = outputs["logits"]  # (B, n_classes)
        return torch.nn.functional.cross_entropy(
            logits.float(), labels.to(logits.device), weight=weights.to(logits.device)
        )

    return loss


def _whole_batch_loss(weights: torch.Tensor | None) -> Loss:
    """Return a loss function for a part of a batch: its share of the mean over the whole batch.

    The Trainer multiplies it by the number of processes, whose gradients are averaged, so that a
    batch that does not divide evenly counts as in one process.
    """

    def loss(
        outputs: Mapping[str, Any],
        labels: torch.Tensor,
        num_items_in_batch: torch.Tensor | int,
    ) -> torch.Tensor:
        logits = outputs["logits"]  # (B, n_classes)
        labels = labels.to(logits.device)
        of_classes = None if weights is None else weights.to(logits.device)
        total = num_items_in_batch
        if of_classes is not None:
            total = of_classes[labels[labels != IGNORED]].sum()
            distributed.all_reduce(total)
        summed = torch.nn.functional.cross_entropy(
            logits.float(), labels, weight=of_classes, ignore_index=IGNORED, reduction="sum"
        )
        return summed / total

    return loss
