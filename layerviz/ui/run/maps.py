"""Step 4: the maps of the layers, train and val side by side."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from layerviz import cache, charts, data
from layerviz.config import SPLITS, TRAIN_AND_VAL
from layerviz.projection import DEFAULT_PROJECTION
from layerviz.runs import Run
from layerviz.ui.parts.continuing import own_data
from layerviz.ui.parts.epoch_place import go_to_epoch
from layerviz.ui.parts.examples_table import examples_table
from layerviz.ui.parts.guard import fragment
from layerviz.ui.parts.map_chart import show_maps
from layerviz.ui.parts.map_controls import (
    PRESETS,
    classes_in_colour,
    colouring_from_address,
    colouring_into_address,
    map_controls,
    pooling_control,
)
from layerviz.ui.parts.reading import how_to_read_maps
from layerviz.ui.parts.selection import search_box, selection
from layerviz.ui.parts.state import (
    OPEN_TAB,
    SHOW_TEST,
    chosen_data,
    keep,
    keep_choice,
    open_tab,
    plain,
    redrawing,
)
from layerviz.ui.parts.stored_maps import progress_of_maps
from layerviz.ui.parts.verdict import chosen_poolings
from layerviz.views import (
    MapsView,
    captured_note,
    colourings,
    first_and_last_layers,
    selected_examples,
    slider_note,
    small_print,
)
from layerviz.views.slider import nearest_slot
from layerviz.wording import layer_name

CHOICE = "My choice"
# Session state: the run whose maps were shown last, and the pooling that was preset then.
_POOLING_OF, _FIRST_POOLING = "pooling_of", "first_pooling"


def maps(run: Run) -> None:
    """Show the controls and the maps of a run that has at least one snapshot."""
    fragment(_maps)(run)


def _maps(run: Run) -> None:
    """Draw; what is chosen or selected redraws this part of the page alone."""
    if st.session_state.get(OPEN_TAB, "Maps") != "Maps":  # ticking a row has opened another tab
        st.rerun()
    examples = cache.examples(run)
    view = _controls(run, examples)
    if not view.layers:
        st.info("Choose at least one layer.", icon=":material/layers:")
        return
    with redrawing():
        shown = show_maps(
            run,
            view,
            key="maps",
            enlarged=isinstance(st.session_state[_layers_key(run)], int),
            on_enlarged=lambda layer: _enlarge(run, layer),
        )
    progress_of_maps(run, view)
    sample = "a random sample plus the selected ones (one layer shown large has all of them)"
    notes = small_print([shown.maps], probe_is_in="see the Layers tab", sample=sample)
    st.caption(" ".join([*notes, *captured_note(shown.maps), *slider_note(shown.slots)]))
    how_to_read_maps()
    chosen, at = selection(run), nearest_slot(shown.maps.snapshots, shown.snapshot)
    examples_table(
        run,
        examples,
        chosen,
        shown.snapshot,
        "examples",
        lambda: selected_examples(shown.maps, chosen, at),
    )


def open_map(run: Run, layer: int, snapshot: int, pooling: str) -> None:
    """Show one layer large at one snapshot; for callbacks, it takes effect in the rerun."""
    _enlarge(run, layer)
    st.session_state["pooling"] = pooling
    go_to_epoch(run, snapshot)
    open_tab("Maps")


def view_now(run: Run) -> MapsView:
    """Return what the Maps tab shows, or will show when it is opened."""
    n_layers = int(run.encoder["layers"])
    state = st.session_state
    layers = _layers_of(state.get(_layers_key(run), first_preset()), n_layers)
    labels = cache.examples(run)["label"].to_numpy()
    choices = colourings(cache.further_columns(run))
    colouring = state.get("colouring")
    colouring = colouring if colouring in choices else choices[0]
    return MapsView(
        pooling_now(run),
        state.get("projection", DEFAULT_PROJECTION),
        colouring,
        layers,
        tuple(state.get(f"classes-{run.run_id}") or charts.most_frequent(labels)),
        _splits_of(run, wanted=bool(state.get(SHOW_TEST))),
        cache.column_colours(run, colouring),
    )


def pooling_now(run: Run) -> str:
    """Return the pooling whose maps are shown: the reader's, or the one that the answer recommends.

    What is recommended is looked up when a run is opened, so that maps do not change on their own.
    """
    state = st.session_state
    is_chosen = state.get("pooling") != state.get(_FIRST_POOLING)
    if not is_chosen and state.get(_POOLING_OF) != run.run_id:
        state["pooling"] = state[_FIRST_POOLING] = _recommended_pooling(run)
    state[_POOLING_OF] = run.run_id
    pooling = state.get("pooling")
    return pooling if pooling in run.poolings else run.poolings[0]


def _recommended_pooling(run: Run) -> str:
    """Return the pooling that the stored answer names, or the run's first where it names none."""
    stored = None if run.live else cache.stored_sheet(run, chosen_poolings(run))
    if stored is None or stored.sheet.answer.verdict in ("few", "chance"):
        return run.poolings[0]
    return stored.sheet.answer.best.pooling


# --- controls -------------------------------------------------------------------------------


def _controls(run: Run, examples: pd.DataFrame) -> MapsView:
    n_layers, key = int(run.encoder["layers"]), _layers_key(run)
    choices: list[str | int] = [*PRESETS, CHOICE, *range(n_layers + 1)]
    columns = cache.colourable_columns(run)
    colouring_from_address(columns)
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        pooling = pooling_control("pooling", run.poolings, pooling_now(run), labelled=False)
        with st.container(width="content"):
            splits = _splits(run)
        projection, colouring = map_controls("", columns, labelled=False)
        chosen = st.selectbox(
            "Layers",
            choices,
            format_func=lambda choice: choice if isinstance(choice, str) else layer_name(choice),
            key=keep_choice(key, choices, first_preset()),
            label_visibility="collapsed",
            width=196,
        )
        with st.container(width=122):
            search_box(run, examples)
    if chosen == CHOICE:
        st.pills(
            "Which layers",
            list(range(n_layers + 1)),
            selection_mode="multi",
            format_func=lambda layer: "0 (embeddings)" if layer == 0 else str(layer),
            key=keep(f"layers-{n_layers}", list(first_and_last_layers(n_layers))),
        )
    dataset = own_data(run, chosen_data())
    if dataset is not None and (lacking := data.lacking_columns(examples, dataset.examples)):
        st.caption(plain(lacking))
    colouring_into_address(run, colouring)
    return MapsView(
        pooling,
        projection,
        colouring,
        _layers_of(chosen, n_layers),
        classes_in_colour(run, colouring, f"classes-{run.run_id}"),
        splits,
        cache.column_colours(run, colouring),
    )


def _splits(run: Run) -> tuple[str, ...]:
    """Let the reader add test, where there is one; return which splits are shown."""
    if "test" in run.dataset["counts"]:
        st.toggle("Show test", key=keep(SHOW_TEST, False))
    return _splits_of(run, wanted=bool(st.session_state.get(SHOW_TEST)))


def _splits_of(run: Run, *, wanted: bool) -> tuple[str, ...]:
    """Return which splits maps show; `wanted` says whether a reader has asked for test."""
    return SPLITS if wanted and "test" in run.dataset["counts"] else TRAIN_AND_VAL


def _layers_key(run: Run) -> str:
    """Return where the session keeps which layers are shown, of encoders with as many."""
    return f"layers_shown-{run.encoder['layers']}"


def first_preset() -> str:
    """Return which layers are shown at first."""
    return next(iter(PRESETS))


def _layers_of(chosen: str | int, n_layers: int) -> tuple[int, ...]:
    if isinstance(chosen, int):
        return (chosen,)
    if chosen == CHOICE:
        return tuple(sorted(st.session_state.get(f"layers-{n_layers}", [])))
    return PRESETS[chosen](n_layers)


def _enlarge(run: Run, layer: int | None) -> None:
    """Show one layer large, or (None) what was shown before; for callbacks."""
    key, before = _layers_key(run), f"{_layers_key(run)}-before"
    shown = st.session_state.get(key, first_preset())
    if layer is None:
        st.session_state[key] = st.session_state.get(before, first_preset())
    else:
        if not isinstance(shown, int):
            st.session_state[before] = shown
        st.session_state[key] = layer
