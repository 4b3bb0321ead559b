"""Files that were uploaded, kept as they came so that a reload or the address of a run finds them.

They lie in one hidden folder of the runs folder, each under the first digits of the SHA-256 of its
bytes, which are compared when it is read::

    .data/0f1e2d3c4b5a6978/
      table                  the bytes of the file
      about.json             its name, and the whole SHA-256
"""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from layerviz.errors import DataError, RunError
from layerviz.runs.listing import list_runs
from layerviz.runs.writing import make_root, remove_folder, replacing
from layerviz.wording import named

TABLES, TABLE, ABOUT = ".data", "table", "about.json"
KEY_DIGITS = 16
KEY_PATTERN = re.compile(rf"[0-9a-f]{{{KEY_DIGITS}}}")
DAYS_KEPT = 30  # of a file that no run was made from, since it was last used
MOST_BYTES = 200 * 2**20  # of a file, as the page accepts it
MOST_BYTES_UNUSED = 2 * 2**30  # of all files that no run was made from
MOST_NAME = 255
ADD_AGAIN = "Choose the file again."


@dataclass(frozen=True)
class KeptTable:
    """A file that is kept.

    Parameters
    ----------
    name : str
        Under which it was uploaded last.
    content : bytes
        As it was uploaded.
    """

    name: str
    content: bytes


def table_key(content_hash: str) -> str:
    """Return under what a file with this SHA-256, in hexadecimal digits, is kept."""
    return content_hash[:KEY_DIGITS]


def keep_table(root: Path, content: bytes, name: str) -> str:
    """Keep a file and return its key; one that is kept already counts as used anew.

    Raises
    ------
    RunError
        If it is too large, or cannot be written.
    """
    if len(content) > MOST_BYTES:
        raise RunError(
            f"{named(name)} is larger than {MOST_BYTES // 2**20} MB and is not kept.",
            "After a reload, choose it again.",
        )
    content_hash = hashlib.sha256(content).hexdigest()
    folder = root / TABLES / table_key(content_hash)
    about = {"name": name[:MOST_NAME], "sha256": content_hash}
    if (folder / TABLE).is_file():
        with replacing(folder / ABOUT) as temporary:
            temporary.write_text(json.dumps(about), encoding="utf-8")
    else:
        try:
            make_root(root)
            with replacing(folder) as temporary:
                temporary.mkdir(parents=True)
                (temporary / TABLE).write_bytes(content)
                (temporary / ABOUT).write_text(json.dumps(about), encoding="utf-8")
        except RunError:
            if not (folder / TABLE).is_file():  # else another tab was faster
                raise
    _tidy(root, folder.name)
    return folder.name


def has_table(root: Path, key: str) -> bool:
    """Return whether a file is kept under this key, which may be anything."""
    return bool(KEY_PATTERN.fullmatch(key)) and (root / TABLES / key / TABLE).is_file()


def read_kept_table(root: Path, key: str) -> KeptTable:
    """Return a file that is kept.

    Raises
    ------
    DataError
        If there is none under this key, or it was changed.
    """
    if not has_table(root, key):
        raise DataError("This file is not kept here, or no longer.", ADD_AGAIN)
    folder = root / TABLES / key
    try:
        about = json.loads((folder / ABOUT).read_text(encoding="utf-8"))
        name, content_hash = str(about["name"]), about["sha256"]
        content = (folder / TABLE).read_bytes()
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError("A file that was kept cannot be read.", ADD_AGAIN) from error
    if hashlib.sha256(content).hexdigest() != content_hash or table_key(content_hash) != key:
        raise DataError("A file that was kept was changed since.", ADD_AGAIN)
    return KeptTable(name, content)


def _tidy(root: Path, newest: str) -> None:
    """Drop files that no run was made from and that have not been used for long, or are too much.

    What cannot be dropped stays: tidying is never a reason to stop.
    """
    in_use = {
        table_key(content_hash) for run in list_runs(root) for content_hash in run.contents.values()
    }
    room = MOST_BYTES_UNUSED
    oldest = time.time() - DAYS_KEPT * 24 * 3600
    for used, n_bytes, folder in _newest_first(root / TABLES, in_use | {newest}):
        room -= n_bytes
        if room < 0 or used < oldest:
            with suppress(RunError):
                remove_folder(folder)


def _newest_first(tables: Path, but: Collection[str]) -> list[tuple[float, int, Path]]:
    """Return when each whole file was used last, its size and folder, except those with a key."""
    whole = []
    for folder in tables.iterdir():
        if KEY_PATTERN.fullmatch(folder.name) and folder.name not in but:
            try:
                used, n_bytes = (folder / ABOUT).stat().st_mtime, (folder / TABLE).stat().st_size
            except OSError:
                continue  # another process is tidying, too
            whole.append((used, n_bytes, folder))
    return sorted(whole, reverse=True)
