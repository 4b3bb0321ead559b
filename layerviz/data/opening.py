"""Bytes -> Contents: a file is unpacked, and its format reads what is inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import pandas as pd

from layerviz.data.archives import UNZIP, members, read_members
from layerviz.data.arrow_tables import with_class_names
from layerviz.data.choices import Doubt, ReadingChoices
from layerviz.data.file_format import Contents, FileFormat
from layerviz.data.formats import WORKBOOK, format_of, is_table_name, misnomer, table_suffixes
from layerviz.data.joining import joined, joining_notes, split_in
from layerviz.data.packing import ORIGIN, Origin, parse_origin
from layerviz.data.recognising import foreign, is_workbook, is_zip, names_in_zip
from layerviz.data.unpacking import unpacked, without_compression
from layerviz.data.wording import quoted
from layerviz.errors import DataError
from layerviz.wording import count, cut_in_middle, quote

LONGEST_COLUMN_NAME = 100_000  # characters, as the record of a run takes
PROSE = (".txt", ".md", ".json")  # beside a table more often words about it


def contents_of(
    content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
) -> Contents:
    """Read a file in whatever it is written, compressed and archived.

    Raises
    ------
    DataError
        If it cannot be read as a table.
    """
    content, name, layers = unpacked(content, cut_in_middle(name))
    if words := foreign(content):
        what, hint = words
        raise DataError(f"{name} is {what}.", hint)
    damaged = name.lower().endswith(WORKBOOK.suffixes) and not names_in_zip(content)
    if is_zip(content) and not is_workbook(content) and not damaged:
        contents = _read_archive(content, name, choices, one_column=one_column)
    else:
        contents = _read_as(format_of(name, content), content, name, choices, one_column=one_column)
    for column in contents.frame.columns:
        if len(column) > LONGEST_COLUMN_NAME:
            raise DataError(
                f"A column of {name} has a name of {len(column):,} characters: {quote(column)}.",
                "Give it a short name; if it is no name, add a row with the names of the columns.",
            )
    layout = ", ".join((*layers, contents.layout))
    return replace(contents, layout=layout)


def _read_as(
    entry: FileFormat, content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
) -> Contents:
    try:
        return entry.read(content, name, choices, one_column=one_column)
    except DataError as error:
        error.choices = entry.choices
        if what := misnomer(name, content, entry):
            error.message = error.message.replace(name, f"{name} ({what})", 1)
        raise


def _read_archive(
    content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
) -> Contents:
    paths = members(content, name)
    origin = _origin(content, name, paths)
    if origin is None:
        chosen, splits = chosen_members(paths, name)
    else:
        paths = chosen = [path for path in paths if path != ORIGIN]
        splits = {path: origin.splits[path] for path in chosen if path in origin.splits}
        if not chosen or (splits and len(splits) < len(chosen)):
            raise DataError(f"{name} is no whole data set.", UNZIP)
    frames: dict[str, pd.DataFrame] = {}
    notes: list[str] = []
    doubts: list[Doubt] = []
    files_by_note: dict[str, list[str]] = {}
    parts = []
    for path, (file, inside) in zip(chosen, read_members(content, name, chosen), strict=True):
        part, file, _ = unpacked(inside, cut_in_middle(file))
        words = foreign(part)
        if words or (is_zip(part) and not is_workbook(part)):
            what = words[0] if words else "a zip archive, too"
            raise DataError(f"{file} in {name} is {what}.", UNZIP)
        contents = _read_as(format_of(file, part), part, file, choices, one_column=one_column)
        own_notes = list(contents.notes)
        frames[path] = contents.frame
        if origin is not None:  # once, since names may be numbers, too
            unnamed = origin.class_names.keys() - contents.class_named
            names = {column: origin.class_names[column] for column in unnamed}
            frames[path] = with_class_names(contents.frame, names, own_notes)
        for note in own_notes:
            files_by_note.setdefault(note, []).append(file)
        doubts += [doubt for doubt in contents.doubts if doubt not in doubts]
        parts.append(contents)
    for note, files in files_by_note.items():
        notes.append(note if len(files) == len(chosen) else f"{quoted(files)}: {note}")
    if unread := [path for path in paths if path not in chosen]:
        notes.append(f"Read {quoted(chosen)}, not what is beside: {quoted(unread)}.")
    if len(chosen) > 1:
        notes += joining_notes(frames, splits)
    frame = joined(frames, splits)
    if origin is not None:
        notes.insert(0, f"The data are from {origin.source}.")
        if origin.left_out:
            notes.insert(1, f"Left unread: {quoted(origin.left_out)}.")
    first = parts[0]
    layout = first.layout if origin is not None else f"zip, {first.layout}"
    return Contents(frame, layout, tuple(notes), reading=first.reading, doubts=tuple(doubts))


def _origin(content: bytes, name: str, paths: Sequence[str]) -> Origin | None:
    if ORIGIN not in paths:
        return None
    return parse_origin(next(read_members(content, name, [ORIGIN]))[1])


def chosen_members(paths: Sequence[str], name: str) -> tuple[list[str], dict[str, str]]:
    """Return the files of an archive that are read, and the split of each if they are splits."""
    tables = [path for path in paths if is_table_name(path)]
    if splits := by_split_of_files(tables):
        return list(splits), splits
    if len(tables) > 1:
        tables = [path for path in tables if not path.lower().endswith(PROSE)] or tables
    if len(tables) == 1:
        return tables, {}
    if not tables:
        what = f": {quoted(paths)}" if paths else ""
        raise DataError(f"{cut_in_middle(name)} holds no table{what}.", UNZIP)
    raise DataError(
        f"{cut_in_middle(name)} holds {count(len(tables), 'table')}: {quoted(tables)}.",
        "Keep one of them, or name them train, val and test.",
    )


def by_split_of_files(paths: Iterable[str], *, any_folder: bool = False) -> dict[str, str]:
    """Return the split of each file whose name or folder says one; nothing unless one is train.

    Parameters
    ----------
    paths : iterable of str
    any_folder : bool
        Whether folders further up may say it as well.
    """
    splits = {
        path: split for path in paths if (split := _split_of_file(path, any_folder)) is not None
    }
    return splits if "train" in splits.values() else {}


def _split_of_file(path: str, any_folder: bool) -> str | None:
    *folders, file = path.split("/")
    stem = without_compression(file)
    suffix = next((end for end in table_suffixes() if stem.lower().endswith(end)), "")
    nearest_first = folders[::-1] if any_folder else folders[-1:]
    names = (stem[: len(stem) - len(suffix)], *nearest_first)
    return next(filter(None, map(split_in, names)), None)
