"""Further columns of the data, beside text, label, split and id: which are kept, what they hold."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from layerviz.config import COLOURINGS
from layerviz.data.columns import Columns, column_names, plain_name
from layerviz.data.labels import without_label
from layerviz.data.naming import OWN_ID
from layerviz.data.reading import Table
from layerviz.data.wording import quoted
from layerviz.wording import count, free_name, quote

MOST_COLUMNS = 50  # that are kept; those with the shortest cells where there are more
MOST_LETTERS = 64 * 2**20  # of all cells that are kept
MOST_VALUES = 200  # different ones of a category
MOST_NAMED = 20  # columns that a note names
EXAMPLE_COLUMNS = ("id", "split", "text", "label", OWN_ID)  # of examples, which are no further ones
# What tables of examples and pickers of colours call their own, so that one word is one thing.
_TAKEN = {
    *EXAMPLE_COLUMNS, *COLOURINGS, "predicted", "loss", "example", "row", "layer", "snapshot",
    "epoch", "x", "y", "suggested", "rank", "similarity",
}  # fmt: skip

Kind = Literal["number", "date", "category", "text"]


@dataclass(frozen=True)
class FurtherColumn:
    """A further column of some examples.

    Parameters
    ----------
    name : str
        Its name among the columns of the examples.
    kind : {"number", "date", "category", "text"}
        ``number`` and ``date`` (ISO 8601) where all cells are that and three or more differ;
        ``category`` where values recur and are few, see `further_columns`; else ``text``.
    values : tuple of str
        Those of a category, the most frequent one first; empty otherwise.
    n_missing : int
        Cells without a value.
    """

    name: str
    kind: Kind
    values: tuple[str, ...]
    n_missing: int

    @property
    def is_scale(self) -> bool:
        """Whether its values lie on a scale from low to high."""
        return self.kind in ("number", "date")

    def of(self, examples: pd.DataFrame) -> pd.Series:
        """Return its values under the index of the examples.

        Returns
        -------
        Series
            float64 (NaN where missing) of a number; datetime64 in UTC (NaT) of a date; else str,
            without space around it ("" where missing).
        """
        return typed_cells(examples[self.name], self.kind)

    def on_scale(self, examples: pd.DataFrame) -> np.ndarray:
        """Return the numbers, or the seconds since 1970 of dates: float64 of shape (N,), or NaN."""
        return numbers_on_scale(self.of(examples))


def numbers_on_scale(values: pd.Series) -> np.ndarray:
    """Return numbers, or the seconds since 1970 of dates in UTC: float64 of shape (N,), or NaN."""
    if pd.api.types.is_datetime64_any_dtype(values):
        # Timestamp(0) counts nanoseconds, which end in 2262.
        values = (values - pd.Timestamp("1970-01-01", tz="UTC")).dt.total_seconds()
    return values.to_numpy(dtype=np.float64, na_value=np.nan)


def moment_in_words(seconds: float, unit: Literal["D", "m", "s", "us"] = "D") -> str:
    """Return the day of a date on its scale, or what is as exact as that: "2026-05-02 14:30"."""
    moment = np.datetime64(math.floor(seconds * 1e6), "us")
    return str(np.datetime_as_string(moment, unit=unit, casting="unsafe")).replace("T", " ")


def further_names(examples: pd.DataFrame) -> tuple[str, ...]:
    """Return the names of the further columns of examples, in their order."""
    return tuple(name for name in column_names(examples) if name not in EXAMPLE_COLUMNS)


def further_columns(examples: pd.DataFrame) -> tuple[FurtherColumn, ...]:
    """Return the further columns of the examples of a data set or a run, and what they hold.

    A cell is missing where it is empty or says so (``nan``, ``NA``, ``NULL`` and the like; among
    numbers and dates also ``-``, ``?`` and ``None``). A column is a category if it has at most 200
    different values and at most a third as many as cells that are not missing.

    Parameters
    ----------
    examples : DataFrame
        As of `Dataset.examples` or `runs.read_examples`.
    """
    return tuple(_described(name, examples[name]) for name in further_names(examples))


def typed_cells(cells: pd.Series, kind: Kind) -> pd.Series:
    """Return the cells (str) of a column as what they are, see `FurtherColumn.of`."""
    bare = cells.astype("str").str.strip()
    if kind == "number":
        return pd.to_numeric(bare, errors="coerce").astype("float64")
    if kind == "date":
        return pd.to_datetime(bare, errors="coerce", format="ISO8601", utc=True)
    return bare.mask(without_label(bare, surely=True), "")


def _described(name: str, cells: pd.Series) -> FurtherColumn:
    words = typed_cells(cells, "text")
    counts = words[words != ""].value_counts()
    scale = _scale_of(pd.Series(counts.index, dtype="str"))
    if scale is not None:
        n_values = int(typed_cells(cells, scale).notna().sum())
        return FurtherColumn(name, scale, (), len(cells) - n_values)
    n_values = int(counts.sum())
    n_missing = len(cells) - n_values
    if len(counts) <= min(MOST_VALUES, n_values / 3):
        by_count = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
        return FurtherColumn(
            name, "category", tuple(str(value) for value, _ in by_count), n_missing
        )
    return FurtherColumn(name, "text", (), n_missing)


def _scale_of(values: pd.Series) -> Kind | None:
    """Return "number" or "date" if all of some different values are that, else None."""
    values = values[~without_label(values)]
    if len(values) < 3 or values.str.match(r"[+-]?0\d").any():  # 0123 is a code
        return None
    as_numbers = typed_cells(values, "number")
    if np.isfinite(as_numbers).all():
        return "number"
    is_day = values.str.match(r"\d{4}-\d{2}(-\d{2}|$)")
    return "date" if is_day.all() and typed_cells(values, "date").notna().all() else None


def names_beside(names: Iterable[str], taken: Collection[str]) -> dict[str, str]:
    """Return what columns of the data are called beside others: "… of the file" if need be.

    Parameters
    ----------
    names : iterable of str
        Different ones.
    taken : collection of str
        What the other columns are called; capital letters make no difference.
    """
    names = list(names)
    others = {name.casefold() for name in taken}
    used = others | {name.casefold() for name in names}
    result = {}
    for name in names:
        result[name] = name
        if name.casefold() in others:
            # Names are compared in lower case, yet stand as the data write them.
            beside = f"{name} of the file"
            free = free_name(beside.casefold(), used)
            result[name] = f"{beside}{free[len(beside.casefold()) :]}"
            used.add(free)
    return result


def lacking_columns(captured: pd.DataFrame, examples: pd.DataFrame) -> str:
    """Say that a run was made without further columns which its data have now; "" if it was not.

    Parameters
    ----------
    captured : DataFrame
        The examples of the run.
    examples : DataFrame
        Those of the data.
    """
    lacking = [name for name in further_names(examples) if name not in captured]
    if not lacking:
        return ""
    which = "it" if len(lacking) == 1 else "them"
    return (
        f"This run was made without {quoted(lacking)}, which the data have now. To colour and "
        f"filter by {which}, delete the run and fine-tune again."
    )


# --- which are kept -------------------------------------------------------------------------


def kept_columns(
    tables: Mapping[str, Table],
    columns_of: Mapping[str, Columns],
    but: Collection[str],
    rows: np.ndarray,
) -> tuple[pd.DataFrame, list[str]]:
    """Return the further columns of the rows that are used, and what is to be said of them.

    Of more than 50 columns, or 64 million letters, those with the shortest cells are kept. A column
    that a file lacks is empty there; one that is empty everywhere is not kept.

    Parameters
    ----------
    tables, columns_of : mapping of str to Table and to Columns
        By the role of the file.
    but : collection of str
        Columns that are taken for something else: of ids, or of labels side by side.
    rows : ndarray of shape (n,)
        The rows that are used, where the files stand one after another.

    Returns
    -------
    DataFrame, list of str
        n rows of str, under the names that they have among the examples; notes.
    """
    places = _places(tables, columns_of, but)
    letters = {name: _letters(tables, of_role) for name, of_role in places.items()}
    kept: dict[str, pd.Series] = {}
    room, left_out, empty = MOST_LETTERS, [], []
    for name in sorted(places, key=lambda name: letters[name]):
        if letters[name] > room or len(kept) == MOST_COLUMNS:
            left_out.append(name)
            continue
        cells = _cells(tables, places[name]).iloc[rows].reset_index(drop=True)
        if not (cells.str.strip() != "").any():
            empty.append(name)
            continue
        kept[name] = cells
        room -= letters[name]
    in_order = [name for name in places if name in kept]
    names = names_beside(in_order, _TAKEN)
    frame = pd.DataFrame({names[name]: kept[name] for name in in_order}, dtype="str")
    return frame, list(_notes(names, left_out, [name for name in places if name in empty]))


def _places(
    tables: Mapping[str, Table], columns_of: Mapping[str, Columns], but: Collection[str]
) -> dict[str, dict[str, str]]:
    """Return by the name of each further column what it is called in each file that has it."""
    places: dict[str, dict[str, str]] = {}
    split = columns_of["train"].split
    for role, table in tables.items():
        taken = {*columns_of[role].named, *but, *([split] if split else [])}
        free = [name for name in column_names(table.frame) if name not in taken]
        same = {name: name for name in free if name in places}
        same |= _written_otherwise(
            [name for name in free if name not in same], set(places) - set(same)
        )
        for name in free:
            places.setdefault(same.get(name, name), {})[role] = name
    return places


def _written_otherwise(names: Iterable[str], others: Iterable[str]) -> dict[str, str]:
    """Return which of some names is which other one, written a little differently."""
    by_plain_name = [pd.Series(list(them), dtype="str") for them in (names, others)]
    mine, theirs = (
        them.groupby(them.map(plain_name)).agg(list).loc[lambda lists: lists.map(len) == 1]
        for them in by_plain_name
    )
    return {mine[plain][0]: theirs[plain][0] for plain in mine.index if plain in theirs.index}


def _letters(tables: Mapping[str, Table], of_role: Mapping[str, str]) -> int:
    return sum(int(tables[role].frame[name].str.len().sum()) for role, name in of_role.items())


def _cells(tables: Mapping[str, Table], of_role: Mapping[str, str]) -> pd.Series:
    """Return the cells of a column in all files, one after another; "" where it is not."""
    parts = [
        table.frame[of_role[role]]
        if role in of_role
        else pd.Series("", index=table.frame.index, dtype="str")
        for role, table in tables.items()
    ]
    return parts[0] if len(parts) == 1 else pd.concat(parts, ignore_index=True)


def _notes(names: Mapping[str, str], left_out: list[str], empty: list[str]) -> Iterable[str]:
    if names:
        yield f"Kept beside text and label: {quoted(names.values(), MOST_NAMED)}."
    renamed = {name: own for name, own in names.items() if name != own}
    if renamed:
        pairs = list(renamed.items())[:MOST_NAMED]
        parts = [f"{quote(name)} is kept as {quote(own)}" for name, own in pairs]
        if len(renamed) > MOST_NAMED:
            parts.append(f"and {len(renamed) - MOST_NAMED:,} more")
        yield f"Names that layerviz uses itself: {', '.join(parts)}."
    if left_out:
        why = f"at most {MOST_COLUMNS}, and {MOST_LETTERS // 2**20} million letters, are kept"
        yield (
            f"{count(len(left_out), 'further column')} {'is' if len(left_out) == 1 else 'are'} not "
            f"kept ({why}, those with the shortest cells): {quoted(left_out, MOST_NAMED)}."
        )
    if empty:
        yield f"Not kept, as every cell is empty: {quoted(empty, MOST_NAMED)}."
