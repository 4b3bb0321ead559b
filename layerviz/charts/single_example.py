"""One example: predictions over the epochs, layers that get it right, paths of its tokens."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from layerviz.charts.axes import (
    EPOCH_TITLE,
    LAYER_TITLE,
    MOST_LABELS,
    epoch_names,
    epoch_positions,
    label_expression,
    tile_axis,
)
from layerviz.charts.palette import CONFIDENCE_RAMP, RIGHT_COLOUR, WRONG_COLOUR
from layerviz.charts.unchecked import alt

VERDICT_COLOURS = {"right": RIGHT_COLOUR, "wrong": WRONG_COLOUR}
TOKEN_HEIGHT = 380  # pixels


def label_probability(moments: pd.DataFrame, *, dark: bool = False) -> alt.LayerChart:
    """Draw the probability that the classifier gives to an example's own label.

    Parameters
    ----------
    moments : DataFrame
        One row per snapshot: ``epoch``, ``when`` (in words), ``p_label`` (0 to 1), ``predicted``
        (name of the class), ``confidence`` (0 to 1) and ``verdict`` (``right`` or ``wrong``).
    dark : bool
        Whether the page has a dark background.
    """
    base = alt.Chart(moments).encode(
        x=epoch_positions(
            float(moments["epoch"].max()), within=bool((moments["epoch"] % 1 > 0).any())
        ),
        y=alt.Y("p_label:Q", title="Probability of its label")
        .scale(domain=[0, 1])
        .axis(format="%", tickCount=5),
    )
    line = base.mark_line(
        strokeWidth=1.5, color="#8B93A1" if dark else "#5A6475", tooltip=None, aria=False
    )
    dots = base.mark_circle(size=70, opacity=1).encode(
        color=_verdict_colour(),
        tooltip=[
            alt.Tooltip("when:N", title="When"),
            alt.Tooltip("predicted:N", title="Predicted"),
            alt.Tooltip("confidence:Q", title="Confidence", format=".0%"),
            alt.Tooltip("p_label:Q", title="Of its label", format=".0%"),
        ],
    )
    return (line + dots).properties(height=230)


def knowledge_strip(cells: pd.DataFrame) -> alt.Chart:
    """Draw in which layers and epochs the probe gets an example right.

    Parameters
    ----------
    cells : DataFrame
        One row per layer and snapshot: ``layer``, ``snapshot``, ``epoch``, ``when``,
        ``predicted`` (name of the class that the probe gives) and ``verdict``.
    """
    names = epoch_names(cells)
    every = -(-len(names) // MOST_LABELS)  # of that many columns, one is labelled
    axis = tile_axis(labelExpr=label_expression(names), values=list(names)[::every])
    return (
        alt.Chart(cells)
        .mark_rect(stroke=None, cornerRadius=2)
        .encode(
            x=alt.X("snapshot:O", title=EPOCH_TITLE).axis(axis).scale(paddingInner=0.08),
            y=alt.Y("layer:O", title=LAYER_TITLE, sort="descending").scale(paddingInner=0.12),
            color=_verdict_colour(),
            tooltip=[
                alt.Tooltip("layer:O", title="Layer"),
                alt.Tooltip("when:N", title="When"),
                alt.Tooltip("predicted:N", title="Predicted by the probe"),
                alt.Tooltip("verdict:N", title="Right or wrong"),
            ],
        )
        .properties(height=alt.Step(17))
    )


def token_maps(
    tokens: pd.DataFrame, *, explained: Sequence[float], dark: bool = False
) -> alt.LayerChart:
    """Draw the tokens of one text in one layer, with a slider over the layers.

    Parameters
    ----------
    tokens : DataFrame
        One row per token and layer: ``layer``, ``position`` (in the text, from 0), ``token``,
        ``x`` and ``y``.
    explained : sequence of float
        Per layer, the part of the variance that the two axes hold.
    dark : bool
        Whether the page has a dark background.
    """
    last = int(tokens["layer"].max())
    layer = alt.param(
        name="token_layer",
        value=last,
        bind=alt.binding_range(min=0, max=last, step=1, name="Layer "),
    )
    base = (
        alt.Chart(tokens)
        .transform_filter("datum.layer === token_layer")
        .encode(
            x=alt.X("x:Q", axis=None).scale(domain=_around(tokens["x"]), nice=False),
            y=alt.Y("y:Q", axis=None).scale(domain=_around(tokens["y"]), nice=False),
        )
    )
    ramp = list(CONFIDENCE_RAMP if dark else CONFIDENCE_RAMP[::-1])
    path = base.mark_line(
        strokeWidth=1, opacity=0.35, color="#8B93A1", tooltip=None, aria=False
    ).encode(order="position:Q")
    dots = base.mark_circle(size=45, opacity=1).encode(
        color=alt.Color("position:Q", title="Position in the text")
        .scale(range=ramp)
        .legend(orient="bottom", gradientLength=160, format="d", tickMinStep=1),
        tooltip=[
            alt.Tooltip("token:N", title="Token"),
            alt.Tooltip("position:Q", title="Position in the text"),
        ],
    )
    names = base.mark_text(
        align="left", dx=6, fontSize=12, color="#F2F3F5" if dark else "#1F2430", tooltip=None
    ).encode(text="token:N")
    notes = pd.DataFrame(
        {
            "layer": range(len(explained)),
            "note": [
                f"Layer {number}: the two axes show {part:.0%} of the variance of these tokens"
                for number, part in enumerate(explained)
            ],
        }
    )
    title = (
        alt.Chart(notes)
        .transform_filter("datum.layer === token_layer")
        .mark_text(align="left", baseline="top", fontSize=12, color="#8B93A1", aria=False)
        .encode(x=alt.value(4), y=alt.value(4), text="note:N")
    )
    return (
        (path + dots + names + title)
        .add_params(layer)
        .properties(height=TOKEN_HEIGHT, width="container")
        .configure_view(stroke="#5a5f6b" if dark else "#d5d8de")
    )


def _verdict_colour() -> alt.Color:
    return alt.Color("verdict:N", title=None).scale(
        domain=list(VERDICT_COLOURS), range=list(VERDICT_COLOURS.values())
    )


def _around(values: pd.Series) -> list[float]:
    low, high = float(values.min()), float(values.max())
    room = 0.08 * max(high - low, 1e-6)
    return [low - room, high + 2 * room]  # names are to the right
