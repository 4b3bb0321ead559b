"""Opening the files of a run: what is damaged says so, before it takes memory, in one sentence.

Sizes and kinds are read from footers and headers first.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute
import pyarrow.parquet
from safetensors import SafetensorError, safe_open

from layerviz.errors import RunError, reason
from layerviz.runs.parquet_pages import unpacked_bytes
from layerviz.runs.schema import expect_whole_letters

MOST_ROWS = 3 * 20_000  # as many as a run may capture of three splits
MOST_TABLE_BYTES = 1_000_000_000  # that a table takes in memory
# Of its size on disk, as a table of texts that recur; below so many bytes nobody minds.
MOST_SWELLING, SMALL_BYTES = 200, 50_000_000
MOST_COLUMNS = 100
MOST_LINE_BYTES, MOST_LINES = 10_000, 5_000_000  # of a CSV
MOST_JSON_BYTES = 60_000_000
HINT = "Delete the run, then start it again with the same data and settings."
Arrays = dict[str, tuple[str, list[int]]]  # type and shape by name


class DamagedFileError(RunError):
    """A file of a run is missing or damaged.

    Attributes
    ----------
    what : str
        What is wrong with which file, as part of a sentence.
    """

    def __init__(self, file: Path, what: str, hint: str = HINT) -> None:
        inner = file.parent.name.isdecimal()  # a snapshot's: its number is part of the name
        name = f"{file.parent.name}/{file.name}" if inner else file.name
        super().__init__(f"{name} of this run {what}.", hint)
        self.what = f"{name} {what}"


@contextmanager
def opening(file: Path, hint: str = HINT) -> Iterator[None]:
    """Turn whatever reading a file raises into one sentence with its name.

    Parameters
    ----------
    file : Path
    hint : str
        What to do where it is damaged; another than `HINT` goes for what is opened within, too.

    Raises
    ------
    DamagedFileError
    """
    if not file.exists():
        raise DamagedFileError(file, "is missing", hint)
    if not file.is_file():
        raise DamagedFileError(file, "cannot be read (it is no file)", hint)
    try:
        yield
    except DamagedFileError as error:
        if hint != HINT:
            error.hint = hint
        raise
    except RunError:
        raise
    # Libraries raise all kinds of errors on garbled files; all of them mean one thing here.
    except (
        OSError,
        AttributeError,
        SafetensorError,
        pyarrow.ArrowException,
        LookupError,
        TypeError,
        ValueError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        raise DamagedFileError(file, f"cannot be read ({reason(error)[:120]})", hint) from error


def expect_sound(holds: object, file: Path, otherwise: str) -> None:
    """Raise a DamagedFileError unless this holds."""
    if not holds:
        raise DamagedFileError(file, otherwise)


# --- tables ---------------------------------------------------------------------------------


def read_sound_table(
    file: Path,
    columns: Collection[str],
    *,
    may_have_more: bool = False,
    n_rows: int | None = None,
) -> pd.DataFrame:
    """Read a parquet file of numbers and texts, if its own description says that it is that.

    Parameters
    ----------
    file : Path
    columns : collection of str
        That it must have.
    may_have_more : bool
        Whether further columns are right.
    n_rows : int, optional
        That it must have.

    Raises
    ------
    DamagedFileError
    """
    with opening(file):
        described = pyarrow.parquet.read_metadata(file)
        n, width = described.num_rows, described.num_columns
        expect_sound(n <= MOST_ROWS, file, f"has {n:,} rows, more than a run captures")
        expect_sound(width <= MOST_COLUMNS, file, f"has {width:,} columns")
        schema = described.schema.to_arrow_schema()
        has_all = set(columns) <= set(schema.names) and len(set(schema.names)) == len(schema)
        is_right = has_all and (may_have_more or len(schema) == len(set(columns)))
        expect_sound(is_right, file, f"does not have the columns {', '.join(columns)}")
        fits = n_rows is None or n == n_rows
        expect_sound(fits, file, f"has {n:,} rows for {n_rows or 0:,} examples")
        texts = [field.name for field in schema if _is_text(field.type)]
        for field in schema:  # anything else could swell on reading, past every limit
            is_known = field.name in texts or _is_number(field.type)
            expect_sound(is_known, file, f"holds {field.type} in {field.name[:80]}")
        most = min(MOST_TABLE_BYTES, max(SMALL_BYTES, MOST_SWELLING * file.stat().st_size))
        _expect_room(file, unpacked_bytes(file), most)
        # A long text that occurs a thousand times is short in the file: so it is here, as a
        # dictionary.
        table = pyarrow.parquet.ParquetFile(file, read_dictionary=texts).read()
        _expect_room(file, sum(_text_bytes(table[name]) for name in texts), most)
        for name in texts:
            for chunk in table[name].chunks:
                chunk.dictionary.validate(full=True)  # that texts are UTF-8
        plain = [
            table[name].cast("string") if name in texts else table[name] for name in schema.names
        ]
        return pyarrow.table(dict(zip(schema.names, plain, strict=True))).to_pandas()


def _expect_room(file: Path, n_bytes: int, most: int) -> None:
    expect_sound(n_bytes <= most, file, f"would unpack to {n_bytes / 1e9:,.2f} gigabytes")


def _is_text(kind: pyarrow.DataType) -> bool:
    return pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)


def _is_number(kind: pyarrow.DataType) -> bool:
    return pyarrow.types.is_integer(kind) or pyarrow.types.is_floating(kind)


def _text_bytes(column: pyarrow.ChunkedArray) -> int:
    """Return how many bytes the texts of a dictionary-encoded column take when written out."""
    total = 0
    for chunk in column.chunks:
        sizes = pyarrow.compute.binary_length(chunk.dictionary).fill_null(0).to_numpy()
        counts = np.bincount(chunk.indices.fill_null(0).to_numpy(), minlength=len(sizes))
        total += int((sizes.astype(np.int64) * counts[: len(sizes)]).sum())
    return total


def read_csv(
    file: Path, columns: Sequence[str], numbers: Collection[str], lacking: Collection[str] = ()
) -> pd.DataFrame:
    """Read a CSV as runs hold them, whose fields are numbers and plain words.

    Parameters
    ----------
    file : Path
    columns : sequence of str
        Those that it has, in any order.
    numbers : collection of str
        Those of numbers; a gap is NaN.
    lacking : collection of str
        Those that files of earlier versions do without.

    Raises
    ------
    DamagedFileError
    """
    with opening(file):
        _check_lines(file)
        with file.open("rb") as source:
            header = source.readline(MOST_LINE_BYTES).decode("utf-8-sig").strip().split(",")
        needed = set(columns) - set(lacking)
        is_right = needed <= set(header) <= set(columns) and len(set(header)) == len(header)
        expect_sound(is_right, file, f"does not have the columns {', '.join(columns)}")
        table = pd.read_csv(file, encoding="utf-8-sig", index_col=False)
        expect_sound(list(table.columns) == header, file, "does not have one header")
        for name in numbers:
            if name in table:
                is_number = pd.api.types.is_numeric_dtype(table[name]) or table[name].isna().all()
                expect_sound(is_number, file, f"holds something other than numbers in {name}")
        return table


def _check_lines(file: Path) -> None:
    """Check that no line is long and that there are not too many: reading takes far more room."""
    n_lines = length = 0
    with file.open("rb") as source:
        while chunk := source.read(1 << 20):
            lines = chunk.split(b"\n")
            n_lines += len(lines) - 1
            length += len(lines[0])
            longest = max(length, max(map(len, lines)))
            length = len(lines[-1]) + (length if len(lines) == 1 else 0)
            expect_sound(longest <= MOST_LINE_BYTES, file, "holds a line that is far too long")
            expect_sound(n_lines <= MOST_LINES, file, f"has over {MOST_LINES:,} lines")


def read_small_json(file: Path) -> Any:
    """Read a small JSON file.

    Raises
    ------
    DamagedFileError
    """
    with opening(file):
        expect_sound(file.stat().st_size <= MOST_JSON_BYTES, file, "is far too large")
        text = file.read_text(encoding="utf-8-sig")
        values = json.loads(text, parse_constant=_no_number)
        expect_whole_letters(values)
        return values


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no number")


# --- arrays ---------------------------------------------------------------------------------


def arrays_in(file: Path) -> Arrays:
    """Return type and shape of the arrays in a file, from its header; safetensors checks that.

    Raises
    ------
    DamagedFileError
    """
    with opening(file), safe_open(file, framework="np") as stored:
        parts = {name: stored.get_slice(name) for name in stored.keys()}  # noqa: SIM118
        return {name: (part.get_dtype(), part.get_shape()) for name, part in parts.items()}


def expect_arrays(
    file: Path,
    found: Arrays,
    expected: Mapping[str, tuple[str, list[int]]],
    otherwise: str = "",
) -> None:
    """Raise a DamagedFileError unless a file holds just these arrays.

    Parameters
    ----------
    file : Path
    found : dict
        As from `arrays_in`.
    expected : mapping of str to (str, list of int)
        -1 stands for any length.
    otherwise : str
        What is said if it does not, by default that the arrays have other shapes.
    """
    shapes = " or ".join(sorted({str(shape) for _, shape in expected.values()}))
    what = otherwise or f"holds arrays that do not have the shape {shapes}"
    expect_sound(set(found) == set(expected), file, what)
    for name, (kind, shape) in expected.items():
        got_kind, got = found[name]
        fits = len(got) == len(shape) and all(
            wanted in (-1, length) for wanted, length in zip(shape, got, strict=True)
        )
        expect_sound(got_kind == kind and fits, file, what)
