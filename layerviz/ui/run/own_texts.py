"""The reader's own texts: what the model predicts, and where they land in the layers' maps."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts, exploring, runs
from layerviz.errors import LayervizError
from layerviz.exploring import OwnTexts
from layerviz.pairs import BAR, TYPED_BARS, pair_as_typed, without_mark
from layerviz.projection import projection_notes
from layerviz.runs import Run
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.map_chart import MAPS_IN_WORDS, cached_maps, ready_view
from layerviz.ui.parts.map_controls import (
    classes_in_colour,
    colour_legend,
    map_controls,
    pooling_control,
)
from layerviz.ui.parts.measured import epoch_control
from layerviz.ui.parts.state import keep, show_error
from layerviz.ui.run.one_example import cell_controls, show_neighbours
from layerviz.ui.run.tokens import tokens_of_text
from layerviz.views import (
    MAPS_FOOTNOTE,
    MapsView,
    RunMaps,
    figures_note,
    first_and_last_layers,
)
from layerviz.views.slider import most_per_split
from layerviz.wording import at_epoch

READ = "own_texts_read"  # session state: the texts that were last read


def own_texts_part(run: Run) -> None:
    """Let the reader type texts, and show how the fine-tuned model reads them."""
    weights = runs.model_folders(run)
    if not weights:
        st.info("The model is stored when the run ends.", icon=":material/hourglass_top:")
        return
    between = f"first text {TYPED_BARS} second text"
    typed = st.text_area(
        "One pair of texts per line" if run.reads_pairs else "One text per line",
        key=keep("own_texts_typed", ""),
        height=110,
        placeholder=f"Type pairs the model has not seen, one per line: {between}"
        if run.reads_pairs
        else "Type texts the model has not seen, one per line.",
        help=f"Between the two texts of a pair, write {TYPED_BARS} or {BAR}."
        if run.reads_pairs
        else None,
    )
    as_read = pair_as_typed if run.reads_pairs else without_mark
    texts = tuple(as_read(line.strip()) for line in typed.splitlines() if line.strip())
    left, right = st.columns([1, 3], vertical_alignment="bottom")
    if left.button("Read", type="primary", icon=":material/visibility:", key="own_texts_go"):
        st.session_state[READ] = texts
    with right:
        snapshot = _snapshot(run, weights)
    texts = st.session_state.get(READ, ())
    if not texts:
        return
    folder = weights[snapshot]
    try:
        read = cache.own_texts(run, folder, texts)
    except LayervizError as error:
        show_error(error)
        return
    _predictions(run, read)
    _in_maps(run, read, folder, snapshot)
    _near(run, read, folder, snapshot)


def _snapshot(run: Run, weights: dict[int, Path]) -> int:
    """Let the reader choose among the epochs whose weights were kept."""
    newest = max(weights)
    if len(weights) == 1:
        when = at_epoch(run.snapshots[newest].epoch)
        which = "the newest" if newest == len(run.snapshots) - 1 else "the one that was kept"
        st.caption(
            f"Read by the model as it was {when}, {which}. *Keep weights of* all snapshots, under "
            "More settings in the sidebar, lets you choose an epoch in later runs."
        )
        return newest
    key = f"own_texts_epoch-{run.run_id}"
    return epoch_control(run, sorted(weights), key, newest, "Model at")


def _predictions(run: Run, read: OwnTexts) -> None:
    predicted = read.probabilities.argmax(axis=1)
    names = np.asarray(run.label_names, dtype=object)
    frame = pd.DataFrame(
        {
            "n": range(1, len(predicted) + 1),
            "predicted": names[predicted],
            "confidence": read.probabilities.max(axis=1),
            "text": [text[:1000] for text in read.texts],
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * len(frame), 320),
        column_config={
            "n": st.column_config.NumberColumn(width=40),
            "predicted": st.column_config.TextColumn(width=140),
            "confidence": st.column_config.ProgressColumn(format="percent", max_value=1, width=100),
            "text": st.column_config.TextColumn(width="large"),
        },
    )


def _in_maps(run: Run, read: OwnTexts, folder: Path, snapshot: int) -> None:
    st.markdown("**Where they land** (stars; placed into the maps, which do not change)")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pooling = pooling_control("own_texts_pooling", list(read.pooled))
        projection, colouring = map_controls("own_texts_", cache.colourable_columns(run))
    classes = classes_in_colour(run, colouring, f"classes-{run.run_id}")
    layers = first_and_last_layers(int(run.encoder["layers"]))
    view = MapsView(pooling, projection, colouring, layers, classes)
    view = replace(view, column=cache.column_colours(run, colouring))
    colour_legend(view.legend(run.label_names), "own_texts_legend")
    view = ready_view(run, view, snapshot)
    rows = charts.sample_rows(cache.examples(run)["split"].to_numpy(), most_per_split(len(layers)))
    # In the axes of all snapshots, as in the Maps tab.
    every = tuple(one.index for one in run.snapshots)
    maps = cached_maps(run, view, [snapshot], rows, fitted_on=every)
    stars = _stars(run, read, folder, snapshot, maps)
    figure(
        charts.layer_maps(
            maps.points(),
            maps.texts(),
            maps.panels(),
            layers=layers,
            label_names=run.label_names,
            n_slots=1,
            dark=st.context.theme.type == "dark",
            own_texts=stars,
            footnote=MAPS_FOOTNOTE,
            value_name="" if view.column is None else view.column.title,
        ),
        key="own_texts_maps",
        name=f"{run.run_id}-own-texts",
        alt=MAPS_IN_WORDS,
    )
    notes = projection_notes(view.projection, len(run.label_names))
    st.caption(" ".join([*figures_note([maps]), *notes]))


def _stars(run: Run, read: OwnTexts, folder: Path, snapshot: int, maps: RunMaps) -> pd.DataFrame:
    """Return where the texts land in the maps of one snapshot, as `charts.layer_maps` takes it."""
    every = tuple(one.index for one in run.snapshots)
    view, positions = maps.view, {}
    for layer, of_layer in maps.by_layer.items():
        xy = cache.placed_texts(
            run,
            folder,
            read.texts,
            view.projection,
            view.pooling,
            layer,
            every,
            snapshot,
            of_layer.xy[0],
        )
        positions[layer] = of_layer.to_unit_square(xy)
    verdicts = [
        f"{run.label_names[label]} ({p:.0%})"
        for label, p in zip(
            read.probabilities.argmax(axis=1), read.probabilities.max(axis=1), strict=True
        )
    ]
    texts = [text[:240] for text in read.texts]
    return charts.own_texts_frame(positions, texts, verdicts)


def _near(run: Run, read: OwnTexts, folder: Path, snapshot: int) -> None:
    st.markdown("**Nearest train examples in the full hidden size**")
    n = len(read.texts)
    which = 0
    if n > 1:
        which = st.selectbox(
            "Neighbours of",
            range(n),
            format_func=lambda at: f"{at + 1}: {read.texts[at][:60]}",
            key=keep(f"own_texts_which-{n}", 0),
        )
    pooling = st.session_state["own_texts_pooling"]
    layer, _ = cell_controls(run, "own_texts", at=snapshot)
    states = cache.layer_states(run, snapshot, pooling, layer)
    examples = cache.examples(run)
    nearest = exploring.nearest_to(
        read.pooled[pooling][layer][which : which + 1], states, examples["split"].to_numpy()
    )
    show_neighbours(
        run, examples, nearest.rows[0], nearest.similarity[0], snapshot, "own_neighbours"
    )
    tokens_of_text(run, read.texts[which], folder)
