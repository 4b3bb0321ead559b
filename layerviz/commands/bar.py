"""Progress on stderr: a bar in a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from layerviz.commands.terminal import as_plain, for_drawing
from layerviz.progress import WAITING, Progress

SECONDS_BETWEEN_LINES = 5.0  # where nobody watches a bar: in a file, or in the log of a machine
# Of work whose parts are not alike. Before {postfix} tqdm writes a comma, so the unit says it.
WHOLE_BAR = "{desc}{percentage:3.0f}%|{bar}| {unit}"


class Bar:
    """A progress bar on stderr that follows a piece of work through its phases.

    Where the work knows its share of the whole, that fills the bar; else optimizer steps do where
    there are any, else what the phase counts.

    Parameters
    ----------
    title : str
        What to show before the bar; by default the phase.
    """

    def __init__(self, title: str = "") -> None:
        self._title = as_plain(title)
        self._is_terminal = in_terminal()
        self._line_at = time.monotonic()  # short work prints nothing
        self._newest: Progress | None = None  # of which no line was printed
        self._printed = False

    def __enter__(self) -> Bar:
        if self._is_terminal:
            self._start(Progress(WAITING))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._is_terminal:
            self._bar.close()
        elif self._printed and self._newest is not None:
            self._print(self._newest)

    def show(self, progress: Progress) -> None:
        """Show how far the work is."""
        if self._is_terminal:
            self._draw(progress)
            return
        self._newest = progress
        if time.monotonic() - self._line_at >= SECONDS_BETWEEN_LINES:
            self._print(progress)

    def _print(self, progress: Progress) -> None:
        title = f"{self._title}: " if self._title else ""
        print(f"{title}{100 * progress.fraction:.0f}%  {progress.sentence}", file=sys.stderr)
        self._line_at, self._newest, self._printed = time.monotonic(), None, True

    def _draw(self, progress: Progress) -> None:
        if _counted(progress) != self._counted:
            self._bar.leave = False  # one bar stays in sight: the last one
            self._bar.close()
            self._start(progress)
        self._bar.set_description(self._title or progress.phase.name, refresh=False)
        steps = progress.total_steps > 0
        if progress.share is None:
            done: float = progress.step if steps else progress.done
            self._bar.set_postfix_str(progress.postfix if steps else "", refresh=False)
        else:
            done, self._bar.unit = progress.share, progress.overview
        self._bar.update(done - self._bar.n)

    def _start(self, progress: Progress) -> None:
        from tqdm import tqdm

        self._counted = total, unit, scaled = _counted(progress)
        self._bar = tqdm(
            file=for_drawing(),
            total=total or None,
            unit=unit,
            unit_scale=scaled,
            dynamic_ncols=True,
            mininterval=0.5,
            delay=0.5,
            bar_format=None if progress.share is None else WHOLE_BAR,
        )


def in_terminal() -> bool:
    """Return whether somebody watches stderr as it changes."""
    return sys.stderr.isatty()


def _counted(progress: Progress) -> tuple[int, str, bool]:
    """Return how many of what a bar counts, and whether it writes k, M and G for thousands."""
    if progress.share is not None:
        return 1, "whole", False
    if progress.total_steps:
        return progress.total_steps, "step", False
    phase = progress.phase
    if phase.scale > 1:
        return progress.total, "B", True
    return progress.total, f" {phase.unit}" if phase.unit else "step", False
