"""A run's learning curve and its own classifier, as charts and captions need them."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd

from layerviz import runs
from layerviz.config import TRAIN_AND_VAL
from layerviz.runs import Run

Predicted = Callable[[int], pd.DataFrame]  # what the classifier predicts at a snapshot


def learning_curve(run: Run, examples: pd.DataFrame, predicted: Predicted) -> pd.DataFrame:
    """Return a run's history, with the losses that earlier versions did not record.

    Parameters
    ----------
    run : Run
    examples : DataFrame
        As captured.
    predicted : callable
        Returns the predictions of a snapshot, by its index; asked only where losses are missing.
    """
    history = runs.read_history(run.path)
    for snapshot in run.snapshots:
        rows = history["step"] == snapshot.step
        if not (rows & history["val_loss"].isna()).any():
            continue
        loss = predicted(snapshot.index)["loss"].to_numpy()
        for split in TRAIN_AND_VAL:
            of_split = (examples["split"] == split).to_numpy()
            history.loc[rows, f"{split}_loss"] = loss[of_split].mean()
    return history
