"""Bytes -> Corpus: unlabelled texts, from the lines of a text file or one column of a table."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.data.choices import GUESS, Doubt, ReadingChoices
from layerviz.data.columns import pick_from
from layerviz.data.decoding import decode_text
from layerviz.data.formats import ZIP_SUFFIX, table_suffixes
from layerviz.data.guessing import guess_text_column
from layerviz.data.reading import Table, read_table
from layerviz.data.unpacking import unpacked
from layerviz.data.wording import quoted
from layerviz.errors import DataError
from layerviz.wording import count, named

_LINES = ".txt"  # a text per line, although a table may have this suffix too


@dataclass(frozen=True)
class Corpus:
    """Distinct texts without line breaks, in the order of the file.

    Parameters
    ----------
    name : str
        The file's name, without ``.gz`` or the like if it was compressed.
    texts : tuple of str
    notes : tuple of str
        Sentences that say what was guessed and left out.
    fingerprint : str
        SHA-256 of the texts, in hexadecimal digits.
    doubts : tuple of Doubt
        Guesses of how the file is read that may well be wrong; they are among the notes.
    """

    name: str
    texts: tuple[str, ...]
    notes: tuple[str, ...]
    fingerprint: str
    doubts: tuple[Doubt, ...] = ()


def read_corpus(
    content: bytes,
    name: str,
    *,
    text_column: str | None = None,
    max_texts: int | None = None,
    seed: int = 0,
    choices: ReadingChoices = GUESS,
) -> Corpus:
    """Read one text per line, or one per row of a table; either may be compressed.

    Parameters
    ----------
    content : bytes
        In any of the encodings of a CSV file.
    name : str
        The file's name. A suffix of one of the file formats, other than ``.txt``, makes it a
        table; all other files hold a text per line.
    text_column : str, optional
        Which column of a table holds the texts; guessed by default. If it is given, a file with
        any suffix is read as a table.
    max_texts : int, optional
        Keep a random sample of this size, in the order of the file.
    seed : int
        Seed of that sample.
    choices : ReadingChoices
        How to read the file; what they leave open is guessed. All but an encoding make it a table.

    Raises
    ------
    DataError
        If the file cannot be read or holds no texts, or ``max_texts`` is below 1.
    """
    if max_texts is not None and max_texts < 1:
        raise DataError(f"The sample size is {max_texts} texts.", "Give 1 or more.")
    content, name, _ = unpacked(content, name)
    shown = named(name)
    notes: list[str] = []
    is_chosen = choices != ReadingChoices(encoding=choices.encoding)
    if text_column is not None or is_chosen or _is_table(name):
        table = read_table(content, name, choices, one_column=True)
        notes += table.notes
        doubts = table.doubts
        raw_texts = _column(table, text_column, notes)
    else:
        text = decode_text(content, shown, choices.encoding)
        notes += text.notes
        doubts = text.doubts
        raw_texts = pd.Series(text.content.decode().splitlines(), dtype=str)
    notes += (doubt.sentence for doubt in doubts)
    texts = raw_texts.str.split().str.join(" ")  # also takes out line breaks and repeated spaces
    filled = texts[texts != ""]
    distinct = filled.drop_duplicates()
    if distinct.empty:
        raise DataError(f"{shown} holds no texts.", "Give one text per line, or a CSV with texts.")
    n_blank, n_repeated = len(texts) - len(filled), len(filled) - len(distinct)
    for n, kind in ((n_blank, "blank"), (n_repeated, "repeated")):
        if n:
            notes.append(f"Left out {count(n, f'{kind} text')}.")
    if max_texts is not None and len(distinct) > max_texts:
        chosen = np.random.default_rng(seed).permutation(len(distinct))[:max_texts]
        notes.append(f"Took a random sample of {max_texts:,} of {len(distinct):,} texts.")
        distinct = distinct.iloc[np.sort(chosen)]
    fingerprint = hashlib.sha256("\n".join(distinct).encode()).hexdigest()
    return Corpus(name, tuple(distinct), tuple(notes), fingerprint, doubts)


def _is_table(name: str) -> bool:
    """Tell tables, of which a column is taken, from files with a text per line."""
    suffixes = tuple(suffix for suffix in table_suffixes() if suffix != _LINES)
    return name.lower().endswith((*suffixes, ZIP_SUFFIX))


def _column(table: Table, text_column: str | None, notes: list[str]) -> pd.Series:
    frame = table.frame
    column = text_column or guess_text_column(frame)
    if column not in frame:
        raise DataError(f"{named(table.name)} has no column {quoted([column])}.", pick_from(frame))
    if text_column is None:
        notes.append(f"Guessed that the texts are in column {quoted([column])}.")
    return frame[column]
