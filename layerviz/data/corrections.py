"""Labels that people corrected: put in place of the file's, and written as the file writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from layerviz.data.columns import Columns
from layerviz.data.labels import labels_in
from layerviz.data.naming import file_row
from layerviz.data.questions import row_questions
from layerviz.data.reading import Table
from layerviz.data.rewriting import CellEdit
from layerviz.data.row_choices import RowChoices
from layerviz.data.rows import columns_of_files
from layerviz.data.several_labels import ones
from layerviz.data.wording import quoted
from layerviz.errors import DataError, did_you_mean
from layerviz.wording import count, enumeration, quote

Corrections = Mapping[str, str]  # the label that an example gets, by its id


def with_corrected_labels(
    examples: pd.DataFrame, label_names: Sequence[str], corrections: Corrections
) -> pd.DataFrame:
    """Return examples with corrected labels, each in the split in which it is.

    Parameters
    ----------
    examples : DataFrame
        As those of a `Dataset`.
    label_names : sequence of str
    corrections : mapping of str to str

    Raises
    ------
    DataError
        If an example or a label is unknown, or no train example is left of a class.
    """
    codes = {name: code for code, name in enumerate(label_names)}
    for example, label in corrections.items():
        if label not in codes:
            raise DataError(
                f"The corrected label {quote(label)} of {quote(example)} is none of the labels.",
                did_you_mean(label, label_names, "Give a label that the data have."),
            )
    unknown = sorted(set(corrections) - set(examples["id"]))
    if unknown:
        raise DataError(
            f"{count(len(unknown), 'corrected label')} belong to rows that are not among the "
            f"examples: {quoted(unknown)}.",
            "Give the files and choices that the labels were corrected with.",
        )
    new = examples["id"].map(corrections).map(codes)
    examples = examples.assign(label=new.fillna(examples["label"]).astype("int64"))
    trained = set(examples["label"][examples["split"] == "train"])
    if lost := [name for name, code in codes.items() if code not in trained]:
        raise DataError(
            f"With the corrected labels, no train row is left of {quoted(lost)}.",
            "Leave one of its rows as it was.",
        )
    return examples


def correction_note(examples: pd.DataFrame, corrections: Corrections) -> str:
    """Say how many labels are corrected, in which splits."""
    counts = examples["split"][examples["id"].isin(list(corrections))].value_counts(sort=False)
    parts = [f"{n:,} of {split}" for split, n in counts.items()]
    is_or_are = "was" if len(corrections) == 1 else "were"
    return (
        f"{count(len(corrections), 'label')} {is_or_are} corrected ({enumeration(parts)}); all "
        "rows stayed in their splits."
    )


def label_edits(
    tables: Mapping[str, Table],
    columns: Columns,
    choices: RowChoices,
    corrections: Corrections,
) -> dict[str, list[CellEdit]]:
    """Return what to write into which cells of the files, for labels to be corrected there.

    A label is written as the file writes it most often.

    Parameters
    ----------
    tables : mapping of str to Table
        By role.
    columns : Columns
        Of the train file.
    choices : RowChoices
        With which the data set is built.
    corrections : mapping of str to str
        By ids of a data set of these tables.

    Returns
    -------
    dict of str to list of CellEdit
        By the roles of the files that change.
    """
    columns_of = columns_of_files(tables, columns, choices)
    questions = row_questions(tables, columns_of, choices)
    one_hot = questions.one_hot_of(questions.settled(choices))
    edits: dict[str, list[CellEdit]] = {}
    spellings: dict[tuple[str, str], str] = {}
    for example, label in corrections.items():
        role, row = file_row(example)
        if one_hot:
            new = _one_hot_edits(tables, role, one_hot, row, label)
        else:
            if (role, label) not in spellings:
                spellings[role, label] = _spelling(label, role, tables, columns_of)
            new = [CellEdit(row, columns_of[role].label, spellings[role, label])]
        edits.setdefault(role, []).extend(new)
    return edits


def _spelling(
    label: str, role: str, tables: Mapping[str, Table], columns_of: Mapping[str, Columns]
) -> str:
    """Return how a label is written in a file most often, or else in the others."""
    for one in sorted(tables, key=lambda other: other != role):
        frame, own = tables[one].frame, columns_of[one]
        cells = frame[own.label].str.strip()[labels_in(frame, own) == label]
        if len(cells):
            return str(cells.value_counts().index[0])
    return label


def _one_hot_edits(
    tables: Mapping[str, Table], role: str, names: Sequence[str], row: int, label: str
) -> list[CellEdit]:
    """Return what moves the 1 of a row to another column, as each column writes 1 and 0."""
    hot = ones(tables[role].frame, names)
    edits = []
    for name in names:
        if hot[name].iloc[row] != (name == label):
            edits.append(CellEdit(row, name, _one_or_zero(tables, role, name, name == label)))
    return edits


def _one_or_zero(tables: Mapping[str, Table], role: str, name: str, one: bool) -> str:
    """Return how a column of a file writes 1 or 0 most often, or else that of the others."""
    for other in sorted(tables, key=lambda other: other != role):
        frame = tables[other].frame
        if name in frame:
            cells = frame[name].str.strip()[ones(frame, [name])[name] == one]
            if len(cells):
                return str(cells.value_counts().index[0])
    return "1" if one else "0"
