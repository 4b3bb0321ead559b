"""The rows of one file that can be used: texts, labels, splits, and what is left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager

import pandas as pd

from layerviz.data.columns import Columns, check_columns, expect_columns, pick_from
from layerviz.data.guessing import match_columns
from layerviz.data.labels import labels_in, missing_words, without_label
from layerviz.data.naming import OWN_ID
from layerviz.data.reading import Table
from layerviz.data.row_choices import NOTHING_CHOSEN, RowChoices
from layerviz.data.splits import LEAVE_OUT, split_word_key
from layerviz.data.wording import quoted
from layerviz.errors import DataError, did_you_mean
from layerviz.pairs import PAIR_MARK, pair_of, without_mark
from layerviz.wording import count, named, quote


def columns_of_files(
    tables: Mapping[str, Table], columns: Columns, choices: RowChoices = NOTHING_CHOSEN
) -> dict[str, Columns]:
    """Return the columns of each file by its role; those of val and test are found or chosen.

    Raises
    ------
    DataError
        If a file lacks a column; it names the file.
    """
    columns_of = {}
    for role, table in tables.items():
        own = columns if role == "train" else choices.columns(role)
        if own is None:
            own = columns_of_file(table, tables["train"], columns)
        with named_in_errors(table):
            check_columns(table.frame, own)
        columns_of[role] = own
    return columns_of


def columns_of_file(
    table: Table,
    train: Table,
    columns: Columns,
    *,
    text: str | None = None,
    label: str | None = None,
    text_pair: str | None = None,
) -> Columns:
    """Return the columns of a val or test file: those that are named, else those of train.

    Raises
    ------
    DataError
        If a column is not found; it names the file.
    """
    frame, cells = table.frame, train.frame[columns.label]
    with named_in_errors(table):
        expect_columns(frame, [name for name in (text, label, text_pair) if name])
        found = match_columns(frame, columns, cells, text=text, label=label, text_pair=text_pair)
        if found.columns is None or found.problem:
            wanted = columns.label
            if found.text is None:
                wanted = columns.text
            elif columns.text_pair is not None and found.text_pair is None:
                wanted = columns.text_pair
            raise DataError(found.problem, did_you_mean(wanted, frame.columns, pick_from(frame)))
        check_columns(frame, found.columns)
    return found.columns


@contextmanager
def named_in_errors(table: Table) -> Iterator[None]:
    """Let errors say which file they are about."""
    try:
        yield
    except DataError as error:
        raise DataError(
            f"{named(table.name)}: {error.message}", error.hint, error.options
        ) from error


def usable_rows(
    role: str,
    tables: Mapping[str, Table],
    columns_of: Mapping[str, Columns],
    choices: RowChoices,
    meanings: Mapping[str, str],
    one_hot: Sequence[str],
    id_column: str | None,
    exclusions: list[str],
) -> pd.DataFrame:
    """Return id, split, text and label (str) of the rows of one file that carry all of them.

    And own_id, where there is a column of ids. The choices are settled, and each word of the split
    column has a meaning.
    """
    name, frame, columns = named(tables[role].name), tables[role].frame, columns_of[role]
    with named_in_errors(tables[role]):
        expect_columns(frame, one_hot)
    rows = pd.DataFrame({"id": [f"{role}-{row}" for row in range(1, len(frame) + 1)]})
    rows["split"] = role
    if columns.split is not None:
        cells = frame[columns.split]
        splits = {cell: meanings.get(split_word_key(cell), "") for cell in cells.unique()}
        rows["split"] = cells.map(splits)
    rows["text"], rows["label"] = (
        _texts_in(frame, columns),
        labels_in(frame, columns, one_hot, combined=choices.combined_labels),
    )
    if id_column is not None:
        rows[OWN_ID] = frame[id_column].str.strip() if id_column in frame else ""
    for blank, what in ((rows["text"].str.strip() == "", "text"), (rows["split"] == "", "split")):
        rows = leave_out(rows, blank.loc[rows.index], f"of {name} without a {what}", exclusions)
    out = [word for word, meaning in meanings.items() if meaning == LEAVE_OUT]
    why = f"of {name} marked {quoted(out)} in {quote(columns.split)}"
    rows = leave_out(rows, rows["split"] == LEAVE_OUT, why, exclusions)
    missing = rows["label"] == ""
    if not choices.keep_missing_labels:
        missing |= without_label(rows["label"])
    words = missing_words(rows["label"][missing].unique())
    empty = ["empty"] if "" in set(rows["label"][missing]) else []
    which = f" ({', '.join([quoted(words, 10), *empty])})" if words else ""
    rows = leave_out(rows, missing, f"of {name} without a label{which}", exclusions)
    for other in [other for other in tables if other != role and role == "train"]:
        why = f"of {name} marked {other}, which {named(tables[other].name)} replaces,"
        rows = leave_out(rows, rows["split"] == other, why, exclusions)
    return rows


def _texts_in(frame: pd.DataFrame, columns: Columns) -> pd.Series:
    """Return the texts, or pairs of texts, of the rows of a file; "" where one is blank."""
    texts = [frame[name] for name in columns.texts]
    if any(cells.str.contains(PAIR_MARK, regex=False).any() for cells in texts):
        texts = [cells.map(without_mark) for cells in texts]
    if len(texts) == 1:
        return texts[0]
    first, second = texts
    pairs = [pair_of(*both) for both in zip(first, second, strict=True)]
    is_whole = (first.str.strip() != "") & (second.str.strip() != "")
    return pd.Series(pairs, index=frame.index, dtype="str").where(is_whole, "")


def reading_notes(tables: Mapping[str, Table], columns_of: Mapping[str, Columns]) -> Iterable[str]:
    """Say how each file was read, and which of its columns are taken."""
    for table in tables.values():
        name = named(table.name)
        yield f"Read {name} as {table.layout}."
        doubts = (doubt.sentence for doubt in table.doubts)
        yield from (f"{name}: {note}" for note in (*table.notes, *doubts))
    columns = columns_of["train"]
    splits = f", splits from {quote(columns.split)}" if columns.split else ""
    texts = f"column {quote(columns.text)}"
    if columns.text_pair is not None:
        texts = f"columns {quote(columns.text)} and {quote(columns.text_pair)}, as pairs"
    yield f"Texts are taken from {texts}, labels from {quote(columns.label)}{splits}."
    for role, own in differing_columns(columns_of):
        texts = " and ".join(map(quote, own.texts))
        yield f"In {named(tables[role].name)}, texts from {texts}, labels from {quote(own.label)}."


def differing_columns(columns_of: Mapping[str, Columns]) -> tuple[tuple[str, Columns], ...]:
    """Return the columns of val and test files whose names are not those of train."""
    train = columns_of["train"]
    names = (*train.texts, train.label)
    return tuple(
        (role, own) for role, own in columns_of.items() if (*own.texts, own.label) != names
    )


def leave_out(
    rows: pd.DataFrame, which: pd.Series, why: str, exclusions: list[str]
) -> pd.DataFrame:
    """Return the other rows, and note how many of `which` kind were excluded."""
    if n := int(which.sum()):
        exclusions.append(f"{count(n, 'row')} {why} {'was' if n == 1 else 'were'} left out.")
    return rows[~which] if n else rows
