"""What lies in the folder of all runs: runs, and folders that hold none that can be read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from layerviz.errors import LayervizError, RunError
from layerviz.runs.access import expect_changes_allowed
from layerviz.runs.layout import MAPS, MODEL, RECORD, SNAPSHOTS, WEIGHTS, Layout
from layerviz.runs.locking import taking
from layerviz.runs.processes import is_alive
from layerviz.runs.record import LIVE, Run, read
from layerviz.runs.writing import remove_folder, writing
from layerviz.wording import quote


@dataclass(frozen=True)
class UnreadableRun:
    """A folder of the runs folder that cannot be shown.

    Parameters
    ----------
    name : str
        The folder's, which may be anything.
    reason : str
        Why not, in one sentence.
    """

    name: str
    reason: str


@dataclass(frozen=True)
class RunsFolder:
    """What there is in the folder of all runs.

    Parameters
    ----------
    runs : tuple of Run
        Those that can be read, newest first.
    unreadable : tuple of UnreadableRun
        The others, by name.
    """

    runs: tuple[Run, ...]
    unreadable: tuple[UnreadableRun, ...]


def runs_in(root: Path) -> RunsFolder:
    """Look through the folder of all runs; nothing in there can make this fail."""
    readable: list[Run] = []
    unreadable: list[UnreadableRun] = []
    for folder in _folders(root):
        try:
            readable.append(read(root, folder.name))
        except LayervizError as error:
            if _is_of_run(folder):
                unreadable.append(UnreadableRun(folder.name, error.message))
    readable.sort(key=lambda run: (run.created, run.run_id), reverse=True)
    unreadable.sort(key=lambda one: one.name)
    return RunsFolder(tuple(readable), tuple(unreadable))


def list_runs(root: Path) -> list[Run]:
    """Return all readable runs under `root`, newest first; see `runs_in` for the others."""
    return list(runs_in(root).runs)


def delete_unreadable(root: Path, name: str) -> None:
    """Remove the folder of a run that cannot be read, or the link in its place, for good.

    Raises
    ------
    RunError
        If there is none of this name, or a process seems to be computing it.
    """
    expect_changes_allowed()
    if name not in {one.name for one in runs_in(root).unreadable}:
        raise RunError(f"There is no unreadable run {quote(name)} here.", "Reload the page.")
    folder = root / name
    if _seems_live(folder):
        raise RunError("This run is still in progress.", "Wait for it to end, then delete it.")
    with writing(folder):
        if folder.is_symlink() or not folder.is_dir():
            folder.unlink()  # what a link leads to is not ours
            return
    with taking(folder):
        remove_folder(folder)


def _folders(root: Path) -> list[Path]:
    try:
        return [path for path in root.iterdir() if not path.name.startswith(".")]
    except OSError:
        return []  # there is none yet, or it cannot be looked into; starting a run says so


def _is_of_run(folder: Path) -> bool:
    """Return whether a folder was meant to hold a run: others are nobody's business here."""
    names = (RECORD, SNAPSHOTS, MAPS, MODEL, WEIGHTS, Layout(folder).examples.name)
    try:
        return any((folder / name).is_symlink() or (folder / name).exists() for name in names)
    except (OSError, ValueError):
        return False


def _seems_live(folder: Path) -> bool:
    """Return whether a record says that a process is at work here, and there is such a process."""
    try:
        values = json.loads(Layout(folder).record.read_text(encoding="utf-8"))
        return values["status"] in LIVE and is_alive(values["process"], folder)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False
