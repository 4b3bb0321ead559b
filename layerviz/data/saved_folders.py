"""Folders: what ``save_to_disk`` of `datasets` wrote, or tables that are named like splits."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from layerviz.data.arrow_tables import class_names
from layerviz.data.file_format import MOST_EXPANDED, too_large
from layerviz.data.formats import is_table_name
from layerviz.data.packing import Origin, member_names, pack, split_files
from layerviz.errors import DataError, reason

HINT = "Give a folder that save_to_disk of datasets wrote, or one file."


def pack_folder(folder: Path) -> bytes:
    """Return a folder with a data set as one file, which `read_table` reads.

    Parameters
    ----------
    folder : Path
        With ``dataset_dict.json`` or ``state.json``, as ``save_to_disk`` leaves it, or with tables.

    Raises
    ------
    DataError
        If it holds none, or cannot be read.
    """
    try:
        return _pack(folder)
    except OSError as error:
        message = f"The folder {folder.name} cannot be read: {reason(error)}."
        raise DataError(message, HINT) from error


def _pack(folder: Path) -> bytes:
    described: dict[str, Any] = {}
    if (folder / "dataset_dict.json").is_file():
        splits = _json(folder / "dataset_dict.json").get("splits", [])
        parts = {str(split): _arrow_files(folder, str(split)) for split in splits}
        described = _json(folder / str(splits[0]) / "dataset_info.json") if splits else {}
    elif (folder / "state.json").is_file():
        parts = {"all": _arrow_files(folder, "")}
        described = _json(folder / "dataset_info.json")
    else:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
        tables = [name for name in names if is_table_name(name)]
        if not tables:
            raise DataError(f"The folder {folder.name} holds no data set.", HINT)
        if _size(folder, tables) > MOST_EXPANDED:
            raise too_large(folder.name)
        files = [(name, (folder / name).read_bytes()) for name in tables]
        return pack(files)
    chosen, left_out = split_files(parts)
    members = list(member_names(chosen))
    if _size(folder, [file for file, _, _ in members]) > MOST_EXPANDED:
        raise too_large(folder.name)
    origin = Origin(
        f"the folder {folder.name}, as datasets saved it",
        splits={name: split for _, split, name in members} if len(parts) > 1 else {},
        class_names=class_names(described.get("features")),
        left_out=left_out,
    )
    return pack(((name, (folder / file).read_bytes()) for file, _, name in members), origin)


def _arrow_files(folder: Path, split: str) -> list[str]:
    """Return the files of one split, relative to the folder and inside it."""
    state = _json(folder / split / "state.json")
    listed = [one for one in state.get("_data_files") or [] if isinstance(one, dict)]
    names = [str(one.get("filename")) for one in listed]
    if not names or any(Path(name).name != name for name in names):
        raise DataError(f"The folder {folder.name} is no whole data set.", HINT)
    return [f"{split}/{name}" if split else name for name in names]


def _json(path: Path) -> dict[str, Any]:
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise DataError(f"{path.name} in {path.parent.name} is damaged.", HINT) from error
    return values if isinstance(values, dict) else {}


def _size(folder: Path, names: list[str]) -> int:
    return sum((folder / name).stat().st_size for name in names)
