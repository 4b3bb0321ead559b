"""How a server ends in the middle of a run: it stops the run in good order, then itself."""

from __future__ import annotations

import atexit
import logging
from contextlib import suppress

from layerviz import interrupts
from layerviz.errors import RunError
from layerviz.jobs.running import Jobs

log = logging.getLogger(__name__)

MOST_SECONDS = 60.0  # what starts servers kills those that take longer, mostly after 90
STOPPING = (
    "Stopping the run that is being computed. What is finished is kept, and the run can be "
    "continued at the next start. Press Ctrl-C again to quit at once."
)


def stop_runs_at_exit(jobs: Jobs) -> None:
    """Have the runs stopped that are computed or wait when the program ends, which waits for that.

    The threads of workers end with the program, wherever they are. Python calls this before, once
    the server has closed its connections; only the main thread may then answer a second signal.
    """
    atexit.register(_stop_runs, jobs)


def _stop_runs(jobs: Jobs) -> None:
    live = jobs.live_runs()
    if not live:
        return
    interrupts.end_at_next_signal(STOPPING)
    for run_id in live:
        with suppress(RunError):  # it was deleted meanwhile, or its folder cannot be written
            jobs.cancel(run_id)
    if not jobs.wait_for_runs(MOST_SECONDS):
        log.warning("A run did not stop in time; it goes on from its last checkpoint.")
