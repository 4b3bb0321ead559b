"""How a file is to be read, where its reader would otherwise guess."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ReadingChoices:
    """What people say of a file, or what was guessed of it; None is a guess yet to be made.

    Parameters
    ----------
    encoding : str or None
        A codec that Python knows, such as "gb18030".
    delimiter : str or None
        The character between two fields.
    quotes : str or None
        What encloses fields that hold delimiters or line breaks: a name in `QUOTES`.
    header_line : int or None
        The line of the file, counted from 1, that names the columns; 0 if none does.
    """

    encoding: str | None = None
    delimiter: str | None = None
    quotes: str | None = None
    header_line: int | None = None


GUESS = ReadingChoices()  # everything is to be guessed
QUOTES = {
    "double": 'double: "text, with a comma"',
    "backslash": 'double, with a backslash before quotation marks inside: "a \\"b\\" c"',
    "single": "single: 'text, with a comma'",
    "none": "none: quotation marks belong to the texts",
}
