"""Encoders side by side: over relative depth, and over epochs."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from layerviz.charts.axes import epoch_positions, value_axes
from layerviz.charts.palette import ENCODER_COLOURS
from layerviz.charts.score_parts import layered, with_texts
from layerviz.charts.unchecked import alt
from layerviz.charts.user_texts import domain_of

SHAPES = ("circle", "square", "triangle-up", "diamond", "cross", "triangle-down")
SHORT_NAME = 16  # characters
OF = {"probe": "probe, best layer", "head": "own predictions"}


def scores_over_depth(
    profiles: pd.DataFrame, names: Sequence[str], *, measure: str, dark: bool = False
) -> alt.LayerChart:
    """Draw one measure over relative depth, a line with its interval per encoder.

    Parameters
    ----------
    profiles : DataFrame
        One row per encoder and layer: ``name``, ``layer``, ``depth`` (layer / L), ``value``,
        ``low``, ``high``, ``spread`` (standard deviation over seeds, NaN with one).
    names : sequence of str
        All encoders, in their order, which decides their colours.
    measure : str
        For the axis.
    dark : bool
        Whether the page has a dark background.
    """
    x = alt.X("depth:Q", title="Relative depth (layer / number of layers)")
    x = x.scale(domain=[0, 1.02], nice=False).axis(format=".0%", grid=False)
    tips = [
        alt.Tooltip("name:N", title="Encoder"),
        alt.Tooltip("layer:Q", title="Layer"),
        alt.Tooltip("value_text:N", title=measure),
        alt.Tooltip("interval:N", title="95 % interval"),
        *_spread_tip(profiles),
    ]
    low, value = value_axes(profiles, measure)
    base = alt.Chart(with_texts(profiles)).encode(x=x, color=_colour(names))
    return layered(
        base.mark_area(opacity=0.2 if dark else 0.14, tooltip=None).encode(y=low, y2="high:Q"),
        base.mark_line(strokeWidth=2, tooltip=None).encode(y=value),
        base.mark_point(filled=True, opacity=1, size=60).encode(
            y=value, shape=_shape(names), tooltip=tips
        ),
    )


def encoders_over_epochs(
    scores: pd.DataFrame, names: Sequence[str], *, measure: str, dark: bool = False
) -> alt.LayerChart:
    """Draw one measure over the epochs: each encoder's best layer, and its own classifier dashed.

    Parameters
    ----------
    scores : DataFrame
        One row per encoder, epoch and ``of`` ("probe" or "head"): ``name``, ``epoch``, ``layer``,
        ``value``, ``low``, ``high``.
    names, measure, dark
        As in `scores_over_depth`.
    """
    scores = with_texts(scores.assign(of=scores["of"].map(OF)))
    within = bool((scores["epoch"] % 1 > 0).any())
    x = epoch_positions(float(scores["epoch"].max()), within=within)
    tips = [
        alt.Tooltip("name:N", title="Encoder"),
        alt.Tooltip("of:N", title="Of"),
        alt.Tooltip("epoch:Q", title="Epoch", format=".2~f"),
        alt.Tooltip("layer:Q", title="Layer"),
        alt.Tooltip("value_text:N", title=measure),
        alt.Tooltip("interval:N", title="95 % interval"),
    ]
    low, value = value_axes(scores, measure)
    dash = alt.StrokeDash("of:N", legend=None).scale(
        domain=list(OF.values()), range=[[1, 0], [4, 3]]
    )
    base = alt.Chart(scores).encode(x=x, color=_colour(names))
    probes = base.transform_filter(alt.datum.of == OF["probe"])
    return layered(
        probes.mark_area(opacity=0.2 if dark else 0.14, tooltip=None).encode(y=low, y2="high:Q"),
        base.mark_line(strokeWidth=2, tooltip=None).encode(y=value, strokeDash=dash),
        base.mark_point(filled=True, opacity=1, size=40).encode(
            y=value, shape=_shape(names), tooltip=tips
        ),
    )


def _colour(names: Sequence[str]) -> alt.Color:
    colours = [ENCODER_COLOURS[number % len(ENCODER_COLOURS)] for number in range(len(names))]
    colour = alt.Color("name:N", title=None).scale(domain=domain_of(names), range=colours)
    columns = 1 if max(map(len, names)) > SHORT_NAME else 2  # what fits half a narrow page
    # A long name is cut at the edge of the chart, not by it.
    limit = {"expr": f"max(width / {columns} - 24, 90)"}
    return colour.legend(orient="top", columns=columns, labelLimit=limit, symbolOpacity=1)


def _shape(names: Sequence[str]) -> alt.Shape:
    turns = [number + number // len(ENCODER_COLOURS) for number in range(len(names))]
    shapes = [SHAPES[turn % len(SHAPES)] for turn in turns]
    return alt.Shape("name:N", title=None).scale(domain=domain_of(names), range=shapes)


def _spread_tip(frame: pd.DataFrame) -> list[alt.Tooltip]:
    if frame["spread"].isna().all():
        return []
    return [alt.Tooltip("spread:Q", title="SD over seeds", format=".3f")]
