"""A progress bar for a terminal."""

from __future__ import annotations

import sys
from types import TracebackType

from layerviz.progress import WAITING, Progress


class Bar:
    """A progress bar on stderr that follows a piece of work through its phases.

    It counts optimizer steps where there are any, else what the phase counts.

    Parameters
    ----------
    title : str
        What to show before the bar; by default the phase.
    """

    def __init__(self, title: str = "") -> None:
        self._title = title

    def __enter__(self) -> Bar:
        self._start(Progress(WAITING))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._bar.close()

    def show(self, progress: Progress) -> None:
        """Show how far the work is."""
        if _counted(progress) != self._counted:
            self._bar.leave = False  # one bar stays in sight: the last one
            self._bar.close()
            self._start(progress)
        steps = progress.total_steps > 0
        self._bar.set_description(self._title or progress.phase.name, refresh=False)
        self._bar.set_postfix_str(progress.postfix if steps else "", refresh=False)
        self._bar.update((progress.step if steps else progress.done) - self._bar.n)

    def _start(self, progress: Progress) -> None:
        from tqdm import tqdm

        self._counted = total, unit, scaled = _counted(progress)
        self._bar = tqdm(
            file=sys.stderr,
            total=total or None,
            unit=unit,
            unit_scale=scaled,
            dynamic_ncols=True,
            mininterval=0.5,
            delay=0.5,
        )


def _counted(progress: Progress) -> tuple[int, str, bool]:
    """Return how many of what a bar counts, and whether it writes k, M and G for thousands."""
    if progress.total_steps:
        return progress.total_steps, "step", False
    phase = progress.phase
    if phase.scale > 1:
        return progress.total, "B", True
    return progress.total, f" {phase.unit}" if phase.unit else "step", False
