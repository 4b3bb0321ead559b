"""Runs side by side: how far each is, which encoder does better, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, comparison, runs
from layerviz.comparison import Comparison, Contender
from layerviz.data import Dataset
from layerviz.errors import RunError
from layerviz.registry import Registry
from layerviz.runs import Run
from layerviz.ui.compare.agreement import agreement_tab
from layerviz.ui.compare.export import comparison_export
from layerviz.ui.compare.maps import comparison_maps
from layerviz.ui.compare.more_seeds import more_seeds
from layerviz.ui.compare.scores import scores_tab
from layerviz.ui.compare.table import contenders_table
from layerviz.ui.parts.continuing import cannot_continue, continue_label, own_data
from layerviz.ui.parts.measured import download, measure_the_rest
from layerviz.ui.parts.polling import draw_while_live
from layerviz.ui.parts.progress import job_sentence, progress_elsewhere, stop_run
from layerviz.ui.parts.reading import how_to_read_comparisons
from layerviz.ui.parts.run_actions import STATUS_MARKS, choose_runs, new_run_button, sizes, title
from layerviz.ui.parts.state import (
    errors_shown,
    go_to,
    jobs,
    keep_values,
    permalink,
    plain,
    show_error,
    time_to_redraw,
)
from layerviz.ui.parts.tabs import Tab, draw_tabs
from layerviz.ui.parts.verdict import VERDICT_ICONS, margin_control, poolings_control
from layerviz.wording import count


@dataclass(frozen=True)
class SideBySide:
    """What the tabs of a comparison show.

    Parameters
    ----------
    compared : list of Run
    contenders, ready : lists of Contender
        All, and those that are measured.
    judged : Comparison
        Of those that are ready.
    """

    compared: list[Run]
    contenders: list[Contender]
    ready: list[Contender]
    judged: Comparison

    @property
    def names(self) -> list[str]:
        """What the contenders are called."""
        return [contender.name for contender in self.contenders]


def comparison_view(compared: list[Run], dataset: Dataset | None) -> None:
    """Show runs on the same data; `dataset` is what is chosen on the left."""
    contenders = comparison.contenders_of(compared)
    _header(compared, contenders)
    _progress(compared, dataset)
    finished = [run for run in compared if not run.live and runs.unmeasured_snapshots(run)]
    if finished:
        measure_the_rest(finished)
    ready = [contender for contender in contenders if contender.snapshots]
    if len(ready) < 2:
        if any(run.live for run in compared):
            st.info(
                "The comparison appears once two encoders have been measured before training.",
                icon=":material/hourglass_top:",
            )
        else:
            st.warning(
                "Fewer than two of these encoders have results: continue one, or choose another "
                "run under **Runs to compare**.",
                icon=":material/compare_arrows:",
            )
        return
    keep_values()
    judged = _verdict(compared, contenders, ready, dataset)
    draw_tabs(COMPARISON_TABS, "compare_tabs", SideBySide(compared, contenders, ready, judged))


# --- header, progress -----------------------------------------------------------------------


def _header(compared: list[Run], contenders: list[Contender]) -> None:
    live = [run for run in compared if run.live and jobs().state(run.run_id) is not None]
    name, actions = st.columns([1, 1], vertical_alignment="bottom")
    first = compared[0]
    with name:
        encoders = count(len(contenders), "encoder")
        st.title(plain(f"{encoders} on {first.dataset['name']}"), anchor=False)
        done = sum(run.status == "done" for run in compared)
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            ended = "done" if done == len(compared) else "cancelled"
            colour, icon = STATUS_MARKS["running" if any(run.live for run in compared) else ended]
            st.badge(f"{done} of {len(compared)} runs done", color=colour, icon=icon)
            st.caption(sizes(first), width="content")
    with actions, st.container(horizontal=True, horizontal_alignment="right", gap="small"):
        if live:
            st.button(
                "Cancel all",
                key="compare_cancel_all",
                icon=":material/stop:",
                on_click=_cancel,
                args=([run.run_id for run in live],),
                help="Everything captured so far is kept.",
            )
        choose_runs(first, compared)
        new_run_button()


def _cancel(run_ids: list[str]) -> None:
    for run_id in reversed(run_ids):  # the waiting ones first, so that none of them starts
        jobs().cancel(run_id)


def _progress(compared: list[Run], dataset: Dataset | None) -> None:
    """Show an overall bar and a line for each run, as long as one is not done."""
    unfinished = [run for run in compared if run.status != "done"]
    reused = [run for run in compared if run.run_id in st.session_state.get("reused", ())]
    if reused:
        names = ", ".join(plain(title(run)) for run in reused)
        existing = "an existing run" if len(reused) == 1 else "existing runs"
        st.caption(f":material/history: Reused {existing} with the same settings: {names}.")
    if not unfinished:
        return
    with st.container(border=True, gap="small"):
        state = tuple((run.run_id, run.status, len(run.snapshots)) for run in compared)
        live = any(run.live for run in compared)
        draw_while_live(_bars, state, live=live)
        with st.container(horizontal=True, gap="small"):
            for run in unfinished:
                _button(run, dataset)


def _bars(drawn: tuple[tuple[str, str, int], ...]) -> None:
    """Show how far each run is, and all together; redraw the page when there is news.

    One fragment for all: each tick of one costs the training a moment.
    """
    now = [runs.read(jobs().root, run_id) for run_id, _, _ in drawn]
    states = [jobs().state(run.run_id) for run in now]
    parts = [
        1.0 if not run.live else state.progress.fraction if state else 0.0
        for run, state in zip(now, states, strict=True)
    ]
    n_ended = sum(not run.live for run in now)
    if n_ended < len(now):
        st.progress(float(np.mean(parts)), f"All: {n_ended} of {len(now)} runs ended")
    for run, state, part in zip(now, states, parts, strict=True):
        name, bar = st.columns([1, 3], vertical_alignment="center")
        colour, icon = STATUS_MARKS[run.status]
        name.badge(plain(_short_name(run)), color=colour, icon=icon)
        with bar:
            if run.live:
                bar_of = (part, job_sentence(state)) if state else progress_elsewhere(run, part)
                st.progress(*bar_of)
            elif run.status == "failed":
                show_error(state.error if state and state.error else RunError(run.reason))
            else:
                how = "Cancelled with" if run.status == "cancelled" else "Done:"
                st.caption(f"{how} {count(len(run.snapshots), 'snapshot')}.")
    ended = any(run.status != status for run, (_, status, _) in zip(now, drawn, strict=True))
    grown = any(len(run.snapshots) != n for run, (_, _, n) in zip(now, drawn, strict=True))
    if ended or (grown and time_to_redraw()):
        st.rerun()


def _short_name(run: Run) -> str:
    seed = f" · seed {run.config.seed}" if run.config.seed else ""
    return f"{comparison.encoder_label(run)}{seed}"


def _button(run: Run, dataset: Dataset | None) -> None:
    """Let the reader cancel a live run or continue one that was stopped.

    Outside the fragment that ticks: a click on what is being redrawn can get lost.
    """
    state = jobs().state(run.run_id)
    is_told_of = state is not None or (not runs.is_read_only() and runs.news_of(run.path))
    if run.live and is_told_of:
        st.button(
            plain(f"Cancel {_short_name(run)}"),
            key=f"cancel-{run.run_id}",
            icon=":material/stop:",
            disabled=state.stopping if state else runs.is_asked_to_stop(run.path),
            on_click=stop_run,
            args=(run,),
        )
    elif not run.live and not runs.is_read_only():
        own = own_data(run, dataset)
        if reason := cannot_continue(run, own):
            st.caption(plain(f"{_short_name(run)}: {reason}"))
            return
        st.button(
            plain(f"{continue_label(run)} {_short_name(run)}"),
            key=f"continue-{run.run_id}",
            icon=":material/resume:",
            disabled=own is None,
            on_click=_continue,
            args=(run, dataset),
            help=None if own else "To continue, choose this run's data in the sidebar again.",
        )


def _continue(run: Run, dataset: Dataset) -> None:
    with errors_shown():
        jobs().fit(run.config, dataset)


# --- the verdict ----------------------------------------------------------------------------


def _verdict(
    compared: list[Run],
    contenders: list[Contender],
    ready: list[Contender],
    dataset: Dataset | None,
) -> Comparison:
    with st.container(border=True):
        sentences = st.container()
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            poolings = poolings_control("versus_poolings", comparison.shared_poolings(ready))
            margin = margin_control("versus_margin")
        judged = cache.compared(ready, poolings, margin)
        live = any(run.live for run in compared)
        with sentences:
            _lead(judged, live=live)
            more_seeds(compared, contenders, judged, dataset)
        table = comparison.comparison_table(judged, ready)
        contenders_table(table, judged)
        waiting = [contender.name for contender in contenders if contender not in ready]
        _details(judged, table, waiting)
    return judged


def _lead(judged: Comparison, *, live: bool) -> None:
    """Show what is said in sight; a cup is for an encoder that certainly does better than all."""
    icon = VERDICT_ICONS[judged.verdict]
    if judged.has_winner:
        icon = ":material/emoji_events:"
    if live:
        icon = ":material/hourglass_top: So far:"
    lead, *rest = comparison.comparison_lead(judged)
    st.markdown(f"## {icon} {plain(lead)}")
    for sentence in rest:
        st.markdown(f"## {plain(sentence)}")


def _details(judged: Comparison, table: pd.DataFrame, waiting: Sequence[str]) -> None:
    """Show the evidence, and what the columns of the table are."""
    if waiting:
        st.caption(plain(f"Not measured yet: {', '.join(waiting)}."))
    with st.expander("Details", icon=":material/expand_more:"):
        details = comparison.comparison_details(judged)
        st.markdown("\n".join(f"- {plain(sentence)}" for sentence in details))
        st.caption(
            "Macro-F1 of linear probes on the same "
            f"{judged.n_val:,} val examples, each encoder in the layer, at the epoch and under the "
            "pooling that its val recommends. On unseen data: corrected for that choice, so that "
            "more layers to choose from are no advantage; on this val: as it was measured, which "
            "flatters. Margins: differences of the corrected scores with paired 95 % intervals "
            "that hold for all encoders at once. Model's own predictions: val macro-F1 of the "
            "fine-tuned model itself, at its newest snapshot. Gap: train minus val. Seconds: "
            "optimizer steps alone, alongside whatever else this machine was doing. MB: the "
            "weights on disk."
        )
    with st.container(horizontal=True, width="content"):
        how_to_read_comparisons()
        download(lambda: table, "comparison")


# --- which runs -----------------------------------------------------------------------------


def _about(compared: list[Run]) -> None:
    for run in compared:
        left, right = st.columns([5, 1], vertical_alignment="center")
        seed = f", seed {run.config.seed}"
        left.markdown(f"**{plain(title(run))}**{seed}  \n{plain(run.run_id)}")
        right.button(
            "Open",
            key=f"look-{run.run_id}",
            icon=":material/open_in_new:",
            on_click=go_to,
            args=(run.run_id,),
            width="stretch",
        )
    settings = pd.DataFrame({run.run_id: run.config.as_dict() for run in compared}).T
    differing = [name for name in settings if settings[name].astype(str).nunique() > 1]
    st.markdown("**Settings that differ**")
    st.dataframe(settings[differing], width="stretch")
    same = settings.drop(columns=differing).iloc[0]
    st.caption(
        plain(
            "The same for all: "
            + ", ".join(f"{str(k).replace('_', ' ')} {v}" for k, v in same.items())
        )
    )
    fingerprint = compared[0].dataset["fingerprint"]
    st.caption(plain(f"Data fingerprint, the same for all: {fingerprint}"))
    st.markdown("**Permalink**")
    link = permalink([run.run_id for run in compared])
    st.code(link, language=None, wrap_lines=True)


def _maps(page: SideBySide) -> None:
    """Show the maps, at first at the epoch that the verdict names."""
    comparison_maps(page.ready, page.judged, start=page.judged.best.best.epoch)


COMPARISON_TABS = Registry(
    "tab",
    [
        Tab("Maps", _maps),
        Tab("Scores", lambda page: scores_tab(page.judged, page.names)),
        Tab("Agreement", lambda page: agreement_tab(page.ready, page.judged)),
        Tab(
            "Export",
            lambda page: comparison_export(page.compared, page.ready, page.judged, page.names),
        ),
        Tab("Runs", lambda page: _about(page.compared)),
    ],
)
