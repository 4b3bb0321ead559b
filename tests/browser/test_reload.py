"""A reload in a real browser: uploads, settings and a run's data come back."""

from __future__ import annotations

import re
from pathlib import Path

from driving import settled
from made_runs import made
from playwright.sync_api import Page, expect
from toy import as_csv, toy_rows

from layerviz import data, runs
from layerviz.runs import Run

CONTENT = as_csv(toy_rows(96))


def test_upload_settings_and_columns_survive_a_reload(page: Page):
    settled(page)
    address = page.url
    page.get_by_text("Your file", exact=True).click()
    page.locator("[data-testid=stFileUploaderDropzoneInput]").first.set_input_files(
        {"name": "reloaded.csv", "mimeType": "text/csv", "buffer": CONTENT}
    )
    expect(page).to_have_url(re.compile(r"train=[0-9a-f]{16}"))
    expect(page.get_by_text("Train examples")).to_be_visible()
    epochs = page.get_by_role("spinbutton", name="Epochs", exact=True)
    epochs.fill("7")
    epochs.press("Enter")
    expect(page).to_have_url(re.compile("epochs-bundled=7"))
    page.get_by_text("More settings").click()
    decay = page.get_by_role("spinbutton", name="Weight decay")
    decay.fill("0.05")
    decay.press("Enter")
    expect(page).to_have_url(re.compile("weight_decay=0.05"))
    settled(page)

    page.reload()
    settled(page)
    expect(page.get_by_text("reloaded.csv").first).to_be_visible()
    expect(page.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_value("7")
    page.get_by_text("More settings").click()
    expect(page.get_by_role("spinbutton", name="Weight decay")).to_have_value(re.compile("0.05"))
    expect(page.locator(".st-key-fine_tune button:enabled").first).to_be_visible()

    page.locator(".st-key-remove_train button:visible").click()
    expect(page.locator("[data-testid=stFileUploaderDropzoneInput]").first).to_be_attached()
    page.get_by_text("Sample", exact=True).click()
    expect(page.get_by_text("Customer messages in four classes")).to_be_visible()
    settled(page)
    expect(page.get_by_role("spinbutton", name="Epochs", exact=True)).to_have_count(
        1
    )  # the old one is gone
    page.wait_for_timeout(1500)  # a field that is filled while it is drawn anew forgets it
    page.get_by_role("spinbutton", name="Epochs", exact=True).fill("4")
    page.get_by_role("spinbutton", name="Epochs", exact=True).press("Enter")
    expect(page).to_have_url(re.compile(r"\?weight_decay=0.05$"))  # defaults do not clutter it
    assert address.rstrip("/") in page.url


def test_the_address_of_a_run_brings_its_file_back(page: Page, server: str, runs_root: Path):
    run = run_on_kept_file(runs_root)
    page.goto(f"{server}/?run={run.run_id}")
    settled(page)
    expect(page.get_by_text("kept.csv").first).to_be_visible()
    page.get_by_role("button", name="New run").click()
    expect(page.get_by_text("Val examples", exact=True)).to_be_visible()
    expect(page).to_have_url(re.compile(r"train=[0-9a-f]{16}"))
    page.go_back()
    expect(page.get_by_role("heading", name="enc on kept")).to_be_visible()


def run_on_kept_file(root: Path) -> Run:
    runs.keep_table(root, CONTENT, "kept.csv")
    table = data.read_table(CONTENT, "kept.csv")
    dataset = data.build_dataset(table, data.guess_columns(table.frame), val_fraction=0.3)
    return made(root, dataset, "enc", {1: 0.5, 4: 2.0})
