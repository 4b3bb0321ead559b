"""Delimited text: comma-, semicolon- or tab-separated values with a header row."""

from __future__ import annotations

import contextlib
import csv
import io
import re
from collections import Counter

import pandas as pd

from layerviz.data.choices import ReadingChoices
from layerviz.data.columns import NUMBER, SAMPLE_ROWS
from layerviz.data.decoding import (
    CONTROL,
    ENCODINGS,
    SAMPLE_BYTES,
    encoding_name,
    text_bytes,
)
from layerviz.data.file_format import Contents, FileFormat
from layerviz.data.recognising import SAVE_AS_CSV
from layerviz.data.wording import one_sentence, quoted
from layerviz.errors import DataError
from layerviz.wording import count

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}


def read_delimited(
    content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
) -> Contents:
    """Read a comma-, semicolon- or tab-separated file with a header row.

    The bytes may be UTF-8 with or without BOM, UTF-16 with BOM, or else cp1252 / Latin-1.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    choices : ReadingChoices
    one_column : bool
        Whether a table of one column, where no label can be, is accepted.

    Raises
    ------
    DataError
        If it is no such table.
    """
    text, problem = text_bytes(content, name)
    if problem:
        raise DataError(f"{name} is {problem}.", SAVE_AS_CSV)
    notes: list[str] = []
    if any(code in text for code in CONTROL):
        n_before, text = len(text), text.translate(None, CONTROL)
        notes.append(f"Removed {count(n_before - len(text), 'control character')}.")
    delimiter, width = _sniff(text, name, one_column)
    frame, codec, n_skipped = _parse(text, delimiter, width, name)
    if n_skipped:
        notes.append(f"Skipped {count(n_skipped, 'row')} with more fields than the header.")
    if len(frame) == 1:
        raise DataError(one_sentence(f"{name} has no rows below its header", notes), SAVE_AS_CSV)
    frame = _name_columns(frame, name, notes)
    layout = f"{encoding_name(content, codec)}, {DELIMITERS[delimiter]}-separated"
    return Contents(frame, layout, tuple(notes), choices)


def _sniff(text: bytes, name: str, one_column: bool) -> tuple[str, int]:
    """Return the delimiter under which most rows are as wide as the header, and that width."""
    sample = text[:SAMPLE_BYTES].decode("latin-1")  # right for delimiters and quotes
    candidates = []
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        widths = [len(record) for record in reader if len(record) > 1 or "".join(record).strip()]
        if len(text) > SAMPLE_BYTES:
            widths = widths[:-1] or widths  # the last record is cut in its middle
        agreement = widths.count(widths[0]) / len(widths)
        candidates.append((widths[0] > 1, agreement, widths[0], delimiter))
    is_table, _, width, delimiter = max(candidates)
    if not is_table and one_column:
        return ",", 1
    if not is_table:
        hint = "Give it two columns, text and label, separated by commas, semicolons or tabs."
        raise DataError(f"{name} has only one column.", hint)
    return delimiter, width


def _parse(text: bytes, delimiter: str, width: int, name: str) -> tuple[pd.DataFrame, str, int]:
    """Return the rows, header included, the codec and how many rows had too many fields."""
    for codec in ENCODINGS:
        with contextlib.suppress(UnicodeDecodeError):  # never raised by latin-1, the last
            frame = _rows(text, delimiter, width, codec, name)
            # With only one column wanted no row is too long: the difference was skipped.
            # Recording pandas' warnings would tell as well, but not safely next to other threads.
            first = _rows(text, delimiter, width, codec, name, [0])
            break
    return frame, codec, len(first) - len(frame)


def _rows(
    text: bytes, delimiter: str, width: int, codec: str, name: str, wanted: list[int] | None = None
) -> pd.DataFrame:
    """Return all rows as str, those with more than `width` fields left out."""
    try:
        # The header is read as a row, since pandas takes the width from the first row it reads.
        return pd.read_csv(
            io.BytesIO(text),
            sep=delimiter,
            encoding=codec,
            header=None,
            names=range(width),
            usecols=wanted,
            index_col=False,
            dtype=str,
            na_filter=False,
            on_bad_lines="skip",
        )
    except pd.errors.ParserError as error:
        row = re.search(r"EOF inside string starting at row (\d+)", str(error))
        what = f"data row {row[1]} has a quotation mark that is never closed" if row else error
        hint = 'Close it, or double the quotation marks that belong to a text: "".'
        raise DataError(f"{name} is not valid CSV: {what}.", hint) from error


def _name_columns(frame: pd.DataFrame, name: str, notes: list[str]) -> pd.DataFrame:
    """Make the first row the header; columns that have neither name nor content are left out."""
    header = [cell.strip() for cell in frame.iloc[0]]
    frame = frame.iloc[1:].reset_index(drop=True)
    head = frame.head(SAMPLE_ROWS)
    cells = [cell for cell in header if cell]
    recurring = [c for i, c in enumerate(header) if c and (head[i].str.strip() == c).any()]
    sentences = [cell for cell in cells if len(cell.split()) > 3]
    # "text,spam" may hold the value "spam"; next to a sentence it is a value, and so is "1".
    is_data = recurring and (sentences or any(map(NUMBER.fullmatch, recurring)))
    if is_data or recurring == cells or any(len(cell) > 60 for cell in sentences):
        hint = "Add a header row such as text,label."
        raise DataError(f"The first row of {name} looks like data.", hint)
    names = [cell or f"column {number}" for number, cell in enumerate(header, start=1)]
    if twice := [column for column, n in Counter(names).items() if n > 1]:
        raise DataError(f"{name} has several columns named {quoted(twice)}.", "Rename them.")
    frame.columns = pd.Index(names)
    unnamed = [column for column, cell in zip(names, header, strict=True) if not cell]
    if empty := [column for column in unnamed if not (frame[column].str.strip() != "").any()]:
        notes.append(f"Left out {count(len(empty), 'empty column')} without a name.")
    if filled := [column for column in unnamed if column not in empty]:
        notes.append(f"Named {count(len(filled), 'column')} that had no name: {quoted(filled)}.")
    return frame.drop(columns=empty)


DELIMITED = FileFormat(
    name="delimited",
    label="CSV",
    suffixes=(".csv", ".tsv", ".txt"),
    help="comma-, semicolon- or tab-separated with a header row; UTF-8 (with or without BOM), "
    "UTF-16 or Latin-1; quoted newlines are fine",
    read=read_delimited,
)
