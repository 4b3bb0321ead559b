"""Files that people keep where they like: whole or as they were, and nothing beside them."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from safetensors import SafetensorError

from layerviz import runs
from layerviz.errors import RunError
from layerviz.runs import leftovers


def leave_behind(target: Path, pid: int, machine: str = leftovers._MACHINE) -> Path:
    path = target.with_name(f".{target.name[:80]}.{machine}-{pid}-0a1b2c.tmp")
    path.write_bytes(b"half")
    return path


def test_what_a_dead_process_left_beside_an_export_goes_with_the_next_one(tmp_path: Path) -> None:
    dead = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], stdout=-1)
    pid, target = int(dead.stdout), tmp_path / f"{'long' * 30}.csv"
    old, other = leave_behind(target, pid), leave_behind(tmp_path / "other.csv", pid)
    alive, elsewhere = leave_behind(target, 1), leave_behind(target, pid, "abcdef")
    stranger = tmp_path / f".{target.name[:80]}.0a1b2c.tmp"  # of who knows whom
    stranger.write_bytes(b"theirs")
    with runs.writing_file(target) as stream:
        stream.write(b"whole")
    assert target.read_bytes() == b"whole"
    left = {path.name for path in tmp_path.iterdir()} - {target.name}
    assert left == {path.name for path in (other, alive, elsewhere, stranger)}
    assert not old.exists()


def test_an_export_to_a_pipe_goes_into_it(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    with runs.writing_file(pipe) as stream:
        stream.write(b"x,y")
    assert os.read(reader, 10) == b"x,y"
    os.close(reader)
    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]


def write_half(target: Path, error: Exception) -> None:
    with runs.writing_file(target) as stream:
        stream.write(b"half")
        raise error


@pytest.mark.parametrize(
    ("error", "says", "hint"),
    [
        (OSError(errno.ENOSPC, "?"), "The disk is full: a.csv could", "choose another folder"),
        (OSError(errno.EDQUOT, "?"), "as your quota on it is used up", "choose another folder"),
        (SafetensorError("I/O error: (os error 122)"), "your quota", "choose another folder"),
        (OSError(errno.EFBIG, "?"), "larger than files may be here", "ulimit -f"),
        (SafetensorError("File too large (os error 27)"), "larger than files may be", "ulimit -f"),
    ],
    ids=["full", "quota", "quota of a library", "too large", "too large for a library"],
)
def test_an_export_that_does_not_fit_leaves_the_older_file(
    tmp_path: Path, error: Exception, says: str, hint: str
) -> None:
    target = tmp_path / "a.csv"
    target.write_bytes(b"older")
    with pytest.raises(RunError) as caught:
        write_half(target, error)
    assert says in caught.value.message
    assert hint in caught.value.hint
    assert target.read_bytes() == b"older"
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
