"""Text -> rows, all of them: fast where the quoting is whole, and mended where it is not.

The rows are checked against the lines of the text. Where they do not account for all lines, or the
lines of a quoted field look like rows, the text is read anew, line by line (`fields.split_rows`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from layerviz.data.dialect import quoting_is_meant
from layerviz.data.fields import LINE_END, Dialect, Row, Swallowing, split_rows

_BLOCK = 1 << 24  # bytes that are parsed at once
_CHUNK = 1 << 22  # bytes that are searched for quotation marks at once
_BREAK = r"\r\n|\r|\n"
_STR = pd.StringDtype(na_value=np.nan)  # pandas' own "str"


@dataclass(frozen=True, eq=False)  # eq: frames do not compare to a single truth value
class Rows:
    """The rows below a header, blank ones left out.

    Parameters
    ----------
    frame : DataFrame
        Those that are as wide as most; columns 0, 1, ...
    lines : ndarray of shape (len(frame),)
        The lines of the file where they begin, counted from 1; int64.
    others : list of Row
        Those that are not, in the order of the file.
    dialect : Dialect
        In which they were read.
    spanning : tuple of int
        The lines where rows begin that span several.
    loose : tuple of int
        The lines where a quotation mark opens a field and none closes it.
    """

    frame: pd.DataFrame
    lines: np.ndarray
    others: list[Row]
    dialect: Dialect
    spanning: tuple[int, ...] = ()
    loose: tuple[int, ...] = ()


def read_rows(
    text: memoryview, dialect: Dialect, width: int, line: int, swallows: Swallowing
) -> Rows:
    """Return all rows of a text in UTF-8.

    Parameters
    ----------
    text : memoryview
    dialect : Dialect
        If its quotation marks turn out to be a part of the texts, they are taken as such.
    width : int
        How many fields most rows have.
    line : int
        The text's first line in the file, counted from 1.
    swallows : Swallowing
        Tells lines of a quoted field from rows.
    """
    if _is_plain(text, dialect):
        rows = _parsed(text, dialect, width, line, swallows)
        if rows is not None:
            return rows
    return _read_line_by_line(text, dialect, width, line, swallows)


def _is_plain(text: memoryview, dialect: Dialect) -> bool:
    """Tell whether a parser that knows no mending would do."""
    if not dialect.delimiter.isascii() or dialect.quotes == "backslash":
        return False
    if dialect.quotes == "single" and b"\\" in bytes(text):
        return False
    return not dialect.mark or _is_well_quoted(text, dialect)


def _is_well_quoted(text: memoryview, dialect: Dialect) -> bool:
    """Tell whether the quotation marks open fields, double, and close fields by turns.

    Every other mark, from the first one, has to be at the start of a field or right behind another
    one; and each of the rest at the end of a field or right before another one.
    """
    codes = np.frombuffer(text, np.uint8)
    mark = ord(dialect.mark)
    bounds = np.zeros(256, bool)
    bounds[[ord(dialect.delimiter), 10, 13, mark]] = True
    n_marks = 0
    for start in range(0, len(codes), _CHUNK):
        at = np.flatnonzero(codes[start : start + _CHUNK] == mark) + start
        opens, closes = at[n_marks % 2 :: 2], at[1 - n_marks % 2 :: 2]
        is_open = bounds[codes[np.maximum(opens - 1, 0)]] | (opens == 0)
        last = len(codes) - 1
        is_closed = bounds[codes[np.minimum(closes + 1, last)]] | (closes == last)
        if not (is_open.all() and is_closed.all()):
            return False
        n_marks += len(at)
    return n_marks % 2 == 0


def _parsed(
    text: memoryview, dialect: Dialect, width: int, line: int, swallows: Swallowing
) -> Rows | None:
    """Return the rows, or None where they do not agree with the lines of the text."""
    invalid: list[tuple[int, str]] = []

    def keep(row: csv.InvalidRow) -> str:
        invalid.append((row.number, row.text))
        return "skip"

    table = _table(text, dialect, width, keep, _BLOCK)
    if table is None:  # a row is longer than a block
        invalid.clear()
        table = _table(text, dialect, width, keep, len(text) + 1)
    if table is None:
        return None
    n_rows = table.num_rows + len(invalid)
    n_breaks = np.zeros(n_rows, np.int64)
    is_valid = np.ones(n_rows, bool)
    is_valid[[number - 1 for number, _ in invalid]] = False
    if n_rows != (n_lines := _n_lines(text)):
        n_breaks[is_valid] = _breaks(table)
        for number, row in invalid:
            n_breaks[number - 1] = len(LINE_END.findall(row))
        if n_rows + n_breaks.sum() != n_lines or _any_swallows(table, swallows):
            return None
    lines = line + np.arange(n_rows) + np.concatenate([[0], np.cumsum(n_breaks)[:-1]])[:n_rows]
    others = []
    for number, row in invalid:
        fields = split_rows(row, dialect)[0].fields if row else [""]
        others.append(Row(int(lines[number - 1]), fields, 1 + int(n_breaks[number - 1])))
    filled = [row for row in others if not row.is_blank]
    frame = table.to_pandas(types_mapper=lambda _: _STR)
    frame.columns = pd.RangeIndex(width)
    spanning = tuple(lines[n_breaks > 0].tolist())
    lines = lines[is_valid]
    if (blank := _blank(frame, lines - line, text, dialect)).any():
        frame, lines = frame[~blank].reset_index(drop=True), lines[~blank]
    return Rows(frame, lines, filled, dialect, spanning)


def _blank(
    frame: pd.DataFrame, lines: np.ndarray, text: memoryview, dialect: Dialect
) -> np.ndarray:
    """Return which rows, of lines counted from 0, are blank lines; the parser takes them in."""
    is_empty = np.ones(len(frame), bool)
    for i in frame:
        if is_empty.any():
            is_empty &= (frame[i] == "").to_numpy(bool)
    if is_empty.any() and frame.shape[1] > 1:
        whole = LINE_END.split(str(text, "utf-8"))
        for row in np.flatnonzero(is_empty):
            is_empty[row] = dialect.delimiter not in whole[lines[row]]
    return is_empty


def _table(
    text: memoryview, dialect: Dialect, width: int, keep: object, block_size: int
) -> pa.Table | None:
    names = [str(i) for i in range(width)]
    try:
        return csv.read_csv(
            pa.BufferReader(pa.py_buffer(text)),
            read_options=csv.ReadOptions(
                use_threads=False, column_names=names, block_size=block_size
            ),
            parse_options=csv.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.mark or False,
                newlines_in_values=bool(dialect.mark),
                ignore_empty_lines=False,
                invalid_row_handler=keep,
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.large_string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None


def _n_lines(text: memoryview) -> int:
    """Return how many lines a text has; the last one need not be ended."""
    n = text.nbytes
    if not n:
        return 0
    whole = bytes(text) if not isinstance(text.obj, bytes) else text.obj
    start = len(whole) - n
    n_ends = whole.count(b"\n", start)
    if whole.find(b"\r", start) >= 0:
        n_ends += whole.count(b"\r", start) - whole.count(b"\r\n", start)
    return n_ends + (whole[-1] not in b"\r\n")


def _breaks(table: pa.Table) -> np.ndarray:
    """Return how many line breaks the fields of each row hold, shape (n_rows,)."""
    n_breaks = np.zeros(table.num_rows, np.int64)
    for column in table.columns:
        n_breaks += pc.count_substring_regex(column, _BREAK).to_numpy()
    return n_breaks


def _any_swallows(table: pa.Table, swallows: Swallowing) -> bool:
    n_between = swallows.width - 1
    for i, column in enumerate(table.columns):
        for chunk in column.chunks:  # not all at once: the fields are copied
            n_breaks = pc.count_substring_regex(chunk, _BREAK)
            n_delimiters = pc.count_substring(chunk, swallows.dialect.delimiter)
            # Rows have as many delimiters as that, so that few fields are looked at.
            may_be = pc.and_(
                pc.greater(n_breaks, 0),
                pc.equal(n_delimiters, pc.multiply(n_breaks, pa.scalar(n_between, n_breaks.type))),
            )
            if any(swallows(field, i) for field in chunk.filter(may_be).to_pylist()):
                return True
    return False


def _read_line_by_line(
    text: memoryview, dialect: Dialect, width: int, line: int, swallows: Swallowing
) -> Rows:
    decoded = str(text, "utf-8")
    rows = split_rows(decoded, dialect, swallows)
    if dialect.mark and not quoting_is_meant(rows, dialect.delimiter):
        return read_rows(text, Dialect(dialect.delimiter, "none"), width, line, swallows)
    filled = [row._replace(line=row.line + line - 1) for row in rows if not row.is_blank]
    usual = [row for row in filled if len(row.fields) == width]
    frame = framed([row.fields for row in usual], width)
    return Rows(
        frame=frame,
        lines=np.array([row.line for row in usual], np.int64),
        others=[row for row in filled if len(row.fields) != width],
        dialect=dialect,
        spanning=tuple(row.line for row in filled if row.n_lines > 1),
        loose=tuple(row.line for row in filled if row.n_loose),
    )


def framed(rows: Sequence[Sequence[str]], width: int) -> pd.DataFrame:
    """Return rows of one width as a frame of str with columns 0, 1, ..."""
    columns = list(zip(*rows, strict=True)) or [()] * width
    return pd.DataFrame({i: pd.Series(column, dtype=_STR) for i, column in enumerate(columns)})
