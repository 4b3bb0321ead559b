"""Text -> rows of fields, line by line, as the text was meant where its quoting is broken.

A field is quoted if a quotation mark opens it and one closes it right before the next delimiter or
the end of a line. All other quotation marks belong to the text: so a mark that is never closed
takes no more than its own field, and not the rows below it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple

LINE_END = re.compile(r"\r\n|\r|\n")
MARKS = {"double": '"', "backslash": '"', "single": "'", "none": ""}  # by the names in QUOTES
_LINE = re.compile(r"[^\r\n]*+")
_MOST_VALUES = 50  # of a column of few recurring values


@dataclass(frozen=True)
class Dialect:
    """What separates fields, and what encloses those that hold delimiters or line breaks.

    Parameters
    ----------
    delimiter : str
        One character.
    quotes : str
        A name in `QUOTES`.
    """

    delimiter: str
    quotes: str

    @property
    def mark(self) -> str:
        """The quotation mark; "" without one."""
        return MARKS[self.quotes]


class Row(NamedTuple):
    """The fields of a row and where it begins; which fields were quoted, and in vain.

    Parameters
    ----------
    line : int
        Counted from 1.
    fields : list of str
    n_lines : int
        How many lines it spans.
    quoted : tuple of int
        The fields that were quoted.
    n_needed : int
        How many of them hold a delimiter, a line break or a quotation mark.
    n_loose : int
        How many fields begin with a quotation mark that belongs to the text.
    end : int
        Where the next row begins, in characters.
    ends : tuple of int
        Where each field ends, in characters of the text; empty where no field was quoted.
    """

    line: int
    fields: list[str]
    n_lines: int = 1
    quoted: tuple[int, ...] = ()
    n_needed: int = 0
    n_loose: int = 0
    end: int = 0
    ends: tuple[int, ...] = ()

    @property
    def is_blank(self) -> bool:
        """Whether there is nothing in it."""
        return len(self.fields) == 1 and not self.fields[0].strip()


Swallows = Callable[[str, int], bool]  # the field's text, and which field it is


def split_rows(
    text: str, dialect: Dialect, swallows: Swallows | None = None, line: int = 1
) -> list[Row]:
    """Return all rows of a text, blank ones included.

    Parameters
    ----------
    text : str
    dialect : Dialect
    swallows : callable, optional
        Tells of a quoted field of several lines whether these are rows of their own. Then its
        quotation marks belong to the texts.
    line : int
        The number of the first line.
    """
    mark, delimiter = dialect.mark, dialect.delimiter
    rows: list[Row] = []
    position = 0
    while position < len(text):
        match = _LINE.match(text, position)
        assert match is not None  # it matches nothing as well
        whole = match[0]
        if mark and mark in whole:
            row = _quoted_row(text, position, line, dialect, swallows)
        else:
            row = Row(line, whole.split(delimiter), end=_after_line(text, match.end()))
        rows.append(row)
        position, line = row.end, line + row.n_lines
    return rows


def _after_line(text: str, position: int) -> int:
    return position + (2 if text.startswith("\r\n", position) else 1)


def _quoted_row(
    text: str, position: int, line: int, dialect: Dialect, swallows: Swallows | None
) -> Row:
    quoted_field, raw_field = _patterns(dialect)
    mark = dialect.mark
    fields: list[str] = []
    quoted: list[int] = []
    ends: list[int] = []
    n_lines, n_needed, n_loose = 1, 0, 0
    while True:
        match = quoted_field.match(text, position)
        n_breaks = 0
        if match and ("\n" in match[1] or "\r" in match[1]):
            n_breaks = len(LINE_END.findall(match[1]))
        if match and n_breaks and swallows is not None and swallows(match[1], len(fields)):
            match = None
        if match:
            field = _unescaped(match[1], dialect)
            quoted.append(len(fields))
            n_needed += bool(n_breaks or dialect.delimiter in field or mark in field)
            n_lines += n_breaks
        else:
            match = raw_field.match(text, position)
            assert match is not None  # it matches nothing as well
            field = match[0]
            n_loose += field.lstrip(" ").startswith(mark)
        fields.append(field)
        position = match.end()
        ends.append(position)
        if not text.startswith(dialect.delimiter, position):
            break
        position += 1
    end = _after_line(text, position)
    return Row(line, fields, n_lines, tuple(quoted), n_needed, n_loose, end, tuple(ends))


def field_spans(row: Row) -> list[tuple[int, int]]:
    """Return where the fields of a text's first row begin and end, quotation marks included."""
    ends = list(row.ends)
    if not ends:
        for field in row.fields:
            ends.append(len(field) + (ends[-1] + 1 if ends else 0))
    return list(zip([0, *(end + 1 for end in ends[:-1])], ends, strict=True))


@cache
def _patterns(dialect: Dialect) -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Return what a quoted and what any other field looks like."""
    delimiter, mark = re.escape(dialect.delimiter), dialect.mark
    space = "" if dialect.delimiter == " " else " *"
    if dialect.quotes in ("backslash", "single"):
        inside = rf"(?:[^{mark}\\]++|\\.|{mark}{mark})*+"
    else:
        inside = rf"(?:[^{mark}]++|{mark}{mark})*+"
    return (
        re.compile(rf"{space}{mark}({inside}){mark}{space}(?=[{delimiter}\r\n]|\Z)", re.DOTALL),
        re.compile(rf"[^{delimiter}\r\n]*+"),
    )


def _unescaped(field: str, dialect: Dialect) -> str:
    mark = dialect.mark
    if dialect.quotes in ("backslash", "single"):
        return re.sub(rf"\\([{mark}\\])|{mark}{mark}", lambda match: match[1] or mark, field)
    return field.replace(mark + mark, mark)


def stripped_width(fields: Sequence[str]) -> int:
    """Return how many fields there are up to the last one that holds anything."""
    return max((i for i, field in enumerate(fields, start=1) if field.strip()), default=0)


def usual_width(rows: Iterable[Row]) -> tuple[int, float]:
    """Return how many fields most rows have, and the share of rows that have as many."""
    widths = Counter(len(row.fields) for row in rows)
    n_rows = sum(widths.values())
    width, n = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return width, n / max(n_rows, 1)


def recurring_values(columns: Sequence[Sequence[str]]) -> dict[int, frozenset[str]]:
    """Return the values, without spaces around them, of the columns that hold but a few."""
    values: dict[int, frozenset[str]] = {}
    for i, column in enumerate(columns):
        counts = Counter(cell.strip() for cell in column)
        filled = len(column) - counts[""]
        distinct = len(counts) - ("" in counts)
        if filled and distinct <= min(_MOST_VALUES, filled / 2):
            values[i] = frozenset(counts)
    return values


@dataclass(frozen=True)
class Swallowing:
    """Tells whether the lines of a quoted field are rows of their own.

    They are if each is as wide as a row, and holds values that recur where a column has any. Then
    a quotation mark that was never closed made them one field.

    Parameters
    ----------
    dialect : Dialect
    width : int
        Fields of a row.
    values : dict of int to frozenset of str
        See `recurring_values`.
    is_never : bool
        Whether quoted fields are known to hold lines, so that none is taken for a row.
    """

    dialect: Dialect
    width: int
    values: dict[int, frozenset[str]]
    is_never: bool = False

    def __call__(self, field: str, index: int) -> bool:
        """Tell it of the text of the field that is the `index`-th of its row."""
        if self.is_never:
            return False
        lines = [line.split(self.dialect.delimiter) for line in LINE_END.split(field)]
        first, last = lines[0], lines[-1]
        if len(first) != self.width - index or len(last) != index + 1:
            return False
        if any(len(line) != self.width for line in lines[1:-1]):
            return False
        # The field's own column is left out where the line above or below has a part of it.
        cells = [*enumerate(first[1:], start=index + 1), *enumerate(last[:-1])]
        cells += [cell for line in lines[1:-1] for cell in enumerate(line)]
        mark = self.dialect.mark
        recurring = [(i, cell.strip().strip(mark).strip()) for i, cell in cells if i in self.values]
        if not self.values:
            return self.dialect.delimiter == "\t" and self.width > 1  # rare inside a text
        return any(cell for _, cell in recurring) and all(
            not cell or cell in self.values[i] for i, cell in recurring
        )
