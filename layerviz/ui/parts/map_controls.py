"""What a reader chooses about maps wherever they are drawn, and the legend of their colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from layerviz import cache, charts
from layerviz.export.views import first_and_last, legend_entries
from layerviz.poolings import pooling_label
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS, projections_in_words
from layerviz.runs import Run
from layerviz.ui.parts.state import keep, keep_choice

PRESETS: dict[str, Callable[[int], list[int]]] = {
    "First four and last four": lambda n: list(first_and_last(n)),
    "All": lambda n: list(range(1, n + 1)),
    "Every other": lambda n: list(range(n, 0, -2))[::-1],
}


def first_layers(n_layers: int) -> list[int]:
    """Return the layers that are shown before the reader chooses."""
    return PRESETS[next(iter(PRESETS))](n_layers)


def pooling_control(key: str, poolings: Sequence[str], first: str | None = None) -> str:
    """Let the reader choose one of the poolings of a run, `first` (or the first of them) at first.

    The choice is remembered from run to run, as far as they have it.
    """
    keep_choice(key, poolings, poolings[0] if first is None else first)
    return st.segmented_control(
        "Pooling",
        poolings,
        required=True,
        format_func=pooling_label,
        key=key,
        width="content",
        help="How a layer's token vectors become one vector per example.",
    )


def map_controls(prefix: str) -> tuple[str, str]:
    """Let the reader choose projection and colouring.

    The choices live under ``projection`` and ``colouring``, after `prefix`.
    """
    projection = st.segmented_control(
        "Projection",
        list(PROJECTIONS),
        required=True,
        format_func=lambda name: PROJECTIONS[name].label,
        key=keep(f"{prefix}projection", DEFAULT_PROJECTION),
        width="content",
        help=f"{projections_in_words()} All are fitted on train only.",
    )
    colouring = st.selectbox(
        "Colour by",
        charts.COLOURINGS,
        format_func=str.capitalize,
        key=keep(f"{prefix}colouring"),
        width=150,
    )
    return projection, colouring


def classes_in_colour(run: Run, colouring: str, key: str) -> list[int]:
    """Return the classes with a colour of their own; the user chooses where there are many."""
    examples = cache.examples(run)
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
        key=keep(key, default),
    )
    return sorted(chosen) or default


def colour_legend(run: Run, colouring: str, classes: list[int], key: str) -> None:
    """Show what the colours mean; `classes` are those with a colour of their own."""
    entries = legend_entries(run.label_names, colouring, classes)
    chart = (
        charts.legend(pd.DataFrame(entries, columns=["name", "colour"]))
        if entries
        else charts.confidence_legend()
    )
    st.altair_chart(chart, width="stretch", key=key, alt="Legend of the colours.")
