"""Bytes -> Contents: a file is unpacked, and its format reads what is inside."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import pandas as pd

from layerviz.data.archives import UNZIP, members, read_members
from layerviz.data.choices import ReadingChoices
from layerviz.data.file_format import Contents
from layerviz.data.formats import format_of, table_suffixes
from layerviz.data.joining import by_split, joined, joining_notes
from layerviz.data.recognising import foreign, is_workbook, is_zip
from layerviz.data.unpacking import unpacked, without_compression
from layerviz.data.wording import quoted
from layerviz.errors import DataError
from layerviz.wording import count

_PROSE = (".txt", ".md", ".json")  # beside a table more often words about it


def contents_of(
    content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
) -> Contents:
    """Read a file in whatever it is written, compressed and archived.

    Raises
    ------
    DataError
        If it cannot be read as a table.
    """
    content, name, layers = unpacked(content, name)
    if words := foreign(content):
        what, hint = words
        raise DataError(f"{name} is {what}.", hint)
    if is_zip(content) and not is_workbook(content):
        contents = _read_archive(content, name, choices, one_column=one_column)
        layers = (*layers, "zip")
    else:
        contents = format_of(name, content).read(content, name, choices, one_column=one_column)
    layout = ", ".join((*layers, contents.layout))
    return Contents(
        contents.frame, layout, contents.notes, reading=contents.reading, doubts=contents.doubts
    )


def _read_archive(
    content: bytes, name: str, choices: ReadingChoices, *, one_column: bool
) -> Contents:
    paths = members(content, name)
    chosen, splits = _chosen(paths, name)
    frames: dict[str, pd.DataFrame] = {}
    notes: list[str] = []
    doubts: list[str] = []
    parts = []
    for path, (file, inside) in zip(chosen, read_members(content, name, chosen), strict=True):
        part, file, _ = unpacked(inside, file)
        words = foreign(part)
        if words or (is_zip(part) and not is_workbook(part)):
            what = words[0] if words else "a zip archive, too"
            raise DataError(f"{file} in {name} is {what}.", UNZIP)
        contents = format_of(file, part).read(part, file, choices, one_column=one_column)
        frames[path] = contents.frame
        notes += [f"{file}: {note}" if len(chosen) > 1 else note for note in contents.notes]
        doubts += contents.doubts
        parts.append(contents)
    if unread := [path for path in paths if path not in chosen]:
        notes.append(f"Read {quoted(chosen)}, not what is beside: {quoted(unread)}.")
    if len(chosen) > 1:
        notes += joining_notes(frames, splits)
    frame = joined(frames, splits)
    first = parts[0]
    return Contents(frame, first.layout, tuple(notes), reading=first.reading, doubts=tuple(doubts))


def _chosen(paths: Sequence[str], name: str) -> tuple[list[str], dict[str, str]]:
    """Return the files of an archive that are read, and the split of each if they are splits."""
    tables = [path for path in paths if _is_table(path)]
    if splits := by_split_of_files(tables):
        return list(splits), splits
    if len(tables) > 1:
        tables = [path for path in tables if not path.lower().endswith(_PROSE)] or tables
    if len(tables) == 1:
        return tables, {}
    if not tables:
        what = f": {quoted(paths)}" if paths else ""
        raise DataError(f"{name} holds no table{what}.", UNZIP)
    raise DataError(
        f"{name} holds {count(len(tables), 'table')}: {quoted(tables)}.",
        "Keep one of them, or name them train, val and test.",
    )


def by_split_of_files(paths: Iterable[str]) -> dict[str, str]:
    """Return the split of each file whose name says one; nothing unless one says train."""
    stems = {path: _stem(path) for path in paths}
    splits = by_split(stems.values())
    return {path: splits[stem] for path, stem in stems.items() if stem in splits}


def _is_table(path: str) -> bool:
    return without_compression(path).lower().endswith(table_suffixes())


def _stem(path: str) -> str:
    """Return a file's name without its endings."""
    file = without_compression(path.rpartition("/")[2])
    suffix = next((end for end in table_suffixes() if file.lower().endswith(end)), "")
    return file[: len(file) - len(suffix)]
