"""Labels of which a row has several: lists, "bike;cake", and columns of 0 and 1."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from layerviz.data.columns import SAMPLE_ROWS, column_names, has_word
from layerviz.data.wording import quoted
from layerviz.errors import DataError
from layerviz.wording import count, quote

if TYPE_CHECKING:
    import pandas as pd

_SEPARATORS = ";|,/+&"
_RECUR = 0.8  # of the parts of labels, in several labels, for the labels to be combinations
_LEAST_ROWS = 0.02  # of the rows, with several labels
_LIST = re.compile(r"\[(.*)\]", re.DOTALL)
_VECTOR_MARKS = re.compile(r"\s*[,;|]\s*|\s+")
_DECIMAL = re.compile(r"[+-]?\d+,\d+")
_YES = {"1", "1.0", "true", "yes"}
_NO = {"0", "0.0", "false", "no"}
_FEATURE = "is|has|contains|num|n"  # begins the name of a column that says something else
WHY_ONE = (
    "layerviz tells one class per text apart: one prediction, one colour, pairs of classes that "
    "are confused"
)


@dataclass(frozen=True)
class Combinations:
    """Labels that are combinations of several.

    Parameters
    ----------
    n_rows : int
        Rows with several labels.
    n_labelled : int
        Rows with a label.
    example : str
        Such a label.
    """

    n_rows: int
    n_labelled: int
    example: str


def combinations_in(labels: pd.Series) -> Combinations | None:
    """Return what is found if labels (str) are combinations of several, else None.

    They are where they are lists, or where nearly all parts between ``;``, ``|``, ``,``, ``/``,
    ``+`` or ``&`` are part of several labels, at no fixed place: "Home/Garden" and "en/pos" stay.
    """
    counts = labels[labels != ""].value_counts()
    distinct = [str(label) for label in counts.index]
    several = [label for label in distinct if _LIST.fullmatch(label) and len(_elements(label)) > 1]
    if not several:
        several = next((found for one in _SEPARATORS if (found := _combined(distinct, one))), [])
    n_rows = int(counts[several].sum()) if several else 0
    if n_rows < max(1, _LEAST_ROWS * counts.sum()):
        return None
    return Combinations(n_rows, int(counts.sum()), several[0])


def _combined(labels: Sequence[str], separator: str) -> list[str]:
    """Return the labels that are combinations with this separator."""
    parts = {label: [part.strip() for part in label.split(separator)] for label in labels}
    several = [label for label in labels if len(parts[label]) > 1]
    if not several or not all(all(parts[label]) for label in several):
        return []
    if separator == "," and all(map(_DECIMAL.fullmatch, several)):
        places_after = {label.partition(",")[2] for label in several}
        lengths = set(map(len, places_after))
        if places_after <= {"0", "5"} or (len(lengths) == 1 and lengths != {1}):
            return []  # 1,5 and 2,25: decimal commas
    in_labels: dict[str, int] = {}
    places: dict[str, set[int]] = {}
    for label in labels:
        for place, part in enumerate(parts[label]):
            in_labels[part] = in_labels.get(part, 0) + 1
            places.setdefault(part, set()).add(place)
    of_several = {part for label in several for part in parts[label]}
    recurring = sum(in_labels[part] > 1 for part in of_several)
    same_length = len({len(parts[label]) for label in labels}) == 1
    at_one_place = all(len(places[part]) == 1 for part in of_several)
    if recurring < _RECUR * len(of_several) or (same_length and at_one_place):
        return []
    return several


def without_brackets(labels: pd.Series) -> pd.Series:
    """Return labels (str) with lists of one element replaced by the element, and "[]" by ""."""
    spelling = {}
    for label in labels.unique():
        if label.startswith("[") and _LIST.fullmatch(label) and len(_elements(label)) < 2:
            spelling[label] = "".join(_elements(label))
    return labels.replace(spelling) if spelling else labels


def one_hot_places(labels: pd.Series) -> dict[str, str]:
    """Return by vector, such as "[0 1 0]", the place of its only 1, counted from 0: "1".

    Nothing unless all labels (str) that are there are such vectors of one length. Without brackets
    they have to have three elements: "0,1" may be a number.
    """
    places, lengths = {}, set()
    for label in labels.unique():
        if not label:
            continue
        parts = _elements(label) if _LIST.fullmatch(label) else _VECTOR_MARKS.split(label)
        values = [part.strip().rstrip(".").casefold() for part in parts]
        ones = [place for place, value in enumerate(values) if value in _YES]
        least = 2 if label.startswith("[") else 3
        if len(values) < least or len(ones) != 1 or not set(values) <= _YES | _NO:
            return {}
        places[label] = str(ones[0])
        lengths.add(len(values))
    return places if len(lengths) == 1 and len(places) > 1 else {}


def _elements(label: str) -> list[str]:
    inside = _LIST.fullmatch(label)
    text = inside[1] if inside else label
    if re.search(r"[\"']", text):
        quoted_parts = re.findall(r"\"([^\"]*)\"|'([^']*)'", text)
        return [one or other for one, other in quoted_parts]
    return [part for part in re.split(r"[,\s]+" if "," not in text else r",", text) if part.strip()]


def refuse_combinations(column: str, found: Combinations) -> None:
    """Raise the DataError that says why several labels per row are refused, and what helps."""
    raise DataError(
        f"Column {quote(column)} holds several labels in {found.n_rows:,} of "
        f"{count(found.n_labelled, 'row')}, such as {quote(found.example)}; {WHY_ONE}.",
        "Keep one label per row, or take each combination for a class of its own.",
        ["--combined-labels"],
    )


# --- columns of 0 and 1 -------------------------------------------------------------------------


def zero_one_columns(frame: pd.DataFrame, among: Iterable[str] | None = None) -> list[str]:
    """Return the columns that hold nothing but 0 and 1 (or true and false), and both.

    Those whose names say that they are something else, such as "is_reply", are left out.
    """
    names = column_names(frame) if among is None else list(among)
    head = frame.head(SAMPLE_ROWS)
    names = [name for name in names if _may_be_zero_one(head[name])]
    return [
        name
        for name in names
        if not has_word(name.split("_")[0].split(" ")[0], _FEATURE) and _is_zero_one(frame[name])
    ]


def _values(cells: pd.Series) -> set[str]:
    return set(cells.str.strip().str.casefold().unique())


def _may_be_zero_one(cells: pd.Series) -> bool:
    return _values(cells) <= _YES | _NO


def _is_zero_one(cells: pd.Series) -> bool:
    values = _values(cells)
    return values <= _YES | _NO and bool(values & _YES) and bool(values & _NO)


def ones(frame: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return for each row which of the columns hold a 1; bool."""
    import pandas as pd

    return pd.DataFrame({name: frame[name].str.strip().str.casefold().isin(_YES) for name in names})


def one_hot_columns(frame: pd.DataFrame, label: str, others: Iterable[str]) -> tuple[str, ...]:
    """Return the columns of 0 and 1 of which each row has exactly one 1, `label` among them.

    Parameters
    ----------
    frame : DataFrame
    label : str
    others : iterable of str
        The columns that are neither texts nor splits.
    """
    names = zero_one_columns(frame, others)
    if label not in names or len(names) < 2:
        return ()
    return tuple(names) if bool((ones(frame, names).sum(axis=1) == 1).all()) else ()


def one_hot_labels(frame: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Return for each row the name of the column that holds the 1; "" unless exactly one does."""
    hot = ones(frame, names)
    return hot.idxmax(axis=1).where(hot.sum(axis=1) == 1, "").astype("str")


def several_columns_problem(frame: pd.DataFrame, label: str, names: Sequence[str]) -> str:
    """Return what is wrong if three or more columns of 0 and 1 are labels side by side, else "".

    Details of one label are no labels of their own: columns that hold a 1 only where it does, as
    those beside HS in HatEval.
    """
    if label not in names or len(names) < 3:
        return ""
    hot = ones(frame, names)
    n_ones = hot.sum(axis=1)
    if not (hot.drop(columns=label).any(axis=1) & ~hot[label]).any() or (n_ones == 1).all():
        return ""
    n_several, n_none = int((n_ones > 1).sum()), int((n_ones == 0).sum())
    return (
        f"The columns {quoted(names, 8)} are several labels side by side "
        f"({count(n_several, 'row')} with more than one, {n_none:,} with none); {WHY_ONE}."
    )
