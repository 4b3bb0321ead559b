"""Many browsers on one server: no error on a page or in the log, nothing seen by another."""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from layerviz import data, runs
from layerviz.bench.browser import IDLE, ROOT, Served, chromium, serving
from layerviz.bench.figures import machine
from layerviz.bench.made_run import made_run
from layerviz.bench.materials import varied_dataset
from layerviz.errors import ConfigError

MOST_MORE = 300.0  # MB of memory that the server may keep afterwards
SECONDS_TO_SETTLE = 240.0  # Streamlit forgets sessions that nobody comes back to after two minutes
SECONDS_PER_DELETION = 15.0
SECONDS_TO_TRAIN = 600.0  # what has begun
WARM_UP_EPOCHS, KILLED_EPOCHS = 1, 3
TABS = ("Maps", "Layers", "Examples", "Training", "Export", "Run")
# What a server says when a script has failed, whatever else it says.
SIGNS_OF_FAILURE = ("Traceback (most recent call last)", "Uncaught app", " ERROR ")
UPLOAD = ".csv"
FEWEST = 4  # browsers: one for each part


@dataclass
class Visitor:
    """One browser of the crowd.

    Parameters
    ----------
    name : str
        What it does, and its number.
    page : playwright's Page
    epochs : int
        What it has typed on the left: nobody else's number may come in its place.
    problems : list of str
    """

    name: str
    page: Any
    epochs: int
    problems: list[str] = field(default_factory=list)
    n_told: int = 0  # of the problems


def measure(
    *, browsers: int, minutes: float, upload_mb: int, seed: int, print_line: Callable[[str], None]
) -> dict[str, Any]:
    """Let a crowd use one server, then see how much memory it keeps.

    Two start the same run, one deletes runs that others look at, one uploads a large file again and
    again, and all switch tabs.

    Parameters
    ----------
    browsers : int
    minutes : float
        How long.
    upload_mb : int
        Size of the uploaded file.
    seed : int
        Of who does what, and when.
    print_line : callable
        Called with a line of text while it goes on.

    Returns
    -------
    dict
        ``browsers``, ``minutes``, ``acts`` (how many), ``problems`` (list of str), ``before_mb``
        and ``after_mb`` (memory of the server), ``afterwards`` (what a killed server and two
        servers did wrong) and ``machine``.

    Raises
    ------
    ConfigError
        If a number is out of range, or playwright or Chromium is missing.
    """
    if browsers < FEWEST or minutes <= 0 or upload_mb < 1:
        raise ConfigError(
            f"The bench cannot let {browsers} browsers come for {minutes:g} minutes with "
            f"{upload_mb} MB.",
            f"Give {FEWEST} browsers or more, a part of a minute or more, and 1 MB or more.",
        )
    with tempfile.TemporaryDirectory(prefix="layerviz-crowd-") as folder:
        root = Path(folder) / "runs"
        root.mkdir()
        upload = _large_file(Path(folder), upload_mb)
        dataset = varied_dataset(data.sample_table(), 200, 100)
        made = [
            made_run(root, dataset, n_layers=4, width=32, n_snapshots=3, seed=number).run_id
            for number in range(2 + int(60 * minutes / SECONDS_PER_DELETION))
        ]
        with chromium() as browser, serving(root) as served:
            process = psutil.Process(served.process.pid)
            _warm_up(browser, served, made[0], root)
            before = process.memory_info().rss / 1e6
            crowd = _Crowd(browser, served, made, upload, random.Random(seed), browsers)
            acts = crowd.stay(60 * minutes, print_line)
            problems = crowd.leave()
            print_line("all have left")
            _wait_for_runs(root)
            after = _settled(process, before, print_line)
            problems += _of_log(served)
        print_line("a server is killed in the middle of a run; two servers and a command on one")
        try:
            afterwards = _after_a_kill(root)
        except Exception as error:  # a page that never came to what was waited for
            afterwards = [str(error).splitlines()[0]]
    return {
        "browsers": browsers,
        "minutes": minutes,
        "acts": acts,
        "problems": problems,
        "before_mb": round(before),
        "after_mb": round(after),
        "afterwards": afterwards,
        "machine": machine(),
    }


def _large_file(folder: Path, megabytes: int) -> Path:
    """Write a table of about as many megabytes, whose name nobody but its owner may see."""
    path = folder / f"private-{megabytes}{UPLOAD}"
    row = f"{'a text that only one visitor has ' * 6}{{}},{{}}\n"
    with path.open("w", encoding="utf-8") as file:
        file.write("text,label\n")
        for number in range(megabytes * 1_000_000 // len(row)):
            file.write(row.format(number, number % 4))
    return path


def _warm_up(browser: Any, served: Served, run_id: str, root: Path) -> None:
    """Open a run and all of its tabs, and train another: what is loaded for that stays loaded."""
    page = browser.new_page()
    page.set_default_timeout(180_000)
    page.goto(f"{served.address}/?run={run_id}")
    page.wait_for_selector(IDLE)
    for tab in TABS:
        page.get_by_role("tab", name=tab, exact=True).click()
        page.wait_for_timeout(1500)
        page.wait_for_selector(IDLE)
    _fine_tune(page, served.address, WARM_UP_EPOCHS)
    _wait_for_runs(root)
    page.close()


def _fine_tune(page: Any, address: str, epochs: int) -> str:
    """Start a run of the sample on the page; return its id."""
    page.goto(address)
    page.wait_for_selector(IDLE)
    _type_epochs(page, epochs)
    page.get_by_role("button", name="Fine-tune", exact=True).click()
    page.wait_for_url("**run=*")
    return str(page.url).partition("run=")[2].partition("&")[0]


def _type_epochs(page: Any, epochs: int) -> None:
    field = page.get_by_label("Epochs", exact=True)
    field.fill(str(epochs))
    field.press("Enter")
    page.wait_for_timeout(1500)
    page.wait_for_selector(IDLE)


def _wait_for_runs(root: Path) -> None:
    """Return when no run goes on any more, or the time is up."""
    deadline = time.monotonic() + SECONDS_TO_TRAIN
    while time.monotonic() < deadline:
        if not any(run.live for run in runs.list_runs(root)):
            return
        time.sleep(1)


class _Crowd:
    """The visitors: each does something in turn, and nobody waits for another's page."""

    def __init__(
        self,
        browser: Any,
        served: Served,
        made: list[str],
        upload: Path,
        rng: random.Random,
        n: int,
    ) -> None:
        self.served, self.upload, self.rng = served, upload, rng
        self.looked_at, self.to_delete = made[0], made[1:]
        self.deleted_at = time.monotonic()
        roles = ["starter", "starter", "deleter", "uploader"]
        self.visitors = [
            self._visit(
                browser, f"{roles[index] if index < len(roles) else 'reader'} {index}", index
            )
            for index in range(n)
        ]

    def _visit(self, browser: Any, name: str, index: int) -> Visitor:
        page = browser.new_context(viewport={"width": 1300, "height": 900}).new_page()
        page.set_default_timeout(60_000)
        starts = name.startswith("starter")
        visitor = Visitor(name, page, epochs=2 if starts else 3 + index)
        page.on("pageerror", lambda error: visitor.problems.append(f"{name}: {error}"))
        own = name.startswith(("starter", "uploader"))
        page.goto(self.served.address + ("" if own else f"/?run={self._shown()}"))
        page.wait_for_selector(IDLE)
        _type_epochs(page, visitor.epochs)
        return visitor

    def _shown(self) -> str:
        """Return a run that readers look at: one that may be deleted under their eyes."""
        return self.rng.choice([self.looked_at, *self.to_delete[:1]])

    def stay(self, seconds: float, print_line: Callable[[str], None]) -> int:
        """Let all act until the time is over; return how often they did."""
        started = said = time.monotonic()
        acts = 0
        while time.monotonic() - started < seconds:
            visitor = self.rng.choice(self.visitors)
            try:
                self._act(visitor)
                self._look(visitor)
            except Exception as error:
                visitor.problems.append(f"{visitor.name}: {str(error).splitlines()[0]}")
            for problem in visitor.problems[visitor.n_told :]:
                print_line(problem)
            visitor.n_told = len(visitor.problems)
            acts += 1
            if time.monotonic() - said > 20:
                said = time.monotonic()
                n_problems = sum(len(one.problems) for one in self.visitors)
                print_line(f"{said - started:.0f} s, {acts} acts, {n_problems} problems")
        return acts

    def _act(self, visitor: Visitor) -> None:
        page, role = visitor.page, visitor.name.split()[0]
        due = time.monotonic() - self.deleted_at > SECONDS_PER_DELETION
        if role == "deleter" and due and len(self.to_delete) > 1:
            self._delete(visitor)
            return
        if role == "uploader":
            self._upload(visitor)
            return
        start = page.get_by_role("button", name="Fine-tune", exact=True)
        if role == "starter" and page.get_by_role("tab").count() == 0 and start.is_enabled():
            start.click()
            return
        tabs = page.get_by_role("tab", name=self.rng.choice(TABS), exact=True)
        if tabs.count():
            tabs.first.click(timeout=20_000)
        elif role == "reader":
            self._open(visitor, self._shown())

    def _open(self, visitor: Visitor, run_id: str) -> None:
        """Open a run by its address: a new session, in which the number is typed again."""
        visitor.page.goto(f"{self.served.address}/?run={run_id}")
        visitor.page.wait_for_selector(IDLE)
        _type_epochs(visitor.page, visitor.epochs)

    def _delete(self, visitor: Visitor) -> None:
        run_id, page = self.to_delete.pop(0), visitor.page
        self.deleted_at = time.monotonic()
        self._open(visitor, run_id)
        page.get_by_role("tab", name="Run", exact=True).click()
        page.get_by_role("button", name="Delete run").click()
        page.locator(".st-key-delete button").click()

    def _upload(self, visitor: Visitor) -> None:
        page = visitor.page
        page.get_by_role("radio", name="Your file").or_(
            page.get_by_role("button", name="Your file")
        ).first.click()
        field = page.locator('[data-testid="stFileUploaderDropzoneInput"]').first
        field.set_input_files(str(self.upload))

    def _look(self, visitor: Visitor) -> None:
        """Note an error on a page, and what of another visitor can be seen on it."""
        page = visitor.page
        for error in page.locator('[data-testid="stException"]').all_inner_texts():
            visitor.problems.append(f"{visitor.name}: {error.splitlines()[0]}")
        if not visitor.name.startswith("uploader"):
            if page.get_by_text(self.upload.name).count():
                visitor.problems.append(f"{visitor.name} sees another's file")
            epochs = page.get_by_label("Epochs", exact=True)
            if epochs.count() and epochs.input_value() != str(visitor.epochs):
                seen = epochs.input_value()
                visitor.problems.append(f"{visitor.name} typed {visitor.epochs}, sees {seen}")

    def leave(self) -> list[str]:
        """Close all browsers; return the problems."""
        for visitor in self.visitors:
            self._look(visitor)
            visitor.page.context.close()
        return [problem for visitor in self.visitors for problem in visitor.problems]


def _settled(process: psutil.Process, before: float, print_line: Callable[[str], None]) -> float:
    """Return the server's memory once it no longer keeps too much, or the time is up, in MB."""
    deadline = time.monotonic() + SECONDS_TO_SETTLE
    while True:
        now = process.memory_info().rss / 1e6
        if now - before <= MOST_MORE or time.monotonic() > deadline:
            return now
        print_line(f"the server holds {now:.0f} MB, {before:.0f} before")
        time.sleep(10)


def _of_log(served: Served) -> list[str]:
    """Return the lines of the server's log that tell of a failure."""
    lines = served.said().splitlines()
    return [
        f"log: {' | '.join([line, *_error_after(lines, index)])[:300]}"
        for index, line in enumerate(lines)
        if any(sign in line for sign in SIGNS_OF_FAILURE)
    ]


def _error_after(lines: list[str], index: int) -> list[str]:
    """Return the line in which a traceback ends: the first one that is not set in."""
    return [line for line in lines[index + 1 :] if not line.startswith(" ")][:1]


def _after_a_kill(root: Path) -> list[str]:
    """Kill a server that computes a run; say where the next one, or a second beside it, errs."""
    wrong = []
    with chromium() as browser, ExitStack() as stack:
        first, second = (stack.enter_context(serving(root)) for _ in range(2))
        page = browser.new_page()
        page.set_default_timeout(180_000)
        run_id = _fine_tune(page, first.address, KILLED_EPOCHS)
        deadline = time.monotonic() + 180
        while not runs.read(root, run_id).snapshots and time.monotonic() < deadline:
            time.sleep(1)
        beside = browser.new_page()
        beside.set_default_timeout(180_000)
        beside.goto(f"{second.address}/?run={run_id}")
        # A page that is drawn anew each second may never be seen at rest.
        beside.get_by_text("Running in another process").first.wait_for()
        if not runs.read(root, run_id).live:
            wrong.append("the second server takes the run for ended")
        options = ["--epochs", str(KILLED_EPOCHS), "--runs", str(root)]
        command = [sys.executable, "-m", "layerviz", "fit", *options]
        told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
        if told.returncode != 2 or "Traceback" in told.stderr:
            wrong.append(f"fit beside it ended with {told.returncode}: {told.stderr[-200:]}")
        first.process.kill()
        first.process.wait()
        page.goto(f"{second.address}/?run={run_id}")
        page.get_by_role("button", name="Continue this run").click()
        deadline = time.monotonic() + SECONDS_TO_TRAIN
        while runs.read(root, run_id).status != "done" and time.monotonic() < deadline:
            time.sleep(2)
        status = runs.read(root, run_id).status
        if status != "done":
            wrong.append(f"after the kill the run does not go on to its end: {status}")
        wrong += _of_log(second)
    return wrong


def has_failed(result: dict[str, Any]) -> bool:
    """Return whether anything did not hold."""
    kept = result["after_mb"] - result["before_mb"]
    return bool(result["problems"] or result["afterwards"] or kept > MOST_MORE)


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` for people."""
    kept = result["after_mb"] - result["before_mb"]
    lines = [
        f"{result['browsers']} browsers, {result['minutes']:g} minutes, {result['acts']:,} acts: "
        f"{len(result['problems'])} problems.",
        f"Memory of the server: {result['before_mb']:,} MB before, {result['after_mb']:,} MB after "
        f"all had left ({kept:+,}; at most +{MOST_MORE:.0f}).",
        f"A killed server, two servers and a command on one folder: {len(result['afterwards'])} "
        "problems.",
    ]
    return "\n".join([*lines, *dict.fromkeys([*result["problems"], *result["afterwards"]])])
