"""All runs and comparisons as tables: sort, filter, open, rename, compare, delete."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from layerviz import cache, runs
from layerviz.comparison import encoder_label
from layerviz.runs import OpenedComparison, Run, UnreadableRun
from layerviz.ui.all_runs.dialogs import (
    confirm_deletion,
    confirm_forgetting,
    rename_comparison,
    rename_run,
    show_what_failed,
)
from layerviz.ui.parts.run_actions import new_run_button, title, unreadable_line
from layerviz.ui.parts.state import go_to, go_to_comparison, jobs, keep, keep_values, plain
from layerviz.wording import count, enumeration

ROW, MOST_HEIGHT, NAME_WIDTH = 36, 620, 300  # pixels
MOST_UNREADABLE = 50  # runs that cannot be shown
MOST_REASONS = 5  # that are given of failed starts


def all_runs_view() -> None:
    """Show every run and every comparison that was opened."""
    keep_values()
    folder = runs.runs_in(jobs().root)
    listed = list(folder.runs)
    comparisons = runs.list_comparisons(jobs().root)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.title("All runs", anchor=False, width="stretch")
        if not runs.is_read_only():
            new_run_button()
    show_what_failed()
    if not listed and not comparisons and not folder.unreadable:
        st.info(
            "There are no runs yet."
            if runs.is_read_only()
            else "There are no runs yet. Press **Fine-tune** in the sidebar to make the first one.",
            icon=":material/table_rows:",
        )
        return
    words = st.text_input(
        "Filter",
        key=keep("find_runs"),
        icon=":material/search:",
        placeholder="Name, data, encoder or status",
    )
    _runs(listed, words)
    _failed_starts(listed)
    _unreadable(folder.unreadable)
    _comparisons(comparisons, {run.run_id: run for run in listed}, words)


# --- runs -----------------------------------------------------------------------------------


def _runs(listed: list[Run], words: str) -> None:
    rows = [(run, _run_row(run)) for run in listed]
    shown = [(run, row) for run, row in rows if _matches(words, row, run.run_id)]
    st.caption(_how_many(len(shown), len(listed), "run"))
    if not shown:
        return
    actions = st.container(horizontal=True, gap="small", key="runs_actions")
    chosen = _table(
        [row for _, row in shown],
        "all_runs",
        [run.run_id for run, _ in shown],
        {
            "Val F1": st.column_config.NumberColumn(
                format="%.3f",
                help="Macro-F1 of the model's own predictions at the newest snapshot, on the "
                "captured val examples.",
            ),
            "Epochs": st.column_config.NumberColumn(
                format="%g", help="Trained so far, at the newest snapshot."
            ),
        },
    )
    with actions:
        _run_actions([shown[row][0] for row in chosen if row < len(shown)])


def _run_row(run: Run) -> dict[str, Any]:
    summary = cache.summary(run)
    return {
        "Name": title(run),
        "Date (UTC)": pd.Timestamp(summary.created).tz_convert("UTC").tz_localize(None),
        "Val F1": summary.val_macro_f1,
        "Status": summary.status.capitalize(),
        "Data": summary.data,
        "Encoder": encoder_label(run),
        "Epochs": summary.epochs,
    }


def _run_actions(chosen: list[Run]) -> None:
    """Show what can be done with the runs that are ticked; buttons stay where they are."""
    one = chosen[0] if len(chosen) == 1 else None
    same_data = len({run.dataset["fingerprint"] for run in chosen}) == 1
    any_live = any(run.live for run in chosen)
    st.button(
        "Open",
        icon=":material/open_in_full:",
        key="all_runs_open",
        type="primary",
        disabled=one is None,
        help="Tick one run." if one is None else None,
        on_click=go_to,
        args=(one.run_id if one else None,),
    )
    st.button(
        "Compare",
        icon=":material/compare_arrows:",
        key="all_runs_compare",
        disabled=len(chosen) < 2 or not same_data,
        help=None if len(chosen) > 1 and same_data else "Tick two or more runs on the same data.",
        on_click=go_to_comparison,
        args=([run.run_id for run in chosen],),
    )
    if runs.is_read_only():
        return
    if st.button(
        "Rename",
        icon=":material/edit:",
        key="all_runs_rename",
        disabled=one is None,
        help="Tick one run." if one is None else None,
    ):
        assert one is not None
        rename_run(one)
    if st.button(
        "Delete" if len(chosen) < 2 else f"Delete {count(len(chosen), 'run')}",
        icon=":material/delete:",
        key="all_runs_delete",
        disabled=not chosen or any_live,
        help="Cancel runs that are going on first."
        if any_live
        else None
        if chosen
        else "Tick the runs to delete.",
    ):
        confirm_deletion(chosen)


def _failed_starts(listed: list[Run]) -> None:
    """Say which runs hold nothing and why, and offer to remove them."""
    failed = [run for run in listed if runs.is_failed_start(run)]
    if not failed:
        return
    with st.container(border=True):
        st.markdown(
            f"**{count(len(failed), 'run')} ended before anything was captured.** Starting one "
            "again with the same settings takes its place."
        )
        lines = [f"{title(run)}: {run.reason or run.status}" for run in failed[:MOST_REASONS]]
        if len(failed) > MOST_REASONS:
            lines.append(f"and {len(failed) - MOST_REASONS:,} more")
        st.caption("  \n".join(plain(line) for line in lines))
        if not runs.is_read_only() and st.button("Tidy up", icon=":material/mop:", key="tidy_up"):
            confirm_deletion(failed)


def _unreadable(unreadable: Sequence[UnreadableRun]) -> None:
    """List the runs that cannot be shown, each with its reason."""
    if not unreadable:
        return
    with st.container(border=True, gap="small"):
        st.markdown(
            f"**{count(len(unreadable), 'run')} cannot be shown.** The others are not affected."
        )
        for one in unreadable[:MOST_UNREADABLE]:
            unreadable_line(one, "all_runs")
        if len(unreadable) > MOST_UNREADABLE:
            st.caption(f"and {len(unreadable) - MOST_UNREADABLE:,} more")


# --- comparisons ----------------------------------------------------------------------------


def _comparisons(comparisons: list[OpenedComparison], by_id: dict[str, Run], words: str) -> None:
    if not comparisons:
        return
    st.header("Comparisons", anchor=False)
    rows = [_comparison_row(comparison, by_id) for comparison in comparisons]
    shown = [
        (comparison, row)
        for comparison, row in zip(comparisons, rows, strict=True)
        if _matches(words, row)
    ]
    st.caption(_how_many(len(shown), len(comparisons), "comparison"))
    if not shown:
        return
    actions = st.container(horizontal=True, gap="small", key="comparisons_actions")
    keys = [",".join(comparison.run_ids) for comparison, _ in shown]
    chosen = _table([row for _, row in shown], "all_comparisons", keys, {})
    with actions:
        _comparison_actions([shown[row][0] for row in chosen if row < len(shown)], by_id)


def comparison_title(comparison: OpenedComparison, by_id: dict[str, Run]) -> str:
    """Name a comparison for people: as a reader calls it, or after its encoders and data."""
    compared = [by_id[run_id] for run_id in comparison.run_ids if run_id in by_id]
    if comparison.title or not compared:
        return comparison.title or "Deleted runs"
    encoders = enumeration(list(dict.fromkeys(encoder_label(run) for run in compared)))
    return f"{encoders} on {compared[0].dataset['name']}"


def _comparison_row(comparison: OpenedComparison, by_id: dict[str, Run]) -> dict[str, Any]:
    compared = [by_id[run_id] for run_id in comparison.run_ids if run_id in by_id]
    n_deleted = len(comparison.run_ids) - len(compared)
    done = sum(run.status == "done" for run in compared)
    status = f"{done} of {len(compared)} runs done"
    return {
        "Name": comparison_title(comparison, by_id),
        "Opened first (UTC)": pd.Timestamp(comparison.opened).tz_convert("UTC").tz_localize(None),
        "Data": compared[0].dataset["name"] if compared else "",
        "Status": f"{count(n_deleted, 'run')} deleted" if n_deleted else status,
    }


def _comparison_actions(chosen: list[OpenedComparison], by_id: dict[str, Run]) -> None:
    one = chosen[0] if len(chosen) == 1 else None
    left = [run_id for run_id in one.run_ids if run_id in by_id] if one else []
    st.button(
        "Open",
        icon=":material/open_in_full:",
        key="all_comparisons_open",
        type="primary",
        disabled=len(left) < 2,
        help="Fewer than two of its runs are left."
        if one and len(left) < 2
        else None
        if one
        else "Tick one comparison.",
        on_click=go_to_comparison,
        args=(left,),
    )
    if runs.is_read_only():
        return
    if st.button(
        "Rename",
        icon=":material/edit:",
        key="all_comparisons_rename",
        disabled=one is None,
        help="Tick one comparison." if one is None else None,
    ):
        assert one is not None
        rename_comparison(one, comparison_title(one, by_id))
    if st.button(
        "Take off the list",
        icon=":material/playlist_remove:",
        key="all_comparisons_remove",
        disabled=not chosen,
        help="Its runs stay." if chosen else "Tick the comparisons to take off the list.",
    ):
        confirm_forgetting([(one, comparison_title(one, by_id)) for one in chosen])


# --- tables ---------------------------------------------------------------------------------


def _table(
    rows: Sequence[dict[str, Any]], name: str, keys: Sequence[str], columns: dict[str, Any]
) -> list[int]:
    """Show rows and return which of them are ticked; a table of other rows has no ticks yet."""
    digest = hashlib.sha256(repr(keys).encode()).hexdigest()[:8]
    drawn = st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        width="stretch",
        height=min(MOST_HEIGHT, ROW * (len(rows) + 1) + 3),
        row_height=ROW,
        on_select="rerun",
        selection_mode="multi-row",
        key=f"{name}-{digest}",
        column_config={
            "Name": st.column_config.TextColumn(width=NAME_WIDTH),
            **{
                column: st.column_config.DatetimeColumn(format="YYYY-MM-DD HH:mm")
                for column in rows[0]
                if column.endswith("(UTC)")
            },
            **columns,
        },
    )
    chosen: list[int] = drawn["selection"]["rows"]
    return chosen


def _matches(words: str, row: dict[str, Any], *more: str) -> bool:
    """Return whether all words are found in what a row shows."""
    shown = " ".join([*(str(value) for value in row.values()), *more]).casefold()
    return all(word in shown for word in words.casefold().split())


def _how_many(n_shown: int, n_all: int, noun: str) -> str:
    if n_shown == n_all:
        return f"{count(n_all, noun)}, newest first. Tick rows to act on them."
    return f"{n_shown:,} of {count(n_all, noun)}."
