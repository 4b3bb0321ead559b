"""The answer sheet of a run: what the page says first, and so do `report` and the offline page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from layerviz import runs
from layerviz.runs import Run
from layerviz.separability.answering import Answer
from layerviz.separability.confusing import ConfusedPair, most_confused
from layerviz.separability.depth import MARGINS, DepthDecision
from layerviz.separability.of_run import answer_of, decisions_of
from layerviz.separability.picking import score_of
from layerviz.separability.resampling import macro_f1, resampling_weights
from layerviz.separability.scored_cells import Score


@dataclass(frozen=True)
class OwnClassifier:
    """The model's own classifier at one snapshot.

    Parameters
    ----------
    epoch : float
        Of the snapshot to which the stored weights belong, by default the newest.
    val : Score
        Its macro-F1.
    test : Score or None
        The same on test, where there is one.
    confused : ConfusedPair or None
        Which classes it confuses most on val; None where it makes no mistake.
    was_kept : bool
        Whether the run began with a head that knew the classes already.
    """

    epoch: float
    val: Score
    test: Score | None
    confused: ConfusedPair | None
    was_kept: bool = False

    @property
    def is_untrained(self) -> bool:
        """Whether its weights are random, so that it says nothing."""
        return self.epoch == 0 and not self.was_kept


@dataclass(frozen=True)
class AnswerSheet:
    """All that is said first of a run, and what it is said by.

    Parameters
    ----------
    answer : Answer
    decisions : tuple of DepthDecision
        How many layers are enough, for each of `MARGINS`; empty where the answer names no layer, or
        one from before training, whose classifier has learnt nothing to compare with.
    own : OwnClassifier
    poolings : tuple of str
        Those that were searched.
    n_poolings : int
        Those of the run.
    n_measured, n_planned : int
        Snapshots that this is about; all that the run will have.
    trains : bool
        Whether the run trains at all.
    """

    answer: Answer
    decisions: tuple[DepthDecision, ...]
    own: OwnClassifier
    poolings: tuple[str, ...]
    n_poolings: int
    n_measured: int
    n_planned: int
    trains: bool = True

    def decision(self, margin: float) -> DepthDecision | None:
        """Return the decision for one of `MARGINS`; None where there is none."""
        return next((one for one in self.decisions if abs(one.margin - margin) < 1e-9), None)


def sheet_of(
    run: Run, poolings: Sequence[str] | None = None, margins: Sequence[float] = MARGINS
) -> AnswerSheet:
    """Return the answer sheet of a run.

    Parameters
    ----------
    run : Run
        With a measured snapshot.
    poolings : sequence of str, optional
        Among which to search, by default all of the run's.
    margins : sequence of float
        For which to decide how many layers are enough.

    Raises
    ------
    RunError
        As `cells_of`.
    """
    answer = answer_of(run, poolings)
    return AnswerSheet(
        answer=answer,
        decisions=decisions_of(run, answer, margins, poolings),
        own=own_classifier_of(run),
        poolings=tuple(run.poolings if poolings is None else poolings),
        n_poolings=len(run.poolings),
        n_measured=len(runs.measured_snapshots(run)),
        n_planned=int(run.training.get("n_snapshots", len(run.snapshots))),
        trains=run.trains,
    )


def own_classifier_of(run: Run) -> OwnClassifier:
    """Return how the model's own classifier does at the snapshot whose weights are stored."""
    index = runs.model_snapshot(run)
    examples = runs.read_examples(run.path)
    splits, labels = examples["split"].to_numpy(), examples["label"].to_numpy()
    predicted = runs.read_predictions(run.path, index)["predicted"].to_numpy()

    def score_on(split: str) -> Score:
        true, of_split = labels[splits == split], predicted[splits == split]
        draws = macro_f1(true, of_split[None], resampling_weights(len(true), run.config.seed))
        return score_of(true, of_split, draws[:, 0])

    val = splits == "val"
    return OwnClassifier(
        epoch=next(one.epoch for one in run.snapshots if one.index == index),
        val=score_on("val"),
        test=score_on("test") if np.any(splits == "test") else None,
        confused=most_confused(labels[val], predicted[val], run.label_names),
        was_kept=run.kept_its_head,
    )
