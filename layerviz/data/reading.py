"""Bytes -> Table: encoding, delimiter, rows and header of a CSV file, and what is no such file."""

from __future__ import annotations

import codecs
import contextlib
import csv
import hashlib
import io
import re
from collections import Counter
from dataclasses import dataclass
from importlib import resources

import pandas as pd

from layerviz.data.wording import count, one_sentence, quoted
from layerviz.errors import DataError

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
ENCODINGS = {"utf-8": "UTF-8", "cp1252": "Latin-1", "latin-1": "Latin-1"}  # tried in this order
SAMPLE_ROWS = 5_000
SAMPLE_BYTES = 131_072  # no more than csv.field_size_limit(), so that no cell of it is too long
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
_CONTROL = bytes(code for code in (*range(32), 127) if code not in b"\t\n\r")
_UTF16_BOMS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_JSON_OR_HTML = re.compile(rb'\s*(\{\s*["}]|\[\s*[\[{"]|<[!?a-zA-Z])')
_FOREIGN = {
    b"PK\x03\x04": "an Excel workbook or a zip archive, not CSV",
    b"\xd0\xcf\x11\xe0": "an old Excel workbook, not CSV",
    b"\x89PNG": "a PNG picture, not CSV",
    b"%PDF": "a PDF document, not CSV",
}
_MARKUP = "JSON or HTML, not CSV"
_SAVE_AS_CSV = "Save the table as CSV (UTF-8) with a header row such as text,label."


@dataclass(frozen=True, eq=False)  # eq: frames do not compare to a single truth value
class Table:
    """One file, read; nothing is guessed about its meaning yet.

    ``frame`` holds every cell as the str that was written (``""`` where it is missing);
    ``encoding`` and ``notes`` are words for people; ``content_hash`` is SHA-256 of the bytes.
    """

    name: str
    frame: pd.DataFrame
    delimiter: str
    encoding: str
    notes: tuple[str, ...]
    content_hash: str


def read_table(content: bytes, name: str, *, one_column: bool = False) -> Table:
    """Read a comma-, semicolon- or tab-separated file with a header row.

    The bytes may be UTF-8 with or without BOM, UTF-16 with BOM, or else cp1252 / Latin-1;
    ``name`` is for messages. What is no such table raises a DataError, and so does a table of
    one column, where no label can be, unless that is what was asked for.
    """
    text, kind = _text_bytes(content, name)
    if kind:
        raise DataError(f"{name} is {kind}.", _SAVE_AS_CSV)
    notes: list[str] = []
    if any(code in text for code in _CONTROL):
        n_before, text = len(text), text.translate(None, _CONTROL)
        notes.append(f"Removed {count(n_before - len(text), 'control character')}.")
    delimiter, width = _sniff(text, name, one_column)
    frame, codec, n_skipped = _parse(text, delimiter, width, name)
    if n_skipped:
        notes.append(f"Skipped {count(n_skipped, 'row')} with more fields than the header.")
    if len(frame) == 1:
        raise DataError(one_sentence(f"{name} has no rows below its header", notes), _SAVE_AS_CSV)
    frame = _name_columns(frame, name, notes)
    encoding = "UTF-16" if content.startswith(_UTF16_BOMS) else ENCODINGS[codec]
    encoding += " with BOM" if content.startswith(codecs.BOM_UTF8) else ""
    digest = hashlib.sha256(content).hexdigest()
    return Table(name, frame, delimiter, encoding, tuple(notes), digest)


def sample_table() -> Table:
    """Read the bundled customer messages (columns text and label)."""
    path = resources.files("layerviz").joinpath("samples", "customer_messages.csv")
    return read_table(path.read_bytes(), path.name)


def decode_text(content: bytes, name: str) -> str:
    """Return a text file as str, by the rules of :func:`read_table`; a DataError if it is none."""
    text, kind = _text_bytes(content, name)
    if kind and kind != _MARKUP:
        hint = "Give a UTF-8 text file with one text per line, or a CSV."
        raise DataError(f"{name} is {kind}.", hint)
    text = text.translate(None, _CONTROL)
    for codec in ("utf-8", "cp1252"):
        with contextlib.suppress(UnicodeDecodeError):
            return text.decode(codec)
    return text.decode("latin-1")  # takes any bytes


def _text_bytes(content: bytes, name: str) -> tuple[bytes, str]:
    """Return ``content`` in an encoding that extends ASCII, and what it is where that is no CSV."""
    text = content.removeprefix(codecs.BOM_UTF8)
    if content.startswith(_UTF16_BOMS):
        try:
            text = content.decode("utf-16").encode()
        except UnicodeError as error:
            raise DataError(f"{name} is damaged UTF-16.", _SAVE_AS_CSV) from error
    head = text[:SAMPLE_BYTES]
    n_control = len(head) - len(head.translate(None, _CONTROL))
    kind = next((kind for magic, kind in _FOREIGN.items() if content.startswith(magic)), "")
    if not kind and not head.strip():
        kind = "empty"
    elif not kind and (n_control > len(head) / 20 or b"\0" in head.split(b"\n", 1)[0]):
        kind = "binary (not readable as text), not CSV"
    elif not kind and _JSON_OR_HTML.match(head):
        kind = _MARKUP
    return text, kind


def _sniff(text: bytes, name: str, one_column: bool) -> tuple[str, int]:
    """Return the delimiter under which most rows are as wide as the header, and that width."""
    sample = text[:SAMPLE_BYTES].decode("latin-1")  # right for delimiters and quotes
    found = []
    for delimiter in DELIMITERS:
        reader = csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter)
        widths = [len(record) for record in reader if len(record) > 1 or "".join(record).strip()]
        if len(text) > SAMPLE_BYTES:
            widths = widths[:-1] or widths  # the last record is cut in its middle
        found.append((widths[0] > 1, widths.count(widths[0]) / len(widths), widths[0], delimiter))
    is_table, _, width, delimiter = max(found)
    if not is_table and one_column:
        return ",", 1
    if not is_table:
        hint = "Give it two, text and label, separated by commas, semicolons or tabs."
        raise DataError(f"{name} has one column only.", hint)
    return delimiter, width


def _parse(text: bytes, delimiter: str, width: int, name: str) -> tuple[pd.DataFrame, str, int]:
    """Return the rows, header included, the codec and how many rows had too many fields."""
    options = {"sep": delimiter, "dtype": str, "na_filter": False, "index_col": False}
    # The header is read as a row, since pandas takes the width from the first row it reads.
    options |= {"header": None, "names": range(width), "on_bad_lines": "skip"}
    try:
        for codec in ENCODINGS:
            with contextlib.suppress(UnicodeDecodeError):  # never raised by latin-1, the last
                frame = pd.read_csv(io.BytesIO(text), encoding=codec, **options)
                # Under usecols no row is too long: the difference was skipped. Recording
                # pandas' warnings would tell as well, but not safely beside other threads.
                first = pd.read_csv(io.BytesIO(text), encoding=codec, usecols=[0], **options)
                break
    except pd.errors.ParserError as error:
        row = re.search(r"EOF inside string starting at row (\d+)", str(error))
        what = f"data row {row[1]} has a quotation mark that is never closed" if row else error
        hint = 'Close it, or write a quotation mark inside a text twice: "".'
        raise DataError(f"{name} is no valid CSV: {what}.", hint) from error
    return frame, codec, len(first) - len(frame)


def _name_columns(frame: pd.DataFrame, name: str, notes: list[str]) -> pd.DataFrame:
    """Make the first row the header; columns that have neither name nor content are left out."""
    header = [cell.strip() for cell in frame.iloc[0]]
    frame = frame.iloc[1:].reset_index(drop=True)
    head = frame.head(SAMPLE_ROWS)
    cells = [cell for cell in header if cell]
    recurring = [c for i, c in enumerate(header) if c and (head[i].str.strip() == c).any()]
    sentences = [cell for cell in cells if len(cell.split()) > 3]
    # "text,spam" may hold the value "spam"; beside a sentence it is a value itself, and so is "1".
    is_data = recurring and (sentences or any(map(NUMBER.fullmatch, recurring)))
    if is_data or recurring == cells or any(len(cell) > 60 for cell in sentences):
        hint = "Add a header row such as text,label."
        raise DataError(f"The first row of {name} looks like data.", hint)
    frame.columns = [cell or f"column {place}" for place, cell in enumerate(header, start=1)]
    if twice := [cell for cell, n in Counter(frame.columns).items() if n > 1]:
        raise DataError(f"{name} has several columns named {quoted(twice)}.", "Rename them.")
    unnamed = [column for column, cell in zip(frame, header, strict=True) if not cell]
    if empty := [column for column in unnamed if not (frame[column].str.strip() != "").any()]:
        notes.append(f"Left out {count(len(empty), 'empty column')} without a name.")
    if filled := [column for column in unnamed if column not in empty]:
        notes.append(f"Named {count(len(filled), 'column')} without a name: {quoted(filled)}.")
    return frame.drop(columns=empty)
