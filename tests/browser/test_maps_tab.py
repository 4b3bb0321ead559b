"""The maps of a run in a real browser: slide, hover, select."""

from __future__ import annotations

import re
from pathlib import Path

from driving import (
    SLIDER,
    WORK,
    box_of,
    bright,
    drag_over_first_map,
    drawn,
    expect_bright,
    expect_halves,
    passing_time,
    point_marks,
    point_places,
    settled,
)
from playwright.sync_api import Page, expect
from waiting import wait_until_steady

from layerviz import runs


def test_maps_of_both_splits_and_a_slider_that_moves_them(page: Page, server: str, finished: str):
    sent: list[str] = []  # frames of every websocket, and requests of any other kind
    page.on("websocket", lambda socket: socket.on("framesent", lambda _: sent.append(socket.url)))
    page.on("request", lambda request: sent.append(request.url))
    page.goto(f"{server}/?run={finished}")
    slider = page.locator(SLIDER)
    expect(slider).to_be_visible()
    settled(page)
    expect_halves(page, (4 * 96, 4 * 24))  # layers x captured examples, train and val
    at_the_end = point_places(page)
    heading = page.locator(".maps .chart").get_by_text(re.compile(r"^Train \(n = 96\)"))
    expect(heading).to_have_text("Train (n = 96), epoch 6 · PCA")
    above = box_of(slider)
    assert above["y"] + above["height"] <= box_of(heading)["y"]  # it stands above the maps
    assert any(url.startswith("ws") for url in sent)  # what the page says does come up here
    wait_until_steady(lambda: len(sent), seconds=1.0, pause=passing_time(page))
    sent.clear()
    slider.fill("0")
    expect(heading).to_have_text("Train (n = 96), before training · PCA")
    before_training = point_places(page)
    assert len(before_training) == len(at_the_end)
    moved = sum(
        abs(x - u) + abs(y - v) > 3
        for (x, y), (u, v) in zip(at_the_end, before_training, strict=True)
    )
    assert moved > len(at_the_end) / 2
    # Told once, when the slider has come to rest: the table below follows it.
    expect(page.get_by_text("(predictions: before training; hardest first)")).to_be_visible()
    assert sum(url.startswith("ws") for url in sent) == 1


def test_the_room_of_the_maps_is_kept_before_they_are_drawn(page: Page, server: str, finished: str):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    settled(page)
    drawn = box_of(page.locator(".maps .stage"))["height"]
    kept = page.locator(".maps").evaluate(
        """maps => {
            const { instrument } = maps, root = document.createElement("div");
            root.style.width = maps.clientWidth + "px";
            maps.parentElement.append(root);
            const early = new instrument.constructor(root);
            early.reserve(instrument.state);  // no points have arrived
            const { height } = early.stage.getBoundingClientRect();
            early.destroy();
            root.remove();
            return height; }"""
    )
    assert kept == drawn > 300


def test_the_slider_keeps_its_place_when_colours_change(page: Page, server: str, finished: str):
    # All in view: a list that is open closes when the page scrolls.
    page.set_viewport_size({"width": 1440, "height": 1500})
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    settled(page)
    page.locator(SLIDER).fill("2")
    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name="right or wrong").click()
    expect(page.locator(".maps .legend").get_by_text("wrong", exact=True)).to_be_visible()
    settled(page)
    drawn(page)
    assert page.locator(SLIDER).input_value() == "2"
    assert {mark["fill"] for mark in point_marks(page)} <= {"#9AA0A6", "#C2185B"}


def test_the_text_of_the_point_under_the_mouse_stands_beside_the_maps(
    page: Page, server: str, finished: str, runs_root: Path
):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    settled(page)
    mark = point_marks(page)[0]
    page.mouse.move(mark["x"], mark["y"])
    facts = page.locator(".maps .facts")
    for word in ("Label", "Predicted", "epoch 6"):
        expect(facts).to_contain_text(word)
    texts = runs.read_examples(runs.read(runs_root, finished).path)["text"]
    shown = facts.locator(".text").inner_text()
    assert shown in set(texts)
    beside, maps = box_of(facts), box_of(page.locator(".maps .stage"))
    assert beside["x"] >= maps["x"] + maps["width"]


def test_tsne_is_drawn_off_the_page_and_shown(page: Page, server: str, finished: str):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    page.get_by_text("t-SNE", exact=True).click()
    expect(page.get_by_text("Drawing t-SNE maps")).to_be_hidden(timeout=WORK)
    expect(page.locator(SLIDER)).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Train \(n = 96\), .*t-SNE$"))).to_be_visible()
    settled(page)
    expect_halves(page, (4 * 96, 4 * 24))


def test_a_box_and_a_click_select_the_same_examples_in_every_map_and_in_the_table(
    page: Page, server: str, finished: str, runs_root: Path
):
    page.set_viewport_size({"width": 1440, "height": 1500})
    page.goto(f"{server}/?run={finished}")
    slider = page.locator(SLIDER)
    expect(slider).to_be_visible()
    settled(page)
    expect_halves(page, (4 * 96, 4 * 24))
    slider.fill("3")
    drag_over_first_map(page, 130, 130)
    told = page.get_by_text(re.compile(r"^\d+ examples? selected"))
    expect(told).to_be_visible()
    settled(page)
    selected = int(told.inner_text().split()[0])
    assert 1 < selected < 96
    first = bright(page)["Layer 1"]
    assert len(first) <= selected  # two examples may have one text
    expect_bright(page, first, n_layers=4)
    assert slider.input_value() == "3"  # the selection left the slider where it was
    run = runs.read(runs_root, finished)
    known = runs.read_examples(run.path)
    assert known["text"].isin(first).sum() >= selected

    slider.fill("0")  # and the slider leaves the selection
    expect_bright(page, first, n_layers=4)
    expect(told).to_have_text(re.compile(f"^{selected} example"))
    expect_halves(page, (4 * 96, 4 * 24))  # the others are faint, not gone

    x, y = point_places(page)[-1]  # of val
    page.mouse.click(x, y)
    expect(told).to_have_text(re.compile("^1 example selected"))
    only = bright(page)
    expect_bright(page, next(iter(only.values())), n_layers=4)
    paths = page.get_by_role("button", name=re.compile("^Paths"))
    expect(paths).to_have_attribute("aria-pressed", "true")
    slider.fill("5")
    lines = page.locator(".maps g.mark-line path[d*=L]")
    expect(lines).not_to_have_count(0)  # its path through each layer
    paths.click()
    expect(lines).to_have_count(0)

    page.get_by_placeholder("Find text or id").fill(known["id"].iloc[7])
    page.keyboard.press("Enter")
    expect(page.get_by_text("by the search for")).to_be_visible()
    expect_bright(page, {known["text"].iloc[7]}, n_layers=4)
    page.get_by_role("button", name="Clear").first.click()
    expect(told).to_be_hidden()


def test_a_ticked_row_opens_the_page_of_its_example(
    page: Page, server: str, finished: str, runs_root: Path
):
    page.set_viewport_size({"width": 1440, "height": 1500})
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    settled(page)
    run = runs.read(runs_root, finished)
    losses = runs.read_predictions(run.path, run.snapshots[-1].index)
    hardest = losses.sort_values("loss", ascending=False, kind="stable")["id"].iloc[0]
    table = box_of(page.get_by_test_id("stDataFrame").first)
    page.mouse.click(table["x"] + 18, table["y"] + 53)  # the box of the first row
    expect(page.get_by_text("What the classifier predicts, epoch by epoch")).to_be_visible()
    row = hardest.removeprefix("train-")
    expect(page.get_by_text(f"row {row} of toy.csv").first).to_be_visible()
    settled(page)
    page.get_by_text("Its tokens through the layers").click()
    expect(page.get_by_text("The line follows the text.")).to_be_visible(timeout=WORK)
    page.get_by_role("button", name="Show in the Maps tab").click()
    expect(page.get_by_text("1 example selected")).to_be_visible()
