"""Charts of scores: every layer in its place, intervals in the frame, gaps shown as gaps."""

from __future__ import annotations

import json
import re
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from eyesight import APART, DARK, EYES, WHITE, contrast, distance, lab
from specs import ATTACKS, check_text_is_inert, rows_of

from layerviz import charts
from layerviz.charts import layer_scores as module
from layerviz.charts.palette import colour_between
from layerviz.poolings import POOLINGS
from layerviz.wording import epoch_name

pytestmark = pytest.mark.fast

MEASURE = "Linear probe, macro-F1"
SIZES = {"train": 2000, "val": 500}


# --- what the tests draw --------------------------------------------------------------------


def scores(n_layers: int = 4, n_snapshots: int = 3, per_epoch: int = 1) -> pd.DataFrame:
    """Return scores of both splits; val stands at 0.5 + layer / 100 + snapshot / 1000."""
    rows = [
        {
            "layer": layer,
            "snapshot": snapshot,
            "epoch": snapshot / per_epoch,
            "when": epoch_name(snapshot / per_epoch),
            "split": split,
            "value": 0.5 + layer / 100 + snapshot / 1000 + (split == "train") / 10,
            "n": n,
        }
        for layer in range(n_layers)
        for snapshot in range(n_snapshots)
        for split, n in SIZES.items()
    ]
    frame = pd.DataFrame(rows)
    return frame.assign(low=frame["value"] - 0.05, high=frame["value"] + 0.05)


def cells(n_layers: int = 4, n_snapshots: int = 3, per_epoch: int = 1) -> pd.DataFrame:
    frame = scores(n_layers, n_snapshots, per_epoch)
    frame = frame[frame["split"] == "val"].drop(columns="split").reset_index(drop=True)
    return frame.assign(best=frame["value"] == frame["value"].max())


def pooled() -> pd.DataFrame:
    return pd.concat([cells(n_snapshots=1).assign(pooling=p) for p in POOLINGS])


def classes(labels: tuple[str, ...] = ("sad", "calm")) -> pd.DataFrame:
    rows = [(label, layer, 0.1 * layer) for label in labels for layer in range(4)]
    return pd.DataFrame(rows, columns=["label", "layer", "value"]).assign(
        n=lambda frame: frame["label"].map({label: 10 + at for at, label in enumerate(labels)})
    )


def pairs() -> pd.DataFrame:
    rows = [(a, b, 1 / (1 + abs(a - b))) for a in range(4) for b in range(4)]
    return pd.DataFrame(rows, columns=["layer", "other", "value"])


def with_gap(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the frame with nothing measured in its first row."""
    gone = [column for column in ("value", "low", "high") if column in frame]
    frame = frame.reset_index(drop=True)
    frame.loc[0, gone] = np.nan
    return frame


def heat_map(frame: pd.DataFrame, **options: Any) -> dict[str, Any]:
    return charts.score_heat_map(frame, measure=MEASURE, **options).to_dict()


ALL_CHARTS = {
    "heat": lambda dark, change: charts.score_heat_map(change(cells()), measure=MEASURE, dark=dark),
    "change": lambda dark, change: charts.score_heat_map(
        change(cells()), measure=MEASURE, diverging=True, dark=dark
    ),
    "layers": lambda dark, change: charts.scores_over_layers(
        change(scores()), measure=MEASURE, dark=dark
    ),
    "epochs": lambda dark, change: charts.scores_over_epochs(
        change(scores()), measure=MEASURE, dark=dark
    ),
    "pooling": lambda dark, change: charts.pooling_scores(
        change(pooled()), measure=MEASURE, dark=dark
    ),
    "similarity": lambda dark, change: charts.similarity_heat_map(
        change(pairs()), title_x="Layer, epoch 3", title_y="Layer, before training", dark=dark
    ),
    "classes": lambda dark, change: charts.class_heat_map(change(classes()), dark=dark),
}
HEAT_MAPS = ("heat", "change", "similarity", "classes")


def draw(name: str, change: Any = lambda frame: frame, dark: bool = False) -> dict[str, Any]:
    """Return a specification; altair raises if it is not valid Vega-Lite."""
    chart = ALL_CHARTS[name](dark, change)
    assert isinstance(chart, alt.LayerChart)
    return chart.to_dict()


def marks(drawn: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [layer for layer in drawn["layer"] if layer["mark"]["type"] == kind]


def coloured(drawn: dict[str, Any]) -> dict[str, Any]:
    """Return the layer of a heat map that has the colours."""
    return next(layer for layer in drawn["layer"] if "color" in layer["encoding"])


def titles(layer: dict[str, Any]) -> list[str]:
    return [shown["title"] for shown in layer["encoding"]["tooltip"]]


# --- every chart ----------------------------------------------------------------------------


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("name", ALL_CHARTS)
def test_a_chart_is_as_wide_as_the_page_and_keeps_its_height(name: str, dark: bool) -> None:
    drawn = draw(name, dark=dark)
    assert drawn["width"] == "container"
    assert drawn["height"] >= 26
    assert drawn["autosize"]["type"] == "fit-x"  # "fit" takes axes and legend out of the height


@pytest.mark.parametrize("name", ALL_CHARTS)
def test_a_chart_of_nothing_measured_is_drawn(name: str) -> None:
    def nothing(frame: pd.DataFrame) -> pd.DataFrame:
        gone = [column for column in ("value", "low", "high") if column in frame]
        return frame.assign(**dict.fromkeys(gone, np.nan))

    json.dumps(draw(name, nothing), allow_nan=False)  # raises if a NaN got through
    draw(name, lambda frame: frame[:0])


@pytest.mark.parametrize("name", ALL_CHARTS)
def test_what_was_not_measured_is_said_and_never_shown_as_zero(name: str) -> None:
    drawn = draw(name, with_gap)
    first = rows_of(drawn).iloc[0]
    assert first["value_text"] == "not measured"
    assert first.get("interval", "none") == "none"
    shown = [layer for layer in drawn["layer"] if "tooltip" in layer["encoding"]]
    fields = {item["field"] for layer in shown for item in layer["encoding"]["tooltip"]}
    assert "value_text" in fields
    assert not fields & {"value", "low", "high"}  # Vega formats null as 0.000


# --- heat maps ------------------------------------------------------------------------------


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
    [("heat", "cell", ["layer", "snapshot"]), ("classes", "class_cell", ["label", "layer"])],
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


# --- lines ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["layers", "epochs", "pooling"])
def test_the_axis_has_room_for_every_interval(name: str) -> None:
    frame = pooled() if name == "pooling" else scores()
    drawn = draw(name)
    domains = {str(layer["encoding"]["y"]["scale"]["domain"]) for layer in drawn["layer"]}
    assert len(domains) == 1  # one scale for both splits, lines and intervals
    low, high = drawn["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low < frame["low"].min()
    assert frame["high"].max() < high


def test_the_axis_of_a_share_ends_at_its_limits() -> None:
    frame = scores().assign(value=0.99, low=0.01, high=1.0)
    drawn = charts.scores_over_layers(frame, measure=MEASURE).to_dict()
    assert drawn["layer"][0]["encoding"]["y"]["scale"]["domain"] == [0, 1]
    ratio = charts.scores_over_layers(frame.assign(low=-3.0, high=40.0), measure="Ratio").to_dict()
    low, high = ratio["layer"][0]["encoding"]["y"]["scale"]["domain"]
    assert low < -3
    assert high > 40


@pytest.mark.parametrize("name", ["layers", "epochs"])
def test_val_is_solid_and_train_dashed_and_both_are_named_with_their_sizes(name: str) -> None:
    drawn = draw(name)
    (line,) = marks(drawn, "line")
    dash = line["encoding"]["strokeDash"]
    assert dash["scale"]["domain"] == ["val (n = 500)", "train (n = 2,000)"]
    assert dash["scale"]["range"] == [[1, 0], [4, 3]]
    assert dash["legend"]["symbolType"] == "stroke"
    assert set(rows_of(drawn)["split"]) == set(dash["scale"]["domain"])
    only_val = draw(name, lambda frame: frame[frame["split"] == "val"])
    dash = marks(only_val, "line")[0]["encoding"]["strokeDash"]
    assert dash["scale"] == {"domain": ["val (n = 500)"], "range": [[1, 0]]}


@pytest.mark.parametrize("name", ["layers", "epochs", "pooling"])
def test_points_tell_their_numbers(name: str) -> None:
    (points,) = marks(draw(name), "point")
    assert {"Layer", MEASURE, "Interval", "Examples"} <= set(titles(points))


def barred(drawn: dict[str, Any]) -> pd.DataFrame:
    """Return the rows that have error bars."""
    (rule,) = marks(drawn, "rule")
    assert rule["transform"] == [{"filter": "datum.val && datum.barred"}]
    assert (rule["encoding"]["y"]["field"], rule["encoding"]["y2"]["field"]) == ("low", "high")
    rows = rows_of(drawn)
    return rows[rows["val"] & rows["barred"]]


def test_over_layers_only_val_of_the_last_snapshot_has_error_bars() -> None:
    assert set(barred(draw("layers"))["snapshot"]) == {2}
    assert set(barred(draw("layers"))["split"]) == {"val (n = 500)"}


@pytest.mark.parametrize(("n_layers", "n_bars"), [(4, 12), (5, 0)])
def test_over_epochs_few_layers_have_error_bars(n_layers: int, n_bars: int) -> None:
    drawn = charts.scores_over_epochs(scores(n_layers), measure=MEASURE).to_dict()
    assert len(barred(drawn)) == n_bars


def line_colours(drawn: dict[str, Any]) -> tuple[str, list[int], list[str]]:
    colour = marks(drawn, "line")[0]["encoding"]["color"]
    return colour["title"], colour["scale"]["domain"], colour["scale"]["range"]


@pytest.mark.parametrize(
    ("draw_lines", "title"),
    [(charts.scores_over_layers, "Epoch"), (charts.scores_over_epochs, "Layer")],
)
def test_of_many_lines_an_even_choice_with_both_ends_is_drawn_and_said(
    draw_lines: Any, title: str
) -> None:
    few = draw_lines(scores(3, 3), measure=MEASURE).to_dict()
    assert line_colours(few)[:2] == (title, [0, 1, 2])
    many = draw_lines(scores(40, 40, 8), measure=MEASURE).to_dict()
    said, drawn, _ = line_colours(many)
    assert said == f"{title} (13 of 40)"
    assert len(drawn) == 13
    assert (drawn[0], drawn[-1]) == (0, 39)
    assert set(np.diff(drawn)) == {3, 4}
    column = "snapshot" if title == "Epoch" else "layer"
    assert set(rows_of(many)[column]) == set(drawn)


@pytest.mark.parametrize(("dark", "background"), [(False, WHITE), (True, DARK)])
@pytest.mark.parametrize("name", ["layers", "epochs"])
def test_later_and_deeper_lines_stand_out_more(name: str, dark: bool, background: str) -> None:
    colours = line_colours(draw(name, dark=dark))[2]
    seen = [contrast(colour, background) for colour in colours]
    assert seen == sorted(seen)
    assert seen[0] > 1.6
    assert seen[-1] > 10
    alone = draw(name, lambda frame: frame[(frame["layer"] == 1) & (frame["snapshot"] == 1)], dark)
    assert line_colours(alone)[2] == [colours[-1]]


def test_every_layer_and_epoch_has_its_place_on_the_axis() -> None:
    x = draw("layers")["layer"][0]["encoding"]["x"]
    assert x["axis"]["values"] == [0, 1, 2, 3]
    assert x["scale"]["domain"][0] < 0
    assert x["scale"]["domain"][1] > 3
    x = draw("epochs")["layer"][0]["encoding"]["x"]
    assert x["scale"]["domain"] == [0, 2]
    assert x["axis"]["values"] == [0, 1, 2]
    before = draw("epochs", lambda frame: frame[frame["epoch"] == 0])
    assert before["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 1]


def test_a_pooling_keeps_its_colour_when_others_are_left_out() -> None:
    def colours(drawn: dict[str, Any]) -> dict[str, str]:
        scale = marks(drawn, "line")[0]["encoding"]["color"]["scale"]
        return dict(zip(scale["domain"], scale["range"], strict=True))

    everything = colours(draw("pooling"))
    assert list(everything) == ["mean", "[CLS]", "max"]
    some = colours(draw("pooling", lambda frame: frame[frame["pooling"] != "cls"]))
    assert some == {name: everything[name] for name in ("mean", "max")}


def test_poolings_are_drawn_with_their_intervals() -> None:
    (band,) = marks(draw("pooling"), "area")
    assert (band["encoding"]["y"]["field"], band["encoding"]["y2"]["field"]) == ("low", "high")
    assert band["encoding"]["y"]["title"] == f"{MEASURE} (n = 500)"


# --- colours --------------------------------------------------------------------------------


def steps(ramp: tuple[str, ...]) -> list[str]:
    return [colour_between(ramp, position) for position in np.linspace(0, 1, 101)]


@pytest.mark.parametrize("eye", EYES)
def test_a_higher_value_is_lighter_for_every_eye(eye: str) -> None:
    lightness = [lab(colour, eye)[0] for colour in steps(module.VALUE_RAMP)]
    assert (np.diff(lightness) > 0).all()
    assert lightness[-1] - lightness[0] > 60


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("ramp", [module.CHANGE_RAMP, module.CHANGE_RAMP_DARK])
def test_a_gain_is_told_from_a_loss_by_every_eye(ramp: tuple[str, ...], eye: str) -> None:
    for place in range(3):
        assert distance(ramp[place], ramp[-1 - place], eye) > APART


RAMPS = (module.VALUE_RAMP, module.CHANGE_RAMP, module.CHANGE_RAMP_DARK)


@pytest.mark.parametrize("ramp", RAMPS)
def test_numbers_are_legible_on_every_colour(ramp: tuple[str, ...]) -> None:
    """By the rule that the chart gives Vega."""
    for name in HEAT_MAPS:
        (text,) = marks(draw(name), "text")
        assert text["mark"]["color"] == {"expr": module.INK}
    rule = re.fullmatch(r"luminance\(.*\) > ([.\d]+) \? '(.*)' : '(.*)'", module.INK)
    for colour in steps(ramp):
        luminance = contrast(colour, "#000000") * 0.05 - 0.05
        ink = rule[2] if luminance > float(rule[1]) else rule[3]
        assert contrast(colour, ink) > 4.5


@pytest.mark.parametrize("eye", EYES)
def test_poolings_stay_apart_from_each_other_and_from_the_splits(eye: str) -> None:
    colours = [pooling.colour for pooling in POOLINGS.values()]
    others = list(charts.SPLIT_COLOURS.values())
    for place, colour in enumerate(colours):
        assert all(distance(colour, other, eye) > APART for other in colours[:place] + others)
        assert colour not in charts.CLASS_COLOURS
    assert len({pooling.shape for pooling in POOLINGS.values()}) == len(colours)


def test_a_cell_without_a_value_is_told_from_no_change() -> None:
    for dark, ramp in ((False, module.CHANGE_RAMP), (True, module.CHANGE_RAMP_DARK)):
        rects = marks(draw("change", with_gap, dark), "rect")
        (grey,) = [rect["mark"]["color"] for rect in rects if "color" in rect["mark"]]
        assert all(distance(grey, ramp[len(ramp) // 2], eye) > APART for eye in EYES)
