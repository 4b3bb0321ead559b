"""Which examples are selected, by a click, a box or a search; the same wherever maps are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import charts
from layerviz.charts import Grid
from layerviz.runs import Run

SELECTED = "selected"  # session state: of which data, which ids, and how they were selected
SEARCH = "search"
MOST_PATHS = 12  # examples whose paths through the epochs can still be told apart


def selection(run: Run) -> set[str]:
    """Return the ids of the selected examples of a run's data."""
    fingerprint, ids, _ = st.session_state.get(SELECTED, ("", (), ""))
    return set(ids) if fingerprint == run.dataset["fingerprint"] else set()


def how_selected(run: Run) -> str:
    """Return how they were selected, in words that follow "selected"."""
    fingerprint, _, how = st.session_state.get(SELECTED, ("", (), ""))
    return how if fingerprint == run.dataset["fingerprint"] else ""


def select(run: Run, ids: Iterable[str], how: str = "") -> None:
    """Select examples of a run's data; takes effect where the page is drawn next."""
    st.session_state[SELECTED] = (run.dataset["fingerprint"], tuple(ids), how)


def clear_selection() -> None:
    """Select nothing."""
    st.session_state.pop(SELECTED, None)
    st.session_state[SEARCH] = ""


def selection_callback(
    key: str, run: Run, ids: np.ndarray, points: pd.DataFrame, panels: Sequence[int], grid: Grid
) -> Callable[[], None]:
    """Return the callback that takes over a click or a box in the maps drawn under `key`.

    Parameters
    ----------
    key : str
        Of the chart.
    run : Run
        A run on the data.
    ids : ndarray of shape (N,)
        Of the examples that the points' ``row`` counts.
    points, panels, grid
        As they were drawn.
    """

    def take() -> None:
        event = st.session_state[key]["selection"]
        box, picked = event.get("box") or {}, event.get("pick") or []
        earlier = st.session_state.get(f"{key}_box")
        st.session_state[f"{key}_box"] = box
        if box.get("x") and box != earlier:  # else it was a click that left an older box behind
            chosen = charts.rows_in_box(box, points, panels, grid)
        else:
            chosen = np.array([int(one["row"]) for one in picked], dtype=int)
        st.session_state[SEARCH] = ""
        select(run, ids[chosen].tolist())

    return take


def highlight(frame: pd.DataFrame, ids: np.ndarray, chosen: set[str]) -> pd.DataFrame:
    """Mark the chosen examples in the `examples` of `layer_maps`; if none are chosen, show all."""
    if not chosen:
        return frame
    return frame.assign(highlighted=2 * np.isin(ids[frame["row"].to_numpy()], list(chosen)))


def search_box(run: Run, examples: pd.DataFrame) -> None:
    """Let the reader find examples by part of their text, or by their id."""

    def find() -> None:
        wanted = st.session_state[SEARCH].strip()
        if not wanted:
            clear_selection()
            return
        hits = examples["text"].str.contains(wanted, case=False, regex=False)
        hits |= examples["id"] == wanted
        select(run, examples["id"][hits], f"by the search for “{wanted}”")

    st.text_input(
        "Find",
        key=SEARCH,
        placeholder="Find text or id",
        icon=":material/search:",
        label_visibility="collapsed",
        on_change=find,
    )
    if st.session_state[SEARCH].strip() and not selection(run):
        nothing_found(run, examples)


def nothing_found(run: Run, examples: pd.DataFrame) -> None:
    """Say that no captured example matches, and whether others were left out."""
    captured, n = len(examples), sum(sum(one.values()) for one in run.dataset["counts"].values())
    others = f" The other {n - captured:,} of the data are not searched." if n > captured else ""
    st.caption(f"Nothing found in the {captured:,} captured examples.{others}")


def clear_button(key: str) -> None:
    """Let the reader select nothing."""
    st.button("Clear", icon=":material/close:", key=key, on_click=clear_selection)
