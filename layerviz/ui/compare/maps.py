"""What a reader chooses of the maps of a comparison: layers, pooling, epochs, seed."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from layerviz import cache, comparison
from layerviz.comparison import Comparison, Contender
from layerviz.ui.compare.map_matrix import MatrixEntry, map_matrix
from layerviz.ui.parts.guard import fragment
from layerviz.ui.parts.map_controls import classes_in_colour, map_controls, pooling_control
from layerviz.ui.parts.state import keep
from layerviz.views import MapsView
from layerviz.wording import layer_name

DEPTHS = (0.25, 0.5, 0.75, 1.0)
BEST, OWN_CHOICE = "Each at its best layer", "My choice"
QUARTERS = "At each quarter of the depth"


def comparison_maps(
    ready: list[Contender], judged: Comparison, *, start: float | None = None
) -> None:
    """Show a matrix of maps, encoders x train and val.

    Parameters
    ----------
    ready : list of Contender
    judged : Comparison
        Of these.
    start : float, optional
        The epoch at which the slider stands at first; by default the newest.
    """
    runs_by_seed = [{run.config.seed: run for run in contender.measured} for contender in ready]
    seeds = sorted(set.intersection(*map(set, runs_by_seed)))
    seed = None
    depths: list[str | float] = [BEST, *DEPTHS, QUARTERS, OWN_CHOICE]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        depth = st.selectbox(
            "Layers",
            depths,
            format_func=_depth_name,
            key=keep("versus_depth"),
            width=240,
            help="At their best: the layer and pooling named in the table. Depths are relative, "
            "because encoders differ in their number of layers.",
        )
        if depth == BEST:
            poolings = [standing.best.pooling for standing in judged.standings]
        else:
            shared_poolings = comparison.shared_poolings(ready)
            pooling = pooling_control("versus_pooling", shared_poolings, judged.best.best.pooling)
            poolings = [pooling] * len(ready)
        columns = cache.shared_columns([contender.runs[0] for contender in ready])
        projection, colouring = map_controls("versus_", columns)
        if len(seeds) > 1:
            seed = st.selectbox("Seed", seeds, key=keep(f"versus_seed_{seeds}"), width=90)
        at_best = st.toggle(
            "Each at its best epoch",
            key=keep("versus_at_best", True),
            help="Replaces the epoch slider.",
        )
    runs = [of[seed] if seed in of else of[min(of)] for of in runs_by_seed]
    # Always there, so that what follows keeps its position on the page, and the slider with it.
    with st.container():
        rows = [_layers(ready, judged, one) for one in (DEPTHS if depth == QUARTERS else [depth])]
    classes = classes_in_colour(
        runs[0], colouring, f"versus_classes_{runs[0].dataset['fingerprint']}"
    )
    column = cache.column_colours(runs[0], colouring)  # the same colours in all maps
    view = MapsView("", projection, colouring, (), classes, column=column)
    entries = [
        MatrixEntry(contender, standing, run, replace(view, pooling=pooling, layers=(layer,)))
        for layers in rows
        for contender, standing, run, pooling, layer in zip(
            ready, judged.standings, runs, poolings, layers, strict=True
        )
    ]
    fragment(map_matrix)(entries, at_best, start)


def _depth_name(choice: str | float) -> str:
    if isinstance(choice, str):
        return choice
    return "Last layer" if choice == 1 else f"At {choice:.0%} of the depth"


def _layers(ready: list[Contender], judged: Comparison, depth: str | float) -> list[int]:
    """Return the layer of each encoder; layers of one relative depth belong together."""
    counts = [standing.n_layers for standing in judged.standings]
    best = [standing.best.layer for standing in judged.standings]
    if depth == BEST:
        return best
    if isinstance(depth, float):
        return [max(1, round(depth * n)) for n in counts]
    return [
        column.selectbox(
            contender.name,
            list(range(n_layers + 1)),
            format_func=layer_name,
            key=keep(f"versus_layer_{contender.runs[0].run_id}", layer),
        )
        for column, contender, n_layers, layer in zip(
            st.columns(len(ready)), ready, counts, best, strict=True
        )
    ]
