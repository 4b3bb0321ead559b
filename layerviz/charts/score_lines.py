"""How well layers separate the classes, as lines: over layers, over epochs, per pooling.

The numbers were measured elsewhere. One that could not be measured is NaN: a gap in a line.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerviz.charts.axes import (
    EPOCH_TITLE,
    epoch_names,
    label_expression,
    labelled_snapshots,
    layer_names,
    layer_positions,
    value_axes,
)
from layerviz.charts.palette import colour_between
from layerviz.charts.score_parts import layered, sample_sizes, score_tooltip, with_texts
from layerviz.charts.unchecked import alt
from layerviz.poolings import look_up, pooling_label

MOST_LINES = 13
MOST_INTERVALS = 4  # lines with error bars; those of more would hide one another
# What a line is; on a light and a dark page, the later or deeper, the farther from its colour.
LINES = {
    "snapshot": ("Epoch", ("#A9C6DF", "#4A87BD", "#08306B"), ("#3F5D80", "#7DADDB", "#E4F0FC")),
    "layer": ("Layer", ("#A3CDB0", "#41986A", "#00441B"), ("#3A6650", "#70B48F", "#E0F7E8")),
}
DASHES = {"val": [1, 0], "train": [4, 3]}


def scores_over_layers(scores: pd.DataFrame, *, measure: str, dark: bool = False) -> alt.LayerChart:
    """Draw one measure over the layers, a line per snapshot and split.

    Of more than `MOST_LINES` snapshots an even selection is drawn, as the legend says. Only val of
    the last snapshot has error bars, since those of all would hide one another; the tooltips of
    the points give the others.

    Parameters
    ----------
    scores : DataFrame
        One row per layer, snapshot and split: ``layer``, ``snapshot``, ``epoch``, ``when``,
        ``split`` ("train" or "val"), ``value``, ``low``, ``high`` and ``n`` (examples).
    measure, dark
        As in `heat_maps.score_heat_map`.
    """
    frame = scores.assign(barred=scores["snapshot"] == scores["snapshot"].max())
    x, names = layer_positions(scores), epoch_names(scores)
    return _lines(frame, x, "snapshot", names, measure, dark)


def scores_over_epochs(scores: pd.DataFrame, *, measure: str, dark: bool = False) -> alt.LayerChart:
    """Draw one measure over the epochs, a line per layer and split.

    Of more than `MOST_LINES` layers an even selection is drawn, as the legend says. Val has error
    bars where there are at most `MOST_INTERVALS` layers. Parameters as in `scores_over_layers`.
    """
    layers, epochs = layer_names(scores), epoch_names(scores)
    ticks = [float(epochs[snapshot]) for snapshot in labelled_snapshots(epochs)]
    last = float(scores["epoch"].max()) if epochs else 0
    x = alt.X("epoch:Q", title=EPOCH_TITLE).scale(domain=[0, last or 1], nice=False)
    x = x.axis(values=ticks, format=".2~f", grid=False)
    frame = scores.assign(barred=len(layers) <= MOST_INTERVALS)
    return _lines(frame, x, "layer", layers, measure, dark)


def pooling_scores(scores: pd.DataFrame, *, measure: str, dark: bool = False) -> alt.LayerChart:
    """Draw one measure over the layers, a line with its interval per pooling.

    Parameters
    ----------
    scores : DataFrame
        One row per layer and pooling: ``layer``, ``pooling`` (a name), ``value``, ``low``, ``high``
        and ``n`` (examples). Lines come in the order of the poolings' first rows.
    measure, dark
        As in `heat_maps.score_heat_map`.
    """
    poolings = [look_up(name) for name in scores["pooling"].unique()]
    names = [pooling.label for pooling in poolings]
    scores = scores.assign(pooling=scores["pooling"].map(pooling_label))
    low, value = value_axes(scores, measure + sample_sizes(scores["n"]))
    colour = alt.Color("pooling:N", title="Pooling").scale(
        domain=names, range=[pooling.colour for pooling in poolings]
    )
    colour = colour.legend(orient="top", symbolOpacity=1)
    shape = alt.Shape("pooling:N", title="Pooling").scale(
        domain=names, range=[pooling.shape for pooling in poolings]
    )
    tooltip = score_tooltip(scores, measure, pooling="Pooling", layer="Layer")
    base = alt.Chart(with_texts(scores)).encode(x=layer_positions(scores), color=colour)
    return layered(
        base.mark_area(opacity=0.22 if dark else 0.16, tooltip=None).encode(y=low, y2="high:Q"),
        base.mark_line(strokeWidth=2, tooltip=None).encode(y=value),
        base.mark_point(filled=True, opacity=1, size=45).encode(
            y=value, shape=shape, tooltip=tooltip
        ),
    )


def _lines(
    scores: pd.DataFrame, x: alt.X, line: str, names: dict[int, str], measure: str, dark: bool
) -> alt.LayerChart:
    """Draw a line per `line` and split, named as in `names`; on val, error bars if ``barred``."""
    title, *ramps = LINES[line]
    chosen = np.linspace(0, len(names) - 1, min(len(names), MOST_LINES)).round().astype(int)
    drawn = [list(names)[index] for index in chosen]
    if len(drawn) < len(names):
        scores, title = scores[scores[line].isin(drawn)], f"{title} ({len(drawn)} of {len(names)})"
    n = {split: scores["n"][scores["split"] == split] for split in DASHES}
    sizes = {split: split + sample_sizes(column) for split, column in n.items() if len(column)}
    frame = with_texts(scores).assign(
        val=scores["split"] == "val", split=scores["split"].map(sizes)
    )
    shades = [colour_between(ramps[dark], at) for at in np.linspace(len(drawn) == 1, 1, len(drawn))]
    colour = alt.Color(f"{line}:O", title=title).scale(domain=drawn, range=shades)
    # Streamlit's wide rows would let the legend of 13 layers grow over the foot of the chart.
    colour = colour.legend(
        orient="right",
        labelExpr=label_expression(names),
        rowPadding=4,
        symbolSize=80,
        symbolStrokeWidth=0,
    )
    grey = "#A6ADB8" if dark else "#4A5160"
    dash = (
        alt.StrokeDash("split:N", title=None)
        .scale(domain=list(sizes.values()), range=[DASHES[split] for split in sizes])
        .legend(orient="top", symbolType="stroke", symbolSize=500, symbolStrokeColor=grey)
    )
    low, value = value_axes(scores, measure)
    base = alt.Chart(frame).encode(x=x, color=colour)
    return layered(
        base.transform_filter("datum.val && datum.barred")
        .mark_rule(strokeWidth=1.5, tooltip=None, aria=False)
        .encode(y=low, y2="high:Q"),
        base.mark_line(strokeWidth={"expr": "datum.val ? 2.2 : 1.2"}, tooltip=None).encode(
            y=value, strokeDash=dash
        ),
        base.mark_point(filled=True, opacity=1, size={"expr": "datum.val ? 40 : 14"}).encode(
            y=value,
            tooltip=score_tooltip(scores, measure, layer="Layer", when="When", split="Split"),
        ),
    )
