"""An open run: header, progress, the answer, tabs."""

from __future__ import annotations

import streamlit as st

from layerviz.data import Dataset
from layerviz.registry import Registry
from layerviz.runs import Run
from layerviz.ui.parts.guard import guarded
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
from layerviz.ui.run.answer_card import answer_card
from layerviz.ui.run.examples import examples_tab
from layerviz.ui.run.export import export_tab
from layerviz.ui.run.layers import layers_tab
from layerviz.ui.run.maps import maps
from layerviz.ui.run.progress import cancel_button, outcome, progress, troubles
from layerviz.ui.run.training import training_tab


def run_view(run: Run, dataset: Dataset | None) -> None:
    """Show everything about one run; `dataset` is what is chosen on the left."""
    with guarded("The header of this run", run):
        _header(run)
    with guarded("How this run ended", run):
        outcome(run, dataset)
    with guarded("What went wrong in this run", run):
        troubles(run)
    keep_values()
    with guarded("The answer", run):
        answer_card(run)
    draw_tabs(TABS, OPEN_TAB, run, has_snapshot=bool(run.snapshots), draw_nothing_yet=_no_maps_yet)


def _header(run: Run) -> None:
    colour, icon = STATUS_MARKS[run.status]
    encoder = ""
    if run.encoder:
        encoder = f" · {run.encoder['layers']} layers, hidden size {run.encoder['hidden_size']}"
    with st.container(key="run_header", gap=None):
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.title(plain(title(run)), anchor=False, width="stretch")
            with st.container(
                horizontal=True, horizontal_alignment="right", gap="small", width="content"
            ):
                cancel_button(run)
                choose_runs(run, [run])
                new_run_button()
        # As high as a bar: where it comes and goes, nothing below it moves.
        with st.container(
            key="run_status", horizontal=True, vertical_alignment="center", gap="small"
        ):
            st.badge(run.status.capitalize(), color=colour, icon=icon)
            st.caption(f"{sizes(run)}{encoder}", width="content")
            with st.container(key="run_progress"):
                progress(run)


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
