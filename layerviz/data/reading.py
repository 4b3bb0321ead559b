"""Bytes -> Table: a file is read in the format that it has."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib import resources

import pandas as pd

from layerviz.data.choices import GUESS, Doubt, ReadingChoices
from layerviz.data.opening import contents_of
from layerviz.wording import cut_in_middle

SAMPLE = "customer_messages.csv"
_LONGEST_FILE_NAME = 255  # characters: what a disk would not take comes from elsewhere


@dataclass(frozen=True, eq=False)  # eq: frames do not compare to a single truth value
class Table:
    """One file, read; nothing is guessed about its meaning yet.

    Parameters
    ----------
    name : str
        The file's name.
    frame : DataFrame
        Every cell as the str that was written (``""`` where it is missing).
    layout : str
        How the file is written, for people: "UTF-8, comma-separated".
    notes : tuple of str
        A sentence for everything that was removed, skipped or renamed.
    content_hash : str
        SHA-256 of the bytes, in hexadecimal digits.
    choices : ReadingChoices
        What people said of the file; all else was guessed.
    reading : ReadingChoices
        How it was read: what was chosen, and what was guessed.
    doubts : tuple of Doubt
        Guesses that may well be wrong.
    """

    name: str
    frame: pd.DataFrame
    layout: str
    notes: tuple[str, ...]
    content_hash: str
    choices: ReadingChoices = GUESS
    reading: ReadingChoices = GUESS
    doubts: tuple[Doubt, ...] = ()


def read_table(
    content: bytes, name: str, choices: ReadingChoices = GUESS, *, one_column: bool = False
) -> Table:
    """Read a file in the format that it has, compressed or not.

    Parameters
    ----------
    content : bytes
        The whole file.
    name : str
        The file's name, whose suffix decides where the content does not; with an unknown suffix it
        is read as delimited text.
    choices : ReadingChoices
        How to read it; what they leave open is guessed.
    one_column : bool
        Whether a single column, beside which no label can be, will do.

    Raises
    ------
    DataError
        If the file cannot be read as a table.
    """
    if len(name) > _LONGEST_FILE_NAME:
        name = cut_in_middle(name)
    contents = contents_of(content, name, choices, one_column=one_column)
    return Table(
        name=name,
        frame=contents.frame,
        layout=contents.layout,
        notes=contents.notes,
        content_hash=hashlib.sha256(content).hexdigest(),
        choices=choices,
        reading=contents.reading,
        doubts=contents.doubts,
    )


def sample_table() -> Table:
    """Read the bundled customer messages (columns text, label and split)."""
    return read_table(sample_content(), SAMPLE)


def sample_content() -> bytes:
    """Return the file of the bundled customer messages."""
    return resources.files("layerviz").joinpath("samples", SAMPLE).read_bytes()
