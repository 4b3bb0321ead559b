"""Labels as they stand in the files: which of them say that there is none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from layerviz.data.columns import Columns
from layerviz.data.several_labels import one_hot_labels, one_hot_places, without_brackets

if TYPE_CHECKING:
    import pandas as pd

# What programs and people write where a value is missing, in lower case.
_NEVER_CLASSES = {
    "nan", "-nan", "na", "n/a", "n.a.", "n.a", "#n/a", "#n/a n/a", "#na", "null", "#null!", "nat",
    "\\n", "1.#ind", "-1.#ind", "1.#qnan", "-1.#qnan", "#value!", "#ref!", "#name?", "#div/0!",
    "",
}  # fmt: skip
_DASHES = {"-", "--", "---", "–", "—"}
_PERHAPS_CLASSES = {"none", "nil", "undefined", "?", "??", "???", ".", "..", "...", "…", *_DASHES}
_LEAST_SHARE = 0.05  # of the labels that are there, for a word that may be a class to be one


def without_label(labels: pd.Series, *, surely: bool = False) -> pd.Series:
    """Tell for each label (str) whether it says that there is none; bool, same index.

    Empty cells do, and ``nan``, ``NA``, ``#N/A``, ``NULL``, ``None``, ``-``, ``?`` and the like,
    in any case, also in brackets; `surely` leaves out those that may be classes (``None``, ``-``).
    """
    says_so = _is_never_a_class if surely else _stands_for_nothing
    return labels.isin([label for label in labels.unique() if says_so(label)])


def labels_in(
    frame: pd.DataFrame, columns: Columns, one_hot: Sequence[str] = (), *, combined: bool = False
) -> pd.Series:
    """Return the labels of the rows of a file as they are written, without space around them.

    A list of one label is that label, and of a vector such as "[0 1 0]" it is the place of the 1,
    unless several labels are `combined` to a class; where columns of 0 and 1 are one label together
    (`one_hot`), it is the name of the column that holds the 1.
    """
    if one_hot:
        return one_hot_labels(frame, one_hot)
    labels = frame[columns.label].str.strip()
    places = {} if combined else one_hot_places(labels)
    return labels.replace(places) if places else without_brackets(labels)


def missing_words(labels: Iterable[str]) -> list[str]:
    """Return the distinct words among these labels that say that there is none."""
    return [word for word in dict.fromkeys(labels) if word.strip() and _stands_for_nothing(word)]


def is_class_among(labels: pd.Series) -> bool:
    """Tell whether a word that says that there is no label is taken for a class all the same.

    "none" is one in a file of stances (none, favor, against). So it is taken for a class where it
    is the only such word, has at least a twentieth of the labels, and is written as most others
    are: in lower case, in capitals, with a capital, or without letters ("-" also beside "+"); or
    where there would be a single class without it. ``nan``, ``NA``, ``NULL`` and their like never
    are.

    Parameters
    ----------
    labels : Series of str
        Of the train file.
    """
    counts = labels[labels.str.strip() != ""].value_counts()
    words = missing_words(counts.index)
    if len(words) != 1 or words[0].strip().casefold() not in _PERHAPS_CLASSES:
        return False
    [word], others = words, [str(label) for label in counts.index if label != words[0]]
    if not others or counts[word] < _LEAST_SHARE * counts.sum():
        return False
    styles = [_style(label) for label in others]
    is_minus = word in _DASHES and "+" in others
    return is_minus or len(others) == 1 or styles.count(_style(word)) > len(styles) / 2


def _stands_for_nothing(label: str) -> bool:
    return _is_never_a_class(label) or _bare(label) in _PERHAPS_CLASSES


def _is_never_a_class(label: str) -> bool:
    return _bare(label) in _NEVER_CLASSES


def _bare(label: str) -> str:
    return label.strip().casefold().strip("<>()[]{}\"' ")


def _style(label: str) -> str:
    """Return how a label is written: its case, or "symbol" or "number"."""
    if not re.search(r"[^\W\d_]", label):
        return "number" if re.search(r"\d", label) else "symbol"
    if label.islower():
        return "lower"
    return "upper" if label.isupper() else "capital"
