"""The pictures of a data set, which the first page shows."""

from __future__ import annotations

import pandas as pd

from layerviz.charts.palette import SPLIT_COLOURS, WRONG_COLOUR
from layerviz.charts.user_texts import domain_of
from layerviz.charts.written import WrittenChart
from layerviz.config import SPLITS

WHOLE_NUMBERS = {"tickMinStep": 1}


def class_counts(counts: pd.DataFrame) -> WrittenChart:
    """Draw how many examples each class has in each split.

    Parameters
    ----------
    counts : DataFrame
        ``label``, ``split``, ``n``; one row per class and split.
    """
    splits = [split for split in SPLITS if split in set(counts["split"])]
    order = list(dict.fromkeys(counts["label"]))
    encoding = {
        "y": {
            "field": "label",
            "type": "nominal",
            "title": None,
            "axis": {"labelLimit": 160},
            "scale": {"domain": domain_of(order)},
        },
        # Stacking groups by the label, with which it cannot do for one called "constructor".
        "x": {
            "field": "n",
            "type": "quantitative",
            "title": "Examples",
            "axis": WHOLE_NUMBERS,
            "stack": None,
        },
        "color": {
            "field": "split",
            "type": "nominal",
            "title": None,
            "sort": splits,
            "scale": {"domain": splits, "range": [SPLIT_COLOURS[split] for split in splits]},
            "legend": {"orient": "top", "symbolType": "circle"},
        },
        "yOffset": {"field": "split", "type": "nominal", "sort": splits},
        "tooltip": [
            {"field": "label", "type": "nominal", "title": "Label"},
            {"field": "split", "type": "nominal", "title": "Split"},
            {"field": "n", "type": "quantitative", "title": "Examples", "format": ","},
        ],
    }
    return WrittenChart(
        {
            "data": {"name": "counts"},
            "mark": {"type": "bar", "cornerRadiusEnd": 2},
            "encoding": encoding,
            "height": 130 + 16 * len(splits) * len(order),
        },
        {"counts": counts},
    )


def length_histogram(lengths: pd.DataFrame, limit: int, unit: str) -> WrittenChart:
    """Draw the distribution of text lengths and where texts are cut.

    Parameters
    ----------
    lengths : DataFrame
        ``start``, ``end`` (of a bin, in `unit`) and ``n`` texts.
    limit : int
        The most tokens kept; drawn as a rule where it falls inside the axis.
    unit : str
        What is counted on the axis, for example "tokens".
    """
    bars = {
        "data": {"name": "lengths"},
        "mark": {"type": "bar", "color": SPLIT_COLOURS["train"], "binSpacing": 1},
        "encoding": {
            "x": {
                "field": "start",
                "type": "quantitative",
                "bin": "binned",
                "title": f"Length of a text ({unit})",
            },
            "x2": {"field": "end"},
            "y": {
                "field": "n",
                "type": "quantitative",
                "title": "Texts",
                "axis": WHOLE_NUMBERS,
            },
            "tooltip": [
                {"field": "start", "type": "quantitative", "title": "From"},
                {"field": "end", "type": "quantitative", "title": "To"},
                {"field": "n", "type": "quantitative", "title": "Texts", "format": ","},
            ],
        },
    }
    at_limit = {"field": "limit", "type": "quantitative"}
    rule = {
        "data": {"name": "limit"},
        "mark": {"type": "rule", "color": WRONG_COLOUR, "strokeWidth": 2, "strokeDash": [5, 3]},
        "encoding": {"x": at_limit, "tooltip": {**at_limit, "title": "Max length"}},
    }
    frames = {"lengths": lengths}
    layers = [bars]
    if limit <= lengths["end"].max():
        layers.append(rule)
        frames["limit"] = pd.DataFrame({"limit": [limit]})
    return WrittenChart({"layer": layers, "height": 220}, frames)
