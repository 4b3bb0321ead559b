"""The terminal's progress bar."""

from __future__ import annotations

from functools import partial

import pytest
import tqdm

from layerviz.commands import bar as bar_module
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
    monkeypatch.setattr(bar_module, "in_terminal", lambda: True)


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


def test_the_whole_work_fills_the_bar_where_its_share_is_known(at_once, capsys) -> None:
    whole = partial(Progress, step=3, total_steps=12, epoch=0.25, seconds_left=40.0)
    with Bar() as bar:
        bar.show(whole(CAPTURING, 40, 80, share=0.1))
        bar.show(whole(TRAINING, 3, 12, loss=0.5, share=0.4))
    drawn = lines(capsys)
    captured = next(line for line in drawn if line.startswith("capturing:"))
    assert "10%" in captured
    assert "step 3/12, 40/80 examples, about 40 s left" in captured
    assert drawn[-1].startswith("training:  40%")
    assert "epoch 0.25, loss 0.500" in drawn[-1]


def test_without_a_terminal_a_line_is_printed_every_few_seconds(capsys, monkeypatch) -> None:
    now = 100.0
    monkeypatch.setattr(bar_module.time, "monotonic", lambda: now)
    with Bar() as bar:
        for step in range(1, 3001):
            now += 0.01  # half a minute in all
            share = step / 3000
            bar.show(
                Progress(TRAINING, step, 3000, step=step, total_steps=3000, share=share,
                         seconds_left=30 - 30 * share)
            )  # fmt: skip
    printed = capsys.readouterr().err.splitlines()
    assert 5 <= len(printed) <= 8
    assert printed[0].startswith("17%  Step 500 / 3,000")
    assert printed[0].endswith("about 25 s left")
    assert printed[-1].startswith("100%  Step 3,000 / 3,000")
