"""Values of other formats -> cells: the str that a CSV of the same rows would hold."""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

import pandas as pd

from layerviz.data.decoding import CONTROL
from layerviz.data.file_format import expect_few_columns
from layerviz.errors import DataError
from layerviz.wording import count, quote

MOST_DIFFERENT_KEYS = 2_000  # records of which each has keys of its own are no table
TWO_COLUMNS = "Give it two columns, text and label."
_CONTROL = f"[{''.join(map(chr, CONTROL))}]"
_MIDNIGHT = " 00:00:00"


def as_cell(value: object) -> str:
    """Return a value as it is written in a CSV: 1 and not 1.0, True, 2024-05-01, "" for nothing.

    Lists and what else has parts become JSON.
    """
    if isinstance(value, str):
        return value
    if value is None or value is pd.NaT:
        return ""
    if isinstance(value, float):
        if not math.isfinite(value):
            return "" if math.isnan(value) else str(value)
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, dt.datetime):
        return value.isoformat(" ").removesuffix(_MIDNIGHT)
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, list | dict | tuple):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def record_frame(
    records: Iterable[Mapping[str, object]], name: str, notes: list[str]
) -> pd.DataFrame:
    """Return records as rows; parts of parts get columns such as "user.name".

    Sentences about what is replaced are added to ``notes``.

    Raises
    ------
    DataError
        If they have too many different keys, or a record has two values for one of them.
    """
    columns: dict[str, list[str]] = {}
    n_rows = n_first = 0
    for record in records:
        for key, value in _leaves(record):
            cells = columns.get(key)
            if cells is None:
                if n_rows and len(columns) >= n_first + MOST_DIFFERENT_KEYS:
                    raise DataError(
                        f"{name} has records with more than {len(columns):,} different keys.",
                        "Give each record the same keys, such as text and label.",
                    )
                expect_few_columns(len(columns) + 1, name)
                cells = columns[key] = []
            if len(cells) > n_rows:
                raise DataError(
                    f"Record {n_rows + 1} of {name} has two values for {quote(key)}.", "Rename one."
                )
            cells.extend([""] * (n_rows - len(cells)))
            cells.append(as_cell(value))
        n_rows += 1
        n_first = n_first or len(columns)
    for cells in columns.values():
        cells.extend([""] * (n_rows - len(cells)))
    return str_frame(columns, notes)


def str_frame(columns: Mapping[str, Sequence[str]], notes: list[str]) -> pd.DataFrame:
    """Return columns of str as a frame of the type that a CSV gives.

    Halves of characters (JSON that was cut has some) are replaced, which is added to ``notes``.
    """
    return pd.DataFrame({name: _str_column(cells, notes) for name, cells in columns.items()})


def _str_column(cells: Sequence[str], notes: list[str]) -> pd.Series:
    try:
        return pd.Series(cells, dtype="str")
    except UnicodeEncodeError:
        whole = [cell.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
                 for cell in cells]  # fmt: skip
        n = sum(old != new for old, new in zip(cells, whole, strict=True))
        notes.append(f"Replaced halves of characters by “�” in {count(n, 'cell')}.")
        return pd.Series(whole, dtype="str")


def _leaves(record: Mapping[str, object], before: str = "") -> Iterator[tuple[str, object]]:
    for key, value in record.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield before + str(key), value


def tidied(frame: pd.DataFrame, name: str, notes: list[str], *, one_column: bool) -> pd.DataFrame:
    """Return a frame without control characters, as those of a CSV are removed, and note that.

    Raises
    ------
    DataError
        If it has no rows, or not the two columns, or the one that will do.
    """
    if len(frame.columns) < (1 if one_column else 2) and len(frame):
        one = f"only one column, {quote(frame.columns[0])}" if len(frame.columns) else "no columns"
        raise DataError(f"{name} has {one}.", TWO_COLUMNS)
    if not len(frame):
        raise DataError(f"{name} has no rows.", "Give a table with one row per example.")
    n = 0
    for column in frame.columns:
        cells = frame[column]
        if cells.str.contains(_CONTROL).any():
            n += int(cells.str.count(_CONTROL).sum())
            frame = frame.assign(**{column: cells.str.replace(_CONTROL, "", regex=True)})
    if n:
        notes.append(f"Removed {count(n, 'control character')}.")
    return frame
