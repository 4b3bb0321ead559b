"""The terminal's progress bar."""

from __future__ import annotations

from functools import partial

import pytest
import tqdm

from layerviz.commands.bar import Bar
from layerviz.progress import (
    CAPTURING,
    DRAWING,
    LOADING,
    PACKING,
    TRAINING,
    WORDS,
    Phase,
    Progress,
)

pytestmark = pytest.mark.fast


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a bar be drawn at each report, and not only after half a second."""
    real = tqdm.tqdm

    def impatient(**settings) -> tqdm.tqdm:
        # At least one step between two drawings would leave out those that only change words.
        return real(**settings | {"delay": 0, "mininterval": 0, "miniters": 0, "ncols": 200})

    monkeypatch.setattr(tqdm, "tqdm", impatient)


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Return the bars in the order in which they were drawn."""
    return [line.strip() for line in capsys.readouterr().err.split("\r") if line.strip()]


def test_steps_are_counted_and_the_phase_counts_behind_them(at_once, capsys) -> None:
    at_step = partial(Progress, step=3, total_steps=12, epoch=0.25)
    with Bar() as bar:
        bar.show(Progress(LOADING))
        bar.show(at_step(CAPTURING, 40, 80))
        bar.show(at_step(TRAINING, 3, 12, loss=0.5))
    drawn = lines(capsys)
    assert any(line.startswith("loading:") for line in drawn)
    captured = next(line for line in drawn if line.startswith("capturing:"))
    assert "3/12" in captured
    assert "40/80 examples" in captured
    assert drawn[-1].startswith("training:")
    assert "epoch 0.25, loss 0.500" in drawn[-1]


@pytest.mark.parametrize(
    ("phase", "done", "total", "count"),
    [
        (DRAWING, 2, 8, "2/8"),
        (PACKING, 3_000_000, 12_000_000, "3.00M/12.0M"),
        (Phase("sorting", "sorting {done} letters", "letters"), 3, 26, "3/26"),
    ],
)
def test_without_steps_the_phase_is_counted(
    at_once, capsys, phase: Phase, done: int, total: int, count: str
) -> None:
    with Bar("run.gif") as bar:
        bar.show(Progress(phase, done, total))
    drawn = lines(capsys)[-1]
    assert drawn.startswith("run.gif:")
    assert count in drawn
    assert ("B/s" if phase is PACKING else f" {phase.unit}/s") in drawn


def test_one_bar_is_left_in_the_end(at_once, capsys) -> None:
    with Bar() as bar:
        for phase, total in ((WORDS, 5), (TRAINING, 9)):
            for step in range(1, total + 1):
                bar.show(Progress(phase, step, total, step=step, total_steps=total))
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.rsplit("\r", 1)[-1].startswith("training: 100%")


def test_short_work_draws_nothing(capsys) -> None:
    with Bar() as bar:
        bar.show(Progress(DRAWING, 1, 2))
        bar.show(Progress(DRAWING, 2, 2))
    assert capsys.readouterr().err == ""
