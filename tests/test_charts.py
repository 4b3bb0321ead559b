"""Charts say what the frames say; only data changes while a run goes on; colours stay apart."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
from eyesight import APART, DARK, EYES, WHITE, contrast, distance, lab
from specs import (
    ATTACKS,
    check_text_is_inert,
    parameter,
    rows_of,
    strings_outside_data,
    values_in_data,
    without_data,
)

from layerviz import charts
from layerviz.charts import Grid, palette
from layerviz.config import COLOURINGS

pytestmark = pytest.mark.fast

N_TRAIN, N_VAL, N_SLOTS = 30, 12, 4
LABEL_NAMES = ("calm", "angry", "sad")
EPOCHS = (0.0, 1.0, 2.0, 3.0)


# --- what the tests draw --------------------------------------------------------------------


def layer_maps(
    *,
    layers: tuple[int, ...] = (1, 2, 3),
    n_snapshots: int = N_SLOTS,
    colouring: str = "label",
    label_names: tuple[str, ...] = LABEL_NAMES,
    texts: tuple[str, ...] = ("hello",),
    n: tuple[int, int] = (N_TRAIN, N_VAL),
    seed: int = 0,
    dark: bool = False,
) -> dict[str, Any]:
    """Return the specification of maps put together as the page does it."""
    rng = np.random.default_rng(seed)
    n_train, n_val = n
    size = n_train + n_val
    splits = np.array(["train"] * n_train + ["val"] * n_val)
    labels = np.arange(size) % len(label_names)
    examples = pd.DataFrame(
        {
            "id": [f"train-{row}" for row in range(size)],
            "split": splits,
            "text": [texts[row % len(texts)] for row in range(size)],
            "label": labels,
        }
    )
    predictions = [predicted(rng, size, len(label_names)) for _ in range(n_snapshots)]
    colours = charts.colour_codes(
        colouring, labels, predictions, charts.most_frequent(labels), len(label_names)
    )
    rows = charts.sample_rows(splits, size)
    positions = {layer: rng.random((n_snapshots, size, 2)).astype("f4") for layer in layers}
    trust = {layer: rng.random((n_snapshots, 2)) for layer in layers}
    sizes = {"train": n_train, "val": n_val}
    return charts.layer_maps(
        charts.points_frame(positions, splits, rows, predictions, colours),
        charts.examples_frame(examples, label_names, rows),
        charts.panels_frame(trust, EPOCHS[:n_snapshots], sizes, N_SLOTS),
        layers=layers,
        label_names=label_names,
        n_slots=N_SLOTS,
        dark=dark,
    ).to_dict()  # raises if the specification is not valid Vega-Lite


def predicted(rng: np.random.Generator, n: int, n_classes: int) -> pd.DataFrame:
    return pd.DataFrame({"predicted": rng.integers(n_classes, size=n), "confidence": rng.random(n)})


# --- maps: what changes while a run goes on ---------------------------------------------------


@pytest.mark.parametrize("n_snapshots", [1, 2, 3])
def test_a_new_snapshot_changes_data_only(n_snapshots: int) -> None:
    """A page that gets the same specification keeps the reader's place on the slider."""
    now, later = layer_maps(n_snapshots=n_snapshots), layer_maps(n_snapshots=n_snapshots + 1)
    assert without_data(now) == without_data(later)
    assert now["datasets"] != later["datasets"]


@pytest.mark.parametrize("colouring", COLOURINGS)
def test_another_colouring_changes_data_only(colouring: str) -> None:
    assert without_data(layer_maps(colouring=colouring)) == without_data(layer_maps(seed=1))


def test_other_layers_are_another_specification() -> None:
    """What the comparison above compares does tell charts apart."""
    assert without_data(layer_maps(layers=(1,))) != without_data(layer_maps())
    assert without_data(layer_maps(dark=True)) != without_data(layer_maps())


def test_the_slider_has_a_place_for_every_slot_and_starts_at_the_newest() -> None:
    drawn = layer_maps(n_snapshots=2)
    slot = parameter(drawn, "slot")
    assert slot["value"] == N_SLOTS - 1
    assert (slot["bind"]["min"], slot["bind"]["max"], slot["bind"]["step"]) == (0, N_SLOTS - 1, 1)
    points = rows_of(drawn, drawn["layer"][1])
    for name in ("x", "y", "colour", "predicted", "confidence"):
        for later in range(2, N_SLOTS):  # those still to come show the newest snapshot
            assert (points[f"{name}{later}"] == points[f"{name}1"]).all()
    assert (points["x0"] != points["x1"]).any()


def test_few_points_are_drawn_sharp_and_many_fast() -> None:
    def renderer(n_train: int) -> str:
        drawn = layer_maps(layers=(1,), n=(n_train, 500))
        return drawn["usermeta"]["embedOptions"]["renderer"]

    assert renderer(1500) == "svg"
    assert renderer(1501) == "canvas"


# --- maps: where things stand -----------------------------------------------------------------


@pytest.mark.parametrize("n_layers", [1, 2, 7, 8, 9, 12, 15, 16, 25, 48])
def test_panels_lie_in_the_picture_and_apart(n_layers: int) -> None:
    drawn = layer_maps(layers=tuple(range(n_layers)), n=(2, 1))
    panels = rows_of(drawn, drawn["layer"][0])
    encoding = drawn["layer"][0]["encoding"]
    width = encoding["x"]["scale"]["domain"][1]
    assert encoding["y"]["scale"]["domain"] == [drawn["height"], 0]  # pixels from the top
    assert len(panels) == 2 * n_layers
    assert panels["left"].min() >= 0
    assert panels["right"].max() <= width
    assert panels["top"].min() >= 20  # the names of the splits stand above
    assert panels["bottom"].max() <= drawn["height"]
    assert ((panels["right"] - panels["left"]) * 300 > 100).all()
    for place, one in panels.iterrows():
        others = panels.drop(index=place)
        across = (others["left"] < one["right"]) & (one["left"] < others["right"])
        down = (others["top"] < one["bottom"]) & (one["top"] < others["bottom"])
        assert not (across & down).any()


@pytest.mark.parametrize("n_layers", [1, 4, 12])
def test_a_layer_stands_in_the_same_panel_of_train_on_the_left_and_val_on_the_right(
    n_layers: int,
) -> None:
    layers = tuple(range(n_layers, 0, -1))  # reading order is the caller's
    drawn = layer_maps(layers=layers, n=(2, 2))
    points = rows_of(drawn, drawn["layer"][1]).drop_duplicates(["layer", "split"])
    train, val = (points[points["split"] == split].set_index("layer") for split in ("train", "val"))
    assert train["centre_x"].max() < val["centre_x"].min()
    np.testing.assert_allclose(train["centre_y"], val["centre_y"])
    shifts = val["centre_x"] - train["centre_x"]
    np.testing.assert_allclose(shifts, shifts.iloc[0])
    reading = train.sort_values(["centre_y", "centre_x"]).index
    assert tuple(reading) == layers


def test_all_marks_share_their_scales() -> None:
    """Else Vega-Lite would stretch frames, points and titles each in its own way."""
    drawn = layer_maps()
    scales = {
        axis: {json.dumps(mark["encoding"][axis]["scale"]) for mark in drawn["layer"]}
        for axis in "xy"
    }
    assert all(len(found) == 1 for found in scales.values())


class Datum(dict):
    """A Vega datum: ``datum.a`` and ``datum['a']``."""

    __getattr__ = dict.__getitem__


@pytest.mark.parametrize("stretched", [1, 1.5])  # full screen: higher than it was laid out
@pytest.mark.parametrize("width", [300, 700, 1600])
@pytest.mark.parametrize("n_layers", [1, 4, 12, 24])
def test_points_stay_in_their_own_panel_below_its_title(
    n_layers: int, width: int, stretched: float
) -> None:
    """The corners of the unit square, placed by the chart's own expressions."""
    drawn = layer_maps(layers=tuple(range(n_layers)), n=(4, 4))
    panels = rows_of(drawn, drawn["layer"][0])
    placing = drawn["layer"][1]["transform"]
    placing = {step["as"]: step["calculate"] for step in placing if "calculate" in step}
    across = drawn["layer"][1]["encoding"]["x"]["scale"]["domain"][1]
    expressions = {one["name"]: one["expr"] for one in drawn["params"] if "expr" in one}
    points = rows_of(drawn, drawn["layer"][1])
    for point in points.drop_duplicates(["layer", "split"]).to_dict("records"):
        corners = []
        for x, y in ((0, 0), (1, 1)):
            datum = Datum(point | {"x0": x, "y0": y})
            names = {"datum": datum, "width": width, "height": drawn["height"] * stretched}
            names |= {"x_now": "x0", "y_now": "y0", "zoom": 1, "zoom_x": 0.5, "zoom_y": 0.5}
            for name in ("map_side", "map_width", "map_height"):
                names[name] = eval(expressions[name], {"min": min}, names)
            for name in ("u", "v"):
                datum[name] = eval(placing[name], {}, names)
            corners.append([eval(placing[a], {"min": min}, names) for a in "xy"])
        (left, bottom), (right, top) = corners
        home = panels[
            (panels["left"] <= left)
            & (right <= panels["right"])
            & (panels["top"] + 16 <= top)
            & (bottom <= panels["bottom"])
        ]
        assert len(home) == 1
        in_pixels = (right - left) * width / across
        # A square: one scale on both axes.
        assert in_pixels == pytest.approx((bottom - top) * stretched)
        assert in_pixels > 25


def test_headings_stand_over_their_half() -> None:
    drawn = layer_maps(layers=tuple(range(6)))
    headings = rows_of(drawn, drawn["layer"][3])
    headings = headings[headings["first"]]
    assert [heading.split()[0] for heading in headings.sort_values("left")["heading0"]] == [
        "Train",
        "Val",
    ]


# --- user text ------------------------------------------------------------------------------


def test_user_text_on_maps_is_data() -> None:
    check_text_is_inert(layer_maps(texts=ATTACKS, label_names=ATTACKS))


def test_texts_are_nowhere_but_in_the_data() -> None:
    assert without_data(layer_maps(texts=ATTACKS)) == without_data(layer_maps())


def test_user_text_in_legends_and_counts_is_data() -> None:
    entries = pd.DataFrame({"name": ATTACKS, "colour": charts.CLASS_COLOURS[: len(ATTACKS)]})
    check_text_is_inert(charts.legend(entries).to_dict())
    counts = pd.DataFrame({"label": ATTACKS, "split": "train", "n": 3})
    check_text_is_inert(charts.class_counts(counts).to_dict())


# --- frames ---------------------------------------------------------------------------------


def colours_of(codes: np.ndarray) -> list[str]:
    return [charts.PALETTE[code] for code in codes]


PREDICTIONS = [
    pd.DataFrame({"predicted": [0, 0, 2], "confidence": [0.0, 0.5, 1.0]}),
    pd.DataFrame({"predicted": [0, 1, 1], "confidence": [1.0, 0.99, 0.34]}),
]
LABELS = np.array([0, 1, 2])


def codes(colouring: str, coloured: tuple[int, ...] = (0, 1, 2)) -> list[np.ndarray]:
    return charts.colour_codes(colouring, LABELS, PREDICTIONS, coloured, 3)


def test_label_colours_are_the_same_in_every_snapshot() -> None:
    for snapshot in codes("label"):
        assert colours_of(snapshot) == list(charts.CLASS_COLOURS[:3])


def test_a_predicted_class_has_the_colour_of_that_label() -> None:
    a, b, c = charts.CLASS_COLOURS[:3]
    assert [colours_of(snapshot) for snapshot in codes("prediction")] == [[a, a, c], [a, b, b]]


def test_right_and_wrong_predictions_are_told_apart() -> None:
    right, wrong = charts.RIGHT_COLOUR, charts.WRONG_COLOUR
    assert [colours_of(snapshot) for snapshot in codes("right or wrong")] == [
        [right, wrong, right],
        [right, right, wrong],
    ]


def test_confidence_runs_from_one_end_of_the_ramp_to_the_other() -> None:
    first, second = (colours_of(snapshot) for snapshot in codes("confidence"))
    ramp = charts.CONFIDENCE_RAMP
    assert first == [ramp[0], ramp[len(ramp) // 2], ramp[-1]]
    assert second[0] == second[1] == ramp[-1]
    assert ramp.index(second[2]) < len(ramp) / 2


def test_classes_beyond_the_colours_are_grey() -> None:
    labels = np.repeat(np.arange(300), np.arange(1, 301))  # class 299 is the most frequent
    coloured = charts.most_frequent(labels)
    assert coloured == list(range(290, 300))
    prediction = pd.DataFrame({"predicted": labels, "confidence": 1.0})
    for colouring in ("label", "prediction"):
        drawn = charts.colour_codes(colouring, labels, [prediction], coloured, 300)[0]
        seen = dict(zip(labels.tolist(), colours_of(drawn), strict=True))
        assert [seen[label] for label in coloured] == list(charts.CLASS_COLOURS)
        assert {seen[label] for label in range(290)} == {charts.OTHER_COLOUR}


def test_the_readers_choice_of_classes_is_coloured() -> None:
    assert colours_of(codes("label", (2,))[0]) == [
        charts.OTHER_COLOUR,
        charts.OTHER_COLOUR,
        charts.CLASS_COLOURS[0],
    ]


def test_slots_beyond_the_snapshots_repeat_the_newest() -> None:
    xy = np.random.default_rng(0).random((2, 3, 2)).astype(np.float32)
    splits = np.array(["train", "test", "val"])
    rows = np.array([0, 2])
    frame = charts.points_frame({5: xy, 7: xy + 1}, splits, rows, PREDICTIONS, codes("label"))
    assert list(frame["layer"]) == [5, 5, 7, 7]
    assert list(frame["row"]) == [0, 2, 0, 2]
    assert list(frame["split"]) == ["train", "val", "train", "val"]
    np.testing.assert_array_equal(frame["x0"][:2], xy[0, rows, 0])
    np.testing.assert_array_equal(frame["y1"][:2], xy[1, rows, 1])
    assert list(frame["predicted0"][:2]) == [0, 2]
    assert list(frame["confidence1"][:2]) == [100, 34]
    assert set(frame["newest"]) == {1}  # what a slot still to come is drawn from
    assert "x2" not in frame


def test_all_points_are_drawn_or_a_seeded_sample_of_each_split() -> None:
    splits = np.array(["train", "val", "test", "train"] * 50)
    assert set(splits[charts.sample_rows(splits, 100)]) == {"train", "val"}
    assert len(charts.sample_rows(splits, 100)) == 150
    some = charts.sample_rows(splits, 20)
    assert (splits[some] == "train").sum() == (splits[some] == "val").sum() == 20
    assert len(set(some)) == 40
    np.testing.assert_array_equal(some, charts.sample_rows(splits, 20))
    assert set(some) != set(charts.sample_rows(splits, 20, seed=1))


def test_headings_say_split_size_and_epoch() -> None:
    trust = {0: np.array([[0.9, np.nan], [0.876, np.nan]]), 3: np.zeros((2, 2))}
    panels = charts.panels_frame(trust, [0.0, 1.0], {"train": 2000, "val": 1000}, 3)
    panels = panels.set_index(["layer", "split"])
    assert panels.loc[(3, "train"), "heading0"] == "Train (n = 2,000), before training"
    assert panels.loc[(3, "val"), "heading1"] == "Val (n = 1,000), epoch 1"
    assert panels.loc[(3, "val"), "heading2"] == "Val (n = 1,000), epoch 1 (newest)"
    assert panels.loc[(0, "train"), "title1"] == "Layer 0  ·  T 0.88"
    assert panels.loc[(0, "val"), "title0"] == "Layer 0"  # no rating where none is defined
    assert panels.loc[(3, "train"), "title2"] == "Layer 3  ·  T 0.00"


def test_long_texts_are_cut_for_the_tooltip() -> None:
    texts = ["short", "a\n b\t\tc", "x" * 20_000, "y" * 240]
    examples = pd.DataFrame({"text": texts, "label": [0, 1, 0, 1]})
    frame = charts.examples_frame(examples, ("no", "yes"), np.array([1, 2, 3]))
    assert list(frame["row"]) == [1, 2, 3]
    assert list(frame["label"]) == ["yes", "no", "yes"]
    assert frame["text"][0] == "a b c"
    assert frame["text"][1] == "x" * 239 + "…"
    assert frame["text"][2] == texts[3]


# --- legends and curves ---------------------------------------------------------------------


@pytest.mark.parametrize("length", [3, 12, 60])
def test_a_legend_shows_all_of_thirty_classes(length: int) -> None:
    names = [f"{number:02d}".ljust(length, "w") for number in range(30)]
    colours = [charts.CLASS_COLOURS[number % 10] for number in range(30)]
    drawn = charts.legend(pd.DataFrame({"name": names, "colour": colours})).to_dict()
    colour = drawn["encoding"]["color"]
    assert colour["scale"] == {"domain": names, "range": colours}
    assert colour["legend"]["symbolLimit"] == 0  # Vega's own limit would hide some
    lines = -(-30 // colour["legend"]["columns"])
    assert drawn["height"] >= 20 * lines
    assert colour["legend"]["columns"] * min(length, 32) < 90  # characters in a line of the page


def test_the_legend_of_a_scale_has_the_colours_of_the_points_and_names_its_ends() -> None:
    legends = (
        charts.ramp_legend("Confidence", charts.CONFIDENCE_SCALE),
        charts.ramp_legend("age", charts.Ramp(charts.NUMBER_RAMP, '≤ "18"', "≥ 80")),
    )
    of_confidence, of_age = (drawn.to_dict()["encoding"]["color"] for drawn in legends)
    assert of_confidence["scale"]["range"] == list(charts.CONFIDENCE_RAMP)
    assert of_confidence["scale"]["domain"] == of_confidence["legend"]["values"] == [0, 1]
    assert of_confidence["legend"]["title"] == "Confidence of the predicted class"
    assert of_age["legend"]["title"] == "age"
    assert of_age["scale"]["range"] == list(charts.NUMBER_RAMP)
    assert all(json.dumps(end) in of_age["legend"]["labelExpr"] for end in ('≤ "18"', "≥ 80"))


def test_class_counts_keep_the_order_of_the_labels_and_leave_out_absent_splits() -> None:
    counts = pd.DataFrame(
        [("b", "train", 5), ("a", "train", 3), ("b", "val", 2), ("a", "val", 1)],
        columns=["label", "split", "n"],
    )
    drawn = charts.class_counts(counts).to_dict()
    assert drawn["encoding"]["y"]["scale"]["domain"] == ["b", "a"]
    assert drawn["encoding"]["color"]["scale"]["domain"] == ["train", "val"]
    assert len(rows_of(drawn)) == 4
    many = pd.concat([counts.assign(label=counts["label"] + str(i)) for i in range(20)])
    assert charts.class_counts(many).to_dict()["height"] >= 40 * 20  # two bars per class


@pytest.mark.parametrize(("limit", "drawn_rule"), [(128, True), (200, True), (512, False)])
def test_the_length_limit_is_drawn_where_it_cuts(limit: int, drawn_rule: bool) -> None:
    lengths = pd.DataFrame({"start": [0, 100], "end": [100, 200], "n": [7, 2]})
    drawn = charts.length_histogram(lengths, limit, "tokens").to_dict()
    assert "tokens" in drawn["layer"][0]["encoding"]["x"]["title"]
    rules = [layer for layer in drawn["layer"] if layer["mark"]["type"] == "rule"]
    assert len(rules) == drawn_rule
    for rule in rules:
        assert list(rows_of(drawn, rule)["limit"]) == [limit]


def test_charts_that_are_written_without_altair_are_what_it_would_write() -> None:
    counts = pd.DataFrame({"label": ["a", "view_3"], "split": "train", "n": [3, 4]})
    lengths = pd.DataFrame({"start": [0, 100], "end": [100, 200], "n": [7, 2]})
    for written in (charts.class_counts(counts), charts.length_histogram(lengths, 128, "tokens")):
        drawn = charts.legible(written, dark=True)
        plain = alt.Chart().mark_bar()
        assert drawn.to_dict()["config"]["axis"].items() >= _axis_of(plain).items()
        spec = drawn.to_dict()
        assert spec["$schema"] == alt.SCHEMA_URL
        kind = alt.LayerChart if "layer" in spec else alt.Chart
        read = kind.from_dict(spec)  # checks it against the schema
        assert read.to_dict()["height"] == spec["height"]
    own = charts.WrittenChart({"padding": 1, "config": {"text": {"color": "red"}}}, {})
    kept = charts.legible(own).to_dict()
    assert (kept["padding"], kept["config"]["text"]["color"]) == (1, "red")


def _axis_of(chart: alt.Chart) -> dict[str, Any]:
    config: dict[str, Any] = charts.legible(chart, dark=True).config.to_dict()["axis"]
    return config


SIZES = {"train": 2000, "val": 500}


def history(losses: list[float], of_val: list[float] | None = None) -> pd.DataFrame:
    nothing = [np.nan] * len(losses)
    return pd.DataFrame(
        {
            "epoch": [step / 10 for step in range(1, len(losses) + 1)],
            "loss": losses,
            "train_loss": nothing,
            "val_loss": of_val or nothing,
        }
    ).astype(float)


def test_the_loss_curve_grows_into_a_fixed_frame() -> None:
    drawn = charts.loss_curve(history([0.7]), SIZES, 5).to_dict()
    (data,) = drawn["datasets"].values()
    assert len(data) == 1
    for layer in drawn["layer"]:
        assert layer["encoding"]["x"]["scale"]["domain"] == [0, 5]
    more = charts.loss_curve(history([1, 2], [3, 4]), SIZES, 5).to_dict()
    assert without_data(drawn) == without_data(more)


def test_the_loss_of_val_stands_beside_those_of_train_in_their_colours() -> None:
    drawn = charts.loss_curve(history([0.7, np.nan, 0.5], [np.nan, 0.9, np.nan]), SIZES, 4)
    spec = drawn.to_dict()
    (rows,) = spec["datasets"].values()
    assert [(row["series"], row["value"]) for row in rows] == [
        ("train batches", 0.7),  # without a gap where a row has none
        ("train batches", 0.5),
        ("val (n = 500)", 0.9),
    ]
    scale = spec["layer"][0]["encoding"]["color"]["scale"]
    assert scale["domain"] == ["train batches", "train (n = 2,000)", "val (n = 500)"]
    assert scale["range"][1:] == [charts.SPLIT_COLOURS["train"], charts.SPLIT_COLOURS["val"]]


@pytest.mark.parametrize("losses", [[], [np.nan]])
def test_a_loss_curve_without_losses_is_an_empty_frame(losses: list[float]) -> None:
    drawn = charts.loss_curve(history(losses), SIZES, 0).to_dict()
    assert list(drawn["datasets"].values()) == [[]]
    assert drawn["layer"][0]["encoding"]["x"]["scale"]["domain"] == [0, 1]


def test_the_metric_curve_names_its_splits_with_their_sizes_and_draws_test_dashed() -> None:
    rows = [(0, "train", 0.2), (1, "val", 0.9), (1, "test", 0.8)]
    scores = pd.DataFrame(rows, columns=["epoch", "split", "value"])
    drawn = charts.metric_curve(scores, "Macro-F1", SIZES | {"test": 60}, 5).to_dict()
    names = ["train (n = 2,000)", "val (n = 500)", "test (n = 60)"]
    assert list(rows_of(drawn)["split"]) == names
    line, _ = drawn["layer"]
    encoding = line["encoding"]
    assert (
        encoding["color"]["scale"]["domain"] == encoding["strokeDash"]["scale"]["domain"] == names
    )
    solid, of_val, dashed = encoding["strokeDash"]["scale"]["range"]
    assert solid == of_val != dashed
    assert encoding["y"]["title"] == "Macro-F1"
    assert encoding["y"]["scale"]["domain"] == [0, 1]
    assert encoding["x"]["scale"]["domain"] == [0, 5]
    empty = charts.metric_curve(scores[:0], "Macro-F1", SIZES | {"test": 60}, 5).to_dict()
    assert without_data(empty) == without_data(drawn)


@pytest.mark.parametrize(
    ("last", "within", "ticks"),
    [
        (4, False, [0, 1, 2, 3, 4]),
        (0, False, [0, 1]),
        (2, True, [0, 0.5, 1, 1.5, 2]),
        (8, True, list(range(9))),  # as many halves would not be legible
        (30, False, [0, 5, 10, 15, 20, 25, 30]),
    ],
)
def test_epochs_are_whole_unless_there_is_something_between_them(
    last: float, within: bool, ticks: list[float]
) -> None:
    drawn = charts.loss_curve(history([0.7]), SIZES, last, within=within).to_dict()
    assert drawn["layer"][0]["encoding"]["x"]["axis"]["values"] == ticks


def test_legends_side_by_side_are_equally_high() -> None:
    scores = pd.DataFrame({"epoch": [0.0], "split": ["train"], "value": [0.2]})
    for sizes in (SIZES, SIZES | {"test": 60}):
        losses = history([0.7]).assign(test_loss=np.nan)
        loss = charts.loss_curve(losses, sizes, 4).to_dict()
        score = charts.metric_curve(scores, "Macro-F1", sizes, 4).to_dict()
        rows = set()
        for drawn in (loss, score):
            colour = drawn["layer"][0]["encoding"]["color"]
            rows.add(-(-len(colour["scale"]["domain"]) // colour["legend"]["columns"]))
        assert rows == {2}
        assert loss["height"] == score["height"]


@pytest.mark.parametrize(
    ("dark", "papers"), [(False, [WHITE, "#F4F6F9"]), (True, [DARK, "#1E232C"])]
)
def test_text_of_charts_is_legible_on_the_page_and_on_frames(dark: bool, papers: list[str]) -> None:
    chart = charts.loss_curve(history([0.7]), SIZES, 4)
    config = charts.legible(chart, dark=dark).to_dict()["config"]
    for part in ("axis", "legend"):
        for text in ("labelColor", "titleColor"):
            assert all(contrast(config[part][text], paper) > 4.5 for paper in papers)
    assert config["view"] == chart.to_dict()["config"]["view"]  # what a chart says itself stays


# --- colours --------------------------------------------------------------------------------


def test_the_simulation_knows_what_the_colour_blind_cannot_tell_apart() -> None:
    assert distance("#B5A900", "#E69F00", "protanopia") < 2 < 20
    assert distance("#B5A900", "#E69F00", "usual") > 20
    assert contrast("#000000", WHITE) == pytest.approx(21, abs=0.01)


@pytest.mark.parametrize("eye", EYES)
def test_class_colours_stay_apart_for_every_eye(eye: str) -> None:
    colours = (*charts.CLASS_COLOURS, charts.OTHER_COLOUR)
    near = {
        (one, other): round(distance(one, other, eye), 1)
        for place, one in enumerate(colours)
        for other in colours[:place]
        if distance(one, other, eye) < APART
    }
    assert near == {}


@pytest.mark.parametrize("eye", EYES)
def test_colours_of_values_stay_apart_for_every_eye_and_are_no_others(eye: str) -> None:
    colours = (*charts.VALUE_COLOURS, charts.OTHER_COLOUR, charts.MISSING_COLOUR)
    near = [
        (one, other)
        for place, one in enumerate(colours)
        for other in colours[:place]
        if distance(one, other, eye) < APART
    ]
    assert near == []
    others = (*charts.CLASS_COLOURS, charts.RIGHT_COLOUR, charts.WRONG_COLOUR)
    for colour in (*charts.VALUE_COLOURS, charts.MISSING_COLOUR):
        assert min(distance(colour, other, "usual") for other in others) > 10


@pytest.mark.parametrize("eye", EYES)
def test_right_and_wrong_and_the_splits_stay_apart_for_every_eye(eye: str) -> None:
    assert distance(charts.RIGHT_COLOUR, charts.WRONG_COLOUR, eye) > APART
    assert distance(charts.SPLIT_COLOURS["train"], charts.SPLIT_COLOURS["val"], eye) > APART


@pytest.mark.parametrize("background", [WHITE, DARK])
def test_every_point_is_seen_on_its_background(background: str) -> None:
    faint = {c: contrast(c, background) for c in charts.PALETTE if contrast(c, background) < 1.6}
    assert faint == {}


@pytest.mark.parametrize("eye", EYES)
@pytest.mark.parametrize("ramp", [charts.CONFIDENCE_RAMP, charts.NUMBER_RAMP])
def test_more_is_lighter_for_every_eye(eye: str, ramp: tuple[str, ...]) -> None:
    lightness = [lab(colour, eye)[0] for colour in ramp]
    assert (np.diff(lightness) > 0).all()
    assert lightness[-1] - lightness[0] > 40


@pytest.mark.parametrize("dark", [False, True])
def test_titles_are_legible_on_light_and_dark_pages(dark: bool) -> None:
    drawn = layer_maps(dark=dark)
    for mark in drawn["layer"][2:]:
        assert contrast(mark["mark"]["color"], DARK if dark else WHITE) > 4.5


def test_every_code_names_its_colour() -> None:
    assert charts.PALETTE[: palette.OTHER_CODE] == charts.CLASS_COLOURS
    assert charts.PALETTE[palette.OTHER_CODE] == charts.OTHER_COLOUR
    for code, colours in (
        (palette.CONFIDENCE_CODE, charts.CONFIDENCE_RAMP),
        (palette.VALUE_CODE, charts.VALUE_COLOURS),
        (palette.MISSING_CODE, (charts.MISSING_COLOUR,)),
        (palette.NUMBER_CODE, charts.NUMBER_RAMP),
    ):
        assert charts.PALETTE[code : code + len(colours)] == colours
    assert len(set(charts.PALETTE)) == len(charts.PALETTE) <= 256  # codes are uint8


# --- encoders side by side ------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 9])
def test_a_matrix_has_a_panel_per_encoder_and_split_that_do_not_overlap(n):
    grid = Grid.matrix(n)
    corners = [grid.corner(panel, side) for panel in range(n) for side in (0, 1)]
    assert len(set(corners)) == 2 * n
    for left, top in corners:
        assert 0 <= left <= grid.width - 1
        assert Grid.HEADER <= top <= grid.height - grid.panel_height
    assert grid.heading_top(1) == grid.height / 2
    for panel in range(n):  # val stands below train, in the same column
        assert grid.corner(panel, 1)[0] == grid.corner(panel, 0)[0]
        assert grid.corner(panel, 1)[1] > max(grid.corner(other, 0)[1] for other in range(n))


def selectable_points() -> pd.DataFrame:
    """Two maps of four examples, which change corners between two snapshots."""
    corners = np.array([[0.1, 0.1], [0.9, 0.1], [0.1, 0.9], [0.9, 0.9]])
    frames = []
    for layer in (0, 1):
        frame = pd.DataFrame({"row": range(4), "layer": layer, "split": ["train"] * 3 + ["val"]})
        for at, xy in enumerate((corners, corners[::-1])):
            frame[f"x{at}"], frame[f"y{at}"] = xy[:, 0], xy[:, 1]
            frame[f"colour{at}"], frame[f"predicted{at}"], frame[f"confidence{at}"] = 0, 0, 50
        frames.append(frame.assign(newest=1))
    return pd.concat(frames, ignore_index=True)


def test_maps_of_encoders_are_called_by_their_names():
    points = selectable_points()
    examples = pd.DataFrame({"row": range(4), "text": list("abcd"), "label": "x", "highlighted": 0})
    trust = {layer: np.ones((2, 2)) for layer in (0, 1)}
    panels = charts.panels_frame(trust, [0, 1], {"train": 3, "val": 1}, 2, names={0: "A", 1: "B"})
    chart = charts.layer_maps(
        points, examples, panels, layers=[0, 1], label_names=["x"], n_slots=2,
        grid=Grid.matrix(2), names=["A", "B"],
    ).to_dict()  # fmt: skip
    assert set(panels["title0"]) == {"A\nT 1.00", "B\nT 1.00"}
    assert parameter(chart, "maps")["value"] == ["A", "B"]
    drawn = json.dumps(chart)
    assert '"title": "Map"' in drawn  # what the tooltip says; not "Layer"
    assert '"title": "Layer"' not in drawn


def test_curves_of_encoders_are_valid_and_named():
    profiles = pd.DataFrame(
        {
            "name": ["A", "A", "B"],
            "layer": [1, 2, 1],
            "depth": [0.5, 1.0, 1.0],
            "value": [0.5, 0.6, 0.7],
            "low": [0.4, 0.5, 0.6],
            "high": [0.6, 0.7, 0.8],
            "spread": np.nan,
        }
    )
    depth = charts.scores_over_depth(profiles, ["A", "B"], measure="F1").to_dict()
    colour = depth["layer"][0]["encoding"]["color"]["scale"]
    assert colour["domain"] == ["A", "B"]
    assert len(set(colour["range"])) == 2
    epochs = profiles.assign(epoch=[0, 1, 1], snapshot=[0, 1, 1], of=["probe", "head", "probe"])
    over = charts.encoders_over_epochs(epochs, ["A", "B"], measure="F1", dark=True).to_dict()
    assert {"A", "B"} == set(rows_of(over)["name"])


def test_many_encoders_do_not_look_alike():
    names = [f"encoder {number}" for number in range(9)]
    frame = pd.DataFrame(
        {"name": names, "layer": 1, "depth": 1.0, "value": 0.5, "low": 0.4, "high": 0.6}
    ).assign(spread=0.1)
    points = charts.scores_over_depth(frame, names, measure="F1").to_dict()["layer"][2]["encoding"]
    looks = zip(points["color"]["scale"]["range"], points["shape"]["scale"]["range"], strict=True)
    assert len(set(looks)) == 9


# --- single examples ------------------------------------------------------------------------


def maps_of_two(**more: Any) -> dict[str, Any]:
    """Draw the points of `selectable_points` as maps of two layers."""
    points = selectable_points()
    examples = pd.DataFrame({"row": range(4), "text": list("abcd"), "label": "x"})
    panels = charts.panels_frame(
        {layer: np.ones((2, 2)) for layer in (0, 1)}, [0, 1], {"train": 3, "val": 1}, 2
    )
    return charts.layer_maps(
        points, examples, panels, layers=[0, 1], label_names=["x"], n_slots=2,
        **more,
    ).to_dict()  # fmt: skip


def test_a_path_goes_through_every_snapshot_of_each_layer():
    points = selectable_points()
    path = charts.paths_frame(points, [1, 3])
    assert set(path["row"]) == {1, 3}
    assert len(path) == 2 * 2 * 2 * 2  # examples, layers, steps, their ends
    one = path[(path["row"] == 1) & (path["layer"] == 0)]
    step = one[one["at"] == 1].sort_values("order")
    assert step[["x", "y"]].to_numpy().tolist() == [[0.9, 0.1], [0.1, 0.9]]
    assert set(path["colour"]) == {palette.PALETTE[0]}


def test_each_step_of_a_path_has_the_colour_of_the_class_it_moves_towards():
    path = charts.paths_frame(selectable_points(), [1], {(1, 0, 0): 2, (1, 0, 1): 4})
    of_layer = path[path["layer"] == 0].groupby("at")["colour"].agg(set).to_dict()
    assert of_layer == {0: {palette.PALETTE[2]}, 1: {palette.PALETTE[4]}}
    assert set(path["colour"][path["layer"] == 1]) == {palette.PALETTE[0]}  # nothing known of it


def test_a_path_ends_at_the_newest_snapshot():
    points = selectable_points()
    points.loc[points["layer"] == 1, "newest"] = 0
    path = charts.paths_frame(points, [0])
    assert path.groupby("layer")["at"].max().to_dict() == {0: 1, 1: 0}


def test_paths_come_and_go_as_data_so_that_the_slider_stays():
    points = selectable_points()
    none, two = (charts.paths_frame(points, rows) for rows in ([], [0, 1]))
    assert without_data(maps_of_two(paths=none)) == without_data(maps_of_two(paths=two))


def test_own_texts_stand_in_both_splits_of_each_layer_with_their_numbers():
    xy = np.array([[0.2, 0.3], [0.6, 0.7]])
    own = charts.own_texts_frame({0: xy, 1: xy}, ["one <b>", "two"], ["x (90%)", "x (80%)"])
    assert len(own) == 2 * 2 * 2
    assert set(own["split"]) == {"train", "val"}
    assert set(own["number"]) == {"1", "2"}
    drawn = maps_of_two(own_texts=own)
    assert "one <b>" in values_in_data(drawn)
    assert not any("<b>" in text for text in strings_outside_data(drawn))
    alone = charts.own_texts_frame({0: xy[:1]}, ["one"], ["x (90%)"])
    assert set(alone["number"]) == {""}


def test_the_charts_of_an_example_are_valid_and_use_the_colours_of_right_and_wrong():
    moments = pd.DataFrame(
        {"epoch": [0.0, 1.0], "when": ["before training", "epoch 1"], "p_label": [0.2, 0.9],
         "predicted": ["a", "b"], "confidence": [0.8, 0.9], "verdict": ["wrong", "right"]}
    )  # fmt: skip
    line = charts.label_probability(moments).to_dict()
    cells = moments.assign(layer=[0, 1], snapshot=[0, 1])
    strip = charts.knowledge_strip(cells).to_dict()
    for encoding in (line["layer"][1]["encoding"], strip["encoding"]):
        assert encoding["color"]["scale"]["domain"] == ["right", "wrong"]
        assert encoding["color"]["scale"]["range"] == [palette.RIGHT_COLOUR, palette.WRONG_COLOUR]


def test_tokens_have_a_slider_over_the_layers_and_are_data():
    tokens = pd.DataFrame(
        {"layer": [0, 0, 1, 1], "position": [0, 1, 0, 1], "token": ["[CLS]", "datum.x"] * 2,
         "x": [0.0, 1.0, 2.0, 3.0], "y": 0.0}
    )  # fmt: skip
    drawn = charts.token_maps(tokens, explained=[0.9, 0.8]).to_dict()
    slider = parameter(drawn, "token_layer")
    assert (slider["value"], slider["bind"]["max"]) == (1, 1)
    assert {"datum.x", "[CLS]"} <= values_in_data(drawn)
    assert not {"datum.x", "[CLS]"} & strings_outside_data(drawn)
