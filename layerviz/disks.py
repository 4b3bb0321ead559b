"""Disks that are full: who says so, and folders for temporary files on them."""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerviz.errors import DiskFullError, LayervizError

FULL = (errno.ENOSPC, errno.EDQUOT)
LEAST_FREE = 64 * 1024  # bytes: with fewer, whatever failed has failed for lack of room
# What libraries say that keep the error's number to themselves.
FULL_SIGNS = ("No space left", "StorageFull", "os error 28", "PytorchStreamWriter failed")
QUOTA_SIGNS = ("quota exceeded", "QuotaExceeded", "os error 122", "os error 69")  # Linux, macOS
TOO_LARGE_SIGNS = ("File too large", "FileTooLarge", "os error 27")


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Yield an empty folder that is gone afterwards, where the system keeps temporary files.

    Raises
    ------
    DiskFullError
        If there is no room on its disk, which may be another than that of the runs.
    """
    try:
        made = tempfile.TemporaryDirectory(prefix="layerviz-", ignore_cleanup_errors=True)
    except OSError as error:
        if says(error, FULL, ()):
            raise _temporary_files_full(Path(error.filename or "").parent) from error
        raise
    with made as name:
        folder = Path(name)
        try:
            yield folder
        except LayervizError:
            raise
        except Exception as error:
            # Looked at before what was written is removed, and makes room again.
            if _is_of(folder, error):
                raise _temporary_files_full(folder.parent) from error
            raise


def _is_of(folder: Path, error: BaseException) -> bool:
    """Return whether an error is that of a full disk, and the disk that of a folder."""
    names = [str(getattr(one, "filename", "")) for one in _chain(error)]
    if says(error, FULL, ()) and any(name.startswith(str(folder)) for name in names):
        return True
    free = free_bytes(folder)
    return free is not None and free < LEAST_FREE


def _temporary_files_full(folder: Path) -> DiskFullError:
    return DiskFullError(
        f"The disk is full: there is no room for temporary files in {folder}.",
        "Free some space there, or name another folder in the environment variable TMPDIR.",
    )


def is_full(path: Path, error: BaseException) -> bool:
    """Return whether an error came from a full disk, whatever library raised it.

    Its number says so, or that of an error behind it; else whether there is any room left, as some
    libraries raise an error of their own; else its words.
    """
    if any(isinstance(one, DiskFullError) for one in _chain(error)):
        return True
    if says(error, (errno.EFBIG,), TOO_LARGE_SIGNS):  # with room, and libraries call it full, too
        return False
    if says(error, FULL, (*FULL_SIGNS, *QUOTA_SIGNS)):
        return True
    free = free_bytes(path)
    return free is not None and free < LEAST_FREE


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and those behind it."""
    behind: BaseException | None = error
    while behind is not None:
        yield behind
        behind = behind.__cause__ or behind.__context__


def says(error: BaseException, numbers: tuple[int, ...], signs: tuple[str, ...]) -> bool:
    """Return whether an error, or one behind it, has such a number or such words."""
    return any(
        getattr(one, "errno", None) in numbers or any(sign in str(one) for sign in signs)
        for one in _chain(error)
    )


def free_bytes(path: Path) -> int | None:
    """Return how many bytes are free where a file is to be; None where nobody knows."""
    for folder in (path, *path.parents):
        with contextlib.suppress(OSError):
            usage = shutil.disk_usage(folder)
            return usage.free if usage.total else None  # some network folders do not say
    return None
