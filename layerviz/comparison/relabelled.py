"""A run with corrected labels against the one it was made after, on val rows left untouched."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from layerviz import runs
from layerviz.comparison.seed_variance import TWO_SIDED
from layerviz.comparison.trials import MOST_NEEDED, trial_difference
from layerviz.config import TRAIN_AND_VAL
from layerviz.errors import RunError
from layerviz.runs import Run
from layerviz.separability import Difference, examples_needed, few_examples, macro_f1
from layerviz.wording import count, enumeration, signed


@dataclass(frozen=True)
class RelabelVerdict:
    """How a run with corrected labels does, by the models' own classifiers.

    Val rows whose labels were corrected are left out for both: many of the corrections are what a
    model suggested, and to be scored on them would flatter the one that learned from such labels.

    Parameters
    ----------
    before, after : float
        Macro-F1 on the untouched val rows, each with the weights that the run kept.
    difference : Difference
        After minus before, with its paired 95 % bootstrap interval.
    n : int
        Untouched val rows that both captured.
    corrected : dict of str to int
        How many labels were corrected, by split.
    few : bool
        Whether the rows are too few, or too few of a class, to tell anything.
    needed : int or None
        About how many would tell, where these cannot and others could.
    """

    before: float
    after: float
    difference: Difference
    n: int
    corrected: dict[str, int]
    few: bool
    needed: int | None

    @property
    def better(self) -> bool:
        """Whether it certainly scores more."""
        return not self.few and self.difference.low > 0

    @property
    def worse(self) -> bool:
        """Whether it certainly scores less."""
        return not self.few and self.difference.high < 0


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
    of_base, of_later = (runs.read_examples(run.path) for run in (base, relabelled))
    common = of_base[["id", "split", "text", "label"]].merge(
        of_later[["id", "split", "text", "label"]], on=["id", "split", "text", "label"]
    )
    val = common[(common["split"] == "val") & ~common["id"].isin([*earlier, *later])]
    if val.empty:
        raise RunError(
            "No val row is left whose label nobody corrected.", "Leave some labels as they are."
        )
    labels = val["label"].to_numpy()
    predicted = np.stack([_predicted(run, val["id"].tolist()) for run in (base, relabelled)])
    scores = macro_f1(labels, predicted)
    difference = trial_difference(labels, predicted[0], predicted[1], base.config.seed)
    _, counts = np.unique(labels, return_counts=True)
    n = len(labels)
    split_of = dict(zip(of_base["id"], of_base["split"], strict=True))
    new = [example for example, label in later.items() if earlier.get(example) != label]
    by_split = Counter(str(split_of.get(example, "train")) for example in new)
    few = few_examples(n, int(counts.min()))
    undecided = difference.low <= 0 <= difference.high
    return RelabelVerdict(
        before=float(scores[0]),
        after=float(scores[1]),
        difference=difference,
        n=n,
        corrected={split: by_split[split] for split in TRAIN_AND_VAL},
        few=few,
        needed=_needed(difference, n) if undecided and not few else None,
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
    words = corrected_words(verdict.corrected)
    low, high = verdict.difference.low, verdict.difference.high
    went = (
        f"macro-F1 on the {count(verdict.n, 'untouched val row')} went from {verdict.before:.3f} "
        f"to {verdict.after:.3f} ({signed(low)} to {signed(high)}, 95 %)"
    )
    if verdict.few:
        return [
            f"With {words}, {went}.",
            "The rows are too few, or too few of a class, to say whether that helps.",
        ]
    if verdict.better:
        return [f"With {words}, {went}: worth keeping."]
    if verdict.worse:
        return [
            f"With {words}, {went}: the model does worse.",
            "Look again at what was accepted.",
        ]
    more = f"; about {verdict.needed:,} such rows would" if verdict.needed else ""
    return [
        f"Whether it helps, val cannot tell{more}: with {words}, {went}.",
        "Labels that are right are worth keeping all the same.",
    ]
