"""The "Layers" tab: which layer generalises, at which epoch, and how sure that is."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from layerviz import cache, charts, runs
from layerviz.poolings import pooling_label
from layerviz.runs import Run
from layerviz.separability import (
    AnswerSheet,
    DepthDecision,
    detail_sentences,
    lead_sentences,
    search_sentences,
)
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.measured import measure_the_rest
from layerviz.ui.parts.reading import how_to_read_answers
from layerviz.ui.parts.sheets import awaited_sheet
from layerviz.ui.parts.state import keep, plain
from layerviz.ui.parts.verdict import (
    ACCEPTED_LOSS,
    SEARCHED,
    margin_control,
    poolings_control,
)
from layerviz.ui.run.answer_card import CLOSER_LOOK
from layerviz.ui.run.figures import figures_strip
from layerviz.ui.run.heat_map import choose_measure, layer_heat_map
from layerviz.ui.run.layer_details import layer_details
from layerviz.ui.run.layer_details.detail import Detail, is_dark
from layerviz.wording import at_epoch


def layers_tab(run: Run) -> None:
    """Show the answer of a run, its heat map and the details."""
    measured = runs.measured_snapshots(run)
    if not run.live and len(measured) < len(run.snapshots):
        measure_the_rest([run])
    if not measured:
        if run.live:
            st.info("Layers are measured after each capture.", icon=":material/hourglass_top:")
        return
    with st.container(border=True):
        place = st.container()
        with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
            poolings = poolings_control(SEARCHED, run.poolings)
            margin = margin_control(ACCEPTED_LOSS)
        sheet = awaited_sheet(run, poolings)
        if sheet is None:
            return
        with place:
            figures_strip(sheet)
        _evidence(run, sheet, margin)
    answer = sheet.answer
    choice = choose_measure(run, answer)
    layer_heat_map(run, measured, answer, choice)
    layer_details(Detail(run, measured, answer, choice.pooling, margin, sheet.decision(margin)))


# --- the answer -----------------------------------------------------------------------------


def _evidence(run: Run, sheet: AnswerSheet, margin: float) -> None:
    """Show what the answer above the tabs rests on."""
    details = st.expander(
        "Details", icon=":material/expand_more:", key=keep(CLOSER_LOOK), on_change="rerun"
    )
    if details.open:
        with details:
            _details(run, sheet, margin)
    so_far = f"So far {sheet.n_measured} of {sheet.n_planned} snapshots. " if run.live else ""
    st.caption(
        plain(
            f"{so_far}{_not_converged(run)}All are macro-F1 with 95 % intervals over examples; "
            "another training seed may move them by more. “Layer” stands for its linear probe "
            "in the full hidden size, trained on train."
        )
    )
    how_to_read_answers()


def _details(run: Run, sheet: AnswerSheet, margin: float) -> None:
    answer, decision = sheet.answer, sheet.decision(margin)
    sentences = [*lead_sentences(answer, decision), *detail_sentences(answer, decision)]
    if answer.verdict == "found":
        search = cache.search_answer(run, answer.best, sheet.poolings)
        sentences += [] if search is None else [" ".join(search_sentences(search))]
    st.markdown("\n".join(f"- {plain(sentence)}" for sentence in sentences))
    if decision is not None:
        _depths(run, decision)


def _depths(run: Run, decision: DepthDecision) -> None:
    """Show what each layer loses against the whole model."""
    losses = pd.DataFrame(
        {
            "layer": range(1, len(decision.layers) + 1),
            "difference": [one.value for one in decision.layers],
            "low": [one.low for one in decision.layers],
        }
    )
    figure(
        partial(charts.depth_losses, losses, margin=decision.margin, dark=is_dark()),
        key="depth_losses",
        title="**What each layer loses against the whole model**",
        name=f"{run.run_id}-depths",
        frame=losses,
        alt="Chart: for each layer, macro-F1 of its probe minus that of the whole model's own "
        "classifier on val, with the lower end of its interval.",
    )
    st.caption(
        f"Each layer's probe ({pooling_label(decision.pooling)} pooling) minus the whole model's "
        f"own predictions, {at_epoch(decision.reference_epoch)}, on the same "
        f"{decision.n:,} val examples. Bars reach down to the lower end of the interval (95 %, "
        "over all layers and poolings at once); a layer is enough where its bar stays above the "
        "dashed line, the loss that you accept."
    )


def _not_converged(run: Run) -> str:
    """Say how many probes are not to be relied on, if any."""
    table = cache.measures(run)
    converged = table[table["measure"] == "converged"]["value"]
    failed = int((converged == 0).sum())
    if not failed:
        return ""
    return f"{failed:,} of {len(converged):,} probes did not converge; do not rely on them. "
