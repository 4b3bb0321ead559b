"""What the browser tests do with the page, and read from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, FloatRect, Locator, Page, expect
from toy import as_csv, toy_rows
from waiting import wait_until

from layerviz import runs

SLIDER = ".maps .slot"
WORK = 180_000  # milliseconds that real work may take on a slow machine which others share


def passing_time(page: Page) -> Callable[[float], None]:
    """Return what lets some seconds pass in which a page's events still arrive."""
    return lambda seconds: page.wait_for_timeout(1000 * seconds)


def settled(page: Page) -> None:
    page.wait_for_selector("[data-testid=stApp][data-test-script-state=notRunning]")


def upload(page: Page, content: bytes, name: str = "toy.csv") -> None:
    settled(page)
    page.get_by_text("Your file", exact=True).click()
    page.locator("[data-testid=stFileUploaderDropzoneInput]").first.set_input_files(
        {"name": name, "mimeType": "text/csv", "buffer": content}
    )
    expect(page.get_by_text(name).first).to_be_visible()
    settled(page)


def choose_smallest_encoder(page: Page) -> None:
    page.get_by_role("combobox", name="Encoder").click()
    page.get_by_role("option", name=re.compile("DistilBERT.*scratch", re.I)).click()
    # Its own preset: before that arrives, the field is still that of the encoder before.
    expect(page.get_by_role("spinbutton", name="Epochs")).to_have_value("10")
    settled(page)


def set_number(page: Page, label: str, value: int) -> None:
    field = page.get_by_role("spinbutton", name=label)
    field.press("Control+a")  # in Firefox, `fill` would add to what stands there
    field.press_sequentially(str(value))
    field.press("Enter")
    settled(page)
    expect(field).to_have_value(str(value))


def fine_tune(page: Page) -> None:
    page.get_by_role("button", name="Fine-tune").click()


def status(page: Page, name: str) -> Locator:
    """Return the badge that says how the open run stands."""
    return page.locator(".stMarkdownBadge", has_text=name)


def box_of(part: Locator) -> FloatRect:
    """Return where a part that is shown stands on the screen."""
    expect(part).to_be_visible()
    box = part.bounding_box()
    assert box is not None
    return box


def expect_button(page: Page, state: str) -> None:
    """Wait for a Fine-tune button that is enabled or disabled; the old one may still be there."""
    expect(page.locator(f".st-key-fine_tune button:{state}").first).to_be_visible()


def open_layers(page: Page) -> None:
    page.get_by_role("tab", name="Layers").click()
    expect(page.get_by_text("Click a cell to see that layer")).to_be_visible()
    settled(page)


def cell(page: Page, layer: int, snapshot: int) -> tuple[float, float]:
    """Return the middle of a cell of the heat map, read from its marks: deepest layer on top."""
    page.wait_for_function("() => document.querySelectorAll('g.mark-rect path').length >= 35")
    page.locator(
        "[data-testid=stVegaLiteChart]:has(g.mark-rect)"
    ).first.scroll_into_view_if_needed()
    boxes = page.evaluate(
        """() => [...[...document.querySelectorAll('[data-testid=stVegaLiteChart]')]
                .find(chart => chart.querySelector('g.mark-rect'))
                .querySelectorAll('g.mark-rect path[aria-roledescription="rect mark"]')]
            .map(path => { const box = path.getBoundingClientRect();
                           return [box.x + box.width / 2, box.y + box.height / 2]; })"""
    )
    columns = sorted({round(x) for x, _ in boxes})
    rows = sorted({round(y) for _, y in boxes}, reverse=True)
    return columns[snapshot], rows[layer]


# Vega keeps with each mark what it shows: `__data__`, an item with its datum.
POINTS = """maps => [...maps.querySelectorAll('.chart .layer_1_marks path')]"""


def point_places(page: Page) -> list[tuple[float, float]]:
    """Return the screen positions of the points of the maps, read from the SVG's marks."""
    return page.locator(".maps").last.evaluate(
        f"""maps => ({POINTS})(maps).map(path => {{
            const box = path.getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2]; }})"""
    )


def point_marks(page: Page) -> list[dict[str, Any]]:
    """Return what each point of the maps looks like, read from the SVG's marks."""
    return page.locator(".maps").last.evaluate(
        f"""maps => ({POINTS})(maps).map(path => {{
            const box = path.getBoundingClientRect(), item = path.__data__;
            return {{row: item.datum.row, panel: item.datum.layer, code: item.datum.code,
                     opacity: item.opacity, fill: item.fill.toUpperCase(),
                     x: box.x + box.width / 2, y: box.y + box.height / 2}}; }})"""
    )


def halves(page: Page) -> tuple[int, int]:
    """Return the number of points left and right of the middle of the maps."""
    if not page.locator(".maps .stage").count():
        return 0, 0
    box = page.locator(".maps .stage").last.bounding_box()
    if box is None:  # it is being drawn anew
        return 0, 0
    middle = box["x"] + box["width"] / 2
    places = point_places(page)
    return sum(x < middle for x, _ in places), sum(x > middle for x, _ in places)


def expect_halves(page: Page, expected: tuple[int, int]) -> None:
    """Wait until the maps have so many points; the page may be drawing them anew just now."""
    wait_until(lambda: halves(page) == expected, why=lambda: halves(page), pause=passing_time(page))


def bright(page: Page) -> dict[str, set[str]]:
    """Return the texts of the points that stand out, for each map by its title."""
    found = page.locator(".maps").last.evaluate(
        f"""maps => ({POINTS})(maps).filter(path => path.__data__.opacity > 0.9).map(path => {{
            const {{points, state}} = maps.instrument, datum = path.__data__.datum;
            return [state.titles[datum.layer], points.texts[points.indexOf.get(datum.row)]]; }})"""
    )
    texts: dict[str, set[str]] = {}
    for title, text in found:
        texts.setdefault(title, set()).add(text)
    return texts


def expect_bright(page: Page, texts: set[str], n_layers: int) -> None:
    """Wait until exactly these texts stand out in so many layers."""

    def are_bright() -> bool:
        return list(bright(page).values()) == [texts] * n_layers

    wait_until(are_bright, seconds=30, why=lambda: (texts, bright(page)), pause=passing_time(page))


def drag_over_first_map(page: Page, width: float, height: float) -> None:
    """Draw a box in the first map, from its upper left corner, so many pixels large."""
    drawing = box_of(page.locator(".maps .stage").last)
    left, top = drawing["x"] + 15, drawing["y"] + 62
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + width, top + height, steps=6)
    page.mouse.up()


def drawn(page: Page) -> None:
    """Wait until the maps have done all that they were told."""
    page.locator(".maps").last.evaluate("async maps => { await maps.instrument.queue; }")


def downloaded(page: Page, button: Locator) -> bytes:
    """Click a button and return the file that it gives."""
    with page.expect_download(timeout=WORK) as given:
        button.click()
    return Path(given.value.path()).read_bytes()


def train_on_toys(
    browser: Browser,
    server: str,
    runs_root: Path,
    *,
    name: str = "toy",
    seed: int = 0,
    epochs: int = 6,
) -> str:
    """Upload a CSV and train on it through the page; return the run's id."""
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(120_000)
    page.goto(server)
    upload(page, as_csv(toy_rows(120, seed)), f"{name}.csv")
    choose_smallest_encoder(page)
    set_number(page, "Epochs", epochs)
    fine_tune(page)
    expect(status(page, "Done")).to_be_visible(timeout=WORK)
    page.close()
    return next(
        run.run_id
        for run in runs.list_runs(runs_root)
        if run.status == "done" and run.dataset["name"] == name
    )
