"""A run in one line: what it was made of, how it stands and how well its classifier does."""

from __future__ import annotations

from csv import DictReader
from csv import Error as CsvError
from dataclasses import dataclass
from itertools import islice
from math import isnan

from layerviz.runs.record import Run

MOST_LINES = 100_000  # of a learning curve that are read: longer ones are not of a run


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
    """Return the newest val macro-F1 of the learning curve; without pandas, which takes longer."""
    try:
        with run.layout.history.open(encoding="utf-8-sig", newline="") as file:
            rows = (
                (float(row["step"]), float(row["val_macro_f1"] or "nan"))
                for row in DictReader(file)
            )
            scores = [row for row in islice(rows, MOST_LINES) if not isnan(row[1])]
        return max(scores)[1] if scores else None
    except (OSError, ValueError, TypeError, KeyError, CsvError):  # it hides no run
        return None
