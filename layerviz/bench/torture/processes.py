"""Work in a process of its own, which dies at a file operation, as by a loss of power.

Python tells an audit hook of every file that is opened, renamed, linked or removed, whoever asks
for it; a hook that counts them can therefore stop a process before any of them.
"""

from __future__ import annotations

import contextlib
import gc
import logging
import multiprocessing
import os
import re
import signal
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from layerviz import interrupts
from layerviz.bench.torture.ordeal import Broken
from layerviz.errors import LayervizError

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
NOT_WATCHED = ".locks"  # signs of life come when they come
ASIDE = re.compile(r"\.[0-9a-f]{6}-\d+-[0-9a-f]{6}(?=\.)")  # what is never the same in a name
DIED = 77  # the exit status of a process that was ended by the hook
MOST_SECONDS = 300.0
_context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")


def preload(modules: Sequence[str]) -> None:
    """Have heavy modules imported once for all processes that are started from now on."""
    # Processes that are killed leave semaphores to Python's tracker, which would speak of them.
    os.environ.setdefault("PYTHONWARNINGS", "ignore:resource_tracker:UserWarning")
    _context.set_forkserver_preload(list(modules))


def in_own_process(
    work: Callable[..., Any],
    *arguments: Any,
    die_at: int | None = None,
    is_torn: bool = False,
    at: int | None = None,
    then: Callable[[], object] | None = None,
) -> Any:
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
    is_torn : bool
        Whether files that were written since the operation before are cut in half, as if it had
        died while they were being written.
    at, then : int and callable, optional
        What else is done before the operation of this number; the process lives on.

    Raises
    ------
    Broken
        If it raises, does not end, or lives where it was to die.
    """
    ours, theirs = _context.Pipe(duplex=False)
    task = (theirs, work, arguments, die_at, is_torn, at, then)
    process = _context.Process(target=_live, args=task)
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
        raise Broken(value if kind == "error" else f"{kind}, exit code {process.exitcode}")
    return value


def signalled(
    work: Callable[..., Any],
    *arguments: Any,
    number: signal.Signals,
    seconds: float,
    said: Path,
) -> int:
    """Do work in a process of its own and send that a signal; return how it ended.

    Parameters
    ----------
    work, *arguments
        As in `in_own_process`.
    number : Signals
        Which signal.
    seconds : float
        After which it comes.
    said : Path
        Takes what the process says on stderr.

    Raises
    ------
    Broken
        If it does not end.
    """
    said.unlink(missing_ok=True)
    process = _context.Process(target=_speak, args=(said, work, arguments))
    process.start()
    while not said.exists() and process.is_alive():  # it answers signals from then on
        time.sleep(0.001)
    process.join(seconds)
    if process.is_alive():
        os.kill(process.pid, number)
        process.join(MOST_SECONDS)
    if process.is_alive():
        process.kill()
        raise Broken(f"after {number.name} it did not end")
    return int(process.exitcode)


def at_one_moment(
    works: Sequence[Callable[[], Any]], delays: Sequence[float]
) -> list[tuple[str, Any]]:
    """Do several works at one moment, each in a process of its own.

    Parameters
    ----------
    works : sequence of callable
        Each one is, or is a `partial` of, a function that is found by its name.
    delays : sequence of float
        Seconds by which each begins later than all are ready.

    Returns
    -------
    list of (str, any)
        How each ended: "result" and what it returned, "said" and the one sentence of an error
        that is told to people, or "error" and any other.
    """
    ready = _context.Barrier(len(works))
    pipes = [_context.Pipe(duplex=False) for _ in works]
    processes = [
        _context.Process(target=_race, args=(pipe[1], ready, delay, work))
        for pipe, delay, work in zip(pipes, delays, works, strict=True)
    ]
    for process, (_, theirs) in zip(processes, pipes, strict=True):
        process.start()
        theirs.close()
    outcomes = []
    for process, (ours, _) in zip(processes, pipes, strict=True):
        try:
            outcomes.append(ours.recv() if ours.poll(MOST_SECONDS) else ("error", "did not end"))
        except EOFError:
            outcomes.append(("error", "it died"))
        process.join(10)
        if process.is_alive():
            process.kill()
    return outcomes


def _race(answer: Connection, ready: Any, delay: float, work: Callable[[], Any]) -> None:
    gc.freeze()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        ready.wait(MOST_SECONDS)
        time.sleep(delay)
        answer.send(("result", work()))
    except LayervizError as error:
        answer.send(("said", str(error)))
    except Exception as error:
        answer.send(("error", f"{type(error).__name__}: {error}"))


def _speak(said: Path, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    interrupts.install()
    gc.freeze()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    with said.open("w", encoding="utf-8") as stream:
        os.dup2(stream.fileno(), 2)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    work(*arguments)


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
    answer: Connection,
    work: Callable[..., Any],
    arguments: tuple[Any, ...],
    die_at: int | None,
    is_torn: bool,
    at: int | None,
    then: Callable[[], object] | None,
) -> None:
    gc.freeze()  # what was imported need not be looked through each time
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # who started it ends it
    if die_at is not None:
        _die_before(arguments[0], die_at, is_torn)
    elif at is not None and then is not None:
        _do_before(arguments[0], at, then)
    try:
        answer.send(("result", work(*arguments)))
    except Exception as error:
        answer.send(("error", f"{type(error).__name__}: {error}"))


def _die_before(folder: Path, die_at: int, is_torn: bool) -> None:
    left, written = die_at, _states_of(folder)

    def count_down(operation: str) -> None:  # noqa: ARG001
        nonlocal left, written
        now = _states_of(folder) if is_torn and left < 2 else {}
        if left == 0:
            for file, state in now.items():
                if written.get(file) != state:
                    _cut_in_half(file[0])
            os._exit(DIED)
        left, written = left - 1, now

    _watch(folder, count_down)


def _do_before(folder: Path, at: int, then: Callable[[], object]) -> None:
    left = at

    def count_down(operation: str) -> None:  # noqa: ARG001
        nonlocal left
        if left == 0:
            then()
        left -= 1

    _watch(folder, count_down)


def _states_of(folder: Path) -> dict[tuple[str, int], tuple[int, int]]:
    """Return size and time of every file by its path and number."""
    states = {}
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != NOT_WATCHED]
        for name in files:
            path = os.path.join(parent, name)  # noqa: PTH118
            status = os.lstat(path)
            states[path, status.st_ino] = (status.st_size, status.st_mtime_ns)
    return states


def _cut_in_half(file: str) -> None:
    descriptor = os.open(file, os.O_RDWR)
    os.ftruncate(descriptor, os.fstat(descriptor).st_size // 2)
    os.close(descriptor)


def _watch(folder: Path, tell: Callable[[str], None]) -> None:
    """Tell of every file operation in a folder, before it is done; for good."""
    watched, is_telling = f"{folder}{os.sep}", False

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal is_telling
        operation = _operation(event, arguments, watched)
        if operation and not is_telling:
            is_telling = True
            tell(operation)
            is_telling = False

    sys.addaudithook(hook)


def _operation(event: str, arguments: tuple[Any, ...], watched: str) -> str:
    """Return an operation in words; "" for what does not change a file in the folder."""
    if event == "open":
        path, mode, flags = arguments
        writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        names = _names([path], watched) if writes or (mode and set(mode) & set("wax+")) else []
    elif event in FILE_OPERATIONS:
        names = _names(_whole_paths(arguments), watched)
    else:
        return ""
    return f"{event.removeprefix('os.').removeprefix('shutil.')} {' '.join(names)}" if names else ""


def _names(paths: Sequence[object], watched: str) -> list[str]:
    decoded = [os.fsdecode(path) for path in paths if isinstance(path, str | bytes | os.PathLike)]
    names = [path.removeprefix(watched) for path in decoded if path.startswith(watched)]
    return [ASIDE.sub("", name) for name in names if not name.startswith(NOT_WATCHED)]


def _whole_paths(arguments: tuple[Any, ...]) -> list[object]:
    """Return the paths of an operation; those relative to an open folder, in full."""
    paths: list[object] = list(arguments)
    if len(paths) > 1 and isinstance(paths[0], str) and isinstance(paths[-1], int):
        with contextlib.suppress(OSError):
            paths[0] = os.path.join(os.readlink(f"/proc/self/fd/{paths[-1]}"), paths[0])  # noqa: PTH115, PTH118
    return paths
