"""An open run: header, progress, figures, tabs."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from layerviz import runs
from layerviz.data import Dataset
from layerviz.runs import Run
from layerviz.ui.parts.run_actions import (
    STATUS_MARKS,
    choose_runs,
    delete_button,
    new_run_button,
    sizes,
    title,
)
from layerviz.ui.parts.state import permalink, plain, remember
from layerviz.ui.run.examples import examples
from layerviz.ui.run.export import export_tab
from layerviz.ui.run.layers import layers_tab
from layerviz.ui.run.maps import maps
from layerviz.ui.run.progress import cancel_button, captured_sizes, curves, outcome, progress
from layerviz.wording import epoch_name

# What a reader chose in one tab is kept while another is open.
KEPT = (
    "pooling", "projection", "colouring", "layer_preset", "focus-", "layers-", "classes-",
    "measure", "layers_pooling", "answer_poolings", "against_start", "detail_", "paths",
    "examples_view", "example_pooling", "example_layer", "example_epoch", "event_kind",
    "event_split", "event_pooling", "event_layer", "event_epoch", "own_texts_typed",
    "own_texts_pooling", "own_texts_projection", "own_texts_colouring", "own_texts_layer",
)  # fmt: skip


def run_view(run: Run, dataset: Dataset | None) -> None:
    """Show everything about one run; `dataset` is what is chosen on the left."""
    _header(run)
    progress(run)
    outcome(run, dataset)
    if run.snapshots:
        _figures(run)
    remember(*KEPT)
    tabs = st.tabs(list(TABS), key="tabs", on_change="rerun")
    for tab, (part, early) in zip(tabs, TABS.values(), strict=True):
        with tab:
            if not tab.open:
                continue
            if run.snapshots or early:
                part(run)
            else:
                _no_maps_yet(run)


def _header(run: Run) -> None:
    name, actions = st.columns([1, 1], vertical_alignment="bottom")
    colour, icon = STATUS_MARKS[run.status]
    encoder = ""
    if run.encoder:
        encoder = f" · {run.encoder['layers']} layers of {run.encoder['hidden_size']}"
    with name:
        st.subheader(plain(title(run)), anchor=False)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.badge(run.status.capitalize(), color=colour, icon=icon)
            st.caption(f"{sizes(run)}{encoder}", width="content")
    with actions, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        cancel_button(run)
        choose_runs(run, [run])
        new_run_button()


def _figures(run: Run) -> None:
    history = runs.read_history(run.path).dropna(subset=["val_macro_f1"])
    if history.empty:
        return
    first, last = history.iloc[0], history.iloc[-1]
    risen = last["val_macro_f1"] - first["val_macro_f1"]
    change = f"{risen:+.3f}" if abs(risen) >= 0.0005 else None
    figures = (
        (
            "Val macro-F1",
            last["val_macro_f1"],
            change,
            "Below it: the change since before training.",
        ),
        ("Val accuracy", last["val_accuracy"], None, None),
        ("Train macro-F1", last["train_macro_f1"], None, None),
        (
            "Train − val gap",
            last["train_macro_f1"] - last["val_macro_f1"],
            None,
            "Macro-F1 on train minus macro-F1 on val: overfitting shows here.",
        ),
    )
    for place, (name, value, delta, note) in zip(st.columns(4), figures, strict=True):
        shown = f"{round(value, 3) + 0.0:.3f}"  # no "-0.000"
        place.metric(name, shown, delta, border=True, height="stretch", help=note)
    sizes = captured_sizes(run)
    st.caption(
        f"The model's own classifier at the newest snapshot ({epoch_name(last['epoch'])}), "
        "on the captured examples: "
        f"{sizes['train']:,} train, {sizes['val']:,} val."
    )


def _no_maps_yet(run: Run) -> None:
    if run.live:
        st.info(
            "The first maps appear as soon as the encoder is loaded and its hidden states before "
            "training are captured.",
            icon=":material/hourglass_top:",
        )
    else:
        st.info("This run ended before anything was captured.", icon=":material/layers_clear:")


def _about(run: Run) -> None:
    left, right = st.columns(2)
    with left:
        st.markdown("**Settings**")
        st.dataframe(_as_table(run.config.as_dict()), hide_index=True, width="stretch")
        if run.training:
            st.markdown("**As trained**")
            st.dataframe(_as_table(run.training), hide_index=True, width="stretch")
    with right:
        st.markdown("**Data**")
        columns = {f"{role} column": name for role, name in run.dataset["columns"].items() if name}
        counts = {f"{s} examples": sum(c.values()) for s, c in run.dataset["counts"].items()}
        facts = {"name": run.dataset["name"], "fingerprint": run.dataset["fingerprint"]}
        st.dataframe(_as_table(facts | columns | counts), hide_index=True, width="stretch")
        st.caption("  \n".join(f":material/info: {plain(note)}" for note in run.dataset["notes"]))
        st.markdown("**Folder**")
        st.code(str(run.path), language=None, wrap_lines=True)
        st.markdown("**Permalink**")
        st.code(permalink(run.run_id), language=None, wrap_lines=True)
        delete_button(run)


def _as_table(values: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "setting": [name.replace("_", " ") for name in values],
            "value": [
                ", ".join(f"{key} {part:,}" for key, part in value.items())
                if isinstance(value, dict)
                else ""
                if value is None
                else str(value)
                for value in values.values()
            ],
        }
    )


# What each tab shows, and whether it has something to show before the first snapshot.
TABS = {
    "Maps": (maps, False),
    "Layers": (layers_tab, False),
    "Examples": (examples, False),
    "Training": (curves, True),
    "Export": (export_tab, False),
    "Run": (_about, True),
}
