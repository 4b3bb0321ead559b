"""JSON: a list of records, columns, splits of either, or one record per line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from layerviz.data.cells import as_cell, record_frame, str_frame, tidied
from layerviz.data.choices import ReadingChoices
from layerviz.data.decoding import MARKUP, read_text
from layerviz.data.file_format import Contents, FileFormat, expect_few_columns
from layerviz.data.joining import by_split, joined, joining_notes
from layerviz.data.wording import one_sentence, quoted
from layerviz.errors import DataError
from layerviz.wording import count, quote

LINES = (".jsonl", ".ndjson", ".jsonlines")
HINT = 'Give a list of records such as [{"text": "…", "label": "…"}], or one record per line.'
_LISTED = 5  # lines that are named
_DECODER = json.JSONDecoder(strict=False)


@dataclass
class _Parts:
    """What was taken from a document, and what is to be said of it."""

    name: str
    how: str = "a list of records"
    notes: list[str] = field(default_factory=list)


def read_json(content: bytes, name: str, choices: ReadingChoices, *, one_column: bool) -> Contents:
    """Read JSON or JSON Lines; numbers stay as they are written, null is a missing cell.

    Parameters
    ----------
    content : bytes
        In any of the encodings of a CSV file.
    name : str
        For messages; its suffix says whether lines or a document are tried first.
    choices : ReadingChoices
        Of which the encoding matters here.
    one_column : bool
        Whether a table of one column, where no label can be, is accepted.

    Raises
    ------
    DataError
        If it holds no table.
    """
    decoded = read_text(content, name, choices.encoding)
    if decoded.problem not in ("", *MARKUP):
        raise DataError(f"{name} is {decoded.problem}.", HINT)
    parts = _Parts(name, notes=list(decoded.notes))
    try:
        frame = _frame(decoded.content.decode(), parts)
    except RecursionError as error:
        raise DataError(f"{name} is JSON that is nested too deeply.", HINT) from error
    frame = tidied(frame, name, parts.notes, one_column=one_column)
    if nested := [column for column in frame.columns if "." in str(column)]:
        parts.notes.append(f"Columns made of the parts of records: {quoted(nested)}.")
    reading = ReadingChoices(encoding=decoded.codec)
    layout = f"{decoded.encoding}, {parts.how}"
    return Contents(frame, layout, tuple(parts.notes), reading, decoded.doubts)


def _frame(text: str, parts: _Parts) -> pd.DataFrame:
    frame = _from_lines(text, parts) if parts.name.lower().endswith(LINES) else None
    if frame is not None:
        return frame
    if text.lstrip().startswith("["):
        _expect_few_keys(text, parts.name)
    try:
        document = _loads(text.strip())
    except json.JSONDecodeError as error:
        frame = _from_lines(text, parts)
        if frame is None:
            raise DataError(
                f"{parts.name} is not valid JSON: line {error.lineno}, column {error.colno} "
                f"({error.msg}).",
                "Correct it there, or save it again.",
            ) from error
    except ValueError as error:  # a number of thousands of digits
        raise DataError(f"{parts.name} is JSON that cannot be read ({error}).", HINT) from error
    else:
        frame = _table_in(document, parts)
    if frame is None:
        raise DataError(one_sentence(f"{parts.name} is JSON without a table", parts.notes), HINT)
    return frame


def _expect_few_keys(text: str, name: str) -> None:
    """Refuse a list whose first record has too many keys, before all of it is read."""
    start = text.find("{")
    if start < 0:
        return
    try:
        record, _ = _DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return  # which is told of the whole
    expect_few_columns(len(record), name)


def _loads(text: str) -> Any:
    # Strings keep what was written: 1.0 and 1e3 are not 1 and 1000.0.
    return json.loads(text, parse_float=str, parse_constant=_constant, strict=False)


def _constant(name: str) -> str | None:
    return None if name == "NaN" else name


def _from_lines(text: str, parts: _Parts) -> pd.DataFrame | None:
    """Return the records of JSON Lines, or None if most lines are none."""
    records: list[Mapping[str, object]] = []
    bad: list[int] = []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            record = _loads(line)
        except (ValueError, RecursionError):
            record = None
        if isinstance(record, dict):
            expect_few_columns(len(record), parts.name)
            records.append(record)
        else:
            bad.append(number)
    if len(bad) >= len(records):
        return None
    parts.how = "JSON Lines"
    if bad:
        lines = ", ".join(map(str, bad[:_LISTED])) + (", …" if len(bad) > _LISTED else "")
        parts.notes.append(
            f"Skipped {count(len(bad), 'line')} that {'is' if len(bad) == 1 else 'are'} no JSON "
            f"record: line {lines}."
        )
    return record_frame(records, parts.name, parts.notes)


def _table_in(document: object, parts: _Parts) -> pd.DataFrame | None:
    """Return the table that a document is or holds, or None."""
    frame = _table(document, parts)
    if frame is not None or not isinstance(document, dict):
        return frame
    tables = {
        key: table for key, value in document.items() if (table := _table(value, parts)) is not None
    }
    splits = by_split(tables)
    if splits:
        chosen = {key: tables[key] for key in splits}
        parts.how = "JSON with splits"
        parts.notes += joining_notes(chosen, splits)
        frame = joined(chosen, splits)
    elif len(tables) == 1:
        chosen = tables
        parts.how = f"JSON, the records under {quote(next(iter(tables)))}"
        frame = next(iter(tables.values()))
    elif tables:
        raise DataError(
            f"{parts.name} holds several tables: {quoted(tables)}.",
            "Keep one of them, or name them train, val and test.",
        )
    else:
        return None
    if unread := [key for key in document if key not in chosen]:
        parts.notes.append(f"Left unread what else is in it: {quoted(unread)}.")
    return frame


def _table(value: object, parts: _Parts) -> pd.DataFrame | None:
    """Return a list of records, or columns, as a table; None for anything else."""
    if isinstance(value, list):
        records = [record for record in value if isinstance(record, dict)]
        if not records or len(records) < len(value) / 2:
            return None
        if n_other := len(value) - len(records):
            parts.notes.append(f"Skipped {count(n_other, 'value')} that are no records.")
        return record_frame(records, parts.name, parts.notes)
    if not isinstance(value, dict) or not value:
        return None
    if isinstance(value.get("columns"), list) and isinstance(value.get("data"), list):
        header, rows = value["columns"], value["data"]  # as pandas writes with orient="split"
        if all(isinstance(row, list) and len(row) == len(header) for row in rows):
            by_column = (dict(zip(map(str, header), row, strict=True)) for row in rows)
            return record_frame(by_column, parts.name, parts.notes)
    columns = list(value.values())
    if all(isinstance(column, list) for column in columns):
        expect_few_columns(len(columns), parts.name)
    if all(isinstance(column, list) for column in columns) and _are_columns(columns):
        parts.how = "JSON by columns"
        lists = {key: [as_cell(cell) for cell in cells] for key, cells in value.items()}
        return str_frame(lists, parts.notes)
    if all(isinstance(column, dict) for column in columns):
        return _by_index(value, parts)
    return None


def _are_columns(columns: list[list[object]]) -> bool:
    """Tell columns of one length from lists of records."""
    alike = len({len(column) for column in columns}) == 1 and len(columns) > 1
    return alike and not any(isinstance(cell, dict) for column in columns for cell in column[:3])


def _by_index(value: dict[str, dict[str, object]], parts: _Parts) -> pd.DataFrame | None:
    """Return what has cells by column and row, as pandas writes by default, or by row and column.

    There are more rows than columns.
    """
    first = next(iter(value.values()))
    if any(isinstance(cell, dict | list) for cell in list(first.values())[:3]):
        return None
    if any(column.keys() != first.keys() for column in value.values()) or len(value) > len(first):
        parts.how = "JSON, records by key"
        return record_frame(value.values(), parts.name, parts.notes)
    parts.how = "JSON by columns"
    lists = {key: [as_cell(cell) for cell in cells.values()] for key, cells in value.items()}
    return str_frame(lists, parts.notes)


JSON = FileFormat(
    name="json",
    label="JSON",
    suffixes=(".json", *LINES),
    help="a list of records, one record per line, columns, or either under train, val and test; "
    "nested records become columns such as `user.name`",
    read=read_json,
    choices=("encoding",),
)
