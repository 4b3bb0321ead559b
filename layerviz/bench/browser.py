"""A real server and a headless Chromium, for benchmarks of the page."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from layerviz.errors import ConfigError
from layerviz.runs import RUNS_VARIABLE

ROOT = Path(__file__).resolve().parents[2]  # where streamlit_app.py lies
OPTIONS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
SECONDS_TO_START = 180
INSTALL_BOTH = "Install both: pip install playwright, and apt-get install chromium."
IDLE = "[data-testid=stApp][data-test-script-state=notRunning]"

# Notes the last press of a button or key, when the script began and ended, and the last change of
# the page. Changes of the canvas are none of the document, so the end waits for two more frames.
WATCH = """() => {
    const seen = window.seen = {};
    const app = document.querySelector('[data-testid=stApp]');
    // A script that is running already has begun: it may go on to its end without a sign of it.
    window.begin = () => {
        const now = performance.now();
        const rests = app.getAttribute('data-test-script-state') === 'notRunning';
        Object.assign(seen, {pressed: now, began: rests ? 0 : now, ended: 0, drawn: 0});
    };
    window.begin();
    document.addEventListener('pointerdown', window.begin, true);
    // The maps are drawn within their component, whose changes are none of the document either.
    document.addEventListener('mapsdrawn', () => requestAnimationFrame(() => requestAnimationFrame(
        () => { seen.drawn = performance.now(); })));
    new MutationObserver(changes => {
        const now = performance.now();
        if (changes.some(one => one.attributeName === 'data-test-script-state')) {
            const state = app.getAttribute('data-test-script-state');
            if (state === 'notRunning') seen.ended = now; else seen.began ||= now;
        }
        if (changes.some(one => one.type === 'childList'))
            requestAnimationFrame(() => requestAnimationFrame(
                () => { seen.drawn = performance.now(); }));
    }).observe(app, {attributes: true, childList: true, subtree: true,
                     attributeFilter: ['data-test-script-state']});
}"""
# A script that is over within a frame is not seen to begin: then what it drew has to tell. Where
# it drew nothing either, one view being the same as the one before, it is given 3 s to begin.
QUIET = """() => { const seen = window.seen, last = Math.max(seen.ended, seen.drawn);
    const now = performance.now(), quiet = now - last;
    if (seen.began) return seen.ended >= seen.began && quiet > 250;
    if (last > seen.pressed) return quiet > 800;
    const app = document.querySelector('[data-testid=stApp]');
    return app.getAttribute('data-test-script-state') === 'notRunning' && now - seen.pressed > 3000;
}"""
BEGIN = "() => window.begin()"


@dataclass(frozen=True)
class Served:
    """A server that is running: its address, its process, and the file with what it has said."""

    address: str
    process: subprocess.Popen
    log: Any

    def said(self) -> str:
        """Return all that the server has said so far."""
        return os.pread(self.log.fileno(), 1 << 24, 0).decode(errors="replace")


@contextmanager
def server(runs_root: Path) -> Iterator[str]:
    """Start the page over a runs folder on a free port; yield its address.

    Raises
    ------
    ConfigError
        If it does not start.
    """
    with serving(runs_root) as served:
        yield served.address


def free_port() -> int:
    """Return a port of this machine at which nothing listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving(
    runs_root: Path,
    options: Sequence[str] = (),
    base_path: str = "",
    script: str | Path = "streamlit_app.py",
    port: int | None = None,
) -> Iterator[Served]:
    """Start the page as `server` does; yield what is known of it.

    Parameters
    ----------
    runs_root : Path
    options : sequence of str
        Further ones of ``streamlit run``.
    base_path : str
        Where in its host's addresses the page lies: ``/layerviz``.
    script : str or Path
        What draws the page.
    port : int, optional
        That it listens at; None takes a free one.

    Raises
    ------
    ConfigError
        If it does not start.
    """
    port = port or free_port()
    given = ["--server.port", str(port), "--server.headless", "true", *options]
    if base_path:
        given += ["--server.baseUrlPath", base_path]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", str(script), *given],
            cwd=ROOT,
            env=os.environ | {RUNS_VARIABLE: str(runs_root)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}{base_path}"
            _wait_until_healthy(address, process, log)
            yield Served(address, process, log)
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait_until_healthy(address: str, process: subprocess.Popen, log: Any) -> None:
    deadline = time.monotonic() + SECONDS_TO_START
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    log.seek(0)
    last = log.read().decode(errors="replace").strip().splitlines()[-1:]
    raise ConfigError(
        f"The page's server did not start: {' '.join(last)}",
        "Run `streamlit run streamlit_app.py` to see why.",
    )


def chromium_path() -> str | None:
    """Return where Chromium is installed, None where it is not."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def driver() -> Iterator[Any]:
    """Start playwright; yield what launches browsers. A thread can hold one at a time.

    Raises
    ------
    ConfigError
        If playwright is not installed.
    """
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise ConfigError("This needs playwright.", INSTALL_BOTH) from error
    with sync_playwright() as playwright:
        yield playwright


@contextmanager
def launched_chromium(playwright: Any) -> Iterator[Any]:
    """Start a headless Chromium; yield playwright's Browser.

    Raises
    ------
    ConfigError
        If Chromium is not installed.
    """
    path = chromium_path()
    if path is None:
        raise ConfigError("This needs Chromium.", INSTALL_BOTH)
    browser = playwright.chromium.launch(executable_path=path, args=list(OPTIONS))
    try:
        yield browser
    finally:
        browser.close()


@contextmanager
def chromium() -> Iterator[Any]:
    """Start playwright and a headless Chromium; yield playwright's Browser."""
    with driver() as playwright, launched_chromium(playwright) as browser:
        yield browser


class Watched:
    """The page in a browser, with a watch on when it works and when it is at rest.

    Parameters
    ----------
    browser : playwright's Browser
    address : str
        Of the server.
    """

    def __init__(self, browser: Any, address: str) -> None:
        # So high that nothing scrolls: a menu that is open would close.
        self.context = browser.new_context(viewport={"width": 1440, "height": 1600})
        self.page = self.context.new_page()
        self.page.set_default_timeout(180_000)
        self.sent: list[str] = []
        self.page.on("request", lambda request: self.sent.append(request.url))
        self.page.on("websocket", self._follow)
        self.page.goto(address)
        self.page.wait_for_selector(IDLE)
        self.page.get_by_role("button", name="Fine-tune").wait_for()
        self.page.wait_for_selector(IDLE)
        self.page.evaluate(WATCH)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_) -> None:
        self.context.close()

    def _follow(self, socket: Any) -> None:
        socket.on("framesent", lambda _: self.sent.append(socket.url))

    def timed(self, act: Callable[[], None]) -> dict[str, float]:
        """Return the seconds from an act to the script's end and to rest; 0 if nothing changed."""
        self.page.evaluate(BEGIN)
        act()
        self.page.mouse.move(2, 2)  # off the tools that a chart shows beneath it
        self.page.wait_for_function(QUIET, polling=50)
        seen = self.page.evaluate("() => window.seen")
        last = max(seen["ended"], seen["drawn"]) or seen["pressed"]
        return {
            "idle": ((seen["ended"] or last) - seen["pressed"]) / 1000,
            "drawn": (last - seen["pressed"]) / 1000,
        }
