"""Maps that are coloured by a further column of the data: which colour is which value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz import charts
from layerviz.config import COLOURINGS
from layerviz.data import FurtherColumn, moment_in_words
from layerviz.views.legends import Legend
from layerviz.wording import NO_VALUE, count, cut_to

MOST_LETTERS = 60  # of a name or a value in a legend
ENDS = (2, 98)  # percentiles between which a scale runs, so that no outlier darkens all others
LOG_FROM = 100  # how many times the high end is the low one, from which on the scale is logarithmic
MOST_IN_DIGITS = 1e12  # from which on a number is written as a power of ten


@dataclass(frozen=True)
class ColumnColours:
    """The colours of a further column, the same for all examples of a run.

    Parameters
    ----------
    column : FurtherColumn
        No text.
    low, high : float
        The ends of the scale of a number or a date (seconds since 1970).
    is_log : bool
        Whether the scale is logarithmic.
    low_name, high_name : str
        The ends in words.
    """

    column: FurtherColumn
    low: float = 0.0
    high: float = 0.0
    is_log: bool = False
    low_name: str = ""
    high_name: str = ""

    @property
    def title(self) -> str:
        """Its name, as long as a legend has room for."""
        return short_line(self.column.name)

    @property
    def coloured(self) -> tuple[str, ...]:
        """The values of a category with colours of their own, the most frequent ones."""
        return self.column.values[: len(charts.VALUE_COLOURS)]

    def codes(self, examples: pd.DataFrame) -> np.ndarray:
        """Return the index of each example's colour in `charts.PALETTE`, uint8 of shape (N,)."""
        if self.column.name not in examples:  # of a run that was made without it
            return np.full(len(examples), charts.MISSING_CODE, dtype=np.uint8)
        if self.column.is_scale:
            return self._codes_on_scale(self.column.on_scale(examples))
        cells = self.column.of(examples)
        codes = {value: charts.VALUE_CODE + at for at, value in enumerate(self.coloured)}
        mapped = cells.map(codes | {"": charts.MISSING_CODE}).fillna(charts.OTHER_CODE)
        return mapped.to_numpy(dtype=np.uint8)

    def _codes_on_scale(self, numbers: np.ndarray) -> np.ndarray:
        low, high = np.log([self.low, self.high]) if self.is_log else (self.low, self.high)
        values = np.clip(np.nan_to_num(numbers, nan=self.low), self.low, self.high)
        part = ((np.log(values) if self.is_log else values) - low) / (high - low)
        steps = len(charts.NUMBER_RAMP)
        codes = charts.NUMBER_CODE + (part * steps).astype(int).clip(0, steps - 1)
        return np.where(np.isnan(numbers), charts.MISSING_CODE, codes).astype(np.uint8)

    def legend(self) -> Legend:
        """Return what the colours mean."""
        names = map(short_line, self.coloured)
        entries = list(zip(names, charts.VALUE_COLOURS, strict=False))
        if n_others := len(self.column.values) - len(self.coloured):
            entries.append((count(n_others, "other value"), charts.OTHER_COLOUR))
        if self.column.n_missing:
            entries.append((NO_VALUE, charts.MISSING_COLOUR))
        if not self.column.is_scale:
            return Legend(self.title, tuple(entries))
        title = f"{self.title} (log scale)" if self.is_log else self.title
        ramp = charts.Ramp(charts.NUMBER_RAMP, self.low_name, self.high_name)
        return Legend(title, tuple(entries), ramp)

    def values_in_words(self, examples: pd.DataFrame) -> list[str]:
        """Return what is said of each example, as it is written in the data."""
        if self.column.name not in examples:
            return [NO_VALUE] * len(examples)
        cells = examples[self.column.name].astype("str").str.strip()
        return [short_line(cell) or NO_VALUE for cell in cells.tolist()]


def column_colours(column: FurtherColumn, examples: pd.DataFrame) -> ColumnColours:
    """Return the colours of a further column.

    A category gives its most frequent values colours of their own. The scale of a number or a date
    runs from the 2nd to the 98th percentile of the captured examples; it is logarithmic where the
    one is more than 0 and the other at least 100 times as large.

    Parameters
    ----------
    column : FurtherColumn
        No text.
    examples : DataFrame
        All that were captured.
    """
    if not column.is_scale:
        return ColumnColours(column)
    numbers = column.on_scale(examples)
    numbers = numbers[~np.isnan(numbers)]
    # Ends are values that there are: no half of a year of birth.
    low = float(np.percentile(numbers, ENDS[0], method="lower"))
    high = float(np.percentile(numbers, ENDS[1], method="higher"))
    if low == high:
        low, high = float(numbers.min()), float(numbers.max())
    is_log = column.kind == "number" and low > 0 and high >= LOG_FROM * low
    beyond = ("≤ " if numbers.min() < low else "", "≥ " if numbers.max() > high else "")
    names = [
        f"{sign}{in_words(column, end)}" for sign, end in zip(beyond, (low, high), strict=True)
    ]
    return ColumnColours(column, low, high, is_log, *names)


def colourings(columns: Iterable[FurtherColumn]) -> list[str]:
    """Return all by which points can be coloured: our own, and further columns but free texts."""
    return [*COLOURINGS, *(column.name for column in columns if column.kind != "text")]


def short_line(text: str) -> str:
    """Return a name or a value in one line, cut to what a legend has room for."""
    return cut_to(text, MOST_LETTERS)


def in_words(column: FurtherColumn, number: float) -> str:
    """Return a value of a column that is a scale, as `FurtherColumn.on_scale` gives it."""
    if column.kind == "date":
        return moment_in_words(number)
    if abs(number) >= MOST_IN_DIGITS:
        return f"{number:.3g}"
    if number == round(number) or abs(number) >= 1000:
        return f"{number:.0f}" if abs(number) < 10_000 else f"{number:,.0f}"
    return f"{number:.3g}"
