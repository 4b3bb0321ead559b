"""Delimited text: comma-, semicolon-, tab- or otherwise separated values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from layerviz.data.choices import DELIMITERS, Doubt, ReadingChoices
from layerviz.data.decoding import SAMPLE_BYTES, Text, read_text
from layerviz.data.dialect import (
    Guess,
    delimiter_hint,
    guess_dialect,
    lines_are_quoted,
    without_line_quotes,
)
from layerviz.data.fields import Dialect, Swallowing, split_rows
from layerviz.data.file_format import MOST_COLUMNS, Contents, FileFormat, expect_few_columns
from layerviz.data.header import doubts_of_header, find_header, name_columns, refuse_data
from layerviz.data.mending import Fitted, fit_to_header
from layerviz.data.parsing import Rows, read_rows
from layerviz.data.recognising import SAVE_AS_CSV
from layerviz.data.wording import first_lines, one_sentence
from layerviz.errors import DataError, ReadingError
from layerviz.wording import count, cut_to

_DOUBTFUL = 0.1  # of the rows have more or fewer fields than the header: then it is said
_LONGEST_SAMPLE = 2**22  # bytes of lines that are looked at
_LEAST_LINES = 5  # in a sample
_MARKED_BYTES = 65_536  # of lines with quotation marks, where the first rows have none
_TWO_COLUMNS = (
    "Give it two columns, text and label, separated by commas, semicolons or tabs, or choose the "
    "delimiter."
)


@dataclass(frozen=True)
class _Header:
    """The row that names the columns, and the lines that were skipped to come to it."""

    line: int  # 0 if none does
    fields: list[str]
    end: int  # bytes of the text up to the first row
    next_line: int


@dataclass(frozen=True, eq=False)  # eq: frames do not compare to a single truth value
class Parsed:
    """A file of delimited text: its contents, and where in the file they are.

    Parameters
    ----------
    contents : Contents
    fitted : Fitted
        The rows under the numbers of their columns, and the lines where they begin.
    dialect : Dialect
        In which they were read.
    swallows : Swallowing
        Tells lines of a quoted field from rows.
    is_unwrapped : bool
        Whether quotation marks were taken off whole lines.
    """

    contents: Contents
    fitted: Fitted
    dialect: Dialect
    swallows: Swallowing
    is_unwrapped: bool


def read_delimited(
    content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
) -> Contents:
    """Read a file of delimited text; parameters and errors as `parse_delimited`."""
    return parse_delimited(content, name, choices, one_column=one_column).contents


def parse_delimited(
    content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
) -> Parsed:
    """Read a file of delimited text, its encoding, dialect and header being guessed or chosen.

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
    decoded = read_text(content, name, choices.encoding)
    if decoded.problem:
        raise DataError(f"{name} is {decoded.problem}.", SAVE_AS_CSV)
    notes = list(decoded.notes)
    text = _unwrapped(decoded.content, choices, notes, one_column=one_column)
    if _sample_size(text) > SAMPLE_BYTES:  # long lines may be very many columns
        hasty, _ = _guess(text, choices, [], SAMPLE_BYTES)
        expect_few_columns(_n_columns(text, hasty), name)
    guess, hint_line = _guess(text, choices, notes)
    expect_few_columns(guess.width, name)
    if not guess.is_table and not one_column:
        raise ReadingError(f"{name} has only one column.", _TWO_COLUMNS)
    header = _header(text, guess, choices, name, hint_line, notes)
    rows = read_rows(
        memoryview(text)[header.end :],
        guess.dialect,
        guess.width,
        header.next_line,
        guess.swallows,
        is_chosen=choices.quotes is not None,
    )
    n_rows = len(rows.frame) + len(rows.others)
    names = header.fields or [""] * guess.width
    fitted = fit_to_header(rows, names, notes)
    frame, names = fitted.frame, fitted.header
    if frame.empty:
        raise ReadingError(one_sentence(f"{name} has no rows below its header", notes), SAVE_AS_CSV)
    doubts = list(decoded.doubts)
    if choices.header_line is None:
        refuse_data(names, frame, name)
        doubts += doubts_of_header(names, frame, header.line)
    _tell_of_quotes(rows, notes)
    frame = name_columns(frame, names, name, notes)
    reading = ReadingChoices(
        decoded.codec, rows.dialect.delimiter, rows.dialect.quotes, header.line
    )
    n_odd = fitted.n_odd
    if choices.delimiter is None and n_odd > _DOUBTFUL * n_rows:
        sentence = (
            f"{n_odd:,} of {count(n_rows, 'row')} have more or fewer fields than the header: "
            f"the delimiter, {_delimiter_name(rows.dialect)}, may be another one."
        )
        doubts.append(Doubt(sentence, ("delimiter", "quotes")))
    contents = Contents(frame, _layout(decoded, rows, text), tuple(notes), reading, tuple(doubts))
    is_unwrapped = text is not decoded.content
    return Parsed(contents, fitted, rows.dialect, guess.swallows, is_unwrapped)


def _unwrapped(
    text: bytes, choices: ReadingChoices, notes: list[str], *, one_column: bool
) -> bytes:
    if choices.quotes is not None or not lines_are_quoted(_sample(text)):
        return text
    if one_column and not _are_rows(without_line_quotes(text[: _sample_size(text)]), choices, text):
        return text  # a column of quoted texts
    notes.append("Every line was in quotation marks as a whole; they were taken off.")
    return without_line_quotes(text)


def _are_rows(sample: bytes, choices: ReadingChoices, text: bytes) -> bool:
    """Tell whether the lines of a sample of a text make a table, all rows being of one width."""
    is_cut = len(text) > _sample_size(text)
    guess = guess_dialect(
        _sample(sample), ReadingChoices(delimiter=choices.delimiter), is_cut=is_cut
    )
    return guess.is_table and guess.agreement == 1


def _sample(text: bytes) -> str:
    return text[: _sample_size(text)].decode("utf-8", "ignore")  # its last character may be cut


def _sample_size(text: bytes) -> int:
    """Return how many bytes tell how a text is read: more than usual where its lines are long."""
    if len(text) <= SAMPLE_BYTES:
        return SAMPLE_BYTES
    line_end = b"\n" if b"\n" in text else b"\r"
    end = 0
    for _ in range(_LEAST_LINES):
        end = text.find(line_end, end) + 1
        if not end:
            return min(len(text), _LONGEST_SAMPLE)
    return min(max(SAMPLE_BYTES, end), _LONGEST_SAMPLE)


def _guess(
    text: bytes, choices: ReadingChoices, notes: list[str], size: int | None = None
) -> tuple[Guess, int]:
    """Return the guess and how many lines at the top are a hint and no part of the table.

    It is made from as many bytes as are asked for, by default from the whole sample.
    """
    size = _sample_size(text) if size is None else size
    guessed = partial(_guess_of, text, is_cut=len(text) > size)
    sample = text[:size].decode("utf-8", "ignore")
    first_line, _, rest = sample.partition("\n")
    hint = delimiter_hint(first_line.rstrip("\r"))
    if hint is None or not rest or choices.header_line not in (None, 0):
        return guessed(sample, choices), 0
    notes.append(f"Skipped the first line, {first_line.strip()}, a hint for Excel.")
    hinted = ReadingChoices(delimiter=choices.delimiter or hint, quotes=choices.quotes)
    guess = guessed(rest, hinted)
    if guess.is_table or choices.delimiter is not None:
        return guess, 1
    return guessed(rest, choices), 1


def _guess_of(text: bytes, sample: str, choices: ReadingChoices, *, is_cut: bool) -> Guess:
    """Return the guess from a sample, and from lines with quotation marks where it has none."""
    guess = guess_dialect(sample, choices, is_cut=is_cut)
    is_open = choices.quotes is None and guess.dialect.quotes == "double"
    if not (is_cut and is_open and '"' not in sample and b'"' in text):
        return guess
    marked = _lines_with_marks(text)
    if not marked:
        return guess
    known = ReadingChoices(delimiter=guess.dialect.delimiter)
    quotes = guess_dialect(marked, known, is_cut=True).dialect.quotes
    chosen = ReadingChoices(delimiter=known.delimiter, quotes=quotes)
    return guess_dialect(sample, chosen, is_cut=True)


def _n_columns(text: bytes, guess: Guess) -> int:
    """Return how many fields a row has: of a header longer than the sample, all of them."""
    if len(text) <= SAMPLE_BYTES or len(guess.rows) > 1:
        return guess.width
    line_end = b"\n" if b"\n" in text else b"\r"
    start = text.rfind(line_end, 0, SAMPLE_BYTES) + 1
    end = text.find(line_end, SAMPLE_BYTES)
    line = text[start : len(text) if end < 0 else end].rstrip(b"\r")
    n_fields = line.count(guess.dialect.delimiter.encode()) + 1
    mark = guess.dialect.mark.encode()
    if n_fields > MOST_COLUMNS and ((mark and mark in line) or b"\r" in line):
        some = line[:_LONGEST_SAMPLE].decode("utf-8", "ignore")
        n_fields = max(len(row.fields) for row in split_rows(some, guess.dialect))
    return max(n_fields, guess.width)


def _lines_with_marks(text: bytes) -> str:
    """Return lines that hold quotation marks, but for the first line, which may be a hint."""
    lines: list[bytes] = []
    n_bytes, at = 0, text.find(b'"', text.find(b"\n") + 1)
    while at >= 0 and n_bytes < _MARKED_BYTES:
        start, end = text.rfind(b"\n", 0, at) + 1, text.find(b"\n", at)
        end = len(text) if end < 0 else end
        lines.append(text[start:end])
        n_bytes += end - start
        at = text.find(b'"', end)
    return b"\n".join(lines).decode("utf-8", "ignore")


def _header(
    text: bytes,
    guess: Guess,
    choices: ReadingChoices,
    name: str,
    hint_line: int,
    notes: list[str],
) -> _Header:
    hint_end = text.index(b"\n") + 1 if hint_line else 0
    if choices.header_line == 0:
        return _Header(0, [], hint_end, 1 + hint_line)
    rows = guess.rows
    if choices.header_line is None:
        index = find_header(rows)
    else:
        wanted = choices.header_line - hint_line
        at = [i for i, row in enumerate(rows) if row.line <= wanted < row.line + row.n_lines]
        if not at:
            hint = "Choose the line that names the columns; lines are counted from 1."
            raise ReadingError(f"There is no row in line {choices.header_line} of {name}.", hint)
        index = at[0]
    row = rows[index]
    if index:
        above = [cut_to(guess.dialect.delimiter.join(row.fields), 40) for row in rows[:index]]
        shown = ", ".join(f"“{line}”" for line in above[:3]) + (", …" if index > 3 else "")
        notes.append(f"Skipped {count(index, 'line')} above the header: {shown}.")
    sample = _sample(text)[len(text[:hint_end].decode()) :]
    end = hint_end + len(sample[: row.end].encode())
    return _Header(row.line + hint_line, row.fields, end, row.line + row.n_lines + hint_line)


def _tell_of_quotes(rows: Rows, notes: list[str]) -> None:
    if rows.spanning:
        n, where = len(rows.spanning), first_lines(rows.spanning)
        has = "has a quoted field" if n == 1 else "have quoted fields"
        notes.append(f"{count(n, 'row')} {has} with line breaks ({where}).")
    if rows.loose:
        n, where = len(rows.loose), first_lines(rows.loose)
        notes.append(
            f"{count(n, 'row')} {'has' if n == 1 else 'have'} a quotation mark that opens a field "
            f"and is not closed; it was kept as a part of the text ({where})."
        )


def _delimiter_name(dialect: Dialect) -> str:
    return DELIMITERS.get(dialect.delimiter, repr(dialect.delimiter))


def _layout(decoded: Text, rows: Rows, text: bytes) -> str:
    layout = f"{decoded.encoding}, {_delimiter_name(rows.dialect)}-separated"
    if rows.dialect.quotes == "none" and b'"' in text:
        layout += ", quotation marks being a part of the texts"
    elif rows.dialect.quotes == "single":
        layout += ", in single quotation marks"
    elif rows.dialect.quotes == "backslash":
        layout += ", with backslashes before quotation marks"
    return layout


DELIMITED = FileFormat(
    name="delimited",
    label="CSV",
    suffixes=(".csv", ".tsv", ".txt"),
    help="comma-, semicolon-, tab- or pipe-separated with a header row; quoted line breaks are "
    "fine. Encoding, delimiter, quotation marks and the header's line are guessed, and can be "
    "chosen",
    read=read_delimited,
    choices=("encoding", "delimiter", "quotes", "header_line"),
)
