"""Step 4: the maps of the layers, train and val side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts
from layerviz.config import POOLINGS
from layerviz.projection import LayerMaps
from layerviz.runs import Run
from layerviz.ui.measured import measured_snapshots
from layerviz.ui.state import first_value, redrawing
from layerviz.ui.tsne import stored_tsne, tsne_is_there

POOLING_NAMES = {"mean": "mean", "cls": "[CLS]", "max": "max"}
METHOD_NAMES = {"pca": "PCA", "tsne": "t-SNE"}
PRESETS: dict[str, Callable[[int], list[int]]] = {
    "First four and last four": lambda n: sorted(
        {*range(1, min(4, n) + 1), *range(max(1, n - 3), n + 1)}
    ),
    "All": lambda n: list(range(1, n + 1)),
    "Every other": lambda n: list(range(n, 0, -2))[::-1],
}
CHOICE = "My choice"
OVERVIEW = "All chosen layers"
DRAWN_PER_SPLIT = 800
POINTS_AND_SLOTS = 160_000  # points times slider positions that a browser moves at ease
SLOTS = (6, 31)  # fewest and most positions of the slider


@dataclass(frozen=True)
class View:
    """What the reader wants to see."""

    pooling: str
    method: str
    colouring: str
    layers: list[int]
    focus: int | None
    classes: list[int]


def maps(run: Run) -> None:
    """Show the controls and the maps of a run that has at least one snapshot."""
    view = _controls(run)
    if not view.layers and view.focus is None:
        st.info("Choose at least one layer.", icon=":material/layers:")
        return
    shown = [view.focus] if view.focus is not None else view.layers
    wanted = [(run, view.pooling, layer) for layer in shown]
    if view.method == "tsne" and not tsne_is_there(wanted):
        st.caption("PCA maps until all t-SNE maps are there.")
        view = replace(view, method="pca")
    with redrawing():
        _draw(run, view, shown)


def open_map(run: Run, layer: int, snapshot: int, pooling: str) -> None:
    """Show one layer large at one snapshot; for callbacks, it takes effect in the rerun."""
    st.session_state[f"focus-{run.encoder['layers']}"] = layer
    st.session_state["pooling"] = pooling
    st.session_state["map_start"] = (run.run_id, snapshot)
    st.session_state["tabs"] = "Maps"


# --- controls -------------------------------------------------------------------------------


def _controls(run: Run) -> View:
    n_layers = int(run.encoder["layers"])
    with st.container(horizontal=True, vertical_alignment="bottom"):
        pooling = pooling_control("pooling", "mean")
        method, colouring = map_controls("")
        preset = st.selectbox("Layers", [*PRESETS, CHOICE], key="layer_preset", width=225)
        view_place = st.container(width=190)
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
        help="PCA: a linear view, the same axes at every epoch. t-SNE: neighbourhoods; "
        "distances between far clusters mean little. Both are fitted on train only.",
    )
    colouring = st.selectbox(
        "Colour by",
        charts.COLOURINGS,
        format_func=str.capitalize,
        key=f"{prefix}colouring",
        width=160,
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
        key=first_value(f"layers-{n_layers}", PRESETS["First four and last four"](n_layers)),
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


# --- drawing --------------------------------------------------------------------------------


def _draw(run: Run, view: View, layers: list[int]) -> None:
    examples = cache.examples(run.run_id, run.created, run)
    splits = examples["split"].to_numpy()
    rows = charts.drawn_rows(splits, len(splits) if len(layers) == 1 else DRAWN_PER_SPLIT)
    slots = _slots(run, len(layers) * len(rows))
    shown = _captured(run, view, layers, slots)
    maps = {layer: _maps_of(run, view, layer, shown) for layer in layers}
    predictions = [cache.predictions(run.run_id, run.created, index, run) for index in shown]
    colours = charts.colour_codes(
        view.colouring,
        examples["label"].to_numpy(),
        predictions,
        view.classes,
        len(run.label_names),
    )
    sizes = {split: int((splits == split).sum()) for split in ("train", "val")}
    epochs = [run.snapshots[index].epoch for index in shown]
    every_epoch = run.config.snapshots_per_epoch == 1 and len(slots) == slots[-1] + 1
    colour_legend(run, view.colouring, view.classes, "legend")
    st.altair_chart(
        charts.layer_maps(
            charts.points_frame(
                {layer: drawn.in_unit_square() for layer, drawn in maps.items()},
                splits,
                rows,
                predictions,
                colours,
            ),
            charts.examples_frame(examples, run.label_names, rows),
            charts.cells_frame(
                {layer: drawn.trust for layer, drawn in maps.items()},
                epochs,
                sizes,
                len(slots),
                probe_scores(run, view.pooling, layers, shown),
                METHOD_NAMES[view.method],
            ),
            layers=layers,
            label_names=run.label_names,
            n_slots=len(slots),
            start=_start(run, slots),
            slider_name="Epoch " if every_epoch else "Snapshot ",
            dark=st.context.theme.type == "dark",
        ),
        width="stretch",
        key="maps",
        # The text for screen readers must not change with colour or method: it is part of the
        # specification, and a changed specification would send the slider back to its start.
        alt="Maps of the chosen layers, train on the left and val on the right.",
    )
    _small_print(run, view, maps, splits, rows)
    if len(slots) <= slots[-1]:
        st.caption(f"The slider shows {len(slots)} of {slots[-1] + 1} snapshots, evenly spaced.")
    if view.focus is not None:
        _table(run, examples, predictions[-1], epochs[-1])


def _slots(run: Run, n_points: int) -> list[int]:
    """Return the snapshots under the slider's positions, those still to come included.

    Where there are more than a browser moves at ease, they are an even choice with both ends.
    """
    planned = run.training["n_snapshots"] if run.live else len(run.snapshots)
    most = most_slots(n_points)
    return sorted({round(at) for at in np.linspace(0, planned - 1, min(planned, most))})


def most_slots(n_points: int) -> int:
    """Return how many positions of the slider a browser moves at ease with so many points."""
    return int(np.clip(POINTS_AND_SLOTS // n_points, *SLOTS))


def _start(run: Run, slots: list[int]) -> int:
    """Return the slider's first position: the newest snapshot, or the one a reader asked for."""
    run_id, snapshot = st.session_state.get("map_start", ("", 0))
    if run_id != run.run_id:
        return len(slots) - 1
    return min(range(len(slots)), key=lambda slot: abs(slots[slot] - snapshot))


def _captured(run: Run, view: View, layers: list[int], slots: list[int]) -> tuple[int, ...]:
    """Return the snapshots to draw: those of `slots` that there are, and the newest."""
    newest = len(run.snapshots) - 1
    if view.method == "tsne":
        newest = min(stored_tsne(run, view.pooling, layer).n_snapshots for layer in layers) - 1
    return tuple(sorted({index for index in slots if index <= newest} | {newest}))


def _maps_of(run: Run, view: View, layer: int, snapshots: tuple[int, ...]) -> LayerMaps:
    if view.method == "tsne":
        return stored_tsne(run, view.pooling, layer).at(snapshots)
    return cache.pca_maps(run.run_id, run.created, snapshots, view.pooling, layer, run)


def probe_scores(
    run: Run, pooling: str, layers: list[int], snapshots: tuple[int, ...]
) -> dict[int, np.ndarray]:
    """Return the probe's macro-F1 on train and val, (S, 2) per layer; NaN where not measured."""
    measured = measured_snapshots(run)
    table = cache.measures(run.run_id, run.created, measured, run)
    table = table[(table["measure"] == "probe_macro_f1") & (table["pooling"] == pooling)]
    values = table.set_index(["layer", "snapshot", "split"])["value"]
    return {
        layer: np.array(
            [
                [values.get((layer, at, split), np.nan) for split in ("train", "val")]
                for at in snapshots
            ]
        )
        for layer in layers
    }


def colour_legend(run: Run, colouring: str, classes: list[int], key: str) -> None:
    """Show what the colours mean; `classes` are those with a colour of their own."""
    if colouring == "confidence":
        chart = charts.confidence_legend()
    else:
        if colouring == "right or wrong":
            entries = [("right", charts.RIGHT_COLOUR), ("wrong", charts.WRONG_COLOUR)]
        else:
            entries = [
                (run.label_names[index], colour)
                for index, colour in zip(classes, charts.CLASS_COLOURS, strict=False)
            ]
            if others := len(run.label_names) - len(classes):
                entries.append((f"{others:,} other classes", charts.OTHER_COLOUR))
        chart = charts.legend(pd.DataFrame(entries, columns=["name", "colour"]))
    st.altair_chart(chart, width="stretch", key=key, alt="Legend of the colours.")


def _small_print(
    run: Run, view: View, maps: dict[int, LayerMaps], splits: np.ndarray, rows: np.ndarray
) -> None:
    said = [
        "T is the trustworthiness of a map (Venna and Kaski 2001, k = 12): the part of its "
        "neighbourhoods that are real in the full hidden size; 1 is best.",
        "F1 is the macro-F1 of a linear probe in the full hidden size (tab Layers), under the "
        "pooling chosen above; that of train is measured on what the probe was fitted to.",
        "Maps are fitted on train; val is placed into them.",
    ]
    if view.method == "pca":
        parts = [drawn.explained.sum() for drawn in maps.values()]
        low, high = f"{min(parts):.0%}", f"{max(parts):.0%}"
        span = low if low == high else f"{low} to {high}"
        said.append(f"The two components show {span} of a layer's variance over all epochs.")
        if run.live:
            said.append("While the run goes on, each new snapshot refits these axes.")
    on_maps = np.isin(splits, ("train", "val")).sum()
    if len(rows) < on_maps:
        said.append(
            f"Drawn: {len(rows):,} of the {on_maps:,} mapped points, at random; "
            "a layer shown large has all."
        )
    sizes = {split: sum(counts.values()) for split, counts in run.dataset["counts"].items()}
    captured = {split: int((splits == split).sum()) for split in ("train", "val")}
    if any(captured[split] < sizes[split] for split in captured):
        said.append(
            "Captured: "
            + ", ".join(f"{captured[s]:,} of {sizes[s]:,} {s} examples" for s in captured)
            + ", with the same share of every class."
        )
    st.caption(" ".join(said))


def _table(run: Run, examples: pd.DataFrame, predictions: pd.DataFrame, epoch: float) -> None:
    st.markdown(f"**Examples** (newest snapshot: {charts.epoch_name(epoch)}; hardest first)")
    names = np.asarray(run.label_names, dtype=object)
    frame = pd.DataFrame(
        {
            "split": examples["split"],
            "label": names[examples["label"].to_numpy()],
            "predicted": names[predictions["predicted"].to_numpy()],
            "confidence": predictions["confidence"].to_numpy(),
            "loss": predictions["loss"].to_numpy(),
            "text": examples["text"].str.slice(0, 1000),
        }
    )
    st.dataframe(
        frame.sort_values("loss", ascending=False),
        hide_index=True,
        width="stretch",
        height=320,
        column_config={
            "split": st.column_config.TextColumn(width=60),
            "label": st.column_config.TextColumn(width=120),
            "predicted": st.column_config.TextColumn(width=120),
            "confidence": st.column_config.ProgressColumn(format="percent", max_value=1, width=90),
            "loss": st.column_config.NumberColumn(format="%.2f", width=60),
            "text": st.column_config.TextColumn(width="large"),
        },
    )
