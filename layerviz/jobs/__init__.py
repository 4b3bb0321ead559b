"""Work that outlives a page: one worker trains, one measures, some draw maps; the rest waits.

Only threading lives here. A job's record is the one mutable object of the program; it changes
behind a lock and is handed out as a frozen snapshot. Jobs are found by key, never through a
browser session, so that closing a tab or opening a second one changes nothing.
"""

from layerviz.jobs.ending import stop_runs_at_exit
from layerviz.jobs.running import Jobs, map_workers
from layerviz.jobs.worker import JobState, Worker

__all__ = ["JobState", "Jobs", "Worker", "map_workers", "stop_runs_at_exit"]
