"""In which order the tests come, and which of them one process takes together."""

from __future__ import annotations

from pathlib import Path

from xdist.scheduler import LoadFileScheduling

BROWSER = "browser"  # the folder of the tests that drive one
# These begin first, so that no process is left with a long file when the others are done.
LONGEST = (
    "test_app.py",
    "test_bench.py",
    "test_training.py",
    "test_truth.py",
    "test_main.py",
    "test_layer_model.py",
)


class OneBrowser(LoadFileScheduling):
    """Hands out file by file; those that drive a browser are one, for they share a server."""

    def _split_scope(self, nodeid: str) -> str:
        return work_of(nodeid)


def work_of(nodeid: str) -> str:
    """Return the piece of work that a test belongs to."""
    file = nodeid.partition("::")[0]
    folder = file.rpartition("/")[0]
    return folder if folder.endswith(f"/{BROWSER}") else file


def turn_of(path: Path) -> int:
    """Return when the tests of a file come: the lower, the sooner."""
    if path.parent.name == BROWSER:
        return -1
    return LONGEST.index(path.name) if path.name in LONGEST else len(LONGEST)
