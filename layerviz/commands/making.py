"""Making a run: its settings from the command line, its folder, its training, Ctrl-C."""

from __future__ import annotations

import os
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from layerviz.commands.bar import Bar
from layerviz.commands.command import EXIT_CANCELLED
from layerviz.config import RunConfig
from layerviz.errors import LayervizError
from layerviz.progress import ShouldStop

if TYPE_CHECKING:
    from layerviz.data import Dataset
    from layerviz.runs import Run


def create_run(config: RunConfig, dataset: Dataset, root: Path) -> Run:
    """Return a run, new or as it is on disk; a folder that cannot be used is an error."""
    from layerviz import runs, training

    return runs.create(root, training.with_defaults(config), dataset)


def finish_run(run: Run, dataset: Dataset, should_stop: ShouldStop) -> Run:
    """Return the run when it is done, or was stopped.

    Raises
    ------
    LayervizError
        If it fails; the folder of a start of which nothing was captured is removed.
    """
    from layerviz import runs, training

    if run.status == "done":
        print(f"{run.run_id} already exists; nothing to compute.", file=sys.stderr)
        return run
    try:
        with Bar() as bar:
            return training.fit(run, dataset, on_progress=bar.show, should_stop=should_stop)
    except LayervizError:
        with suppress(LayervizError):
            if not runs.open_folder(run.path).snapshots:
                runs.delete(run.path.parent, run.run_id)
        raise


def _quit(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """End the program at once; what is on disk is whole at any moment."""
    print("\nStopped.", file=sys.stderr, flush=True)
    os._exit(EXIT_CANCELLED)  # no thread is waited for, and none is left to complain


def stop_on_interrupt() -> ShouldStop:
    """Let the first Ctrl-C stop the run in good order, and a second one end the program."""
    stop = threading.Event()

    def on_interrupt(number: int, frame: FrameType | None) -> None:  # noqa: ARG001
        print(
            "Stopping. Finished work is kept, and the same command continues from there. "
            "Press Ctrl-C again to quit at once.",
            file=sys.stderr,
        )
        stop.set()
        signal.signal(signal.SIGINT, _quit)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, on_interrupt)
    return stop.is_set
