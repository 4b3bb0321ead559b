"""Which delimiter and which quotation marks a text has, guessed from a sample of its rows.

Every candidate is tried: the right delimiter makes rows of one width, with a column of values that
recur. Quoting is taken for such if the fields need it, or a column has it throughout; where more
marks are never closed than closed, they belong to the texts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from layerviz.data.choices import DELIMITERS, ReadingChoices
from layerviz.data.columns import NUMBER
from layerviz.data.fields import (
    LINE_END,
    Dialect,
    Row,
    Swallowing,
    recurring_values,
    split_rows,
    usual_width,
)

_OFTEN_IN_TEXTS = ":"  # is a delimiter only where nothing else makes a table
_SEPARATED = 0.4  # of the lines have to hold a delimiter
_FEW_ROWS = 0.25  # of the texts of several lines may read like rows by chance
_UNIFORM = 0.8  # of a column's cells are quoted if its cells are
_HINT = re.compile(r'^"?sep=(.)"?\s*$')  # Excel's
_LINE_IN_QUOTES = r'"((?:[^"\r\n]++|"")*+)"[ ;,\t]*'
_QUOTED_LINE = re.compile(_LINE_IN_QUOTES)
_LINES_IN_QUOTES = r"(?<![^\r\n])" + _LINE_IN_QUOTES + r"(?=[\r\n]|\Z)"
_QUOTED_LINES = re.compile(_LINES_IN_QUOTES.encode())
_QUOTED_LINES_OF_STR = re.compile(_LINES_IN_QUOTES)


@dataclass(frozen=True)
class Guess:
    """How the sample is read best.

    Parameters
    ----------
    dialect : Dialect
    rows : list of Row
        The sample's, without blank ones.
    width : int
        How many fields most rows have.
    agreement : float
        The share of rows that have as many.
    swallows : Swallowing
        Tells lines of a quoted field from rows.
    """

    dialect: Dialect
    rows: list[Row]
    width: int
    agreement: float
    swallows: Swallowing

    @property
    def is_table(self) -> bool:
        """Whether there is more than one column."""
        return self.width > 1

    @property
    def conforming(self) -> list[list[str]]:
        """The fields of the rows that are as wide as most."""
        return [row.fields for row in self.rows if len(row.fields) == self.width]


def delimiter_hint(first_line: str) -> str | None:
    """Return the delimiter that a first line such as ``sep=;`` names, as Excel understands it."""
    match = _HINT.match(first_line)
    return match[1] if match else None


def lines_are_quoted(sample: str) -> bool:
    """Tell whether nearly every line is a row within quotation marks: ``"a ""b"", c,good"``."""
    lines = [line for line in sample.splitlines() if line.strip()]
    quoted = [match for match in map(_QUOTED_LINE.fullmatch, lines) if match]
    if len(quoted) < _UNIFORM * len(lines):
        return False
    n_rows = sum(any(delimiter in match[1] for delimiter in ",;\t|") for match in quoted)
    return n_rows >= _UNIFORM * len(lines)


def without_line_quotes(text: bytes) -> bytes:
    """Return a text without the quotation marks around its lines."""
    return _QUOTED_LINES.sub(lambda match: match[1].replace(b'""', b'"'), text)


def line_quotes(text: str) -> list[int]:
    """Return where the characters are that `without_line_quotes` takes off, in their order."""
    places: list[int] = []
    for match in _QUOTED_LINES_OF_STR.finditer(text):
        start, end = match.span(1)
        doubled = re.finditer('""', match[1])
        inside = [start + pair.start() + 1 for pair in doubled]
        places += [match.start(), *inside, *range(end, match.end())]
    return places


def guess_dialect(sample: str, choices: ReadingChoices, *, is_cut: bool = False) -> Guess:
    """Return the dialect in which a sample makes the best table.

    Parameters
    ----------
    sample : str
        The first rows, and perhaps some that hold quotation marks.
    choices : ReadingChoices
        What need not be guessed.
    is_cut : bool
        Whether the last row may be cut in its middle.
    """
    if choices.delimiter is not None:
        return _guess_quotes(sample, choices.delimiter, choices.quotes, is_cut)
    lines = [line for line in sample.splitlines() if line.strip()]
    usual = [
        delimiter
        for delimiter in DELIMITERS
        if sum(delimiter in line for line in lines) >= _SEPARATED * len(lines)
    ]
    guesses = [_guess_quotes(sample, one, choices.quotes, is_cut) for one in usual or [","]]
    clear = [guess for guess in guesses if guess.dialect.delimiter not in _OFTEN_IN_TEXTS]
    tables = [guess for guess in clear if guess.is_table]
    return max(tables or _of_long_texts(sample, choices, is_cut) or guesses, key=_rank)


def _of_long_texts(sample: str, choices: ReadingChoices, is_cut: bool) -> list[Guess]:
    """Return tables whose texts span so many lines that few of these hold a delimiter."""
    guesses = [
        _guess_quotes(sample, delimiter, choices.quotes, is_cut)
        for delimiter in DELIMITERS
        if delimiter in sample
    ]
    return [
        guess
        for guess in guesses
        if any(row.n_lines > 1 for row in guess.rows) and _telling_columns(guess.rows)
    ]


def _rank(guess: Guess) -> tuple[bool, float, bool, bool, bool, float, int]:
    rows = guess.conforming
    first = guess.rows[0].fields if guess.rows else []
    values = recurring_values(list(zip(*rows[1:], strict=True)))
    return (
        guess.is_table,
        round(guess.agreement, 1),
        any(len(column - {""}) > 1 for column in values.values()),
        _is_tight(rows),
        len(first) == guess.width,
        guess.agreement,
        guess.width,
    )


def _is_tight(rows: Sequence[Sequence[str]]) -> bool:
    """Tell whether most fields begin right behind a delimiter, and not as words behind commas."""
    fields = [field for row in rows for field in row[1:]]
    return sum(field.startswith(" ") for field in fields) < len(fields) / 2


def _guess_quotes(sample: str, delimiter: str, quotes: str | None, is_cut: bool) -> Guess:
    if quotes is not None:
        return _guess(sample, Dialect(delimiter, quotes), is_cut)
    plain = _guess(sample, Dialect(delimiter, "double"), is_cut)
    candidates = [plain]
    if '\\"' in sample:
        candidates.append(_guess(sample, Dialect(delimiter, "backslash"), is_cut))
    if "'" in sample and '"' not in sample:
        candidates.append(_guess(sample, Dialect(delimiter, "single"), is_cut))
    believable = [guess for guess in candidates if quoting_is_meant(guess.rows, delimiter)]
    if not believable:
        return _guess(sample, Dialect(delimiter, "none"), is_cut)
    # The first of equals is the most usual one.
    return max(
        believable,
        key=lambda guess: (
            round(guess.agreement, 2),
            any(row.quoted for row in guess.rows),
            -_n_loose(guess.rows),
        ),
    )


def _n_loose(rows: Sequence[Row]) -> int:
    return sum(row.n_loose for row in rows)


def _guess(sample: str, dialect: Dialect, is_cut: bool) -> Guess:
    rows = _filled_rows(sample, dialect, None, is_cut)
    width, agreement = usual_width(rows)
    swallows = _swallowing(rows, dialect, width)
    n_within = sum(row.n_lines for row in rows if row.n_lines > 1)
    if n_within:
        if n_within > sum(row.n_lines == 1 for row in rows):  # little is left to know rows by
            plain = _filled_rows(sample, Dialect(dialect.delimiter, "none"), None, is_cut)
            swallows = _swallowing(plain, dialect, usual_width(plain)[0])
            told = _telling_columns(rows)
            if told - _telling_columns(plain) or (told and _hold_texts(rows, dialect, width)):
                swallows = replace(swallows, is_never=True)
        rows = _filled_rows(sample, dialect, swallows, is_cut)
        width, agreement = usual_width(rows)
    return Guess(dialect, rows, width, agreement, swallows)


def _hold_texts(rows: Sequence[Row], dialect: Dialect, width: int) -> bool:
    """Tell whether quoted fields of several lines hold texts, by the values of whole rows.

    What stands behind a delimiter in a line of a text is seldom one of the labels. In rows that a
    mark has joined it is, and at least two labels are there.
    """
    values = recurring_values(list(zip(*(row.fields for row in rows[1:]), strict=True)))
    several = {at: of_column for at, of_column in values.items() if len(of_column - {""}) > 1}
    are_rows = Swallowing(dialect, width, several)
    fields = [
        are_rows(row.fields[at], at)
        for row in rows
        if row.n_lines > 1
        for at in row.quoted
        if LINE_END.search(row.fields[at])
    ]
    return bool(several) and sum(fields) < _FEW_ROWS * len(fields)


def _telling_columns(rows: Sequence[Row]) -> set[int]:
    """Return the columns of recurring values or of numbers in a table that is read without doubt.

    None where rows have more or fewer fields than others, or a mark is loose. Lines of a text that
    are taken for rows put words among the numbers; rows that a mark has joined tell nothing new.
    """
    width, agreement = usual_width(rows)
    if width < 2 or agreement < 1 or _n_loose(rows):
        return set()
    columns = list(zip(*(row.fields for row in rows[1:]), strict=True))
    numbers = {at for at, cells in enumerate(columns) if all(map(NUMBER.fullmatch, cells))}
    return numbers | set(recurring_values(columns))


def _filled_rows(
    sample: str, dialect: Dialect, swallows: Swallowing | None, is_cut: bool
) -> list[Row]:
    rows = [row for row in split_rows(sample, dialect, swallows) if not row.is_blank]
    return rows[:-1] or rows if is_cut else rows


def _swallowing(rows: Sequence[Row], dialect: Dialect, width: int) -> Swallowing:
    """Return what tells lines of a field from rows, by the rows that are on one line each."""
    single = [row.fields for row in rows if row.n_lines == 1 and len(row.fields) == width]
    return Swallowing(dialect, width, recurring_values(list(zip(*single[1:], strict=True))))


def quoting_is_meant(rows: Sequence[Row], delimiter: str) -> bool:
    """Tell whether quotation marks enclose fields, rather than being a part of the texts.

    Parameters
    ----------
    rows : list of Row
        As they are if they enclose fields.
    delimiter : str
    """
    n_quoted = sum(len(row.quoted) for row in rows)
    n_loose = _n_loose(rows)
    if n_quoted < n_loose:
        return False
    if not n_quoted:
        return True
    is_needed = any(row.n_needed for row in rows)
    return is_needed or _is_uniform(rows) or (delimiter != "\t" and n_quoted > n_loose)


def _is_uniform(rows: Sequence[Row]) -> bool:
    """Tell whether some column is quoted throughout."""
    by_column = Counter(i for row in rows for i in row.quoted)
    column, n_quoted = by_column.most_common(1)[0]
    filled = [row for row in rows if len(row.fields) > column and row.fields[column].strip()]
    return n_quoted >= _UNIFORM * (len(filled) - 1)  # the header need not be quoted
