"""What the mouse does in the maps: zoom, pan, isolate, enlarge, play; read from their marks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from driving import (
    SLIDER,
    box_of,
    drawn,
    expect_halves,
    passing_time,
    point_marks,
    settled,
)
from playwright.sync_api import Page, expect
from waiting import wait_until


@pytest.fixture
def maps(page: Page, server: str, finished: str) -> Page:
    """The page of a run with four layers and seven snapshots, its maps drawn."""
    page.set_viewport_size({"width": 1440, "height": 1500})
    page.goto(f"{server}/?run={finished}")
    expect(page.locator(SLIDER)).to_be_visible()
    settled(page)
    expect_halves(page, (4 * 96, 4 * 24))
    return page


def distance(one: dict[str, Any], other: dict[str, Any]) -> float:
    return float(((one["x"] - other["x"]) ** 2 + (one["y"] - other["y"]) ** 2) ** 0.5)


def far_apart(page: Page, panel: int) -> tuple[int, int]:
    """Return the positions among the marks of two points of a panel that both stay in sight."""
    marks = [(at, mark) for at, mark in enumerate(point_marks(page)) if mark["panel"] == panel]
    train = marks[:96]
    middle_x = sum(mark["x"] for _, mark in train) / len(train)
    middle_y = sum(mark["y"] for _, mark in train) / len(train)
    middle = {"x": middle_x, "y": middle_y}
    near = sorted(train, key=lambda pair: distance(pair[1], middle))
    return near[0][0], near[5][0]


def test_the_wheel_zooms_every_map_and_a_double_click_resets(maps: Page):
    before = point_marks(maps)
    one, other = far_apart(maps, panel=1)
    maps.mouse.move(before[one]["x"], before[one]["y"])
    maps.mouse.wheel(0, -200)
    drawn(maps)
    after = point_marks(maps)
    factor = distance(after[one], after[other]) / distance(before[one], before[other])
    assert factor > 1.3
    # What is under the mouse stays where it is.
    assert distance(before[one], after[one]) < 3
    # In another layer's map distances grew as much.
    shown = [at for at, mark in enumerate(after) if mark["panel"] == 3 and mark["opacity"] > 0]
    first, second = shown[0], shown[-1]
    if first < 96 * 4 <= second:  # of train and of val: in two maps
        second = next(at for at in reversed(shown) if (at < 384) == (first < 384))
    ratio = distance(after[first], after[second]) / distance(before[first], before[second])
    assert ratio == pytest.approx(factor, rel=0.05)
    assert any(mark["opacity"] == 0 for mark in after)  # beyond the edge of its map
    maps.mouse.dblclick(before[one]["x"] + 1, before[one]["y"] + 40)
    drawn(maps)
    assert all(distance(a, b) < 1 for a, b in zip(before, point_marks(maps), strict=True))
    expect(maps.get_by_role("button", name="Reset the zoom")).to_be_disabled()


def test_where_nothing_is_enlarged_the_wheel_scrolls_the_page(maps: Page):
    maps.set_viewport_size({"width": 1440, "height": 700})
    drawn(maps)
    mark = point_marks(maps)[0]
    maps.mouse.move(mark["x"], mark["y"])
    top = box_of(maps.locator(".maps .stage"))["y"]
    maps.mouse.wheel(0, 240)
    wait_until(
        lambda: box_of(maps.locator(".maps .stage"))["y"] < top - 50, pause=passing_time(maps)
    )


def test_a_drag_moves_what_is_enlarged_while_moving_is_chosen(maps: Page):
    marks = point_marks(maps)
    one, _ = far_apart(maps, panel=1)
    maps.mouse.move(marks[one]["x"], marks[one]["y"])
    maps.mouse.wheel(0, -300)
    drawn(maps)
    before = point_marks(maps)
    maps.get_by_role("button", name="Drag moves the maps").click()
    x, y = before[one]["x"] + 12, before[one]["y"] + 12
    maps.mouse.move(x, y)
    maps.mouse.down()
    maps.mouse.move(x + 20, y + 8, steps=4)
    maps.mouse.up()
    drawn(maps)
    after = point_marks(maps)
    assert after[one]["x"] - before[one]["x"] == pytest.approx(20, abs=2)
    assert after[one]["y"] - before[one]["y"] == pytest.approx(8, abs=2)
    expect(maps.locator(".maps .picked")).to_be_empty()  # a drag selects nothing then


def test_two_fingers_zoom(maps: Page):
    before = point_marks(maps)
    one, _ = far_apart(maps, panel=1)
    x, y = before[one]["x"], before[one]["y"]
    client = maps.context.new_cdp_session(maps)

    def touch(kind: str, apart: float) -> None:
        points = [{"x": x - apart, "y": y, "id": 1}, {"x": x + apart, "y": y, "id": 2}]
        if kind == "touchEnd":
            points = []
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    touch("touchStart", 15)
    for apart in (20, 25, 30):
        touch("touchMove", apart)
    touch("touchEnd", 0)
    wait_until(
        lambda: maps.locator(".maps").evaluate("maps => maps.instrument.zoom.k") > 1.5,
        pause=passing_time(maps),
    )


def test_the_legend_isolates_a_class_in_all_maps(maps: Page):
    legend = maps.locator(".maps .legend")
    first = legend.get_by_role("button").first
    first.click()
    drawn(maps)
    expect(first).to_have_attribute("aria-pressed", "true")
    code = int(first.get_attribute("data-code") or -1)
    marks = point_marks(maps)
    assert {mark["opacity"] > 0.5 for mark in marks if mark["code"] == code} == {True}
    assert {mark["opacity"] > 0.1 for mark in marks if mark["code"] != code} == {False}
    assert {mark["panel"] for mark in marks} == {0, 1, 2, 3}
    first.click()
    drawn(maps)
    assert all(mark["opacity"] > 0.5 for mark in point_marks(maps))


def test_selected_points_leave_the_others_in_faint_colours_of_their_classes(maps: Page):
    before = point_marks(maps)
    maps.mouse.click(before[0]["x"], before[0]["y"])
    expect(maps.locator(".maps .picked")).to_contain_text("1 selected")
    settled(maps)
    drawn(maps)
    after = {(mark["row"], mark["panel"]): mark for mark in point_marks(maps)}
    assert sum(mark["opacity"] > 0.9 for mark in after.values()) == 4  # in each layer's map
    for mark in before:
        assert after[mark["row"], mark["panel"]]["fill"] == mark["fill"]


def test_a_title_enlarges_its_map_and_leads_back(maps: Page):
    expect(maps.get_by_role("button", name="Enlarge Layer 3 (train)")).to_be_visible()
    small = point_marks(maps)
    maps.get_by_role("button", name="Enlarge Layer 3 (train)").click()
    expect_halves(maps, (96, 24))
    settled(maps)
    large = point_marks(maps)
    of_layer = [mark for mark in small if mark["panel"] == 2]
    spread = [max(m["x"] for m in marks[:96]) - min(m["x"] for m in marks[:96])
              for marks in (of_layer, large)]  # fmt: skip
    assert spread[1] > 1.5 * spread[0]
    maps.get_by_role("button", name=re.compile("^Back to all chosen layers")).first.click()
    expect_halves(maps, (4 * 96, 4 * 24))


def test_play_goes_through_the_epochs_and_pause_stops(maps: Page):
    slider = maps.locator(SLIDER)
    maps.get_by_role("button", name="Play the epochs").click()
    expect(slider).to_have_attribute("aria-valuetext", "before training")
    expect(slider).to_have_attribute("aria-valuetext", "epoch 1")
    maps.get_by_role("button", name="Pause").click()
    stopped_at = slider.input_value()
    passing_time(maps)(1.6)
    assert slider.input_value() == stopped_at
    assert int(stopped_at) < 6


def test_the_place_of_the_slider_outlives_tabs_and_reloads(maps: Page):
    maps.locator(SLIDER).fill("2")
    maps.wait_for_url(re.compile(r"epoch=2"))
    settled(maps)
    maps.get_by_role("tab", name="Training").click()
    settled(maps)
    maps.get_by_role("tab", name="Maps").click()
    expect(maps.locator(SLIDER)).to_have_value("2")
    maps.reload()
    expect(maps.locator(SLIDER)).to_have_value("2")
    expect(maps.get_by_text("(predictions: epoch 2; hardest first)")).to_be_visible()


def test_the_points_are_there_as_a_table(maps: Page):
    maps.get_by_role("button", name="Show the points as a table").click()
    table = maps.locator(".maps .data")
    expect(table).to_contain_text("480 points, epoch 6")
    heads = table.locator("th").all_inner_texts()
    assert heads == ["example", "split", "label", "predicted", "map", "x", "y"]
    with maps.expect_download() as given:
        table.get_by_role("button", name="Download all (CSV)").click()
    lines = Path(given.value.path()).read_text("utf-8").splitlines()
    assert len(lines) == 1 + 480
    assert lines[0] == ",".join(heads)
    table.locator("tbody button").first.click()  # by keyboard, too: a point is a button
    expect(maps.locator(".maps .picked")).to_contain_text("1 selected")


def sides_in_pixels(page: Page) -> list[float]:
    """Return the side of a map as it is told, and its width and height as they are drawn."""
    return page.locator(".maps").evaluate(
        """maps => {
            const { view, width, height } = maps.instrument, layout = maps.instrument._layout();
            return [view.signal('map_side'),
                    view.signal('map_width') * width / layout.width,
                    view.signal('map_height') * height / layout.height]; }"""
    )


def spread(page: Page, axis: str) -> float:
    """Return over how many pixels the train points of the first map lie."""
    places = [mark[axis] for mark in point_marks(page)[:96]]
    return max(places) - min(places)


def test_full_screen_keeps_squares_and_the_legend(maps: Page):
    side, _, _ = sides_in_pixels(maps)
    width, height = spread(maps, "x"), spread(maps, "y")
    maps.get_by_role("button", name="Full screen").click()
    wait_until(
        lambda: maps.locator(".maps").evaluate("maps => maps.matches(':fullscreen')"),
        pause=passing_time(maps),
    )
    wait_until(lambda: sides_in_pixels(maps)[0] > 1.2 * side, pause=passing_time(maps))
    drawn(maps)
    expect(maps.locator(".maps .legend")).to_be_visible()
    expect(maps.locator(".maps .chart svg")).to_contain_text(re.compile(r"Layer 1\b.+F1.+kept"))
    large, *drawn_sides = sides_in_pixels(maps)
    assert drawn_sides == pytest.approx([large, large])
    assert spread(maps, "x") / width == pytest.approx(large / side, rel=0.05)
    assert spread(maps, "y") / height == pytest.approx(large / side, rel=0.05)
    maps.evaluate("document.exitFullscreen()")
