"""The frame in a real browser: the sidebar at every width, and what a reload brings back."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from driving import box_of, passing_time, settled
from made_runs import dataset_of, made
from playwright.sync_api import Browser, Locator, Page, ViewportSize, expect
from waiting import wait_until

from layerviz import runs
from layerviz.runs import Run

PHONE: ViewportSize = {"width": 390, "height": 844}
TABLET: ViewportSize = {"width": 1024, "height": 768}
FOOTER = ".st-key-launch"


@pytest.fixture(scope="module")
def run(runs_root: Path) -> Run:
    return made(runs_root, dataset_of("frame"), "enc", {1: 0.5, 4: 2.0})


@pytest.fixture
def phone(browser: Browser, server: str) -> Iterator[Page]:
    context = browser.new_context(viewport=PHONE)
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(server)
    yield page
    context.close()


def bottom_of(part: Locator) -> float:
    return box_of(part)["y"] + box_of(part)["height"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_footer_of_the_sidebar_hides_what_is_behind_it(page: Page, server: str, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size(TABLET)
    page.goto(server)
    expect(page.locator(FOOTER)).to_be_visible()
    settled(page)
    page.wait_for_function(
        f"""() => {{
            const [bar, footer] = ["[data-testid=stSidebar]", "{FOOTER}"].map(
                one => getComputedStyle(document.querySelector(one)).backgroundColor);
            return bar === footer && !footer.includes("rgba");  // no alpha: opaque
        }}"""
    )


def test_a_field_with_the_focus_is_never_under_the_footer(page: Page):
    page.set_viewport_size(TABLET)
    settled(page)
    page.get_by_text("More settings").click()
    field = page.get_by_role("spinbutton", name="Seed")
    expect(field).to_be_visible()
    for name in ("Epochs", "Max length", "Batch size", "Learning rate", "Seed", "Weight decay"):
        field = page.get_by_role("spinbutton", name=name, exact=True)
        page.locator("[data-testid=stSidebarContent]").evaluate("one => one.scrollTo(0, 0)")
        field.evaluate("one => one.focus()")
        page.wait_for_timeout(200)  # it may scroll smoothly
        assert bottom_of(field) <= box_of(page.locator(FOOTER))["y"], name


def test_on_a_phone_a_button_opens_the_sidebar_and_a_run_closes_it(phone: Page, run: Run):
    expect(phone.get_by_text("Which layer tells your classes apart, and when?")).to_be_visible()
    assert phone.get_by_text("on the left").count() == 0
    phone.locator("[class*=st-key-open_sidebar] button:visible").first.click()
    sidebar = phone.locator("[data-testid=stSidebar]")
    expect(sidebar).to_have_attribute("data-collapsed", "false")
    phone.locator(f".st-key-open-{run.run_id} button:visible").click()
    expect(sidebar).to_have_attribute("data-collapsed", "true")
    expect(phone.get_by_role("heading", name="enc on frame")).to_be_visible()


def test_the_open_run_is_marked_in_the_list_and_its_bar_moves_nothing(
    page: Page, server: str, run: Run
):
    page.goto(f"{server}/?run={run.run_id}")
    mark = page.locator(".st-key-open_run [aria-current=page]")
    expect(mark).to_be_visible()
    expect(page.locator(".st-key-open_run button:visible")).to_be_enabled()
    card, row = page.locator(".st-key-answer_card"), page.locator(".st-key-run_status")
    expect(card).to_contain_text("Layer 4")
    assert box_of(row)["height"] < 60
    without_bar = box_of(card)["y"]
    runs.update(run.path, status="running")
    page.reload()
    expect(row.get_by_text("Running in another process")).to_be_visible()
    assert box_of(card)["y"] == without_bar
    runs.update(run.path, status="done")


def test_a_ticked_row_of_the_table_of_runs_is_opened_and_deleted(
    page: Page, server: str, run: Run, runs_root: Path
):
    spare = made(runs_root, dataset_of("spare"), "enc", {1: 0.5})
    page.goto(f"{server}/?view=runs")
    page.get_by_role("textbox", name="Filter").fill("spare")
    page.get_by_role("textbox", name="Filter").press("Enter")
    expect(page.get_by_text("1 of ")).to_be_visible()
    box = box_of(page.locator(".stDataFrame").first)
    page.mouse.click(box["x"] + 18, box["y"] + 36 + 18)
    page.locator(".st-key-all_runs_delete button:enabled:visible").click()
    expect(page.get_by_role("dialog").get_by_text("enc on spare")).to_be_visible()
    page.locator(".st-key-confirm_now button:visible").click()
    expect(page.get_by_text("0 of ")).to_be_visible()
    wait_until(lambda: not spare.path.exists(), pause=passing_time(page))
    assert run.path.exists()


def test_there_is_one_cancel_and_nothing_fades(page: Page, server: str, run: Run):
    page.goto(f"{server}/?run={run.run_id}")
    settled(page)
    page.evaluate(
        """() => { window.seen = {widgets: 0, opacity: 1};
            window.watch = setInterval(() => {
                for (const one of document.querySelectorAll('[data-testid=stStatusWidget]'))
                    if (one.getClientRects().length) window.seen.widgets += 1;
                for (const one of document.querySelectorAll('[data-stale=true]'))
                    window.seen.opacity = Math.min(
                        window.seen.opacity, +getComputedStyle(one).opacity);
            }, 20); }"""
    )
    page.get_by_role("tab", name="Layers").click()
    expect(page.get_by_role("tab", name="Lines")).to_be_visible()
    page.wait_for_timeout(1000)
    assert page.evaluate("() => window.seen") == {"widgets": 0, "opacity": 1}
