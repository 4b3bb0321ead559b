"""The main job in a second browser, with another engine: upload, train, slide, select, look."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from driving import (
    SLIDER,
    expect_halves,
    point_places,
    settled,
    train_on_toys,
    upload,
)
from playwright.sync_api import Browser, Page, expect
from toy import as_csv, toy_rows


@pytest.fixture(scope="module")
def trained(firefox: Browser, server: str, runs_root: Path) -> str:
    """The id of a run on an uploaded file, trained through the page in Firefox."""
    return train_on_toys(firefox, server, runs_root, name="seen in firefox", seed=1, epochs=2)


@pytest.fixture
def opened_run(firefox_page: Page, server: str, trained: str) -> Page:
    """The run's page, its maps drawn; what the page's scripts complain of fails the test."""
    firefox_page.goto(f"{server}/?run={trained}")
    expect(firefox_page.locator(SLIDER)).to_be_visible()
    settled(firefox_page)
    expect_halves(firefox_page, (4 * 96, 4 * 24))
    return firefox_page


def test_the_slider_moves_the_points_in_firefox(opened_run: Page):
    at_the_end = point_places(opened_run)
    opened_run.locator(SLIDER).fill("0")
    expect(
        opened_run.get_by_text(re.compile(r"^Train \(n = 96\), before training"))
    ).to_be_visible()
    before_training = point_places(opened_run)
    moved = sum(
        abs(x - u) + abs(y - v) > 3
        for (x, y), (u, v) in zip(at_the_end, before_training, strict=True)
    )
    assert moved > len(at_the_end) / 4


def test_a_click_selects_an_example_in_firefox(opened_run: Page):
    opened_run.set_viewport_size({"width": 1440, "height": 1500})
    expect_halves(opened_run, (4 * 96, 4 * 24))
    settled(opened_run)
    x, y = point_places(opened_run)[-1]
    opened_run.mouse.click(x, y)
    expect(opened_run.get_by_text(re.compile("^1 example selected"))).to_be_visible()


def test_every_tab_opens_in_firefox(opened_run: Page):
    complaints: list[str] = []
    opened_run.on("pageerror", lambda error: complaints.append(str(error)))
    tabs = opened_run.get_by_role("tablist").first.get_by_role("tab").all_inner_texts()
    assert len(tabs) > 4
    for name in tabs:
        tab = opened_run.get_by_role("tab", name=name, exact=True).first
        tab.click()
        expect(tab).to_have_attribute("aria-selected", "true")
        settled(opened_run)
        expect(opened_run.get_by_test_id("stException")).to_have_count(0)
    assert complaints == []


def test_a_bad_file_is_told_in_place_in_firefox(firefox_page: Page):
    upload(firefox_page, as_csv([(text, "same") for text, _ in toy_rows(40)]), "one_class.csv")
    expect(firefox_page.get_by_test_id("stSidebar").get_by_test_id("stAlert")).to_be_visible()
