"""A file with other labels in some of its rows: the same file, or where that cannot be, a CSV."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePath

import pandas as pd

from layerviz.data.archives import members, read_members, with_members
from layerviz.data.choices import ReadingChoices
from layerviz.data.delimited import DELIMITED, read_delimited
from layerviz.data.formats import ZIP_SUFFIX, format_of, table_suffixes
from layerviz.data.opening import chosen_members
from layerviz.data.packing import ORIGIN
from layerviz.data.reading import Table, read_table
from layerviz.data.recognising import is_workbook, is_zip
from layerviz.data.rewriting import CellEdit, NotInPlaceError, rewrite_delimited
from layerviz.data.unpacking import packed_again, unpacked, without_compression
from layerviz.errors import DataError
from layerviz.wording import named

CORRECTED = "-corrected"  # behind the stem of the file's name
_AS_WRITTEN = ReadingChoices(encoding="utf-8", delimiter=",", quotes="double", header_line=1)


@dataclass(frozen=True)
class CorrectedFile:
    """A file in which some cells were replaced.

    Parameters
    ----------
    name : str
    content : bytes
    in_place : bool
        Whether all else in it is as it was, byte for byte, but for how it is compressed; else it is
        the table as a CSV.
    """

    name: str
    content: bytes
    in_place: bool


def correct_file(content: bytes, table: Table, edits: Sequence[CellEdit]) -> CorrectedFile:
    """Return a file with other words in some of its cells.

    What comes out is read again: it holds the table that went in, but for these cells.

    Parameters
    ----------
    content : bytes
        The whole file.
    table : Table
        As it was read.
    edits : sequence of CellEdit
        One for each cell.

    Raises
    ------
    DataError
        If no file can be written that is read as that table.
    """
    expected = _with_cells(table.frame, edits)
    try:
        changed = _rewritten(content, table, edits)
        readings = (table.choices, table.reading)
        if any(_is_read_as(changed, table.name, reading, expected, edits) for reading in readings):
            return CorrectedFile(corrected_name(table.name), changed, in_place=True)
    except NotInPlaceError:
        pass
    name = f"{_stem_and_ending(table.name)[0]}{CORRECTED}.csv"
    for quoting in (csv.QUOTE_MINIMAL, csv.QUOTE_ALL):
        written = expected.to_csv(index=False, quoting=quoting, lineterminator="\n").encode()
        if _is_read_as(written, name, _AS_WRITTEN, expected, edits):
            return CorrectedFile(name, written, in_place=False)
    raise DataError(
        f"{named(table.name)} cannot be written so that it is read as the same table.",
        "Correct the labels in the file by hand, by the list of suspicious labels.",
    )


def corrected_name(name: str) -> str:
    """Return what the corrected file is called: "data-corrected.csv.gz"."""
    stem, ending = _stem_and_ending(name)
    return f"{stem}{CORRECTED}{ending}"


def _stem_and_ending(name: str) -> tuple[str, str]:
    inside = without_compression(PurePath(name).name)
    endings = (*table_suffixes(), ZIP_SUFFIX)
    ending = next((end for end in endings if inside.lower().endswith(end)), "")
    stem = inside[: len(inside) - len(ending)]
    return stem, PurePath(name).name[len(stem) :]


def _with_cells(frame: pd.DataFrame, edits: Sequence[CellEdit]) -> pd.DataFrame:
    for column in dict.fromkeys(edit.column for edit in edits):
        new = {edit.row: edit.cell for edit in edits if edit.column == column}
        cells = frame[column].copy()
        cells.iloc[list(new)] = list(new.values())
        frame = frame.assign(**{column: cells})
    return frame


def _is_read_as(
    content: bytes,
    name: str,
    choices: ReadingChoices,
    expected: pd.DataFrame,
    edits: Sequence[CellEdit],
) -> bool:
    """Tell whether a file holds a table; spaces around the cells that were replaced are free."""
    try:
        frame = read_table(content, name, choices).frame
    except DataError:
        return False
    if frame.shape != expected.shape or not frame.columns.equals(expected.columns):
        return False
    bare = [edit._replace(cell=str(frame[edit.column].iloc[edit.row]).strip()) for edit in edits]
    return _with_cells(frame, bare).equals(expected)


def _rewritten(content: bytes, table: Table, edits: Sequence[CellEdit]) -> bytes:
    inside, name, layers = unpacked(content, table.name)
    if is_zip(inside) and not is_workbook(inside):
        changed = _rewritten_archive(inside, name, table.choices, edits)
    else:
        changed = _rewritten_part(inside, name, table.choices, edits)
    return packed_again(changed, layers)


def _rewritten_archive(
    content: bytes, name: str, choices: ReadingChoices, edits: Sequence[CellEdit]
) -> bytes:
    """Return a zip archive in which the tables, whose rows follow each other, are corrected."""
    paths = members(content, name)
    if ORIGIN in paths:
        raise NotInPlaceError("a packed data set")
    chosen, _ = chosen_members(paths, name)
    changed, before = {}, 0
    for path, (file, packed) in zip(chosen, read_members(content, name, chosen), strict=True):
        part, file, layers = unpacked(packed, file)
        n_rows = _n_rows(part, file, choices)
        own = [
            edit._replace(row=edit.row - before)
            for edit in edits
            if before <= edit.row < before + n_rows
        ]
        if own:
            changed[path] = packed_again(_rewritten_part(part, file, choices, own), layers)
        before += n_rows
    return with_members(content, changed)


def _n_rows(part: bytes, file: str, choices: ReadingChoices) -> int:
    if format_of(file, part) is not DELIMITED:
        raise NotInPlaceError("a format")
    return len(read_delimited(part, file, choices, one_column=False).frame)


def _rewritten_part(
    content: bytes, name: str, choices: ReadingChoices, edits: Sequence[CellEdit]
) -> bytes:
    if format_of(name, content) is not DELIMITED:
        raise NotInPlaceError("a format")
    return rewrite_delimited(content, name, choices, edits)
