"""A real server and a real Chromium; without Chromium these tests are skipped and say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import choose_smallest_encoder, fine_tune, set_number, status, upload
from playwright.sync_api import Browser, Page, expect
from toy import as_csv, toy_rows

from layerviz import runs
from layerviz.bench import browser as real

expect.set_options(timeout=30_000)


@pytest.fixture(scope="session")
def runs_root(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="session")
def server(runs_root: Path) -> Iterator[str]:
    """The address of the app, started as the README says."""
    with real.server(runs_root) as address:
        yield address


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    if real.chromium_path() is None:
        pytest.skip("Chromium is not installed (apt-get install chromium): no browser tests")
    with real.chromium() as chromium:
        yield chromium


@pytest.fixture
def page(browser: Browser, server: str) -> Iterator[Page]:
    """A page in a context of its own, which fails the test if it asks another host."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.set_default_timeout(60_000)
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


@pytest.fixture(scope="session")
def finished(browser: Browser, server: str, runs_root: Path) -> str:
    """Upload a CSV and train on it through the page once; return the run's id."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.goto(server)
    upload(page, as_csv(toy_rows(120)))
    choose_smallest_encoder(page)
    set_number(page, "Epochs", 6)
    fine_tune(page)
    expect(status(page, "Done")).to_be_visible(timeout=180_000)
    page.close()
    return next(run.run_id for run in runs.list_runs(runs_root) if run.status == "done")
