"""Free memory is the machine's, or less where a container or a group is limited to less."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from layerviz.encoders import opening
from layerviz.memory import free_memory

pytestmark = pytest.mark.fast
GB = 2**30
V2, V1 = ("max", "current"), ("limit_in_bytes", "usage_in_bytes")


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(psutil, "virtual_memory", lambda: SimpleNamespace(available=64 * GB))


def limit(group: Path, most: object, used: int, droppable: int, names: tuple[str, str]) -> None:
    group.mkdir(parents=True, exist_ok=True)
    for name, number in zip(names, (most, used), strict=True):
        (group / f"memory.{name}").write_text(f"{number}\n")
    key = "inactive_file" if names == V2 else "total_inactive_file"
    (group / "memory.stat").write_text(f"anon 7\n{key} {droppable}\n")


def free(tmp_path: Path, lines: str) -> float:
    (tmp_path / "own").write_text(lines)
    return free_memory(tmp_path, tmp_path / "own") / GB


def test_without_groups_it_is_what_the_machine_has(tmp_path: Path) -> None:
    assert free_memory(tmp_path, tmp_path / "none") == 64 * GB
    assert free(tmp_path, "0::/\n") == 64
    limit(tmp_path, "max", 9 * GB, 0, V2)
    assert free(tmp_path, "0::/\n") == 64


@pytest.mark.parametrize(
    ("folder", "line", "names"),
    [
        ("", "0::/", V2),  # in a container, or at the top
        ("app.slice/one", "0::/app.slice/one", V2),
        ("app.slice", "0::/app.slice/one", V2),  # a limit of the group that it is in
        ("memory", "4:memory:/docker/abc\n0::/", V1),  # in a container
        ("memory/docker/abc", "4:cpu,memory:/docker/abc", V1),
        ("", "0::/../../elsewhere", V2),  # a namespace of its own
    ],
)
def test_a_limited_group_has_less(
    tmp_path: Path, folder: str, line: str, names: tuple[str, str]
) -> None:
    limit(tmp_path / folder, 8 * GB, 7 * GB, 2 * GB, names)
    assert free(tmp_path, f"3:pids:/\n{line}\n") == 3
    limit(tmp_path / folder, 8 * GB, 9 * GB, 0, names)
    assert free(tmp_path, f"{line}\n") == 0
    limit(tmp_path / folder, 2**63 - 4096, 9 * GB, 0, names)  # none, as version 1 writes it
    assert free(tmp_path, f"{line}\n") == 64


def test_what_is_damaged_says_nothing(tmp_path: Path) -> None:
    limit(tmp_path, "lots", 7 * GB, 0, V2)
    assert free(tmp_path, "garbled\n:::\n0::/\n") == 64
    limit(tmp_path, 8 * GB, 7 * GB, 0, V2)
    (tmp_path / "memory.stat").write_text("three words here\n")
    assert free(tmp_path, "0::/\n") == 1


def test_an_encoder_is_measured_by_it() -> None:
    assert opening.free_memory is free_memory
