"""The main job in a real browser: upload, train, look, cancel, come back."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from driving import (
    SLIDER,
    WORK,
    choose_smallest_encoder,
    expect_button,
    fine_tune,
    open_layers,
    set_number,
    settled,
    status,
    upload,
)
from playwright.sync_api import Browser, Page, expect
from toy import as_csv, toy_rows

from layerviz import runs


def test_the_empty_page_says_what_to_do(page: Page):
    settled(page)
    expect(page.get_by_text("Which layer tells your classes apart, and when?")).to_be_visible()
    expect(page.get_by_role("button", name="Fine-tune")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Fine-tune")).to_be_enabled()


def test_the_first_click_trains_the_bundled_bert_on_the_sample(page: Page):
    settled(page)
    expect(page.get_by_text("comes with layerviz")).to_be_visible()
    fine_tune(page)
    expect(page.locator(SLIDER)).to_be_visible(timeout=WORK)
    expect(page.get_by_text(re.compile("before training")).first).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(status(page, "Cancelled")).to_be_visible(timeout=WORK)


def test_reload_and_a_second_browser_find_the_running_job_and_cancel_keeps_maps(
    page: Page, browser: Browser, server: str, runs_root: Path
):
    settled(page)
    choose_smallest_encoder(page)
    set_number(page, "Epochs", 100)
    fine_tune(page)
    expect(page.locator(SLIDER)).to_be_visible(timeout=WORK)  # with the second snapshot
    page.reload()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Step \d+ / 2,400"))).to_be_visible()

    other = browser.new_context().new_page()
    other.goto(server)  # no permalink
    expect(other.get_by_role("button", name="Cancel")).to_be_visible(timeout=WORK)
    other.context.close()

    open_layers(page)  # in the middle of training, with the snapshots there are
    # Two at least: with one there is nothing to slide over, and so no slider.
    several = re.compile(r"So far ([2-9]|\d\d+) of 101 snapshots")
    expect(page.get_by_text(several)).to_be_visible(timeout=WORK)
    page.get_by_role("button", name="Cancel").click()
    expect(status(page, "Cancelled")).to_be_visible(timeout=WORK)
    page.get_by_role("tab", name="Maps").click()
    expect(page.locator(SLIDER)).to_be_visible()
    run = next(run for run in runs.list_runs(runs_root) if run.config.epochs == 100)
    assert run.status == "cancelled"
    assert len(run.snapshots) >= 1


def test_new_snapshots_do_not_move_the_slider(page: Page, runs_root: Path):
    upload(page, as_csv(toy_rows(150)))
    choose_smallest_encoder(page)
    set_number(page, "Epochs", 4)
    fine_tune(page)
    slider = page.locator(SLIDER)
    expect(slider).to_have_attribute("max", re.compile("[2-9]"), timeout=WORK)
    slider.fill("1")  # not the end, which would go on to be the newest
    most = int(slider.get_attribute("max") or 0)
    expect(status(page, "Done")).to_be_visible(timeout=WORK)
    settled(page)
    assert slider.input_value() == "1"
    assert int(slider.get_attribute("max") or 0) > most, "no snapshot came after the fill"
    heading = page.locator(".maps .chart").get_by_text(re.compile(r"^Train \(n = 120\)"))
    expect(heading).to_have_text("Train (n = 120), epoch 1 · PCA")


def test_a_bad_file_is_told_in_place_and_the_page_lives(page: Page):
    upload(page, as_csv([(f"text {i}", "same") for i in range(40)]), "one_class.csv")
    expect(page.get_by_test_id("stSidebar").get_by_test_id("stAlert")).to_be_visible()
    expect_button(page, "disabled")
    page.get_by_text("Sample", exact=True).click()
    expect_button(page, "enabled")


@pytest.mark.parametrize("width", [1440, 1024])
def test_nothing_is_cut_off_at_the_side(page: Page, server: str, finished: str, width: int):
    page.set_viewport_size({"width": width, "height": 768})
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    settled(page)
    overflow = page.evaluate(
        """() => { const main = document.querySelector('[data-testid=stMain]');
                   return main.scrollWidth - main.clientWidth; }"""
    )
    assert overflow <= 1
