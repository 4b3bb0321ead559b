"""A callback for anybody's Trainer, which captures on the way and changes nothing.

It only looks: weights, random numbers, the data loader and the modes of all parts of the model are
after it what they were before. Where it fails, that is told, and training goes on without it.
"""

from __future__ import annotations

import atexit
import copy
import logging
import random
import secrets
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from layerviz import encoders, hidden_states, runs, separability
from layerviz.config import BY_CALLBACK, FP32, RATES, SEEDS, RunConfig
from layerviz.data import Dataset
from layerviz.errors import ConfigError, LayervizError, reason
from layerviz.runs import Snapshot
from layerviz.tokenising import tokenise
from layerviz.training.history import History
from layerviz.training.looking import measuring
from layerviz.training.planning import CAPTURE_SEED, choose_examples
from layerviz.training.watching import predictions_of, scores_of

log = logging.getLogger(__name__)


class LookingCallback(TrainerCallback):
    """Makes a run of a training that somebody else's Trainer does.

    Parameters
    ----------
    dataset : Dataset
        What is captured: its train examples need not be those that are trained on.
    config : RunConfig
        With what the Trainer does not tell: max length, examples captured per split.
    root : Path
        The folder of all runs.
    every_steps : int, optional
        Capture after so many optimizer steps; by default at the end of each epoch.
    tokenizer : PreTrainedTokenizerBase, optional
        By default the Trainer's ``processing_class``.
    """

    def __init__(
        self,
        dataset: Dataset,
        config: RunConfig,
        root: Path,
        *,
        every_steps: int | None = None,
        tokenizer: Any = None,
    ) -> None:
        self._dataset, self._config, self._root = dataset, config, root
        self._every_steps, self._tokenizer = every_steps, tokenizer
        self._look: _Look | None = None
        self._newest: Path | None = None

    @property
    def path(self) -> Path | None:
        """The folder of the newest run; None before the first training."""
        return self._newest

    # Called by the Trainer.

    def on_train_begin(self, args, state, control, model=None, **given) -> None:  # noqa: ARG002
        self._close("cancelled")  # an earlier training, which an error ended
        if not state.is_world_process_zero:
            return
        with self._guarded(model):
            tokenizer = self._tokenizer or given.get("processing_class") or given.get("tokenizer")
            self._look = _Look(self._dataset, self._config, self._root, args, model, tokenizer)
            self._newest = self._look.run.path
            atexit.register(self._close, "cancelled")
            epochs = -(-state.num_train_epochs // 1)
            n_more = state.max_steps // self._every_steps if self._every_steps else epochs
            self._look.begin(state, int(n_more))

    def on_step_end(self, args, state, control, model=None, **_) -> None:  # noqa: ARG002
        every = self._every_steps
        if self._look is not None and every and state.global_step % every == 0:
            with self._guarded(model):
                self._look.capture(state)

    def on_epoch_end(self, args, state, control, model=None, **_) -> None:  # noqa: ARG002
        if self._look is not None and not self._every_steps:
            with self._guarded(model):
                self._look.capture(state)

    def on_log(self, args, state, control, logs=None, **_) -> None:  # noqa: ARG002
        if self._look is not None and logs and "loss" in logs:
            with self._guarded(None):
                self._look.note_loss(state, logs)

    def on_train_end(self, args, state, control, model=None, **_) -> None:  # noqa: ARG002
        if self._look is None:
            return
        with self._guarded(model):
            if not args.load_best_model_at_end:  # else these may be the weights of an earlier step
                self._look.capture(state)
                self._look.save_model()
        self._close("done")

    # Its own work.

    def _close(self, status: str) -> None:
        """End what is looked at, if anything is."""
        look, self._look = self._look, None
        if look is None:
            return
        atexit.unregister(self._close)
        with self._guarded(None):
            look.close(status)

    @contextmanager
    def _guarded(self, model: Any) -> Iterator[None]:
        """Let what is done inside neither change training nor end it without a word."""
        with unchanged(model), encoders.quiet():
            try:
                yield
            except Exception as error:
                _tell(error)
                if self._look is not None:
                    self._look.note_failure(error)
                    if not self._look.began:
                        self._look.close("failed")
                        self._look = None


@contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Give back random numbers, and the modes of all parts of a model, as they were."""
    states = (random.getstate(), np.random.get_state(), torch.get_rng_state())
    of_devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    of_mps = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    modes = {part: part.training for part in model.modules()} if model is not None else {}
    try:
        yield
    finally:
        random.setstate(states[0])
        np.random.set_state(states[1])
        torch.set_rng_state(states[2])
        if of_devices:
            torch.cuda.set_rng_state_all(of_devices)
        if of_mps is not None:
            torch.mps.set_rng_state(of_mps)
        for part, was_training in modes.items():
            part.training = was_training


class _Look:
    """One training that is looked at, and the run that is made of it."""

    def __init__(
        self, dataset: Dataset, config: RunConfig, root: Path, args: Any, model: Any, tokenizer: Any
    ) -> None:
        _expect_whole(args, model, tokenizer)
        self.model, self.args = model, args
        self.tokenizer = copy.deepcopy(tokenizer)  # encoding texts leaves traces in it
        names = dataset.label_names
        are_numbers = sorted(names) == sorted(map(str, range(len(names))))
        self.name = _name_of(model)
        self.columns = encoders.class_columns(self.name, model.config, names, by_index=are_numbers)
        if are_numbers:  # as the model calls them
            own = model.config.id2label
            dataset = replace(dataset, label_names=tuple(str(own[int(name)]) for name in names))
        self.label_names = dataset.label_names
        rate = args.learning_rate
        config = replace(
            config,
            encoder=self.name,
            epochs=0,  # of ours
            learning_rate=rate if RATES.accepts(rate) else None,
            seed=args.seed if SEEDS.accepts(args.seed) else 0,
            trained_by=BY_CALLBACK,
            encoder_version=secrets.token_hex(
                8
            ),  # what happens in a script is never known to recur
        )
        self.began = False
        self._stack = ExitStack()
        self.run = runs.create(root, config, dataset)
        self._stack.enter_context(runs.computing(self.run.path))
        try:
            self.run = runs.take(self.run.path)
            self.examples = choose_examples(dataset, config.max_captured, CAPTURE_SEED)
            runs.write_examples(self.run.path, self.examples)
            texts = self.examples["text"].tolist()
            self.tokens = tokenise(self.tokenizer, texts, config.max_length)
        except BaseException as error:
            with self._stack:
                self._end_before_it_began(error)
            raise
        self.history = History(self.run)
        self.saved_step = -1

    def begin(self, state: Any, n_more: int) -> None:
        """Record what is known now, and take the first snapshot."""
        config, steps = self.model.config, max(1, state.max_steps)
        per_epoch = max(1, round(steps / max(state.num_train_epochs, 1)))
        truncated = {
            str(split): int(self.tokens.cut[(self.examples["split"] == split).to_numpy()].sum())
            for split in self.examples["split"].unique()
        }
        self.run = runs.update(
            self.run.path,
            encoder={
                "label": encoders.label_of(self.name),
                "family": encoders.family_label(config.model_type),
                "layers": config.num_hidden_layers,
                "hidden_size": config.hidden_size,
                "parameters": encoders.count_parameters(self.model),
            },
            training={
                "total_steps": state.max_steps,
                "steps_per_epoch": per_epoch,
                "learning_rate": float(self.args.learning_rate),
                "precision": "bf16" if self.args.bf16 else "fp16" if self.args.fp16 else FP32,
                "device": str(self.args.device),
                "world_size": self.args.world_size,
                "n_snapshots": 1 + n_more,
                "trained_parameters": sum(
                    one.numel() for one in self.model.parameters() if one.requires_grad
                ),
                "n_truncated": truncated,
            },
        )
        self.capture(state)
        self.began = True

    def capture(self, state: Any) -> None:
        """Take a snapshot of now, unless there is one, and measure it."""
        step, epoch = int(state.global_step), float(state.epoch or 0.0)
        snapshots = runs.open_folder(self.run.path).snapshots
        if snapshots and snapshots[-1].step >= step:
            return
        index = len(snapshots)
        with encoders.in_order(self.name, self.model, self.columns, self.label_names):
            captured = hidden_states.capture(
                self.model,
                self.tokenizer,
                self.tokens,
                max_length=self.run.config.max_length,
                poolings=self.run.poolings,
            )
            if self.args.load_best_model_at_end:
                self._save(step)
        if not np.isfinite(captured.logits).all():
            raise LayervizError(
                f"At step {step:,} the weights give values that are not finite numbers.",
                "Try a lower learning rate.",
            )
        predictions = predictions_of(self.examples, captured.logits)
        self.history.record(step, epoch, **scores_of(self.examples, predictions))
        self.history.write()
        snapshot = Snapshot(index=index, step=step, epoch=epoch)
        self.run = runs.write_snapshot(self.run.path, snapshot, captured.pooled, predictions)
        with measuring(self.run, index, lambda: False):
            separability.measure_snapshot(self.run, index, pooled=captured.pooled)

    def save_model(self) -> None:
        """Store the weights of now."""
        with encoders.in_order(self.name, self.model, self.columns, self.label_names):
            self._save(self.run.snapshots[-1].step)

    def _save(self, step: int) -> None:
        runs.save_model(self.run.path, self.model, self.tokenizer)
        self._note(model_step=step)

    def note_loss(self, state: Any, logs: dict[str, Any]) -> None:
        """Record a point of the learning curve."""
        values = {name: float(logs[name]) for name in ("loss", "learning_rate") if name in logs}
        self.history.record(int(state.global_step), float(state.epoch or 0.0), **values)
        self.history.write_now_and_then()

    def note_failure(self, error: Exception) -> None:
        """Keep with the run why a part of it is missing."""
        failed: dict[str, Any] = {"reason": str(error)}
        _without_failing(lambda: runs.update(self.run.path, **failed))

    def close(self, status: str) -> None:
        """Say how it ended, and let others have the run."""
        with self._stack:
            try:
                self.history.write()
            finally:
                snapshots = runs.open_folder(self.run.path).snapshots
                self._note(n_snapshots=max(1, len(snapshots)))
                ending: dict[str, Any] = {"status": status}
                if status == "cancelled":
                    ending["reason"] = runs.ENDED_ELSEWHERE
                runs.update(self.run.path, **ending)

    def _end_before_it_began(self, error: BaseException) -> None:
        """Say why there is nothing in the run; else it would read as running."""
        ending: dict[str, Any] = {"status": "cancelled", "reason": runs.ENDED_ELSEWHERE}
        if isinstance(error, Exception):
            ending = {"status": "failed", "reason": _in_words(error)}
        if self.run.status != "done":  # one of an earlier training that could not be taken
            _without_failing(lambda: runs.update(self.run.path, **ending))

    def _note(self, **facts: Any) -> None:
        training = runs.open_folder(self.run.path).training | facts
        self.run = runs.update(self.run.path, training=training)


def _expect_whole(args: Any, model: Any, tokenizer: Any) -> None:
    """Refuse what cannot be looked at."""
    if tokenizer is None:
        raise ConfigError(
            "The Trainer has no tokenizer.",
            "Give it one (processing_class=tokenizer), or give one to the callback.",
        )
    if not callable(getattr(model, "save_pretrained", None)):
        raise ConfigError(
            f"{type(model).__name__} is no model of transformers.",
            "Train one of its AutoModelForSequenceClassification.",
        )
    if args.deepspeed or args.fsdp:
        raise ConfigError(
            "The weights are spread over several processes, of which none can look at all.",
            "Train without FSDP and DeepSpeed.",
        )


def _name_of(model: Any) -> str:
    name = str(model.config.name_or_path or "").strip()
    return name[:1000] or model.config.model_type


def _tell(error: Exception) -> None:
    """Say that looking failed, however logging is set up."""
    sentence = _in_words(error)
    log.debug("looking at a training failed", exc_info=error)
    _without_failing(
        lambda: sys.stderr.write(f"layerviz: {sentence} Training goes on without this snapshot.\n")
    )


def _in_words(error: Exception) -> str:
    if isinstance(error, LayervizError):
        return str(error)
    return f"{type(error).__name__}: {reason(error)}."


def _without_failing(work: Callable[[], object]) -> None:
    try:
        work()
    except Exception:
        log.debug("could not be told", exc_info=True)
