"""A run of a training that is over: one snapshot of each checkpoint that its Trainer left."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from layerviz import encoders, hidden_states, runs, separability
from layerviz.config import FP32
from layerviz.data import Dataset
from layerviz.encoders import LoadedEncoder
from layerviz.errors import EncoderError, reason
from layerviz.progress import CAPTURING, LOADING, SAVING, OnProgress, Progress, ShouldStop
from layerviz.runs import Run, Snapshot
from layerviz.tokenising import tokenise
from layerviz.training.checkpoints import PREFIX, STATE, step_of
from layerviz.training.device import device
from layerviz.training.diverging import expect_finite
from layerviz.training.history import History
from layerviz.training.looking import measuring
from layerviz.training.planning import CAPTURE_SEED, choose_examples
from layerviz.training.watching import predictions_of, scores_of

MOST_STATE_BYTES = 50_000_000


@dataclass(frozen=True)
class SavedModel:
    """A checkpoint of somebody's Trainer.

    Parameters
    ----------
    path : Path
    step : int
        Optimizer steps done by then.
    epoch : float
        Passes over the train examples done by then.
    total_steps : int
        Of the whole training.
    log : tuple of dict
        What the Trainer logged on the way.
    """

    path: Path
    step: int
    epoch: float
    total_steps: int
    log: tuple[dict[str, Any], ...] = field(default=(), repr=False)


def saved_models(folder: Path) -> list[SavedModel]:
    """Return the checkpoints in a folder, in the order of their steps.

    Raises
    ------
    EncoderError
        If there are none, or one does not say when it was saved.
    """
    paths = sorted(folder.glob(f"{PREFIX}*"), key=step_of) if folder.is_dir() else []
    paths = [path for path in paths if step_of(path) >= 0 and path.is_dir()]
    if not paths:
        raise EncoderError(
            f"{folder} holds no folders {PREFIX}1, {PREFIX}2 and so on.",
            "Give the folder in which your Trainer saves (its output_dir), with save_strategy "
            "set to epoch or steps.",
        )
    return [_saved_model(path) for path in paths]


def _saved_model(path: Path) -> SavedModel:
    file = path / STATE
    try:
        if file.stat().st_size > MOST_STATE_BYTES:
            raise ValueError("it is far too large")
        state = json.loads(file.read_text(encoding="utf-8"))
        log = tuple(entry for entry in state.get("log_history", []) if isinstance(entry, dict))
        model = SavedModel(
            path,
            int(state["global_step"]),
            float(state["epoch"]),
            int(state.get("max_steps") or state["global_step"]),
            log,
        )
        if model.step < 0 or not 0 <= model.epoch < 1e9:
            raise ValueError("its step or epoch is none")
        return model
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise EncoderError(
            f"{STATE} of {path.name}, which says when it was saved, cannot be read "
            f"({reason(error)}).",
            "Move that folder elsewhere, or save it again.",
        ) from error


def capture_checkpoints(
    run: Run, dataset: Dataset, on_progress: OnProgress, should_stop: ShouldStop
) -> bool:
    """Capture each checkpoint of the folder that is the run's encoder; return whether all are.

    Those that were captured before are left as they are.

    Parameters
    ----------
    run : Run
    dataset : Dataset
    on_progress, should_stop : callable
        As for `fit`.
    """
    models = saved_models(Path(run.config.encoder))
    examples = choose_examples(dataset, run.config.max_captured, CAPTURE_SEED)
    runs.write_examples(run.path, examples)
    encoder = None
    for index, model in enumerate(models):
        if runs.has_measures(run.path, index):
            continue
        if should_stop():
            return False
        on_progress(Progress(LOADING, index, len(models)))
        encoder = _load(run, dataset, model, should_stop)
        if "total_steps" not in run.training:
            run = _record_setup(run, encoder, models)
        _capture(run, index, model, encoder, examples, on_progress, should_stop)
    on_progress(Progress(SAVING))
    encoder = encoder or _load(run, dataset, models[-1], should_stop)
    runs.save_model(run.path, encoder.model, encoder.tokenizer)
    training = runs.open_folder(run.path).training | {"model_step": models[-1].step}
    runs.update(run.path, training=training)
    return True


def _load(run: Run, dataset: Dataset, model: SavedModel, should_stop: ShouldStop) -> LoadedEncoder:
    encoder = encoders.load(
        str(model.path),
        label_names=dataset.label_names,
        seed=run.config.seed,
        texts=dataset.split("train")["text"].tolist(),
        max_length=run.config.max_length,
        keep_head=run.config.keep_head,
        should_stop=should_stop,
    )
    encoder.model.to(device())  # type: ignore[arg-type]
    return encoder


def _record_setup(run: Run, encoder: LoadedEncoder, models: Sequence[SavedModel]) -> Run:
    info, newest = encoder.info, models[-1]
    history = History(run)
    rates = [0.0]
    for entry in newest.log:
        values = {
            name: float(entry[name])
            for name in ("loss", "learning_rate")
            if isinstance(entry.get(name), int | float)
        }
        if "loss" in values and isinstance(entry.get("step"), int):
            history.record(entry["step"], float(entry.get("epoch") or 0.0), **values)
            rates.append(values.get("learning_rate", 0.0))
    history.write()
    per_epoch = newest.step / newest.epoch if newest.epoch else newest.step
    return runs.update(
        run.path,
        encoder={
            "label": encoders.label_of(run.config.encoder),
            "family": info.family,
            "layers": info.layers,
            "hidden_size": info.hidden_size,
            "parameters": info.parameters,
        },
        training={
            "total_steps": max(newest.total_steps, newest.step),
            "steps_per_epoch": max(1, round(per_epoch)),
            "learning_rate": max(0.0, *rates),
            "capture_precision": FP32,
            "device": device(),
            "n_snapshots": len(models),
        },
    )


def _capture(
    run: Run,
    index: int,
    model: SavedModel,
    encoder: LoadedEncoder,
    examples: Any,
    on_progress: OnProgress,
    should_stop: ShouldStop,
) -> None:
    tokens = tokenise(encoder.tokenizer, examples["text"].tolist(), run.config.max_length)
    on_progress(Progress(CAPTURING, 0, len(tokens)))
    captured = hidden_states.capture(
        encoder.model,
        encoder.tokenizer,
        tokens,
        max_length=run.config.max_length,
        poolings=run.poolings,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    expect_finite(run, model.step, captured.logits)
    predictions = predictions_of(examples, captured.logits)
    history = History(run)
    history.record(model.step, model.epoch, **scores_of(examples, predictions))
    history.write()
    snapshot = Snapshot(index=index, step=model.step, epoch=model.epoch)
    run = runs.write_snapshot(run.path, snapshot, captured.pooled, predictions)
    with measuring(run, index, should_stop):
        separability.measure_snapshot(
            run, index, pooled=captured.pooled, on_progress=on_progress, should_stop=should_stop
        )
