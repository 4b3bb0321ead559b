"""Signals end every command with one sentence and their own exit status."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.fast

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = """
from layerviz import interrupts
interrupts.install()
interrupts.before_end(lambda: print("tidied", flush=True))
print("ready", flush=True)
try:
    while True:
        pass
finally:
    print("no handler runs this", flush=True)
"""
AFTER_WORK = """
from layerviz import interrupts
interrupts.install()
interrupts.stop_in_good_order()
interrupts.work_is_over()
print("ready", flush=True)
while True:
    pass
"""
IN_GOOD_ORDER = """
import sys
from layerviz import interrupts
interrupts.install()
should_stop = interrupts.stop_in_good_order()
print("ready", flush=True)
while not should_stop():
    pass
print("saved", flush=True)
if len(sys.argv) > 1:
    while True:
        pass
sys.exit(interrupts.exit_status())
"""


def started(code: str, *arguments: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_work_that_cannot_be_stopped_ends_at_once(number: signal.Signals, status: int) -> None:
    process = started(AT_ONCE)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (status, "tidied\n", "\nStopped.\n")


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_work_is_stopped_in_good_order(number: signal.Signals, status: int) -> None:
    process = started(IN_GOOD_ORDER)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (status, "saved\n")
    assert err.startswith("Stopping. Finished work is kept")
    assert ("Ctrl-C" in err) == (number == signal.SIGINT)


def test_signals_end_at_once_what_comes_after_the_work() -> None:
    process = started(AFTER_WORK)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=60) == ("", "\nStopped.\n")
    assert process.returncode == 143


def test_a_second_signal_ends_what_takes_too_long() -> None:
    process = started(IN_GOOD_ORDER, "and stay")
    process.send_signal(signal.SIGTERM)
    assert process.stdout is not None
    assert process.stdout.readline() == "saved\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.endswith("\nStopped.\n")
