"""How well each layer tells each class apart, when first, and which pairs stay confused."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts, separability
from layerviz.runs import Run
from layerviz.separability import Cell
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.state import keep, plain
from layerviz.ui.run.layer_details.detail import Detail, is_dark
from layerviz.wording import epoch_name, sentence_case

MOST_CLASSES, MOST_PAIRS = 30, 50
MOST_ROWS, TABLE_HEIGHT = 9, 390  # of a table as high as its rows; pixels of a longer one


@dataclass(frozen=True)
class _Probes:
    """What the probes of K cells predict for the n val examples."""

    cells: list[Cell]
    predicted: np.ndarray  # (K, n)
    labels: np.ndarray  # (n,)


def classes_tab(detail: Detail) -> None:
    """Show each class's F1 per layer, when it is first separated, and the most confused pairs."""
    run = detail.run
    with st.container(horizontal=True, vertical_alignment="bottom"):
        snapshot = detail.snapshot_control("classes")
        threshold = st.slider(
            "F1 from which a class counts as separated",
            min_value=0.3,
            max_value=0.95,
            step=0.05,
            key=keep("detail_threshold", 0.7),
            width=330,
        )
    probes = _probes(run, detail.pooling)
    scores = separability.class_scores(
        probes.cells, probes.predicted, probes.labels, run.label_names
    )
    _heat_map(detail, scores, snapshot)
    left, right = st.columns([2, 3])
    with left:
        st.markdown(f"**First separated** (F1 of {threshold:.2f} or more)")
        _first_separated(run, probes, threshold)
    with right:
        st.markdown("**Most confused classes**")
        _confused(run, probes, snapshot)


def _probes(run: Run, pooling: str) -> _Probes:
    cells, predicted = cache.probes(run)
    examples = cache.examples(run)
    val = (examples["split"] == "val").to_numpy()
    rows = [row for row, cell in enumerate(cells) if cell.pooling == pooling]
    labels = examples["label"].to_numpy()[val]
    return _Probes([cells[row] for row in rows], predicted[rows][:, val], labels)


def _heat_map(detail: Detail, scores: pd.DataFrame, snapshot: int) -> None:
    at_snapshot = scores[scores["snapshot"] == snapshot]
    names = at_snapshot.drop_duplicates("label").nlargest(MOST_CLASSES, "n")["label"]
    figure(
        partial(
            charts.class_heat_map, at_snapshot[at_snapshot["label"].isin(names)], dark=is_dark()
        ),
        key="class_scores",
        title="**F1 of each class in each layer**",
        alt="Heat map: the probe's F1 on val for each class in each layer.",
        name=f"{detail.run.run_id}-classes-{detail.pooling}",
        frame=scores,
    )
    if len(names) < at_snapshot["label"].nunique():
        st.caption(
            f"The {len(names)} most frequent classes in val are drawn; the CSV has them all."
        )


def _first_separated(run: Run, probes: _Probes, threshold: float) -> None:
    first = separability.first_separates(probes.cells, probes.predicted, probes.labels, threshold)
    classes, counts = np.unique(probes.labels, return_counts=True)
    cells = [first.get(int(label)) for label in classes]
    st.table(
        pd.DataFrame(
            {
                "Class": [plain(run.label_names[label]) for label in classes],
                "n in val": counts,
                "First separated": [
                    f"{sentence_case(epoch_name(cell.epoch))}, layer {cell.layer}" if cell else ""
                    for cell in cells
                ],
            }
        ),
        hide_index=True,
        height=_table_height(len(classes)),
        alt="When each class is first separated.",
    )
    st.caption(
        "The earliest epoch and, at that epoch, the lowest layer whose F1 is certainly that high: "
        "the lower end of its interval, simultaneous over all layers, epochs and classes (95 %). "
        "Empty where none is, or where val has fewer than 10 examples of the class."
    )


def _confused(run: Run, probes: _Probes, snapshot: int) -> None:
    rows = [row for row, cell in enumerate(probes.cells) if cell.snapshot == snapshot]
    pairs = separability.confused_pairs(
        [probes.cells[row].layer for row in rows],
        probes.predicted[rows],
        probes.labels,
        run.label_names,
    )
    if pairs.empty:
        st.caption("No layer confuses any two classes.")
        return
    pairs = pairs.head(MOST_PAIRS)
    st.table(
        pd.DataFrame(
            {
                "Pair of classes": [
                    plain(f"{one}, {other}")
                    for one, other in zip(pairs["one"], pairs["other"], strict=True)
                ],
                "n in val": pairs["n"].tolist(),
                "Least confused": [
                    plain(f"{100 * share:.0f} % in layer {layer}")
                    for share, layer in zip(pairs["least"], pairs["layer"], strict=True)
                ],
                "In the last layer": [plain(f"{100 * share:.0f} %") for share in pairs["last"]],
            }
        ),
        hide_index=True,
        height=_table_height(len(pairs)),
        alt="The most confused pairs of classes.",
    )
    st.caption(
        "Shares of the examples of both classes. "
        "*Least confused* is the smallest over the layers, "
        "picked on these examples: with few of them, much of its lead is chance."
    )


def _table_height(n_rows: int) -> Literal["content"] | int:
    return "content" if n_rows <= MOST_ROWS else TABLE_HEIGHT
