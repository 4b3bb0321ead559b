"""Every command gets a signal at a random moment, from its first import on: one sentence."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from layerviz import runs
from layerviz.bench.torture.deaths import prepared
from layerviz.bench.torture.ordeal import Attempt, Broken, Ordeal, expect
from layerviz.bench.torture.toys import toy_csv
from layerviz.errors import ConfigError

TIMES = 6  # for each command and signal
MOST_SECONDS = 300
SIGNALS = (signal.SIGINT, signal.SIGTERM)
PROJECT = Path(__file__).resolve().parents[3]


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:
    if not sys.platform.startswith("linux"):
        raise ConfigError("Whether a process answers signals yet is told by Linux alone.")
    prepared(shared)
    rng = random.Random(seed)
    for name in _commands(shared, shared):
        for number in SIGNALS:
            for _ in range(TIMES):
                seconds = 12 * rng.random() ** 2  # early moments more often
                work = partial(_interrupt, shared, name, number, seconds)
                yield Attempt(f"{name}, {number.name} after {seconds:.2f} s", work)


def _commands(shared: Path, folder: Path) -> dict[str, list[str]]:
    """Return what is typed for each command; its files lie in a folder."""
    found = runs.list_runs(shared / "undisturbed")
    run, root = found[0].run_id, f"--runs={folder / 'runs'}"
    data, encoder = folder / "toy.csv", shared / "tiny-encoder"
    out = folder / "out"
    encoders = [f"--encoder={encoder}", "--encoder=bert-mini"]
    return {
        "list": ["list", root],
        "report": ["report", run, root],
        "export": ["export", run, root, f"--run-zip={out / 'run.zip'}", f"--html={out / 'a.html'}"],
        "fit": ["fit", root, f"--data={data}", f"--encoder={encoder}", "--seed=7"],
        "compare": ["compare", root, f"--data={data}", *encoders],
        "pretrain": [
            "pretrain",
            f"--data={data}",
            f"--out={folder / 'pretrained'}",
            "--family=bert",
        ],
        "bench": ["bench", "probes", f"--data={data}", "--layers=1", "--hidden-size=64", "--n=20"],
    }


def _interrupt(
    shared: Path, name: str, number: signal.Signals, seconds: float, folder: Path
) -> None:
    shutil.copytree(shared / "undisturbed", folder / "runs")
    (folder / "toy.csv").write_text(toy_csv(), encoding="utf-8")
    (folder / "out").mkdir()
    command = [sys.executable, "-m", "layerviz", *_commands(shared, folder)[name]]
    printed = folder / "printed"
    with (
        printed.open("w") as stream,
        subprocess.Popen(
            command, cwd=PROJECT, stdout=stream, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        while process.poll() is None and not _answers(process.pid):
            time.sleep(0.001)
        time.sleep(seconds)
        process.send_signal(number)
        try:
            _, said = process.communicate(timeout=MOST_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Broken("it did not end") from None
    status = process.returncode
    if status == -number:  # when all had been said (see `interrupts.all_is_said`)
        expect(bool(printed.stat().st_size), f"it ended without a word: {said[-200:]}")
        status = 0
    expect(status in (0, 2, 128 + number), f"the exit status is {status}: {said[-200:]}")
    expect("Traceback" not in said and "Exception" not in said, f"it says: {said[-300:]}")
    if status == 128 + number:
        lines = [line for line in said.splitlines() if line.startswith("Stop")]
        expect(len(lines) == 1, f"it says: {said[-300:]}")
    half = [path.name for path in (folder / "out").iterdir() if path.name.startswith(".")]
    expect(not half, f"{half} is left over")


def _answers(pid: int) -> bool:
    """Return whether a process has said what to do at SIGTERM."""
    try:
        with open(f"/proc/{pid}/status", encoding="ascii") as status:  # noqa: PTH123
            caught = next(line for line in status if line.startswith("SigCgt"))
    except (OSError, StopIteration):
        return False
    return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)


SIGNALLED = Ordeal(
    "signals",
    "every command gets Ctrl-C or SIGTERM at a random moment; it ends with one sentence and 130 or "
    "143, and leaves nothing half written",
    _attempts,
    in_suite=1,
)
