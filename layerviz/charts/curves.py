"""Legends, learning curves and the pictures of a data set."""

from __future__ import annotations

import altair as alt
import pandas as pd

from layerviz.charts.palette import OTHER_COLOUR, SPLIT_COLOURS, WRONG_COLOUR
from layerviz.config import SPLITS


def loss_curve(history: pd.DataFrame, total_steps: int) -> alt.Chart:
    """Draw the training loss over the optimizer steps.

    Parameters
    ----------
    history : DataFrame
        ``step``, ``epoch`` and ``loss``.
    total_steps : int
        Right end of the axis, so that the curve grows into a fixed frame.
    """
    return (
        alt.Chart(history[["step", "epoch", "loss"]].dropna())
        .mark_line(color=SPLIT_COLOURS["train"], strokeWidth=1.5)
        .encode(
            x=alt.X("step:Q", title="Optimizer step").scale(
                domain=[0, max(total_steps, 1)], nice=False
            ),
            y=alt.Y("loss:Q", title="Training loss").scale(zero=False),
            tooltip=[
                alt.Tooltip("step:Q", title="Step"),
                alt.Tooltip("epoch:Q", title="Epoch", format=".2f"),
                alt.Tooltip("loss:Q", title="Loss", format=".3f"),
            ],
        )
        .properties(height=300)
    )


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
    named = {split: f"{split} (n = {n:,})" for split, n in sizes.items()}
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
