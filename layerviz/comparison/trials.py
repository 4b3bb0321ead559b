"""A cheaper run against the one it was made after: as good or not, and the time that it saves."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from layerviz import runs
from layerviz.comparison.contenders import common_examples
from layerviz.errors import RunError
from layerviz.runs import Run
from layerviz.separability import (
    MARGIN,
    Difference,
    few_different_texts,
    few_examples,
    macro_f1,
    paired_deviation,
    resampling_weights,
    rounded_up,
    shortage,
    simultaneous_interval,
    smallest_class,
)
from layerviz.wording import count, signed

MOST_NEEDED = 50  # times as many examples as there are: beyond, a guess is worth nothing


@dataclass(frozen=True)
class TrialVerdict:
    """How a cheaper run does against the whole one, by their models' own classifiers on val.

    Parameters
    ----------
    base, trial : float
        Val macro-F1 of both, on the same examples, each with the weights that the run kept.
    difference : Difference
        Trial minus base, with its paired 95 % bootstrap interval.
    margin : float
        The loss that is given away.
    n : int
        Val examples.
    few : bool
        Whether they, their different texts or those of a class are too few to tell anything.
    shortage : str
        What there are too few of, in words; "" unless they are few.
    needed : int or None
        About how many would tell, where these cannot and others could.
    base_seconds, trial_seconds : float or None
        Per epoch, of the optimizer steps alone, as measured when each ran.
    """

    base: float
    trial: float
    difference: Difference
    margin: float
    n: int
    few: bool
    shortage: str
    needed: int | None
    base_seconds: float | None
    trial_seconds: float | None

    @property
    def as_good(self) -> bool:
        """Whether a loss of the margin or more is excluded."""
        return not self.few and self.difference.low > -self.margin

    @property
    def worse(self) -> bool:
        """Whether it certainly scores less, and more of a loss than the margin is possible."""
        return not self.few and not self.as_good and self.difference.high < 0


def compare_trial(base: Run, trial: Run, margin: float = MARGIN) -> TrialVerdict:
    """Compare the classifiers of two runs on the val examples that both captured.

    Parameters
    ----------
    base, trial : Run
        Runs on the same data that are over.
    margin : float
        The loss of macro-F1 that is given away.

    Raises
    ------
    RunError
        If they are on different data, or one of them captured nothing.
    """
    if base.dataset["fingerprint"] != trial.dataset["fingerprint"]:
        raise RunError(
            "These runs are on different data.", "Make the cheaper run on the data of the other."
        )
    if not (base.snapshots and trial.snapshots):
        raise RunError("A run that captured nothing cannot be compared.", "Continue it first.")
    examples, rows = common_examples([base, trial])
    val = (examples["split"] == "val").to_numpy()
    labels = examples["label"].to_numpy()[val]
    predicted = np.stack(
        [
            runs.read_predictions(run.path, runs.model_snapshot(run))["predicted"].to_numpy()[at]
            for run, at in zip((base, trial), rows, strict=True)
        ]
    )[:, val]
    scores = macro_f1(labels, predicted)
    difference = trial_difference(labels, predicted[0], predicted[1], base.config.seed)
    _, counts = np.unique(labels, return_counts=True)
    n, n_texts = len(labels), int(examples["text"][val].nunique())
    few = few_examples(n, int(counts.min())) or few_different_texts(n_texts, n)
    smallest = smallest_class(labels, base.label_names)
    undecided = difference.low <= -margin and difference.high >= 0
    return TrialVerdict(
        base=float(scores[0]),
        trial=float(scores[1]),
        difference=difference,
        margin=margin,
        n=n,
        few=few,
        shortage=shortage(n, *smallest, n_texts) if few else "",
        needed=_needed(difference, margin, n) if undecided else None,
        base_seconds=_epoch_seconds(base),
        trial_seconds=_epoch_seconds(trial),
    )


def trial_difference(
    labels: np.ndarray, base: np.ndarray, trial: np.ndarray, seed: int
) -> Difference:
    """Return macro-F1 of `trial` minus that of `base`, with its paired 95 % bootstrap interval.

    The interval is never narrower than what even two classifiers that agree everywhere here may
    differ by elsewhere (`separability.paired_deviation`).

    Parameters
    ----------
    labels, base, trial : ndarray of shape (n,)
        Class indices: true ones, and what both predict.
    seed : int
        Of the resamples.
    """
    both = np.stack([base, trial])
    scores = macro_f1(labels, both)
    draws = macro_f1(labels, both, resampling_weights(len(labels), seed))
    right = both == labels
    bounds = simultaneous_interval(
        scores[1:] - scores[0],
        draws[:, 1:] - draws[:, :1],
        least_deviation=paired_deviation(right[1:], right[0], labels),
    )
    return Difference(float(bounds.value[0]), float(bounds.low[0]), float(bounds.high[0]))


def _needed(difference: Difference, margin: float, n: int) -> int | None:
    """Return how many examples would exclude the loss, were the difference as it was seen."""
    slack = difference.value + margin
    if slack <= margin / 4:
        return None
    needed = rounded_up(max(n * ((difference.value - difference.low) / slack) ** 2, n + 1))
    return needed if needed <= MOST_NEEDED * n else None


def _epoch_seconds(run: Run) -> float | None:
    steps = run.training.get("timed_steps", 0)
    if not steps:
        return None
    return float(run.training["train_seconds"] / steps * run.training["steps_per_epoch"])


def trial_name(run: Run) -> str:
    """Say what is cheaper about a run: "6 layers frozen", "the first 6 layers alone"."""
    parts = []
    if run.config.keep_layers is not None:
        n = run.config.keep_layers
        parts.append(f"the first {count(n, 'layer')} alone")
    if run.config.freeze:
        parts.append(f"{count(run.config.freeze, 'layer')} frozen")
    return " and ".join(parts)


def is_trial_of(base: Run, trial: Run) -> bool:
    """Return whether a run is another made cheaper: fewer layers are kept or trained, no more."""
    cheaper = {"freeze": trial.config.freeze, "keep_layers": trial.config.keep_layers}
    same = base.config.as_dict() | cheaper == trial.config.as_dict()
    base_is_whole = not base.config.freeze and base.config.keep_layers is None
    return same and base_is_whole and bool(trial_name(trial))


def trial_sentences(verdict: TrialVerdict, name: str) -> list[str]:
    """Say whether a cheaper run does as well, and what it saves.

    Parameters
    ----------
    verdict : TrialVerdict
    name : str
        See `trial_name`.
    """
    scores = f"val macro-F1 {verdict.trial:.3f} instead of {verdict.base:.3f}"
    low, high = verdict.difference.low, verdict.difference.high
    interval = f"{signed(low)} to {signed(high)}, 95 %, n = {verdict.n:,}"
    margin = f"{verdict.margin:.2f}"
    if verdict.few:
        sentence = (
            f"With {name}: {scores}. Too few examples to say whether that is as good: "
            f"{verdict.shortage}."
        )
    elif verdict.as_good:
        sentence = (
            f"With {name}, the model does as well: {scores}, and a loss of {margin} is excluded "
            f"({interval})."
        )
    elif verdict.worse:
        sentence = f"With {name}, the model does worse: {scores} ({interval})."
    else:
        more = f"; about {verdict.needed:,} val examples would" if verdict.needed else ""
        sentence = (
            f"Whether the model does as well with {name}, within {margin}, val cannot tell{more}: "
            f"{scores} ({interval})."
        )
    sentences = [sentence]
    if verdict.base_seconds and verdict.trial_seconds:
        share = 1 - verdict.trial_seconds / verdict.base_seconds
        less = f"{abs(share):.0%} {'less' if share >= 0 else 'more'}".replace("%", " %")
        sentences.append(
            f"An epoch took {verdict.trial_seconds:.1f} s instead of {verdict.base_seconds:.1f} s, "
            f"{less}."
        )
    return sentences
