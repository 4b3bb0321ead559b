"""Several encoders in a real browser: compared, cancelled, selected in."""

from __future__ import annotations

import re
from pathlib import Path

from driving import (
    SLIDER,
    WORK,
    bright,
    drag_over_first_map,
    passing_time,
    set_number,
    settled,
    upload,
)
from made_runs import dataset_of, made
from playwright.sync_api import Browser, Page, expect
from toy import as_csv, toy_rows
from waiting import wait_until

from layerviz import comparison, runs


def test_encoders_are_compared_one_is_cancelled_and_a_selection_marks_the_same_everywhere(
    page: Page, browser: Browser, server: str, runs_root: Path
):
    upload(page, as_csv(toy_rows(150)), "versus.csv")
    set_number(page, "Epochs", 2)
    page.get_by_role("button", name="Compare 3 encoders").first.click()
    expect(page.get_by_text("0 of 3 runs done")).to_be_visible()
    page.wait_for_url(re.compile(r"[?&]compare="))
    compared = {run.config.encoder: run for run in runs.list_runs(runs_root)
                if run.dataset["name"] == "versus"}  # fmt: skip
    assert set(compared) == {"bert-mini", "roberta-mini", "distilbert-mini"}

    second = compared["roberta-mini"].run_id
    # It is in the middle of its work then.
    wait_until(
        lambda: runs.read(runs_root, second).snapshots,
        seconds=WORK / 1000,
        pause=passing_time(page),
    )
    page.locator(f".st-key-cancel-{second} button").first.click()
    expect(page.get_by_text("2 of 3 runs done")).to_be_visible(timeout=WORK)
    expect(page.get_by_text(re.compile(r"Cancelled with [12] snapshots?\."))).to_be_visible()
    assert runs.read(runs_root, second).status == "cancelled"

    page.reload()
    expect(page.get_by_text("2 of 3 runs done")).to_be_visible()
    link = page.url
    other = browser.new_context(viewport={"width": 1440, "height": 1400}).new_page()
    other.goto(link)
    settled(other)
    order = [compared[name].run_id for name in ("bert-mini", "roberta-mini", "distilbert-mini")]
    contenders = comparison.contenders_of([runs.read(runs_root, run_id) for run_id in order])
    lead = comparison.comparison_lead(comparison.compare_contenders(contenders))[0]
    expect(other.get_by_text(lead)).to_be_visible()

    other.get_by_text("Each at its best epoch", exact=True).click()  # off: the slider instead
    settled(other)
    slider = other.locator(SLIDER)
    expect(slider).to_be_visible()
    slider.fill("1")
    drag_over_first_map(other, 150, 180)
    told = other.get_by_text(re.compile(r"^\d+ examples? selected"))
    expect(told).to_be_visible()
    settled(other)
    selected = int(told.inner_text().split()[0])

    def are_the_same_everywhere() -> bool:
        texts = list(bright(other).values())  # none while it is drawn anew
        return len(texts) == 3 and texts == [texts[0]] * 3

    wait_until(
        are_the_same_everywhere,
        seconds=30,
        why=lambda: bright(other),
        pause=passing_time(other),
    )
    assert {len(texts) for texts in bright(other).values()} == {selected}
    assert 0 < selected < 150
    assert slider.input_value() == "1"  # the selection leaves the slider where it was
    other.get_by_role("button", name="Clear").first.click()
    expect(told).to_be_hidden()
    other.context.close()


def test_runs_on_other_data_are_not_compared(page: Page, server: str, runs_root: Path):
    one = made(runs_root, dataset_of(), "enc", {1: 0.5, 4: 2.0})
    other = made(runs_root, dataset_of("elsewhere", seed=5), "enc", {1: 0.5, 4: 2.0})
    page.goto(f"{server}/?compare={one.run_id},{other.run_id}")
    expect(page.get_by_text("their scores cannot be compared")).to_be_visible()
