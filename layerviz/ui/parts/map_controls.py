"""What a reader chooses about maps wherever they are drawn, and the legend of their colours."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd
import streamlit as st

from layerviz import cache, charts
from layerviz.config import COLOURINGS
from layerviz.data import FurtherColumn
from layerviz.poolings import pooling_label
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS, projections_in_words
from layerviz.runs import Run
from layerviz.ui.parts.choice import choose_one
from layerviz.ui.parts.state import COLOUR, RUN, keep, keep_choice, plain
from layerviz.views import Legend, colourings, first_and_last_layers
from layerviz.wording import quote

PRESETS: dict[str, Callable[[int], tuple[int, ...]]] = {
    "First and last four layers": first_and_last_layers,
    "All layers": lambda n: tuple(range(1, n + 1)),
    "Every other layer": lambda n: tuple(range(n, 0, -2))[::-1],
}


def pooling_control(
    key: str, poolings: Sequence[str], first: str | None = None, *, labelled: bool = True
) -> str:
    """Let the reader choose one of the poolings of a run; preset is `first`, or the run's first.

    The choice is remembered from run to run, where the runs have it.
    """
    return choose_one(
        "Pooling",
        poolings,
        key=key,
        first=first,
        format_func=pooling_label,
        label_visibility="visible" if labelled else "collapsed",
        help="How a layer's token vectors become one vector per example." if labelled else None,
    )


def map_controls(
    prefix: str, columns: Sequence[FurtherColumn], *, labelled: bool = True
) -> tuple[str, str]:
    """Let the reader choose projection and colouring.

    The choices live under ``projection`` and ``colouring``, after `prefix`.

    Parameters
    ----------
    prefix : str
    columns : sequence of FurtherColumn
        Those that can colour the maps, beside `COLOURINGS`.
    labelled : bool
        Whether the widgets have labels above them.
    """
    projection = choose_one(
        "Projection",
        list(PROJECTIONS),
        key=f"{prefix}projection",
        first=DEFAULT_PROJECTION,
        format_func=lambda name: PROJECTIONS[name].label,
        label_visibility="visible" if labelled else "collapsed",
        help=f"{projections_in_words()} All are fitted on train only." if labelled else None,
    )
    choices = colourings(columns)
    key = f"{prefix}colouring"
    colouring = st.selectbox(
        "Colour by",
        choices,
        format_func=lambda name: _colouring_name(name) if labelled else f"Colour: {name}",
        key=keep_choice(key, choices, choices[0]),
        label_visibility="visible" if labelled else "collapsed",
        width=150 if labelled else 168,
    )
    return projection, colouring


def _colouring_name(name: str) -> str:
    """Return what a colouring is called; a column keeps the name that it has."""
    return name.capitalize() if name in COLOURINGS else name


def colouring_from_address(columns: Sequence[FurtherColumn]) -> None:
    """Take over, once, how the address says that the maps of the run are coloured."""
    wanted = st.query_params.get(COLOUR)
    if wanted is None or "colouring" in st.session_state:
        return
    choices = colourings(columns)
    if wanted in choices:
        st.session_state["colouring"] = wanted
        return
    hint = f"Choose from {', '.join(choices)}."
    st.warning(
        plain(f"Colour {quote(wanted)} in the address was ignored. {hint}"),
        icon=":material/link_off:",
    )


def colouring_into_address(run: Run, colouring: str) -> None:
    """Write into the address of the run how its maps are coloured."""
    if st.query_params.get(RUN) != run.run_id:
        return
    if colouring == COLOURINGS[0]:
        st.query_params.pop(COLOUR, None)
    else:
        st.query_params[COLOUR] = colouring


def classes_in_colour(run: Run, colouring: str, key: str) -> tuple[int, ...]:
    """Return the classes with a colour of their own; the reader chooses where there are many."""
    examples = cache.examples(run)
    default = charts.most_frequent(examples["label"].to_numpy())
    names = run.label_names
    if len(names) <= len(charts.CLASS_COLOURS):
        return tuple(range(len(names)))
    if colouring not in ("label", "prediction"):
        return tuple(default)
    chosen = st.multiselect(
        f"Classes in colour (up to {len(charts.CLASS_COLOURS)} of {len(names):,}; others are grey)",
        range(len(names)),
        format_func=lambda index: names[index],
        max_selections=len(charts.CLASS_COLOURS),
        key=keep(key, default),
    )
    return tuple(sorted(chosen) or default)


def colour_legend(legend: Legend, key: str) -> None:
    """Show what the colours mean."""
    alt = "Legend of the colours."
    if legend.ramp is not None:
        ramp = charts.ramp_legend(legend.title, legend.ramp)
        st.altair_chart(ramp, width="stretch", key=f"{key}_ramp", alt=alt)
    if legend.entries:
        entries = charts.legend(pd.DataFrame(legend.entries, columns=["name", "colour"]))
        st.altair_chart(entries, width="stretch", key=key, alt=alt)
