"""Rows that are wider or narrower than the header: kept where that is certain, told where not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.data.choices import DELIMITERS
from layerviz.data.columns import NUMBER, SAMPLE_ROWS
from layerviz.data.fields import Row, recurring_values, stripped_width
from layerviz.data.parsing import Rows, framed
from layerviz.data.wording import first_lines
from layerviz.wording import count

_SOME = 0.1  # as many rows as are too long have to fit, to tell what the columns hold
_MOSTLY = 0.9  # of the rows have a field more than the header if their first one has no name


@dataclass(frozen=True)
class _Kinds:
    """What the columns hold, so that fields of a row that is too long find their places.

    Parameters
    ----------
    recurring : dict of int to frozenset of str
        Columns of a few values.
    numbers : frozenset of int
        Columns of numbers alone.
    words : frozenset of int
        Columns without any space inside: ids, dates, addresses.
    """

    recurring: dict[int, frozenset[str]]
    numbers: frozenset[int]
    words: frozenset[int]

    @property
    def is_telling(self) -> bool:
        return bool(self.recurring or self.numbers or self.words)

    def are_free(self, width: int) -> list[int]:
        """Return the columns that may hold anything."""
        return [
            i
            for i in range(width)
            if i not in self.recurring and i not in self.numbers and i not in self.words
        ]

    def fit(self, fields: Sequence[str]) -> bool:
        """Tell whether every field may be in its column."""
        cells = [field.strip() for field in fields]
        return (
            all(cells[i] in values for i, values in self.recurring.items())
            and all(not cells[i] or NUMBER.fullmatch(cells[i]) for i in self.numbers)
            and all(len(cells[i].split()) < 2 for i in self.words)
        )


@dataclass(frozen=True, eq=False)  # eq: frames do not compare to a single truth value
class Fitted:
    """All rows of a file that can be kept, as wide as the header, in the order of the file.

    Parameters
    ----------
    frame : DataFrame
    header : list of str
        With an empty name in front where the rows have a field more than it throughout.
    lines : ndarray of shape (len(frame),)
        The lines of the file where they begin, counted from 1; int64.
    n_odd : int
        How many rows had too few or too many fields.
    """

    frame: pd.DataFrame
    header: list[str]
    lines: np.ndarray
    n_odd: int


def fit_to_header(rows: Rows, header: list[str], notes: list[str]) -> Fitted:
    """Return all rows that can be kept, as wide as the header.

    Parameters
    ----------
    rows : Rows
    header : list of str
        The first row's fields.
    notes : list of str
        Sentences about what is done are added to it.
    """
    header = _with_row_names(rows, header)
    width = len(header)
    frame, lines, others = _cut(rows, width)
    long = [row.fields for row in others if stripped_width(row.fields) > width]
    fitting = [row.fields for row in others if len(row.fields) == width]
    kinds = _kinds_of(frame, fitting, long, width, rows.dialect.delimiter)
    named = stripped_width(header)
    short: list[int] = []
    put_together: list[int] = []
    too_long: list[int] = []
    mended: list[tuple[int, list[str]]] = []
    if frame.shape[1] < named:
        short += lines.tolist()
    for row in others:
        fields: Sequence[str] | None = row.fields
        if len(row.fields) > width:
            fields = _fitted(row.fields, width, rows.dialect.delimiter, kinds)
        elif len(row.fields) < named:
            short.append(row.line)
        if fields is None:
            too_long.append(row.line)
            continue
        if len(fields) == width and stripped_width(row.fields) > width:
            put_together.append(row.line)
        mended.append((row.line, [*fields, *[""] * (width - len(fields))]))
    for i in range(frame.shape[1], width):
        frame[i] = ""
    if mended:
        frame, lines = _joined(frame, lines, mended, width)
    frame, lines = _without_headers(frame, lines, header, notes)
    if put_together:
        where = first_lines(put_together)
        delimiter = rows.dialect.delimiter
        words = f"{DELIMITERS[delimiter]}s" if delimiter in DELIMITERS else repr(delimiter)
        notes.append(
            f"Put {count(len(put_together), 'text')} with unquoted {words} together ({where})."
        )
    if too_long:
        where = first_lines(too_long)
        notes.append(
            f"Skipped {count(len(too_long), 'row')} with more fields than the header ({where})."
        )
    if short := sorted(short):
        fewer = f"{count(len(short), 'row')} {'has' if len(short) == 1 else 'have'} fewer fields"
        where = first_lines(short)
        notes.append(f"{fewer} than the header; the missing ones are empty ({where}).")
    return Fitted(frame, header, lines, len(too_long) + len(short))


def _with_row_names(rows: Rows, header: list[str]) -> list[str]:
    """Put an empty name in front if all rows have a field more, and their first one tells them."""
    width = rows.frame.shape[1]
    n_rows = len(rows.frame) + len(rows.others)
    if width != len(header) + 1 or len(rows.frame) < max(2, _MOSTLY * n_rows):
        return header
    first, last = rows.frame[0].str.strip(), rows.frame[width - 1].str.strip()
    is_filled = (last != "").mean() >= _MOSTLY
    return ["", *header] if is_filled and first.is_unique and _are_words(first) else header


def _are_words(cells: pd.Series) -> bool:
    return not bool(cells.str.contains(r"\S\s+\S", regex=True).any())


def _cut(rows: Rows, width: int) -> tuple[pd.DataFrame, np.ndarray, list[Row]]:
    """Return the rows of most files cut to the header's width, their lines, and the others."""
    frame, lines, others = rows.frame, rows.lines, rows.others
    if frame.shape[1] <= width:
        return frame, lines, others
    surplus = frame.iloc[:, width:]
    is_long = np.zeros(len(frame), bool)
    for i in surplus:
        is_long |= (surplus[i].str.strip() != "").to_numpy(bool)
    long = frame[is_long]
    cells = zip(lines[is_long].tolist(), long.itertuples(index=False, name=None), strict=True)
    others = sorted([*others, *(Row(line, list(row)) for line, row in cells)])
    return frame.loc[~is_long, : width - 1].reset_index(drop=True), lines[~is_long], others


def _kinds_of(
    frame: pd.DataFrame,
    fitting: Sequence[list[str]],
    too_long: Sequence[list[str]],
    width: int,
    delimiter: str,
) -> _Kinds:
    if not too_long:
        return _Kinds({}, frozenset(), frozenset())
    if len(frame) + len(fitting) >= _SOME * len(too_long):
        chosen = np.linspace(0, len(frame) - 1, min(len(frame), SAMPLE_ROWS)).astype(int)
        sample = frame.iloc[chosen].to_numpy().tolist() if frame.shape[1] == width else []
        return _kinds(list(zip(*sample, *fitting[:SAMPLE_ROWS], strict=True)))
    # Hardly a row fits: the text is in the column beside which all others recur.
    ways = []
    for i in range(width):
        rows = [put_together(row, i, width, delimiter) for row in too_long[:SAMPLE_ROWS]]
        kinds = _kinds(list(zip(*rows, strict=True)))
        varies = all(len(values) > 1 for values in kinds.recurring.values())
        if varies and not kinds.words and kinds.are_free(width) == [i]:
            ways.append(kinds)
    return ways[0] if len(ways) == 1 else _Kinds({}, frozenset(), frozenset())


def _kinds(columns: Sequence[Sequence[str]]) -> _Kinds:
    cells = [[cell.strip() for cell in column] for column in columns]
    recurring = recurring_values(cells)
    rest = [i for i, column in enumerate(cells) if i not in recurring and any(column)]
    numbers = [i for i in rest if all(map(NUMBER.fullmatch, filter(None, cells[i])))]
    words = [i for i in rest if i not in numbers and all(len(c.split()) < 2 for c in cells[i])]
    return _Kinds(recurring, frozenset(numbers), frozenset(words))


def put_together(fields: Sequence[str], column: int, width: int, delimiter: str) -> list[str]:
    """Return a row's fields as wide as the header, the surplus being a part of one column."""
    end = column + len(fields) - width + 1
    return [*fields[:column], delimiter.join(fields[column:end]), *fields[end:]]


def _fitted(fields: list[str], width: int, delimiter: str, kinds: _Kinds) -> list[str] | None:
    """Return a row that is too long as wide as the header, or None where that is a guess.

    Empty fields at the end are none; then the fields of one text are put together, if there is
    just one column that leaves every other field in a place where it may be.
    """
    filled = max(stripped_width(fields), width)
    if filled == width and (not kinds.recurring or kinds.fit(fields[:width])):
        return fields[:width]
    if width == 1:
        return [delimiter.join(fields)]
    if not kinds.is_telling:
        return None
    for some in dict.fromkeys((filled, len(fields))):
        free = kinds.are_free(width)
        ways = [put_together(fields[:some], i, width, delimiter) for i in free]
        fitting = [way for way in ways if kinds.fit(way)]
        if len(fitting) == 1 or (fitting and some == width):
            return fitting[0]
        if fitting:
            return None
    return None


def _joined(
    frame: pd.DataFrame, lines: np.ndarray, mended: list[tuple[int, list[str]]], width: int
) -> tuple[pd.DataFrame, np.ndarray]:
    frame = pd.concat([frame, framed([fields for _, fields in mended], width)], ignore_index=True)
    lines = np.concatenate([lines, np.array([line for line, _ in mended], np.int64)])
    order = np.argsort(lines, kind="stable")
    return frame.iloc[order].reset_index(drop=True), lines[order]


def _without_headers(
    frame: pd.DataFrame, lines: np.ndarray, header: list[str], notes: list[str]
) -> tuple[pd.DataFrame, np.ndarray]:
    """Leave out the rows that repeat the header."""
    is_header = np.full(len(frame), bool(any(header)))
    for i, cell in enumerate(header):
        if is_header.any():
            is_header &= (frame[i].str.strip() == cell.strip()).to_numpy(bool)
    if not is_header.any():
        return frame, lines
    n, where = int(is_header.sum()), first_lines(lines[is_header].tolist())
    notes.append(
        f"Left out {count(n, 'row')} that repeat{'s' if n == 1 else ''} the header ({where})."
    )
    return frame[~is_header].reset_index(drop=True), lines[~is_header]
