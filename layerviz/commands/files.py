"""Files that a command is given, as bytes."""

from __future__ import annotations

from pathlib import Path

from layerviz.errors import DataError


def read_bytes(path: Path) -> bytes:
    """Return a file's content.

    Raises
    ------
    DataError
        If it cannot be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
        ) from error
