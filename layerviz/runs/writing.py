"""Writing into a run folder: in one step, or one sentence that says why not."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from layerviz.disks import QUOTA_SIGNS, TOO_LARGE_SIGNS, is_full, says
from layerviz.errors import DiskFullError, RunError
from layerviz.runs.access import expect_changes_allowed
from layerviz.runs.leftovers import aside, clean_up_beside, in_use

ROOM_THERE = "Free some space there, or choose another folder; the same command then does it."
ROOM = "Free some space (delete runs that are no longer needed), then try again."


@contextmanager
def replacing(target: Path, *, make_folder: bool = True, way_out: str = ROOM) -> Iterator[Path]:
    """Yield a temporary path beside `target` that takes its place when the block succeeds.

    The folder of `target` is made, but not the one above it: where a run was deleted meanwhile,
    nothing of it comes back.

    Parameters
    ----------
    target : Path
        A file or a folder.
    make_folder : bool
        False for what lies in a run's folder itself, which is there or was deleted.
    way_out : str
        What to do where there is no room.

    Raises
    ------
    DiskFullError
        If there is no room left, whatever it was that said so.
    RunError
        If it cannot be written for another reason.
    """
    temporary = aside(target, "tmp")
    with in_use(temporary), writing(target, way_out):
        if make_folder:
            target.parent.mkdir(exist_ok=True)
        elif not target.parent.is_dir():  # some libraries say it in words of their own
            raise FileNotFoundError(errno.ENOENT, "No such folder", str(target.parent))
        try:
            yield temporary
            _put_in_place(temporary, target)
        except Exception as error:
            # Looked at before what was written is removed, and makes room again.
            if not isinstance(error, RunError) and is_full(target, error):
                raise disk_full(target, way_out, error) from error
            raise
        finally:
            _discard(temporary)


@contextmanager
def writing_file(path: Path) -> Iterator[BinaryIO]:
    """Yield a stream to a file that somebody keeps where they like, such as an export.

    An existing file stays until the new one is whole, and nothing else is left beside it: what a
    process that died was writing there is removed first. A device or a pipe is written to as it is.

    Raises
    ------
    DiskFullError, RunError
        If there is a folder of this name, or as `replacing`.
    """
    with writing(path, ROOM_THERE):
        if path.is_dir():
            raise RunError(f"{path} is a folder.", "Give the name of a file.")
        if path.exists() and not path.is_file():
            with path.open("wb") as stream:
                yield stream
            return
        clean_up_beside(path)
        with (
            replacing(path, way_out=ROOM_THERE) as temporary,
            temporary.open("wb") as stream,
        ):
            yield stream


def make_root(root: Path) -> None:
    """Make the folder of all runs, if there is none yet."""
    expect_changes_allowed()
    with writing(root):
        root.mkdir(parents=True, exist_ok=True)


def _put_in_place(temporary: Path, target: Path) -> None:
    if not target.is_dir():
        temporary.replace(target)
        return
    # A folder cannot be replaced in one step; where the second is missing, the first is undone
    # (see `clean_up`).
    old = aside(target, "old")
    with in_use(old):
        target.rename(old)
        temporary.rename(target)
        shutil.rmtree(old, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder for good: at once under its name, and what it holds after that.

    What cannot be removed is tried again at the next start. A folder that is not there is fine; one
    that cannot be moved, as in a layer of a container, is removed where it is.

    Raises
    ------
    RunError
        If it can neither be moved nor removed.
    """
    gone = aside(folder, "gone")
    with in_use(gone), writing(folder):
        try:
            folder.rename(gone)
        except FileNotFoundError:
            return
        except OSError:
            shutil.rmtree(folder)
        shutil.rmtree(gone, ignore_errors=True)


def _discard(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


@contextmanager
def writing(path: Path, way_out: str = ROOM) -> Iterator[None]:
    """Turn what stops a write into a RunError."""
    from safetensors import SafetensorError

    try:
        yield
    except (OSError, SafetensorError) as error:
        raise writing_error(path, error, way_out) from error


def is_writing_error(path: Path, error: Exception) -> bool:
    """Return whether an error comes from writing into a run's folder, or from a full disk."""
    in_folder = isinstance(error, OSError) and str(path) in str(error.filename)
    return in_folder or is_full(path, error)


def writing_error(path: Path, error: Exception, way_out: str = ROOM) -> RunError:
    """Say in one sentence why something could not be written, and what to do."""
    if is_full(path, error):
        return disk_full(path, way_out, error)
    if isinstance(error, FileNotFoundError) and not path.parent.is_dir():
        return RunError(
            f"{path.name} could not be written: {path.parent.name} was deleted meanwhile.",
            "Start again with what there is now.",
        )
    if says(error, (errno.EFBIG,), TOO_LARGE_SIGNS):
        return RunError(
            f"{path.name} could not be written: it is larger than files may be here.",
            "Raise the limit (ulimit -f), or choose another folder.",
        )
    return RunError(
        f"{path} could not be written ({getattr(error, 'strerror', None) or error}).",
        "Check that the folder exists and belongs to you, or choose another folder.",
    )


def disk_full(path: Path, way_out: str = ROOM, error: BaseException | None = None) -> DiskFullError:
    """Return the error that says that there is no room for a file; `error` is what told so."""
    why = ""
    if error is not None and says(error, (errno.EDQUOT,), QUOTA_SIGNS):
        why = ", as your quota on it is used up"
    return DiskFullError(f"The disk is full: {path.name} could not be written{why}.", way_out)


def size_of_folder(folder: Path) -> int:
    """Return how many bytes the files in a folder take; 0 where there is none."""
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += Path(parent, name).lstat().st_size
    return total
