"""Dying at a file operation: a process of its own that ends there at once, as by a loss of power.

Python tells an audit hook of every file that is opened, renamed, linked or removed, whoever asks
for it; a hook that counts them can therefore stop a process before any of them.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from layerviz.bench.torture.ordeal import Broken

FILE_OPERATIONS = frozenset(
    {
        "os.rename",  # os.replace as well
        "os.remove",
        "os.rmdir",
        "os.mkdir",
        "os.link",
        "os.symlink",
        "os.truncate",
        "shutil.rmtree",
        "shutil.move",
        "shutil.copyfile",
    }
)
DIED = 77  # the exit status of a process that was ended by the hook
MOST_SECONDS = 300.0
_context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")


def preload(modules: Sequence[str]) -> None:
    """Have heavy modules imported once for all processes that are started from now on."""
    _context.set_forkserver_preload(list(modules))


def in_own_process(work: Callable[..., Any], *arguments: Any, die_at: int | None = None) -> Any:
    """Do work in a process of its own; return its result, or None where it died as asked.

    Parameters
    ----------
    work : callable
        Of a module, as it is found by its name; its first argument is the folder that is watched.
    *arguments
        The folder, and whatever else it takes.
    die_at : int, optional
        The number, from 0, of the file operation in the folder before which the process ends;
        without, it lives.

    Raises
    ------
    Broken
        If it raises, does not end, or lives where it was to die.
    """
    ours, theirs = _context.Pipe(duplex=False)
    process = _context.Process(target=_live, args=(theirs, work, arguments, die_at))
    process.start()
    theirs.close()
    try:
        outcome = ours.recv() if ours.poll(MOST_SECONDS) else ("error", "it did not end")
    except EOFError:
        outcome = ("died", None)
    process.join(10)
    if process.is_alive():
        process.kill()
        process.join()
    kind, value = outcome
    if kind == "died" and process.exitcode == DIED and die_at is not None:
        return None
    if kind != "result" or die_at is not None:
        raise Broken(value or f"{kind}, exit code {process.exitcode}")
    return value


def operations_of(work: Callable[..., Any], *arguments: Any) -> list[str]:
    """Do work in a process of its own; return its file operations in the folder, in order."""
    done = in_own_process(_noted, arguments[0], work, arguments)
    return [str(operation) for operation in done]


def _noted(folder: Path, work: Callable[..., Any], arguments: tuple[Any, ...]) -> list[str]:
    noted: list[str] = []
    _watch(folder, noted.append)
    work(*arguments)
    return list(noted)


def _live(
    answer: Connection, work: Callable[..., Any], arguments: tuple[Any, ...], die_at: int | None
) -> None:
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    if die_at is not None:
        left = die_at

        def count_down(operation: str) -> None:  # noqa: ARG001
            nonlocal left
            left -= 1
            if left < 0:
                os._exit(DIED)

        _watch(arguments[0], count_down)
    try:
        answer.send(("result", work(*arguments)))
    except Exception as error:
        answer.send(("error", f"{type(error).__name__}: {error}"))


def _watch(folder: Path, tell: Callable[[str], None]) -> None:
    """Tell of every file operation in a folder, before it is done; for good."""
    watched = f"{folder}{os.sep}"

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes and _in(path, watched):
                tell(f"open {os.path.relpath(path, folder)} {mode or ''}".strip())
        elif event in FILE_OPERATIONS:
            paths = [path for path in arguments if _in(path, watched)]
            if paths:
                names = " ".join(os.path.relpath(path, folder) for path in paths)
                tell(f"{event.partition('.')[2]} {names}")

    sys.addaudithook(hook)


def _in(path: object, watched: str) -> bool:
    if isinstance(path, bytes):
        path = os.fsdecode(path)
    return isinstance(path, str | os.PathLike) and os.fspath(path).startswith(watched)
