"""What a run is called, and the actions that are offered wherever it is shown."""

from __future__ import annotations

import hashlib
import os
from typing import Literal

import streamlit as st

from layerviz import runs, training
from layerviz.comparison import encoder_label
from layerviz.config import BY_LAYERVIZ
from layerviz.errors import LayervizError
from layerviz.runs import Run, UnreadableRun
from layerviz.ui.parts.sidebar_button import sidebar_button
from layerviz.ui.parts.state import go_to, go_to_comparison, jobs, plain, show_error
from layerviz.wording import count, cut_to

NO_OTHER_RUN = "There is no other run on this data."
MOST_OF_NAME = 60  # letters of a folder's name that are shown

# Colour of the badge and icon of each status.
BadgeColour = Literal["blue", "green", "gray", "red"]
STATUS_MARKS: dict[str, tuple[BadgeColour, str]] = {
    "queued": ("blue", ":material/schedule:"),
    "running": ("blue", ":material/play_circle:"),
    "done": ("green", ":material/check_circle:"),
    "cancelled": ("gray", ":material/do_not_disturb_on:"),
    "failed": ("red", ":material/error:"),
}


def title(run: Run) -> str:
    """Name a run for people: as a reader calls it, or after what it is."""
    if run.title:
        return run.title
    parts = [f"{encoder_label(run)} on {run.dataset['name']}"]
    if stop := training.early_stop_of(run):
        parts.append(f"{stop.epoch} of {count(stop.epochs, 'epoch')}")
    elif not run.trains:
        parts.append("not trained")
    elif run.config.trained_by != BY_LAYERVIZ:
        parts.append("your own training")
    elif run.config.epochs:
        parts.append(count(run.config.epochs, "epoch"))
    if run.config.freeze:
        parts.append(f"{count(run.config.freeze, 'layer')} frozen")
    return ", ".join(parts)


def sizes(run: Run) -> str:
    """Say how many examples and classes a run's data have."""
    counts = {split: sum(counts.values()) for split, counts in run.dataset["counts"].items()}
    parts = [f"{n:,} {split}" for split, n in counts.items()]
    return " · ".join([*parts, f"{len(run.label_names)} classes"])


def choose_runs(first: Run, compared: list[Run]) -> None:
    """Let the reader choose which runs on the data of `first` to compare."""
    menu = st.popover(
        "Runs to compare",
        icon=":material/compare_arrows:",
        width="content",
        key="runs_to_compare",
        on_change="rerun",  # the runs folder is read only when somebody looks
    )
    if not menu.open:
        return
    runs_on_data = {
        run.run_id: run
        for run in runs.list_runs(jobs().root)
        if run.dataset["fingerprint"] == first.dataset["fingerprint"]
    }
    with menu:
        if len(runs_on_data) < 2:
            if runs.is_read_only():
                st.caption(f"{NO_OTHER_RUN} Runs on other data cannot be compared.")
                return
            st.caption(
                f"{NO_OTHER_RUN} **Compare** in the sidebar makes some; runs on other data cannot "
                "be compared."
            )
            sidebar_button("compare")
            return
        chosen = st.multiselect(
            "Runs on this data",
            list(runs_on_data),
            default=[run.run_id for run in compared if run.run_id in runs_on_data],
            format_func=lambda run_id: f"{title(runs_on_data[run_id])} · {run_id[-8:]}",
            key="choose-" + "-".join(run.run_id[-8:] for run in compared),
        )
        st.button(
            "Compare these",
            type="primary",
            disabled=len(chosen) < 2,
            on_click=_compare_these,
            args=(chosen,),
            key="compare_these",
        )


def _compare_these(run_ids: list[str]) -> None:
    st.session_state["runs_to_compare"] = False  # the popover would cover what it opens
    go_to_comparison(run_ids)


def new_run_button() -> None:
    """Offer the way back to the data chosen on the left, or to all runs where none can be made."""
    if runs.is_read_only():
        st.button(
            "All runs",
            icon=":material/table_rows:",
            on_click=go_to,
            args=(None,),
            key="to_all_runs",
        )
        return
    st.button(
        "New run",
        icon=":material/add:",
        on_click=go_to,
        args=(None,),
        key="new_run",
        help="Back to the data chosen in the sidebar; your runs stay in the list.",
    )


def unreadable_line(one: UnreadableRun, place: str) -> None:
    """Say in grey which run cannot be shown and why, and offer to delete it.

    Parameters
    ----------
    one : UnreadableRun
    place : str
        Part of the key of its button: where on the page it stands.
    """
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall"):
        st.caption(plain(f"{cut_to(one.name, MOST_OF_NAME)}: {one.reason}"), width="stretch")
        if runs.is_read_only():
            return
        # Keys are shown to nobody, and a folder may have any name.
        key = f"{place}-unreadable-{hashlib.sha256(os.fsencode(one.name)).hexdigest()[:12]}"
        with st.popover(
            "",
            icon=":material/delete:",
            type="tertiary",
            key=f"{key}-menu",
            help="Delete this folder",
        ):
            st.write("This permanently deletes the folder and everything in it from disk.")
            if st.button("Delete", type="primary", key=key):
                try:
                    runs.delete_unreadable(jobs().root, one.name)
                except LayervizError as error:
                    show_error(error)
                else:
                    st.rerun()


def delete_button(run: Run) -> None:
    """Let the user delete the open run, after a confirmation."""
    if runs.is_read_only():
        return
    with st.popover("Delete run", icon=":material/delete:", disabled=run.live):
        st.write("This permanently deletes the run's maps, hidden states and weights from disk.")
        if st.button("Delete", type="primary", key="delete"):
            try:
                runs.delete(jobs().root, run.run_id)
            except LayervizError as error:
                show_error(error)
            else:
                go_to(None)
                st.rerun()
