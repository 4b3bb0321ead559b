"""Maps can be coloured by a further column: the same colours on the page and in every export."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import streamlit as st
from made_runs import dataset_of, made
from pages import caption_text, maps_state, open_page, warning_text
from streamlit.testing.v1 import AppTest

from layerviz import charts, data, runs
from layerviz.__main__ import main
from layerviz.errors import ConfigError
from layerviz.export.page_data import maps_for_page
from layerviz.export.run_charts import maps_chart
from layerviz.export.stage import Stage
from layerviz.export.tables import coordinates
from layerviz.runs import Run
from layerviz.ui.compare import map_matrix
from layerviz.ui.parts import examples_table
from layerviz.ui.parts.filter_box import FILTER
from layerviz.views import (
    ColumnColours,
    ColumnFilter,
    MapsRequest,
    collect_maps,
    column_colours,
    in_words,
)

NAME = "<b>town</b>"  # a name is never markup
TOWNS = 14


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    examples = dataset_of("coloured").examples
    n = len(examples)
    towns = [f"town {int(at**0.5) % TOWNS}" if at % 10 else "" for at in range(n)]
    columns = {
        NAME: towns,
        "age": ["?" if at % 7 == 0 else str(20 + at % 60) for at in range(n)],
        "note": [f"note {at}" for at in range(n)],
    }
    table = data.read_table(
        examples.assign(**columns).drop(columns="id").to_csv(index=False).encode(), "coloured.csv"
    )
    dataset = data.build_dataset(table, data.Columns("text", "label", "split"))
    root = tmp_path_factory.mktemp("coloured")
    return made(root, dataset, "enc", {3: 4.0}, n_snapshots=2)


def selection_of(app: AppTest) -> list[str]:
    return list(app.session_state["selected"][1])


def colours_of(**columns: list[object]) -> tuple[ColumnColours, pd.DataFrame]:
    n = len(next(iter(columns.values())))
    cells = {name: [str(cell) for cell in column] for name, column in columns.items()}
    examples = pd.DataFrame({"id": [str(row) for row in range(n)], **cells}, dtype="str")
    [column] = data.further_columns(examples)
    return column_colours(column, examples), examples


def drawn(colours: ColumnColours, examples: pd.DataFrame) -> list[str]:
    return [charts.PALETTE[code] for code in colours.codes(examples)]


def test_the_most_frequent_values_have_colours_of_their_own() -> None:
    n = len(charts.VALUE_COLOURS)
    values = [f"v{value:02d}" for value in range(n + 5) for _ in range(40 - value)]
    colours, examples = colours_of(kind=[*values, "", "NA"])
    seen = dict(zip(examples["kind"], drawn(colours, examples), strict=True))
    own = dict(zip([f"v{value:02d}" for value in range(n)], charts.VALUE_COLOURS, strict=True))
    assert {value: seen[value] for value in own} == own
    assert {seen[f"v{value:02d}"] for value in range(n, n + 5)} == {charts.OTHER_COLOUR}
    assert seen[""] == seen["NA"] == charts.MISSING_COLOUR
    rest = (("5 other values", charts.OTHER_COLOUR), ("no value", charts.MISSING_COLOUR))
    assert colours.legend().entries == (*own.items(), *rest)
    few = examples.head(1)  # a part of the examples has the colours of the whole
    assert drawn(colours, few) == [charts.VALUE_COLOURS[0]]


def test_numbers_run_from_one_end_of_the_ramp_to_the_other() -> None:
    colours, examples = colours_of(age=[*range(18, 118), 9999, "", "-"])
    legend = colours.legend()
    assert legend.ramp is not None
    assert (legend.ramp.low, legend.ramp.high) == ("≤ 20", "≥ 116")  # no outlier darkens the rest
    assert legend.entries == (("no value", charts.MISSING_COLOUR),)
    seen = drawn(colours, examples)
    ramp = charts.NUMBER_RAMP
    assert [seen[0], seen[50], *seen[-3:]] == [
        ramp[0], ramp[len(ramp) // 2], ramp[-1], charts.MISSING_COLOUR, charts.MISSING_COLOUR,
    ]  # fmt: skip


def test_numbers_over_many_magnitudes_are_drawn_by_magnitude() -> None:
    colours, examples = colours_of(followers=[10**power for power in range(7)])
    assert colours.legend().title == "followers (log scale)"
    places = [charts.NUMBER_RAMP.index(colour) for colour in drawn(colours, examples)]
    assert set(np.diff(places)) <= {3, 4}  # even steps


def test_dates_are_a_scale() -> None:
    days = pd.date_range("2024-01-01", periods=50).strftime("%Y-%m-%d")
    colours, examples = colours_of(day=list(days))
    ramp = colours.legend().ramp
    assert ramp is not None
    assert (ramp.low, ramp.high) == ("2024-01-01", "2024-02-19")
    seen = drawn(colours, examples)
    assert (seen[0], seen[-1]) == (charts.NUMBER_RAMP[0], charts.NUMBER_RAMP[-1])


def test_a_date_that_stands_for_never_colours_and_filters_like_others() -> None:
    days: list[object] = [*(f"2024-05-{day:02d}" for day in range(1, 30)), "9999-12-31"]
    colours, examples = colours_of(until=days)
    assert drawn(colours, examples)[-1] == charts.NUMBER_RAMP[-1]
    assert colours.legend().ramp is not None
    end = colours.column.on_scale(examples)[-1]
    asked = ColumnFilter(colours.column, low=end, high=end + 24 * 3600 - 1e-3)
    assert np.flatnonzero(asked.matching(examples)).tolist() == [29]
    assert asked.in_words() == "until is 9999-12-31 to 9999-12-31"


@pytest.mark.parametrize(
    ("number", "said"),
    [(1987.0, "1987"), (12345.0, "12,345"), (0.01234, "0.0123"), (-5.0, "-5"), (1e300, "1e+300")],
)
def test_numbers_are_written_as_people_write_them(number: float, said: str) -> None:
    assert in_words(data.FurtherColumn("n", "number", (), 0), number) == said


def passing(asked: dict[str, Any], cells: list[object]) -> tuple[list[int], str]:
    colours, examples = colours_of(kind=cells)
    column = ColumnFilter(colours.column, **asked)
    return np.flatnonzero(column.matching(examples)).tolist(), column.in_words()


def test_filters_take_values_ranges_and_words() -> None:
    ages: list[object] = [*range(10), "", 2.5]
    assert passing({"low": 2, "high": 3}, ages) == ([2, 3, 11], "kind is 2 to 3")
    assert passing({"high": 0}, ages) == ([0], "kind is at most 0")
    assert passing({"low": 9}, ages) == ([9], "kind is at least 9")
    towns: list[object] = [*["Rom", "Bern", "Ulm"] * 3, "", "NA"]
    assert passing({"values": ("Bern", "")}, towns) == (
        [1, 4, 7, 9, 10],
        "kind is Bern or no value",
    )
    days: list[object] = [f"2024-05-{day:02d} 12:00" for day in range(1, 20)]
    noon = pd.Timestamp("2024-05-02 12:00").timestamp()
    assert passing({"low": noon, "high": noon + 3600}, days) == (
        [1],
        "kind is 2024-05-02 to 2024-05-02",
    )


def test_a_filter_of_texts_looks_for_words_and_none_lets_all_pass() -> None:
    examples = pd.DataFrame({"note": ["a.b", "aXb", "A.B c", ""]}, dtype="str")
    column = data.FurtherColumn("note", "text", (), 1)
    asked = ColumnFilter(column, words="a.b")
    assert asked.matching(examples).tolist() == [True, False, True, False]
    assert asked.in_words() == "note holds “a.b”"
    assert ColumnFilter(column).is_open
    assert ColumnFilter(column).matching(examples).all()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("agee", "Did you mean age?"), ("note", "right or wrong, confidence, <b>town</b>, age.")],
)
def test_what_cannot_colour_the_maps_is_said(run: Run, wanted: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        collect_maps(run, MapsRequest(layers=(3,), colouring=wanted))
    assert said in str(refused.value)


# --- page and exports -------------------------------------------------------------------------


def test_every_export_has_the_colours_and_their_legend(run: Run) -> None:
    by_town = MapsRequest(layers=(3,), colouring=NAME)
    maps = collect_maps(run, by_town)
    chart = maps_chart(run, by_town)
    spec = chart.to_dict()
    legend = next(
        layer["encoding"]["color"]
        for layer in spec["layer"]
        if layer["encoding"].get("color", {}).get("legend")
    )
    names = [name for name, _ in maps.legend().entries]
    assert legend["legend"]["title"] == NAME
    assert legend["scale"]["domain"] == names
    assert {"field": "value", "title": NAME, "type": "nominal"} in spec["layer"][1]["encoding"][
        "tooltip"
    ]
    table = coordinates(run, by_town)
    assert table[NAME].nunique() == TOWNS + 1
    by_age = collect_maps(run, MapsRequest(layers=(3,), colouring="age"))
    sent = maps_for_page(by_age)["light"]
    assert sent["legend"]["ends"] == ["≤ 21", "≥ 78"]
    assert sent["value"]["name"] == "age"
    assert sent["value"]["values"][0] == "?"  # as it is written
    stage = Stage(by_age, 800, runs.read_separability(run.path), dark=False)
    told = [(name, colour) for _, _, name, colour in stage._legend if name]
    ramp = charts.NUMBER_RAMP
    assert told == [("≤ 21", ramp[0]), ("≥ 78", ramp[-1]), ("no value", charts.MISSING_COLOUR)]


def test_the_command_line_takes_a_column(
    run: Run, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "maps.csv"
    words = ["export", str(run.path), "--layers=3", f"--csv={file}"]
    assert main([*words, "--colour-by=age"]) == 0
    assert "age" in pd.read_csv(file).columns
    assert main([*words, "--colour-by=ag"]) != 0
    assert "Did you mean age?" in capsys.readouterr().err


def test_what_is_selected_in_a_comparison_is_filtered_and_has_the_columns(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    examples = runs.read_examples(run.path)
    [town, *_] = data.further_columns(examples)
    shown: list[pd.DataFrame] = []
    entry: Any = SimpleNamespace(run=run, contender=SimpleNamespace(name="enc"))
    monkeypatch.setattr(map_matrix, "selection", lambda _: set(examples["id"][20:60]))
    monkeypatch.setattr(map_matrix, "filter_box", lambda _: ColumnFilter(town, values=("town 5",)))
    monkeypatch.setattr(st, "dataframe", lambda frame, **_: shown.append(frame))
    common = examples[["id", "split", "text", "label"]].iloc[10:].reset_index(drop=True)
    map_matrix._selected_examples([entry], common, [np.arange(10, len(examples))], [[0, 1]])
    [table] = shown
    wanted = examples[20:60][examples[NAME][20:60] == "town 5"]
    assert table["text"].tolist() == wanted["text"].tolist()
    assert table["age"].isna().tolist() == (wanted["age"] == "?").tolist()
    assert set(table[NAME]) == {"town 5"}


def test_the_page_colours_by_the_column_in_the_address(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(run.path.parent))
    app = open_page(run=run.run_id, colour=NAME)
    assert not app.exception
    options = app.selectbox(key="colouring").options
    assert options[-2:] == [f"Colour: {NAME}", "Colour: age"]  # no note, which is free text
    state = maps_state(app)
    assert state["legend"]["title"] == state["value"]["name"] == NAME
    examples = runs.read_examples(run.path)
    towns = [state["value"]["values"][at] for at in state["value"]["of"]]
    assert towns == examples[NAME].replace("", "no value").tolist()
    # The same filter is in all tables, and what they list carries the columns.
    app.selectbox(key=FILTER).set_value(NAME).run()
    app.multiselect(key=f"filter_values-{run.run_id}-{NAME}").set_value(["town 3", ""]).run()
    wanted = examples[examples[NAME].isin(["town 3", ""])]
    assert f"Filtered: {NAME} is town 3 or no value. {len(wanted)} examples" in caption_text(app)
    listed = app.dataframe[0].value
    assert set(listed["id"]) == set(wanted["id"])
    assert set(listed[NAME]) == {"town 3", ""}
    assert list(listed).index(NAME) < list(listed).index("text") < list(listed).index("age")
    app.button(key="examples_select").click().run()
    assert set(selection_of(app)) == set(wanted["id"])
    app.session_state["tabs"] = "Examples"
    app.run()
    assert set(app.dataframe[0].value["id"]) == set(wanted["id"])
    # A table has room for so many cells; the column that is filtered by is among them.
    monkeypatch.setattr(examples_table, "LEAST_BESIDE", 1)
    monkeypatch.setattr(examples_table, "MOST_CELLS_BESIDE", 0)
    app.session_state[FILTER] = "age"
    app.run()
    assert {NAME, "age"} <= set(app.dataframe[0].value)
    assert "note" not in app.dataframe[0].value
    assert "2 of 3 further columns are listed" in caption_text(app)
    monkeypatch.setattr(data.FurtherColumn, "of", None)  # what was parsed once is not parsed again
    app.run()
    assert not app.exception
    monkeypatch.undo()
    monkeypatch.setenv(runs.RUNS_VARIABLE, str(run.path.parent))
    app.session_state["tabs"] = "Maps"
    app.run()
    app.selectbox(key="colouring").set_value("label").run()
    assert maps_state(app)["value"] is None
    assert "colour" not in app.query_params
    app = open_page(run=run.run_id, colour="beauty")
    assert f"Colour {'beauty'!r} in the address was ignored" in warning_text(app)
    assert maps_state(app)["legend"]["title"] == "Label"
