"""One run from its first to its last step: load, train, capture, save; or say what went wrong."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Mapping
from contextlib import closing, suppress
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from transformers import TrainingArguments

from layerviz import cluster, encoders, runs
from layerviz.config import BF16, BY_CALLBACK, FP32, FROM_CHECKPOINTS
from layerviz.data import Dataset
from layerviz.encoders import LoadedEncoder
from layerviz.errors import (
    Cancelled,
    DivergedError,
    LayervizError,
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
from layerviz.training.checkpoints import find_checkpoints
from layerviz.training.costs import learned_pace
from layerviz.training.diverging import expect_finite
from layerviz.training.failing import as_layerviz_error
from layerviz.training.from_checkpoints import capture_checkpoints
from layerviz.training.keeping import store_model
from layerviz.training.planning import (
    CAPTURE_SEED,
    capture_precision,
    choose_examples,
    snapshot_steps,
)
from layerviz.training.preparing import (
    TrainingTask,
    freeze_as_set,
    prepare_trainer,
    trainer_arguments,
)
from layerviz.training.sharing import Team
from layerviz.training.timetable import DownloadShare, Timetable, expected_work
from layerviz.training.trying import usable_precision
from layerviz.training.watching import Watch

log = logging.getLogger(__name__)


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
        with runs.telling(run.path, on_progress, should_stop) as (report, stop):
            return _fit_alone(run, dataset, report, stop, capture)


def _fit_alone(
    run: Run, dataset: Dataset, on_progress: OnProgress, should_stop: ShouldStop, capture: bool
) -> Run:
    """Do what `fit` does, as the one who holds the run."""
    leader = cluster.leader()
    if leader is not None:
        leader.at_sudden_end = partial(_try_to_record_failure, run.path)
        should_stop = leader.stops(should_stop)
    try:
        runs.clean_up(run.path)
        run = runs.take(run.path)
        if run.config.trained_by == FROM_CHECKPOINTS:
            finished = capture_checkpoints(run, dataset, on_progress, should_stop)
        else:
            finished = _fit(run, dataset, on_progress, should_stop, capture)
    except Cancelled:
        return runs.update(run.path, status="cancelled")
    except Exception as error:
        elsewhere = None if leader is None else leader.failure_behind(error)
        failure = elsewhere or as_layerviz_error(run.path, error)
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
    labels = train["label"].to_numpy()
    precision, fell_back = FP32, ""
    if epochs:
        precision, fell_back = usable_precision(encoder, tokens["train"], labels, config.precision)
    task = TrainingTask(tokens["train"], labels, epochs, plan[-1], precision)
    freeze_as_set(config, encoder, task.tokens)
    to_capture = _tokens_of(examples, dataset, tokens)
    checkpoints = find_checkpoints(run.layout.resume)
    newest = None if checkpoints.newest is None else str(checkpoints.newest)
    team = Team(cluster.leader())
    team.begin(run, task, to_capture, train["text"], encoder, newest)
    arguments = trainer_arguments(run, encoder, task)
    run = _record_setup(run, encoder, arguments, plan, per_epoch, tokens, fell_back)
    run = runs.update(run.path, training=run.training | team.facts(arguments))
    if fell_back:
        log.warning("%s", fell_back)
        run = runs.update(run.path, training=run.training | {"fell_back": fell_back})
    mean_tokens = float(np.mean([len(ids) for ids in tokens["train"].input_ids]))
    settled = dataclasses.replace(config, epochs=epochs)
    work = expected_work(run, settled, encoder.info, dataset, mean_tokens, capture=capture)
    timetable = Timetable(work.expected, work.done, download.share)
    steps = run.training["snapshot_steps"]
    watch = Watch(
        run,
        encoder,
        examples,
        to_capture,
        steps,
        on_progress,
        should_stop,
        capture,
        timetable,
        team,
    )
    trainer = prepare_trainer(run, encoder, task, arguments, watch)
    if checkpoints.sentence:
        log.warning("%s", checkpoints.sentence)
        watch.note(passed_over=checkpoints.sentence)
    with encoders.quiet(), closing(watch):
        with suppress(Cancelled):  # before the first step; the weights are saved all the same
            if epochs:
                trainer.train(resume_from_checkpoint=newest)
            else:  # the Trainer trains one epoch at least
                watch.on_train_begin(arguments, trainer.state, trainer.control)
        expect_finite(run, watch.step, *encoder.model.parameters())  # the last step may have failed
        watch.finish()
        on_progress(watch.progress(SAVING))
        finished = not watch.stopped
        ending: dict[str, Any] = {
            "model_step": store_model(run, encoder, watch.step, finished=finished)
        }
        if arguments.world_size == 1:  # what one process takes is what is told beforehand
            pace = learned_pace(timetable.timed, work.modelled)
            ending["pace"] = run.training.get("pace", {}) | pace
        if watch.early_stop:
            ending["stopped_early"] = dataclasses.asdict(watch.early_stop)
        runs.update(run.path, training=runs.open_folder(run.path).training | ending)
    return finished


def _record_setup(
    run: Run,
    encoder: LoadedEncoder,
    arguments: TrainingArguments,
    plan: list[int],
    per_epoch: int,
    tokens: Mapping[str, Tokenised],
    fell_back: str = "",
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
            "capture_precision": FP32 if fell_back else capture_precision(run),
            # Accelerate numbers it where there are several processes.
            "device": str(arguments.device).replace("cpu:0", "cpu"),
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


def _try_to_record_failure(path: Path, failure: LayervizError) -> None:
    try:
        facts = runs.open_folder(path).training
        facts = {name: fact for name, fact in facts.items() if name != runs.DIVERGED}
        if isinstance(failure, DivergedError):
            facts[runs.DIVERGED] = True
        runs.update(
            path, status="failed", reason=str(failure), recurs=failure.recurs, training=facts
        )
    except RunError:  # the disk is full; a run left "running" reads as failed once we are gone
        log.info("the failure of run %s could not be recorded", path.name, exc_info=True)


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
