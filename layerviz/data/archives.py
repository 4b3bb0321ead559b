"""Zip archives: the tables inside, read in memory and never written anywhere."""

from __future__ import annotations

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from layerviz.data.file_format import MOST_EXPANDED, too_large
from layerviz.data.rewriting import NotInPlaceError
from layerviz.errors import DataError
from layerviz.wording import named

_PASSWORD = 1  # a flag of a member
_HIDDEN = re.compile(r"(^|/)(\.|__MACOSX/)")
# Each way of packing says in its own words that a member is damaged, or asks for too much memory.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    EOFError,
    RuntimeError,
    KeyError,
    ValueError,
    MemoryError,
)
UNZIP = "Unpack it and give the table inside."


def members(content: bytes, name: str) -> list[str]:
    """Return the paths of the files in an archive, without what systems add.

    Raises
    ------
    DataError
        If it is damaged, has a password, or unpacks to too much.
    """
    with _opened(content, name) as archive:
        files = [info for info in archive.infolist() if not info.is_dir()]
    if any(info.flag_bits & _PASSWORD for info in files):
        raise DataError(f"{name} has a password.", UNZIP)
    # What a member unpacks to is no more than it says: reading stops there.
    if sum(info.file_size for info in files) > MOST_EXPANDED:
        raise too_large(name)
    return [info.filename for info in files if not _HIDDEN.search(info.filename)]


def read_members(content: bytes, name: str, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield some files of an archive under their names without folders.

    Raises
    ------
    DataError
        If one is damaged, or packed in an unknown way.
    """
    with _opened(content, name) as archive:
        for path in paths:
            try:
                yield PurePosixPath(path).name, archive.read(path)
            except _DAMAGE as error:
                raise DataError(
                    f"{named(path)} in {named(name)} cannot be unpacked.", UNZIP
                ) from error


def with_members(content: bytes, changed: Mapping[str, bytes]) -> bytes:
    """Return an archive with other content in some of its files; all else in it stays.

    Raises
    ------
    NotInPlaceError
        If one of the other files is damaged, which cannot be packed again as it is.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w") as new:
        new.comment = old.comment
        for info in old.infolist():
            inside = changed.get(info.filename)
            try:
                new.writestr(info, old.read(info) if inside is None else inside)
            except _DAMAGE as error:
                raise NotInPlaceError("a damaged file beside") from error
    return out.getvalue()


def _opened(content: bytes, name: str) -> zipfile.ZipFile:
    try:
        return zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise DataError(
            f"{name} is a damaged zip archive.", "Copy the whole file again."
        ) from error
