"""Writing into a run folder: in one step, or one sentence that says why not."""

from __future__ import annotations

import errno
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from safetensors import SafetensorError

from layerviz.errors import RunError

DISK_FULL_SIGNS = ("No space left", "StorageFull", "PytorchStreamWriter")  # what libraries say


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that takes its place when the block succeeds."""
    temporary = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.tmp")
    with writing(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield temporary
            _put_in_place(temporary, target)
        finally:
            if temporary.is_dir():
                shutil.rmtree(temporary, ignore_errors=True)
            else:
                temporary.unlink(missing_ok=True)


def _put_in_place(temporary: Path, target: Path) -> None:
    if not target.is_dir():
        temporary.replace(target)
        return
    old = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}.old")
    target.rename(old)  # a folder cannot be replaced in one step
    temporary.rename(target)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn what stops a write into a RunError."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise writing_error(path, error) from error


def writing_error(path: Path, error: Exception) -> RunError:
    """Say in one sentence why a run could not be written, and what to do."""
    full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT)
    if full or any(sign in str(error) for sign in DISK_FULL_SIGNS):
        return RunError(
            f"The disk is full: {path.name} could not be written.",
            "Free some space (delete runs that are no longer needed) and start the same run "
            "again: it continues from what was saved.",
        )
    return RunError(
        f"{path} could not be written ({getattr(error, 'strerror', None) or error}).",
        "Check that the folder exists and belongs to you, or choose another runs folder.",
    )
