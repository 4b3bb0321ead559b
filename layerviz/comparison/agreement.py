"""Where two encoders agree: on single examples, and in the geometry of their layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from layerviz import runs, separability
from layerviz.comparison.contenders import common_examples
from layerviz.runs import Run
from layerviz.separability import Cell

BY_HEAD, BY_PROBE = "head", "probe"


@dataclass(frozen=True)
class Agreement:
    """How two classifiers agree on the same examples.

    Parameters
    ----------
    examples : DataFrame
        ``id``, ``split``, ``text``, ``label``, ``one`` and ``other`` (class indices predicted),
        ``outcome``: "both right", "only the first", "only the second" or "both wrong".
    counts : dict of str to int
        Examples of each outcome.
    p_value : float
        Of McNemar's exact test (1947): how often two equally good classifiers would differ as
        unevenly.
    """

    examples: pd.DataFrame
    counts: dict[str, int]
    p_value: float


AGREEMENT_OUTCOMES = ("both right", "only the first", "only the second", "both wrong")


def agreement_between(
    one: Run, other: Run, cells: tuple[Cell, Cell], *, by: str, split: str = "val"
) -> Agreement:
    """Compare the predictions of two runs for the examples of a split that both captured.

    Parameters
    ----------
    one, other : Run
        On the same data.
    cells : tuple of two Cells
        The layer whose probe is meant, of each.
    by : {"head", "probe"}
        The models' own classifiers at their newest snapshots, or the probes of `cells`.
    split : str
    """
    examples, rows = common_examples([one, other])
    of_split = (examples["split"] == split).to_numpy()
    examples = examples[of_split].reset_index(drop=True)
    first, second = (
        _predicted(run, cell, by)[indices][of_split]
        for run, cell, indices in zip((one, other), cells, rows, strict=True)
    )
    true = examples["label"].to_numpy()
    right = (first == true), (second == true)
    outcome = np.select(
        [right[0] & right[1], right[0], right[1]],
        AGREEMENT_OUTCOMES[:3],
        default=AGREEMENT_OUTCOMES[3],
    )
    counts = {name: int((outcome == name).sum()) for name in AGREEMENT_OUTCOMES}
    only = counts[AGREEMENT_OUTCOMES[1]], counts[AGREEMENT_OUTCOMES[2]]
    p_value = binomtest(only[0], sum(only), 0.5).pvalue if sum(only) else 1.0
    return Agreement(
        examples.assign(one=first, other=second, outcome=outcome), counts, float(p_value)
    )


def encoder_similarity(
    one: Run, other: Run, snapshots: tuple[int, int], pooling: str
) -> tuple[np.ndarray, int]:
    """Return linear CKA between all layers of two runs, and the number of examples it is of.

    On train examples that both captured. See `separability.linear_cka`.

    Returns
    -------
    cka : ndarray of shape (L_one + 1, L_other + 1)
    n : int
    """
    examples, rows = common_examples([one, other])
    train = np.flatnonzero((examples["split"] == "train").to_numpy())
    chosen = train[separability.cka_rows(len(train))]
    states = [
        runs.read_pooled(run.path, snapshot)[pooling][:, indices[chosen]]
        for run, snapshot, indices in zip((one, other), snapshots, rows, strict=True)
    ]
    return separability.linear_cka(*states), len(chosen)


def _predicted(run: Run, cell: Cell, by: str) -> np.ndarray:
    if by == BY_HEAD:
        newest = run.snapshots[-1].index
        return runs.read_predictions(run.path, newest)["predicted"].to_numpy()
    return runs.read_probes(run.path, cell.snapshot)[cell.pooling][cell.layer]


def disagreements(agreement: Agreement, label_names: Sequence[str]) -> pd.DataFrame:
    """Return the examples that one gets right and the other wrong, in words.

    Returns
    -------
    DataFrame
        ``id``, ``outcome``, ``text``, ``label``, ``one``, ``other`` (class names).
    """
    names = np.asarray(label_names, dtype=object)
    rows = agreement.examples[agreement.examples["outcome"].isin(AGREEMENT_OUTCOMES[1:3])]
    named = {column: names[rows[column].to_numpy()] for column in ("label", "one", "other")}
    columns = ["id", "outcome", "text", "label", "one", "other"]
    return rows.assign(**named)[columns].sort_values("outcome", kind="stable", ignore_index=True)
