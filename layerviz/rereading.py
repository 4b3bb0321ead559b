"""Small files that are looked at again and again are read once for each state they are in."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

State = tuple[int, int, int]
SETTLED = 2.0  # seconds after which a further change shows in a file's time


def settled_state(file: Path, *, follow_links: bool = True) -> State | None:
    """Return what changes with a file; None where it is too new to tell, or cannot be looked at.

    A file that is written twice in quick succession may have one time for both.
    """
    try:
        stat = file.stat(follow_symlinks=follow_links)
    except OSError:
        return None
    if time.time_ns() - stat.st_mtime_ns < SETTLED * 1e9:
        return None
    return stat.st_mtime_ns, stat.st_size, stat.st_ino


def known_text(file: Path) -> str:
    """Return a file's text, from memory where the file is as it was when it was read.

    Raises
    ------
    OSError, UnicodeDecodeError
        If it cannot be read.
    """
    state = settled_state(file)
    return file.read_text(encoding="utf-8") if state is None else _text_in(file, state)


@lru_cache(maxsize=2000)
def _text_in(file: Path, state: State) -> str:
    del state  # part of the key alone
    return file.read_text(encoding="utf-8")
