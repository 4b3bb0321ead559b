"""What the process that computes a run tells all others that share its folder, and is told by them.

It writes beside the run's lock how far it is, and looks there for the wish that it stop. Both are
a few bytes, seldom written and read, so that a network folder carries them.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from layerviz.progress import OnProgress, Progress, ShouldStop
from layerviz.runs.access import expect_changes_allowed
from layerviz.runs.locking import holder_of, note_of
from layerviz.runs.writing import writing

SECONDS_BETWEEN_NEWS = 2.0
SECONDS_BETWEEN_LOOKS = 1.0  # for the wish to stop
MOST_LETTERS = 300  # of a sentence


@dataclass(frozen=True)
class News:
    """How far a run is that some process computes.

    Parameters
    ----------
    fraction : float
        0 to 1.
    sentence : str
        What it does.
    host : str
        The machine on which it is computed; "" where that is not known.
    """

    fraction: float
    sentence: str
    host: str = ""


@contextmanager
def telling(
    path: Path, on_progress: OnProgress, should_stop: ShouldStop
) -> Iterator[tuple[OnProgress, ShouldStop]]:
    """Yield what reports progress and asks whether to stop, to others and by others as well.

    Parameters
    ----------
    path : Path
        The folder of the run, which this process holds (`locking.computing`).
    on_progress, should_stop : callable
        Of this process.
    """
    note, wish = note_of(path, "progress"), note_of(path, "stop")
    told = looked = float("-inf")
    wished = False

    def report(progress: Progress) -> None:
        nonlocal told
        on_progress(progress)
        now = time.monotonic()
        if now - told < SECONDS_BETWEEN_NEWS:
            return
        told = now
        new = note.with_suffix(".new")
        values = asdict(News(progress.fraction, progress.sentence[:MOST_LETTERS]))
        with contextlib.suppress(OSError):  # on a full disk the run itself says so
            new.write_text(json.dumps(values), encoding="utf-8")
            new.replace(note)

    def stop() -> bool:
        nonlocal looked, wished
        now = time.monotonic()
        if not wished and now - looked >= SECONDS_BETWEEN_LOOKS:
            looked = now
            wished = wish.exists()
        return wished or should_stop()

    with contextlib.suppress(OSError):
        wish.unlink(missing_ok=True)  # one that came too late for whoever computed it before
    try:
        yield report, stop
    finally:
        for file in (note, note.with_suffix(".new"), wish):
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)


def news_of(path: Path) -> News | None:
    """Return how far a run is that another process computes; None where nobody says so."""
    try:
        values = json.loads(note_of(path, "progress").read_text(encoding="utf-8"))
        fraction = min(1.0, max(0.0, float(values["fraction"])))
        sentence = str(values["sentence"])[:MOST_LETTERS]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    holder = holder_of(path)
    return News(fraction, sentence, "" if holder is None else holder.host)


def ask_to_stop(path: Path) -> None:
    """Ask whoever computes a run to stop it; everything captured is kept.

    Raises
    ------
    RunError
        If the folder cannot be written.
    """
    expect_changes_allowed()
    wish = note_of(path, "stop")
    with writing(wish.parent):
        wish.parent.mkdir(parents=True, exist_ok=True)
        wish.touch()


def is_asked_to_stop(path: Path) -> bool:
    """Return whether somebody asked for that, and whoever computes the run has not ended yet."""
    return note_of(path, "stop").exists()
