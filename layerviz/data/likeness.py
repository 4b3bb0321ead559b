"""Labels that look like one another: the same class, written in several ways."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from decimal import Context, Decimal

import pandas as pd

from layerviz.data.columns import NUMBER

_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+", re.ASCII)  # no decimal comma


def look_alikes(n_rows: pd.Series) -> tuple[tuple[str, ...], ...]:
    """Return groups of labels that look alike, the most frequent label of each group first.

    Alike are labels that differ in case, spaces, hyphens between words, invisible characters,
    Unicode form, quotation marks around them or punctuation at their end, and numbers of the same
    value: "1", "1.0" and "01".

    Parameters
    ----------
    n_rows : Series of int
        By label (str).
    """
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for label in n_rows.sort_values(ascending=False, kind="stable").index:
        groups[_plainly(str(label))].append(str(label))
    return tuple(tuple(group) for group in groups.values() if len(group) > 1)


def merged(labels: pd.Series, groups: tuple[tuple[str, ...], ...]) -> pd.Series:
    """Return labels (str) with the first of each group in place of the others."""
    spelling = {label: group[0] for group in groups for label in group[1:]}
    return labels.replace(spelling) if spelling else labels


def _plainly(label: str) -> str:
    text = unicodedata.normalize("NFKC", label)
    visible = "".join(
        char for char in text if char.isspace() or unicodedata.category(char) not in ("Cf", "Cc")
    )
    text = " ".join(visible.split()).strip("\"'`“”‘’«» ").casefold()
    digits = text.replace(",", ".")
    if NUMBER.fullmatch(digits) and not _THOUSANDS.fullmatch(text):
        number = Decimal(digits).normalize(Context(prec=len(digits)))  # all digits count
        return str(number) if number else "0"
    text = re.sub(r"(?<=\w)[\s_-]+(?=\w)", " ", text)
    return re.sub(r"(?<=\w)\s*[.,;:!]+$", "", text) or label
