"""Slices in the offline page, and as a table to take away."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import pandas as pd

from layerviz import separability
from layerviz.errors import RunError
from layerviz.runs import Run
from layerviz.separability import Answer, SliceFindings

MOST_ROWS = 20  # of the offline page's table, what does worst first


def slices_part(run: Run, answer: Answer | None) -> str:
    """Return the part of the offline page that says where the model does worse; "" before that."""
    if answer is None:
        return ""
    findings = separability.all_slices_of(run, answer)
    sentences = "".join(
        f"<p>{escape(separability.slices_sentence(of_split))}</p>" for of_split in findings
    )
    return f"<h2>Slices of the examples</h2>\n{sentences}\n{''.join(_folds(findings))}"


def _folds(findings: list[SliceFindings]) -> Iterator[str]:
    for of_split in findings:
        table = of_split.table
        if table.empty:
            continue
        shown = separability.slices_shown(table.head(MOST_ROWS))
        percent = {name: shown[name].map("{:.0f} %".format) for name in ("accuracy", "elsewhere")}
        shown = shown.assign(predictions=table["predictions"].head(MOST_ROWS), **percent)
        heads = "".join(f"<th scope='col'>{escape(str(name).capitalize())}</th>" for name in shown)
        rows = "".join(
            f"<tr>{''.join(f'<td>{escape(str(value))}</td>' for value in row)}</tr>"
            for row in shown.itertuples(index=False)
        )
        cut = ""
        if len(table) > MOST_ROWS:
            cut = f"The first {MOST_ROWS} of {len(table):,} rows. "
        notes = cut + " ".join(separability.slices_notes(of_split))
        yield (
            f"<details><summary>Slices of {escape(of_split.split)}</summary>"
            f"<div class='scroller'><table><tr>{heads}</tr>{rows}</table></div>"
            f"<p class='small soft'>{escape(notes)}</p></details>"
        )


def slices_with_splits(run: Run) -> pd.DataFrame:
    """Return what was found in the slices of val and test, a row per slice and classifier.

    Raises
    ------
    RunError
        If nothing is measured.
    """
    answer = separability.current_sheet(run).answer
    tables = [
        of_split.table.drop(columns="place").assign(split=of_split.split)
        for of_split in separability.all_slices_of(run, answer)
    ]
    table = pd.concat(tables, ignore_index=True)
    if table.empty:
        raise RunError(
            f"No slice of {run.run_id} has examples enough to be looked at.",
            "Take more val examples.",
        )
    return table[["split", *table.columns.drop("split")]]
