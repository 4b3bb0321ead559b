"""A run's learning curve, as charts and captions need it."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from layerviz import runs
from layerviz.config import TRAIN_AND_VAL
from layerviz.runs import Run
from layerviz.separability import macro_f1

Predicted = Callable[[int], pd.DataFrame]  # what the classifier predicts at a snapshot
Scored = Callable[[int], dict[str, float]]  # how it does on test at a snapshot


def learning_curve(
    run: Run, examples: pd.DataFrame, predicted: Predicted, scored: Scored
) -> pd.DataFrame:
    """Return a run's history, with what is known of test beside train and val.

    Parameters
    ----------
    run : Run
    examples : DataFrame
        As captured; empty before there are any.
    predicted : callable
        Returns the predictions of a snapshot, by its index; asked only for the losses that earlier
        versions did not record.
    scored : callable
        Returns what `scores_on` returns for test at a snapshot, by its index: histories do not
        record it.

    Returns
    -------
    DataFrame
        The columns of ``history.csv`` and, where test examples were captured, ``test_loss``,
        ``test_macro_f1`` and ``test_accuracy`` at the snapshots.
    """
    history = runs.read_history(run.path)
    has_test = not examples.empty and bool((examples["split"] == "test").any())
    for snapshot in run.snapshots:
        rows = history["step"] == snapshot.step
        lacks_losses = (rows & history["val_loss"].isna()).any()
        if not rows.any() or not (lacks_losses or has_test):
            continue
        if lacks_losses:
            predictions = predicted(snapshot.index)
            for split in TRAIN_AND_VAL:
                of_split = (examples["split"] == split).to_numpy()
                history.loc[rows, f"{split}_loss"] = predictions["loss"].to_numpy()[of_split].mean()
        if has_test:
            scores = scored(snapshot.index)
            history.loc[rows, list(scores)] = list(scores.values())
    return history


def scores_on(split: str, examples: pd.DataFrame, predictions: pd.DataFrame) -> dict[str, float]:
    """Return loss, macro-F1 and accuracy of predictions on one split, under its name."""
    of_split = (examples["split"] == split).to_numpy()
    true = examples["label"].to_numpy()[of_split]
    predicted = predictions["predicted"].to_numpy()[of_split]
    return {
        f"{split}_loss": float(predictions["loss"].to_numpy()[of_split].mean()),
        f"{split}_macro_f1": float(macro_f1(true, predicted[None])[0]),
        f"{split}_accuracy": float((true == predicted).mean()),
    }
