"""Step 4: the maps of the layers, train and val side by side."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from layerviz import cache, charts, export
from layerviz.config import METHOD_NAMES, POOLINGS
from layerviz.runs import Run
from layerviz.ui.examples_table import examples_table
from layerviz.ui.map_chart import TRAILS, View, draw_maps, small_print
from layerviz.ui.selection import MOST_TRAILS, search_box, selection
from layerviz.ui.state import first_value, redrawing

POOLING_NAMES = {"mean": "mean", "cls": "[CLS]", "max": "max"}
PRESETS: dict[str, Callable[[int], list[int]]] = {
    "First four and last four": lambda n: list(export.first_and_last(n)),
    "All": lambda n: list(range(1, n + 1)),
    "Every other": lambda n: list(range(n, 0, -2))[::-1],
}
CHOICE = "My choice"
OVERVIEW = "All chosen layers"


def maps(run: Run) -> None:
    """Show the controls and the maps of a run that has at least one snapshot."""
    view = _controls(run)
    if not view.layers and view.focus is None:
        st.info("Choose at least one layer.", icon=":material/layers:")
        return
    shown = [view.focus] if view.focus is not None else view.layers
    st.fragment(_maps)(run, view, shown)


def _maps(run: Run, view: View, shown: list[int]) -> None:
    """Draw; a selection redraws this part of the page alone."""
    if st.session_state.get("tabs", "Maps") != "Maps":  # a ticked row has opened another tab
        st.rerun()
    examples = cache.examples(run.run_id, run.created, run)
    legend, search = st.columns([3, 1], vertical_alignment="center")
    with legend:
        colour_legend(run, view.colouring, view.classes, "legend")
    with search:
        search_box(run, examples)
    with redrawing():
        drawn = draw_maps(run, view, shown, key="maps", start=st.session_state.get("map_start"))
    small_print(run, drawn)
    chosen = selection(run)
    if 0 < len(chosen) <= MOST_TRAILS:
        st.toggle(
            "Show their paths through the epochs",
            key=first_value(TRAILS, True),
            help="A line from snapshot to snapshot, up to where the slider stands.",
        )
    examples_table(run, examples, chosen, drawn.snapshots[-1], "examples")


def open_map(run: Run, layer: int, snapshot: int, pooling: str) -> None:
    """Show one layer large at one snapshot; for callbacks, it takes effect in the rerun."""
    st.session_state[f"focus-{run.encoder['layers']}"] = layer
    st.session_state["pooling"] = pooling
    st.session_state["map_start"] = (run.run_id, snapshot)
    st.session_state["tabs"] = "Maps"


def view_now(run: Run) -> View:
    """Return what the tab Maps shows, or will show when it is opened."""
    n_layers = int(run.encoder["layers"])
    state = st.session_state
    preset = state.get("layer_preset", next(iter(PRESETS)))
    if preset == CHOICE:
        layers = sorted(state.get(f"layers-{n_layers}", [])) or first_layers(n_layers)
    else:
        layers = PRESETS[preset](n_layers)
    focus = state.get(f"focus-{n_layers}", OVERVIEW)
    labels = cache.examples(run.run_id, run.created, run)["label"].to_numpy()
    return View(
        state.get("pooling", "mean"),
        state.get("projection", "pca"),
        state.get("colouring", charts.COLOURINGS[0]),
        layers,
        None if focus == OVERVIEW else focus,
        state.get(f"classes-{run.run_id}") or charts.most_frequent(labels),
    )


def first_layers(n_layers: int) -> list[int]:
    """Return the layers that are shown before the reader chooses."""
    return PRESETS[next(iter(PRESETS))](n_layers)


# --- controls -------------------------------------------------------------------------------


def _controls(run: Run) -> View:
    n_layers = int(run.encoder["layers"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pooling = pooling_control("pooling", "mean")
        method, colouring = map_controls("")
        preset = st.selectbox("Layers", [*PRESETS, CHOICE], key="layer_preset", width=205)
        view_place = st.container(width=165)
    layers = _layers(preset, n_layers)
    focus = view_place.selectbox(
        "View",
        [OVERVIEW, *range(n_layers + 1)],
        format_func=lambda choice: choice if choice == OVERVIEW else charts.layer_name(choice),
        key=f"focus-{n_layers}",
        help="One layer large, or all of them small.",
    )
    return View(
        pooling,
        method,
        colouring,
        layers,
        None if focus == OVERVIEW else focus,
        classes_in_colour(run, colouring, f"classes-{run.run_id}"),
    )


def pooling_control(key: str, first: str) -> str:
    """Let the reader choose a pooling, `first` at first."""
    return st.segmented_control(
        "Pooling",
        POOLINGS,
        required=True,
        format_func=POOLING_NAMES.get,
        key=first_value(key, first),
        width="content",
        help="How a layer's token vectors become one vector per example.",
    )


def map_controls(prefix: str) -> tuple[str, str]:
    """Let the reader choose projection and colouring.

    The choices live under ``projection`` and ``colouring``, after `prefix`.
    """
    method = st.segmented_control(
        "Projection",
        list(METHOD_NAMES),
        required=True,
        format_func=METHOD_NAMES.get,
        key=first_value(f"{prefix}projection", "pca"),
        width="content",
        help="PCA: a linear view, the same axes at every epoch. LDA: the directions that tell the "
        "train labels apart best; how they fare on val is the point. t-SNE and UMAP: "
        "neighbourhoods; distances between far clusters mean little. All are fitted on train only.",
    )
    colouring = st.selectbox(
        "Colour by",
        charts.COLOURINGS,
        format_func=str.capitalize,
        key=f"{prefix}colouring",
        width=150,
    )
    return method, colouring


def _layers(preset: str, n_layers: int) -> list[int]:
    if preset != CHOICE:
        return PRESETS[preset](n_layers)
    chosen = st.pills(
        "Which layers",
        list(range(n_layers + 1)),
        selection_mode="multi",
        format_func=lambda layer: "0 (embeddings)" if layer == 0 else str(layer),
        key=first_value(f"layers-{n_layers}", first_layers(n_layers)),
    )
    return sorted(chosen)


def classes_in_colour(run: Run, colouring: str, key: str) -> list[int]:
    """Return the classes with a colour of their own; the user chooses where there are many."""
    examples = cache.examples(run.run_id, run.created, run)
    default = charts.most_frequent(examples["label"].to_numpy())
    names = run.label_names
    if len(names) <= len(charts.CLASS_COLOURS):
        return list(range(len(names)))
    if colouring not in ("label", "prediction"):
        return default
    chosen = st.multiselect(
        f"Classes in colour (up to {len(charts.CLASS_COLOURS)} of {len(names):,}; others are grey)",
        range(len(names)),
        format_func=lambda index: names[index],
        max_selections=len(charts.CLASS_COLOURS),
        key=first_value(key, default),
    )
    return sorted(chosen) or default


def colour_legend(run: Run, colouring: str, classes: list[int], key: str) -> None:
    """Show what the colours mean; `classes` are those with a colour of their own."""
    entries = export.legend_entries(run.label_names, colouring, classes)
    chart = (
        charts.legend(pd.DataFrame(entries, columns=["name", "colour"]))
        if entries
        else charts.confidence_legend()
    )
    st.altair_chart(chart, width="stretch", key=key, alt="Legend of the colours.")
