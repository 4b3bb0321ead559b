"""The Layers and Export tabs of a run in a real browser, and what is taken away from them."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path

from driving import (
    SLIDER,
    WORK,
    cell,
    downloaded,
    expect_halves,
    open_layers,
    passing_time,
    settled,
)
from PIL import Image, ImageSequence
from playwright.sync_api import Page, expect
from waiting import wait_until

from layerviz import runs, separability
from layerviz.export.zip_reading import unzip_run
from layerviz.runs import Run


def test_the_answer_holds_the_stored_numbers_and_a_click_on_a_cell_moves_the_maps(
    page: Page, server: str, finished: str, runs_root: Path
):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    open_layers(page)
    sheet = separability.sheet_of(runs.read(runs_root, finished))
    for line in separability.card_lines(sheet):
        expect(page.locator(".st-key-answer_card")).to_contain_text(line.value)
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
        timeout=WORK
    )


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


TILES = """chart => [...chart.querySelectorAll(
        'g.mark-rect path[aria-roledescription="rect mark"]')]
    .map(path => { const box = path.getBoundingClientRect(), tile = path.__data__.datum;
                   return [tile.label, tile.predicted, tile.n,
                           box.x + box.width / 2, box.y + box.height / 2]; })
    .filter(([label, predicted, n]) => n > 0)"""


def pairs_in_val(run: Run, snapshot: int) -> dict[tuple[str, str], int]:
    """Return how many val examples of each label are predicted as each class in a snapshot."""
    examples = runs.read_examples(run.path)
    predicted = runs.read_predictions(run.path, snapshot)["predicted"]
    is_val = (examples["split"] == "val").to_numpy()
    pairs = zip(examples["label"][is_val], predicted[is_val], strict=True)
    return dict(Counter((run.label_names[one], run.label_names[other]) for one, other in pairs))


def test_a_tile_of_the_confusion_matrix_selects_its_examples_in_the_maps(
    page: Page, server: str, finished: str, runs_root: Path
):
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    page.get_by_role("tab", name="Training", exact=True).click()
    settled(page)
    run = runs.read(runs_root, finished)
    first = runs.model_snapshot(run)  # where the slider stands: the epoch whose weights are kept
    key, other = ("ArrowLeft", first - 1) if first else ("ArrowRight", first + 1)
    slider = page.get_by_role("slider", name="Epoch")

    def moved() -> bool:
        if slider.input_value() == str(first):  # a key pressed while the tab is drawn is lost
            slider.press(key)
        return slider.input_value() == str(other)

    wait_until(moved, pause=passing_time(page))
    settled(page)
    matrix = page.locator("[data-testid=stVegaLiteChart]:has(g.mark-rect)").first
    matrix.scroll_into_view_if_needed()
    expected = pairs_in_val(run, other)
    wait_until(
        lambda: {(tile[0], tile[1]): tile[2] for tile in matrix.evaluate(TILES)} == expected,
        why=lambda: (expected, matrix.evaluate(TILES)),
        pause=passing_time(page),
    )
    label, predicted, n, x, y = matrix.evaluate(TILES)[0]
    page.mouse.click(x, y)
    listed = page.get_by_text(f"of {label} predicted as {predicted}, epoch ")
    expect(listed).to_contain_text(f"{n} val example")
    page.get_by_role("button", name="Show in the maps").click()
    chosen = page.get_by_text(f"in the confusion matrix: {label} predicted as {predicted}, val")
    expect(chosen).to_contain_text(f"{n} example")
    page.get_by_role("tab", name="Training", exact=True).click()
    settled(page)
    expect(listed).to_contain_text(f"{n} val example")  # the slider has kept its place
