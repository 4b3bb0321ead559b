"""Progress of long work: what page and command line say of it, and how it is stopped."""

from __future__ import annotations

import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from layerviz import progress
from layerviz.errors import Cancelled
from layerviz.progress import (
    CAPTURING,
    DOWNLOADING,
    LOADING,
    MEASURING,
    PREPARING,
    SAVING,
    TRAINING,
    UNPACKING,
    WORDS,
    Phase,
    Progress,
    duration,
    ignore,
    never,
    part_of,
    stop_if_asked,
)

pytestmark = pytest.mark.fast

ROOT = Path(__file__).resolve().parents[1]
PHASES = [value for value in vars(progress).values() if isinstance(value, Phase)]
at_step = partial(Progress, step=1200, total_steps=4800, epoch=0.5)


def at(phase: Phase, done: int = 0, total: int = 0) -> Progress:
    """Return a progress in the midst of a training."""
    return at_step(phase, done, total, loss=0.4321, seconds_left=40.2)


@pytest.mark.parametrize(
    ("now", "sentence"),
    [
        (Progress(), "Waiting for its turn"),
        (Progress(LOADING), "Loading the encoder"),
        (
            Progress(DOWNLOADING, 1_234_000_000, 2_000_000_000),
            "Downloading the encoder: 1,234 of 2,000 MB",
        ),
        (Progress(PREPARING), "Turning texts into tokens"),
        (at(TRAINING), "Step 1,200 / 4,800 · epoch 0.50 · loss 0.432 · about 41 s left"),
        (at_step(TRAINING), "Step 1,200 / 4,800 · epoch 0.50"),
        (
            at(CAPTURING, 300, 4000),
            "Step 1,200 / 4,800 · epoch 0.50 · loss 0.432 · capturing hidden states 300 / 4,000 · "
            "about 41 s left",
        ),
        (
            at_step(MEASURING, 3, 15),
            "Step 1,200 / 4,800 · epoch 0.50 · measuring layers 3 / 15",
        ),
        (Progress(MEASURING, 3, 15), "Measuring layers 3 / 15"),
        (
            at_step(SAVING, loss=0.4321, seconds_left=0.0),
            "Step 1,200 / 4,800 · epoch 0.50 · loss 0.432 · saving",
        ),
    ],
)
def test_the_page_says_what_is_being_done(now: Progress, sentence: str) -> None:
    assert now.sentence == sentence


@pytest.mark.parametrize(
    ("now", "postfix"),
    [
        (at(TRAINING), "epoch 0.50, loss 0.432"),
        (at(WORDS), "epoch 0.50, loss 0.432"),
        (at_step(TRAINING), "epoch 0.50"),
        (at(CAPTURING, 300, 4000), "300/4,000 examples"),
        (at(MEASURING, 3, 15), "3/15 layers"),
        (Progress(DOWNLOADING, 12_400_000, 400_000_000), "12/400 MB"),
        (Progress(LOADING), ""),
    ],
)
def test_the_command_line_says_it_behind_its_bar(now: Progress, postfix: str) -> None:
    assert now.postfix == postfix


@pytest.mark.parametrize(
    ("now", "fraction"),
    [
        (Progress(), 0),
        (Progress(UNPACKING, 30, 40), 0.75),
        (Progress(UNPACKING, 50, 40), 1),
        (at(CAPTURING, 4000, 4000), 0.25),
        (at_step(MEASURING, 3, 15, share=0.4), 0.4),
        (Progress(TRAINING, step=12, total_steps=10), 1),
    ],
)
def test_a_training_is_as_far_as_its_steps_and_other_work_as_its_counts(
    now: Progress, fraction: float
) -> None:
    assert now.fraction == fraction


@pytest.mark.parametrize("phase", PHASES, ids=[phase.name for phase in PHASES])
def test_every_phase_can_be_shown(phase: Phase) -> None:
    """Each has a name of its own and a text that can be filled in; so has one added here."""
    assert [other.name for other in PHASES].count(phase.name) == 1
    now = at(phase, 1_000_000, 4_000_000)
    assert "{" not in now.sentence + now.postfix
    assert now.sentence[0].isupper()


def test_a_new_phase_says_all_about_itself() -> None:
    now = Progress(Phase("sorting", "sorting {done} of {total} letters", "letters"), 3, 26)
    assert now.sentence == "Sorting 3 of 26 letters"
    assert now.postfix == "3/26 letters"


def test_parts_are_counted_as_one_piece_of_work() -> None:
    reports: list[Progress] = []
    for index in range(3):
        for done in (1, 2):
            part_of(reports.append, index, 3)(at(MEASURING, done, 2))
    assert [(report.done, report.total) for report in reports] == [(n, 6) for n in range(1, 7)]
    assert reports[0] == at(MEASURING, 1, 6)  # all else as it was


def test_work_stops_when_asked_and_goes_on_by_default() -> None:
    ignore(Progress())
    stop_if_asked(never)
    with pytest.raises(Cancelled):
        stop_if_asked(lambda: True)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (0.2, "1 s"), (89, "89 s"), (90, "2 min"), (3600, "60 min"), (9000, "2.5 h")],
)
def test_durations_are_as_precise_as_a_reader_needs(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_it_loads_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "pandas", "tqdm", "streamlit")
    code = (
        f"import sys, layerviz.progress\nprint([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
