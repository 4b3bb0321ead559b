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
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

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


@contextmanager
def server(runs_root: Path) -> Iterator[str]:
    """Start the page over a runs folder on a free port; yield its address.

    Raises
    ------
    ConfigError
        If it does not start.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--server.port", str(port), "--server.headless", "true"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "streamlit", "run", "streamlit_app.py", *options],
            cwd=ROOT,
            env=os.environ | {RUNS_VARIABLE: str(runs_root)},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            _wait_until_healthy(address, process, log)
            yield address
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


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a headless Chromium; yield playwright's Browser.

    Raises
    ------
    ConfigError
        If playwright or Chromium is not installed.
    """
    hint = "Install both: pip install playwright, and apt-get install chromium."
    try:
        from playwright.sync_api import sync_playwright
    except ImportError as error:
        raise ConfigError("The bench of the page needs playwright.", hint) from error
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise ConfigError("The bench of the page needs Chromium.", hint)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(OPTIONS))
        try:
            yield browser
        finally:
            browser.close()
