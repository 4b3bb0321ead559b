"""A student is made or resumed, trained, measured and written."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import PreTrainedModel

from layerviz import encoders
from layerviz.data import Corpus
from layerviz.encoders import EncoderSize, MaskedLM
from layerviz.errors import DataError
from layerviz.poolings import MEAN
from layerviz.pretrain_config import PretrainConfig
from layerviz.pretraining.batches import (
    Collator,
    NumberedBatch,
    TrainingTexts,
    hold_out,
    plan_batches,
)
from layerviz.pretraining.folder import close_record, open_record
from layerviz.pretraining.loss import student_loss
from layerviz.pretraining.steps import StepWatch, run_trainer, training_arguments
from layerviz.pretraining.teacher import fit_projections, set_words_from_teacher, teacher_vectors
from layerviz.pretraining.words import train_words
from layerviz.progress import (
    LOADING,
    PREPARING,
    SAVING,
    TRAINING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
)
from layerviz.training import CheckpointingTrainer, as_layerviz_error, last_checkpoint

MIN_TEXTS = 100
NARROW = 256  # widths up to this tolerate the default rate of 6e-4


def pretrain(
    config: PretrainConfig,
    corpus: Corpus,
    out: Path,
    *,
    teacher_cache: Path | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> dict[str, Any]:
    """Train an encoder on `corpus` and write it to `out`, or resume where an earlier call stopped.

    Parameters
    ----------
    config : PretrainConfig
    corpus : Corpus
        At least 100 texts; 1 % (20 to 1,000 of them) are held out to measure on.
    out : Path
        A new folder, or that of an earlier call with the same settings and texts. In the end
        it holds float16 safetensors, config, tokenizer and ``pretraining.json``.
    teacher_cache : Path, optional
        Where the teacher's vectors are kept for further calls; by default they are removed
        with everything else that is only needed to resume.
    on_progress : callable
        Called with a `Progress`, from this thread.
    should_stop : callable
        Asked between steps.

    Returns
    -------
    dict
        The record as in ``pretraining.json``: settings, texts, and ``result`` (held-out masked
        loss in nats per masked token; mean cosine to the teacher).

    Raises
    ------
    RunError
        If `out` holds something else or cannot be written.
    DataError, EncoderError
        If there are too few texts, or an encoder that was named cannot be loaded.
    Cancelled
        If stopped; the same call resumes from there.
    """
    if len(corpus.texts) < MIN_TEXTS:
        raise DataError(
            f"{corpus.name} has {len(corpus.texts)} different texts.",
            f"Give {MIN_TEXTS} or more; pre-training starts to pay off at tens of thousands.",
        )
    record = open_record(config, corpus, out)
    if record["status"] == "done":
        return record
    started = time.monotonic()
    try:
        work = _prepare(config, corpus, out, teacher_cache, on_progress, should_stop)
        watch = _train(work, out, on_progress, should_stop)
        record["result"] = _measure(work) | {
            "parameters": encoders.count_parameters(work.masked.model),
            "tokens": sum(len(work.texts.ids[row]) for row in work.texts.rows),
            "steps": watch.total_steps,
            "seconds": round(time.monotonic() - started),
        }
        if work.projections is not None:
            del work.masked.model.teacher_projections
        encoders.save_masked_lm(work.masked, out)
        return close_record(record, out)
    except Exception as error:
        explanation = as_layerviz_error(out, error)
        if explanation is error:
            raise
        raise explanation from error


@dataclass(frozen=True)
class _Work:
    """A student, the texts that it learns from in their batches, and the rows held out."""

    config: PretrainConfig
    masked: MaskedLM
    projections: nn.ModuleDict | None
    texts: TrainingTexts
    held_out: np.ndarray
    plan: list[NumberedBatch]
    collate: Collator


def _prepare(
    config: PretrainConfig,
    corpus: Corpus,
    out: Path,
    teacher_cache: Path | None,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> _Work:
    on_progress(Progress(LOADING))
    masked = _student(config, corpus.texts)
    vectors = projections = None
    if config.teacher is not None:
        teacher = encoders.load_body(config.teacher)
        cache = teacher_cache or out / "resume"
        vectors = teacher_vectors(teacher, config, corpus, cache, on_progress, should_stop)
        if config.start is None:
            set_words_from_teacher(teacher, masked)
    on_progress(Progress(PREPARING))
    ids = masked.tokenizer(list(corpus.texts), truncation=True, max_length=config.max_length)[
        "input_ids"
    ]
    held_out, rows = hold_out(len(ids), config.seed)
    texts = TrainingTexts(ids, rows, vectors)
    disable_dropout(masked.model)
    if vectors is not None:
        if config.word_epochs and last_checkpoint(out / "resume") is None:
            train_words(masked, config, texts, out, on_progress, should_stop)
        projections = fit_projections(masked, [ids[row] for row in rows], vectors[rows])
        # A part of the model, so that the Trainer trains, saves and restores it.
        masked.model.teacher_projections = projections
    collate = Collator(masked.tokenizer, texts, config.seed)
    plan = plan_batches(texts, config)
    return _Work(config, masked, projections, texts, held_out, plan, collate)


def _train(work: _Work, out: Path, on_progress: OnProgress, should_stop: ShouldStop) -> StepWatch:
    """Train to the end, or raise Cancelled after the state was saved."""
    n_steps = len(work.plan)
    watch = StepWatch(TRAINING, n_steps, n_steps // work.config.epochs, on_progress, should_stop)
    trainer = _Trainer(
        model=work.masked.model,
        args=training_arguments(work.config, out, n_steps),
        train_dataset=work.plan,
        data_collator=work.collate,
        callbacks=[watch],
    )
    trainer.work = work
    run_trainer(trainer, watch, resume_from=last_checkpoint(out / "resume"))
    on_progress(watch.progress(SAVING))
    return watch


def with_default_rate(config: PretrainConfig) -> PretrainConfig:
    """Return `config` with a peak rate that suits its encoder's width: a wide one needs less."""
    width = config.hidden_size
    if config.start is not None:
        width = encoders.describe(config.start).hidden_size or width
    if width <= NARROW:
        return config
    return replace(config, learning_rate=encoders.default_learning_rate(width))


def _student(config: PretrainConfig, texts: Sequence[str]) -> MaskedLM:
    if config.start is not None:
        return encoders.continued_masked_lm(
            config.start, config.family, max_length=config.max_length, seed=config.seed
        )
    size = EncoderSize(config.layers, config.hidden_size, config.heads, config.vocab_size)
    return encoders.new_masked_lm(config.family, size, texts, seed=config.seed)


class _Trainer(CheckpointingTrainer):
    """The Trainer with both parts of the loss."""

    work: _Work

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):  # noqa: ARG002
        with self.accelerator.autocast():
            masked_loss, teacher_loss = student_loss(
                self.work.masked, inputs, self.work.projections
            )
        loss = masked_loss + self.work.config.teacher_weight * teacher_loss
        return (loss, {"loss": loss}) if return_outputs else loss


def disable_dropout(model: PreTrainedModel) -> None:
    """Switch off dropout in the modules; the config keeps the rates for fine-tuning."""
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0


def _measure(work: _Work) -> dict[str, Any]:
    """Return the losses on the held-out texts."""
    masked, rows, size = work.masked, work.held_out, work.config.batch_size
    losses, n_masked, cosines = [], [], []
    masked.model.eval()
    with torch.inference_mode():
        for start in range(0, len(rows), size):
            batch = work.collate([(start, rows[start : start + size].tolist())])
            batch = {name: tensor.to(masked.model.device) for name, tensor in batch.items()}
            losses.append(student_loss(masked, batch, None)[0].item())
            n_masked.append((batch["labels"] != -100).sum().item())
            if work.projections is not None:
                cosines += _cosines(masked, batch, work.projections["mean"])
    return {
        "n_held_out": len(rows),
        "masked_loss": float(np.dot(losses, n_masked) / max(1, sum(n_masked))),
        "teacher_cosine": float(np.mean(cosines)) if cosines else None,
    }


def _cosines(
    masked: MaskedLM, batch: dict[str, torch.Tensor], projection: nn.Module
) -> list[float]:
    attention_mask = batch["attention_mask"]
    hidden = masked.model.base_model(
        input_ids=batch["input_ids"], attention_mask=attention_mask
    ).last_hidden_state
    mean = MEAN.pool(hidden, attention_mask)  # (B, D)
    student = functional.normalize(projection(mean), dim=-1)  # (B, D_t)
    return (student * batch["teacher"]).sum(dim=-1).tolist()
