"""What was found in slices, in words: for the page, the report and the offline page."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerviz.separability.slices.comparing import LEAST_IN_SLICE, SliceScores
from layerviz.separability.slices.of_run import SliceFindings
from layerviz.wording import count, decimal, signed


def slices_sentence(findings: SliceFindings) -> str:
    """Say in one sentence whether any slice does clearly worse, and which does worst."""
    split, n_slices, scores = findings.split, len(findings.slices), findings.scores
    if scores is None:
        return (
            f"No slice of {split} can be looked at: none has {LEAST_IN_SLICE} examples, with as "
            "many of the same classes outside."
        )
    looked_at = f"{count(n_slices, 'slice')} of {split}"
    worse = findings.worse
    n_worse = worse["place"].nunique()
    if not n_worse:
        does = "does not do" if n_slices == 1 else "none does"
        return f"Of {looked_at}, {does} clearly worse than the rest ({_told(scores)})."
    worst = worse.iloc[0]
    interval = f"{signed(worst['low'], 2)} to {signed(worst['high'], 2)}"
    verb, which = ("does", "") if n_worse == 1 else ("do", "most clearly ")
    return (
        f"Of {looked_at}, {n_worse} {verb} clearly worse than the rest, {which}"
        f"“{worst['slice']}”: {worst['predictions']} gets {100 * worst['accuracy']:.0f} % of it "
        f"right (n = {worst['n']:,}), and {100 * worst['elsewhere']:.0f} % elsewhere (difference "
        f"{signed(worst['difference'], 2)}, {interval})."
    )


def _told(scores: SliceScores) -> str:
    """Say how much worse a slice of a usual size would have had to do to be told."""
    margin = (scores.difference - scores.low).max(axis=0)
    usual = int(np.argsort(scores.n_inside, kind="stable")[len(scores.n_inside) // 2])
    return (
        f"one of {scores.n_inside[usual]:,} examples would show from about "
        f"{decimal(float(margin[usual]))} worse on"
    )


def slices_shown(table: pd.DataFrame) -> pd.DataFrame:
    """Return rows of `SliceFindings.table` as people read them.

    Returns
    -------
    DataFrame
        ``slice``, ``difference``, ``95 % interval`` and ``verdict`` (str), ``accuracy`` and
        ``elsewhere`` (percent) and ``examples``.
    """
    return pd.DataFrame(
        {
            "slice": table["slice"],
            "difference": [signed(value, 2) for value in table["difference"]],
            "95 % interval": [
                f"{signed(low, 2)} to {signed(high, 2)}"
                for low, high in zip(table["low"], table["high"], strict=True)
            ],
            "verdict": ["clearly worse" if is_worse else "" for is_worse in table["clearly_worse"]],
            "accuracy": 100 * table["accuracy"],
            "elsewhere": 100 * table["elsewhere"],
            "examples": table["n"],
        }
    )


def slices_notes(findings: SliceFindings) -> list[str]:
    """Return what there is to know about the table, in sentences."""
    if findings.scores is None:
        return list(findings.notes)
    kinds = " and both kinds of predictions" if len(findings.classifiers) > 1 else ""
    return [
        "Accuracy: the share of right predictions. Elsewhere: of the examples outside the slice, "
        "their classes mixed as they are inside, so that no slice is worse for holding the harder "
        f"classes. Intervals (95 %) hold for all slices{kinds} at once; clearly worse is what has "
        "one below 0. Rows are ordered by its high end. Slices have at least "
        f"{LEAST_IN_SLICE} examples.",
        *findings.notes,
    ]
