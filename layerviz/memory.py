"""How much memory this process may still take: that of the machine, or of its container."""

from __future__ import annotations

import ctypes
from pathlib import Path
from typing import Any

import psutil

CGROUPS = Path("/sys/fs/cgroup")  # where Linux shows the groups of processes and their limits
OWN_GROUPS = Path("/proc/self/cgroup")
UNLIMITED = 2**60  # bytes: version 1 writes a limit near 2**63 where there is none


def free_memory(cgroups: Path = CGROUPS, own_groups: Path = OWN_GROUPS) -> int:
    """Return how many bytes this process may take before it, or another one, is ended for it.

    That is what the machine has available, or less where a container, or another group of
    processes on Linux (cgroup v1 and v2), is limited to less. What a group holds of files that
    were read, and may be dropped at any time, is no use of it.

    Parameters
    ----------
    cgroups, own_groups : Path
        Where Linux shows them.
    """
    rooms = [_room_v2(group) for group in _groups(cgroups, own_groups, "")]
    rooms += [_room_v1(group) for group in _groups(cgroups / "memory", own_groups, "memory")]
    return min([psutil.virtual_memory().available, *(room for room in rooms if room is not None)])


def _groups(root: Path, own_groups: Path, controller: str) -> list[Path]:
    """Return the folders of this process's group and of all that it is in, the root's included.

    In a container, the root is its own group, and what the kernel calls the group is not there.
    """
    try:
        lines = own_groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        return [root]
    fields = [line.split(":", 2) for line in lines]
    paths = [parts[2] for parts in fields if len(parts) == 3 and controller in parts[1].split(",")]
    inner = root / paths[0].lstrip("/") if paths and ".." not in paths[0] else root
    return [inner, *(parent for parent in inner.parents if parent.is_relative_to(root))]


def _room_v2(group: Path) -> int | None:
    limit, used = _number(group / "memory.max"), _number(group / "memory.current")
    return _room(limit, used, _stat(group, "inactive_file"))


def _room_v1(group: Path) -> int | None:
    limit = _number(group / "memory.limit_in_bytes")
    used = _number(group / "memory.usage_in_bytes")
    return _room(limit, used, _stat(group, "total_inactive_file"))


def _room(limit: int | None, used: int | None, droppable: int) -> int | None:
    if limit is None or used is None or limit >= UNLIMITED:
        return None
    return max(0, limit - max(0, used - droppable))


def _number(file: Path) -> int | None:
    """Return the number in a file; None where it is not there, or says "max"."""
    try:
        return int(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


def _stat(group: Path, key: str) -> int:
    try:
        lines = (group / "memory.stat").read_text(encoding="utf-8").splitlines()
        return int(dict(line.split() for line in lines).get(key, 0))
    except (OSError, ValueError):
        return 0


def return_what_is_free() -> None:
    """Let the C library give memory back that was freed; a process keeps it otherwise.

    Batches of many shapes leave holes of many sizes. Only glibc can be told.
    """
    if _TRIM is not None:
        _TRIM(0)


def _trim() -> Any:
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):  # musl, macOS, Windows
        return None


_TRIM = _trim()
