"""A server that is told to end in the middle of a run stops the run in good order first."""

from __future__ import annotations

import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from streamlit.proto.BackMsg_pb2 import BackMsg
from waiting import wait_until
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from layerviz import runs
from layerviz.bench.browser import serving
from layerviz.runs import Run
from layerviz.training.checkpoints import find_checkpoints, step_of

ROOT = Path(__file__).resolve().parents[1]
PAGE = """
from dataclasses import replace
from layerviz import cache
from layerviz.bench.torture.toys import toy_config, toy_dataset
from layerviz.runs import runs_folder

jobs = cache.jobs(str(runs_folder()))
for seed in (0, 1):
    config = replace(toy_config("scratch-bert"), epochs=100, batch_size=1, seed=seed)
    jobs.fit(config, toy_dataset())
"""


# Work that does not stop, in a program that is over.
STUBBORN = """
import sys, threading, time
from pathlib import Path
from layerviz.jobs import Jobs, ending

begun = threading.Event()

def work(on_progress, should_stop):
    begun.set()
    while not should_stop():
        time.sleep(0.01)
    print("asked", flush=True)
    time.sleep(60)

ending.MOST_SECONDS = float(sys.argv[2])
jobs = Jobs(Path(sys.argv[1]))
jobs._training.submit("run", work)
begun.wait()
ending.stop_runs_at_exit(jobs)
"""


def visit(address: str) -> None:
    """Have the page's script run once, as a browser that opens it."""
    stream = address.replace("http", "ws") + "/_stcore/stream"
    with connect(
        stream, subprotocols=[Subprotocol("streamlit")], origin=Origin(address)
    ) as browser:
        message = BackMsg()
        message.rerun_script.query_string = ""
        browser.send(message.SerializeToString())
        with suppress(TimeoutError):
            while True:
                browser.recv(timeout=2)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])  # told so; its terminal closed
def test_a_server_that_is_to_end_stops_its_runs_in_good_order(
    tmp_path: Path, number: signal.Signals
) -> None:
    if signal.getsignal(number) is signal.SIG_IGN:
        pytest.skip(f"{number.name} is ignored here, as under nohup, and so by what is started")
    script = tmp_path / "page.py"
    script.write_text(PAGE, encoding="utf-8")
    with serving(tmp_path / "runs", script=script) as server:
        visit(server.address)
        wait_until(lambda: any(len(run.snapshots) > 1 for run in listed(tmp_path)), why=server.said)
        server.process.send_signal(number)  # Streamlit takes Ctrl-C for the same
        server.process.wait(timeout=60)
        said = server.said()
    assert "Traceback" not in said
    first, second = sorted(listed(tmp_path), key=lambda run: run.config.seed)
    assert [first.status, second.status] == ["cancelled", "cancelled"]
    newest = find_checkpoints(first.layout.resume).newest
    assert newest is not None
    # No step is lost: the checkpoint is that of the last one that was made.
    assert step_of(newest) == first.training["model_step"] == first.training["timed_steps"]
    assert not second.training  # it waited


def listed(tmp_path: Path) -> list[Run]:
    return runs.list_runs(tmp_path / "runs")


def test_a_second_signal_ends_a_server_whose_run_does_not_stop(tmp_path: Path) -> None:
    process = ending(tmp_path, seconds=60)
    assert process.stdout is not None
    assert process.stdout.readline() == "asked\n"
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.startswith("Stopping the run that is being computed.")
    assert err.endswith("\nStopped.\n")


def test_a_server_does_not_wait_forever(tmp_path: Path) -> None:
    process = ending(tmp_path, seconds=0.1)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "did not stop in time" in err


def ending(tmp_path: Path, seconds: float) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", STUBBORN, str(tmp_path), str(seconds)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
