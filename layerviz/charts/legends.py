"""Legends of the maps' colours: beside a chart, or above it in the same picture."""

from __future__ import annotations

import math
from collections.abc import Sequence

import altair as alt
import pandas as pd

from layerviz.charts.palette import CONFIDENCE_RAMP
from layerviz.charts.user_texts import domain_of

CONFIDENCE_TITLE = "Confidence of the predicted class"


def legend(entries: pd.DataFrame) -> alt.Chart:
    """Draw the legend of a categorical colouring.

    Parameters
    ----------
    entries : DataFrame
        ``name`` and ``colour`` (hexadecimal), in the order of the legend.
    """
    names, colours = list(entries["name"]), list(entries["colour"])
    longest = max(len(name) for name in names)
    columns = max(1, min(len(names), 84 // (min(longest, 32) + 4)))
    return _legend_only(
        entries,
        alt.Color(
            "name:N",
            scale=alt.Scale(domain=domain_of(names), range=colours),
            legend=alt.Legend(
                orient="top-left",
                title=None,
                columns=columns,
                labelLimit=220,
                symbolLimit=0,
                symbolType="circle",
                symbolOpacity=1,
                symbolSize=80,
                offset=0,
                padding=0,
            ),
        ),
        height=22 * math.ceil(len(names) / columns) + 14,
    )


def confidence_legend() -> alt.Chart:
    """Draw the legend of the colouring by confidence, 0 % to 100 %."""
    ends = pd.DataFrame({"confidence": [0.0, 1.0]})
    return _legend_only(
        ends,
        alt.Color(
            "confidence:Q",
            scale=alt.Scale(domain=[0, 1], range=list(CONFIDENCE_RAMP)),
            legend=alt.Legend(
                orient="top-left",
                direction="horizontal",
                title=CONFIDENCE_TITLE,
                titleLimit=0,
                format=".0%",
                gradientLength=240,
                offset=0,
                padding=0,
            ),
        ),
        height=50,
    )


def _legend_only(frame: pd.DataFrame, colour: alt.Color, height: int) -> alt.Chart:
    return (
        alt.Chart(frame)
        .mark_circle(opacity=0, tooltip=None)
        .encode(color=colour)
        .properties(height=height, width="container", padding={"left": 2, "bottom": 1})
        .configure_view(stroke=None)
    )


def with_legend(
    chart: alt.LayerChart, title: str, entries: Sequence[tuple[str, str]]
) -> alt.LayerChart:
    """Return a chart of maps with a legend above it.

    Parameters
    ----------
    chart : LayerChart
        As `layer_maps` returns it.
    title : str
        What the colours tell.
    entries : sequence of (str, str)
        Names and colours; empty where the colours are confidences.
    """
    if entries:
        names, colours = map(list, zip(*entries, strict=True))
        colour = alt.Color(
            "name:N",
            scale=alt.Scale(domain=domain_of(names), range=colours),
            legend=alt.Legend(
                title=title,
                orient="top",
                columns=5,
                labelLimit=200,
                symbolType="circle",
                symbolOpacity=1,
                symbolLimit=0,
            ),
        )
        frame = pd.DataFrame({"name": names})
    else:
        colour = alt.Color(
            "confidence:Q",
            scale=alt.Scale(domain=[0, 1], range=list(CONFIDENCE_RAMP)),
            legend=alt.Legend(title=CONFIDENCE_TITLE, titleLimit=0, format=".0%", orient="top"),
        )
        frame = pd.DataFrame({"confidence": [0.0, 1.0]})
    # This layer draws nothing but its legend; the colours of the points come from data.
    only_legend = alt.Chart(frame).mark_circle(opacity=0, tooltip=None, aria=False)
    chart = chart.copy(deep=False)
    chart.layer = [*chart.layer, only_legend.encode(color=colour)]
    return chart.resolve_scale(color="independent")
