"""What a run is called, and what can be done with it from wherever it is shown."""

from __future__ import annotations

from typing import Literal

import streamlit as st

from layerviz import encoders, runs
from layerviz.errors import LayervizError
from layerviz.runs import Run
from layerviz.ui.parts.state import go_to, go_to_comparison, jobs, show
from layerviz.wording import count

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
    """Name a run for people."""
    encoder = run.encoder.get("label") or encoders.describe(run.config.encoder).label
    name = f"{encoder} on {run.dataset['name']}"
    return f"{name}, {count(run.config.epochs, 'epoch')}" if run.config.epochs else name


def sizes(run: Run) -> str:
    """Say how many examples and classes a run's data have."""
    counts = {split: sum(counts.values()) for split, counts in run.dataset["counts"].items()}
    parts = [f"{n:,} {split}" for split, n in counts.items()]
    return " · ".join([*parts, f"{len(run.label_names)} classes"])


def choose_runs(first: Run, shown: list[Run]) -> None:
    """Let the reader choose which runs on the data of `first` stand side by side."""
    beside = st.popover(
        "Runs to compare",
        icon=":material/compare_arrows:",
        width="content",
        key="runs_to_compare",
        on_change="rerun",  # the runs folder is read only when somebody looks
    )
    if not beside.open:
        return
    there = {
        run.run_id: run
        for run in runs.list_runs(jobs().root)
        if run.dataset["fingerprint"] == first.dataset["fingerprint"]
    }
    with beside:
        if len(there) < 2:
            st.caption(
                "No other run on these very data is there. **Compare** on the left makes them; "
                "runs on other data cannot be compared."
            )
            return
        chosen = st.multiselect(
            "Runs on these data",
            list(there),
            default=[run.run_id for run in shown if run.run_id in there],
            format_func=lambda run_id: f"{title(there[run_id])} · {run_id[-8:]}",
            key="choose-" + "-".join(run.run_id[-8:] for run in shown),
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
    """Lead back to the data chosen on the left."""
    st.button(
        "New run",
        icon=":material/add:",
        on_click=go_to,
        args=(None,),
        key="new_run",
        help="Back to the data chosen on the left; what is open stays in the list.",
    )


def delete_button(run: Run) -> None:
    """Let the user remove the open run, after asking once more."""
    with st.popover("Delete run", icon=":material/delete:", disabled=run.live):
        st.write("This removes its maps, hidden states and weights from the disk for good.")
        if st.button("Delete", type="primary", key="delete"):
            try:
                runs.delete(jobs().root, run.run_id)
            except LayervizError as error:
                show(error)
            else:
                go_to(None)
                st.rerun()
