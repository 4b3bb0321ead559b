"""The "Training" tab: learning curves, and the model's own classifier at a chosen epoch."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts, runs, separability
from layerviz.config import TRAIN_AND_VAL
from layerviz.runs import Run
from layerviz.separability import MOST_CLASSES
from layerviz.ui.parts.examples_table import described, open_from_table
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.measured import epoch_control
from layerviz.ui.parts.polling import SECONDS_BETWEEN_LOOKS, draw_while_live
from layerviz.ui.parts.state import plain
from layerviz.views import learning_curve
from layerviz.wording import at_epoch, count

CONFUSION = "confusion"  # the selection of the confusion matrix


def training_tab(run: Run) -> None:
    """Show the learning curves of a run and, from its first snapshot on, how its model does."""
    draw_while_live(_curves, run, live=run.live, seconds=2 * SECONDS_BETWEEN_LOOKS)
    if run.snapshots:
        _classifier(run)


def captured_sizes(run: Run) -> dict[str, int]:
    """Return how many examples of train and of val were captured."""
    totals = {split: sum(counts.values()) for split, counts in run.dataset["counts"].items()}
    return {split: min(totals[split], run.config.max_captured) for split in TRAIN_AND_VAL}


# --- learning curves ------------------------------------------------------------------------


def _curves(run: Run) -> None:
    if runs.read_history(run.path).empty:
        st.caption("The learning curves appear with the first step.")
        return
    examples = cache.examples(run) if run.snapshots else pd.DataFrame()
    history = learning_curve(run, examples, partial(cache.predictions, run))
    sizes = captured_sizes(run)
    epochs = run.training["total_steps"] / run.training["steps_per_epoch"]
    left, middle, right = st.columns(3)
    with left:
        st.markdown("**Loss**")
        figure(
            charts.loss_curve(history, sizes, epochs),
            key="loss_curve",
            alt="Line chart: loss of train, of val and of the batches over the epochs.",
            name=f"{run.run_id}-loss",
            frame=history,
        )
    for container, score, name in (
        (middle, "macro_f1", "Macro-F1"),
        (right, "accuracy", "Accuracy"),
    ):
        scores = history.rename(columns={f"{s}_{score}": s for s in sizes}).melt(
            "epoch", list(sizes), "split", "value"
        )
        with container:
            st.markdown(f"**{name} of the classifier**")
            figure(
                charts.metric_curve(scores.dropna(), name, sizes, epochs),
                key=f"curve_{score}",
                alt=f"Line chart: {name} of train and val over the epochs.",
                name=f"{run.run_id}-{score}",
                frame=scores,
            )
    weighted = ", classes weighted" if run.config.class_weighting != "none" else ""
    st.caption(
        "Train and val are scored on the captured examples, in evaluation mode, at every snapshot; "
        "*train batches* is the mean loss of the batches since the last point, dropout included"
        f"{weighted}."
    )


# --- the classifier at one epoch ------------------------------------------------------------


def _classifier(run: Run) -> None:
    first = runs.model_snapshot(run)
    heading, control = st.columns([3, 1], vertical_alignment="bottom")
    heading.markdown("#### The model's own classifier on val")
    with control:
        snapshot = epoch_control(
            run,
            [one.index for one in run.snapshots],
            f"classifier_epoch_{run.run_id}_{run.created}_{first}",  # in a live run it changes
            first,
        )
    examples = cache.examples(run)
    val = examples[examples["split"] == "val"]
    predictions = cache.predictions(run, snapshot).loc[val.index]
    left, right = st.columns([3, 2], gap="large")
    with left:
        _confusion(run, snapshot, val, predictions)
    with right:
        _reliability(run, snapshot, val, predictions)


def _confusion(run: Run, snapshot: int, val: pd.DataFrame, predictions: pd.DataFrame) -> None:
    st.markdown("**Confusion matrix**")
    true, predicted = val["label"].to_numpy(), predictions["predicted"].to_numpy()
    table = separability.confusion_table(true, predicted, run.label_names)
    key = f"{CONFUSION}-{run.run_id}-{snapshot}"
    figure(
        charts.confusion_heat_map(table, dark=st.context.theme.type == "dark"),
        key=key,
        alt="Heat map: how many val examples of each class are predicted as each class.",
        name=f"{run.run_id}-confusion-{snapshot}",
        frame=table,
        on_select="rerun",
        selection_mode=[CONFUSION],
    )
    n_classes = len(np.union1d(true, predicted))
    cut = ""
    if n_classes > MOST_CLASSES:
        cut = f" The {MOST_CLASSES} most frequent of {n_classes} classes are drawn."
    st.caption(
        f"{count(len(val), 'val example')} {at_epoch(run.snapshots[snapshot].epoch)}. Rows add up "
        f"to 100 %.{cut} Click a tile to list its examples."
    )
    columns = [name for name in table["predicted"].unique() if name in run.label_names]
    tiles = st.session_state[key]["selection"].get(CONFUSION, ())  # none is an empty mapping
    for tile in list(tiles)[:1]:
        _examples_of(run, tile, columns, val, predictions)


def _examples_of(
    run: Run,
    tile: dict[str, str],
    columns: list[str],
    val: pd.DataFrame,
    predictions: pd.DataFrame,
) -> None:
    """List the examples of one label that are taken for one class, or for one without a column."""
    names = np.asarray(run.label_names, dtype=object)
    taken = names[predictions["predicted"].to_numpy()]
    known = tile["predicted"] in columns
    chosen = taken == tile["predicted"] if known else ~np.isin(taken, columns)
    part = val[(names[val["label"].to_numpy()] == tile["label"]) & chosen]
    st.markdown(
        f"**{count(len(part), 'example')}** of {plain(tile['label'])} predicted as "
        f"{plain(tile['predicted'])}, hardest first"
    )
    frame = described(run, part, predictions).sort_values("loss", ascending=False, kind="stable")
    open_from_table(run, frame, frame["id"].tolist(), CONFUSION)


def _reliability(run: Run, snapshot: int, val: pd.DataFrame, predictions: pd.DataFrame) -> None:
    st.markdown("**Reliability curve**")
    right = (val["label"] == predictions["predicted"]).to_numpy()
    curve = separability.reliability(predictions["confidence"].to_numpy(), right, run.config.seed)
    figure(
        charts.reliability_chart(
            curve.bins, 1 / len(run.label_names), dark=st.context.theme.type == "dark"
        ),
        key="reliability",
        alt="Line chart: accuracy against mean confidence in bins, with 95 % intervals.",
        name=f"{run.run_id}-reliability-{snapshot}",
        frame=curve.bins,
    )
    sentences = " ".join(separability.reliability_sentences(curve))
    st.caption(
        f"{plain(sentences)} Bins of equal size by confidence; 95 % intervals of Wilson (1927); on "
        "the dashed line, confidence and accuracy are equal."
    )
