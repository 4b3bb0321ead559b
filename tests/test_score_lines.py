"""Lines of scores: intervals in the frame, an even selection of many, colours that last."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from eyesight import APART, DARK, EYES, WHITE, contrast, distance
from score_charts import (
    MEASURE,
    draw,
    marks,
    pooled,
    scores,
    titles,
)
from specs import rows_of

from layerviz import charts
from layerviz.poolings import POOLINGS

pytestmark = pytest.mark.fast


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


@pytest.mark.parametrize("eye", EYES)
def test_poolings_stay_apart_from_each_other_and_from_the_splits(eye: str) -> None:
    colours = [pooling.colour for pooling in POOLINGS.values()]
    others = list(charts.SPLIT_COLOURS.values())
    for place, colour in enumerate(colours):
        assert all(distance(colour, other, eye) > APART for other in colours[:place] + others)
        assert colour not in charts.CLASS_COLOURS
    assert len({pooling.shape for pooling in POOLINGS.values()}) == len(colours)
