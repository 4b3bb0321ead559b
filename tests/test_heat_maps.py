"""Heat maps: every tile in its place, seen by every eye, selected by what the page knows."""

from __future__ import annotations

import dataclasses
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

from layerviz import charts, views
from layerviz.charts import heat_maps
from layerviz.charts.palette import colour_between
from layerviz.separability import MEASURES, Answer, Cell, macro_f1

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


def outlines_of(drawn: dict[str, Any], step: Any) -> list[dict[str, Any]]:
    return [one for one in marks(drawn, "rect") if one.get("transform") == [{"filter": step}]]


def test_the_best_cell_is_told_from_those_as_good_and_from_the_selected_one() -> None:
    drawn = heat_map(cells())
    under, over = outlines_of(drawn, "datum.standing")
    width = over["encoding"]["strokeWidth"]
    assert width["scale"]["domain"] == [charts.RECOMMENDED_TILE, charts.TIED_TILE]
    thick, thin = width["scale"]["range"]
    assert thick > 2 * thin
    assert width["legend"]["symbolType"] == "square"  # it says in the picture what outlines mean
    rows = rows_of(drawn)
    assert (rows["standing"] == charts.RECOMMENDED_TILE).sum() == 1
    selected = outlines_of(drawn, {"param": "cell", "empty": False})
    assert [one["mark"].get("strokeDash") for one in selected] == [None, [5, 3]]
    for one in (under, over, *selected):
        assert one["mark"]["fillOpacity"] == 0


def test_without_a_standing_there_is_neither_outline_nor_legend() -> None:
    drawn = heat_map(cells().assign(standing=""))
    assert not outlines_of(drawn, "datum.standing")
    assert not any("strokeWidth" in layer["encoding"] for layer in drawn["layer"])


@pytest.mark.parametrize(("dark", "background"), [(False, WHITE), (True, DARK)])
def test_outlines_are_seen_on_every_colour(dark: bool, background: str) -> None:
    drawn = heat_map(cells(), dark=dark)
    under, over = outlines_of(drawn, "datum.standing")
    strokes = {under["mark"]["stroke"], over["mark"]["stroke"]}
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
    def title(drawn: dict[str, Any]) -> Any:
        return coloured(drawn)["encoding"]["color"]["title"]

    assert title(heat_map(cells())) == f"{MEASURE} (n = 500)"
    start = "colours start at chance, 0.25"
    assert title(heat_map(cells(), start=start)) == [f"{MEASURE} (n = 500)", start]
    assert title(draw("classes")).endswith("(n = 10 to 11 per class)")


def test_classes_keep_their_order() -> None:
    encoding = coloured(draw("classes"))["encoding"]
    assert encoding["y"]["scale"]["domain"] == ["sad", "calm"]
    assert encoding["x"]["scale"]["domain"] == [0, 1, 2, 3]


def test_names_of_classes_are_data() -> None:
    check_text_is_inert(charts.class_heat_map(classes(ATTACKS)).to_dict())


# --- where colours start, and what is outlined ------------------------------------------------


def examples_of(counts: dict[int, int], split: str = "val") -> pd.DataFrame:
    labels = np.repeat(list(counts), list(counts.values()))
    return pd.DataFrame({"split": split, "label": labels})


@pytest.mark.parametrize(
    ("measure", "chance"),
    [("probe_macro_f1", 1 / 3), ("probe_accuracy", 0.6), ("probe_auc", 0.5), ("silhouette", 0.0)],
)
def test_colours_start_at_chance_and_say_so(measure: str, chance: float) -> None:
    frame = cells().assign(value=np.linspace(0.65, 0.7, 12))
    examples = examples_of({0: 60, 1: 30, 2: 10})
    scale = views.colour_scale(MEASURES[measure], frame, examples, "val")
    assert scale is not None
    assert scale.ends == (pytest.approx(chance), pytest.approx(0.7))
    assert scale.start == f"colours start at chance, {chance:.2f}"


def test_whoever_guesses_by_frequency_scores_chance() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [6000, 3000, 1000])
    guesses = rng.permutation(labels)
    chance = MEASURES["probe_macro_f1"].chance
    assert chance is not None
    assert macro_f1(labels, guesses[None])[0] == pytest.approx(chance(labels), abs=0.01)


def test_without_chance_colours_start_at_the_embedding_output_or_at_the_least_value() -> None:
    examples = examples_of({0: 10, 1: 10})
    frame = cells().assign(value=np.linspace(2, 3, 12))
    fisher = views.colour_scale(MEASURES["fisher_ratio"], frame, examples, "val")
    assert fisher == views.ColourScale(
        (2.0, 3.0), "colours start at the embedding output before training, 2.00"
    )
    index = views.colour_scale(MEASURES["davies_bouldin"], frame, examples, "val")
    assert index is not None
    assert index.ends == (frame["value"][frame["layer"] > 0].min(), 3.0)
    assert "least value" in index.start
    worse = frame.assign(value=0.1)  # nothing is better than chance
    low = views.colour_scale(MEASURES["probe_macro_f1"], worse, examples, "val")
    assert low is not None
    assert low.ends == (0.1, 0.1)
    unmeasured = frame.assign(value=np.nan)
    assert views.colour_scale(MEASURES["fisher_ratio"], unmeasured, examples, "val") is None


def answer_with(best: Cell, ties: tuple[Cell, ...], verdict: str = "found") -> Answer:
    values = dict.fromkeys((field.name for field in dataclasses.fields(Answer)), None)
    return Answer(**values | {"best": best, "ties": ties, "verdict": verdict})  # type: ignore[arg-type]


def test_the_recommended_cell_and_those_that_may_be_as_good_are_outlined() -> None:
    best, tied, elsewhere = Cell(2, 2.0, "mean", 3), Cell(1, 1.0, "mean", 2), Cell(1, 1.0, "cls", 1)
    answer = answer_with(best, (tied, elsewhere))
    frame = views.with_standings(cells(), answer, "mean").set_index(["layer", "snapshot"])
    standings = frame["standing"][frame["standing"] != ""].to_dict()
    assert standings == {(3, 2): charts.RECOMMENDED_TILE, (2, 1): charts.TIED_TILE}
    assert views.standings_note(answer, "mean") == (
        "Thick outline: the recommended cell. Thin outlines: 1 cell that may be as good (95 %)."
    )
    assert "under mean pooling" in views.standings_note(answer, "cls")
    for nothing in (None, answer_with(best, (tied,), "few")):
        assert not views.with_standings(cells(), nothing, "mean")["standing"].any()


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
