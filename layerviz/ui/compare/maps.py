"""Maps of several encoders, train above val, for one layer of each; a selection marks them all."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts, comparison
from layerviz.charts import Grid
from layerviz.comparison import Comparison, Contender
from layerviz.config import TRAIN_AND_VAL
from layerviz.poolings import pooling_label
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS, LayerMaps, projection_notes
from layerviz.runs import Run
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.map_chart import most_per_split, most_slots, probe_scores
from layerviz.ui.parts.map_controls import (
    classes_in_colour,
    colour_legend,
    map_controls,
    pooling_control,
)
from layerviz.ui.parts.selection import clear_button, highlight, selection, taking_from
from layerviz.ui.parts.state import keep, redrawing
from layerviz.ui.parts.stored_maps import maps_are_ready, n_ready_snapshots, ready_maps
from layerviz.wording import epoch_name, layer_name

DEPTHS = (0.25, 0.5, 0.75, 1.0)
BEST, OWN_CHOICE = "Each at its best layer", "My choice"
CHART = "compare_maps"


@dataclass(frozen=True)
class View:
    """What the reader wants to see: a pooling and a layer of each encoder, and how."""

    poolings: list[str]
    projection: str
    colouring: str
    layers: list[int]
    classes: list[int]
    at_best: bool


def comparison_maps(ready: list[Contender], judged: Comparison) -> None:
    """Show a matrix of maps, encoders x train and val."""
    seeds = [{run.config.seed: run for run in contender.measured} for contender in ready]
    shared = sorted(set.intersection(*(set(one) for one in seeds)))
    seed = None
    with st.container(horizontal=True, vertical_alignment="bottom"):
        depth = st.selectbox(
            "Layers",
            [BEST, *DEPTHS, OWN_CHOICE],
            format_func=_depth_name,
            key=keep("versus_depth"),
            width=240,
            help="At their best: the layer and the pooling that the table names. Else encoders are "
            "matched by relative depth, as they differ in their number of layers.",
        )
        if depth == BEST:
            poolings = [standing.best.pooling for standing in judged.standings]
        else:
            first = judged.best.best.pooling
            shared = comparison.shared_poolings(ready)
            poolings = [pooling_control("versus_pooling", shared, first)] * len(ready)
        projection, colouring = map_controls("versus_")
        if len(shared) > 1:
            seed = st.selectbox("Seed", shared, key=keep(f"versus_seed_{shared}"), width=90)
        at_best = st.toggle(
            "Each at its best epoch",
            key=keep("versus_at_best"),
            help="Instead of the epoch slider.",
        )
    runs = [one[seed] if seed in one else one[min(one)] for one in seeds]
    # Always there, so that what follows keeps its place on the page, and the slider with it.
    with st.container():
        layers = _layers(ready, judged, depth)
    classes = classes_in_colour(
        runs[0], colouring, f"versus_classes_{runs[0].dataset['fingerprint']}"
    )
    view = View(poolings, projection, colouring, layers, classes, at_best)
    st.fragment(_maps)(ready, runs, judged, view)


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
    if depth != OWN_CHOICE:
        return [max(1, round(depth * n)) for n in counts]
    chosen = []
    columns = st.columns(len(ready))
    for number, (place, contender) in enumerate(zip(columns, ready, strict=True)):
        chosen.append(
            place.selectbox(
                contender.name,
                list(range(counts[number] + 1)),
                format_func=layer_name,
                key=keep(f"versus_layer_{contender.runs[0].run_id}", best[number]),
            )
        )
    return chosen


def _maps(ready: list[Contender], runs: list[Run], judged: Comparison, view: View) -> None:
    """Draw; a selection redraws this part of the page alone."""
    wanted = list(zip(runs, view.poolings, view.layers, strict=True))
    least = [standing.best.snapshot for standing in judged.standings] if view.at_best else None
    if not maps_are_ready(view.projection, wanted, least):
        view = replace(view, projection=DEFAULT_PROJECTION)
    with redrawing():
        _draw(ready, runs, judged, view)


def _draw(ready: list[Contender], runs: list[Run], judged: Comparison, view: View) -> None:
    examples, places = cache.common_examples(runs)
    splits = examples["split"].to_numpy()
    rows = charts.drawn_rows(splits, most_per_split(len(runs)))
    epochs, shown = _epochs(runs, judged, view, len(runs) * len(rows))
    sizes = {split: int((splits == split).sum()) for split in TRAIN_AND_VAL}
    points, panels, maps = [], [], []
    for place, (run, where) in enumerate(zip(runs, places, strict=True)):
        pooling, layer = view.poolings[place], view.layers[place]
        every = [snapshot.index for snapshot in run.snapshots]
        drawn = ready_maps(run, view.projection, pooling, layer, shown[place], fitted_on=every)
        maps.append(drawn)
        predictions = [cache.predictions(run, index).iloc[where] for index in shown[place]]
        colours = charts.colour_codes(
            view.colouring,
            examples["label"].to_numpy(),
            predictions,
            view.classes,
            len(run.label_names),
        )
        positions = {place: drawn.in_unit_square()[:, where]}
        points.append(charts.points_frame(positions, splits, rows, predictions, colours))
        panels.append(
            charts.panels_frame(
                {place: drawn.trust},
                epochs,
                sizes,
                len(epochs),
                {place: probe_scores(run, pooling, [layer], shown[place])[layer]},
                PROJECTIONS[view.projection].label,
                {place: _title(judged, place, view)},
                "each at its best epoch" if view.at_best else "",
            )
        )
    colour_legend(runs[0], view.colouring, view.classes, "compare_legend")
    _chart(
        pd.concat(points, ignore_index=True),
        pd.concat(panels, ignore_index=True),
        examples,
        rows,
        runs,
        names=[contender.name for contender in ready],
        epochs=epochs,
    )
    _selected_examples(ready, runs, examples, places, shown)
    _small_print(view, maps, splits, rows, shown, len(runs[0].label_names))


def _title(judged: Comparison, place: int, view: View) -> str:
    standing = judged.standings[place]
    when = f", {epoch_name(standing.best.epoch)}" if view.at_best else ""
    layer, pooling = view.layers[place], pooling_label(view.poolings[place])
    return f"{standing.name}  ·  layer {layer} of {standing.n_layers}, {pooling}{when}"


def _epochs(
    runs: list[Run], judged: Comparison, view: View, n_points: int
) -> tuple[list[float], list[list[int]]]:
    """Return the epochs under the slider, and the snapshot that each run shows there.

    A run that has none at an epoch shows its newest one before it.
    """
    if view.at_best:
        best = [[standing.best.snapshot] for standing in judged.standings]
        last = max(standing.best.epoch for standing in judged.standings)
        return [last], best
    there = [
        run.snapshots[: n_ready_snapshots(run, view.projection, pooling, layer)]
        for run, pooling, layer in zip(runs, view.poolings, view.layers, strict=True)
    ]
    epochs = sorted(
        {round(s.epoch, 4) for snapshots in there for s in snapshots}
        | {epoch for run in runs for epoch in _epochs_to_come(run)}
    )
    most = most_slots(n_points)
    kept = [epochs[round(at)] for at in np.linspace(0, len(epochs) - 1, min(len(epochs), most))]
    shown = [
        [max(s.index for s in snapshots if s.epoch <= epoch + 1e-3) for epoch in kept]
        for snapshots in there
    ]
    return kept, shown


def _epochs_to_come(run: Run) -> list[float]:
    """Return when a live run will be captured: the slider has these places from the start."""
    if not run.live:
        return []
    per_epoch, wanted = run.training["steps_per_epoch"], run.config.snapshots_per_epoch
    later = range(len(run.snapshots), run.training["n_snapshots"])
    return [round(round(index / wanted * per_epoch) / per_epoch, 4) for index in later]


# --- the chart and its selection ------------------------------------------------------------


def _chart(
    points: pd.DataFrame,
    panels: pd.DataFrame,
    examples: pd.DataFrame,
    rows: np.ndarray,
    runs: list[Run],
    *,
    names: list[str],
    epochs: list[float],
) -> None:
    """Draw the maps; what is selected in one of them is taken up as ids."""
    ids, grid, places = examples["id"].to_numpy(), Grid.matrix(len(runs)), range(len(runs))
    texts = charts.examples_frame(examples, runs[0].label_names, rows)
    texts = highlight(texts, ids, selection(runs[0]))
    whole = epochs == [float(number) for number in range(len(epochs))]
    figure(
        charts.layer_maps(
            points,
            texts,
            panels,
            layers=places,
            label_names=runs[0].label_names,
            n_slots=len(epochs),
            slider_name="Epoch " if whole else "Snapshot ",
            dark=st.context.theme.type == "dark",
            grid=grid,
            selectable=True,
            names=names,
        ),
        key=CHART,
        name="comparison-maps",
        on_select=taking_from(CHART, runs[0], ids, points, places, grid),
        selection_mode=["box", "pick"],
        alt="Maps of one layer of each encoder, train above val.",
    )


def _selected_examples(
    ready: list[Contender],
    runs: list[Run],
    examples: pd.DataFrame,
    places: list[np.ndarray],
    shown: list[list[int]],
) -> None:
    """List what is selected, with every encoder's prediction at its last epoch shown."""
    selected = selection(runs[0])
    if not selected:
        st.caption(
            "Click a point, or drag a box around several, to mark the same examples in all maps."
        )
        return
    which = np.flatnonzero(examples["id"].isin(selected))
    names = np.asarray(runs[0].label_names, dtype=object)
    part = examples.iloc[which]
    frame = pd.DataFrame(
        {"split": part["split"], "label": names[part["label"].to_numpy()]}, index=part.index
    )
    for contender, run, where, indices in zip(ready, runs, places, shown, strict=True):
        predicted = cache.predictions(run, indices[-1])["predicted"]
        frame[contender.name] = names[predicted.to_numpy()[where[which]]]
    frame["text"] = part["text"].str.slice(0, 1000)
    frame["id"] = part["id"]
    n = len(frame)
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.markdown(
            f"**{n:,} example{'s' if n != 1 else ''} selected**, with what each model's own "
            "classifier predicts at "
            + ("that epoch" if len(shown[0]) == 1 else "the last place of the slider"),
            width="content",
        )
        clear_button("compare_clear")
    st.dataframe(frame, hide_index=True, width="stretch", height=min(38 + 35 * n, 320))


def _small_print(
    view: View,
    maps: list[LayerMaps],
    splits: np.ndarray,
    rows: np.ndarray,
    shown: list[list[int]],
    n_classes: int,
) -> None:
    said = [
        "F1 is the macro-F1 of a linear probe in the full hidden size (on train, of what it "
        "was fitted to); T is the trustworthiness of a map.",
        "Each encoder has a map of its own: compare what lies together, not where it lies.",
        "Maps are fitted on train; val is placed into them.",
    ]
    said += projection_notes(view.projection, n_classes)
    if PROJECTIONS[view.projection].explains_variance:
        parts = [drawn.explained.sum() for drawn in maps]
        said.append(
            f"The two components show {min(parts):.0%} to {max(parts):.0%} of a layer's variance."
        )
    if any(len(set(indices)) < len(indices) for indices in shown):
        said.append("Where an encoder has no snapshot at an epoch, its newest one before is shown.")
    on_maps = np.isin(splits, TRAIN_AND_VAL).sum()
    if len(rows) < on_maps:
        said.append(f"Drawn: {len(rows):,} of the {on_maps:,} examples in common, at random.")
    st.caption(" ".join(said))
