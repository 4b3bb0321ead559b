"""Heat maps: every tile in its place, seen by every eye, selected by what the page knows."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd
import pytest
from eyesight import APART, DARK, EYES, WHITE, contrast, distance, lab
from score_charts import (
    HEAT_MAPS,
    MEASURE,
    cells,
    classes,
    coloured,
    draw,
    heat_map,
    marks,
    pairs,
    titles,
    with_gap,
)
from specs import ATTACKS, check_text_is_inert, rows_of

from layerviz import charts
from layerviz.charts import heat_maps
from layerviz.charts.palette import colour_between

pytestmark = pytest.mark.fast


def test_the_deepest_layer_is_on_top_and_time_runs_to_the_right() -> None:
    shuffled = cells(13, 5).sample(frac=1, random_state=0)
    encoding = coloured(heat_map(shuffled))["encoding"]
    assert encoding["y"]["scale"]["domain"] == list(range(12, -1, -1))
    assert encoding["x"]["scale"]["domain"] == [0, 1, 2, 3, 4]
    assert "embedding" in encoding["y"]["title"]


def test_thirteen_layers_fit_on_a_page() -> None:
    assert heat_map(cells(13))["height"] == 13 * 26
    assert draw("classes")["height"] == 2 * 26


@pytest.mark.parametrize(
    ("name", "selected", "fields"),
    [("heat", "cell", ["layer", "snapshot"]), ("classes", "class_tile", ["label", "layer"])],
)
def test_a_click_on_a_cell_selects_it_by_what_the_page_knows(
    name: str, selected: str, fields: list[str]
) -> None:
    drawn = draw(name)
    (param,) = drawn["params"]
    assert param["name"] == selected
    assert param["select"]["type"] == "point"
    assert param["select"]["fields"] == fields  # without them Streamlit gets Vega's internal ids
    assert "value" not in param  # ignored with on_select
    assert param["views"] == [coloured(drawn)["name"]]
    # Numbers and outlines lie over the cells: a click on them must know its cell too.
    assert all("data" not in layer for layer in drawn["layer"])
    assert set(fields) <= set(rows_of(drawn))


def test_the_selected_cell_is_told_from_the_best_and_no_cell_is_selected_at_first() -> None:
    outlines = [layer for layer in heat_map(cells())["layer"] if "strokeDash" in layer["mark"]]
    looks: dict[str, set[str]] = {"best": set(), "selected": set()}
    for layer in outlines:
        (step,) = layer["transform"]
        chosen = isinstance(step["filter"], dict)
        looks["selected" if chosen else "best"].add(str(layer["mark"]["strokeDash"]))
        assert step["filter"] == ({"param": "cell", "empty": False} if chosen else "datum.best")
        assert layer["mark"]["fillOpacity"] == 0
    assert looks["best"] == {"[1, 0]"}
    assert "[5, 3]" in looks["selected"]


@pytest.mark.parametrize(("dark", "background"), [(False, WHITE), (True, DARK)])
def test_outlines_are_seen_on_every_colour(dark: bool, background: str) -> None:
    drawn = heat_map(cells(), dark=dark)
    strokes = {m["mark"]["stroke"] for m in drawn["layer"] if "strokeDash" in m["mark"]}
    assert background in strokes
    for colour in coloured(drawn)["encoding"]["color"]["scale"]["range"]:
        assert max(contrast(colour, stroke) for stroke in strokes) > 4


def test_a_similarity_has_nothing_to_select() -> None:
    drawn = draw("similarity")
    assert "params" not in drawn
    encoding = coloured(drawn)["encoding"]
    assert encoding["x"]["scale"]["domain"] == [0, 1, 2, 3]
    assert encoding["y"]["scale"]["domain"] == [3, 2, 1, 0]
    assert (encoding["x"]["title"], encoding["y"]["title"]) == (
        "Layer, epoch 3",
        "Layer, before training",
    )
    same = charts.similarity_heat_map(pairs(), title_x="Layer", title_y="Layer").to_dict()
    assert len(set(titles(coloured(same)))) == 3  # of equal titles Vega shows one


@pytest.mark.parametrize("name", HEAT_MAPS)
def test_a_cell_without_a_value_is_grey_and_has_no_number(name: str) -> None:
    drawn = draw(name, with_gap)
    assert list(rows_of(drawn)["number"] == "").count(True) == 1
    grey = [m for m in marks(drawn, "rect") if m["mark"].get("color") == charts.OTHER_COLOUR]
    assert len(grey) == 1
    assert grey[0]["transform"] == [{"filter": "!isValid(datum.value)"}]
    assert titles(grey[0]) == titles(coloured(drawn))


@pytest.mark.parametrize(
    ("value", "number", "in_tooltip"),
    [
        (0.7834, ".78", "0.783"),
        (1.0, "1.00", "1.000"),
        (0.0, ".00", "0.000"),
        (-0.05, "−.05", "−0.050"),
        (-0.001, ".00", "−0.001"),
        (0.999, "1.00", "0.999"),
        (10.04, "10.0", "10.04"),
        (250.4, "250", "250.4"),
        (-1.5, "−1.50", "−1.500"),
    ],
)
def test_values_are_written_for_people(value: float, number: str, in_tooltip: str) -> None:
    row = rows_of(heat_map(cells().assign(value=value))).iloc[0]
    assert (row["number"], row["value_text"]) == (number, in_tooltip)


@pytest.mark.parametrize(("value", "number"), [(0.05, "+.05"), (-0.05, "−.05"), (0.001, ".00")])
def test_changes_have_a_sign(value: float, number: str) -> None:
    drawn = heat_map(cells().assign(value=value), diverging=True)
    assert rows_of(drawn)["number"][0] == number


@pytest.mark.parametrize(("n_snapshots", "written"), [(25, True), (26, False)])
def test_numbers_are_written_while_they_can_be_read(n_snapshots: int, written: bool) -> None:
    numbers = rows_of(heat_map(cells(2, n_snapshots)))["number"]
    assert (numbers != "").all() == written
    assert (numbers != "").any() == written


def test_tooltips_say_layer_moment_value_interval_and_size() -> None:
    drawn = heat_map(cells())
    for layer in drawn["layer"]:  # whichever mark of a cell the pointer hits
        assert titles(layer) == ["Layer", "When", MEASURE, "Interval", "Examples"]
    row = rows_of(drawn).iloc[0]
    assert row["when"] == "before training"
    assert row["interval"] == "0.450 to 0.550"


def test_snapshots_are_labelled_by_their_epoch() -> None:
    def axis(n_snapshots: int, per_epoch: int) -> tuple[list[int], list[str]]:
        axis = coloured(heat_map(cells(2, n_snapshots, per_epoch)))["encoding"]["x"]["axis"]
        return axis["values"], re.findall(r': "(.*?)"', axis["labelExpr"])

    assert axis(4, 2) == ([0, 1, 2, 3], ["0", "0.5", "1", "1.5"])
    assert axis(41, 10)[0] == [0, 10, 20, 30, 40]  # of many, the whole epochs
    assert axis(20, 100)[0] == list(range(20))  # no whole epoch but the first


def test_colours_span_the_values_or_what_is_asked_for() -> None:
    def scale(frame: pd.DataFrame, **options: Any) -> dict[str, Any]:
        return coloured(heat_map(frame, **options))["encoding"]["color"]["scale"]

    frame = cells()
    assert scale(frame)["domain"] == [frame["value"].min(), frame["value"].max()]
    assert scale(with_gap(frame))["domain"][1] == frame["value"].max()
    given = scale(frame, domain=(0.0, 0.51))
    assert given["domain"] == [0, 0.51]
    assert given["clamp"]  # values beyond have the colour of the end
    low, high = scale(frame.assign(value=0.7))["domain"]
    assert low < 0.7 < high
    for options in ({}, {"domain": (-0.2, 0.1)}):
        low, high = scale(frame.assign(value=-0.2), diverging=True, **options)["domain"]
        assert (low, high) == (-0.2, 0.2)  # as far on both sides, whatever is asked for
    assert scale(frame.assign(value=0.0), diverging=True)["domain"] == [-1, 1]


@pytest.mark.parametrize("name", ["similarity", "classes"])
def test_shares_are_coloured_on_the_whole_scale(name: str) -> None:
    assert coloured(draw(name))["encoding"]["color"]["scale"]["domain"] == [0, 1]


def test_titles_give_the_sizes() -> None:
    def title(drawn: dict[str, Any]) -> str:
        return coloured(drawn)["encoding"]["color"]["title"]

    assert title(heat_map(cells())) == f"{MEASURE} (n = 500)"
    assert title(draw("classes")).endswith("(n = 10 to 11 per class)")


def test_classes_keep_their_order() -> None:
    encoding = coloured(draw("classes"))["encoding"]
    assert encoding["y"]["scale"]["domain"] == ["sad", "calm"]
    assert encoding["x"]["scale"]["domain"] == [0, 1, 2, 3]


def test_names_of_classes_are_data() -> None:
    check_text_is_inert(charts.class_heat_map(classes(ATTACKS)).to_dict())


# --- colours --------------------------------------------------------------------------------


def steps(ramp: tuple[str, ...]) -> list[str]:
    return [colour_between(ramp, position) for position in np.linspace(0, 1, 101)]


@pytest.mark.parametrize("eye", EYES)
def test_a_higher_value_is_lighter_for_every_eye(eye: str) -> None:
    lightness = [lab(colour, eye)[0] for colour in steps(heat_maps.VALUE_RAMP)]
    assert (np.diff(lightness) > 0).all()
    assert lightness[-1] - lightness[0] > 60


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("ramp", [heat_maps.CHANGE_RAMP, heat_maps.CHANGE_RAMP_DARK])
def test_a_gain_is_told_from_a_loss_by_every_eye(ramp: tuple[str, ...], eye: str) -> None:
    for place in range(3):
        assert distance(ramp[place], ramp[-1 - place], eye) > APART


RAMPS = (heat_maps.VALUE_RAMP, heat_maps.CHANGE_RAMP, heat_maps.CHANGE_RAMP_DARK)


@pytest.mark.parametrize("ramp", RAMPS)
def test_numbers_are_legible_on_every_colour(ramp: tuple[str, ...]) -> None:
    """By the rule that the chart gives Vega."""
    for name in HEAT_MAPS:
        (text,) = marks(draw(name), "text")
        assert text["mark"]["color"] == {"expr": heat_maps.INK}
    rule = re.fullmatch(r"luminance\(.*\) > ([.\d]+) \? '(.*)' : '(.*)'", heat_maps.INK)
    assert rule
    for colour in steps(ramp):
        luminance = contrast(colour, "#000000") * 0.05 - 0.05
        ink = rule[2] if luminance > float(rule[1]) else rule[3]
        assert contrast(colour, ink) > 4.5


def test_a_cell_without_a_value_is_told_from_no_change() -> None:
    for dark, ramp in ((False, heat_maps.CHANGE_RAMP), (True, heat_maps.CHANGE_RAMP_DARK)):
        rects = marks(draw("change", with_gap, dark), "rect")
        (grey,) = [rect["mark"]["color"] for rect in rects if "color" in rect["mark"]]
        assert all(distance(grey, ramp[len(ramp) // 2], eye) > APART for eye in EYES)
