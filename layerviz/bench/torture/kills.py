"""A run is killed at random moments, by three signals, and started again until it is done."""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from layerviz import interrupts, runs, training
from layerviz.bench.torture.deaths import ends_as_undisturbed, prepared
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.processes import in_own_process, signalled
from layerviz.bench.torture.toys import fit_toy, toy_dataset, toy_run

KILLS = 200
SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
MOST_KILLS_OF_ONE = 3  # before it may end


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:
    encoder, undisturbed = prepared(shared)
    begun = time.monotonic()
    in_own_process(fit_toy, shared / "timed", encoder)
    seconds, rng = time.monotonic() - begun, random.Random(seed)
    for number in range(KILLS):
        kills = [
            (rng.choice(SIGNALS), seconds * rng.random())
            for _ in range(rng.randint(1, MOST_KILLS_OF_ONE))
        ]
        name = ", then ".join(f"{one.name} after {after:.2f} s" for one, after in kills)
        work = partial(_kill_and_go_on, undisturbed, encoder, kills)
        yield Attempt(f"{number}, {name}", work)


def _kill_and_go_on(
    undisturbed: dict[str, str],
    encoder: Path,
    kills: list[tuple[signal.Signals, float]],
    folder: Path,
) -> None:
    root, said = folder / "runs", folder / "said"
    for number, seconds in kills:
        status = signalled(fit_as_command, root, encoder, number=number, seconds=seconds, said=said)
        text = said.read_text(encoding="utf-8") if said.exists() else ""
        ends = {0, -signal.SIGKILL} if number == signal.SIGKILL else {0, 128 + number}
        expect(status in ends, f"after {number.name} the exit status is {status}: {text[-200:]}")
        expect("Traceback" not in text, f"after {number.name}: {text[-200:]}")
        lines = [line for line in text.splitlines() if "Stop" in line]
        expect(len(lines) < 2, f"after {number.name} more than a sentence is said: {lines}")
    ends_as_undisturbed(root, encoder, undisturbed)


def fit_as_command(root: Path, encoder: Path) -> None:
    """Make the run, or let it go on, and end as the command does."""
    interrupts.install()
    runs.clean_up(root)
    run = toy_run(root, encoder)
    stop = interrupts.stop_in_good_order()
    done = training.fit(run, toy_dataset(), should_stop=stop).status == "done"
    os._exit(0 if done else interrupts.exit_status())


KILLED = Ordeal(
    "kills",
    "a run is killed at random moments, up to three times, by SIGKILL, SIGTERM or Ctrl-C; started "
    "again, it is done, with the same files, and nothing is left over",
    _attempts,
    in_suite=1,
)
