"""A data set of the Hugging Face Hub in step 1: asked for, downloaded, kept like a file."""

from __future__ import annotations

import streamlit as st

from layerviz import data
from layerviz.data import Table
from layerviz.ui.parts.polling import draw_while_live
from layerviz.ui.parts.state import errors_shown, go_to, jobs, plain, show_error
from layerviz.ui.sidebar.files import (
    KeptFile,
    choose_files,
    kept_files,
    show_kept_file,
    show_note,
)

HUB_NAME = "hub_name"  # session state: what is typed
_WANTED = "hub_wanted"  # session state: the name of the data set that was asked for last
LABEL = "Data set of the Hugging Face Hub"


def ask_for_hub_data() -> dict[str, Table]:
    """Show the field, the download, or what came of it; return the table under train."""
    _take_what_came()
    kept = kept_files().get("train")
    if kept is not None and data.is_hub_name(kept.name):
        table = show_kept_file("train", kept, LABEL)
        return {} if table is None else {"train": table}
    show_note()
    wanted = st.session_state.get(_WANTED)
    state = None if wanted is None else jobs().download_state(wanted)
    with st.form("hub", border=False):
        st.text_input(
            LABEL,
            key=HUB_NAME,
            placeholder="owner/name",
            help="As on huggingface.co; where there are several configurations, "
            "owner/name:configuration. Its splits and the names of its classes are taken. It is "
            "downloaded to this machine and kept with the runs; no code of it is run.",
        )
        pressed = st.form_submit_button(
            "Download",
            key="hub_download",
            icon=":material/download:",
            disabled=state is not None and state.live,
        )
    if pressed:
        with errors_shown():
            name = data.parse_hub_name(st.session_state[HUB_NAME])
            st.session_state[_WANTED] = str(name)
            go_to(None)
            jobs().download(name)
            st.rerun()
    elif state is not None and state.live:
        draw_while_live(_progress, wanted, live=True)
        # Outside of what ticks: a click on what is being redrawn can get lost.
        st.button(
            "Cancel",
            key="hub_cancel",
            icon=":material/stop:",
            disabled=state.stopping,
            on_click=jobs().cancel_download,
            args=(wanted,),
            help="Files that came whole are kept, and the next download goes on from there.",
        )
    elif state is not None and state.error is not None:
        show_error(state.error)
    elif state is not None and state.status == "cancelled":
        st.caption(f"The download of {plain(str(wanted))} was cancelled.")
    return {}


def _take_what_came() -> None:
    """Choose the data set that was asked for once it is kept."""
    wanted: str | None = st.session_state.get(_WANTED)
    if wanted is not None and (key := jobs().downloaded(wanted)) is not None:
        del st.session_state[_WANTED]
        choose_files({"train": KeptFile(key, wanted)})


def _progress(wanted: str) -> None:
    state = jobs().download_state(wanted)
    if state is None or not state.live:
        st.rerun()
    waits = state.status == "queued" and state.ahead > 0
    sentence = "waiting for another download" if waits else state.progress.sentence
    st.progress(state.progress.fraction, "Stopping" if state.stopping else sentence)
