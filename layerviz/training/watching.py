"""The callback that captures on the way, records the learning curve, reports and stops."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from sklearn.metrics import accuracy_score, f1_score
from transformers import TrainerCallback

from layerviz import runs, separability
from layerviz.config import TRAIN_AND_VAL
from layerviz.encoders import LoadedEncoder
from layerviz.errors import Cancelled
from layerviz.progress import (
    CAPTURING,
    MEASURING,
    TRAINING,
    OnProgress,
    Phase,
    Progress,
    ShouldStop,
)
from layerviz.runs import Run, Snapshot
from layerviz.tokenising import Tokenised
from layerviz.training import beside
from layerviz.training.diverging import expect_finite
from layerviz.training.history import History
from layerviz.training.keeping import drop_surplus_weights, keep_snapshot_weights
from layerviz.training.looking import looking, measuring
from layerviz.training.sharing import Team
from layerviz.training.stopping import EarlyStop, epochs_without_rise
from layerviz.training.timetable import Timetable


class Watch(TrainerCallback):
    """Captures at the planned steps, records the learning curve, reports, and stops."""

    def __init__(
        self,
        run: Run,
        encoder: LoadedEncoder,
        examples: pd.DataFrame,
        tokens: Tokenised,
        plan: list[int],
        on_progress: OnProgress,
        should_stop: ShouldStop,
        capture: bool,
        timetable: Timetable,
        team: Team,
    ) -> None:
        self.run, self.encoder, self.examples, self.tokens = run, encoder, examples, tokens
        self.index_at = {step: index for index, step in enumerate(plan)} if capture else {}
        self.on_progress, self.should_stop = on_progress, should_stop
        self.timetable, self.team = timetable, team
        self.stopped = False
        self.early_stop: EarlyStop | None = None
        self.beside: beside.MeasuringBeside | None = None  # where measures wait for no step
        self.step = 0
        self.loss: float | None = None
        # Training alone, without captures and measures; earlier parts of this run included.
        self.step_started_at = time.monotonic()
        self.timed_steps = run.training["timed_steps"]
        self.train_seconds = run.training["train_seconds"]
        self.history = History(run)

    # Called by the Trainer.

    def on_train_begin(self, args, state, control, **_) -> None:
        self.step = state.global_step
        self.timetable.start_at(self.step)
        if beside.trains_elsewhere(args.device):
            self.beside = beside.MeasuringBeside(self.run, self.should_stop)
        self._make_up_measures(control)
        self._capture_if_due(control)  # before training, or what a stop at a resumed step left out
        self._stop_early_if_due(control)  # where the run was cut off just before it ended
        over = self.stopped or self.early_stop is not None
        self.team.go_on(control, over=over)
        if over:  # the Trainer would take one more step
            raise Cancelled

    def on_step_begin(self, args, state, control, **_) -> None:  # noqa: ARG002
        self.timetable.begin("step")
        self.step_started_at = time.monotonic()

    def on_step_end(self, args, state, control, **_) -> None:  # noqa: ARG002
        self.timetable.end("step")
        self.timed_steps += 1
        self.train_seconds += time.monotonic() - self.step_started_at
        self.step = state.global_step
        self._capture_if_due(control)
        self._stop_early_if_due(control)
        self._hear_of_measures()
        if self.should_stop():
            self._stop(control)
        self.team.go_on(control)
        self.on_progress(self.progress(TRAINING))

    def on_train_end(self, args, state, control, **_) -> None:  # noqa: ARG002
        timing = {"timed_steps": self.timed_steps, "train_seconds": round(self.train_seconds, 3)}
        self.note(**timing)

    def on_log(self, args, state, control, logs=None, **_) -> None:  # noqa: ARG002
        if logs and "loss" in logs:
            loss = float(logs["loss"])
            self.loss = loss
            self._record(loss=loss, learning_rate=float(logs["learning_rate"]))

    # Its own work.

    def note(self, **facts: Any) -> None:
        """Add to what the record says of the training."""
        training = runs.open_folder(self.run.path).training | facts  # with what others noted
        self.run = replace(self.run, training=training)
        runs.update(self.run.path, training=training)

    def progress(self, phase: Phase) -> Progress:
        """Return how far the run is: steps, captures and measures together."""
        total_steps = self.run.training["total_steps"]
        return Progress(
            phase=phase,
            done=self.step,
            total=total_steps,
            step=self.step,
            total_steps=total_steps,
            epoch=self.step / self.run.training["steps_per_epoch"],
            loss=self.loss,
            seconds_left=self.timetable.seconds_left,
            share=self.timetable.share,
        )

    def _report(self, counted: Progress) -> None:
        """Pass on how far a capture or its measures are, with the step at which they are made."""
        part = {CAPTURING: "capture", MEASURING: "measure"}[counted.phase]
        self.timetable.advance(part, counted.done / max(1, counted.total))
        at_step = self.progress(counted.phase)
        self.on_progress(replace(at_step, done=counted.done, total=counted.total))

    def _stop(self, control) -> None:
        self.stopped = True
        control.should_training_stop = True
        control.should_save = True  # so that the run can continue from this step

    def _capture_if_due(self, control) -> None:
        index = self.index_at.get(self.step)
        if index is None or runs.has_measures(self.run.path, index):
            return
        if self.should_stop():
            self._stop(control)
            return
        try:
            pooled = None
            if not runs.has_snapshot(self.run.path, index):
                with self._looking_once(index), self._timed("capture"):
                    pooled = self._capture(index)
                if pooled is None:
                    return
            self._measure(index, pooled)
        except Cancelled:
            self._stop(control)

    def _make_up_measures(self, control) -> None:
        """Measure the snapshots that an earlier part of this run took, and was kept from measuring.

        Those of which it says why they could not be measured are left as they are.
        """
        run = runs.open_folder(self.run.path)
        given_up = run.training.get(runs.NOT_MEASURED, {})
        missing = set(runs.unmeasured_snapshots(run)) if self.index_at else set()
        try:
            for snapshot in run.snapshots:
                index = snapshot.index
                if index in missing and snapshot.step < self.step and str(index) not in given_up:
                    self._measure(index, None)
        except Cancelled:
            self._stop(control)

    def _measure(self, index: int, pooled: dict[str, np.ndarray] | None) -> None:
        """Measure a snapshot, here or beside training; without states they are read."""
        if self.beside is not None:
            self.beside.submit(index, pooled)
            return
        with self._timed("measure"), measuring(self.run, index, self.should_stop):
            # Named from the start: the first layers may take a while.
            n_cells = len(self.run.poolings) * (1 + (self.encoder.info.layers or 0))
            self._report(Progress(MEASURING, 0, n_cells))
            separability.measure_snapshot(
                self.run,
                index,
                pooled=pooled,
                on_progress=self._report,
                should_stop=self.should_stop,
            )
        drop_surplus_weights(self.run)

    def _hear_of_measures(self) -> None:
        """Note what has been measured beside training; what failed there is told as here."""
        for index, outcome in self.beside.ended() if self.beside is not None else ():
            with suppress(Cancelled), measuring(self.run, index, self.should_stop):
                outcome.result()
            self.timetable.end("measure")  # not timed: training took no longer for it

    def finish(self) -> None:
        """Wait for what is measured beside training; a run that is stopped makes it up later."""
        while self.beside is not None and not self.beside.is_idle and not self.stopped:
            self._report(self.beside.progress)
            self.beside.wait()
            self._hear_of_measures()
            self.stopped = not self.beside.is_idle and self.should_stop()

    def close(self) -> None:
        """Leave no thread behind that writes to the run."""
        if self.beside is not None:
            self.beside.close()

    def _looking_once(self, index: int) -> AbstractContextManager[None]:
        """Keep a failure to capture a snapshot from ending the run, which goes on without it.

        Before the first step nothing would be lost, and the run would say nothing of its start:
        there it ends the run. Nor can a snapshot be left out that others come after, which a run
        captures anew whose folder was damaged.
        """
        if not 0 < index == len(runs.open_folder(self.run.path).snapshots):
            return nullcontext()
        return looking(self.run, "capturing", partial(self._leave_out, index), self.should_stop)

    def _leave_out(self, index: int, why: str) -> None:
        """Take the snapshot of now out of the plan; those to come get the numbers before theirs."""
        training = runs.open_folder(self.run.path).training
        steps = [step for step in training["snapshot_steps"] if step != self.step]
        self.note(
            snapshot_steps=steps,
            n_snapshots=len(steps),
            **{runs.NOT_CAPTURED: {**training.get(runs.NOT_CAPTURED, {}), str(self.step): why}},
        )
        self.index_at = {step: number for number, step in enumerate(steps)}
        runs.remove_weights(self.run.path, index)  # which the next one would take for its own

    @contextmanager
    def _timed(self, part: str) -> Iterator[None]:
        """Note how long a capture, or measuring it, takes."""
        self.timetable.begin(part)
        try:
            yield
        except BaseException:
            self.timetable.drop(part)
            raise
        self.timetable.end(part)

    def _stop_early_if_due(self, control) -> None:
        """End the run at the end of an epoch, if val has not risen for long enough."""
        patience, per_epoch = self.run.config.patience, self.run.training["steps_per_epoch"]
        epoch, part = divmod(self.step, per_epoch)
        epochs = self.run.training["total_steps"] // per_epoch
        if not patience or self.stopped or part or not 0 < epoch < epochs:
            return
        scores = np.array([self._val_score(number * per_epoch) for number in range(1, epoch + 1)])
        # An epoch of which the score is not known does not count.
        if epochs_without_rise(scores[~np.isnan(scores)].tolist()) >= patience:
            self.early_stop = EarlyStop(epoch, epochs, patience, self.step)
            control.should_training_stop = True

    def _val_score(self, step: int) -> float:
        """Return the classifier's val macro-F1 after a step that is over, or the one of now."""
        score = float(self.history.at(step).get("val_macro_f1", float("nan")))
        if np.isnan(score) and step == self.step:
            # A run without captures ends where one with captures does.
            with looking(self.run, "scoring val"):
                score = self._scores_now()["val_macro_f1"]
                self._record(val_macro_f1=score)
        return score

    def _scores_now(self) -> dict[str, float]:
        looked_at = self.team.capture(self.encoder, self.tokens, (), self.run.capture_precision)
        return scores_of(self.examples, predictions_of(self.examples, looked_at.logits))

    def _capture(self, index: int) -> dict[str, np.ndarray]:
        """Store a new snapshot; return its hidden states."""
        captured = self.team.capture(
            self.encoder,
            self.tokens,
            self.run.poolings,
            self.run.capture_precision,
            on_progress=self._report,
            should_stop=self.should_stop,
        )
        expect_finite(self.run, self.step, captured.logits)
        predictions = predictions_of(self.examples, captured.logits)
        self._record(**scores_of(self.examples, predictions))
        epoch = self.step / self.run.training["steps_per_epoch"]
        snapshot = Snapshot(index=index, step=self.step, epoch=epoch)
        # First: a snapshot that exists is whole.
        keep_snapshot_weights(self.run, self.encoder, index)
        runs.write_snapshot(self.run.path, snapshot, captured.pooled, predictions)
        return captured.pooled

    def _record(self, **values: float) -> None:
        epoch = self.step / self.run.training["steps_per_epoch"]
        self.history.record(self.step, epoch, **values)
        self.history.write()


def predictions_of(examples: pd.DataFrame, logits: np.ndarray) -> pd.DataFrame:
    """Turn logits of shape (N, n_classes) into one row per example."""
    log_probabilities = torch.log_softmax(torch.from_numpy(logits), dim=1).numpy()
    rows = np.arange(len(examples))
    predicted = logits.argmax(axis=1)
    return pd.DataFrame(
        {
            "id": examples["id"].to_numpy(),
            "predicted": predicted,
            "confidence": np.exp(log_probabilities[rows, predicted]),
            "loss": -log_probabilities[rows, examples["label"].to_numpy()],
        }
    )


def scores_of(examples: pd.DataFrame, predictions: pd.DataFrame) -> dict[str, float]:
    """Return the classifier's accuracy, macro-F1 and mean loss on captured train and val."""
    scores = {}
    for split in TRAIN_AND_VAL:
        rows = (examples["split"] == split).to_numpy()
        true, predicted = examples["label"][rows], predictions["predicted"][rows]
        scores[f"{split}_loss"] = float(predictions["loss"][rows].mean())
        scores[f"{split}_accuracy"] = float(accuracy_score(true, predicted))
        scores[f"{split}_macro_f1"] = float(
            f1_score(true, predicted, average="macro", labels=np.unique(true), zero_division=0)
        )
    return scores
