"""The button that starts a run, and the list of runs made before."""

from __future__ import annotations

import streamlit as st

from layerviz import runs
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.export.zip_reading import unzip_run
from layerviz.runs import Run
from layerviz.ui.parts.progress import bar_while_waiting
from layerviz.ui.parts.run_actions import STATUS_MARKS, title
from layerviz.ui.parts.state import RUN, go_to, jobs, plain, told
from layerviz.ui.sidebar.comparison import compare_button

LISTED = 12


def launch(dataset: Dataset | None, config: RunConfig | None) -> None:
    """Show the buttons; they stay grey until data and encoder are chosen."""
    with st.container(key="launch"):
        _fine_tune_button(dataset, config)
        compare_button(dataset, config)


def _fine_tune_button(dataset: Dataset | None, config: RunConfig | None) -> None:
    ready = dataset is not None and config is not None
    pressed = st.button(
        "Fine-tune",
        type="primary",
        width="stretch",
        icon=":material/play_arrow:",
        disabled=not ready,
        key="fine_tune",
        help=None if ready else "Choose data and an encoder first.",
    )
    if not pressed or dataset is None or config is None:
        return
    with told():
        waiting = jobs().live_runs()
        run = jobs().fit(config, dataset)
        if run.status == "done":
            st.toast("This very run is there already: opened.", icon=":material/history:")
        elif waiting and run.run_id not in waiting:
            st.toast(f"Queued behind {len(waiting)} run(s).", icon=":material/schedule:")
        go_to(run.run_id)


def unfinished_runs(dataset: Dataset) -> None:
    """Offer to go on with runs on these very data that were stopped."""
    fingerprint = dataset.fingerprint
    for run in runs.list_runs(jobs().root):
        stopped = run.status in ("cancelled", "failed")
        if stopped and run.snapshots and run.dataset["fingerprint"] == fingerprint:
            st.button(
                f"Continue: {plain(title(run))} ({run.status} with {len(run.snapshots)} snapshots)",
                key=f"unfinished-{run.run_id}",
                icon=":material/resume:",
                on_click=_go_on,
                args=(run, dataset),
            )


def _go_on(run: Run, dataset: Dataset) -> None:
    with told():
        jobs().fit(run.config, dataset)
        go_to(run.run_id)


def list_of_runs() -> None:
    """List earlier runs, newest first; a click opens one."""
    found = runs.list_runs(jobs().root)
    st.subheader("Runs")
    _open_zip()
    if not found:
        st.caption("Finished runs are kept here and open at once.")
        return
    with st.container(key="runs", gap="small"):
        for run in found[:LISTED]:
            _entry(run)
        if len(found) > LISTED:
            with st.expander(f"{len(found) - LISTED} earlier runs"):
                for run in found[LISTED:]:
                    _entry(run)


def _open_zip() -> None:
    """Take in a run that was zipped elsewhere; it is checked before anything of it is believed."""
    if st.button("Open a run's zip", icon=":material/folder_zip:", type="tertiary", key="open_zip"):
        _zip_dialog()


@st.dialog("Open a run's zip")
def _zip_dialog() -> None:
    given = st.file_uploader("A zip made by layerviz (tab Export)", type="zip", key="run_zip")
    st.caption("Larger than 200 MB: `python -m layerviz import RUN.zip`")
    if given is None:
        return
    with told():
        with bar_while_waiting("Checking") as on_progress:
            run = unzip_run(given, jobs().root, on_progress=on_progress)
        go_to(run.run_id)
        st.rerun()


def _entry(run: Run) -> None:
    st.button(
        plain(title(run)),
        key=f"open-{run.run_id}",
        icon=STATUS_MARKS[run.status][1],
        type="tertiary",
        on_click=go_to,
        args=(run.run_id,),
        disabled=st.query_params.get(RUN) == run.run_id,
        help=plain(f"{run.status} · {run.created[:16].replace('T', ' ')} UTC · {run.run_id}"),
    )
