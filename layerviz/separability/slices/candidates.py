"""Which slices of the examples are looked at: values of columns, and ranges of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.separability.slices.comparing import LEAST_IN_SLICE, can_be_compared
from layerviz.wording import count, cut_to, enumeration

MOST_VALUES = 20  # of a column, the most frequent ones; and numbers that are taken as values
FEW_NUMBERS = 6  # different numbers, each of which is a slice
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)  # that part numbers into ranges; ends are of interest
MOST_SLICES = 100  # the more are looked at, the larger a difference must be to count
LONGEST_VALUE = 60  # characters of it in a name
MOST_NAMED = 4  # columns of which nothing can be told, by their names
EMPTY = "(empty)"


def _number(value: float) -> str:
    return (f"{value:.0f}" if value == int(value) else f"{value:.4g}").replace("-", "−")


def _day(value: float) -> str:
    return str(np.datetime64(int(value), "s").astype("datetime64[D]"))


@dataclass(frozen=True)
class Scale:
    """How ranges of numbers are named.

    Parameters
    ----------
    write : callable
        Returns a number as people write it.
    below, above : str
        What follows "or" in a range that is open at one end.
    """

    write: Callable[[float], str]
    below: str
    above: str


NUMBERS, DATES = Scale(_number, "less", "more"), Scale(_day, "earlier", "later")


@dataclass(frozen=True)
class Slice:
    """Some examples that have something in common.

    Parameters
    ----------
    column : str
        Of which they share a value or a range; with others, if those part the examples alike.
    value : str
        That value in words.
    members : ndarray of shape (n,), bool
    """

    column: str
    value: str
    members: np.ndarray

    @property
    def name(self) -> str:
        """What it is called: "source: forum"."""
        return f"{self.column}: {self.value}"


@dataclass(frozen=True)
class Candidates:
    """The slices that are looked at, and what was left out.

    Parameters
    ----------
    slices : tuple of Slice
    notes : tuple of str
        Sentences about what was left out.
    """

    slices: tuple[Slice, ...]
    notes: tuple[str, ...]

    @property
    def members(self) -> np.ndarray:
        """Which examples are in each slice, (S, n), bool."""
        return np.array([one.members for one in self.slices], dtype=bool)


def candidate_slices(columns: pd.DataFrame, rows: np.ndarray, labels: np.ndarray) -> Candidates:
    """Return the slices of some examples that can be told from what is outside of them.

    Parameters
    ----------
    columns : DataFrame
        N rows, a column for each thing by which to part the examples: numbers or texts.
    rows : ndarray of shape (N,), bool
        The n examples that are looked at. Ranges are those of all N, so that they are the same
        for every split.
    labels : ndarray of shape (n,)
        Class indices, of those that are looked at.
    """
    found: dict[bytes, Slice] = {}
    undivided, cut = [], []
    n_unlike = n_alike = 0
    for column in columns.columns:
        name = cut_to(str(column), LONGEST_VALUE)
        large = list(_parts_of(columns[column], rows))
        if not large:
            undivided.append(name)
            continue
        if len(large) > MOST_VALUES:
            cut.append(f"“{name}”, the {MOST_VALUES} most frequent of {len(large):,} values")
            large = sorted(large, key=lambda part: -part[1].sum())[:MOST_VALUES]
        for value, members in large:
            if len(labels) - members.sum() < LEAST_IN_SLICE:
                continue
            if not can_be_compared(members[None], labels)[0]:
                n_unlike += 1
                continue
            key = np.packbits(members).tobytes()
            n_alike += key in found
            one = Slice(name, value, members)
            found[key] = _joined(found[key], one) if key in found else one
    slices = list(found.values())
    notes = [*_notes_of_columns(undivided, cut), *_notes_of_slices(n_unlike, n_alike)]
    if len(slices) > MOST_SLICES:
        notes.append(f"The {MOST_SLICES} largest of {len(slices):,} slices are looked at.")
        by_size = sorted(slices, key=lambda one: -min(one.members.sum(), (~one.members).sum()))
        kept = {id(one) for one in by_size[:MOST_SLICES]}
        slices = [one for one in slices if id(one) in kept]
    return Candidates(tuple(slices), tuple(notes))


def _joined(one: Slice, other: Slice) -> Slice:
    """Return a slice under two names, as both columns part the examples alike."""
    return Slice(f"{one.name}; {other.column}", other.value, one.members)


def _notes_of_columns(undivided: list[str], cut: list[str]) -> Iterator[str]:
    if undivided:
        names = enumeration([f"“{name}”" for name in undivided[:MOST_NAMED]])
        if len(undivided) > MOST_NAMED:
            names = count(len(undivided), "column")
        has = "has" if len(undivided) == 1 else "have"
        yield f"{names} {has} no value that {LEAST_IN_SLICE} examples share."
    if cut:
        yield f"Of {'; of '.join(cut)} are looked at."


def _notes_of_slices(n_unlike: int, n_alike: int) -> Iterator[str]:
    if n_unlike:
        verb = "is" if n_unlike == 1 else "are"
        yield (
            f"{count(n_unlike, 'slice')} {verb} left out: too few examples of the same classes "
            "lie on the other side."
        )
    if n_alike:
        verb, shown = ("holds", "is") if n_alike == 1 else ("hold", "are")
        yield (
            f"{count(n_alike, 'slice')} {verb} the same examples as another one and {shown} shown "
            "with it."
        )


def _parts_of(column: pd.Series, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the values or ranges of a column that enough of the rows have, and which do, (n,)."""
    scale = DATES if pd.api.types.is_datetime64_any_dtype(column) else NUMBERS
    numbers = _as_numbers(column)
    if numbers is None:
        texts = column.astype(str).str.strip().to_numpy(dtype=object)
        is_empty = column.isna().to_numpy(dtype=bool) | (texts == "")
        parts = _values_of(texts, ~is_empty & rows)
    else:
        is_empty = column.isna().to_numpy(dtype=bool)
        few = len(np.unique(numbers[~np.isnan(numbers)])) <= FEW_NUMBERS
        parts = _single_numbers(numbers, scale) if few else _ranges_of(numbers, scale)
    for name, members in parts:
        if members[rows].sum() >= LEAST_IN_SLICE:
            yield name, members[rows]
    if is_empty[rows].sum() >= LEAST_IN_SLICE:
        yield EMPTY, is_empty[rows]


def _values_of(texts: np.ndarray, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the values that enough of the rows have, and all rows that do, (N,)."""
    codes, values = pd.factorize(pd.Series(texts, dtype=object).where(rows))
    counts = np.bincount(codes[codes >= 0], minlength=len(values))  # −1 is another row
    for code in np.flatnonzero(counts >= LEAST_IN_SLICE).tolist():
        yield cut_to(str(values[code]), LONGEST_VALUE), codes == code


def _as_numbers(column: pd.Series) -> np.ndarray | None:
    """Return a column of numbers or dates as float64, NaN where it is empty; None of others."""
    if pd.api.types.is_datetime64_any_dtype(column):
        seconds = column.to_numpy(dtype="datetime64[s]")
        return np.where(column.isna(), np.nan, seconds.astype("int64").astype(float))
    if pd.api.types.is_bool_dtype(column) or not pd.api.types.is_numeric_dtype(column):
        return None
    numbers = column.to_numpy(dtype=float, na_value=np.nan)
    return np.where(np.isinf(numbers), np.nan, numbers)


def _single_numbers(numbers: np.ndarray, scale: Scale) -> Iterator[tuple[str, np.ndarray]]:
    for value in np.unique(numbers[~np.isnan(numbers)]):
        yield scale.write(value), numbers == value


def _ranges_of(numbers: np.ndarray, scale: Scale) -> Iterator[tuple[str, np.ndarray]]:
    """Yield ranges between quantiles; each begins and ends with a number that occurs."""
    occurring = np.unique(numbers[~np.isnan(numbers)])
    # The lower neighbour is a number that occurs, and the range that it ends holds it.
    ends = np.unique(np.nanquantile(numbers, QUANTILES, method="lower"))
    for start, end in zip([-np.inf, *ends], [*ends, np.inf], strict=True):
        inside = occurring[(occurring > start) & (occurring <= end)]
        if not len(inside):
            continue
        first, last = scale.write(inside[0]), scale.write(inside[-1])
        name = first if first == last else f"{first} to {last}"
        if np.isinf(end):
            name = f"{first} or {scale.above}"
        elif np.isinf(start):
            name = f"{last} or {scale.below}"
        yield name, (numbers > start) & (numbers <= end)
