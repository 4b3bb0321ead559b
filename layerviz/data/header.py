"""Where the header is, what is above it, and the names that it gives to the columns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pandas as pd

from layerviz.data.choices import Doubt
from layerviz.data.columns import NUMBER, SAMPLE_ROWS
from layerviz.data.fields import Row, recurring_values, stripped_width
from layerviz.data.guessing import is_usual_name
from layerviz.data.wording import quoted
from layerviz.errors import ReadingError
from layerviz.wording import count, cut_to

_MOST_ABOVE = 20  # rows above a header
_SOME = 0.02  # of the rows are as wide as the header
_LONG = 60  # characters: more are no name, unless another column tells that it is one
_COMMENTS = ("#", "//", "%", ";")


def find_header(rows: Sequence[Row]) -> int:
    """Return which of the first rows is the header: the first one that is as wide as the data.

    Parameters
    ----------
    rows : list of Row
        From the top of the file, without blank ones; at least one.
    """
    top = min(_MOST_ABOVE, len(rows))
    widths = Counter(stripped_width(row.fields) for row in rows[top:] or rows[1:])
    usual = max(widths, key=lambda width: (widths[width], -width), default=0)
    least = max(1, _SOME * widths.total())
    wide = []
    for i in range(top):
        width = stripped_width(rows[i].fields)
        # Rows of texts with unquoted commas may be wider than the header, but not all of them.
        if width >= usual or (width > 1 and widths[width] - (len(rows) <= top and i > 0) >= least):
            wide.append(i)
    first = next(iter(wide), 0)
    for i in wide:
        # Titles and comments may have as many commas as the data, but a blank line below them, or
        # a mark before them.
        is_apart = i > first and _is_apart(rows, i)
        is_below_comment = i > 0 and all(_is_comment(row) for row in rows[:i])
        if (is_apart or (is_below_comment and not _is_comment(rows[i]))) and not _is_data_at(
            rows, i
        ):
            return i
    above = rows[first - 1].fields if first else []
    is_usual = sum(map(is_usual_name, above)) > 1
    if stripped_width(above) > 1 and (is_usual or _is_data_at(rows, first)):
        return first - 1  # the rows have a field more, as R writes them, or unquoted commas
    return first


def _is_apart(rows: Sequence[Row], i: int) -> bool:
    """Tell whether the only blank lines are right above a row."""
    gaps = [k for k in range(1, len(rows)) if rows[k].line > rows[k - 1].line + rows[k - 1].n_lines]
    return gaps == [i] and i < len(rows) / 2


def _is_comment(row: Row) -> bool:
    return row.fields[0].lstrip().startswith(_COMMENTS)


def _is_data_at(rows: Sequence[Row], i: int) -> bool:
    width = len(rows[i].fields)
    below = [row.fields for row in rows[i + 1 :] if len(row.fields) == width]
    return looks_like_data(rows[i].fields, list(zip(*below, strict=True)))


def looks_like_data(cells: Sequence[str], columns: Sequence[Sequence[str]]) -> bool:
    """Tell whether a first row is data rather than names.

    Parameters
    ----------
    cells : list of str
        The row's.
    columns : list of list of str
        The cells below each of them, or a part of them; may be empty.
    """
    names = [cell.strip() for cell in cells]
    below = [{cell.strip() for cell in column} for column in columns]
    recurring = [name for name, values in zip(names, below, strict=False) if name in values - {""}]
    numbers = [
        name
        for name, values in zip(names, below, strict=False)
        if NUMBER.fullmatch(name) and (values - {""}) and all(map(NUMBER.fullmatch, values - {""}))
    ]
    sentences = [name for name in names if len(name.split()) > 3]
    # "text,spam" may hold the value "spam"; next to a sentence it is a value, and so is "1".
    if numbers or (recurring and (sentences or any(map(NUMBER.fullmatch, recurring)))):
        return True
    if recurring == [name for name in names if name]:
        return True
    # A question may be long; where a column has recurring values, it is not one of them.
    tells = any(len(values - {""}) > 1 for values in recurring_values(columns).values())
    return not tells and any(len(name) > _LONG for name in sentences)


def column_names_of(header: Sequence[str]) -> list[str]:
    """Return what the columns under a header are called, those without a name included."""
    return [cell.strip() or f"column {number}" for number, cell in enumerate(header, start=1)]


def name_columns(
    frame: pd.DataFrame, header: Sequence[str], name: str, notes: list[str]
) -> pd.DataFrame:
    """Name the columns; those that have neither name nor content are left out.

    Parameters
    ----------
    frame : DataFrame
    header : list of str
        As many as there are columns.
    name : str
        The file's, for messages.
    notes : list of str
        Sentences about what is done are added to it.

    Raises
    ------
    ReadingError
        If two columns have the same name.
    """
    cells, names = [cell.strip() for cell in header], column_names_of(header)
    if twice := [column for column, n in Counter(names).items() if n > 1]:
        raise ReadingError(f"{name} has several columns named {quoted(twice)}.", "Rename them.")
    frame = frame.set_axis(pd.Index(names), axis=1)
    unnamed = [column for column, cell in zip(names, cells, strict=True) if not cell]
    if empty := [column for column in unnamed if not (frame[column].str.strip() != "").any()]:
        notes.append(f"Left out {count(len(empty), 'empty column')} without a name.")
    if filled := [column for column in unnamed if column not in empty]:
        notes.append(f"Named {count(len(filled), 'column')} that had no name: {quoted(filled)}.")
    return frame.drop(columns=empty)


def doubts_of_header(header: Sequence[str], frame: pd.DataFrame, line: int) -> list[Doubt]:
    """Return a doubt if a row of data may have been taken for the header."""
    head = frame.head(SAMPLE_ROWS)
    odd = [
        cell
        for i, cell in enumerate(header)
        if (len(cell.split()) > 3 and "?" not in cell)
        or (cell.strip() and (head[i].str.strip() == cell.strip()).any())
    ]
    if not odd or any(map(is_usual_name, header)):
        return []
    sentence = (
        f"Line {line} was taken for the header: “{cut_to(odd[0], 40)}”. If it is a row of "
        "data, choose another line for the header, or 0 if none names the columns."
    )
    return [Doubt(sentence, ("header_line",))]


def refuse_data(header: Sequence[str], frame: pd.DataFrame, name: str) -> None:
    """Raise a ReadingError if the header looks like a row of data."""
    head = frame.head(SAMPLE_ROWS)
    if looks_like_data(header, [head[column].tolist() for column in head]):
        hint = "Add a header row such as text,label, or say that there is none: header line 0."
        options = ["--header-line 0"]
        raise ReadingError(f"The first row of {name} looks like data.", hint, options)
