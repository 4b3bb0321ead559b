"""One example: its text, predictions, layers that get it right, path, neighbours and tokens."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts, data, exploring, runs
from layerviz.config import SPLITS, TRAIN_AND_VAL
from layerviz.projection import DEFAULT_PROJECTION
from layerviz.runs import Run
from layerviz.ui.parts.examples_table import described, open_from_table, opened_example
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.filter_box import filter_box, filtered
from layerviz.ui.parts.map_chart import show_maps
from layerviz.ui.parts.map_controls import (
    classes_in_colour,
    pooling_control,
)
from layerviz.ui.parts.measured import epoch_control
from layerviz.ui.parts.selection import nothing_found, select
from layerviz.ui.parts.state import keep, open_maps, plain
from layerviz.ui.run.tokens import tokens_of_text
from layerviz.views import MapsView, figures_note, first_and_last_layers
from layerviz.wording import at_epoch, epoch_name, layer_name, sentence_case

LONG_TEXT = 600  # characters; a longer one scrolls
FINDER = "example_finder"
MOST_FOUND = 200
CELL_SHOWN = 200  # characters of what a further column holds


def one_example(run: Run) -> None:
    """Show the example that is open, or let the reader find one."""
    examples = cache.examples(run)
    opened = opened_example(run)
    rows = np.flatnonzero(examples["id"] == opened)
    finder = st.expander(
        "Find an example",
        icon=":material/search:",
        expanded=not len(rows),
        key=f"find-{len(rows)}",
        on_change="rerun",
    )
    if finder.open:
        with finder:
            _finder(run, examples)
    if not len(rows):
        return
    row = int(rows[0])
    _text(run, examples.iloc[row], row)
    pooling = pooling_control("example_pooling", run.poolings)
    left, right = st.columns(2)
    with left:
        _over_epochs(run, examples, row)
    with right:
        _right_layers(run, examples, row, pooling)
    _path(run, examples, row, pooling)
    _nearest_classes(run, row, pooling)
    _neighbours(run, examples, row, pooling)
    weights = runs.model_folders(run)
    tokens_of_text(run, examples["text"].iloc[row], weights[max(weights)] if weights else None)


def _finder(run: Run, examples: pd.DataFrame) -> None:
    wanted = st.text_input(
        "Part of the text, a row of your file, or an id",
        key=keep(FINDER, ""),
        placeholder="e.g. row 17, or train-17",
    ).strip()
    hits = examples
    if wanted:
        hits = examples[exploring.matching(examples, runs.names_of(run, examples), wanted)]
    if hits.empty:
        nothing_found(run, examples)
        return
    hits = filtered(hits, filter_box(run))
    newest = run.snapshots[-1].index
    predictions = cache.predictions(run, newest)
    frame = described(run, hits, predictions).sort_values("loss", ascending=False, kind="stable")
    frame = frame.head(MOST_FOUND)
    open_from_table(run, frame, frame["id"].tolist(), "finder")
    more = f"The {MOST_FOUND} hardest of {len(hits):,}. " if len(hits) > MOST_FOUND else ""
    st.caption(f"{more}Tick a row here, or in the table below the maps, to open that example.")


def _text(run: Run, example: pd.Series, row: int) -> None:
    last = run.snapshots[-1]
    predicted, confidence, _ = cache.classified(run)
    prediction, share = run.label_names[predicted[-1, row]], confidence[-1, row]
    right = predicted[-1, row] == example["label"]
    is_long = len(example["text"]) > LONG_TEXT
    with st.container(border=True):
        with st.container(height=200 if is_long else "content", border=False):
            st.code(example["text"], language=None, wrap_lines=True)  # no link, no markup
        mark = ":material/check:" if right else ":material/close:"
        st.caption(
            f"**{plain(runs.names_of(run, example.to_frame().T)[0])}** · {plain(example['id'])} · "
            "label "
            f"**{plain(run.label_names[example['label']])}** · {mark} predicted "
            f"**{plain(prediction)}** ({share:.0%}, {epoch_name(last.epoch)})"
        )
        if further := _further(example):
            st.caption(further)


def _further(example: pd.Series) -> str:
    """Say what the further columns of the data hold, those that hold something."""
    cells = ((name, str(example[name])) for name in data.further_names(example.to_frame().T))
    parts = [
        f"{plain(name)} **{plain(cell[:CELL_SHOWN])}**" for name, cell in cells if cell.strip()
    ]
    return " · ".join(parts)


def _over_epochs(run: Run, examples: pd.DataFrame, row: int) -> None:
    predicted, confidence, loss = (values[:, row] for values in cache.classified(run))
    names = np.asarray(run.label_names, dtype=object)
    right = predicted == examples["label"].iloc[row]
    st.markdown("**What the classifier predicts, epoch by epoch**")
    moments = pd.DataFrame(
        {
            "epoch": [snapshot.epoch for snapshot in run.snapshots],
            "when": [epoch_name(snapshot.epoch) for snapshot in run.snapshots],
            "p_label": np.exp(-loss),
            "predicted": names[predicted],
            "confidence": confidence,
            "verdict": np.where(right, "right", "wrong"),
        }
    )
    figure(
        partial(charts.label_probability, moments, dark=st.context.theme.type == "dark"),
        key="chart_of_epochs",
        alt="Line chart: probability of the example's own label over the epochs.",
        name=f"{run.run_id}-{examples['id'].iloc[row]}-epochs",
        frame=moments,
    )
    lines = [f"{row.when}: {row.predicted} ({row.confidence:.0%})" for row in moments.itertuples()]
    with st.expander("In words"):
        st.markdown("  \n".join(plain(line) for line in lines))


def _right_layers(run: Run, examples: pd.DataFrame, row: int, pooling: str) -> None:
    st.markdown("**Which layers get it right** (linear probes)")
    measured = runs.measured_snapshots(run)
    if not measured:
        st.caption("The layers are not measured yet; see the Layers tab.")
        return
    predicted = cache.probe_predictions(run, measured, pooling)[:, :, row]  # (S, L + 1)
    right = predicted == examples["label"].iloc[row]
    names = np.asarray(run.label_names, dtype=object)
    snapshots, layers = (grid.ravel() for grid in np.indices(predicted.shape))
    epochs = np.array([run.snapshots[index].epoch for index in measured])
    cells = pd.DataFrame(
        {
            "layer": layers,
            "snapshot": np.array(measured)[snapshots],
            "epoch": epochs[snapshots],
            "when": [epoch_name(epoch) for epoch in epochs[snapshots]],
            "predicted": names[predicted.ravel()],
            "verdict": np.where(right.ravel(), "right", "wrong"),
        }
    )
    figure(
        partial(charts.knowledge_strip, cells),
        key="chart_of_layers",
        alt="Heat map: whether the probe of each layer gets the example right at each epoch.",
        name=f"{run.run_id}-{examples['id'].iloc[row]}-layers",
        frame=cells,
    )
    st.caption(_right_layers_sentence(right, epochs[-1], examples["split"].iloc[row]))


def _right_layers_sentence(right: np.ndarray, last_epoch: float, split: str) -> str:
    """Say from which layer on the probes get an example right; `right` is of shape (S, L + 1)."""
    first = int(exploring.earliest_layer(right[-1, 1:, None])[0])
    moment = sentence_case(at_epoch(last_epoch))
    if not right.any():
        sentence = "No layer gets it right at any epoch."
    elif first:
        sentence = f"{moment}, every layer gets it right from layer {first} on."
    else:
        sentence = f"{moment}, the last layer gets it wrong."
    if split == "train":
        sentence += " It is a train example: the probes were fitted to it."
    return sentence


def _path(run: Run, examples: pd.DataFrame, row: int, pooling: str) -> None:
    example = examples.iloc[row]
    st.markdown("**Its path through each layer's map**")
    classes = classes_in_colour(run, "label", f"classes-{run.run_id}")
    layers = first_and_last_layers(_n(run))
    splits = SPLITS if example["split"] == "test" else TRAIN_AND_VAL
    view = MapsView(pooling, DEFAULT_PROJECTION, "label", layers, classes, splits)
    shown = show_maps(run, view, key="example_maps", only=example["id"])
    st.caption(" ".join(figures_note([shown.maps])))
    st.button(
        "Show in the Maps tab",
        icon=":material/scatter_plot:",
        key="example_in_maps",
        on_click=_to_maps,
        args=(run, example["id"], example["split"]),
    )


def _nearest_classes(run: Run, row: int, pooling: str) -> None:
    """List, layer by epoch, the class that an example is nearest to, and so moves towards."""
    st.markdown("**Which class it moves towards**: the nearest in the full hidden size")
    snapshots = tuple(snapshot.index for snapshot in run.snapshots)
    of_layers = [
        cache.nearest_classes(run, snapshots, pooling, layer, (row,))
        for layer in first_and_last_layers(_n(run))
    ]
    nearest = pd.concat(of_layers, ignore_index=True)
    names = np.asarray(run.label_names, dtype=object)
    table = nearest.assign(nearest=names[nearest["nearest"].to_numpy()]).pivot(
        index="layer", columns="snapshot", values="nearest"
    )
    table.columns = pd.Index([epoch_name(run.snapshots[int(at)].epoch) for at in table.columns])
    table.index = pd.Index([layer_name(layer) for layer in table.index], name="layer")
    st.dataframe(table, width="stretch", height=38 + 35 * len(table), key="nearest_classes")
    st.caption(
        "The class whose mean over train is nearest, as “Nearest class mean” in the Layers tab "
        "measures it; a train example does not count towards the mean of its own class. A path on "
        "a map may point elsewhere, as a map has two dimensions only."
    )


def _to_maps(run: Run, example: str, split: str) -> None:
    select(run, [example])
    open_maps([split])


def _n(run: Run) -> int:
    return int(run.encoder["layers"])


def _neighbours(run: Run, examples: pd.DataFrame, row: int, pooling: str) -> None:
    st.markdown("**Its nearest train examples in the full hidden size**")
    layer, snapshot = cell_controls(run, "example")
    neighbours = cache.neighbours(run, snapshot, pooling, layer, row)
    rows = neighbours.rows[0]
    show_neighbours(run, examples, rows, neighbours.similarity[0], snapshot, "neighbours")
    labels = examples["label"].to_numpy()
    n_same = int((labels[rows] == labels[row]).sum())
    st.caption(
        f"{n_same} of {len(rows)} carry its label. Similarity is the cosine of the states centred "
        "on the train mean."
    )


def cell_controls(run: Run, prefix: str, at: int | None = None) -> tuple[int, int]:
    """Let the reader choose a layer and, where `at` is not given, a snapshot: first the last."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        layer = st.selectbox(
            "Layer",
            range(_n(run) + 1),
            format_func=layer_name,
            key=keep(f"{prefix}_layer-{_n(run)}", _n(run)),
            width=150,
        )
        if at is not None:
            return layer, at
        newest = run.snapshots[-1].index
        every = [snapshot.index for snapshot in run.snapshots]
        snapshot = epoch_control(run, every, f"{prefix}_epoch-{run.run_id}-{newest}", newest)
    return layer, snapshot


def show_neighbours(
    run: Run,
    examples: pd.DataFrame,
    rows: np.ndarray,
    similarity: np.ndarray,
    snapshot: int,
    key: str,
) -> None:
    """List train examples with their similarity; a ticked row opens one."""
    part = examples.iloc[rows]
    predictions = cache.predictions(run, snapshot)
    frame = described(run, part, predictions).drop(columns=["split", "loss", "confidence"])
    frame.insert(0, "similarity", similarity)
    columns = {"similarity": st.column_config.NumberColumn(format="%.2f", width=80)}
    open_from_table(run, frame, part["id"].tolist(), key, columns)
