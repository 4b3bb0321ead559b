"""Events: predictions that flipped, labels that only late layers know, neighbours that changed."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, exploring, runs
from layerviz.runs import Run
from layerviz.ui.parts.examples_table import described, open_from_table
from layerviz.ui.parts.map_chart import PATHS
from layerviz.ui.parts.map_controls import pooling_control
from layerviz.ui.parts.selection import MOST_PATHS, select
from layerviz.ui.parts.state import keep, open_tab
from layerviz.ui.run.one_example import cell_controls
from layerviz.wording import epoch_name

MOST_EVENTS = 200
SPLIT_CHOICES = ("val", "train", "test")


def events(run: Run) -> None:
    """Show a list of one kind; a ticked row opens its example."""
    kinds = {
        "Flipped predictions": _flips,
        "Known to late layers only": _late,
        "Changed neighbours": _moved,
    }
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Kind", list(kinds), required=True, key=keep("event_kind", next(iter(kinds)))
        )
        there = [split for split in SPLIT_CHOICES if split in run.dataset["counts"]]
        split = st.segmented_control(
            "Split", ["all", *there], required=True, key=keep("event_split", "all")
        )
    kinds[kind](run, split)


def _flips(run: Run, split: str) -> None:
    predicted, _, _ = cache.classified(run)
    examples = cache.examples(run)
    found = exploring.flips(predicted, examples["label"].to_numpy())
    found["last flip"] = [epoch_name(run.snapshots[at].epoch) for at in found["last_flip"]]
    found = found.rename(columns={"n_flips": "flips"})[["row", "flips", "last flip", "outcome"]]
    since = epoch_name(run.snapshots[1 if len(run.snapshots) > 2 else 0].epoch)
    st.caption(
        f"Examples on which the classifier changed its mind between captures, counted since "
        f"{since}" + (" (before it, the head is random)" if len(run.snapshots) > 2 else "") + ". "
        "Learned: wrong at first, right at last. Forgotten: right once, wrong at last. Wavered: "
        "right at both ends, or never right. Most flips first."
    )
    _list(run, examples, found, split, "flipped")


def _late(run: Run, split: str) -> None:
    measured = runs.measured_snapshots(run)
    if not measured:
        st.caption("The layers are not measured yet: see the tab Layers.")
        return
    pooling = pooling_control("event_pooling", run.poolings)
    guessed = cache.probe_predictions(run, measured, pooling)[-1, 1:]
    examples = cache.examples(run)
    found = exploring.only_late(guessed == examples["label"].to_numpy())
    when = epoch_name(run.snapshots[measured[-1]].epoch)
    st.caption(
        f"Examples whose label the probes get right in the last third of the layers only, and in "
        f"no layer before ({when}). Probes were fitted to train: look at val first."
    )
    found = found.rename(columns={"first_layer": "first layer"})
    _list(run, examples, found, split, "known to late layers only")


def _moved(run: Run, split: str) -> None:
    pooling = pooling_control("event_pooling", run.poolings)
    layer, after = cell_controls(run, "event")
    before = run.snapshots[0].index
    if after == before:
        st.info("Choose an epoch after training has begun.", icon=":material/schedule:")
        return
    found = cache.neighbour_changes(run, (before, after), pooling, layer)
    examples = cache.examples(run)
    kept = found["overlap"]
    st.caption(
        "How many of an example's ten nearest train examples in the full hidden size are still "
        f"the same as before training. On average {10 * kept.mean():.1f} of 10 stayed."
    )
    found = found.assign(**{"neighbours kept": kept}).drop(columns="overlap")
    _list(run, examples, found, split, "that changed neighbours")


def _list(run: Run, examples: pd.DataFrame, found: pd.DataFrame, split: str, how: str) -> None:
    """Show the notable examples of a split, with what is notable about them in front."""
    splits = examples["split"].to_numpy()
    if split != "all":
        found = found[splits[found["row"].to_numpy(dtype=int)] == split]
    if found.empty:
        st.info("There are none.", icon=":material/check:")
        return
    shown = found.head(MOST_EVENTS)
    rows = shown["row"].to_numpy(dtype=int)
    predictions = cache.predictions(run, run.snapshots[-1].index)
    frame = described(run, examples.iloc[rows], predictions).drop(columns=["loss", "confidence"])
    for place, (name, values) in enumerate(shown.drop(columns="row").items()):
        frame.insert(place, name, values.to_numpy())
    n = (
        f"The first {MOST_EVENTS} of {len(found):,}"
        if len(found) > MOST_EVENTS
        else f"{len(found):,}"
    )
    drawn = examples["id"].to_numpy()[rows[splits[rows] != "test"]]
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.markdown(f"**{n} examples.** Tick a row to open one.", width="content")
        st.button(
            f"Mark the first {min(MOST_PATHS, len(drawn))} in the maps",
            icon=":material/scatter_plot:",
            key="event_marks",
            disabled=not len(drawn),
            on_click=to_maps,
            args=(run, drawn[:MOST_PATHS], how),
            help="With their paths through the epochs.",
        )
    columns = {"neighbours kept": st.column_config.ProgressColumn(format="percent", max_value=1)}
    open_from_table(run, frame, examples["id"].iloc[rows], "events", columns)


def to_maps(run: Run, ids: np.ndarray, how: str) -> None:
    """Mark examples in the maps, with their ways; for callbacks."""
    select(run, ids.tolist(), how)
    st.session_state[PATHS] = True
    open_tab("Maps")
