"""A table of examples with the classifier's predictions; ticking a row opens that example."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, runs
from layerviz.data import FurtherColumn, names_beside
from layerviz.runs import Run
from layerviz.ui.parts.filter_box import FILTER, filter_box, filtered
from layerviz.ui.parts.measured import download
from layerviz.ui.parts.selection import clear_button, how_selected, select
from layerviz.ui.parts.state import open_tab, plain
from layerviz.ui.parts.text_columns import TEXT_SHOWN, text_columns, text_config
from layerviz.wording import count, epoch_name

OPENED = "opened_example"  # session state: of which data, and the id of the example
SHOWN = "examples_view"  # session state: the part of the Examples tab that is open
ONE = "One example"
MOST_CELLS_BESIDE, LEAST_BESIDE = 200_000, 5  # cells and columns that the data have further
COLUMNS = {
    "split": st.column_config.TextColumn(width=60),
    "confidence": st.column_config.ProgressColumn(format="percent", max_value=1, width=90),
    "loss": st.column_config.NumberColumn(format="%.2f", width=60),
    "example": st.column_config.TextColumn(width=220),
    "id": None,  # its name says it in words
}


def examples_table(
    run: Run,
    examples: pd.DataFrame,
    chosen: set[str],
    snapshot: int,
    key: str,
    selected: Callable[[], pd.DataFrame] | None = None,
) -> None:
    """List the chosen examples, or all where none are, the hardest first.

    Parameters
    ----------
    run : Run
    examples : DataFrame
        Those captured.
    chosen : set of str
        Ids.
    snapshot : int
        Whose predictions are shown.
    key : str
    selected : callable, optional
        Returns what can be downloaded of the chosen examples.
    """
    at = epoch_name(run.snapshots[snapshot].epoch)
    part = examples[examples["id"].isin(chosen)] if chosen else examples
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        if chosen:
            how = plain(how_selected(run))
            st.markdown(
                f"**{count(len(part), 'example')} selected** {how} "
                f"(predictions: {at}; hardest first)",
                width="content",
            )
            with st.container(horizontal=True, width="content", vertical_alignment="center"):
                if selected is not None:
                    download(selected, f"{run.run_id}-selected")
                clear_button(f"{key}_clear")
        else:
            st.markdown(f"**All examples** (predictions: {at}; hardest first)", width="content")
    asked = filter_box(run)
    part = filtered(part, asked)
    if asked is not None and len(part):
        st.button(
            f"Select these {len(part):,} in the maps",
            icon=":material/scatter_plot:",
            key=f"{key}_select",
            on_click=select,
            args=(run, part["id"].tolist(), f"where {asked.in_words()}"),
        )
    predictions = cache.predictions(run, snapshot)
    frame = described(run, part, predictions).sort_values("loss", ascending=False, kind="stable")
    open_from_table(run, frame, part.loc[frame.index, "id"], key)
    st.caption(
        "Tick a row to open that example. "
        + (
            ""
            if chosen
            else "Click a point (Shift adds more), drag a box or search: the examples you select "
            "are marked in all maps, and only they are listed here."
        )
    )


def chosen_examples(
    run: Run,
    part: pd.DataFrame,
    predictions: pd.DataFrame,
    title: str,
    key: str,
    show_in_maps: Callable[[], None],
    clear: Callable[[], None],
    none: str = "",
) -> None:
    """List what was chosen in a chart or a table, the hardest first, under the filter of all.

    Parameters
    ----------
    run : Run
    part, predictions : DataFrame
        The chosen examples, and predictions of these and perhaps of others, under their index.
    title : str
        In Markdown.
    key : str
    show_in_maps, clear : callable
        What the buttons do.
    none : str
        What to say where there are no such examples.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(title, width="stretch")
        st.button(
            "Show in the maps",
            icon=":material/scatter_plot:",
            key=f"{key}_maps",
            on_click=show_in_maps,
            disabled=part.empty,
        )
        st.button("Clear", icon=":material/close:", key=f"{key}_clear", on_click=clear)
    if part.empty:
        st.caption(none)
        return
    part = filtered(part, filter_box(run))
    frame = described(run, part, predictions)
    frame = frame.sort_values("loss", ascending=False, kind="stable")
    open_from_table(run, frame, frame["id"].tolist(), f"{key}_examples")


def described(run: Run, part: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    """Return what a table shows of some examples, under their index in the run."""
    names = np.asarray(run.label_names, dtype=object)
    predictions = predictions.loc[part.index]
    return pd.DataFrame(
        {
            "split": part["split"],
            "label": names[part["label"].to_numpy()],
            "predicted": names[predictions["predicted"].to_numpy()],
            "confidence": predictions["confidence"],
            "loss": predictions["loss"],
            "example": runs.names_of(run, part),
            **text_columns(part["text"]),
            "id": part["id"],
        }
    )


def open_from_table(
    run: Run, frame: pd.DataFrame, ids: Sequence[str], key: str, columns: dict | None = None
) -> None:
    """Show a table, beside it what the data say of each example; a ticked row opens its example."""
    ids = list(ids)
    frame, note = with_further_columns(run, frame, ids)
    # Another list is another table: a tick in the earlier one means nothing here.
    key = f"{key}-{zlib.crc32(' '.join(ids).encode()):x}"

    def tick() -> None:
        if rows := st.session_state[key]["selection"]["rows"]:
            open_example(run, ids[rows[0]])

    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=min(38 + 35 * max(len(frame), 1), 390),
        column_config=COLUMNS | text_config(frame) | (columns or {}),
        key=key,
        on_select=tick,
        selection_mode="single-row",
    )
    if note:
        st.caption(note)


def _columns_beside(run: Run, n_rows: int) -> list[FurtherColumn]:
    """Return the further columns that a table has room for, the one that is filtered by included.

    A browser takes seconds for a table of millions of cells.
    """
    columns = cache.further_columns(run)
    room = max(LEAST_BESIDE, MOST_CELLS_BESIDE // max(n_rows, 1))
    is_asked = [column.name == st.session_state.get(FILTER) for column in columns]
    return [c for at, c in enumerate(columns) if at < room or is_asked[at]]


def with_further_columns(
    run: Run, frame: pd.DataFrame, ids: Sequence[str]
) -> tuple[pd.DataFrame, str]:
    """Return a table of examples with further columns of the data beside it, and what lacks.

    The one that the reader filters by stands before the texts.

    Parameters
    ----------
    run : Run
        One that captured the examples.
    frame : DataFrame
        The table, a row per example.
    ids : sequence of str
        Of the examples.

    Returns
    -------
    DataFrame, str
        The second is "" where no column is left out.
    """
    columns = _columns_beside(run, len(frame))
    if not columns:
        return frame, ""
    examples = cache.examples(run)
    rows = pd.Index(examples["id"]).get_indexer(pd.Index(ids))
    frame = frame.copy(deep=False)
    names = names_beside((column.name for column in columns), frame.columns.tolist())
    for column in columns:
        if column.kind == "number":
            cells = cache.numbers_of(run, column.name)[rows]
        else:
            cells = examples[column.name].iloc[rows].str.slice(0, TEXT_SHOWN).to_numpy()
        is_asked = column.name == st.session_state.get(FILTER) and "text" in frame
        at = list(frame).index("text") if is_asked else len(frame.columns)
        frame.insert(at, names[column.name], cells)
    n = len(cache.further_columns(run))
    left_out = f"{len(columns)} of {n} further columns are listed; an example has all."
    return frame, left_out if n > len(columns) else ""


def open_example(run: Run, example: str) -> None:
    """Show one example; for callbacks, it takes effect in the rerun."""
    st.session_state[OPENED] = (run.dataset["fingerprint"], example)
    st.session_state[SHOWN] = ONE
    open_tab("Examples")


def opened_example(run: Run) -> str | None:
    """Return the id of the example that is open."""
    fingerprint, example = st.session_state.get(OPENED, ("", ""))
    return example if fingerprint == run.dataset["fingerprint"] else None
