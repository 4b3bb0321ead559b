"""The "Training" tab: learning curves, and the model's own classifier at a chosen epoch."""

from __future__ import annotations

from functools import partial

import streamlit as st

from layerviz import cache, charts, runs, separability
from layerviz.config import SPLITS
from layerviz.runs import Run
from layerviz.ui.parts.choice import choose_one
from layerviz.ui.parts.figure import figure, heading_row
from layerviz.ui.parts.guard import fragment
from layerviz.ui.parts.measured import epoch_slider
from layerviz.ui.parts.polling import SECONDS_BETWEEN_LOOKS, draw_while_live
from layerviz.ui.parts.state import OPEN_TAB, plain
from layerviz.ui.parts.verdict import chosen_poolings
from layerviz.ui.run.confusion import Predicted, confusion
from layerviz.ui.run.figures import figures_strip

SCORES = {"macro_f1": "Macro-F1", "accuracy": "Accuracy"}
SPLITS_OF_CLASSIFIER = ("val", "test", "train")  # what it has not seen comes first
TRAINING = "Training"


def training_tab(run: Run) -> None:
    """Show the learning curves of a run and, from its first snapshot on, how its model does."""
    _figures(run)
    draw_while_live(_curves, run, live=run.live, seconds=2 * SECONDS_BETWEEN_LOOKS)
    if run.snapshots:
        fragment(_classifier)(run)


def _figures(run: Run) -> None:
    """Show which figure is which, as far as they are there already."""
    stored = cache.stored_sheet(run, chosen_poolings(run))
    if stored is not None:
        figures_strip(stored.sheet)


def captured_sizes(run: Run) -> dict[str, int]:
    """Return how many examples of each split are captured."""
    totals = {split: sum(counts.values()) for split, counts in run.dataset["counts"].items()}
    most = run.config.max_captured
    return {split: min(totals[split], most) for split in SPLITS if totals.get(split)}


# --- learning curves ------------------------------------------------------------------------


def _curves(run: Run) -> None:
    if not run.trains:
        st.caption("Nothing was trained, so that there are no learning curves.")
        return
    history = cache.learning_curve(run)
    if history.empty:
        st.caption("The learning curves appear with the first step.")
        return
    sizes = {split: n for split, n in captured_sizes(run).items() if f"{split}_macro_f1" in history}
    epochs = run.training["total_steps"] / run.training["steps_per_epoch"]
    within = run.config.snapshots_per_epoch > 1
    left, right = st.columns(2, gap="medium")
    with left:
        figure(
            partial(charts.loss_curve, history, sizes, epochs, within=within),
            key="loss_curve",
            title="**Loss**",
            alt="Line chart: loss of each split and of the training batches over the epochs.",
            name=f"{run.run_id}-loss",
            frame=history,
        )
    with right:
        row = heading_row("score_curve")
    with row:
        score = choose_one(
            "Score of the model",
            list(SCORES),
            key="curve_score",
            format_func=lambda name: SCORES[name],
            label_visibility="collapsed",
        )
    name = SCORES[score]
    scores = history.rename(columns={f"{split}_{score}": split for split in sizes}).melt(
        "epoch", list(sizes), "split", "value"
    )
    with right:
        figure(
            partial(charts.metric_curve, scores.dropna(), name, sizes, epochs, within=within),
            key="score_curve",
            row=row,
            alt=f"Line chart: {name} of each split over the epochs.",
            name=f"{run.run_id}-{score}",
            frame=scores,
        )
    weighted = ", classes weighted" if run.config.class_weighting != "none" else ""
    test = " Test (dashed) is never part of a choice." if "test" in sizes else ""
    st.caption(
        "The splits are scored on the captured examples, in evaluation mode, at every snapshot; "
        "*train batches* is the mean loss of the batches since the last point, dropout included"
        f"{weighted}.{test}"
    )


# --- the classifier at one epoch ------------------------------------------------------------


def _classifier(run: Run) -> None:
    """Draw; a choice redraws this part of the page alone."""
    if st.session_state.get(OPEN_TAB) != TRAINING:  # the examples of a tile are shown elsewhere
        st.rerun()
    st.markdown("## The model's own predictions")
    examples = cache.examples(run)
    splits = [split for split in SPLITS_OF_CLASSIFIER if (examples["split"] == split).any()]
    first, second = st.columns([1, 3], vertical_alignment="bottom", gap="medium")
    with first:
        split = choose_one("Split", splits, key="classifier_split")
    with second:
        every = [one.index for one in run.snapshots]
        key = f"classifier_epoch_{run.run_id}_{run.created}"
        snapshot = epoch_slider(run, every, key, runs.model_snapshot(run))
    part = examples[examples["split"] == split]
    predictions = cache.predictions(run, snapshot).loc[part.index]
    shown = Predicted(run, snapshot, split, part, predictions)
    confusion(shown)
    _reliability(shown)


def _reliability(shown: Predicted) -> None:
    run = shown.run
    curve = cache.reliability(run, shown.snapshot, shown.split)
    left, beside = st.columns([3, 2], gap="medium")
    with left:
        figure(
            partial(
                charts.reliability_chart,
                curve.bins,
                1 / len(run.label_names),
                split=shown.split,
                dark=st.context.theme.type == "dark",
            ),
            key="reliability",
            title="**Reliability curve**: is its confidence earned?",
            alt="Line chart: accuracy against mean confidence in bins, with 95 % intervals.",
            name=f"{run.run_id}-reliability-{shown.split}-{shown.snapshot}",
            frame=curve.bins,
        )
    with beside:
        sentences = separability.reliability_sentences(curve, shown.split)
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences))
        st.caption(
            "Bins of equal size by confidence; 95 % intervals of Wilson (1927); on the dashed "
            "line, confidence and accuracy are equal."
        )
