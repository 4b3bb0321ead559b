"""Small disks that lie in memory, and how they are filled."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from layerviz.errors import ConfigError

DISK_BYTES = 32_000_000
FILLER = "filler"


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    """Mount a small disk that lies in memory, in a folder that is made for it.

    Raises
    ------
    ConfigError
        If this user may not.
    """
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "tmpfs", str(folder)]
    try:
        subprocess.run(mount, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        raise ConfigError(
            "A small disk cannot be mounted here.", "It takes Linux, and the rights to mount."
        ) from error
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False, capture_output=True)


def fill(disk: Path, left: int = 0) -> None:
    """Leave only so many bytes of a disk free, rounded up to its blocks."""
    descriptor = os.open(disk / FILLER, os.O_WRONLY | os.O_CREAT)
    end, size = 0, 1 << 24
    while size:
        try:
            os.posix_fallocate(descriptor, end, size)
            end += size
        except OSError:
            size //= 2
    os.ftruncate(descriptor, max(0, end - left))
    os.close(descriptor)


def make_room(disk: Path) -> None:
    """Take back what `fill` did."""
    (disk / FILLER).unlink()
