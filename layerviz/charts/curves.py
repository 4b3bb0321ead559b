"""Legends, learning curves and the pictures of a data set."""

from __future__ import annotations

import pandas as pd

from layerviz.charts.axes import epoch_positions
from layerviz.charts.palette import (
    BATCH_COLOUR,
    SPLIT_COLOURS,
    SPLIT_DASHES,
)
from layerviz.charts.score_parts import layered, sample_sizes
from layerviz.charts.unchecked import alt

BATCHES = "train batches"
CURVE_HEIGHT, RELIABILITY_HEIGHT = 250, 300  # pixels
LEGEND_ROWS = 2


def split_size(split: str, n: int) -> str:
    """Name a split with the number of its examples, as legends do."""
    return f"{split} (n = {n:,})"


def loss_curve(
    history: pd.DataFrame, sizes: dict[str, int], epochs: float, *, within: bool = False
) -> alt.LayerChart:
    """Draw the loss over the epochs: of each split at each snapshot, and of the batches.

    Parameters
    ----------
    history : DataFrame
        ``epoch``, ``loss`` (of the batches since the row before) and, for each split of `sizes`,
        ``train_loss`` and so on.
    sizes : dict of str to int
        Number of examples measured per split, for the legend. Test is drawn dashed.
    epochs : float
        Right end of the axis, so that the curves grow into a fixed frame.
    within : bool
        As in `axes.epoch_positions`.
    """
    names = {"loss": BATCHES} | {
        f"{split}_loss": split_size(split, n) for split, n in sizes.items()
    }
    rows = history.melt("epoch", list(names), "series", "value").dropna()
    rows = rows.assign(of_batches=rows["series"] == "loss", series=rows["series"].map(names))
    colours = [BATCH_COLOUR, *(SPLIT_COLOURS[split] for split in sizes)]
    dashes = [[1, 0], *(SPLIT_DASHES[split] for split in sizes)]
    colour, dash = _series("series", list(names.values()), colours, dashes)
    base = alt.Chart(rows).encode(
        x=epoch_positions(epochs, within=within),
        y=alt.Y("value:Q", title="Loss (cross-entropy)").scale(zero=False),
        color=colour,
        tooltip=[
            alt.Tooltip("series:N", title="Loss of"),
            alt.Tooltip("epoch:Q", title="Epoch", format=".2~f"),
            alt.Tooltip("value:Q", title="Loss", format=".3f"),
        ],
    )
    at_snapshots = base.transform_filter("!datum.of_batches")
    return layered(
        base.transform_filter("datum.of_batches").mark_line(strokeWidth=1.2),
        at_snapshots.mark_line(strokeWidth=2).encode(strokeDash=dash),
        at_snapshots.mark_point(size=40, filled=True, opacity=1),
        height=CURVE_HEIGHT,
    )


def metric_curve(
    scores: pd.DataFrame,
    metric: str,
    sizes: dict[str, int],
    epochs: float,
    *,
    within: bool = False,
) -> alt.LayerChart:
    """Draw one metric of the classifier over the epochs, a line per split.

    Parameters
    ----------
    scores : DataFrame
        ``epoch``, ``split`` and ``value`` in [0, 1].
    metric : str
        Name of the metric, for the axis.
    sizes, epochs, within
        As in `loss_curve`.
    """
    named = {split: split_size(split, n) for split, n in sizes.items()}
    colour, dash = _series(
        "split",
        list(named.values()),
        [SPLIT_COLOURS[split] for split in named],
        [SPLIT_DASHES[split] for split in named],
    )
    base = alt.Chart(scores.assign(split=scores["split"].map(named))).encode(
        x=epoch_positions(epochs, within=within),
        y=alt.Y("value:Q", title=metric).scale(domain=[0, 1]),
        color=colour,
        tooltip=[
            alt.Tooltip("split:N", title="Split"),
            alt.Tooltip("epoch:Q", title="Epoch", format=".2~f"),
            alt.Tooltip("value:Q", title=metric, format=".3f"),
        ],
    )
    return layered(
        base.mark_line(strokeWidth=2).encode(strokeDash=dash),
        base.mark_point(size=40, filled=True, opacity=1),
        height=CURVE_HEIGHT,
    )


def _series(
    field: str, names: list[str], colours: list[str], dashes: list[list[int]]
) -> tuple[alt.Color, alt.StrokeDash]:
    """Return the channels of lines of several series, whose one legend shows colours and dashes.

    The legend has two rows whatever it holds, so that charts side by side are equally high.
    """
    legend = alt.Legend(
        orient="top",
        columns=-(-len(names) // LEGEND_ROWS),
        symbolType="stroke",
        symbolSize=350,
        symbolStrokeWidth=2,
    )
    return (
        alt.Color(f"{field}:N", title=None).scale(domain=names, range=colours).legend(legend),
        alt.StrokeDash(f"{field}:N", title=None).scale(domain=names, range=dashes).legend(legend),
    )


def reliability_chart(
    bins: pd.DataFrame, least: float = 0.0, *, split: str = "val", dark: bool = False
) -> alt.LayerChart:
    """Draw accuracy against confidence, with intervals; on the diagonal they are equal.

    Parameters
    ----------
    bins : DataFrame
        One row per bin: ``confidence``, ``accuracy``, ``low``, ``high`` (95 %) and ``n``.
    least : float
        The confidence of guessing, 1 / number of classes, at which the axis begins.
    split : str
        Of the examples, for the colour.
    dark : bool
        Whether the page has a dark background.
    """
    grey = "#8A93A0" if dark else "#6A7280"
    ends = pd.DataFrame({"confidence": [least, 1.0], "accuracy": [least, 1.0]})
    x = alt.X("confidence:Q", title="Mean confidence of a bin")
    x = x.scale(domain=[least, 1], nice=False).axis(tickCount=8)
    title = f"Accuracy{sample_sizes(bins['n'], ' per bin')}"
    # What never reaches the bottom of the axis would waste half of it.
    bottom = min(least, float(bins["low"].min()))
    low, accuracy = (
        alt.Y(name, type="quantitative", title=title).scale(domain=[bottom, 1], nice=False)
        for name in ("low", "accuracy")
    )
    shown = bins.assign(
        interval=[f"{a:.2f} to {b:.2f}" for a, b in zip(bins["low"], bins["high"], strict=True)]
    )
    base = alt.Chart(shown).encode(
        x=x,
        tooltip=[
            alt.Tooltip("confidence:Q", title="Mean confidence", format=".3f"),
            alt.Tooltip("accuracy:Q", title="Accuracy", format=".3f"),
            alt.Tooltip("interval:N", title="95 % interval"),
            alt.Tooltip("n:Q", title="Examples", format=","),
        ],
    )
    colour = SPLIT_COLOURS[split]
    return layered(
        alt.Chart(ends)
        .mark_line(color=grey, strokeDash=[5, 4], strokeWidth=1.2, tooltip=None)
        .encode(x=x, y=accuracy),
        base.mark_line(color=colour, strokeWidth=1.5, opacity=0.6, tooltip=None).encode(y=accuracy),
        base.mark_rule(color=colour, strokeWidth=2).encode(y=low, y2="high:Q"),
        base.mark_point(color=colour, filled=True, opacity=1, size=70).encode(y=accuracy),
        height=RELIABILITY_HEIGHT,
    )
