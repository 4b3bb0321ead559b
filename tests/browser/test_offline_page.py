"""The offline page in a real browser, the network off: it slides, hovers, asks for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd
import pytest
from made_runs import made
from playwright.sync_api import Browser, Page, expect

from layerviz import data
from layerviz.export.page import offline_page
from layerviz.runs import Run
from layerviz.views import MapsRequest

NAMES = ("<script>alert(1)</script>", "**bold**", 'it\'s "quoted" & <b>')
TEXT = "<script>document.title = 'broken'</script><img src=x onerror=alert(1)> # Heading " * 60


@dataclass
class Traffic:
    """What a page asked for and complained of."""

    requests: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)


@pytest.fixture(scope="module")
def run(tmp_path_factory) -> Run:
    frame = pd.DataFrame(
        {
            "text": [f"{number} {TEXT}" for number in range(160)],
            "label": [NAMES[number % 3] for number in range(160)],
            "split": ["train"] * 80 + ["val"] * 80,
        }
    )
    table = data.read_table(frame.to_csv(index=False).encode(), "hostile.csv")
    dataset = data.build_dataset(table, data.Columns("text", "label", "split"))
    root = tmp_path_factory.mktemp("runs")
    return made(root, dataset, "bert-a", {3: 4.0, 4: 2.0}, n_snapshots=3)


@pytest.fixture(params=["light", "dark"])
def opened(browser: Browser, run: Run, tmp_path: Path, request) -> Iterator[tuple[Page, Traffic]]:
    file = tmp_path / "run.html"
    file.write_bytes(offline_page(run, MapsRequest()))
    context = browser.new_context(
        viewport={"width": 1280, "height": 900}, color_scheme=request.param
    )
    context.set_offline(True)
    page, traffic = context.new_page(), Traffic()
    page.on("request", lambda request: traffic.requests.append(request.url))
    page.on(
        "console",
        lambda line: (
            traffic.errors.append(line.text) if line.type in ("error", "warning") else None
        ),
    )
    page.on("pageerror", lambda error: traffic.errors.append(str(error)))
    page.on("dialog", lambda dialog: traffic.errors.append(dialog.message))
    page.goto(file.as_uri())
    page.wait_for_selector("body[data-ready=yes]")
    yield page, traffic
    context.close()
    assert traffic.requests == [file.as_uri()]
    assert traffic.errors == []


def positions(page: Page) -> list[list[float]]:
    """Return where the points of the maps are, from the SVG's marks."""
    return page.evaluate(
        """() => [...document.querySelectorAll('#maps .chart g.mark-symbol path')]
            .map(path => { const box = path.getBoundingClientRect();
                           return [Math.round(box.x + box.width / 2),
                                   Math.round(box.y + box.height / 2)]; })"""
    )


def slide(page: Page, slot: int) -> None:
    page.get_by_role("slider", name="Epoch").fill(str(slot))
    name = ["before training", "epoch 1", "epoch 2"][slot]
    expect(page.get_by_role("slider", name="Epoch")).to_have_attribute("aria-valuetext", name)
    expect(page.locator("#maps .chart")).to_contain_text(name)


def test_the_slider_moves_the_points_without_a_network(opened: tuple[Page, Traffic]) -> None:
    page, _ = opened
    newest = positions(page)
    assert len(newest) == 160 * 4
    slide(page, 0)
    first = positions(page)
    assert len(first) == len(newest)
    moved = sum(one != other for one, other in zip(first, newest, strict=True))
    assert moved > len(newest) / 2
    slide(page, 2)
    assert positions(page) == newest


def test_play_goes_through_the_epochs(opened: tuple[Page, Traffic]) -> None:
    page, _ = opened
    slider = page.get_by_role("slider", name="Epoch")
    page.get_by_role("button", name="Play the epochs").click()
    expect(slider).to_have_attribute("aria-valuetext", "before training")
    expect(slider).to_have_attribute("aria-valuetext", "epoch 2")
    expect(page.get_by_role("button", name="Play the epochs")).to_be_visible()


def test_what_the_page_shows_of_hostile_texts_is_text(opened: tuple[Page, Traffic]) -> None:
    page, _ = opened
    for name in NAMES:
        expect(page.locator("#maps .legend")).to_contain_text(name)
    page.mouse.move(*positions(page)[0])
    facts = page.locator("#maps .facts .text")
    expect(facts).to_contain_text("<script>document.title = 'broken'</script><img src=x")
    expect(facts).to_contain_text("# Heading")
    assert page.locator("#maps .pane").locator("img, script").count() == 0
    assert len(facts.inner_text()) <= 240
    assert "broken" not in page.title()


def test_a_click_selects_an_example_in_the_file_alone(opened: tuple[Page, Traffic]) -> None:
    page, _ = opened
    page.mouse.click(*positions(page)[0])
    expect(page.locator("#maps .picked")).to_contain_text("1 selected")
    page.get_by_role("button", name="Clear").click()
    expect(page.locator("#maps .picked")).not_to_contain_text("selected")


def test_the_page_has_its_parts(opened: tuple[Page, Traffic], run: Run) -> None:
    page, _ = opened
    expect(page.locator("#heat svg, #heat canvas").first).to_be_visible()
    expect(page.locator(".answer")).to_contain_text("macro-F1")
    expect(page.get_by_text(run.dataset["fingerprint"]).first).to_be_visible()
    for width in (1280, 400):
        page.set_viewport_size({"width": width, "height": 900})
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0
