"""Reports in a run's folder: of a run that is over, one is computed once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from layerviz.runs import Run
from layerviz.separability.answer_files import read_answer, report_sources, write_answer


class Report(NamedTuple):
    """What is said of a run: for reading, and as values for machines."""

    text: str
    values: dict[str, Any]

    def __repr__(self) -> str:
        return self.text


def read_report(run: Run, poolings: Sequence[str], margin: float) -> Report | None:
    """Return the stored report of a run if it is current; None without."""
    stored = read_answer(run.layout.report(poolings, margin))
    if stored is None or stored.made_from != report_sources(run):
        return None
    try:
        return Report(str(stored.content["text"]), dict(stored.content["values"]))
    except (TypeError, KeyError, ValueError):  # changed by hand: it is made anew
        return None


def store_report(
    run: Run, poolings: Sequence[str], margin: float, report: Report, made_from: dict[str, Any]
) -> None:
    """Store a report with its run.

    Parameters
    ----------
    run : Run
    poolings : sequence of str
        Among which was searched.
    margin : float
    report : Report
        Of plain values, as JSON gives them back.
    made_from : dict
        As `report_sources` before it was made: what is written meanwhile is not in it.
    """
    write_answer(run.layout.report(poolings, margin), made_from, report._asdict())
