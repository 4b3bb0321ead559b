"""A real server and real browsers; what needs a browser that is missing is skipped and says so."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from driving import train_on_toys
from playwright.sync_api import Browser, Page, Playwright, expect

from layerviz.bench import browser as real

expect.set_options(timeout=30_000)

AXE_CORE = "AXE_CORE"  # the environment variable that says where axe-core's script lies
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def runs_root(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def server(runs_root: Path) -> Iterator[str]:
    """The address of the app, started as the README says."""
    with real.server(runs_root) as address:
        yield address


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with real.driver() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    if real.chromium_path() is None:
        pytest.skip("Chromium is not installed (apt-get install chromium): no browser tests")
    with real.launched_chromium(playwright) as chromium:
        yield chromium


@pytest.fixture(scope="session")
def firefox(playwright: Playwright) -> Iterator[Browser]:
    """Firefox as its makers ship it, driven over WebDriver BiDi: playwright's own build is not.

    The channel is what tells playwright to speak BiDi, whichever Firefox the path leads to.
    """
    path = shutil.which("firefox-esr") or shutil.which("firefox")
    if path is None:
        pytest.skip(
            "Firefox is not installed (apt-get install firefox-esr): tried in Chromium only"
        )
    launched = playwright.firefox.launch(channel="moz-firefox", executable_path=path)
    yield launched
    launched.close()


@contextmanager
def opened_page(browser: Browser, server: str) -> Iterator[Page]:
    """Open the page in a context of its own, and fail if it asks another host."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(120_000)  # a cold server on a busy machine
    elsewhere: list[str] = []
    page.on(
        "request",
        lambda request: (
            elsewhere.append(request.url)
            if request.url.startswith("http") and not request.url.startswith(server)
            else None
        ),
    )
    page.goto(server)
    yield page
    context.close()
    assert not elsewhere, f"the page asked other hosts: {elsewhere}"


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    with opened_page(browser, server) as page:
        yield page


@pytest.fixture
def firefox_page(firefox: Browser, server: str) -> Iterator[Page]:
    with opened_page(firefox, server) as page:
        yield page


@pytest.fixture(scope="session")
def finished(browser: Browser, server: str, runs_root: Path) -> str:
    """The id of a run on an uploaded file, trained through the page in Chromium."""
    return train_on_toys(browser, server, runs_root)


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which finds what a reader with a screen reader or a keyboard misses.

    It is not part of the project: ``npm install axe-core``, and its path in AXE_CORE.
    """
    path = Path(os.environ.get(AXE_CORE) or ROOT / "node_modules" / "axe-core" / "axe.min.js")
    if not path.is_file():
        pytest.skip(f"axe-core is not there (npm install axe-core, or its path in {AXE_CORE})")
    return path.read_text(encoding="utf-8")
