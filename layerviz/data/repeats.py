"""What is told of texts that are there more than once, or nearly."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.wording import count, cut_to, quote

MOST_CHARACTERS = 4_000_000  # that are compared for near repeats, which takes half a second
MOST_DISTINCT = 0.8  # of the rows, where texts are repeated
_SHOWN = 60  # characters of a text


def repeat_notes(rows: pd.DataFrame) -> Iterable[str]:
    """Say which texts have several labels, or are repeated.

    Parameters
    ----------
    rows : DataFrame
        ``split``, ``text``, ``label`` (str) and ``key`` (int, the same for the same text).
    """
    yield from _several_labels(rows)
    yield from _repeated(rows)


def _several_labels(rows: pd.DataFrame) -> Iterable[str]:
    n_labels = rows.drop_duplicates(["key", "label"])["key"].value_counts()
    several = n_labels.index[n_labels > 1]
    if several.empty:
        return
    of_them = rows[rows["key"].isin(several)]
    text = cut_to(str(of_them["text"].iloc[0]), _SHOWN)
    labels = of_them["label"][of_them["key"] == of_them["key"].iloc[0]].unique()
    has = "has" if len(several) == 1 else "have"
    yield (
        f"{count(len(several), 'text')} {has} several labels, in {count(len(of_them), 'row')}: "
        f"{quote(text)} is {' and '.join(map(quote, labels[:3]))}."
    )


def _repeated(rows: pd.DataFrame) -> Iterable[str]:
    parts = []
    for split, part in rows.groupby("split", sort=False):
        n_texts = part["key"].nunique()
        if n_texts <= len(part) / 2:
            parts.append(f"{count(n_texts, 'text')} in {count(len(part), 'row')} of {split}")
    if parts:
        yield f"Texts are repeated: only {', '.join(parts)}."


@dataclass(frozen=True)
class NearRepeats:
    """How many texts differ from one of train in little more than their case.

    Parameters
    ----------
    n_by_split : dict of str to int
        Distinct texts of val and of test; none where there are none.
    step : int
        Only one in so many texts was compared.
    """

    n_by_split: dict[str, int]
    step: int

    def notes(self) -> Iterable[str]:
        """Say of each split how many of its texts they are."""
        least = "At least " if self.step > 1 else ""
        part = f" Only 1 in {self.step:,} texts was compared." if self.step > 1 else ""
        for split, n in self.n_by_split.items():
            noun = count(n, f"{split} text")
            yield (
                f"{least}{noun} {'is' if n == 1 else 'are'} nearly the same as a train text (but "
                f"for case, punctuation, numbers and links): scores on them flatter.{part}"
            )


def near_repeats_in(rows: pd.DataFrame) -> NearRepeats:
    """Return how many texts of val and test are nearly the same as one of train.

    `rows` are as for `repeat_notes`.
    """
    texts = rows.drop_duplicates(["split", "key"])
    lengths = texts["text"].str.len()
    step = max(1, -(-int(lengths.sum()) // MOST_CHARACTERS))
    plain = texts["text"].iloc[::step].map(text_key)
    split = texts["split"].iloc[::step]
    train = set(plain[split == "train"]) - {""}
    found = {other: int(plain[split == other].isin(train).sum()) for other in ("val", "test")}
    return NearRepeats({other: n for other, n in found.items() if n}, step)


def near_keys(texts: pd.Series) -> np.ndarray:
    """Return numbers that are the same for texts that are nearly the same, shape (n,), int64."""
    distinct = texts.drop_duplicates()
    plain = distinct.map(text_key)
    plain = plain.where(plain != "", distinct)  # signs alone are the same if they are equal
    return pd.factorize(texts.map(dict(zip(distinct, plain, strict=True))))[0]


def text_key(text: str) -> str:
    """Return what texts have in common that differ in case, punctuation, numbers or links."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"https?://\S+|www\.\S+|@\w+", " ", plain)
    return " ".join(re.sub(r"\d+", "0", re.sub(r"[\W_]+", " ", plain)).split())


def few_texts(n_texts: int, n_rows: int, enough: int) -> bool:
    """Tell whether so few texts are repeated so often that scores on them mislead."""
    return n_texts <= n_rows / 2 or (n_texts < enough and n_texts <= MOST_DISTINCT * n_rows)
