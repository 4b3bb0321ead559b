"""Step 4: the maps of the layers, train and val side by side."""

from __future__ import annotations

import streamlit as st

from layerviz import cache, charts
from layerviz.config import COLOURINGS
from layerviz.projection import DEFAULT_PROJECTION
from layerviz.runs import Run
from layerviz.ui.parts.examples_table import examples_table
from layerviz.ui.parts.map_chart import PATHS, show_maps
from layerviz.ui.parts.map_controls import (
    PRESETS,
    classes_in_colour,
    colour_legend,
    map_controls,
    pooling_control,
)
from layerviz.ui.parts.reading import how_to_read_maps
from layerviz.ui.parts.selection import MOST_PATHS, search_box, selection
from layerviz.ui.parts.state import OPEN_TAB, keep, open_tab, redrawing
from layerviz.views import (
    MapsView,
    captured_note,
    first_and_last_layers,
    legend_of,
    slider_note,
    small_print,
)
from layerviz.wording import layer_name

CHOICE = "My choice"
OVERVIEW = "All chosen layers"


def maps(run: Run) -> None:
    """Show the controls and the maps of a run that has at least one snapshot."""
    view = _controls(run)
    if not view.layers:
        st.info("Choose at least one layer.", icon=":material/layers:")
        return
    st.fragment(_maps)(run, view)


def _maps(run: Run, view: MapsView) -> None:
    """Draw; a selection redraws this part of the page alone."""
    if st.session_state.get(OPEN_TAB, "Maps") != "Maps":  # ticking a row has opened another tab
        st.rerun()
    examples = cache.examples(run)
    left, right = st.columns([3, 1], vertical_alignment="center")
    with left:
        colour_legend(legend_of(run.label_names, view.colouring, view.classes), "legend")
    with right:
        search_box(run, examples)
    with redrawing():
        run_maps, slots = show_maps(run, view, key="maps", start=st.session_state.get("map_start"))
    sample = "a random sample plus the selected ones (one layer shown large has all of them)"
    notes = small_print([run_maps], probe_is_in="see the Layers tab", sample=sample)
    st.caption(" ".join([*notes, *captured_note(run_maps), *slider_note(slots)]))
    how_to_read_maps()
    chosen = selection(run)
    if 0 < len(chosen) <= MOST_PATHS:
        st.toggle(
            "Show their paths through the epochs",
            key=keep(PATHS, True),
            help="A line from snapshot to snapshot, up to the slider's position.",
        )
    examples_table(run, examples, chosen, run_maps.snapshots[-1], "examples")


def open_map(run: Run, layer: int, snapshot: int, pooling: str) -> None:
    """Show one layer large at one snapshot; for callbacks, it takes effect in the rerun."""
    st.session_state[f"focus-{run.encoder['layers']}"] = layer
    st.session_state["pooling"] = pooling
    st.session_state["map_start"] = (run.run_id, snapshot)
    open_tab("Maps")


def view_now(run: Run) -> MapsView:
    """Return what the Maps tab shows, or will show when it is opened."""
    n_layers = int(run.encoder["layers"])
    state = st.session_state
    preset = state.get("layer_preset", next(iter(PRESETS)))
    if preset == CHOICE:
        chosen = tuple(sorted(state.get(f"layers-{n_layers}", [])))
        layers = chosen or first_and_last_layers(n_layers)
    else:
        layers = PRESETS[preset](n_layers)
    focus = state.get(f"focus-{n_layers}", OVERVIEW)
    labels = cache.examples(run)["label"].to_numpy()
    pooling = state.get("pooling")
    return MapsView(
        pooling if pooling in run.poolings else run.poolings[0],
        state.get("projection", DEFAULT_PROJECTION),
        state.get("colouring", COLOURINGS[0]),
        layers if focus == OVERVIEW else (focus,),
        tuple(state.get(f"classes-{run.run_id}") or charts.most_frequent(labels)),
    )


# --- controls -------------------------------------------------------------------------------


def _controls(run: Run) -> MapsView:
    n_layers = int(run.encoder["layers"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pooling = pooling_control("pooling", run.poolings)
        projection, colouring = map_controls("")
        preset = st.selectbox("Layers", [*PRESETS, CHOICE], key=keep("layer_preset"), width=205)
        beside_preset = st.container(width=165)
    layers = _layers(preset, n_layers)
    focus = beside_preset.selectbox(
        "View",
        [OVERVIEW, *range(n_layers + 1)],
        format_func=lambda choice: choice if choice == OVERVIEW else layer_name(choice),
        key=keep(f"focus-{n_layers}"),
        help="One layer large, or all chosen layers small.",
    )
    return MapsView(
        pooling,
        projection,
        colouring,
        layers if focus == OVERVIEW else (focus,),
        classes_in_colour(run, colouring, f"classes-{run.run_id}"),
    )


def _layers(preset: str, n_layers: int) -> tuple[int, ...]:
    if preset != CHOICE:
        return PRESETS[preset](n_layers)
    chosen = st.pills(
        "Which layers",
        list(range(n_layers + 1)),
        selection_mode="multi",
        format_func=lambda layer: "0 (embeddings)" if layer == 0 else str(layer),
        key=keep(f"layers-{n_layers}", list(first_and_last_layers(n_layers))),
    )
    return tuple(sorted(chosen))
