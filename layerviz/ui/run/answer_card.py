"""The answer card above the tabs: a few short lines, each with a way to what it rests on.

An answer takes about a second to make. It is made off the page, stored with the run and read from
there; until then the card stands empty, as high as it is going to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from layerviz import cache, runs, separability
from layerviz.runs import Run
from layerviz.separability import CardLine, Question
from layerviz.ui.parts.polling import SECONDS_BETWEEN_LOOKS, draw_while_live
from layerviz.ui.parts.state import jobs, open_tab, plain, show_error
from layerviz.ui.parts.verdict import chosen_margin, chosen_poolings

DETAIL_TABS, CLOSER_LOOK = "detail_tabs", "answer_details"  # session state
BETWEEN_LOOKS_LIVE = 3 * SECONDS_BETWEEN_LOOKS  # each look costs the training a moment


@dataclass(frozen=True)
class Evidence:
    """Where the evidence for a line is.

    Parameters
    ----------
    label : str
        Of the way there.
    tab : str
        Of the run.
    closer_look : dict of str to object
        What is to be open in that tab: session state.
    help : str
        What is there.
    """

    label: str
    tab: str
    closer_look: dict[str, object]
    help: str


EVIDENCE: dict[Question, Evidence] = {
    "layer": Evidence("Layers", "Layers", {}, "Every layer at every epoch"),
    "epoch": Evidence(
        "Epochs", "Layers", {DETAIL_TABS: "Overfitting"}, "Each layer over the epochs"
    ),
    "pooling": Evidence(
        "Poolings", "Layers", {DETAIL_TABS: "Pooling"}, "The poolings, layer by layer"
    ),
    "confusion": Evidence("Matrix", "Training", {}, "Which class is taken for which"),
    "depth": Evidence("Depths", "Layers", {CLOSER_LOOK: True}, "What each layer loses"),
}


def answer_card(run: Run) -> None:
    """Show the answer of a run that has a snapshot, or its place until there is one."""
    if not runs.measured_snapshots(run) and not run.live:
        return  # the Layers tab measures it, and says so
    with st.container(border=True, key="answer_card", gap=None):
        stored = cache.stored_sheet(run, chosen_poolings(run))
        is_current = stored is not None and stored.is_current
        draw_while_live(
            _card,
            run,
            chosen_poolings(run),
            chosen_margin(),
            is_current,
            live=run.live or not is_current,
            seconds=BETWEEN_LOOKS_LIVE if run.live else SECONDS_BETWEEN_LOOKS / 2,
        )


def _card(run: Run, poolings: tuple[str, ...], margin: float, was_current: bool) -> None:
    """Draw the newest sheet; ask for a newer one where it is out of date."""
    if run.live:
        run = runs.read(jobs().root, run.run_id)
    stored = cache.stored_sheet(run, poolings)
    is_current = stored is not None and stored.is_current
    if not is_current and runs.measured_snapshots(run):
        state = jobs().answer(run, poolings)
        if state.error is not None:
            show_error(state.error)
            return
    if is_current and not was_current and not run.live:
        st.rerun()  # once: it ends the looking
    if stored is None:
        _empty(run)
        return
    for line in separability.card_lines(stored.sheet, margin, live=run.live):
        _line(line)


def _empty(run: Run) -> None:
    waiting = "Appears with the first measured snapshot" if run.live else "Working out the answer"
    for number, (question, name) in enumerate(separability.LINE_NAMES.items()):
        _line(CardLine(question, name, "…", "" if number else waiting), has_evidence=False)


def _line(line: CardLine, *, has_evidence: bool = True) -> None:
    evidence = EVIDENCE[line.question]
    with st.container(horizontal=True, vertical_alignment="top", gap="small"):
        cup = ":material/emoji_events: " if line.question == "layer" and line.is_winner else ""
        sure = f" :small[· {plain(line.certainty)}]" if line.certainty else ""
        st.markdown(f":gray[{line.name}] {cup}**{plain(line.value)}**{sure}", width="stretch")
        if has_evidence:
            st.button(
                evidence.label,
                key=f"evidence_{line.question}",
                type="tertiary",
                icon=":material/arrow_forward:",
                icon_position="right",
                help=evidence.help,
                on_click=_show_evidence,
                args=(evidence,),
            )


def _show_evidence(evidence: Evidence) -> None:
    st.session_state.update(evidence.closer_look)
    open_tab(evidence.tab)
