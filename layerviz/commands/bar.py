"""A progress bar for a terminal."""

from __future__ import annotations

import sys

MANY = 100_000  # parts; so many are bytes


class Bar:
    """A progress bar on stderr that follows a run through its phases."""

    def __enter__(self):
        from tqdm import tqdm

        self._bar = tqdm(
            file=sys.stderr, unit="step", dynamic_ncols=True, mininterval=0.5, delay=0.5
        )
        return self

    def __exit__(self, *_) -> None:
        self._bar.close()

    def show(self, progress) -> None:
        bar = self._bar
        bar.set_description(progress.phase, refresh=False)
        if progress.phase == "downloading":
            bar.set_postfix_str(f"{progress.done / 1e6:.0f}/{progress.total / 1e6:.0f} MB")
        elif progress.phase == "teaching":
            bar.set_postfix_str(f"{progress.done:,}/{progress.total:,} texts", refresh=False)
        elif progress.phase == "capturing":
            bar.set_postfix_str(f"{progress.done}/{progress.total} examples", refresh=False)
        elif progress.phase == "measuring":
            bar.set_postfix_str(f"{progress.done}/{progress.total} layers", refresh=False)
        elif progress.loss is not None:
            bar.set_postfix_str(
                f"epoch {progress.epoch:.2f}, loss {progress.loss:.3f}", refresh=False
            )
        bar.total = progress.total_steps or None
        bar.update(progress.step - bar.n)

    def count(self, what: str, done: int, total: int) -> None:
        """Show how many parts of something are done."""
        if self._bar.total != total:  # the next thing that is counted
            self._bar.reset(total)
        self._bar.set_description(what, refresh=False)
        self._bar.unit_scale = total >= MANY
        self._bar.unit = "B" if total >= MANY else " parts"
        self._bar.update(done - self._bar.n)
