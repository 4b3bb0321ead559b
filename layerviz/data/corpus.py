"""Bytes -> Corpus: unlabelled texts, from the lines of a text file or one column of a CSV."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.data.columns import guess_text_column
from layerviz.data.reading import decode_text, read_table
from layerviz.data.wording import count, quoted
from layerviz.errors import DataError

_TABLES = (".csv", ".tsv")
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Corpus:
    """Distinct texts without line breaks, in the order of the file.

    ``notes`` say what was guessed and left out; ``fingerprint`` is SHA-256 of the texts.
    """

    name: str
    texts: tuple[str, ...]
    notes: tuple[str, ...]
    fingerprint: str


def read_corpus(
    content: bytes,
    name: str,
    *,
    text_column: str | None = None,
    max_texts: int | None = None,
    seed: int = 0,
) -> Corpus:
    """Read one text per line, or one per row of a CSV; either may be gzipped.

    Parameters
    ----------
    content : bytes
        UTF-8 with or without BOM, UTF-16 with BOM, or else cp1252 / Latin-1.
    name : str
        The file's name, which tells a CSV (``.csv``, ``.tsv``) from other text.
    text_column : str, optional
        Of a CSV; guessed when not given. A file with another ending is read as CSV if given.
    max_texts : int, optional
        Keep a random sample of this size, in the order of the file.
    seed : int
        Of that sample.

    Raises
    ------
    DataError
        If the file cannot be read or holds no texts, or ``max_texts`` is below 1.
    """
    if max_texts is not None and max_texts < 1:
        raise DataError(f"The sample is to have {max_texts} texts.", "Give 1 or more.")
    if content.startswith(_GZIP):
        try:
            content = gzip.decompress(content)
        except (OSError, EOFError, zlib.error) as error:
            raise DataError(f"{name} is a damaged gzip file.", "Copy it again, whole.") from error
        name = name.removesuffix(".gz")
    notes: list[str] = []
    if text_column is not None or name.lower().endswith(_TABLES):
        found = _column(content, name, text_column, notes)
    else:
        found = pd.Series(decode_text(content, name).splitlines(), dtype=str)
    texts = found.str.split().str.join(" ")  # also takes out line breaks and repeated spaces
    filled = texts[texts != ""]
    kept = filled.drop_duplicates()
    if kept.empty:
        raise DataError(f"{name} holds no texts.", "Give one text per line, or a CSV with texts.")
    for n, what in ((len(texts) - len(filled), "blank"), (len(filled) - len(kept), "repeated")):
        if n:
            notes.append(f"Left out {count(n, f'{what} text')}.")
    if max_texts is not None and len(kept) > max_texts:
        chosen = np.random.default_rng(seed).permutation(len(kept))[:max_texts]
        notes.append(f"Took a random sample of {max_texts:,} of {len(kept):,} texts.")
        kept = kept.iloc[np.sort(chosen)]
    digest = hashlib.sha256("\n".join(kept).encode()).hexdigest()
    return Corpus(name, tuple(kept), tuple(notes), digest)


def _column(content: bytes, name: str, text_column: str | None, notes: list[str]) -> pd.Series:
    frame = read_table(content, name, one_column=True).frame
    column = text_column or guess_text_column(frame)
    if column not in frame:
        there = f"Pick from the columns that are there: {quoted(frame.columns, 20)}."
        raise DataError(f"{name} has no column {quoted([column])}.", there)
    if text_column is None:
        notes.append(f"Guessed that the texts are in column {quoted([column])}.")
    return frame[column]
