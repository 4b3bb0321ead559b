"""What a piece of work takes: seconds, seconds of the processor, and memory above the start."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import threading
import time
from typing import Any

import psutil

from layerviz.errors import RunError

SECONDS_BETWEEN_LOOKS = 0.005
LOOKS_PER_CENSUS = 50  # finding the processes that were started takes longer than a look


class Footprint:
    """Watches what this process, and those that it starts, take while a block runs.

    Afterwards ``seconds`` and ``cpu_seconds`` are those of the block, and ``extra_mb`` is the most
    resident memory that all of them had at once above what they had when it began.
    """

    seconds = cpu_seconds = extra_mb = 0.0

    def __enter__(self) -> Footprint:
        self._process = psutil.Process()
        self._children = self._process.children(recursive=True)
        self._before = self._top = self._resident()
        self._record = _most_ever()
        self._cpu_before = cpu_seconds()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self._started = time.perf_counter()
        self._thread.start()
        return self

    def _look(self) -> None:
        looks = 0
        while not self._over.wait(SECONDS_BETWEEN_LOOKS):
            looks += 1
            if looks % LOOKS_PER_CENSUS == 0:
                self._children = self._process.children(recursive=True)
            self._top = max(self._top, self._resident())

    def _resident(self) -> int:
        total: int = self._process.memory_info().rss
        for child in self._children:
            try:
                total += child.memory_info().rss
            except psutil.NoSuchProcess:  # it has ended meanwhile
                continue
        return total

    def __exit__(self, *_: object) -> None:
        self.seconds = time.perf_counter() - self._started
        self._over.set()
        self._thread.join()
        self.cpu_seconds = cpu_seconds() - self._cpu_before
        if (most := _most_ever()) > self._record:  # exact, where it is a new record
            self._top = max(self._top, most)
        self.extra_mb = (self._top - self._before) / 1e6

    def as_dict(self) -> dict[str, float]:
        """Return what was taken, for JSON."""
        return {
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "extra_mb": self.extra_mb,
        }


def cpu_seconds() -> float:
    """Return what this process, and those that it started and that have ended, have computed."""
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in spent)


def _most_ever() -> int:
    """Return the largest resident memory that this process has had, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def in_own_process(module: str, *arguments: str) -> dict[str, Any]:
    """Call ``measure_from_arguments`` of a module of the bench in a process of its own.

    Parameters
    ----------
    module : str
        Its dotted name.
    *arguments : str
        What it finds in ``sys.argv``.

    Returns
    -------
    dict
        What it printed last, as JSON on a line.

    Raises
    ------
    RunError
        If it fails.
    """
    command = [
        sys.executable,
        "-c",
        "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); "  # who started it ends it
        f"from {module} import measure_from_arguments; measure_from_arguments()",
    ]
    done = subprocess.run([*command, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        sys.stderr.write(done.stderr)
        last = (done.stderr.splitlines() or [f"exit status {done.returncode}"])[-1]
        raise RunError(f"A side of the bench failed: {last}", "What it printed is above.")
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result
