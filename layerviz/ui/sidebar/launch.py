"""The button that starts a run, and the list of runs made before."""

from __future__ import annotations

import streamlit as st

from layerviz import encoders, runs
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.runs import Run
from layerviz.ui.parts.checking import CheckedRun
from layerviz.ui.parts.continuing import cannot_continue
from layerviz.ui.parts.libraries import wait_for_libraries
from layerviz.ui.parts.progress import bar_while_waiting
from layerviz.ui.parts.run_actions import STATUS_MARKS, title, unreadable_line
from layerviz.ui.parts.skip_link import skip_link
from layerviz.ui.parts.state import RUN, errors_shown, go_to, go_to_all_runs, jobs, plain
from layerviz.ui.sidebar.comparison import compare_button
from layerviz.wording import count

LISTED, LISTED_UNREADABLE = 8, 3


def launch(
    dataset: Dataset | None, config: RunConfig | None, checked: CheckedRun | None = None
) -> None:
    """Show the buttons; they stay grey until data and encoder are chosen.

    `checked` is what the page says of the run before it is started.
    """
    with st.container(key="launch"):
        _fine_tune_button(dataset, config)
        skip_link()
        if checked is not None and checked.summary:
            st.caption(checked.summary)
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
    wait_for_libraries()
    with errors_shown():
        waiting = jobs().live_runs()
        run = jobs().fit(config, dataset)
        if run.status == "done":
            st.toast("This run already exists; opened it.", icon=":material/history:")
        elif waiting and run.run_id not in waiting:
            st.toast(f"Queued behind {count(len(waiting), 'run')}.", icon=":material/schedule:")
        if dropped := runs.drop_old_failed_starts(jobs().root, keep=run.run_id):
            sentence = runs.removal_sentence([title(one) for one in dropped])
            st.toast(plain(sentence), icon=":material/delete:")
        go_to(run.run_id)


def unfinished_runs(dataset: Dataset) -> None:
    """Offer to continue stopped runs on the same data."""
    fingerprint = dataset.fingerprint
    described_at_once = {
        info.name for info in encoders.catalogue() if info.source in ("bundled", "scratch")
    }
    for run in runs.list_runs(jobs().root):
        stopped = run.status in ("cancelled", "failed")
        same = stopped and run.snapshots and run.dataset["fingerprint"] == fingerprint
        if same and run.config.encoder not in described_at_once:
            wait_for_libraries()
        if same and not cannot_continue(run, dataset):
            st.button(
                f"Continue: {plain(title(run))} "
                f"({run.status} with {count(len(run.snapshots), 'snapshot')})",
                key=f"unfinished-{run.run_id}",
                icon=":material/resume:",
                on_click=_continue,
                args=(run, dataset),
            )


def _continue(run: Run, dataset: Dataset) -> None:
    wait_for_libraries()
    with errors_shown():
        jobs().fit(run.config, dataset)
        go_to(run.run_id)


def list_of_runs() -> None:
    """List earlier runs, newest first; a click opens one."""
    folder = runs.runs_in(jobs().root)
    listed, unreadable = folder.runs, folder.unreadable
    st.subheader("Runs")
    if not runs.is_read_only():
        _open_zip()
    if not listed and not unreadable:
        st.caption("Runs are kept here and open instantly.")
        return
    newest = [run for run in listed if not runs.is_failed_start(run) or _is_open(run)][:LISTED]
    with st.container(key="runs", gap="small"):
        for run in newest:
            _entry(run)
        for one in unreadable[:LISTED_UNREADABLE]:
            unreadable_line(one, "listed")
    st.button(
        f"All runs ({len(listed) + len(unreadable):,})",
        icon=":material/table_rows:",
        type="tertiary",
        key="all_runs",
        on_click=go_to_all_runs,
        help="Every run and comparison in a table: sort, filter, rename, delete",
    )


def _open_zip() -> None:
    """Import a run that was zipped elsewhere; it is checked before anything in it is trusted."""
    if st.button(
        "Open a zipped run", icon=":material/folder_zip:", type="tertiary", key="open_zip"
    ):
        _zip_dialog()


@st.dialog("Open a zipped run")
def _zip_dialog() -> None:
    file = st.file_uploader("A zip made by layerviz (Export tab)", type="zip", key="run_zip")
    st.caption("If it is larger than 200 MB: `python -m layerviz import RUN.zip`")
    if file is None:
        return
    wait_for_libraries()
    with errors_shown():
        from layerviz.export.zip_reading import unzip_run  # heavy, and seldom needed

        with bar_while_waiting("Checking") as on_progress:
            run = unzip_run(file, jobs().root, on_progress=on_progress)
        go_to(run.run_id)
        st.rerun()


def _is_open(run: Run) -> bool:
    return st.query_params.get(RUN) == run.run_id


def _entry(run: Run) -> None:
    is_open = _is_open(run)
    with st.container(key="open_run" if is_open else None):
        if is_open:  # a button cannot carry it; nothing of the run is in this markup
            st.html('<span aria-current="page">Open now:</span>')
        st.button(
            plain(title(run)),
            key=f"open-{run.run_id}",
            icon=STATUS_MARKS[run.status][1],
            type="tertiary",
            on_click=go_to,
            args=(run.run_id,),
            help=plain(f"{run.status} · {run.created[:16].replace('T', ' ')} UTC · {run.run_id}"),
        )
