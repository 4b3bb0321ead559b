"""Below the heat map: lines, poolings, overfitting, kinship, classes and mixes of layers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts, runs, separability
from layerviz.config import TRAIN_AND_VAL
from layerviz.jobs import JobState
from layerviz.poolings import look_up, pooling_label
from layerviz.registry import Registry
from layerviz.runs import Run
from layerviz.separability import CKA, MIXES, PROBE_MACRO_F1, Answer, Cell, LayerMix
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.measured import cells_of_measure, download, epoch_control
from layerviz.ui.parts.polling import mean_fraction, wait_for
from layerviz.ui.parts.state import jobs, keep, plain
from layerviz.ui.parts.tabs import Tab, draw_tabs
from layerviz.wording import epoch_name

F1 = "Probe macro-F1"
MANY_EPOCHS, MANY_LAYERS, MANY_CLASSES = 9, 8, 30


def layer_details(run: Run, measured: tuple[int, ...], answer: Answer, pooling: str) -> None:
    """Show the tabs below the heat map, for the pooling chosen above it."""
    draw_tabs(DETAIL_TABS, keep("detail_tabs"), run, measured, answer, pooling)


def _epoch(run: Run, measured: tuple[int, ...], answer: Answer, key: str) -> int:
    """Let the reader choose a snapshot, the best one at first."""
    best = answer.best.snapshot  # part of the key: while a run goes on, the best one changes
    name = f"detail_epoch_{run.run_id}_{run.created}_{key}_{best}"
    return epoch_control(run, measured, name, best)


def _dark() -> bool:
    return st.context.theme.type == "dark"


def _evenly(values: list[int], most: int) -> list[int]:
    return sorted(
        {values[round(at)] for at in np.linspace(0, len(values) - 1, min(len(values), most))}
    )


# --- lines ----------------------------------------------------------------------------------


def _lines(run: Run, measured: tuple[int, ...], answer: Answer, pooling: str) -> None:
    scores = pd.concat(
        [
            cells_of_measure(run, PROBE_MACRO_F1.name, split, pooling).assign(split=split)
            for split in TRAIN_AND_VAL
        ],
        ignore_index=True,
    )
    numbers = scores
    if look_up(pooling).layer_0_is_constant:  # it would squeeze the axis
        scores = scores[scores["layer"] > 0]
    left, right = st.columns(2)
    with left:
        st.markdown("**Over the layers** (bars: 95 % intervals of val at the last epoch)")
        shown = _evenly(list(measured), MANY_EPOCHS)
        figure(
            charts.scores_over_layers(
                scores[scores["snapshot"].isin(shown)], measure=F1, dark=_dark()
            ),
            key="over_layers",
            alt="Line chart: the probe's macro-F1 over the layers, one line per epoch.",
            name=f"{run.run_id}-lines-{pooling}",
            frame=numbers,
        )
    with right:
        st.markdown("**Over the epochs**")
        every = sorted(scores["layer"].unique())
        shown = _evenly([layer for layer in every if layer], MANY_LAYERS)
        shown = sorted({*shown, answer.best.layer})
        figure(
            charts.scores_over_epochs(
                scores[scores["layer"].isin(shown)], measure=F1, dark=_dark()
            ),
            key="over_epochs",
            alt="Line chart: the probe's macro-F1 over the epochs, one line per layer.",
            name=f"{run.run_id}-epochs-{pooling}",
            frame=numbers,
        )
        if len(shown) < sum(layer > 0 for layer in every):
            st.caption(f"Layers {', '.join(map(str, shown))} of {every[-1]}; the CSV has all.")


# --- poolings -------------------------------------------------------------------------------


def _poolings(run: Run, measured: tuple[int, ...], answer: Answer, pooling: str) -> None:
    del pooling
    snapshot = _epoch(run, measured, answer, "pooling")
    verdict = cache.pooling_verdict(run, snapshot)
    st.markdown(plain(separability.pooling_sentence(verdict)))
    scores = pd.concat(
        [
            cells_of_measure(run, PROBE_MACRO_F1.name, "val", name).assign(pooling=name)
            for name in run.poolings
        ],
        ignore_index=True,
    )
    scores = scores[scores["snapshot"] == snapshot]
    figure(
        charts.pooling_scores(scores, measure=f"{F1} on val", dark=_dark()),
        key="pooling_scores",
        alt="Line chart: the probe's val macro-F1 over the layers, one line per pooling.",
        name=f"{run.run_id}-poolings-{snapshot}",
        frame=scores.assign(pooling=scores["pooling"].map(pooling_label)),
    )
    st.caption(
        "Bands are 95 % bootstrap intervals of each score; the sentence compares in pairs, on the "
        "same val examples, which tells finer differences than overlapping bands do."
    )


# --- overfitting ----------------------------------------------------------------------------


def _overfitting(run: Run, measured: tuple[int, ...], answer: Answer, pooling: str) -> None:
    if len(measured) < 2:
        st.caption("This needs two snapshots.")
        return
    found = cache.overfitting(run, pooling)
    best = found.set_index("layer").loc[answer.best.layer]
    worse = found[found["verdict"] == "overfits"]["layer"].tolist()
    stop = epoch_name(best["stop"])
    said = f"For layer {answer.best.layer}, val is highest at {epoch_name(best['peak'])}; "
    said += (
        f"{stop} is not clearly behind that: stop there."
        if best["stop"] < best["peak"]
        else "every earlier epoch is clearly behind: stop there."
    )
    if worse:
        said += f" After their peak, val falls clearly in layer {', '.join(map(str, worse))}."
    else:
        said += " In no layer does val fall clearly after its peak."
    st.markdown(plain(said))
    words = {"overfits": "val falls, train does not", "flat": "no clear change", "rising": "rising"}
    st.dataframe(
        found.assign(verdict=found["verdict"].map(words)),
        hide_index=True,
        width="stretch",
        column_config={
            "layer": st.column_config.NumberColumn("Layer"),
            "peak": st.column_config.NumberColumn("Val peaks at epoch", format="%g"),
            "stop": st.column_config.NumberColumn(
                "Stop at epoch",
                format="%g",
                help="The earliest epoch whose val score is not clearly behind the peak.",
            ),
            "val_peak": st.column_config.NumberColumn("Val at peak", format="%.3f"),
            "val_last": st.column_config.NumberColumn("Val at last", format="%.3f"),
            "train_peak": st.column_config.NumberColumn("Train at peak", format="%.3f"),
            "train_last": st.column_config.NumberColumn("Train at last", format="%.3f"),
            "change": st.column_config.NumberColumn("Val, last − peak", format="%+.3f"),
            "low": st.column_config.NumberColumn("from", format="%+.3f"),
            "high": st.column_config.NumberColumn("to", format="%+.3f"),
            "verdict": st.column_config.TextColumn("After the peak"),
        },
    )
    st.caption(
        "Macro-F1 of the linear probe; 'clearly' is a paired 95 % bootstrap interval that leaves "
        "out 0. A peak picked among epochs is a little flattered, so a fall after it is, too."
    )
    download(lambda: found, f"{run.run_id}-overfitting-{pooling}")


# --- kinship --------------------------------------------------------------------------------


def _similarity(run: Run, measured: tuple[int, ...], answer: Answer, pooling: str) -> None:
    snapshot = _epoch(run, measured, answer, "kinship")
    matrix, n = cache.layer_similarity(run, snapshot, pooling)
    layers = np.arange(len(matrix))
    pairs = pd.DataFrame(
        {
            "layer": np.repeat(layers, len(layers)),
            "other": np.tile(layers, len(layers)),
            "value": matrix.flatten(),
        }
    )
    left, right = st.columns(2)
    with left:
        st.markdown("**Layers among each other**")
        figure(
            charts.similarity_heat_map(pairs, title_x="Layer", title_y="Other layer", dark=_dark()),
            key="similarity",
            alt="Heat map: linear CKA between all pairs of layers.",
            name=f"{run.run_id}-kinship-{snapshot}-{pooling}",
            frame=pairs,
        )
    with right:
        st.markdown("**Each layer and its pre-trained self**")
        moved = cells_of_measure(run, CKA.name, "train", pooling).assign(best=False)
        figure(
            charts.score_heat_map(moved, measure="CKA to epoch 0", domain=(0.0, 1.0), dark=_dark()),
            key="moved",
            alt="Heat map: linear CKA of each layer at each epoch to itself before training.",
            name=f"{run.run_id}-cka-{pooling}",
            frame=moved.drop(columns="best"),
        )
    st.caption(
        f"Linear CKA, unbiased estimate on {n:,} train examples (Kornblith et al. 2019; Nguyen et "
        "al. 2021): 1 is the same geometry up to rotation and scale, 0 is none in common."
    )


# --- classes --------------------------------------------------------------------------------


def _classes(run: Run, measured: tuple[int, ...], answer: Answer, pooling: str) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        snapshot = _epoch(run, measured, answer, "classes")
        threshold = st.slider(
            "A class counts as separated from F1",
            min_value=0.3,
            max_value=0.95,
            step=0.05,
            key=keep("detail_threshold", 0.7),
            width=330,
        )
    cells, predicted = cache.probes(run)
    examples = cache.examples(run)
    val = (examples["split"] == "val").to_numpy()
    labels = examples["label"].to_numpy()[val]
    rows = [row for row, cell in enumerate(cells) if cell.pooling == pooling]
    cells, predicted = [cells[row] for row in rows], predicted[rows][:, val]
    scores = separability.class_scores(cells, predicted, labels, run.label_names)
    here = scores[scores["snapshot"] == snapshot]
    names = here.drop_duplicates("label").nlargest(MANY_CLASSES, "n")["label"]
    figure(
        charts.class_heat_map(here[here["label"].isin(names)], dark=_dark()),
        key="class_scores",
        alt="Heat map: the probe's F1 on val for each class in each layer.",
        name=f"{run.run_id}-classes-{pooling}",
        frame=scores,
    )
    if len(names) < here["label"].nunique():
        st.caption(f"The {len(names)} most frequent classes in val; the CSV has all.")
    left, right = st.columns(2)
    with left:
        st.markdown(f"**First separated** (F1 of {threshold:.2f} or more)")
        _first_separated(run, cells, predicted, labels, threshold)
    with right:
        st.markdown("**Taken for each other**")
        _confused(run, cells, predicted, labels, snapshot)


def _first_separated(
    run: Run, cells: list[Cell], predicted: np.ndarray, labels: np.ndarray, threshold: float
) -> None:
    first = separability.first_separates(cells, predicted, labels, threshold)
    classes, counts = np.unique(labels, return_counts=True)
    st.dataframe(
        pd.DataFrame(
            {
                "class": [run.label_names[label] for label in classes],
                "n in val": counts,
                "epoch": [first[c].epoch if c in first else None for c in classes],
                "layer": [first[c].layer if c in first else None for c in classes],
            }
        ),
        hide_index=True,
        width="stretch",
        column_config={"epoch": st.column_config.NumberColumn(format="%g")},
    )
    st.caption("The earliest epoch, and in it the lowest layer; empty where no cell gets there.")


def _confused(
    run: Run, cells: list[Cell], predicted: np.ndarray, labels: np.ndarray, snapshot: int
) -> None:
    rows = [row for row, cell in enumerate(cells) if cell.snapshot == snapshot]
    pairs = separability.confused_pairs(
        [cells[row].layer for row in rows], predicted[rows], labels, run.label_names
    )
    if pairs.empty:
        st.caption("No layer confuses any two classes.")
        return
    st.dataframe(
        pairs.head(50),
        hide_index=True,
        width="stretch",
        column_config={
            "one": "Class",
            "other": "and class",
            "n": st.column_config.NumberColumn("n in val"),
            "least": st.column_config.NumberColumn("Least swapped", format="percent"),
            "layer": st.column_config.NumberColumn("in layer"),
            "last": st.column_config.NumberColumn("Swapped in the last layer", format="percent"),
        },
    )


# --- mixes ----------------------------------------------------------------------------------


def _mixes(run: Run, measured: tuple[int, ...], answer: Answer, pooling: str) -> None:
    n_layers = int(run.encoder["layers"])
    scores = cells_of_measure(run, PROBE_MACRO_F1.name, "val", pooling)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        snapshot = _epoch(run, measured, answer, "mix")
        how = st.selectbox(
            "How",
            MIXES,
            format_func=str.capitalize,
            key=keep("detail_how"),
            width=190,
            help="Concatenate: one after the other. Average: of standardised states. Scalar mix: "
            "with weights learned on train (ELMo, Peters et al. 2018).",
        )
        chosen = st.multiselect(
            "Layers",
            range(1, n_layers + 1),
            key=keep(f"detail_mix_{n_layers}", list(range(max(1, n_layers - 3), n_layers + 1))),
        )
    here = scores[(scores["snapshot"] == snapshot) & (scores["layer"] > 0)]
    single = int(here.loc[here["value"].idxmax(), "layer"])
    if chosen:
        found = cache.layer_mix(run, snapshot, pooling, tuple(sorted(chosen)), how, single)
        st.markdown(plain(_said(found, f"the best single layer on val ({single})")))
    _search(run, snapshot, pooling)


def _said(found: LayerMix, against: str) -> str:
    layers = ", ".join(map(str, found.layers))
    what = f"Layers {layers}" if len(found.layers) > 1 else f"Layer {layers}"
    weights = ""
    if found.how == "scalar mix" and len(found.layers) > 1:
        weights = f" with weights {', '.join(f'{weight:.2f}' for weight in found.weights)}"
    verb = {"concatenate": "concatenated", "average": "averaged", "scalar mix": "mixed"}[found.how]
    gain = f"{found.difference:+.3f} ({found.low:+.3f} to {found.high:+.3f}, paired)"
    verdict = "a real gain" if found.better else "a loss" if found.high < 0 else "a tie"
    return (
        f"{what} {verb}{weights}: val macro-F1 {found.score:.3f}, against {found.single_score:.3f} "
        f"for {against}. The difference, {gain}, is {verdict}."
    )


def _search(run: Run, snapshot: int, pooling: str) -> None:
    stored = runs.read_mix(run.path, snapshot, pooling)
    if stored is not None:
        found = LayerMix(**stored)
        if len(found.layers) == 1:
            text = (
                f"Search: no layer added to layer {found.single} lowered the loss on the inner "
                "folds of train: that layer alone is the best mix."
            )
        else:
            text = "Search, which never looked at val: " + _said(
                found, f"layer {found.single}, the best one inside train"
            )
        st.markdown(plain(text))
        return
    key = f"search-{run.run_id}-{snapshot}-{pooling}"
    asked = st.button(
        "Search for the best mix",
        icon=":material/search:",
        key="search_mix",
        help="Greedy forward selection on inner folds of train; val scores the result once.",
    )
    if asked:
        st.session_state[key] = True
    if st.session_state.get(key):
        wait_for(lambda: [jobs().search_mix(run, snapshot, pooling)], _searching)


def _searching(states: Sequence[JobState]) -> None:
    st.progress(mean_fraction(states), states[0].progress.sentence)


DETAIL_TABS = Registry(
    "tab",
    [
        Tab("Lines", _lines),
        Tab("Pooling", _poolings),
        Tab("Overfitting", _overfitting),
        Tab("Similarity", _similarity),
        Tab("Classes", _classes),
        Tab("Mix layers", _mixes),
    ],
)
