"""Files that are written aside, and what becomes of them where a process died meanwhile.

Each carries in its name the machine and the process that wrote it, so that the next one can tell
what is left over from what is being written at this moment.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
import platform
import re
import shutil
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import psutil

from layerviz import interrupts

log = logging.getLogger(__name__)

# What is being written; what it takes the place of; what is being removed.
Kind = Literal["tmp", "old", "gone"]
LOCKS = ".locks"  # in the folder of all runs; see `locking`
MOST_LETTERS = 80  # of a name that need not be told from the path aside
SECONDS_OF_OTHERS = 24 * 3600  # after which a file that another machine wrote aside is left over
TOLERANCE = 5.0  # seconds by which a process may seem to have started after its own file
_MACHINE = hashlib.sha256(platform.node().encode()).hexdigest()[:6]
_ASIDE = re.compile(
    r"\.(?P<name>.+?)\.(?:(?P<machine>[0-9a-f]{6})-(?P<pid>\d+)-)?[0-9a-f]{6,8}"
    r"\.(?P<kind>tmp|old|gone)"
)
_lock = threading.Lock()
_paths_in_use: set[Path] = set()


def aside(target: Path, kind: Kind) -> Path:
    """Return a new path beside `target` that says what it is and whose."""
    unique = f"{_MACHINE}-{os.getpid()}-{uuid.uuid4().hex[:6]}"
    name = target.name if kind == "old" else target.name[:MOST_LETTERS]
    return target.with_name(f".{name}.{unique}.{kind}")


@contextmanager
def in_use(path: Path) -> Iterator[None]:
    """Note that this process uses a path that lies aside, for as long as the block runs."""
    with _lock:
        _paths_in_use.add(path)
    try:
        yield
    finally:
        with _lock:
            _paths_in_use.discard(path)


def abandon() -> None:
    """Remove what this process is writing, before it ends without another word."""
    for path in list(_paths_in_use):  # without the lock: whoever holds it may have been stopped
        if _ASIDE.fullmatch(path.name) and not path.name.endswith(".old"):
            _remove(path)


def clean_up(folder: Path) -> None:
    """Remove what processes that died have left in a folder and below it.

    A folder that was moved aside and whose place is empty is moved back: it is whole, and what was
    to take its place is not. What cannot be removed stays; that is never a reason to stop.
    """
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            match = _ASIDE.fullmatch(name)
            if match is not None and _is_left_over(path := Path(parent, name), match):
                target = path.with_name(match["name"])
                if match["kind"] == "old" and not target.exists():
                    with contextlib.suppress(OSError):
                        path.rename(target)
                else:
                    _remove(path)
        folders[:] = [name for name in folders if not name.startswith(".") or name == ".data"]


def clean_up_beside(target: Path) -> None:
    """Remove what processes that died have left where somebody keeps files of their own.

    Only what was being written to this file is removed, and only what names the process that did.
    """
    with contextlib.suppress(OSError):
        for path in list(target.parent.iterdir()):
            match = _ASIDE.fullmatch(path.name)
            if match is None or match["machine"] is None or match["kind"] != "tmp":
                continue
            if match["name"] == target.name[:MOST_LETTERS] and _is_left_over(path, match):
                _remove(path)


def _is_left_over(path: Path, match: re.Match[str]) -> bool:
    with _lock:
        if path in _paths_in_use:
            return False
    try:
        changed = path.lstat().st_mtime
    except OSError:
        return False  # gone already
    if match["machine"] != _MACHINE:
        return changed < time.time() - SECONDS_OF_OTHERS
    if int(match["pid"]) == os.getpid():
        return True
    try:
        started = psutil.Process(int(match["pid"])).create_time()
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False
    return started > changed + TOLERANCE  # another process has its number now


def _remove(path: Path) -> None:
    try:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
    except OSError as error:
        log.info("%s could not be removed: %s", path, error)


interrupts.before_end(abandon)
