"""Examples filtered by a further column of the data: which ones, and how that is said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.data import FurtherColumn
from layerviz.views.colouring import in_words, short_line
from layerviz.wording import NO_VALUE, enumeration

MOST_NAMED = 4  # values


@dataclass(frozen=True)
class ColumnFilter:
    """What is asked of a further column; what is left open lets every example pass.

    Parameters
    ----------
    column : FurtherColumn
    values : tuple of str
        Of a category, any of which will do; "" for no value.
    low, high : float or None
        Of a number or a date (seconds since 1970), both included.
    words : str
        That a text holds, in any case.
    """

    column: FurtherColumn
    values: tuple[str, ...] = ()
    low: float | None = None
    high: float | None = None
    words: str = ""

    @property
    def is_open(self) -> bool:
        """Whether nothing is asked."""
        return not self.values and self.low is None and self.high is None and not self.words

    def matching(self, examples: pd.DataFrame) -> np.ndarray:
        """Return which examples pass, bool of shape (N,); those without a value lie in no range."""
        if self.is_open:
            return np.ones(len(examples), dtype=bool)
        if self.column.is_scale:
            numbers = self.column.on_scale(examples)
            low = -np.inf if self.low is None else self.low
            high = np.inf if self.high is None else self.high
            return (numbers >= low) & (numbers <= high)
        cells = self.column.of(examples)
        if self.column.kind == "category":
            return cells.isin(self.values).to_numpy(dtype=bool)
        return cells.str.contains(self.words, case=False, regex=False).to_numpy(dtype=bool)

    def in_words(self) -> str:
        """Say what is asked: "channel is phone or chat", "age is 30 to 40"."""
        name = short_line(self.column.name)
        if self.column.kind == "text":
            return f"{name} holds “{short_line(self.words)}”"
        if self.column.kind == "category":
            named = [short_line(value) or NO_VALUE for value in self.values[:MOST_NAMED]]
            if more := len(self.values) - len(named):
                named.append(f"{more} more")
            return f"{name} is {enumeration(named, 'or')}"
        ends = [
            None if end is None else in_words(self.column, end) for end in (self.low, self.high)
        ]
        match ends:
            case [str(low), str(high)]:
                return f"{name} is {low} to {high}"
            case [str(low), None]:
                return f"{name} is at least {low}"
            case _:
                return f"{name} is at most {ends[1]}"
