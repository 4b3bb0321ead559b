"""Events: predictions that flipped, labels that only late layers get right, changed neighbours."""

from __future__ import annotations

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, exploring, runs
from layerviz.registry import Registry
from layerviz.runs import Run
from layerviz.ui.parts.choice import choose_one
from layerviz.ui.parts.examples_table import described, open_from_table
from layerviz.ui.parts.filter_box import filter_box, filtered
from layerviz.ui.parts.map_controls import pooling_control
from layerviz.ui.parts.selection import MOST_PATHS, select
from layerviz.ui.parts.state import open_tab
from layerviz.ui.parts.tabs import Tab
from layerviz.ui.run.one_example import cell_controls
from layerviz.wording import count, epoch_name

MOST_EVENTS = 200
SPLIT_CHOICES = ("val", "train", "test")


def events(run: Run) -> None:
    """Show a list of one kind; a ticked row opens its example."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = choose_one("Kind", list(EVENT_KINDS), key="event_kind")
        splits = [split for split in SPLIT_CHOICES if split in run.dataset["counts"]]
        split = choose_one("Split", ["all", *splits], key="event_split")
    EVENT_KINDS[kind].draw(run, split)


def _flips(run: Run, split: str) -> None:
    predicted, _, _ = cache.classified(run)
    flips = exploring.flips(predicted, cache.examples(run)["label"].to_numpy())
    flips["last flip"] = [epoch_name(run.snapshots[at].epoch) for at in flips["last_flip"]]
    flips = flips.rename(columns={"n_flips": "flips"})[["row", "flips", "last flip", "outcome"]]
    skips_start = len(run.snapshots) > 2
    start = epoch_name(run.snapshots[int(skips_start)].epoch)
    reason = " (before training, the head is random)" if skips_start else ""
    st.caption(
        f"Examples whose prediction changed between captures, counted from {start}{reason}. "
        "Learned: wrong at first, right in the end. Forgotten: right at some point, wrong in the "
        "end. Wavered: right at both ends, or never right. Most flips first."
    )
    _list(run, flips, split, "because their predictions flipped")


def _late(run: Run, split: str) -> None:
    measured = runs.measured_snapshots(run)
    if not measured:
        st.caption("The layers are not measured yet; see the Layers tab.")
        return
    pooling = pooling_control("event_pooling", run.poolings)
    predicted = cache.probe_predictions(run, measured, pooling)[-1, 1:]
    late = exploring.only_late(predicted == cache.examples(run)["label"].to_numpy())
    when = epoch_name(run.snapshots[measured[-1]].epoch)
    st.caption(
        "Examples whose label the probes get right only in the last third of the layers, and in "
        f"no earlier layer ({when}). Some are here by chance, as probes of single layers waver; "
        "and the probes were fitted to train, so look at val first."
    )
    late = late.rename(columns={"first_layer": "first layer"})
    _list(run, late, split, "because only late layers get them right")


def _neighbour_changes(run: Run, split: str) -> None:
    pooling = pooling_control("event_pooling", run.poolings)
    layer, after = cell_controls(run, "event")
    before = run.snapshots[0].index
    if after == before:
        st.info("Choose an epoch after training has begun.", icon=":material/schedule:")
        return
    changes = cache.neighbour_changes(run, (before, after), pooling, layer)
    st.caption(
        "How many of an example's ten nearest train examples in the full hidden size are still "
        f"the same as before training. On average {10 * changes['overlap'].mean():.1f} of 10 "
        "stayed."
    )
    changes = changes.rename(columns={"overlap": "neighbours kept"})
    _list(run, changes, split, "because their neighbours changed")


EVENT_KINDS = Registry(
    "kind of event",
    [
        Tab("Flipped predictions", _flips),
        Tab("Right only in late layers", _late),
        Tab("Changed neighbours", _neighbour_changes),
    ],
)


def _list(run: Run, notable: pd.DataFrame, split: str, how: str) -> None:
    """Show the notable examples of a split, with what is notable about them in front."""
    examples = cache.examples(run)
    splits = examples["split"].to_numpy()
    if split != "all":
        notable = notable[splits[notable["row"].to_numpy(dtype=int)] == split]
    passing = filtered(examples.iloc[notable["row"].to_numpy(dtype=int)], filter_box(run))
    notable = notable[notable["row"].isin(passing.index)]
    if notable.empty:
        st.info("There are no such examples.", icon=":material/check:")
        return
    listed = notable.head(MOST_EVENTS)
    rows = listed["row"].to_numpy(dtype=int)
    predictions = cache.predictions(run, run.snapshots[-1].index)
    frame = described(run, examples.iloc[rows], predictions).drop(columns=["loss", "confidence"])
    for position, (name, values) in enumerate(listed.drop(columns="row").items()):
        frame.insert(position, name, values.to_numpy())
    n = count(len(notable), "example")
    if len(notable) > MOST_EVENTS:
        n = f"The first {MOST_EVENTS} of {n}"
    on_maps = examples["id"].to_numpy()[rows[splits[rows] != "test"]]
    with st.container(
        horizontal=True, horizontal_alignment="distribute", vertical_alignment="center"
    ):
        st.markdown(f"**{n}.** Tick a row to open one.", width="content")
        st.button(
            f"Mark the first {min(MOST_PATHS, len(on_maps))} in the maps",
            icon=":material/scatter_plot:",
            key="event_marks",
            disabled=not len(on_maps),
            on_click=to_maps,
            args=(run, on_maps[:MOST_PATHS], how),
            help="With their paths through the epochs.",
        )
    columns = {"neighbours kept": st.column_config.ProgressColumn(format="percent", max_value=1)}
    open_from_table(run, frame, examples["id"].iloc[rows].tolist(), "events", columns)


def to_maps(run: Run, ids: np.ndarray, how: str) -> None:
    """Mark examples in the maps, with their paths; for callbacks."""
    select(run, ids.tolist(), how)
    open_tab("Maps")
