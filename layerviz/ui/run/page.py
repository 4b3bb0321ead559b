"""An open run: header, progress, figures, tabs."""

from __future__ import annotations

import streamlit as st

from layerviz import runs
from layerviz.data import Dataset
from layerviz.registry import Registry
from layerviz.runs import Run
from layerviz.ui.parts.run_actions import (
    STATUS_MARKS,
    choose_runs,
    new_run_button,
    sizes,
    title,
)
from layerviz.ui.parts.state import OPEN_TAB, keep_values, plain
from layerviz.ui.parts.tabs import Tab, draw_tabs
from layerviz.ui.run.about import about
from layerviz.ui.run.examples import examples_tab
from layerviz.ui.run.export import export_tab
from layerviz.ui.run.layers import layers_tab
from layerviz.ui.run.maps import maps
from layerviz.ui.run.progress import cancel_button, outcome, progress
from layerviz.ui.run.training import captured_sizes, training_tab
from layerviz.wording import epoch_name


def run_view(run: Run, dataset: Dataset | None) -> None:
    """Show everything about one run; `dataset` is what is chosen on the left."""
    _header(run)
    progress(run)
    outcome(run, dataset)
    if run.snapshots:
        _figures(run)
    keep_values()
    draw_tabs(TABS, OPEN_TAB, run, has_snapshot=bool(run.snapshots), draw_nothing_yet=_no_maps_yet)


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
            "Below the score: the change since before training.",
        ),
        ("Val accuracy", last["val_accuracy"], None, None),
        ("Train macro-F1", last["train_macro_f1"], None, None),
        (
            "Train − val gap",
            last["train_macro_f1"] - last["val_macro_f1"],
            None,
            "Macro-F1 on train minus macro-F1 on val. Some gap is normal; it is overfitting where "
            "val falls while train rises.",
        ),
    )
    for column, (name, value, delta, note) in zip(st.columns(4), figures, strict=True):
        score = f"{round(value, 3) + 0.0:.3f}"  # no "-0.000"
        column.metric(name, score, delta, border=True, height="stretch", help=note)
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
            "training have been captured.",
            icon=":material/hourglass_top:",
        )
    else:
        st.info("This run ended before anything was captured.", icon=":material/layers_clear:")


TABS = Registry(
    "tab",
    [
        Tab("Maps", maps),
        Tab("Layers", layers_tab),
        Tab("Examples", examples_tab),
        Tab("Training", training_tab, needs_snapshot=False),
        Tab("Export", export_tab),
        Tab("Run", about, needs_snapshot=False),
    ],
)
