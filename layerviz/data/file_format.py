"""What a file format is: its name and suffixes, and how bytes become a table of strings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pandas as pd

from layerviz.data.choices import GUESS, ReadingChoices


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
    doubts : tuple of str
        A sentence for each guess that may well be wrong.
    """

    frame: pd.DataFrame
    layout: str
    notes: tuple[str, ...]
    reading: ReadingChoices = GUESS
    doubts: tuple[str, ...] = ()


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
    """

    name: str
    label: str
    suffixes: tuple[str, ...]
    help: str
    read: Reader
