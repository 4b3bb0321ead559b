"""A run in progress: bar, cancel, and how it ended."""

from __future__ import annotations

import streamlit as st

from layerviz import cache, encoders, runs, separability, training
from layerviz.config import RATES
from layerviz.data import Dataset
from layerviz.errors import EncoderError
from layerviz.runs import Run
from layerviz.ui.parts.continuing import cannot_continue, continue_label, own_data
from layerviz.ui.parts.mending import choose, is_chosen
from layerviz.ui.parts.polling import draw_while_live
from layerviz.ui.parts.progress import job_sentence, progress_elsewhere, stop_run
from layerviz.ui.parts.sidebar_button import sidebar_button
from layerviz.ui.parts.state import errors_shown, jobs, plain, show_error, time_to_redraw


def progress(run: Run) -> None:
    """Show how a live run stands, once a second, and redraw the page when it has news.

    Where there is none, nothing is shown; who calls it keeps the place free.
    """
    draw_while_live(_progress, run.run_id, run.status, len(run.snapshots), live=run.live)


def _progress(run_id: str, status: str, n_snapshots: int) -> None:
    if status not in runs.LIVE:
        return
    run = runs.read(jobs().root, run_id)
    state = jobs().state(run_id)
    if state is None:  # computed by another process, for example the command line
        planned = max(1, run.training.get("n_snapshots", 1))
        st.progress(*progress_elsewhere(run, min(1.0, n_snapshots / planned)))
    else:
        st.progress(state.progress.fraction, job_sentence(state))
    news = len(run.snapshots) != n_snapshots and time_to_redraw()
    if run.status not in runs.LIVE or news:
        st.rerun()


def cancel_button(run: Run) -> None:
    """Let the user stop a run, whoever computes it.

    It stands outside the fragment that ticks: a click on what is being redrawn can get lost.
    """
    state = jobs().state(run.run_id)
    if not run.live or runs.is_read_only() or (state is None and runs.news_of(run.path) is None):
        return
    st.button(
        "Cancel",
        key="cancel",
        disabled=runs.is_asked_to_stop(run.path) if state is None else state.stopping,
        icon=":material/stop:",
        on_click=stop_run,
        args=(run,),
        help="Everything captured so far is kept.",
    )


def troubles(run: Run) -> None:
    """Say what went wrong in a run although it went on: collapsed layers, missing measures."""
    table = cache.measures(run)
    for sentence in separability.trouble_sentences(run, table):
        st.warning(plain(sentence), icon=":material/warning:")
    rate = separability.rate_to_try(run, table)
    if rate is not None and RATES.accepts(rate) and not runs.is_read_only():
        _offer_lower_rate(run, rate)


def _offer_lower_rate(run: Run, rate: float) -> None:
    """Show a button that chooses the run's encoder and a lower rate on the left; then say so."""
    try:
        encoder = encoders.describe(run.config.encoder)
    except EncoderError:  # it was moved, or is on another machine
        return
    settings = {"learning_rate": rate}
    if is_chosen(encoder, settings):
        st.caption(
            f"The sidebar is set to {plain(encoder.label)} and a learning rate of {rate:g}. Press "
            "Fine-tune there to start a new run with these and your other settings."
        )
        sidebar_button("lower_rate")
        return
    st.button(
        f"Set learning rate to {rate:g}",
        key="lower_rate",
        icon=":material/trending_down:",
        on_click=choose,
        args=(encoder, settings),
        help="In the sidebar, for this encoder. Nothing is started yet.",
    )


def outcome(run: Run, dataset: Dataset | None) -> None:
    """Say how a run ended, where it did not complete, and offer to continue it."""
    if run.status == "failed":
        state = jobs().state(run.run_id)
        if state is not None and state.error is not None:
            show_error(state.error)
        else:
            st.error(plain(run.reason), icon=":material/error:")
    elif run.status == "cancelled":
        st.info(
            plain(
                f"Cancelled with {len(run.snapshots)} of {run.training.get('n_snapshots', '?')} "
                "snapshots captured."
            ),
            icon=":material/do_not_disturb_on:",
        )
    elif run.status == "done" and (stop := training.early_stop_of(run)):
        st.info(plain(str(stop)), icon=":material/flag:")
    elif run.status == "done" and (as_it_is := separability.untrained_sentence(run)):
        st.info(plain(as_it_is), icon=":material/visibility:")
    if fell_back := run.training.get("fell_back"):
        st.info(plain(fell_back), icon=":material/info:")
    if passed_over := run.training.get("passed_over"):
        st.warning(plain(passed_over), icon=":material/restore:")
    if run.status in ("failed", "cancelled") and not runs.is_read_only():
        _offer_to_continue(run, dataset)


def _offer_to_continue(run: Run, dataset: Dataset | None) -> None:
    """Show a button where the data on the left is the run's own; else say what is missing."""
    dataset = own_data(run, dataset)
    if reason := cannot_continue(run, dataset):
        st.caption(plain(reason))
    elif dataset is None:
        name = plain(run.dataset["name"])
        st.caption(f"To continue this run, choose its data ({name}) in the sidebar again.")
        sidebar_button("continue")
    elif st.button(
        "Continue this run" if run.snapshots else continue_label(run),
        icon=":material/resume:",
        key="continue",
    ):
        with errors_shown():
            jobs().fit(run.config, dataset)
            st.rerun()
