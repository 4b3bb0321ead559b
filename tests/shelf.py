"""What is costly to make is made once for all processes that run the tests, and copied."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

SHELF = "LAYERVIZ_TEST_SHELF"  # the environment variable that says where it stands


@contextmanager
def standing() -> Iterator[None]:
    """Put up a shelf for this process and those that it starts; one that stands is left alone."""
    if SHELF in os.environ:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="layerviz-tests-") as folder:
        os.environ[SHELF] = folder
        try:
            yield
        finally:
            del os.environ[SHELF]


def shelved(name: str, make: Callable[[Path], None]) -> Path:
    """Return the folder of this name, which `make` fills if nobody has yet. It is only read."""
    shelf = Path(os.environ[SHELF])
    folder = shelf / hashlib.sha256(name.encode()).hexdigest()[:32]
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            half_made = shelf / f"{folder.name}.new"
            shutil.rmtree(half_made, ignore_errors=True)
            half_made.mkdir()
            make(half_made)
            half_made.rename(folder)
    return folder
