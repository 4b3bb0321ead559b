"""A user's texts never change a chart, whatever they read like: to Vega, or to Streamlit."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import altair as alt
import numpy as np
import pandas as pd
import pytest
import vl_convert
from streamlit.elements.vega_charts import _stabilize_vega_json_spec

from layerviz import charts
from layerviz.charts import user_texts

HOSTILE = (
    "constructor",
    "toString",
    "valueOf",
    "hasOwnProperty",
    "__proto__",
    "view_3",
    "param_1",
    "datum.x",
    "a.b",
    "a[0]",
    "a\\b",
    "\"q\" 'q'",
)
PLAIN = tuple(f"class {number:02}" for number in range(len(HOSTILE)))


def counts(names: tuple[str, ...]) -> charts.WrittenChart:
    rows = [(name, split, 3) for name in names for split in ("train", "val")]
    return charts.class_counts(pd.DataFrame(rows, columns=["label", "split", "n"]))


def classes(names: tuple[str, ...]) -> alt.LayerChart:
    rows = [(name, layer, 0.1 * layer, 9) for name in names for layer in range(2)]
    return charts.class_heat_map(pd.DataFrame(rows, columns=["label", "layer", "value", "n"]))


def confusions(names: tuple[str, ...]) -> alt.LayerChart:
    rows = [(one, other, 2, 0.5, 4) for one in names for other in names]
    table = pd.DataFrame(rows, columns=["label", "predicted", "n", "share", "n_label"])
    return charts.confusion_heat_map(table)


def key_of_colours(names: tuple[str, ...]) -> alt.Chart:
    return charts.legend(pd.DataFrame({"name": list(names), "colour": "#123456"}))


def encoders(names: tuple[str, ...]) -> alt.LayerChart:
    frame = pd.DataFrame({"name": list(names), "layer": 1, "depth": 1.0, "value": 0.5})
    frame = frame.assign(low=0.4, high=0.6, spread=np.nan)
    return charts.scores_over_depth(frame, list(names), measure="F1")


def tokens(names: tuple[str, ...]) -> alt.LayerChart:
    at = np.arange(len(names), dtype=float)
    frame = pd.DataFrame({"layer": 0, "position": at, "token": list(names), "x": at, "y": -at})
    return charts.token_maps(frame, explained=[0.9])


@pytest.mark.parametrize(
    "draw",
    [counts, classes, confusions, key_of_colours, encoders, tokens],
    ids=lambda f: f.__name__,
)
def test_labels_that_read_like_code_are_drawn_as_any_others(
    draw: Callable[[tuple[str, ...]], Any],
) -> None:
    assert parts_of(draw(HOSTILE)) == parts_of(draw(PLAIN))


def parts_of(chart: Any) -> dict[str, int]:
    """Return how many marks and texts the page would draw; the texts must be those of the user."""
    spec = _stabilize_vega_json_spec(json.dumps(chart.to_dict()))
    picture = vl_convert.vegalite_to_svg(spec)
    return {part: len(re.findall(f"<{part}[ >]", picture)) for part in ("path", "text", "circle")}


def test_streamlit_leaves_a_users_texts_alone() -> None:
    names = (*HOSTILE, "view_79c4_0", "param_abc", "view_point")
    spec = json.loads(_stabilize_vega_json_spec(json.dumps(confusions(names).to_dict())))
    (domain,) = {json.dumps(layer["encoding"]["y"]["scale"]["domain"]) for layer in spec["layer"]}
    plain = [one["expr"][1:-1] if isinstance(one, dict) else one for one in json.loads(domain)]
    assert plain == list(names)
    assert user_texts.shown("view_3") != "view_3"
    assert [user_texts.shown(name) for name in ("view_point", "a")] == ["view_point", "a"]
