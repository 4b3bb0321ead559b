"""The heat map of the Layers tab: one measure of every layer at every epoch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from layerviz import cache, charts
from layerviz.poolings import look_up
from layerviz.runs import Run
from layerviz.separability import MEASURES, Answer, Measure
from layerviz.ui.parts.choice import choose_one
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.map_controls import pooling_control
from layerviz.ui.parts.measured import cells_of_measure
from layerviz.ui.parts.state import keep, plain
from layerviz.ui.run.layer_details.detail import is_dark
from layerviz.ui.run.maps import open_map
from layerviz.views import colour_scale, standings_note, with_standings


@dataclass(frozen=True)
class HeatMapChoice:
    """What the heat map shows."""

    measure: Measure
    split: str
    pooling: str
    against_start: bool


def choose_measure(run: Run, answer: Answer) -> HeatMapChoice:
    """Let the reader choose what the heat map shows."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox(
            "Measure",
            list(MEASURES),
            format_func=lambda name: MEASURES[name].label,
            key=keep("measure"),
            width=330,
        )
        measure = MEASURES[name]
        has_test = "test" in run.dataset["counts"]
        splits = [split for split in measure.splits if split != "test" or has_test]
        split = choose_one("Split", splits, key=f"measure_split_{name}")
        pooling = pooling_control(
            f"layers_pooling_{answer.best.pooling}", run.poolings, answer.best.pooling
        )
        against_start = st.toggle(
            "Change since epoch 0",
            key=keep("against_start"),
            help="What fine-tuning has added to each layer.",
        )
    st.caption(plain(f"{measure.explanation} ({measure.reference})"))
    return HeatMapChoice(measure, split, pooling, against_start)


def layer_heat_map(
    run: Run, measured: tuple[int, ...], answer: Answer, choice: HeatMapChoice
) -> None:
    """Draw the chosen measure; a click on a cell opens its map."""
    measure, pooling = choice.measure, choice.pooling
    label = measure.label
    cells = cells_of_measure(run, measure.name, choice.split, pooling)
    if cells.empty:
        st.info(f"{label} was not measured when this run was made.")
        return
    scale = colour_scale(measure, cells, cache.examples(run), choice.split)
    if choice.against_start:
        start = cells[cells["snapshot"] == measured[0]].set_index("layer")["value"]
        cells["value"] -= cells["layer"].map(start)
        cells[["low", "high"]] = float("nan")
    if scale is None or cells["value"].isna().all():
        st.info(plain(f"{label} is not defined here: {_why_empty(cells['note'])}."))
        return
    outlined = answer if measure.outlines_best else None
    key = f"heat-{measure.name}-{choice.split}-{pooling}-{choice.against_start}"
    figure(
        partial(
            charts.score_heat_map,
            with_standings(cells, outlined, pooling),
            measure=f"Change in {label}" if choice.against_start else label,
            diverging=choice.against_start,
            domain=None if choice.against_start else scale.ends,
            start="" if choice.against_start else scale.start,
            dark=is_dark(),
        ),
        key=key,
        title=f"**{label}** of each layer at each epoch",
        name=f"{run.run_id}-{key}",
        frame=cells.rename(columns={"value": "change"} if choice.against_start else {}),
        on_select=lambda: _open_selected_cell(run, key, pooling),
        selection_mode=["cell"],
        alt=f"Heat map: {label} of each layer at each epoch.",
    )
    standings = standings_note(outlined, pooling) if outlined is not None else ""
    st.caption(
        plain(
            f"{standings} Click a cell to see that layer at that epoch in the maps. The answer is "
            "searched for among layers 1 and up; layer 0 is a baseline. "
            f"{look_up(pooling).layer_0_note}"
        )
    )


def _why_empty(notes: pd.Series) -> str:
    """Say why no cell of a heat map has a value."""
    is_noted = notes[notes != ""]
    return str(is_noted.iloc[-1]) if len(is_noted) else "too few examples or classes"


def _open_selected_cell(run: Run, key: str, pooling: str) -> None:
    for cell in st.session_state[key]["selection"].get("cell", ())[:1]:
        open_map(run, int(cell["layer"]), int(cell["snapshot"]), pooling)
