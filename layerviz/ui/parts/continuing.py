"""Whether a run that was stopped can go on, and what to do where it cannot."""

from __future__ import annotations

from layerviz import checks, encoders
from layerviz.config import BY_CALLBACK
from layerviz.data import Dataset
from layerviz.errors import LayervizError
from layerviz.runs import Run

OTHERWISE = "Change it in the sidebar, then press Fine-tune."


def is_data_of(run: Run, dataset: Dataset | None) -> bool:
    """Return whether a data set is the one of a run."""
    return dataset is not None and dataset.fingerprint == run.dataset["fingerprint"]


def own_data(run: Run, dataset: Dataset | None) -> Dataset | None:
    """Return the data that are chosen on the left where they are the run's own."""
    return dataset if is_data_of(run, dataset) else None


def cannot_continue(run: Run, dataset: Dataset | None) -> str:
    """Return why a run cannot go on with its data and settings; "" where it can.

    Parameters
    ----------
    run : Run
        One that failed or was cancelled.
    dataset : Dataset or None
        The data it was made on. Without them, only what the run itself tells is looked at.
    """
    if run.config.trained_by == BY_CALLBACK:
        return "A Trainer of your own trained it: run your script again for a new run."
    if run.recurs:
        return f"The same settings would fail again. {OTHERWISE}"
    if dataset is None:
        return ""
    try:
        encoders.expect_on_disk(run.config.encoder)
        if run.config.encoder_version not in ("", encoders.version(run.config.encoder)):
            return (
                "The files of its encoder have changed since: press Fine-tune for a run with "
                "those of today."
            )
        checks.refuse(checks.plan_for(run.config, dataset))
    except LayervizError as error:
        return f"{error} {OTHERWISE}"
    return ""


def continue_label(run: Run) -> str:
    """Return what the button says that lets a run go on."""
    return "Continue" if run.snapshots else "Try again"
