"""What an encoder loses that ends at a layer, against the whole model."""

from __future__ import annotations

import pandas as pd

from layerviz.charts.axes import layer_positions
from layerviz.charts.palette import SPLIT_COLOURS
from layerviz.charts.score_parts import layered
from layerviz.charts.unchecked import alt

HEIGHT = 200


def depth_losses(losses: pd.DataFrame, *, margin: float, dark: bool = False) -> alt.LayerChart:
    """Draw each layer's difference to the whole model, down to its lower end.

    Parameters
    ----------
    losses : DataFrame
        One row per layer: ``layer``, ``difference`` (macro-F1 of its probe minus that of the whole
        model), ``low`` (the lower end of its interval).
    margin : float
        The loss that is given away: a dashed line lies that far below 0.
    dark : bool
        Whether the page has a dark background.
    """
    frame = losses.assign(enough=losses["low"] > -margin)
    y = alt.Y("difference:Q", title="Macro-F1, layer − whole model").scale(zero=False, nice=True)
    base = alt.Chart(frame).encode(x=layer_positions(losses).title("Layer"))
    grey = "#A6ADB8" if dark else "#4A5160"
    # Rules over the whole width: of data of their own, without an x.
    zero, limit = (alt.Chart(pd.DataFrame({"at": [at]})) for at in (0.0, -margin))
    colour = SPLIT_COLOURS["val"]
    return layered(
        zero.mark_rule(color=grey, strokeWidth=1, tooltip=None).encode(y=alt.Y("at:Q", title=None)),
        limit.mark_rule(color=grey, strokeDash=[5, 4], tooltip=None).encode(
            y=alt.Y("at:Q", title=None)
        ),
        base.mark_rule(strokeWidth=2, color=colour, tooltip=None).encode(y=y, y2="low:Q"),
        base.mark_point(filled=True, opacity=1, size=60, color=colour).encode(
            y=y,
            shape=alt.Shape("enough:N", title=None)
            .scale(domain=[True, False], range=["circle", "triangle-down"])
            .legend(
                orient="top",
                labelExpr=f"datum.value ? 'loses at most {margin:.2f}' "
                ": 'a larger loss is not ruled out'",
                symbolFillColor=colour,
                symbolStrokeColor=colour,
            ),
            tooltip=[
                alt.Tooltip("layer:O", title="Layer"),
                alt.Tooltip("difference:Q", title="Layer − whole model", format="+.3f"),
                alt.Tooltip("low:Q", title="Lower end (95 %)", format="+.3f"),
            ],
        ),
        height=HEIGHT,
    )
