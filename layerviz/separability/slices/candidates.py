"""Which slices of the examples are looked at: values of columns, and ranges of numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain

import numpy as np
import pandas as pd

from layerviz.data import moment_in_words, numbers_on_scale
from layerviz.separability.slices.comparing import LEAST_IN_SLICE, can_be_compared
from layerviz.wording import NO_VALUE, count, cut_to, enumeration, told_apart

MOST_VALUES = 20  # of a column, the most frequent ones; and numbers that are taken as values
FEW_NUMBERS = 6  # different numbers, each of which is a slice
QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)  # that part numbers into ranges; ends are of interest
MOST_SLICES = 100  # the more are looked at, the larger a difference must be to count
LONGEST_VALUE = 60  # characters of it in a name
MOST_IN_DIGITS = 1e15  # from which on a number is written as a power of ten
MOST_NAMED = 4  # columns of which nothing can be told, by their names


def _number(value: float, digits: int) -> str:
    in_digits = value == int(value) and abs(value) < MOST_IN_DIGITS
    return (f"{value:.0f}" if in_digits else f"{value:.{digits}g}").replace("-", "−")


@dataclass(frozen=True)
class Scale:
    """How ranges of numbers are named.

    Parameters
    ----------
    ways : tuple of callable
        Each returns a number as people write it, the shortest way first.
    below, above : str
        What follows "or" in a range that is open at one end.
    """

    ways: tuple[Callable[[float], str], ...]
    below: str
    above: str

    def way_for(self, *groups: Iterable[float]) -> Callable[[float], str]:
        """Return the shortest way that tells apart the numbers of each group."""
        different = [set(group) for group in groups]
        for way in self.ways:
            if all(len(set(map(way, group))) == len(group) for group in different):
                return way
        return self.ways[-1]


NUMBERS = Scale(tuple(partial(_number, digits=n) for n in (4, 6, 9, 17)), "less", "more")
DATES = Scale(
    tuple(partial(moment_in_words, unit=unit) for unit in ("D", "m", "s", "us")),
    "earlier",
    "later",
)


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
        Of different names.
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
    names = told_apart([cut_to(str(column), LONGEST_VALUE) for column in columns.columns])
    for name, column in zip(names, columns.columns, strict=True):
        large = _parts_of(columns[column], rows)
        if not large:
            undivided.append(name)
            continue
        if len(large) > MOST_VALUES:
            cut.append(f"“{name}”, the {MOST_VALUES} most frequent of {len(large):,} values")
            large = sorted(large, key=lambda part: -part[1].sum())[:MOST_VALUES]
        large = [part for part in large if len(labels) - part[1].sum() >= LEAST_IN_SLICE]
        if not large:
            continue
        comparable = can_be_compared(np.array([part[1] for part in large]), labels)
        for (value, members), is_comparable in zip(large, comparable, strict=True):
            if not is_comparable:
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
    # Value "c" of column "a: b" reads like value "b: c" of column "a".
    distinct = told_apart([one.name for one in slices])
    slices = [
        replace(one, value=f"{one.value}{name[len(one.name) :]}")
        for one, name in zip(slices, distinct, strict=True)
    ]
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


def _parts_of(column: pd.Series, rows: np.ndarray) -> list[tuple[str, np.ndarray]]:
    """Return the values or ranges of a column that enough of the rows have, and which do, (n,).

    Their names differ.
    """
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
    of_rows = ((name, members[rows]) for name, members in chain(parts, [(NO_VALUE, is_empty)]))
    large = [part for part in of_rows if part[1].sum() >= LEAST_IN_SLICE]
    names = told_apart([name for name, _ in large])  # a value may read "no value"
    return [(name, members) for name, (_, members) in zip(names, large, strict=True)]


def _values_of(texts: np.ndarray, rows: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    """Yield the values that enough of the rows have, and all rows that do, (N,)."""
    codes, values = pd.factorize(pd.Series(texts, dtype=object).where(rows))
    counts = np.bincount(codes[codes >= 0], minlength=len(values))  # −1 is another row
    large = np.flatnonzero(counts >= LEAST_IN_SLICE).tolist()
    in_order = sorted(large, key=lambda code: str(values[code]))  # whichever a split has first
    cut = told_apart([cut_to(str(values[code]), LONGEST_VALUE) for code in in_order])
    names = dict(zip(in_order, cut, strict=True))
    for code in large:
        yield names[code], codes == code


def _as_numbers(column: pd.Series) -> np.ndarray | None:
    """Return a column of numbers or dates as float64, NaN where it is empty; None of others."""
    is_date = pd.api.types.is_datetime64_any_dtype(column)
    is_number = pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)
    if not (is_date or is_number):
        return None
    numbers = numbers_on_scale(column)
    return np.where(np.isinf(numbers), np.nan, numbers)


def _single_numbers(numbers: np.ndarray, scale: Scale) -> Iterator[tuple[str, np.ndarray]]:
    values = np.unique(numbers[~np.isnan(numbers)])
    write = scale.way_for(values)
    for value in values:
        yield write(value), numbers == value


def _ranges_of(numbers: np.ndarray, scale: Scale) -> Iterator[tuple[str, np.ndarray]]:
    """Yield ranges between quantiles; each begins and ends with a number that occurs."""
    occurring = np.unique(numbers[~np.isnan(numbers)])
    # The lower neighbour is a number that occurs, and the range that it ends holds it.
    ends = np.unique(np.nanquantile(numbers, QUANTILES, method="lower"))
    ranges = []
    for start, end in zip([-np.inf, *ends], [*ends, np.inf], strict=True):
        inside = occurring[(occurring > start) & (occurring <= end)]
        if len(inside):
            ranges.append((start, end, inside[0], inside[-1]))
    both = [of_range[2:] for of_range in ranges]
    write = scale.way_for(*zip(*both, strict=True), *both)
    for start, end, *of_range in ranges:
        first, last = map(write, of_range)
        name = first if first == last else f"{first} to {last}"
        if np.isinf(end):
            name = f"{first} or {scale.above}"
        elif np.isinf(start):
            name = f"{last} or {scale.below}"
        yield name, (numbers > start) & (numbers <= end)
