"""Which disk is full: that of temporary files is told from that of the runs."""

from __future__ import annotations

import errno
import tempfile
from pathlib import Path

import pytest

from layerviz import disks, encoders
from layerviz.errors import DiskFullError

pytestmark = pytest.mark.fast


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of temporary files, which is one of the test's own."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_temporary_folder_is_gone_afterwards(scratch: Path) -> None:
    with disks.temporary_folder() as folder:
        (folder / "a").write_text("a", encoding="utf-8")
        assert folder.parent == scratch
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    ("error", "free"),
    [
        (lambda folder: OSError(errno.ENOSPC, "no room", str(folder / "a")), 10**9),
        (lambda folder: OSError(errno.EDQUOT, "no room", str(folder / "a")), 10**9),
        (lambda _: ValueError("a library's own words"), 0),
    ],
)
def test_a_full_disk_of_temporary_files_is_named(scratch, monkeypatch, error, free) -> None:
    monkeypatch.setattr(disks, "free_bytes", lambda _: free)
    with (
        pytest.raises(DiskFullError, match="no room for temporary files in") as caught,
        disks.temporary_folder() as folder,
    ):
        raise error(folder)
    assert str(scratch) in caught.value.message
    assert "TMPDIR" in caught.value.hint
    assert not list(scratch.iterdir())


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "no room", "/elsewhere/a"), ValueError("not of a disk")]
)
def test_other_errors_are_left_as_they_are(scratch, monkeypatch, error) -> None:
    monkeypatch.setattr(disks, "free_bytes", lambda _: 10**9)
    with pytest.raises(type(error)) as caught, disks.temporary_folder():
        raise error
    assert caught.value is error


def test_no_room_for_the_folder_itself_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> str:
        raise OSError(errno.ENOSPC, "no room", "/scratch/layerviz-1")

    monkeypatch.setattr(tempfile, "mkdtemp", fail)
    with pytest.raises(DiskFullError, match="temporary files in /scratch"):
        encoders.load_tokenizer("bert-mini")
