"""What a file format is: its name and suffixes, and how bytes become a table of strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from layerviz.data.choices import GUESS, Doubt, ReadingChoices
from layerviz.errors import DataError

MOST_COLUMNS = 10_000  # of a table: two of them matter, and each takes time
MOST_EXPANDED = 2**30  # bytes that a compressed file may unpack to: what is more may be a trap


@dataclass(frozen=True, eq=False)  # eq: frames do not compare to a single truth value
class Contents:
    """The cells of one file.

    Parameters
    ----------
    frame : DataFrame
        Every cell as the str that was written, ``""`` where it is missing; column names are
        distinct, and there is at least one row.
    layout : str
        How the file is written, for people: "UTF-8, comma-separated".
    notes : tuple of str
        A sentence for everything that was removed, skipped or renamed.
    reading : ReadingChoices
        How the file was read: what was chosen, and what was guessed.
    doubts : tuple of Doubt
        Guesses that may well be wrong.
    class_named : frozenset of str
        Columns whose classes the file itself names.
    """

    frame: pd.DataFrame
    layout: str
    notes: tuple[str, ...]
    reading: ReadingChoices = GUESS
    doubts: tuple[Doubt, ...] = ()
    class_named: frozenset[str] = frozenset()


class Reader(Protocol):
    """Turns the bytes of a file into its contents, or raises a DataError with the fix."""

    def __call__(
        self, content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
    ) -> Contents:
        """Read `content`; `name` is for messages, `one_column` permits a table without labels.

        What `choices` say is not guessed; a format whose files say it themselves ignores them.
        """
        ...


@dataclass(frozen=True)
class FileFormat:
    """One way in which a table of texts can be stored.

    Parameters
    ----------
    name : str
        Its name in the registry.
    label : str
        What people call it: "CSV".
    suffixes : tuple of str
        Endings of file names that say so, in lower case: ".csv".
    help : str
        What such a file may look like, for README.
    read : Reader
    signatures : tuple of bytes
        What such a file begins with, whatever its name; none for text.
    choices : tuple of str
        What of how it is read can be chosen: names of fields of `ReadingChoices`.
    """

    name: str
    label: str
    suffixes: tuple[str, ...]
    help: str
    read: Reader
    signatures: tuple[bytes, ...] = ()
    choices: tuple[str, ...] = ()


def expect_few_columns(n_columns: int, name: str) -> None:
    """Refuse a table with more columns than are read.

    Parameters
    ----------
    n_columns : int
    name : str
        The file's, for the message.

    Raises
    ------
    DataError
        If there are more than `MOST_COLUMNS`.
    """
    if n_columns > MOST_COLUMNS:
        raise DataError(
            f"{name} has {n_columns:,} columns, and at most {MOST_COLUMNS:,} are read.",
            "Keep those of texts and labels, and the ones that you want to see beside them.",
        )


def too_large(name: str) -> DataError:
    """Return the refusal of a file that unpacks to more than is read."""
    return DataError(
        f"{name} unpacks to more than {MOST_EXPANDED // 2**30} GB.",
        "Give a part of it, or unpack it yourself and give the table as CSV.",
    )
