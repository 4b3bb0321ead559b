"""The main job in a real browser: upload, train, look, slide, cancel, come back."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, ImageSequence
from playwright.sync_api import Browser, FloatRect, Locator, Page, expect
from toy import as_csv, toy_rows
from waiting import holds_for, wait_until, wait_until_steady

from layerviz import comparison, runs, separability
from layerviz.export.zip_reading import unzip_run

SLIDER = ".vega-bind input"


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
    field.fill(str(value))
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


def point_places(page: Page) -> list[tuple[float, float]]:
    """Return the screen positions of the points of the maps, read from the SVG's marks."""
    return page.evaluate(
        """() => [...[...document.querySelectorAll('[data-testid=stVegaLiteChart]')].at(-1)
                .querySelectorAll('g.mark-symbol path[aria-roledescription=circle]')]
            .map(path => { const box = path.getBoundingClientRect();
                           return [box.x + box.width / 2, box.y + box.height / 2]; })"""
    )


def halves(page: Page) -> tuple[int, int]:
    """Return the number of points left and right of the middle of the maps."""
    box = page.locator("[data-testid=stVegaLiteChart]").last.bounding_box()
    if box is None:  # it is being drawn anew
        return 0, 0
    middle = box["x"] + box["width"] / 2
    places = point_places(page)
    return sum(x < middle for x, _ in places), sum(x > middle for x, _ in places)


def expect_halves(page: Page, expected: tuple[int, int]) -> None:
    """Wait until the maps have so many points; the page may be drawing them anew just now."""
    wait_until(lambda: halves(page) == expected, why=lambda: halves(page), pause=passing_time(page))


def expect_button(page: Page, state: str) -> None:
    """Wait for a Fine-tune button that is enabled or disabled; the old one may still be there."""
    expect(page.locator(f".st-key-fine_tune button:{state}").first).to_be_visible()


@pytest.fixture(scope="module")
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


def test_the_empty_page_says_what_to_do(page: Page):
    settled(page)
    expect(page.get_by_text("Which layer tells your classes apart, and when?")).to_be_visible()
    expect(page.get_by_role("button", name="Fine-tune")).to_be_in_viewport()
    expect(page.get_by_role("button", name="Fine-tune")).to_be_enabled()


def test_the_first_click_trains_the_bundled_bert_on_the_sample(page: Page):
    settled(page)
    expect(page.get_by_text("comes with layerviz")).to_be_visible()
    fine_tune(page)
    expect(page.locator(SLIDER)).to_be_visible(timeout=60_000)
    expect(page.get_by_text(re.compile("before training")).first).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(status(page, "Cancelled")).to_be_visible(timeout=60_000)


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
    heading = page.get_by_text(re.compile(r"^Train \(n = 96\)"))
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
    assert holds_for(lambda: not sent, seconds=1.0, pause=passing_time(page)), sent


def test_the_slider_keeps_its_place_when_colours_change(page: Page, server: str, finished: str):
    # All in view: a list that is open closes when the page scrolls.
    page.set_viewport_size({"width": 1440, "height": 1500})
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    settled(page)
    page.locator(SLIDER).fill("2")
    page.get_by_role("combobox", name="Colour by").click()
    page.get_by_role("option", name="Right or wrong").click()
    expect(page.get_by_text("wrong", exact=True).first).to_be_visible()
    settled(page)
    assert page.locator(SLIDER).input_value() == "2"
    fills = page.evaluate(
        """() => [...new Set([...document.querySelectorAll('g.mark-symbol path')]
            .filter(p => p.getAttribute('aria-roledescription') === 'circle')
            .map(p => p.getAttribute('fill').toUpperCase()))]"""
    )
    assert set(fills) <= {"#9AA0A6", "#C2185B"}


def test_hovering_a_point_shows_its_text_as_text(page: Page, server: str, finished: str):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    settled(page)
    x, y = point_places(page)[0]
    page.mouse.move(x, y)
    tooltip = page.locator("#vg-tooltip-element")
    expect(tooltip).to_be_visible()
    for word in ("Text", "Label", "Predicted", "Confidence"):
        expect(tooltip).to_contain_text(word)


def test_tsne_is_drawn_off_the_page_and_shown(page: Page, server: str, finished: str):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    page.get_by_text("t-SNE", exact=True).click()
    expect(page.get_by_text("Drawing t-SNE maps")).to_be_hidden(timeout=120_000)
    expect(page.locator(SLIDER)).to_be_visible()
    expect(page.get_by_text(re.compile(r"^Train \(n = 96\), .*t-SNE$"))).to_be_visible()
    settled(page)
    expect_halves(page, (4 * 96, 4 * 24))


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


def test_the_sentence_holds_the_stored_numbers_and_a_click_on_a_cell_moves_the_maps(
    page: Page, server: str, finished: str, runs_root: Path
):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    open_layers(page)
    answer = separability.answer_of(runs.read(runs_root, finished))
    expect(page.get_by_text(separability.answer_sentences(answer)[0])).to_be_visible()
    page.mouse.click(*cell(page, layer=2, snapshot=3))
    heading = page.get_by_text(re.compile(r"^Train \(n = 96\)"))
    expect(heading).to_have_text("Train (n = 96), epoch 3 · PCA")
    expect(page.get_by_text(re.compile(r"^Layer 2  ·  F1 [01]\.\d\d"))).to_have_count(2)
    assert page.locator(SLIDER).input_value() == "3"
    expect_halves(page, (96, 24))  # one layer, large


def test_layers_are_mixed_on_the_page(page: Page, server: str, finished: str):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    open_layers(page)
    page.get_by_role("tab", name="Mix layers").click()
    expect(page.get_by_text("Layers 1–4 concatenated")).to_be_visible()
    page.get_by_role("button", name="Search for the best mix").click()
    expect(page.get_by_text(re.compile("Search(, which never looked at val)?:"))).to_be_visible(
        timeout=60_000
    )


def test_reload_and_a_second_browser_find_the_running_job_and_cancel_keeps_maps(
    page: Page, browser: Browser, server: str, runs_root: Path
):
    settled(page)
    choose_smallest_encoder(page)
    set_number(page, "Epochs", 100)
    fine_tune(page)
    expect(page.locator(SLIDER)).to_be_visible()
    page.reload()
    expect(page.get_by_role("button", name="Cancel")).to_be_visible()
    expect(page.get_by_text(re.compile(r"Step \d+ / 2,400"))).to_be_visible()

    other = browser.new_context().new_page()
    other.goto(server)  # no permalink
    expect(other.get_by_role("button", name="Cancel")).to_be_visible(timeout=60_000)
    other.context.close()

    open_layers(page)  # in the middle of training, with the snapshots there are
    # Two at least: with one there is nothing to slide over, and so no slider.
    several = re.compile(r"So far ([2-9]|\d\d+) of 101 snapshots")
    expect(page.get_by_text(several)).to_be_visible(timeout=90_000)
    page.get_by_role("button", name="Cancel").click()
    expect(status(page, "Cancelled")).to_be_visible(timeout=60_000)
    page.get_by_role("tab", name="Maps").click()
    expect(page.locator(SLIDER)).to_be_visible()
    run = next(run for run in runs.list_runs(runs_root) if run.config.epochs == 100)
    assert run.status == "cancelled"
    assert len(run.snapshots) >= 1


def test_new_snapshots_do_not_move_the_slider(page: Page, runs_root: Path):
    upload(page, as_csv(toy_rows(150)))
    choose_smallest_encoder(page)
    set_number(page, "Epochs", 9)
    fine_tune(page)
    slider = page.locator(SLIDER)
    expect(slider).to_be_visible()
    slider.fill("1")
    expect(status(page, "Done")).to_be_visible(timeout=180_000)
    settled(page)
    assert slider.input_value() == "1"
    expect(page.get_by_text(re.compile(r"^Train \(n = 120\)"))).to_have_text(
        "Train (n = 120), epoch 1 · PCA"
    )


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


# --- selecting examples ---------------------------------------------------------------------


def bright(page: Page, chart: str) -> dict[str, set[str]]:
    """Return the texts of the points that are not grey, for each layer or map of a chart."""
    marks = page.evaluate(
        """key => [...document.querySelectorAll(`.st-key-${key} g.mark-symbol path`)]
            .filter(path => (path.getAttribute('fill') || '').toUpperCase() !== '#C2C6CB')
            .map(path => path.getAttribute('aria-label') || '')""",
        chart,
    )
    texts: dict[str, set[str]] = {}
    for mark in marks:
        if described := re.search(r"Text: (.*); Label: .*; (?:Layer|Map): (.*)$", mark):
            texts.setdefault(described[2], set()).add(described[1])
    return texts


def expect_bright(page: Page, texts: set[str], n_layers: int) -> None:
    """Wait until exactly these texts are highlighted in so many layers."""

    def are_bright() -> bool:
        found = list(bright(page, "maps").values())
        return found == [texts] * n_layers

    wait_until(
        are_bright,
        seconds=30,
        why=lambda: (texts, bright(page, "maps")),
        pause=passing_time(page),
    )


def drag_over_first_map(page: Page, chart: str, width: float, height: float) -> None:
    """Draw a box in a chart's first map, from its upper left corner, so many pixels large."""
    drawing = box_of(page.locator(f".st-key-{chart} svg.marks"))
    left, top = drawing["x"] + 15, drawing["y"] + 50
    page.mouse.move(left, top)
    page.mouse.down()
    page.mouse.move(left + width, top + height, steps=6)
    page.mouse.up()


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
    drag_over_first_map(page, "maps", 150, 150)
    told = page.get_by_text(re.compile(r"^\d+ examples? selected"))
    expect(told).to_be_visible()
    settled(page)
    selected = int(told.inner_text().split()[0])
    assert 1 < selected < 96
    first = bright(page, "maps")["1"]
    assert len(first) <= selected  # two examples may have one text
    expect_bright(page, first, n_layers=4)
    assert slider.input_value() == "3"  # the selection left the slider where it was
    run = runs.read(runs_root, finished)
    known = runs.read_examples(run.path)
    assert known["text"].isin(first).sum() >= selected

    slider.fill("0")  # and the slider leaves the selection
    expect_bright(page, first, n_layers=4)
    expect(told).to_have_text(re.compile(f"^{selected} example"))
    expect_halves(page, (4 * 96, 4 * 24))  # the others are grey, not gone

    x, y = point_places(page)[-1]  # of val
    page.mouse.click(x, y)
    expect(told).to_have_text(re.compile("^1 example selected"))
    only = bright(page, "maps")
    expect_bright(page, next(iter(only.values())), n_layers=4)
    expect(page.get_by_text("Show their paths through the epochs")).to_be_visible()
    slider.fill("5")
    lines = page.locator(".st-key-maps g.mark-line path[d*=L]")
    expect(lines).to_have_count(4)  # its path through each layer

    page.get_by_placeholder("Find text or id").fill(known["id"].iloc[7])
    page.keyboard.press("Enter")
    expect(page.get_by_text("by the search for")).to_be_visible()
    expect_bright(page, {known["text"].iloc[7]}, n_layers=4)
    page.get_by_role("button", name="Clear").click()
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
    expect(page.get_by_text(re.compile(rf"^{hardest} \(row"))).to_be_visible()
    settled(page)
    page.get_by_text("Its tokens through the layers").click()
    expect(page.get_by_text("The line follows the text.")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Show in the Maps tab").click()
    expect(page.get_by_text("1 example selected")).to_be_visible()


# --- exports --------------------------------------------------------------------------------


def downloaded(page: Page, button: Locator) -> bytes:
    """Click a button and return the file that it gives."""
    with page.expect_download(timeout=120_000) as given:
        button.click()
    return Path(given.value.path()).read_bytes()


def test_the_export_tab_gives_an_animation_pictures_and_a_run_that_opens_elsewhere(
    page: Page, server: str, finished: str, runs_root: Path, tmp_path: Path
):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    page.get_by_role("tab", name="Export").click()
    settled(page)
    page.get_by_role("button", name="Make the animation").click()
    gif = downloaded(page, page.locator(".st-key-take-gif button").first)
    frames = list(ImageSequence.Iterator(Image.open(io.BytesIO(gif))))
    assert len(frames) == 7 + 6 * 8  # snapshots, and eight frames between two of them
    png = downloaded(page, page.get_by_role("button", name="PNG"))
    assert Image.open(io.BytesIO(png)).size[0] > 2000
    for name in (run_id := finished, "fingerprint"):
        expect(page.get_by_text(name).first).to_be_visible()
    zipped = downloaded(page, page.get_by_role("button", name="Whole run"))
    opened = unzip_run(io.BytesIO(zipped), tmp_path)
    assert opened.run_id == run_id
    here = runs.read(runs_root, finished)
    assert separability.answer_of(opened) == separability.answer_of(here)


def test_every_chart_can_be_saved(page: Page, server: str, finished: str):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    open_layers(page)
    page.get_by_role("button", name="Save").first.click()
    png = downloaded(page, page.get_by_role("button", name="PNG", exact=True))
    assert Image.open(io.BytesIO(png)).format == "PNG"
    spec = json.loads(downloaded(page, page.get_by_role("button", name="Vega-Lite", exact=True)))
    assert "vega-lite" in spec["$schema"]
    svg = downloaded(page, page.get_by_role("button", name="SVG", exact=True))
    assert b"Linear probe, macro-F1" in svg
    csv = downloaded(page, page.get_by_role("button", name="CSV", exact=True))
    assert csv.startswith(b"snapshot,pooling,layer,measure,split,value,low,high")


def test_a_zip_that_is_no_run_is_refused_in_place(page: Page, runs_root: Path):
    settled(page)
    before = {path.name for path in runs_root.iterdir()}
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("../run.json", "{}")
    page.get_by_role("button", name="Open a zipped run").click()
    page.locator(".st-key-run_zip [data-testid=stFileUploaderDropzoneInput]").set_input_files(
        {"name": "run.zip", "mimeType": "application/zip", "buffer": content.getvalue()}
    )
    expect(page.get_by_text("unsafe name")).to_be_visible()
    assert {path.name for path in runs_root.iterdir()} == before


# --- several encoders -----------------------------------------------------------------------


def test_encoders_are_compared_one_is_cancelled_and_a_selection_marks_the_same_everywhere(
    page: Page, browser: Browser, server: str, runs_root: Path
):
    upload(page, as_csv(toy_rows(150)), "versus.csv")
    set_number(page, "Epochs", 2)
    page.get_by_role("button", name="Compare 3 encoders").first.click()
    expect(page.get_by_text("0 of 3 runs done")).to_be_visible()
    page.wait_for_url(re.compile(r"\?compare="))
    made = {run.config.encoder: run for run in runs.list_runs(runs_root)
            if run.dataset["name"] == "versus"}  # fmt: skip
    assert set(made) == {"bert-mini", "roberta-mini", "distilbert-mini"}

    second = made["roberta-mini"].run_id
    # It is in the middle of its work then.
    wait_until(
        lambda: runs.read(runs_root, second).snapshots, seconds=180, pause=passing_time(page)
    )
    page.locator(f".st-key-cancel-{second} button").first.click()
    expect(page.get_by_text("2 of 3 runs done")).to_be_visible(timeout=180_000)
    expect(page.get_by_text(re.compile(r"Cancelled with [12] snapshots?\."))).to_be_visible()
    assert runs.read(runs_root, second).status == "cancelled"

    page.reload()
    expect(page.get_by_text("2 of 3 runs done")).to_be_visible()
    link = page.url
    other = browser.new_context(viewport={"width": 1440, "height": 1400}).new_page()
    other.goto(link)
    settled(other)
    order = [made[name].run_id for name in ("bert-mini", "roberta-mini", "distilbert-mini")]
    contenders = comparison.contenders_of([runs.read(runs_root, run_id) for run_id in order])
    lead = comparison.comparison_lead(comparison.compare_contenders(contenders))[0]
    expect(other.get_by_text(lead)).to_be_visible()

    other.get_by_text("Each at its best epoch", exact=True).click()  # off: the slider instead
    settled(other)
    slider = other.locator(SLIDER)
    expect(slider).to_be_visible()
    slider.fill("1")
    assert len(bright(other, "compare_maps")) == 3
    drag_over_first_map(other, "compare_maps", 170, 200)
    told = other.get_by_text(re.compile(r"^\d+ examples? selected"))
    expect(told).to_be_visible()
    settled(other)
    selected = int(told.inner_text().split()[0])

    def are_the_same_everywhere() -> bool:
        texts = list(bright(other, "compare_maps").values())  # none while it is drawn anew
        return len(texts) == 3 and texts == [texts[0]] * 3

    wait_until(
        are_the_same_everywhere,
        seconds=30,
        why=lambda: bright(other, "compare_maps"),
        pause=passing_time(other),
    )
    assert {len(texts) for texts in bright(other, "compare_maps").values()} == {selected}
    assert 0 < selected < 150
    assert slider.input_value() == "1"  # the selection leaves the slider where it was
    other.get_by_role("button", name="Clear").click()
    expect(told).to_be_hidden()
    other.context.close()


def test_runs_on_other_data_are_not_compared(
    page: Page, server: str, finished: str, runs_root: Path
):
    upload(page, as_csv(toy_rows(60, seed=3)), "elsewhere.csv")
    choose_smallest_encoder(page)
    set_number(page, "Epochs", 1)
    fine_tune(page)
    expect(status(page, "Done")).to_be_visible(timeout=120_000)
    other = next(run for run in runs.list_runs(runs_root) if run.dataset["name"] == "elsewhere")
    page.goto(f"{server}/?compare={finished},{other.run_id}")
    expect(page.get_by_text("their scores cannot be compared")).to_be_visible()
