"""Which columns of a file carry text, label and split: named, checked, found again elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerviz.data.wording import quoted
from layerviz.errors import DataError, did_you_mean

if TYPE_CHECKING:
    import pandas as pd

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)
SAMPLE_ROWS = 5_000  # that are looked at where something is guessed


@dataclass(frozen=True)
class Columns:
    """The columns of a table that carry the text, the label and, if there is one, the split.

    Where labels are about pairs of texts, `text_pair` carries the second one.
    """

    text: str
    label: str
    split: str | None = None
    text_pair: str | None = None

    @property
    def named(self) -> tuple[str, ...]:
        """All of them."""
        names = (self.text, self.label, self.split, self.text_pair)
        return tuple(name for name in names if name is not None)

    @property
    def texts(self) -> tuple[str, ...]:
        """Those of texts, one or two."""
        return (self.text,) if self.text_pair is None else (self.text, self.text_pair)

    def as_dict(self) -> dict[str, str | None]:
        """Return them for ``run.json``; single texts as in earlier runs."""
        pair = {} if self.text_pair is None else {"text_pair": self.text_pair}
        return {"text": self.text, "label": self.label, "split": self.split, **pair}


def expect_columns(frame: pd.DataFrame, names: Iterable[str]) -> None:
    """Raise a DataError unless ``frame`` has all columns of these names."""
    if missing := sorted(set(names) - set(frame.columns)):
        hint = did_you_mean(missing[0], column_names(frame), pick_from(frame))
        raise DataError(f"There is no column {quoted(missing)}.", hint)


def check_columns(frame: pd.DataFrame, columns: Columns) -> None:
    """Raise a DataError unless ``frame`` has all of ``columns`` and they differ."""
    expect_columns(frame, columns.named)
    if len(set(columns.named)) < len(columns.named):
        raise DataError("Texts, label and split must be different columns.", pick_from(frame))


def pick_from(frame: pd.DataFrame) -> str:
    """Return the hint that lists the columns that can be picked."""
    return f"Choose from the columns of the file: {quoted(column_names(frame), 20)}."


def column_names(frame: pd.DataFrame) -> list[str]:
    """Return the names of the columns in their order."""
    return [str(name) for name in frame.columns]


def same_name(frame: pd.DataFrame, name: str, taken: Iterable[str] = ()) -> str | None:
    """Return the column of this name, else the only one that is written a little differently.

    Parameters
    ----------
    frame : DataFrame
    name : str
        In another file: "Text" and "text", "class_label" and "class label" are one name.
    taken : iterable of str
        Columns that are something else.
    """
    names = [other for other in column_names(frame) if other not in set(taken)]
    if name in names:
        return name
    alike = [other for other in names if plain_name(other) == plain_name(name)]
    return alike[0] if len(alike) == 1 else None


def plain_name(name: str) -> str:
    """Return what names of columns have in common that differ in case, spaces or "_"."""
    return re.sub(r"[\W_]+", "", name.casefold())


def name_score(name: str, usual: str) -> int:
    """Return 2 if the whole name of a column is a usual one, 1 if a word of it is, else 0.

    Parameters
    ----------
    name : str
    usual : str
        A regular expression (verbose) for usual names in lower case.
    """
    words = re.findall(r"[^\W_]+", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).casefold())
    pattern = re.compile(usual, re.VERBOSE)
    return 2 if pattern.fullmatch("".join(words)) else int(any(map(pattern.fullmatch, words)))


def has_word(name: str, usual: str) -> bool:
    """Tell whether the name of a column, or a word of it, is a usual one."""
    return name_score(name, usual) > 0
