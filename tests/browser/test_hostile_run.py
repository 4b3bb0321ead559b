"""A run whose every text is markup or an address makes no browser ask for anything."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import settled
from hostile_runs import MARKUP, made_hostile
from made_runs import dataset_of, made
from playwright.sync_api import Browser, Dialog, Page, expect

from layerviz import exploring, runs
from layerviz.commands import main
from layerviz.runs import Run
from layerviz.ui.run.layer_details import DETAIL_TABS
from layerviz.ui.run.page import TABS

TEXT = (
    f"{MARKUP} https://evil.example/a.png //evil.example/b.png <img src=http://evil.example/c.png> "
    "<script>fetch('http://evil.example/d')</script><style>@import 'http://evil.example/e'</style> "
    '"><iframe src=http://evil.example/f></iframe><svg onload=alert(1)> </script> --> url(//g.h) '
    "javascript:alert(1) data:text/html,<script>alert(1)</script> file:///etc/passwd"
)


@pytest.fixture
def hostile(runs_root: Path) -> Iterator[Run]:
    """Such a run among those of the server, for one test."""
    run = made_hostile(made(runs_root, dataset_of("hostile"), "one", {1: 0.5, 4: 2.0}), TEXT)
    exploring.store_suspicious_labels(run)
    yield run
    if run.path.exists():
        runs.delete(runs_root, run.run_id)


def test_that_a_run_was_deleted_is_told_where_it_is_downloaded(
    page: Page, server: str, hostile: Run
) -> None:
    page.goto(f"{server}/?run={hostile.run_id}&tabs=Export")
    page.get_by_role("tab", name="Export", exact=True).click()
    button = page.get_by_role("button", name="Whole run")
    expect(button).to_be_enabled()
    runs.delete(hostile.path.parent, hostile.run_id)
    button.click()
    expect(page.get_by_text("was deleted: there is nothing left to export")).to_be_visible()


def note_dialogs(page: Page, notes: list[str]) -> None:
    """Let what a script of the page says in a dialog be noted."""

    def note(dialog: Dialog) -> None:
        notes.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)


def test_no_tab_of_the_page_asks_another_host(page: Page, server: str, hostile: Run) -> None:
    alerts: list[str] = []
    note_dialogs(page, alerts)
    page.goto(f"{server}/?run={hostile.run_id}")
    for tab in TABS:
        button = page.get_by_role("tab", name=tab, exact=True)
        button.click()
        expect(button).to_have_attribute("aria-selected", "true")
        settled(page)
        expect(page.get_by_text("evil").first).to_be_attached()
    keys_decide_after_a_click_on_a_switch(page, hostile)
    page.get_by_role("tab", name="Layers", exact=True).click()
    for tab in DETAIL_TABS:
        page.get_by_role("tab", name=tab, exact=True).click()
        settled(page)
    page.goto(f"{server}/?view=runs")
    settled(page)
    expect(page.get_by_text("evil").first).to_be_attached()
    assert not page.locator("[href*='evil'], [src*='evil'], [href^='javascript']").count()
    assert alerts == []  # and that nothing was asked for is seen where the page is closed


def keys_decide_after_a_click_on_a_switch(page: Page, run: Run) -> None:
    """Go through suspicious labels by keyboard, once the focus is where a click has left it."""
    page.get_by_role("tab", name="Examples", exact=True).click()
    settled(page)
    page.get_by_text("Suspicious labels", exact=True).click()
    toggle = page.locator(".st-key-suspicious_only label")
    toggle.click()
    expect(page.locator(".st-key-suspicious_only input")).to_be_focused()
    settled(page)
    for n_decided, key in ((1, "s"), (2, "a"), (1, "z")):
        page.keyboard.press(key)
        expect(page.get_by_text(f"{n_decided} decided")).to_be_visible()
        settled(page)
    kinds = [one.decision for one in runs.read_label_decisions(run.path).values()]
    assert kinds == ["skipped"]


def test_nor_does_the_offline_page(
    browser: Browser, tmp_path: Path, runs_root: Path, hostile: Run
) -> None:
    file = tmp_path / "run.html"
    assert main(["export", hostile.run_id, f"--runs={runs_root}", f"--html={file}"]) == 0
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    note_dialogs(page, asked)
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    expect(page.locator("body")).to_contain_text("evil.example")
    page.get_by_role("slider", name="Epoch").fill("0")
    page.locator("#maps .chart g.mark-symbol path").first.hover(force=True)
    page.wait_for_timeout(300)
    assert not page.locator("[href*='evil'], [src*='evil'], [href^='javascript']").count()
    context.close()
    assert asked == [file.as_uri()]
