"""Charts of scores: the size of the page, text that cannot do harm, gaps shown as gaps."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from score_charts import (
    ALL_CHARTS,
    draw,
    with_gap,
)
from specs import rows_of

pytestmark = pytest.mark.fast


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
