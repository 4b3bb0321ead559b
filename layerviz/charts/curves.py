"""Legends, learning curves and the pictures of a data set."""

from __future__ import annotations

import altair as alt
import pandas as pd

from layerviz.charts.palette import BATCH_COLOUR, OTHER_COLOUR, SPLIT_COLOURS, WRONG_COLOUR
from layerviz.charts.score_parts import sample_sizes
from layerviz.config import SPLITS

BATCHES = "train batches"
RELIABILITY_HEIGHT = 340  # pixels


def split_size(split: str, n: int) -> str:
    """Name a split with the number of its examples, as legends do."""
    return f"{split} (n = {n:,})"


def loss_curve(history: pd.DataFrame, sizes: dict[str, int], epochs: float) -> alt.LayerChart:
    """Draw the loss over the epochs: of train and val at each snapshot, and of the batches.

    Parameters
    ----------
    history : DataFrame
        ``epoch``, ``loss`` (of the batches since the row before), ``train_loss`` and ``val_loss``.
    sizes : dict of str to int
        Number of examples measured per split, for the legend.
    epochs : float
        Right end of the axis, so that the curves grow into a fixed frame.
    """
    names = {"loss": BATCHES} | {
        f"{split}_loss": split_size(split, n) for split, n in sizes.items()
    }
    colours = [BATCH_COLOUR, *(SPLIT_COLOURS[split] for split in sizes)]
    rows = history.melt("epoch", list(names), "series", "value").dropna()
    rows = rows.assign(of_batches=rows["series"] == "loss", series=rows["series"].map(names))
    base = alt.Chart(rows).encode(
        x=alt.X("epoch:Q", title="Epoch").scale(domain=[0, max(epochs, 1)], nice=False),
        y=alt.Y("value:Q", title="Loss").scale(zero=False),
        color=alt.Color("series:N", title=None)
        .scale(domain=list(names.values()), range=colours)
        .legend(orient="top", columns=1, rowPadding=1, symbolType="circle"),
        tooltip=[
            alt.Tooltip("series:N", title="Loss of"),
            alt.Tooltip("epoch:Q", title="Epoch", format=".2f"),
            alt.Tooltip("value:Q", title="Loss", format=".3f"),
        ],
    )
    return alt.LayerChart(
        layer=[
            base.transform_filter("datum.of_batches").mark_line(strokeWidth=1.2),
            base.transform_filter("!datum.of_batches").mark_line(strokeWidth=2, point={"size": 40}),
        ]
    ).properties(height=300)


def metric_curve(scores: pd.DataFrame, metric: str, sizes: dict[str, int], epochs: float):
    """Draw one metric of the classifier over the epochs, train and val.

    Parameters
    ----------
    scores : DataFrame
        ``epoch``, ``split`` ("train" or "val") and ``value`` in [0, 1].
    metric : str
        Name of the metric, for the axis.
    sizes : dict of str to int
        Number of examples measured per split, for the legend.
    epochs : float
        Right end of the axis.

    Returns
    -------
    alt.Chart
    """
    named = {split: split_size(split, n) for split, n in sizes.items()}
    frame = scores.assign(split=scores["split"].map(named))
    colour = alt.Color(
        "split:N",
        title=None,
        scale=alt.Scale(
            domain=list(named.values()), range=[SPLIT_COLOURS[split] for split in named]
        ),
        legend=alt.Legend(orient="top", columns=1, symbolType="circle"),
    )
    return (
        alt.Chart(frame)
        .mark_line(strokeWidth=2, point={"size": 40})
        .encode(
            x=alt.X("epoch:Q", title="Epoch").scale(domain=[0, max(epochs, 1)], nice=False),
            y=alt.Y("value:Q", title=metric).scale(domain=[0, 1]),
            color=colour,
            tooltip=[
                alt.Tooltip("split:N", title="Split"),
                alt.Tooltip("epoch:Q", title="Epoch", format=".2f"),
                alt.Tooltip("value:Q", title=metric, format=".3f"),
            ],
        )
        .properties(height=300)
    )


def reliability_chart(bins: pd.DataFrame, least: float = 0.0, *, dark: bool = False):
    """Draw accuracy against confidence, with intervals; on the diagonal they are equal.

    Parameters
    ----------
    bins : DataFrame
        One row per bin: ``confidence``, ``accuracy``, ``low``, ``high`` (95 %) and ``n``.
    least : float
        The confidence of guessing, 1 / number of classes, at which the axis begins.
    dark : bool
        Whether the page has a dark background.

    Returns
    -------
    alt.LayerChart
    """
    grey = "#8A93A0" if dark else "#6A7280"
    ends = pd.DataFrame({"confidence": [least, 1.0], "accuracy": [least, 1.0]})
    x = alt.X("confidence:Q", title="Mean confidence").scale(domain=[least, 1], nice=False)
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
    val = SPLIT_COLOURS["val"]
    return alt.LayerChart(
        layer=[
            alt.Chart(ends)
            .mark_line(color=grey, strokeDash=[5, 4], strokeWidth=1.2, tooltip=None)
            .encode(x=x, y=accuracy),
            base.mark_line(color=val, strokeWidth=1.5, opacity=0.6, tooltip=None).encode(
                y=accuracy
            ),
            base.mark_rule(color=val, strokeWidth=2).encode(y=low, y2="high:Q"),
            base.mark_point(color=val, filled=True, opacity=1, size=70).encode(y=accuracy),
        ]
    ).properties(height=RELIABILITY_HEIGHT)


def class_counts(counts: pd.DataFrame) -> alt.Chart:
    """Draw how many examples each class has in each split.

    Parameters
    ----------
    counts : DataFrame
        ``label``, ``split``, ``n``; one row per class and split.
    """
    splits = [split for split in SPLITS if split in set(counts["split"])]
    order = list(dict.fromkeys(counts["label"]))
    return (
        alt.Chart(counts)
        .mark_bar(cornerRadiusEnd=2)
        .encode(
            y=alt.Y("label:N", title=None, sort=order, axis=alt.Axis(labelLimit=160)),
            x=alt.X("n:Q", title="Examples", axis=alt.Axis(tickMinStep=1)),
            color=alt.Color(
                "split:N",
                title=None,
                sort=splits,
                scale=alt.Scale(
                    domain=splits, range=[SPLIT_COLOURS.get(s, OTHER_COLOUR) for s in splits]
                ),
                legend=alt.Legend(orient="top", symbolType="circle"),
            ),
            yOffset=alt.YOffset("split:N", sort=splits),
            tooltip=[
                alt.Tooltip("label:N", title="Label"),
                alt.Tooltip("split:N", title="Split"),
                alt.Tooltip("n:Q", title="Examples", format=","),
            ],
        )
        .properties(height=130 + 16 * len(splits) * len(order))
    )


def length_histogram(lengths: pd.DataFrame, limit: int, unit: str) -> alt.LayerChart:
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
    bars = (
        alt.Chart(lengths)
        .mark_bar(color=SPLIT_COLOURS["train"], binSpacing=1)
        .encode(
            x=alt.X("start:Q", bin="binned", title=f"Length of a text ({unit})"),
            x2="end:Q",
            y=alt.Y("n:Q", title="Texts", axis=alt.Axis(tickMinStep=1)),
            tooltip=[
                alt.Tooltip("start:Q", title="From"),
                alt.Tooltip("end:Q", title="To"),
                alt.Tooltip("n:Q", title="Texts", format=","),
            ],
        )
    )
    rule = (
        alt.Chart(pd.DataFrame({"limit": [limit]}))
        .mark_rule(color=WRONG_COLOUR, strokeWidth=2, strokeDash=[5, 3])
        .encode(x="limit:Q", tooltip=alt.Tooltip("limit:Q", title="Max length"))
    )
    layers = [bars, rule] if limit <= lengths["end"].max() else [bars]
    return alt.LayerChart(layer=layers).properties(height=220)
