"""A run with corrected labels against the one it was made after, on val rows left untouched."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz import runs
from layerviz.comparison.seed_variance import TWO_SIDED
from layerviz.comparison.trials import MOST_NEEDED, trial_difference
from layerviz.config import TRAIN_AND_VAL
from layerviz.errors import RunError
from layerviz.runs import Run
from layerviz.separability import Difference, examples_needed, few_examples, macro_f1
from layerviz.wording import count, enumeration, signed


@dataclass(frozen=True)
class ScoredRows:
    """What two runs score on the same val rows, by the models' own classifiers.

    Parameters
    ----------
    n : int
    before, after : float
        Macro-F1, each with the weights that the run kept.
    difference : Difference
        After minus before, with its paired 95 % bootstrap interval.
    few : bool
        Whether the rows are too few, or too few of a class, to tell anything.
    """

    n: int
    before: float
    after: float
    difference: Difference
    few: bool


@dataclass(frozen=True)
class RelabelVerdict:
    """How a run with corrected labels does.

    Parameters
    ----------
    untouched : ScoredRows
        Val rows whose labels nobody corrected. To be scored on corrections that a model suggested
        would flatter the one that learned from such labels.
    whole : ScoredRows
        All of them, by the labels that they had. Of the untouched ones, those are missing whose
        labels a model doubted: this alone flatters a model that learned what it suggested, even
        where labels mean nothing. By the labels as they were, nothing does.
    corrected : dict of str to int
        How many labels were corrected, by split.
    needed : int or None
        About how many untouched rows would tell, where these cannot and others could.
    """

    untouched: ScoredRows
    whole: ScoredRows
    corrected: dict[str, int]
    needed: int | None

    @property
    def few(self) -> bool:
        """Whether there are too few rows to tell anything."""
        return self.untouched.few

    @property
    def better(self) -> bool:
        """Whether it certainly scores more, on the untouched rows and on all."""
        lows = (self.untouched.difference.low, self.whole.difference.low)
        return not self.few and min(lows) > 0

    @property
    def worse(self) -> bool:
        """Whether it certainly scores less on both."""
        highs = (self.untouched.difference.high, self.whole.difference.high)
        return not self.few and max(highs) < 0


def compare_relabelled(base: Run, relabelled: Run) -> RelabelVerdict:
    """Compare the classifiers of two runs on the val rows whose labels nobody corrected.

    Parameters
    ----------
    base, relabelled : Run
        Runs that are over; see `relabelling.is_relabelled`.

    Raises
    ------
    RunError
        If one of them captured nothing, or no val row is left.
    """
    if not (base.snapshots and relabelled.snapshots):
        raise RunError("A run that captured nothing cannot be compared.", "Continue it first.")
    earlier, later = dict(base.row_choices.corrections), dict(relabelled.row_choices.corrections)
    examples = runs.read_examples(base.path)
    captured = examples.merge(
        runs.read_examples(relabelled.path)[["id", "split", "text"]], on=["id", "split", "text"]
    )
    # What was corrected before the first of the two runs has no label left that nobody touched.
    val = captured[(captured["split"] == "val") & ~captured["id"].isin(list(earlier))]
    untouched = val[~val["id"].isin(list(later))]
    if untouched.empty:
        raise RunError(
            "No val row is left whose label nobody corrected.", "Leave some labels as they are."
        )
    split_of = dict(zip(examples["id"], examples["split"], strict=True))
    new = [example for example, label in later.items() if earlier.get(example) != label]
    by_split = Counter(str(split_of.get(example, "train")) for example in new)
    on_untouched, on_all = (_scored(base, relabelled, rows) for rows in (untouched, val))
    difference = on_untouched.difference
    undecided = difference.low <= 0 <= difference.high and not on_untouched.few
    return RelabelVerdict(
        untouched=on_untouched,
        whole=on_all,
        corrected={split: by_split[split] for split in TRAIN_AND_VAL},
        needed=_needed(difference, on_untouched.n) if undecided else None,
    )


def _scored(base: Run, relabelled: Run, rows: pd.DataFrame) -> ScoredRows:
    """Score two runs on val rows by the labels that these have in the first one."""
    labels = rows["label"].to_numpy()
    predicted = np.stack([_predicted(run, rows["id"].tolist()) for run in (base, relabelled)])
    before, after = macro_f1(labels, predicted)
    _, counts = np.unique(labels, return_counts=True)
    return ScoredRows(
        n=len(labels),
        before=float(before),
        after=float(after),
        difference=trial_difference(labels, predicted[0], predicted[1], base.config.seed),
        few=few_examples(len(labels), int(counts.min())),
    )


def _predicted(run: Run, ids: list[str]) -> np.ndarray:
    predictions = runs.read_predictions(run.path, runs.model_snapshot(run))
    return predictions.set_index("id").loc[ids, "predicted"].to_numpy()


def _needed(difference: Difference, n: int) -> int | None:
    """Return about how many rows would tell a difference as large as the one that was seen."""
    deviation = (difference.high - difference.low) / (2 * TWO_SIDED)
    if abs(difference.value) < deviation / MOST_NEEDED**0.5:
        return None
    needed = examples_needed(abs(difference.value), deviation, n)
    return max(needed, n + 1) if needed <= MOST_NEEDED * n else None


def corrected_words(corrected: dict[str, int]) -> str:
    """Say how many labels were corrected: "23 labels corrected (20 of train and 3 of val)"."""
    parts = enumeration([f"{n:,} of {split}" for split, n in corrected.items() if n])
    return f"{count(sum(corrected.values()), 'label')} corrected ({parts})"


def relabel_sentences(verdict: RelabelVerdict) -> list[str]:
    """Say whether the corrected labels helped, and on how many rows that was seen."""
    words, rows = corrected_words(verdict.corrected), verdict.untouched
    went = f"macro-F1 on the {count(rows.n, 'untouched val row')} {_went(rows)}"
    on_all = []
    if verdict.whole.n > rows.n:
        on_all = [
            f"On all {count(verdict.whole.n, 'val row')}, by the labels of the file, it "
            f"{_went(verdict.whole)}."
        ]
    if verdict.few:
        few = "The rows are too few, or too few of a class, to say whether that helps."
        return [f"With {words}, {went}.", *on_all, few]
    if verdict.better:
        return [f"With {words}, {went}: worth keeping.", *on_all]
    if verdict.worse:
        look = "Look again at what was accepted."
        return [f"With {words}, {went}: the model does worse.", *on_all, look]
    more = f"; about {verdict.needed:,} such rows would" if verdict.needed else ""
    return [
        f"Whether it helps, val cannot tell{more}: with {words}, {went}.",
        *on_all,
        "Labels that are right are worth keeping all the same.",
    ]


def _went(rows: ScoredRows) -> str:
    low, high = rows.difference.low, rows.difference.high
    return (
        f"went from {rows.before:.3f} to {rows.after:.3f} ({signed(low)} to {signed(high)}, 95 %)"
    )
