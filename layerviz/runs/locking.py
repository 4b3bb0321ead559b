"""One lock for each run: who computes it holds it, and says so to all who share the folder.

The lock is the operating system's (`filelock`), so that it ends with the process that holds it,
however that ends. Beside it lies a note with the machine, the process and the time, renewed while
the run is computed: whoever comes second reads there who was first.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import json
import logging
import os
import platform
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout

from layerviz.errors import RunError
from layerviz.runs.leftovers import LOCKS
from layerviz.runs.writing import writing
from layerviz.wording import count

log = logging.getLogger(__name__)

PATIENCE = 2.0  # seconds: nobody who only looks or writes a line holds a lock for longer
PATIENCE_TO_WRITE = 60.0
WAIT_OR_CHANGE = "Wait for it to finish, or change a setting to start a different run."
# What some network folders say: nobody there can be kept out.
NO_LOCKS = (errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP)
MOST_LETTERS, LETTERS_SEEN = 100, 60  # of a name; of a longer one
SECONDS_BETWEEN_BEATS = 15.0
SECONDS_OF_SILENCE = 120.0  # after which a process on another machine counts as gone


@dataclass(frozen=True)
class Holder:
    """Who computes a run.

    Parameters
    ----------
    host : str
        The machine's name.
    pid : int
        The process's number there.
    since, seen : float
        When it began, and when it last gave a sign of life, in seconds since 1970.
    """

    host: str
    pid: int
    since: float
    seen: float

    @property
    def is_alive(self) -> bool:
        """Whether it gave a sign of life lately; clocks of machines may differ by a little."""
        return abs(time.time() - self.seen) < SECONDS_OF_SILENCE

    def __str__(self) -> str:
        seconds = max(0, round(time.time() - self.seen))
        return f"process {self.pid} on {self.host}, {count(seconds, 'second')} ago"


def this_host() -> str:
    """Return the name of this machine."""
    return platform.node()


@contextmanager
def taking(path: Path, way_out: str = WAIT_OR_CHANGE) -> Iterator[None]:
    """Hold a run for a moment, to look at it and then begin, import or delete it.

    Parameters
    ----------
    path : Path
        The run's folder.
    way_out : str
        What to do while somebody computes it.

    Raises
    ------
    RunError
        If somebody computes it.
    """
    with _locked(path, "lock", PATIENCE, otherwise=partial(taken_error, way_out=way_out)):
        yield


@contextmanager
def computing(path: Path) -> Iterator[None]:
    """Hold a run for as long as it is computed, and give signs of life.

    Raises
    ------
    RunError
        If somebody else computes it, which it says.
    """
    with taking(path), _heartbeat(path):
        yield


@contextmanager
def changing(path: Path) -> Iterator[None]:
    """Let nobody else change a run's files between reading and writing them.

    Raises
    ------
    RunError
        If another process does not come to an end with it.
    """
    with _locked(path, "changing", PATIENCE_TO_WRITE, otherwise=_stuck):
        yield


def holder_of(path: Path) -> Holder | None:
    """Return who computes a run, or did when it died; None where nobody says so."""
    try:
        values = json.loads(note_of(path).read_text(encoding="utf-8"))
        return Holder(
            str(values["host"]), int(values["pid"]), float(values["since"]), float(values["seen"])
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def taken_error(path: Path, way_out: str = WAIT_OR_CHANGE) -> RunError:
    """Return the error that says who computes a run."""
    holder = holder_of(path)
    which = f" (last seen: {holder})" if holder is not None else ""
    return RunError(
        f"Another layerviz process is already computing this run{which}.",
        way_out,
    )


def _stuck(path: Path) -> RunError:
    return RunError(
        f"Another layerviz process has been writing to {path.name} for over a minute.",
        "Try again; if it stays so, end that process.",
    )


@contextmanager
def _locked(
    path: Path, kind: str, seconds: float, otherwise: Callable[[Path], RunError]
) -> Iterator[None]:
    folder = path.parent / LOCKS
    # One for each use: threads exclude each other.
    lock = FileLock(folder / f"{_own_name(path)}.{kind}")
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=seconds)
        except Timeout:  # an OSError, too
            raise otherwise(path) from None
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise
            # As before there were any: the record still says which process computes a run.
            log.warning("%s has no locks: start each run in one place only.", folder)
    try:
        yield
    finally:
        lock.release()


def note_of(path: Path, about: str = "") -> Path:
    """Return the file beside a run's lock that tells who computes it, or something else of it."""
    return path.parent / LOCKS / f"{_own_name(path)}{about and f'.{about}'}.json"


def _own_name(path: Path) -> str:
    """Return the name of a folder, which no other one shares, as short as a file's may be."""
    if len(path.name) <= MOST_LETTERS:
        return path.name
    digest = hashlib.sha256(os.fsencode(path.name)).hexdigest()
    return f"{path.name[:LETTERS_SEEN]}-{digest[:12]}"


@contextmanager
def _heartbeat(path: Path) -> Iterator[None]:
    note, ended, since = note_of(path), threading.Event(), time.time()

    def beat() -> None:
        holder = Holder(this_host(), os.getpid(), since, time.time())
        new = note.with_suffix(".new")
        with contextlib.suppress(OSError):  # on a full disk the lock says enough
            new.write_text(json.dumps(asdict(holder)), encoding="utf-8")
            new.replace(note)

    def go_on() -> None:
        while not ended.wait(SECONDS_BETWEEN_BEATS):
            beat()

    beat()
    thread = threading.Thread(target=go_on, name="layerviz-heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
        for file in (note, note.with_suffix(".new")):
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
