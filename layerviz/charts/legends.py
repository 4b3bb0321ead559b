"""Legends of the maps' colours: beside a chart, or above it in the same picture."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from layerviz.charts.palette import CONFIDENCE_RAMP
from layerviz.charts.unchecked import alt
from layerviz.charts.user_texts import domain_of


@dataclass(frozen=True)
class Ramp:
    """Colours that lie on a scale, from low to high.

    Parameters
    ----------
    colours : tuple of str
    low, high : str
        What its ends are, in words.
    title : str
        What a legend in a picture says instead of its title, where that is too short there.
    """

    colours: tuple[str, ...]
    low: str
    high: str
    title: str = ""


CONFIDENCE_SCALE = Ramp(CONFIDENCE_RAMP, "0 %", "100 %", "Confidence of the predicted class")


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


def ramp_legend(title: str, ramp: Ramp) -> alt.Chart:
    """Draw the legend of colours on a scale."""
    legend = {"orient": "top-left", "direction": "horizontal", "gradientLength": 240}
    colour = _ramp_colour(title, ramp, offset=0, padding=0, **legend)
    return _legend_only(_ends(), colour, height=50)


def _ends() -> pd.DataFrame:
    return pd.DataFrame({"part": [0.0, 1.0]})


def _ramp_colour(title: str, ramp: Ramp, **legend: Any) -> alt.Color:
    """Return the channel of ``part``, 0 to 1, whose legend names the ends alone."""
    ends = f"datum.value > 0.5 ? {json.dumps(ramp.high)} : {json.dumps(ramp.low)}"
    return alt.Color(
        "part:Q",
        scale=alt.Scale(domain=[0, 1], range=list(ramp.colours)),
        legend=alt.Legend(
            title=ramp.title or title, titleLimit=0, values=[0, 1], labelExpr=ends, **legend
        ),
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
    chart: alt.LayerChart,
    title: str,
    entries: Sequence[tuple[str, str]],
    ramp: Ramp | None = None,
) -> alt.LayerChart:
    """Return a chart of maps with a legend above it.

    Parameters
    ----------
    chart : LayerChart
        As `layer_maps` returns it.
    title : str
        What the colours tell.
    entries : sequence of (str, str)
        Names and colours.
    ramp : Ramp, optional
        Where colours lie on a scale.
    """
    legends = []
    if ramp is not None:
        legends.append((_ends(), _ramp_colour(title, ramp, orient="top")))
    if entries:
        names, colours = map(list, zip(*entries, strict=True))
        colour = alt.Color(
            "name:N",
            scale=alt.Scale(domain=domain_of(names), range=colours),
            legend=alt.Legend(
                title=title if ramp is None else None,
                orient="top",
                columns=5,
                labelLimit=200,
                symbolType="circle",
                symbolOpacity=1,
                symbolLimit=0,
            ),
        )
        legends.append((pd.DataFrame({"name": names}), colour))
    chart = chart.copy(deep=False)
    # These layers draw nothing but their legends; the colours of the points come from data.
    chart.layer = [
        *chart.layer,
        *(
            alt.Chart(frame).mark_circle(opacity=0, tooltip=None, aria=False).encode(color=colour)
            for frame, colour in legends
        ),
    ]
    return chart.resolve_scale(color="independent")
