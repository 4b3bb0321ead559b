"""Excel workbooks: the first sheet that holds a table, or sheets that are named like splits."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from layerviz.data.cells import as_cell, str_frame, tidied
from layerviz.data.choices import Doubt, ReadingChoices
from layerviz.data.fields import Row
from layerviz.data.file_format import (
    MOST_COLUMNS,
    MOST_EXPANDED,
    Contents,
    FileFormat,
    expect_few_columns,
    too_large,
)
from layerviz.data.guessing import is_usual_name
from layerviz.data.header import find_header, looks_like_data, name_columns
from layerviz.data.joining import by_split, joined, joining_notes
from layerviz.data.recognising import is_zip
from layerviz.data.wording import quoted
from layerviz.errors import DataError, ReadingError
from layerviz.wording import count, quote

SAMPLE_ROWS = 200  # from which the width of a table is taken
SAVE_AS_CSV = "Open it in a spreadsheet program and save the sheet as CSV (UTF-8)."
_MERGED = re.compile(rb'<mergeCell\s+ref="([A-Z]+\d+:[A-Z]+\d+)"')
_UNCOMPUTED = re.compile(rb"<f\b[^>]*(?:/>|>[^<]*</f>)\s*(?:<v\s*/>|<v></v>|</c>)")
_ESCAPED = re.compile("_x([0-9A-Fa-f]{4})_")  # as Excel writes what XML cannot hold
_ZEROS = re.compile(r"0{2,}")
_WORKSHEET = re.compile(r"xl/worksheets/[^/]+\.xml")
_FILLED = re.compile(rb"<(?:v|is)>")
_PIECE = 2**20
_LONGEST_ROW = 2**26  # bytes
_OVERLAP = 4096


@dataclass
class _Sheet:
    """The cells of a sheet: rows as str, by their number in the sheet."""

    title: str
    rows: list[list[str]]
    numbers: list[int]
    notes: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    header_line: int = 0  # the row that names the columns; 0 if none does


def read_workbook(
    content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
) -> Contents:
    """Read a workbook: values as they are shown where Excel stores that, formulas by their values.

    Parameters
    ----------
    content : bytes
    name : str
        For messages.
    choices : ReadingChoices
        Of which the header's row matters here.
    one_column : bool
        Whether a table of one column, where no label can be, is accepted.

    Raises
    ------
    DataError
        If it is damaged or holds no table.
    """
    least = 1 if one_column else 2
    sheets, titles = _sheets(content, name, least)
    if not sheets:
        raise DataError(
            f"{name} has no sheet with a table.",
            "Put a header row such as text, label above one row per example.",
        )
    splits = _splits(sheet.title for sheet in sheets)
    chosen = [sheet for sheet in sheets if sheet.title in splits] if splits else sheets[:1]
    notes: list[str] = []
    if others := [title for title in titles if title not in {sheet.title for sheet in chosen}]:
        notes.append(
            f"Read {quoted(sheet.title for sheet in chosen)}, not the other "
            f"{count(len(others), 'sheet')}: {quoted(others)}."
        )
    frames: dict[str, pd.DataFrame] = {}
    doubts: list[Doubt] = []
    for sheet in chosen:
        frame = _frame(sheet, name, choices.header_line)
        frames[sheet.title] = tidied(frame, name, sheet.notes, one_column=one_column)
        notes += sheet.notes
        doubts += sheet.doubts
    if splits:
        notes += joining_notes(frames, splits)
    frame = joined(frames, splits)
    layout = f"Excel, sheet {quote(chosen[0].title)}" if len(chosen) == 1 else "Excel with splits"
    reading = ReadingChoices(header_line=chosen[0].header_line)
    return Contents(frame, layout, tuple(notes), reading, tuple(doubts))


def _splits(titles: Iterable[str]) -> dict[str, str]:
    """Return the splits that sheets are named after; "Training" alone may be about courses."""
    splits = by_split(titles)
    return splits if len(set(splits.values())) > 1 else {}


def _sheets(content: bytes, name: str, least: int) -> tuple[list[_Sheet], list[str]]:
    """Return what may be tables, up to the first unless sheets are splits, and all titles."""
    if not is_zip(content):
        raise DataError(f"{name} is no Excel workbook.", SAVE_AS_CSV)
    import openpyxl  # a fifth of a second, which a CSV need not wait for
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(part.file_size for part in archive.infolist()) > MOST_EXPANDED:
                raise too_large(name)
            expect_few_columns(_n_cells_on_top(archive), name)
            with warnings.catch_warnings(action="ignore"):  # about styles and validation
                book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            visible = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            worksheets = visible or book.worksheets
            all_needed = bool(_splits(sheet.title for sheet in worksheets))
            sheets: list[_Sheet] = []
            for worksheet in worksheets:
                if all_needed or not sheets:
                    sheet = _read_sheet(worksheet, archive, name)
                    if sum(_n_filled(row) >= least for row in sheet.rows[:SAMPLE_ROWS]) > 1:
                        sheets.append(sheet)
            return sheets, [sheet.title for sheet in worksheets]
    except DataError:
        raise
    except InvalidFileException as error:
        raise DataError(f"{name} is no Excel workbook that can be read.", SAVE_AS_CSV) from error
    except Exception as error:  # openpyxl lets through whatever a damaged part causes
        raise DataError(
            f"{name} is a damaged Excel workbook ({type(error).__name__}).", SAVE_AS_CSV
        ) from error


def _n_cells_on_top(archive: zipfile.ZipFile) -> int:
    """Return how many cells the first row of the only sheet fills; 0 where there are several.

    It is counted in what is stored, before a cell is read.
    """
    parts = [part for part in archive.namelist() if _WORKSHEET.fullmatch(part)]
    if len(parts) != 1:
        return 0
    text = b""
    with archive.open(parts[0]) as stored:
        while piece := stored.read(_PIECE):
            text += piece
            end = text.find(b"</row>")
            if end >= 0 or len(text) > _LONGEST_ROW:
                return len(_FILLED.findall(text[:end] if end >= 0 else text))
    return 0


def _read_sheet(worksheet: Any, archive: zipfile.ZipFile, name: str) -> _Sheet:
    worksheet.reset_dimensions()  # some programs write wrong ones
    rows, numbers = [], []
    for number, cells in enumerate(worksheet.iter_rows(), start=1):
        row = [_shown(cell) for cell in cells]
        while row and not row[-1].strip():
            row.pop()
        if len(row) > MOST_COLUMNS:
            expect_few_columns(_n_filled(row), name)
        rows.append(row)
        numbers.append(number)
    sheet = _Sheet(worksheet.title, rows, numbers)
    merged, n_uncomputed = _marks(archive, worksheet._worksheet_path)
    if n_filled := _fill_merged(rows, merged):
        sheet.notes.append(f"Filled {count(n_filled, 'cell')} that are merged with one above.")
    if n_uncomputed:
        sheet.notes.append(
            f"{count(n_uncomputed, 'formula')} without a stored value in {quote(worksheet.title)}: "
            "open the file in a spreadsheet program and save it, so that they are computed."
        )
    kept = [at for at, row in enumerate(rows) if row]
    sheet.rows, sheet.numbers = [rows[at] for at in kept], [numbers[at] for at in kept]
    return sheet


def _shown(cell: Any) -> str:
    """Return a cell as Excel shows it: 15 digits, and the leading zeros of formats such as 000."""
    value = cell.value
    if isinstance(value, float):
        value = float(f"{value:.15g}")
        value = int(value) if value.is_integer() and abs(value) < 1e15 else value
    if type(value) is int and _ZEROS.fullmatch(str(cell.number_format)):
        return f"{value:0{len(cell.number_format)}d}"
    if isinstance(value, str) and "_x" in value:
        return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), value)
    return as_cell(value)


def _marks(archive: zipfile.ZipFile, path: str) -> tuple[list[str], int]:
    """Return the merged ranges of a sheet, and how many formulas have no value.

    A sheet that is read row by row does not tell them.
    """
    merged: list[str] = []
    n_uncomputed, before = 0, b""
    with archive.open(path) as part:
        while piece := part.read(_PIECE):
            text = before + piece
            end = max(len(text) - _OVERLAP, 0) if len(piece) == _PIECE else len(text)
            end = text.rfind(b"<", 0, end) if 0 < end < len(text) else end
            # What begins in the overlap is found with the next piece, and only there.
            merged += [m[1].decode() for m in _MERGED.finditer(text) if m.start() < end]
            n_uncomputed += sum(m.start() < end for m in _UNCOMPUTED.finditer(text))
            before = text[end:]
    return merged, n_uncomputed


def _fill_merged(rows: list[list[str]], ranges: list[str]) -> int:
    """Repeat what is merged over several rows of one column; return how many cells were filled."""
    from openpyxl.utils.cell import range_boundaries

    n_filled = 0
    for reference in ranges:
        left, top, right, bottom = (bound or 0 for bound in range_boundaries(reference))
        if not left or left != right or not 0 < top <= len(rows):
            continue  # over several columns: a title
        value = rows[top - 1][left - 1] if left <= len(rows[top - 1]) else ""
        for row in rows[top:bottom] if value else ():
            if row:  # a blank row stays blank
                row.extend([""] * (left - len(row)))
                row[left - 1] = value
                n_filled += 1
    return n_filled


def _n_filled(row: list[str]) -> int:
    return sum(bool(cell.strip()) for cell in row)


def _is_data(header: list[str], below: list[list[str]]) -> bool:
    """Tell a row of data from a header: a value of it comes again, and no name in it is usual."""
    columns = [
        [row[at] for row in below if at < len(row)] for at, cell in enumerate(header) if cell
    ]
    cells = [cell for cell in header if cell]
    again = any(cell in column for cell, column in zip(cells, columns, strict=True))
    return looks_like_data(cells, columns) or (again and not any(map(is_usual_name, header)))


def _frame(sheet: _Sheet, name: str, header_line: int | None) -> pd.DataFrame:
    """Return a sheet below its header, without the titles above and without empty columns."""
    at, is_header = _header(sheet, name, header_line)
    if at > 0:
        sheet.notes.append(
            f"Skipped {count(at, 'row')} above the table in {quote(sheet.title)}: "
            f"{quoted(next(filter(None, row)) for row in sheet.rows[:at])}."
        )
    sheet.header_line = sheet.numbers[at] if is_header else 0
    rows = sheet.rows[at:]
    header, below = (rows[0], rows[1:]) if is_header else ([], rows)
    # A table may stand anywhere in a sheet: the empty columns beside it are no part of it. And a
    # single cell far to the right makes no row long.
    used = sorted({i for row in rows for i, cell in enumerate(row) if cell.strip()})
    columns = {str(i): [row[i] if i < len(row) else "" for row in below] for i in used}
    names = [header[i] if i < len(header) else "" for i in used]
    return name_columns(str_frame(columns, sheet.notes), names, name, sheet.notes)


def _header(sheet: _Sheet, name: str, header_line: int | None) -> tuple[int, bool]:
    """Return where the table begins among the rows, and whether with a header."""
    if header_line == 0:
        return 0, False
    if header_line is not None:
        if header_line not in sheet.numbers:
            raise ReadingError(
                f"Row {header_line} of sheet {quote(sheet.title)} in {name} is empty.",
                "Choose the row that names the columns.",
            )
        return sheet.numbers.index(header_line), True
    some = zip(sheet.rows[:SAMPLE_ROWS], sheet.numbers, strict=False)
    at = find_header([Row(number, row) for row, number in some])
    is_data = _is_data(sheet.rows[at], sheet.rows[at + 1 : at + 1 + SAMPLE_ROWS])
    if is_data:
        sentence = (
            f"Row {sheet.numbers[at]} of {quote(sheet.title)} looks like data and not like a "
            "header: the columns are numbered. If it names them, choose it for the header."
        )
        sheet.doubts.append(Doubt(sentence, ("header_line",)))
    return at, not is_data


WORKBOOK = FileFormat(
    name="excel",
    label="Excel",
    suffixes=(".xlsx", ".xlsm"),
    help="the first sheet that holds a table, or sheets named train, val and test; titles above "
    "the header are skipped, or its row is chosen; formulas are read by their values",
    read=read_workbook,
    choices=("header_line",),
)
