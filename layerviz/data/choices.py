"""How a file is to be read, where its reader would otherwise guess."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from layerviz.data.encodings import known_codec
from layerviz.errors import DataError, did_you_mean
from layerviz.wording import quote

DELIMITERS = {
    ",": "comma",
    ";": "semicolon",
    "\t": "tab",
    "|": "pipe",
    "^": "caret",
    "~": "tilde",
    ":": "colon",
}
QUOTES = {
    "double": 'double: "text, with a comma"',
    "backslash": 'double, with a backslash before those inside: "a \\"b\\" c"',
    "single": "single: 'text, with a comma'",
    "none": "none: quotation marks belong to the texts",
}
GUESSED = "guess"  # stands for a choice that is not made


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

    def as_dict(self) -> dict[str, Any]:
        """Return what was chosen, for ``run.json``."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def words(self, prefix: str = "--") -> list[str]:
        """Return what to type for them: ``["--encoding", "gb18030"]``."""
        words = []
        for name, value in self.as_dict().items():
            shown = DELIMITERS.get(value, value) if name == "delimiter" else value
            words += [f"{prefix}{name.replace('_', '-')}", str(shown)]
        return words


@dataclass(frozen=True)
class Doubt:
    """A guess of how a file is read that may well be wrong.

    Parameters
    ----------
    sentence : str
    choices : tuple of str
        What would decide it: names of fields of `ReadingChoices`.
    """

    sentence: str
    choices: tuple[str, ...]


GUESS = ReadingChoices()  # everything is to be guessed


def reading_choices(
    encoding: str | None = None,
    delimiter: str | None = None,
    quotes: str | None = None,
    header_line: str | int | None = None,
) -> ReadingChoices:
    """Return choices as people or files write them; None and "guess" leave it to a guess.

    Raises
    ------
    DataError
        If one of them is no choice.
    """
    return ReadingChoices(
        encoding=None if encoding in (None, GUESSED) else known_codec(encoding),
        delimiter=None if delimiter in (None, GUESSED) else _delimiter(delimiter),
        quotes=None if quotes in (None, GUESSED) else _quotes(quotes),
        header_line=None if header_line in (None, "", GUESSED) else _header_line(header_line),
    )


def _delimiter(delimiter: object) -> str:
    by_name = {name: character for character, name in DELIMITERS.items()} | {"\\t": "\t"}
    character = by_name.get(str(delimiter), str(delimiter))
    if len(character) != 1 or character in "\r\n\"'\\":
        hint = did_you_mean(delimiter, by_name, "Give one character, or comma, tab or the like.")
        raise DataError(f"The delimiter {quote(delimiter)} cannot be used.", hint)
    return character


def _quotes(quotes: object) -> str:
    if quotes not in QUOTES:
        hint = did_you_mean(quotes, QUOTES, f"Choose one of {', '.join(QUOTES)}.")
        raise DataError(f"There are no quotation marks {quote(quotes)}.", hint)
    return str(quotes)


def _header_line(line: object) -> int:
    try:
        number = int(str(line))
    except ValueError:
        number = -1
    if not 0 <= number < 10**9:
        hint = "Give the number of the line that names the columns, or 0 if none does."
        raise DataError(f"There is no header line {quote(line)}.", hint)
    return number


def reading_of(dataset: Mapping[str, Any]) -> dict[str, ReadingChoices]:
    """Return what ``run.json`` says of how files were said to be read, by their role.

    Raises
    ------
    DataError
        If it is garbled.
    """
    by_role = dataset.get("reading", {})
    try:
        return {str(role): reading_choices(**values) for role, values in by_role.items()}
    except (AttributeError, TypeError) as error:
        raise DataError("How the files were read is garbled.") from error
