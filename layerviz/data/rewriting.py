"""A delimited file with other words in some of its cells, and not a byte else."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from layerviz.data.choices import ReadingChoices
from layerviz.data.decoding import CONTROL
from layerviz.data.delimited import Parsed, parse_delimited
from layerviz.data.dialect import line_quotes
from layerviz.data.fields import LINE_END, Dialect, field_spans, split_rows
from layerviz.data.header import column_names_of
from layerviz.data.mending import put_together

_MARKS = (
    codecs.BOM_UTF8,
    codecs.BOM_UTF32_LE,  # before the mark of UTF-16, with which it begins
    codecs.BOM_UTF32_BE,
    codecs.BOM_UTF16_LE,
    codecs.BOM_UTF16_BE,
)
_REMOVED = re.compile(
    "(?:(?<=[\r\n])|\\A)\ufeff|[" + "".join(rf"\x{code:02x}" for code in CONTROL) + "]"
)
_UNREADABLE = re.compile("[\ud800-\udfff\ufffd]+")


class NotInPlaceError(Exception):
    """A cell cannot be replaced so that all else stays as it is."""


class CellEdit(NamedTuple):
    """What is to stand in a cell.

    Parameters
    ----------
    row : int
        Of the table, from 0.
    column : str
        Its name.
    cell : str
    """

    row: int
    column: str
    cell: str


@dataclass(frozen=True)
class _Shortened:
    """A text without some of its characters, and where they were.

    Parameters
    ----------
    text : str
    removed : ndarray of int64
        Their places in the whole text, in order.
    """

    text: str
    removed: np.ndarray

    @classmethod
    def without(cls, whole: str, places: Sequence[int]) -> _Shortened:
        removed = np.asarray(places, dtype=np.int64)
        if not len(removed):
            return cls(whole, removed)
        starts, ends = [0, *(removed + 1)], [*removed, len(whole)]
        parts = (whole[start:end] for start, end in zip(starts, ends, strict=True))
        return cls("".join(parts), removed)

    def span_of(self, start: int, end: int) -> tuple[int, int]:
        """Return from where to where a part of the text reaches in the whole one."""
        first = self._place_of(start)
        return first, self._place_of(end - 1) + 1 if end > start else first

    def _place_of(self, at: int) -> int:
        before = self.removed - np.arange(len(self.removed))
        return at + int(np.searchsorted(before, at, side="right"))


def rewrite_delimited(
    content: bytes, name: str, choices: ReadingChoices, edits: Sequence[CellEdit]
) -> bytes:
    """Return the bytes of a delimited file with some of its cells replaced.

    A cell keeps its quotation marks and the spaces around it; all else is the same, byte for byte.

    Parameters
    ----------
    content : bytes
        Not compressed.
    name, choices
        As for `delimited.parse_delimited`.
    edits : sequence of CellEdit

    Raises
    ------
    NotInPlaceError
        If a cell is not found, or cannot hold what it is to hold.
    DataError
        If the file cannot be read.
    """
    parsed = parse_delimited(content, name, choices, one_column=False)
    mark = next((mark for mark in _MARKS if content.startswith(mark)), b"")
    codec, errors = _codec_of(parsed, mark)
    body = content[len(mark) :]
    try:
        whole = body.decode(codec, errors)
        if whole.encode(codec, errors) != body:
            raise NotInPlaceError("the encoding")
        spans = _replacements(whole, parsed, edits)
        pieces, position = [], 0
        for start, end, text in spans:
            pieces += [whole[position:start].encode(codec, errors), text.encode(codec)]
            position = end
        pieces.append(whole[position:].encode(codec, errors))
    except UnicodeError as error:
        raise NotInPlaceError("the encoding") from error
    return mark + b"".join(pieces)


def _codec_of(parsed: Parsed, mark: bytes) -> tuple[str, str]:
    """Return codec and treatment of damaged bytes with which text can be written back."""
    codec = parsed.contents.reading.encoding or "utf-8"
    if codec == "utf-32":
        codec = "utf-32-be" if mark == codecs.BOM_UTF32_BE else "utf-32-le"
    is_wide = codec.startswith(("utf-16", "utf-32"))
    return codec, "surrogatepass" if is_wide else "surrogateescape"


def _replacements(
    whole: str, parsed: Parsed, edits: Sequence[CellEdit]
) -> list[tuple[int, int, str]]:
    """Return start, end and new text of what is replaced, in the order of the file."""
    cleaned = _Shortened.without(whole, [match.start() for match in _REMOVED.finditer(whole)])
    quotes = line_quotes(cleaned.text) if parsed.is_unwrapped else []
    bare = _Shortened.without(cleaned.text, quotes)
    starts = [0, *(match.end() for match in LINE_END.finditer(bare.text))]
    lines = parsed.fitted.lines
    columns = column_names_of(parsed.fitted.header)
    replacements = []
    for edit in edits:
        start = starts[lines[edit.row] - 1]
        is_last = edit.row + 1 == len(lines)
        end = len(bare.text) if is_last else starts[lines[edit.row + 1] - 1]
        text = bare.text[start:end]
        row = split_rows(text, parsed.dialect, parsed.swallows)[0]
        cells = parsed.fitted.frame.iloc[edit.row].tolist()
        at = _field_of(row.fields, cells, columns.index(edit.column), parsed.dialect.delimiter)
        first, last = field_spans(row)[at]
        new = _written(text[first:last], edit.cell, parsed.dialect, is_quoted=at in row.quoted)
        if parsed.is_unwrapped:
            new = new.replace('"', '""')
        span = cleaned.span_of(*bare.span_of(start + first, start + last))
        replacements.append((*span, new))
    return sorted(replacements)


def _field_of(fields: Sequence[str], cells: Sequence[str], column: int, delimiter: str) -> int:
    """Return which field of a row, as it is in the file, is a cell of it, as it was read."""
    width, shown = len(cells), list(map(_shown, cells))
    fields = list(map(_shown, fields))
    if column < len(fields) and [*fields, *[""] * (width - len(fields))][:width] == shown:
        return column
    places = set()
    for n in range(width + 1, len(fields) + 1):  # a text with delimiters was put together
        for text in range(width):
            if text != column and put_together(fields[:n], text, width, delimiter) == shown:
                places.add(column if column < text else column + n - width)
    if len(places) != 1:
        raise NotInPlaceError("a row")
    return places.pop()


def _shown(field: str) -> str:
    """Return a field as it is compared: what could not be decoded counts as one character."""
    return _UNREADABLE.sub("\ufffd", field)


def _written(field: str, cell: str, dialect: Dialect, *, is_quoted: bool) -> str:
    """Return what to write for a cell in place of a field, with the same marks and spaces."""
    mark = dialect.mark
    inside = field.strip()
    if is_quoted:
        return field.replace(inside, f"{mark}{_escaped(cell, dialect)}{mark}")
    special = dialect.delimiter in cell or LINE_END.search(cell) is not None
    if special or (mark and mark in cell):
        if not mark:
            raise NotInPlaceError("a delimiter")
        cell = f"{mark}{_escaped(cell, dialect)}{mark}"
    before = field[: len(field) - len(field.lstrip())]
    return before + cell + (field[len(field.rstrip()) :] if inside else "")


def _escaped(cell: str, dialect: Dialect) -> str:
    if dialect.quotes == "double":
        return cell.replace(dialect.mark, 2 * dialect.mark)
    return re.sub(rf"[\\{dialect.mark}]", r"\\\g<0>", cell)
