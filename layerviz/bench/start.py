"""What a start costs, in processor seconds: commands, the first page, and every later visit."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from layerviz import data, separability
from layerviz.bench.browser import IDLE, ROOT, chromium, serving
from layerviz.bench.figures import Figure, as_table, machine, machine_in_words
from layerviz.bench.made_run import made_run
from layerviz.bench.materials import varied_dataset
from layerviz.data import Table
from layerviz.errors import ConfigError
from layerviz.runs import Run
from layerviz.runs.layout import ANSWERS

# Goals, in processor seconds: those of help and of the first page above what they stand on.
HELP_GOAL, REPORT_GOAL, FIRST_PAGE_GOAL, VISIT_GOAL = 0.05, 2.0, 1.5, 0.5
PLAIN_PAGE = "import streamlit as st\n\nst.title('Hello')\n"
AT_REST = 1.0  # seconds without work after which a server rests
RESTING = 0.05  # of a core, which watching takes
LONGEST = 120.0  # seconds until it does


@dataclass
class Served:
    """What a server did for a browser.

    Parameters
    ----------
    seconds : float
        Of processors, of the server and its children.
    drawn : float
        Seconds by the clock, the browser's included, until the page is drawn.
    messages : list of int
        Bytes of each message that it sent.
    """

    seconds: float = 0.0
    drawn: float = 0.0
    messages: list[int] = field(default_factory=list)


def measure(
    table: Table | None,
    *,
    n_train: int = 2000,
    n_val: int = 1000,
    n_layers: int = 12,
    width: int = 256,
    n_snapshots: int = 6,
    repeats: int = 5,
) -> dict[str, Any]:
    """Start commands and servers by turns, and visit the page again and again.

    Parameters
    ----------
    table : Table or None
        Where texts come from; None takes the bundled sample.
    n_train, n_val, n_layers, width, n_snapshots : int
        Size of the run that is made up.
    repeats : int
        How often everything is done; medians count.

    Returns
    -------
    dict
        ``commands``: processor seconds of each; ``first page``: of a server from its start until
        the page is drawn, of a one-line app and of layerviz; ``visits``: per kind of visit, of the
        server's, the seconds by the clock until it is ``drawn``, the ``messages`` that the server
        sent and their ``kilobytes``.

    Raises
    ------
    ConfigError
        If a size is out of range, or playwright or Chromium is missing.
    """
    if repeats < 1:
        raise ConfigError(f"The bench cannot take {repeats} repeats.", "Give 1 or more.")
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "runs"
        plain = Path(folder) / "plain.py"
        plain.write_text(PLAIN_PAGE, encoding="utf-8")
        dataset = varied_dataset(table or data.sample_table(), n_train, n_val)
        sizes = {"n_layers": n_layers, "width": width, "n_snapshots": n_snapshots}
        run = made_run(root, dataset, **sizes)
        commands = _commands(root, run, repeats)
        first: dict[str, list[float]] = {"a one-line app": [], "layerviz": []}
        for _ in range(repeats):
            for name, script in (("a one-line app", plain), ("layerviz", "streamlit_app.py")):
                with serving(root, script=script) as served, _visiting(browser) as page:
                    process = psutil.Process(served.process.pid)
                    _open(page, served.address)
                    first[name].append(_cpu_seconds(process))
        with serving(root) as served:
            visits = _visits(browser, served, run.run_id, repeats)
        with serving(root, script=plain) as served:
            visits |= _visits(browser, served, None, repeats)
    return {
        "what": f"a run of {n_train:,} + {n_val:,} points, {n_layers} layers of {width}, "
        f"{n_snapshots} snapshots; medians of {repeats}",
        "machine": machine(),
        "commands": commands,
        "first page": {name: statistics.median(seconds) for name, seconds in first.items()},
        "visits": visits,
    }


# --- commands ---------------------------------------------------------------------------------


def _commands(root: Path, run: Run, repeats: int) -> dict[str, float]:
    """Return the processor seconds of each command; the first report of a run is computed."""
    ours = {
        "--help": ["--help"],
        "list": ["list", "--runs", str(root)],
        "report --help": ["report", "--help"],
        "fit --help": ["fit", "--help"],
        "report": ["report", run.run_id, "--runs", str(root)],
    }
    words = {name: ["-m", "layerviz", *given] for name, given in ours.items()}
    separability.current_sheet(run)  # as `fit` leaves it
    first = []
    for _ in range(repeats):
        for report in (run.path / ANSWERS).glob("*.report-*"):
            report.unlink()
        first.append(_child_seconds(words["report"]))
    by_name: dict[str, list[float]] = {}
    for _ in range(repeats):
        for name, given in {"python -c pass": ["-c", "pass"], **words}.items():
            by_name.setdefault(name, []).append(_child_seconds(given))
    medians = {name: statistics.median(seconds) for name, seconds in by_name.items()}
    return {**medians, "report, computed": statistics.median(first)}


def _child_seconds(words: Sequence[str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *words], cwd=ROOT, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


# --- the page ---------------------------------------------------------------------------------


@contextmanager
def _visiting(browser: Any) -> Iterator[Any]:
    context = browser.new_context(viewport={"width": 1440, "height": 1600})
    page = context.new_page()
    page.set_default_timeout(180_000)
    try:
        yield page
    finally:
        context.close()


def _open(page: Any, address: str) -> None:
    page.goto(address)
    _wait_until_drawn(page)


def _visits(
    browser: Any, served: Any, run_id: str | None, repeats: int
) -> dict[str, dict[str, float]]:
    """Return what later visits take of a server that has loaded and drawn everything once.

    Without a run, it is the server of a one-line app.
    """
    process = psutil.Process(served.process.pid)
    start, of_run = served.address, f"{served.address}/?run={run_id}"
    found: dict[str, list[Served]] = {}

    def visit(name: str, address: str) -> None:
        with _visiting(browser) as page:
            seen = Served()
            page.on("websocket", lambda socket: _listen(socket, seen))
            with _watched(process, seen):
                _open(page, address)
            found.setdefault(f"{name}, second visit", []).append(seen)
            if address == of_run:
                for tab in ("Layers", "Maps"):
                    _click_tab(page, process, seen, tab, found)
            again = Served()
            seen.messages = []
            with _watched(process, again):
                page.reload()
                _wait_until_drawn(page)
            again.messages = seen.messages
            found.setdefault(f"{name}, reload", []).append(again)

    _rest(process)
    for _ in range(1 + repeats):  # the first time, what is kept is made
        if run_id is None:
            visit("a one-line app", start)
        else:
            visit("start", start)
            visit("run", of_run)
    return {name: _medians(several[1:]) for name, several in found.items()}


def _click_tab(
    page: Any, process: psutil.Process, seen: Served, tab: str, found: dict[str, list[Served]]
) -> None:
    clicked = Served()
    seen.messages = []
    with _watched(process, clicked):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_selector(f"[role=tab][aria-selected=true] >> text={tab}")
        page.wait_for_selector(IDLE)
    clicked.messages = seen.messages
    found.setdefault(f"tab {tab}", []).append(clicked)


def _wait_until_drawn(page: Any) -> None:
    page.wait_for_selector("[data-testid=stHeading]")
    page.wait_for_selector(IDLE)


def _listen(socket: Any, seen: Served) -> None:
    socket.on("framereceived", lambda payload: seen.messages.append(len(payload)))


@contextmanager
def _watched(process: psutil.Process, seen: Served) -> Iterator[None]:
    """Note what a server takes until it rests."""
    before, start = _cpu_seconds(process), time.perf_counter()
    yield
    seen.drawn = time.perf_counter() - start
    time.sleep(AT_REST)  # on a busy machine, what a click sets off begins late
    _rest(process)
    seen.seconds = _cpu_seconds(process) - before


def _rest(process: psutil.Process) -> None:
    """Wait until a server does nothing any more."""
    deadline = time.monotonic() + LONGEST
    while time.monotonic() < deadline:
        before = _cpu_seconds(process)
        time.sleep(AT_REST)
        if _cpu_seconds(process) - before <= RESTING * AT_REST:
            return


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def _medians(several: Sequence[Served]) -> dict[str, float]:
    return {
        "seconds": statistics.median(one.seconds for one in several),
        "drawn": statistics.median(one.drawn for one in several),
        "messages": statistics.median(len(one.messages) for one in several),
        "kilobytes": statistics.median(sum(one.messages) for one in several) / 1000,
    }


# --- what it comes to -------------------------------------------------------------------------


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return a result of :func:`measure` as figures with their goals, in processor seconds."""
    commands, pages = result["commands"], result["first page"]
    python, plain = commands["python -c pass"], pages["a one-line app"]
    above = {
        "--help": HELP_GOAL,
        "list": None,
        "report --help": None,
        "fit --help": None,
    }
    found = [
        Figure("start", f"{name}, above python -c pass", commands[name] - python, "s", goal)
        for name, goal in above.items()
    ]
    found += [
        Figure("start", "report of a finished run, the first", commands["report, computed"], "s",
               REPORT_GOAL),
        Figure("start", "report of a finished run, later ones", commands["report"], "s",
               REPORT_GOAL),
        Figure("start", "first page, above a one-line app", pages["layerviz"] - plain, "s",
               FIRST_PAGE_GOAL),
        Figure("start", "first page, with the server", pages["layerviz"], "s", None, plain),
    ]  # fmt: skip
    for name, visit in result["visits"].items():
        goal = None if name.startswith("a one-line app") else VISIT_GOAL
        found.append(Figure("start", f"{name}: server", visit["seconds"], "s", goal))
        found.append(Figure("start", f"{name}: drawn, by the clock", visit["drawn"], "s"))
        found.append(Figure("start", f"{name}: messages", visit["messages"], ""))
        found.append(Figure("start", f"{name}: sent", visit["kilobytes"], "kB"))
    return found


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [f"{result['what']}; {machine_in_words()}", "Processor seconds:"]
    return "\n".join([*lines, as_table(figures(result))])
