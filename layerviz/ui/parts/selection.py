"""Which examples are selected, by a click, a box or a search; the same wherever maps are drawn."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import exploring, runs
from layerviz.pairs import text_cut_to
from layerviz.runs import Run

SELECTED = "selected"  # session state: of which data, which ids, and how they were selected
SEARCH = "search"
MOST_LISTED, TEXT_LISTED = 40, 160  # examples beside the maps, and characters of their texts
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


def take_selection(run: Run, ids: Sequence[str]) -> None:
    """Take over what a reader has selected with the mouse; it ends a search."""
    clear_selection()
    if ids:
        select(run, ids)


def clear_selection() -> None:
    """Select nothing."""
    st.session_state.pop(SELECTED, None)
    st.session_state[SEARCH] = ""


def picked_message(run: Run, examples: pd.DataFrame, drawn: np.ndarray) -> dict[str, object] | None:
    """Return the selected examples as the pane beside the maps lists them, None if there are none.

    Parameters
    ----------
    run : Run
    examples : DataFrame
        Those captured.
    drawn : ndarray
        The rows of those on the maps.
    """
    chosen = selection(run)
    if not chosen:
        return None
    part = examples[examples["id"].isin(chosen)]
    names = np.asarray(run.label_names, dtype=object)
    first = part.head(MOST_LISTED)
    more = len(part) - len(first)
    return {
        "count": where_selected(part, len(chosen), drawn),
        "items": [
            {
                "id": one["id"],
                "name": name,
                "text": text_cut_to(one["text"], TEXT_LISTED),
                "about": f"{one['split']} · {names[one['label']]}",
            }
            for one, name in zip(first.to_dict("records"), runs.names_of(run, first), strict=True)
        ],
        "more": f"{more:,} more are in the table below." if more else "",
    }


def where_selected(part: pd.DataFrame, n_selected: int, drawn: np.ndarray) -> str:
    """Say how many examples are selected, and where they are: "9 selected, 4 on these maps".

    Parameters
    ----------
    part : DataFrame
        The selected ones among those captured.
    n_selected : int
    drawn : ndarray
        The rows of the examples on the maps.
    """
    is_drawn = part.index.isin(drawn)
    on_maps, is_test = int(is_drawn.sum()), (part["split"] == "test").to_numpy()
    in_test = int((is_test & ~is_drawn).sum())  # those that the maps show are counted there
    undrawn = len(part) - on_maps - in_test
    parts = [f"{n_selected:,} selected"]
    if on_maps < n_selected:
        parts.append(f"{on_maps:,} on these maps")
    if in_test:
        parts.append(f"{in_test:,} in test")
    if undrawn > 0:
        parts.append(f"{undrawn:,} not drawn")
    if lost := n_selected - len(part):
        parts.append(f"{lost:,} not captured")
    return ", ".join(parts)


def search_box(run: Run, examples: pd.DataFrame) -> None:
    """Let the reader find examples by part of their text, by their row or by their id."""

    def find() -> None:
        wanted = st.session_state[SEARCH].strip()
        if not wanted:
            clear_selection()
            return
        hits = exploring.matching(examples, runs.names_of(run, examples), wanted)
        select(run, examples["id"][hits], f"by the search for “{wanted}”")

    st.text_input(
        "Find",
        key=SEARCH,
        placeholder="Find text or id",
        help="Part of a text, a row of your file such as “row 17”, or an id such as “train-17”.",
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
