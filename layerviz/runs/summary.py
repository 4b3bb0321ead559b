"""A run in one line: what it was made of, how it stands and how well its classifier does."""

from __future__ import annotations

from dataclasses import dataclass

from layerviz.errors import LayervizError
from layerviz.runs.reading import read_history
from layerviz.runs.record import Run


@dataclass(frozen=True)
class RunSummary:
    """What a list says of a run.

    Parameters
    ----------
    created : str
        ISO 8601 time in UTC.
    data, encoder : str
        Their names for people.
    epochs : float or None
        Trained so far; None before it is known.
    val_macro_f1 : float or None
        Of the model's own classifier at the newest snapshot; None before the first one.
    status : str
    run_id : str
    """

    created: str
    data: str
    encoder: str
    epochs: float | None
    val_macro_f1: float | None
    status: str
    run_id: str


def summary_of(run: Run) -> RunSummary:
    """Return a run in one line; its history is read."""
    epochs = run.snapshots[-1].epoch if run.snapshots else None
    return RunSummary(
        created=run.created,
        data=str(run.dataset["name"]),
        encoder=str(run.encoder.get("label") or run.config.encoder),
        epochs=epochs,
        val_macro_f1=_val_macro_f1(run),
        status=run.status,
        run_id=run.run_id,
    )


def _val_macro_f1(run: Run) -> float | None:
    try:
        scores = read_history(run.path).sort_values("step")["val_macro_f1"].dropna()
        return float(scores.iloc[-1]) if len(scores) else None
    except (LayervizError, OSError, ValueError, TypeError, KeyError):  # damaged: it hides no run
        return None
