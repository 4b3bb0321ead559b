"""Text -> rows, all of them: fast where the quoting is whole, and mended where it is not.

The rows are checked against the lines of the text. Where they do not account for all lines, or the
lines of a quoted field look like rows, the text is read anew, line by line (`fields.split_rows`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
_PIECE = 1 << 23  # bytes that are read line by line at once
_MOST_LINES = 10_000  # of a quoted field
_OVERLAP = 1 << 20  # characters at the end of a piece, which a field may cross
_JUDGED = 50_000  # rows that tell whether quotation marks enclose fields
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
    text: memoryview,
    dialect: Dialect,
    width: int,
    line: int,
    swallows: Swallowing,
    *,
    is_chosen: bool = False,
) -> Rows:
    """Return all rows of a text in UTF-8.

    Parameters
    ----------
    text : memoryview
    dialect : Dialect
        If its quotation marks turn out to be a part of the texts, they are taken as such, unless
        people have chosen them.
    width : int
        How many fields most rows have.
    line : int
        The text's first line in the file, counted from 1.
    swallows : Swallowing
        Tells lines of a quoted field from rows.
    is_chosen : bool
        Whether people have said what the quotation marks are.
    """
    if _is_plain(text, dialect):
        rows = _parsed(text, dialect, width, line, swallows)
        if rows is not None:
            return rows
    return _read_line_by_line(text, dialect, width, line, swallows, is_chosen=is_chosen)


def _is_plain(text: memoryview, dialect: Dialect) -> bool:
    """Tell whether a parser that knows no mending would do."""
    if not dialect.delimiter.isascii() or dialect.quotes == "backslash":
        return False
    if dialect.quotes == "single":  # may have backslashes, and is rare
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
    n_ends = 0
    for start in range(0, len(text), _CHUNK):
        chunk = bytes(text[start : start + _CHUNK])
        n_ends += chunk.count(b"\n") + chunk.count(b"\r") - chunk.count(b"\r\n")
        # A pair that two chunks share is one line end.
        n_ends -= chunk.endswith(b"\r") and bytes(text[start + _CHUNK :][:1]) == b"\n"
    return n_ends + (len(text) > 0 and text[-1] not in b"\r\n")


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
    text: memoryview,
    dialect: Dialect,
    width: int,
    line: int,
    swallows: Swallowing,
    *,
    is_chosen: bool,
) -> Rows:
    frames: list[pd.DataFrame] = []
    lines: list[np.ndarray] = []
    others: list[Row] = []
    spanning: list[int] = []
    loose: list[int] = []
    judged: list[Row] = []
    n_quoted = 0  # where all is well
    for rows, n_marks in _in_pieces(text, dialect, width, line, swallows):
        if isinstance(rows, Rows):
            n_quoted += n_marks
            frames.append(rows.frame)
            lines.append(rows.lines)
            others += rows.others
            spanning += rows.spanning
            continue
        filled = [row for row in rows if not row.is_blank]
        usual = [row for row in filled if len(row.fields) == width]
        frames.append(framed([row.fields for row in usual], width))
        lines.append(np.array([row.line for row in usual], np.int64))
        others += [row for row in filled if len(row.fields) != width]
        spanning += [row.line for row in filled if row.n_lines > 1]
        loose += [row.line for row in filled if row.n_loose]
        if len(judged) < _JUDGED:
            judged += rows[: _JUDGED - len(judged)]
        else:
            judged += [row for row in rows if row.n_loose]
    is_clear = is_chosen or not dialect.mark or n_quoted > len(loose)
    if not is_clear and not quoting_is_meant(judged, dialect.delimiter):
        return read_rows(text, Dialect(dialect.delimiter, "none"), width, line, swallows)
    frame = pd.concat(frames, ignore_index=True) if frames else framed([], width)
    starts = np.concatenate(lines) if lines else np.empty(0, np.int64)
    return Rows(frame, starts, others, dialect, tuple(spanning), tuple(loose))


def _in_pieces(
    text: memoryview, dialect: Dialect, width: int, line: int, swallows: Swallowing
) -> Iterator[tuple[Rows | list[Row], int]]:
    """Yield all rows, in pieces: parsed where the quoting is whole, else read line by line.

    With each comes how many fields were quoted, if it was parsed.
    """
    start = 0
    while start < len(text):
        end = _end_of_whole_rows(text, start, dialect) if len(text) > _PIECE else None
        rows = None
        if end is not None and _is_plain(text[start:end], dialect):
            rows = _parsed(text[start:end], dialect, width, line, swallows)
        if end is not None and rows is not None:
            yield rows, bytes(text[start:end]).count(dialect.mark.encode()) // 2
            line += _n_lines(text[start:end])
            start = end
            continue
        piece = str(text[start : start + _PIECE], "utf-8", "ignore")
        some = split_rows(piece, dialect, swallows, line)
        if start + _PIECE < len(text):
            # A field may go on behind the piece: its rows are read again with the next one.
            some = [row for row in some if row.end < len(piece) - _OVERLAP] or some[:-1] or some
            start += len(piece[: some[-1].end].encode())
        else:
            start = len(text)
        yield some, 0
        line += sum(row.n_lines for row in some)


def _end_of_whole_rows(text: memoryview, start: int, dialect: Dialect) -> int | None:
    """Return where the last whole row of a piece ends, its marks opening and closing by turns.

    None if there is no such row.
    """
    piece = bytes(text[start : start + _PIECE])
    mark = dialect.mark.encode()
    n_marks = piece.count(mark) if mark else 0
    at = len(piece)
    for _ in range(_MOST_LINES):
        end = piece.rfind(b"\n", 0, at)
        if end < 0:
            break
        n_marks -= piece.count(mark, end, at) if mark else 0
        if n_marks % 2 == 0:
            return start + end + 1
        at = end
    return None


def framed(rows: Sequence[Sequence[str]], width: int) -> pd.DataFrame:
    """Return rows of one width as a frame of str with columns 0, 1, ..."""
    columns = list(zip(*rows, strict=True)) or [()] * width
    return pd.DataFrame({i: pd.Series(column, dtype=_STR) for i, column in enumerate(columns)})
