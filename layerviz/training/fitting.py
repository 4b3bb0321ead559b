"""One run from its first to its last step: load, train, capture, save; or say what went wrong."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from transformers import (
    DataCollatorWithPadding,
    PrinterCallback,
    TrainingArguments,
)

from layerviz import encoders, runs
from layerviz.config import BF16, BY_CALLBACK, BY_LENGTH, FP32, RunConfig
from layerviz.data import Dataset
from layerviz.disks import is_full
from layerviz.encoders import LoadedEncoder
from layerviz.errors import (
    Cancelled,
    DiskFullError,
    DivergedError,
    LayervizError,
    MemoryShortageError,
    RunError,
)
from layerviz.progress import (
    LOADING,
    PREPARING,
    SAVING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
)
from layerviz.runs import Run
from layerviz.tokenising import Tokenised, tokenise
from layerviz.training.batching import Features, LengthSampler
from layerviz.training.checkpoints import find_checkpoints
from layerviz.training.costs import learned_pace
from layerviz.training.diverging import CheckingTrainer, expect_finite
from layerviz.training.keeping import store_model
from layerviz.training.planning import (
    CAPTURE_SEED,
    capture_precision,
    choose_examples,
    resolve_precision,
    snapshot_steps,
)
from layerviz.training.timetable import DownloadShare, Timetable, expected_work
from layerviz.training.watching import Watch

log = logging.getLogger(__name__)

ROOM_TO_GO_ON = (
    "Free some space (delete runs that are no longer needed) and start the same run again: it "
    "continues from what was saved."
)
Loss = Callable[..., torch.Tensor]

CURVE_POINTS = 100  # loss values recorded over a whole run
# Of `Run.training`, when a run goes on.
KEPT_FACTS = ("model_step", "pace", "passed_over", runs.NOT_MEASURED, runs.NOT_CAPTURED)


def fit(
    run: Run,
    dataset: Dataset,
    *,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
    capture: bool = True,
) -> Run:
    """Fine-tune the run's encoder on `dataset` and capture every snapshot into its folder.

    A run that was interrupted continues from its last checkpoint, with the snapshots it has. When
    stopped, what was captured is kept and the newest weights are saved.

    Parameters
    ----------
    run : Run
        From `runs.create`.
    dataset : Dataset
        The data that `run` was created for.
    on_progress : callable
        Called with a `Progress`, from this thread.
    should_stop : callable
        Asked between steps and between batches of a capture.
    capture : bool
        False trains without looking, to show that looking changes nothing.

    Returns
    -------
    Run
        With status ``done`` or ``cancelled``.

    Raises
    ------
    LayervizError
        After ``run.json`` says ``failed`` and why.
    """
    if run.status == "done":
        return run
    if run.config.trained_by == BY_CALLBACK:
        raise RunError(
            "This run was made by a Trainer of your own, and layerviz cannot go on with it.",
            "Run your script again.",
        )
    with runs.computing(run.path):
        run = runs.open_folder(run.path)  # another process may have finished it meanwhile
        if run.status == "done":
            return run
        return _fit_alone(run, dataset, on_progress, should_stop, capture)


def _fit_alone(
    run: Run, dataset: Dataset, on_progress: OnProgress, should_stop: ShouldStop, capture: bool
) -> Run:
    """Do what `fit` does, as the one who holds the run."""
    try:
        runs.clean_up(run.path)
        run = runs.take(run.path)
        finished = _fit(run, dataset, on_progress, should_stop, capture)
    except Cancelled:
        return runs.update(run.path, status="cancelled")
    except Exception as error:
        failure = as_layerviz_error(run.path, error)
        _try_to_record_failure(run.path, failure)
        if failure is error:
            raise
        raise failure from error
    # In this order: a run that dies in between has lost nothing that it needs to be done.
    run = runs.update(run.path, status="done" if finished else "cancelled")
    if finished:
        runs.remove_resume(run.path)
    return run


# --- the run itself -------------------------------------------------------------------------


def _fit(
    run: Run, dataset: Dataset, on_progress: OnProgress, should_stop: ShouldStop, capture: bool
) -> bool:
    """Train and capture; return whether the run was completed."""
    config = run.config
    train = dataset.split("train")
    on_progress(Progress(LOADING))
    download = DownloadShare(on_progress)
    encoder = encoders.load(
        config.encoder,
        label_names=dataset.label_names,
        seed=config.seed,
        texts=train["text"].tolist(),
        max_length=config.max_length,
        keep_layers=config.keep_layers,
        keep_head=config.keep_head,
        on_progress=download.report,
        should_stop=should_stop,
    )
    on_progress(Progress(PREPARING, share=download.share))
    examples = choose_examples(dataset, config.max_captured, CAPTURE_SEED)
    runs.write_examples(run.path, examples)
    epochs = config.epochs
    if epochs is None:
        epochs = encoders.default_epochs(encoder.info.source)
    plan, per_epoch = snapshot_steps(len(train), epochs, config)
    tokens = {
        split: tokenise(encoder.tokenizer, dataset.split(split)["text"].tolist(), config.max_length)
        for split in dataset.counts().columns
    }
    if config.freeze:
        batch = encoders.example_batch(tokens["train"].input_ids[0])
        encoders.freeze_layers(encoder.model, batch, config.freeze)
    features = Features(tokens["train"], train["label"].to_numpy())
    arguments = _arguments(run, encoder, epochs, total_steps=plan[-1])
    run = _record_setup(run, encoder, arguments, plan, per_epoch, tokens)
    to_capture = _tokens_of(examples, dataset, tokens)
    mean_tokens = float(np.mean([len(ids) for ids in tokens["train"].input_ids]))
    settled = dataclasses.replace(config, epochs=epochs)
    work = expected_work(run, settled, encoder.info, dataset, mean_tokens, capture=capture)
    timetable = Timetable(work.expected, work.done, download.share)
    steps = run.training["snapshot_steps"]
    watch = Watch(
        run, encoder, examples, to_capture, steps, on_progress, should_stop, capture, timetable
    )
    trainer = CheckingTrainer(
        run,
        model=encoder.model,
        args=arguments,
        train_dataset=features,
        order=_order(tokens["train"], config),
        processing_class=encoder.tokenizer,
        data_collator=DataCollatorWithPadding(encoder.tokenizer),
        callbacks=[watch],
        compute_loss_func=_weighted_loss(train["label"], len(dataset.label_names), config),
    )
    trainer.remove_callback(PrinterCallback)
    checkpoints = find_checkpoints(run.layout.resume)
    if checkpoints.sentence:
        log.warning("%s", checkpoints.sentence)
        watch.note(passed_over=checkpoints.sentence)
    newest = None if checkpoints.newest is None else str(checkpoints.newest)
    with encoders.quiet():
        with suppress(Cancelled):  # before the first step; the weights are saved all the same
            if epochs:
                trainer.train(resume_from_checkpoint=newest)
            else:  # the Trainer trains one epoch at least
                watch.on_train_begin(arguments, trainer.state, trainer.control)
        expect_finite(run, watch.step, *encoder.model.parameters())  # the last step may have failed
        on_progress(watch.progress(SAVING))
        finished = not watch.stopped
        ending: dict[str, Any] = {
            "model_step": store_model(run, encoder, watch.step, finished=finished)
        }
        ending["pace"] = run.training.get("pace", {}) | learned_pace(timetable.timed, work.modelled)
        if watch.early_stop:
            ending["stopped_early"] = dataclasses.asdict(watch.early_stop)
        runs.update(run.path, training=runs.open_folder(run.path).training | ending)
    return finished


def _arguments(
    run: Run, encoder: LoadedEncoder, epochs: int, total_steps: int
) -> TrainingArguments:
    config = run.config
    on_cpu = not (torch.cuda.is_available() or torch.backends.mps.is_available())
    rate = config.learning_rate or encoders.default_learning_rate(encoder.info.hidden_size)
    return TrainingArguments(
        output_dir=str(run.layout.resume),
        num_train_epochs=epochs,
        per_device_train_batch_size=config.batch_size,
        learning_rate=rate,
        weight_decay=config.weight_decay,
        warmup_steps=round(config.warmup_ratio * total_steps),
        lr_scheduler_type="linear",
        seed=config.seed,
        data_seed=config.seed,
        bf16=resolve_precision(config.precision) == BF16,
        use_cpu=on_cpu,
        dataloader_pin_memory=not on_cpu,
        logging_steps=max(1, total_steps // CURVE_POINTS),
        logging_first_step=True,
        logging_nan_inf_filter=False,  # the trainer looks at each loss itself
        save_strategy="epoch",
        save_total_limit=1,
        report_to="none",
        disable_tqdm=True,
    )


def _record_setup(
    run: Run,
    encoder: LoadedEncoder,
    arguments: TrainingArguments,
    plan: list[int],
    per_epoch: int,
    tokens: Mapping[str, Tokenised],
) -> Run:
    info = encoder.info
    left_out = run.training.get(runs.NOT_CAPTURED, {})
    steps = [step for step in plan if str(step) not in left_out]
    return runs.update(
        run.path,
        encoder={
            "label": info.label,
            "family": info.family,
            "layers": info.layers,
            "hidden_size": info.hidden_size,
            "parameters": info.parameters,
        },
        training={
            "total_steps": plan[-1],
            "steps_per_epoch": per_epoch,
            "learning_rate": arguments.learning_rate,
            "precision": BF16 if arguments.bf16 else FP32,
            "capture_precision": capture_precision(run),
            "device": str(arguments.device),
            "world_size": arguments.world_size,
            "n_snapshots": len(steps),
            "snapshot_steps": steps,
            "trained_parameters": sum(
                weight.numel() for weight in encoder.model.parameters() if weight.requires_grad
            )
            if run.trains
            else 0,
            "timed_steps": run.training.get("timed_steps", 0),
            "train_seconds": run.training.get("train_seconds", 0.0),
            **{name: run.training[name] for name in KEPT_FACTS if name in run.training},
            "n_truncated": {split: int(texts.cut.sum()) for split, texts in tokens.items()},
        },
    )


def _order(tokens: Tokenised, config: RunConfig) -> LengthSampler | None:
    """Return the order of the train examples; None leaves it to the Trainer."""
    if config.batching != BY_LENGTH:
        return None
    lengths = [len(ids) for ids in tokens.input_ids]
    return LengthSampler(lengths, config.batch_size, config.seed)


def _tokens_of(
    examples: pd.DataFrame, dataset: Dataset, tokens: Mapping[str, Tokenised]
) -> Tokenised:
    """Return the tokens of the captured examples, in their order."""
    parts = []
    for split in examples["split"].unique():  # each split is one stretch
        ids = pd.Index(examples["id"][examples["split"] == split])
        rows = pd.Index(dataset.split(split)["id"]).get_indexer(ids)
        parts.append(tokens[split].rows(rows))
    input_ids = tuple(ids for part in parts for ids in part.input_ids)
    types = None
    if all(part.token_type_ids is not None for part in parts):
        types = tuple(ids for part in parts for ids in part.token_type_ids or ())
    return Tokenised(input_ids, np.concatenate([part.cut for part in parts]), types)


def _weighted_loss(labels: pd.Series, n_classes: int, config: RunConfig) -> Loss | None:
    """Return a loss function for balanced class weights, or None for the model's own.

    Weights are n / (n_classes * n_class), as scikit-learn's ``class_weight="balanced"``
    (King & Zeng, 2001).
    """
    if config.class_weighting == "none":
        return None
    counts = np.bincount(labels, minlength=n_classes)
    weights = torch.tensor(len(labels) / (n_classes * np.maximum(counts, 1)), dtype=torch.float32)

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


# --- failing --------------------------------------------------------------------------------


def as_layerviz_error(path: Path, error: Exception) -> LayervizError:
    """Turn whatever stopped the work in a folder into one sentence and its remedy."""
    if isinstance(error, DiskFullError):
        return DiskFullError(error.message, ROOM_TO_GO_ON)
    if isinstance(error, LayervizError):
        return error
    if is_full(path, error):
        return runs.disk_full(path, ROOM_TO_GO_ON)
    if runs.is_writing_error(path, error):
        return runs.writing_error(path, error)
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return MemoryShortageError(
            "There is not enough memory for this encoder at this batch size.",
            "Halve the batch size, shorten max length, or pick a smaller encoder.",
        )
    log.exception("run %s failed", path.name, exc_info=error)
    return RunError(
        f"Training stopped with {type(error).__name__}: {error}",
        "What was captured is kept; the server's log says more.",
    )


def _try_to_record_failure(path: Path, failure: LayervizError) -> None:
    try:
        facts = runs.open_folder(path).training | {
            runs.DIVERGED: isinstance(failure, DivergedError)
        }
        runs.update(
            path, status="failed", reason=str(failure), recurs=failure.recurs, training=facts
        )
    except RunError:  # the disk is full; a run left "running" reads as failed once we are gone
        log.info("the failure of run %s could not be recorded", path.name, exc_info=True)
