"""Step 4: the maps of the layers, train and val side by side."""

from __future__ import annotations

import streamlit as st

from layerviz import cache, charts
from layerviz.projection import DEFAULT_PROJECTION
from layerviz.runs import Run
from layerviz.ui.parts.examples_table import examples_table
from layerviz.ui.parts.map_chart import PATHS, View, draw_maps, small_print
from layerviz.ui.parts.map_controls import (
    PRESETS,
    classes_in_colour,
    colour_legend,
    first_layers,
    map_controls,
    pooling_control,
)
from layerviz.ui.parts.selection import MOST_PATHS, search_box, selection
from layerviz.ui.parts.state import OPEN_TAB, keep, open_tab, redrawing
from layerviz.wording import layer_name

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
    if st.session_state.get(OPEN_TAB, "Maps") != "Maps":  # a ticked row has opened another tab
        st.rerun()
    examples = cache.examples(run)
    legend, search = st.columns([3, 1], vertical_alignment="center")
    with legend:
        colour_legend(run, view.colouring, view.classes, "legend")
    with search:
        search_box(run, examples)
    with redrawing():
        drawn = draw_maps(run, view, shown, key="maps", start=st.session_state.get("map_start"))
    small_print(run, drawn)
    chosen = selection(run)
    if 0 < len(chosen) <= MOST_PATHS:
        st.toggle(
            "Show their paths through the epochs",
            key=keep(PATHS, True),
            help="A line from snapshot to snapshot, up to where the slider stands.",
        )
    examples_table(run, examples, chosen, drawn.snapshots[-1], "examples")


def open_map(run: Run, layer: int, snapshot: int, pooling: str) -> None:
    """Show one layer large at one snapshot; for callbacks, it takes effect in the rerun."""
    st.session_state[f"focus-{run.encoder['layers']}"] = layer
    st.session_state["pooling"] = pooling
    st.session_state["map_start"] = (run.run_id, snapshot)
    open_tab("Maps")


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
    labels = cache.examples(run)["label"].to_numpy()
    pooling = state.get("pooling")
    return View(
        pooling if pooling in run.poolings else run.poolings[0],
        state.get("projection", DEFAULT_PROJECTION),
        state.get("colouring", charts.COLOURINGS[0]),
        layers,
        None if focus == OVERVIEW else focus,
        state.get(f"classes-{run.run_id}") or charts.most_frequent(labels),
    )


# --- controls -------------------------------------------------------------------------------


def _controls(run: Run) -> View:
    n_layers = int(run.encoder["layers"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pooling = pooling_control("pooling", run.poolings)
        projection, colouring = map_controls("")
        preset = st.selectbox("Layers", [*PRESETS, CHOICE], key=keep("layer_preset"), width=205)
        view_place = st.container(width=165)
    layers = _layers(preset, n_layers)
    focus = view_place.selectbox(
        "View",
        [OVERVIEW, *range(n_layers + 1)],
        format_func=lambda choice: choice if choice == OVERVIEW else layer_name(choice),
        key=keep(f"focus-{n_layers}"),
        help="One layer large, or all of them small.",
    )
    return View(
        pooling,
        projection,
        colouring,
        layers,
        None if focus == OVERVIEW else focus,
        classes_in_colour(run, colouring, f"classes-{run.run_id}"),
    )


def _layers(preset: str, n_layers: int) -> list[int]:
    if preset != CHOICE:
        return PRESETS[preset](n_layers)
    chosen = st.pills(
        "Which layers",
        list(range(n_layers + 1)),
        selection_mode="multi",
        format_func=lambda layer: "0 (embeddings)" if layer == 0 else str(layer),
        key=keep(f"layers-{n_layers}", first_layers(n_layers)),
    )
    return sorted(chosen)
