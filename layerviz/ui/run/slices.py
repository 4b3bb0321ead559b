"""Slices: where the model or the recommended layer does worse; a tick lists a slice's examples."""

from __future__ import annotations

from functools import partial

import pandas as pd
import streamlit as st

from layerviz import cache, runs, separability
from layerviz.runs import Run
from layerviz.separability import SLICE_SPLITS, SliceFindings
from layerviz.ui.parts.choice import choose_one
from layerviz.ui.parts.examples_table import chosen_examples
from layerviz.ui.parts.measured import download
from layerviz.ui.parts.selection import clear_selection, how_selected, select
from layerviz.ui.parts.sheets import awaited_sheet
from layerviz.ui.parts.state import open_maps, plain
from layerviz.ui.parts.verdict import chosen_poolings
from layerviz.wording import count, epoch_name, sentence_case

SLICE = "chosen_slice"  # session state: of which data, the split and the name of the slice
CHOSEN_HERE = "as a slice"  # how what is selected was selected
ROW_HEIGHT, MOST_HEIGHT = 35, 390  # pixels


def slices(run: Run) -> None:
    """Show which slices do clearly worse, all that were looked at, and the examples of one."""
    if run.live:
        st.info("Slices are looked at when the run has ended.", icon=":material/hourglass_top:")
        return
    if not runs.measured_snapshots(run):
        st.caption("The layers are not measured yet; see the Layers tab.")
        return
    sheet = awaited_sheet(run, chosen_poolings(run))
    if sheet is None:
        return
    examples = cache.examples(run)
    splits = [split for split in SLICE_SPLITS if (examples["split"] == split).any()]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        split = choose_one("Split", splits, key="slices_split")
        best = sheet.answer.best if sheet.answer.verdict == "found" else None
        snapshot = runs.model_snapshot(run)
        findings = cache.slice_findings(run, split, snapshot, best)
        table = findings.table
        classifier = choose_one(
            "Predictions of",
            findings.classifiers,
            key="slices_of",
            first=table["predictions"].iloc[0] if len(table) else None,
            format_func=sentence_case,
        )
    st.markdown(f"**{plain(separability.slices_sentence(findings))}**")
    if len(table):
        _table(run, findings, table[table["predictions"] == classifier])
    if notes := separability.slices_notes(findings):
        st.caption(plain(" ".join(notes)))
    if (name := _chosen_slice(run, split)) in [one.name for one in findings.slices]:
        _examples_of(run, findings, name, snapshot)


# --- which slice is chosen ------------------------------------------------------------------


def _chosen_slice(run: Run, split: str) -> str:
    fingerprint, of_split, name = st.session_state.get(SLICE, ("", "", ""))
    return name if (fingerprint, of_split) == (run.dataset["fingerprint"], split) else ""


def _members(run: Run, findings: SliceFindings, name: str) -> pd.DataFrame:
    """Return a slice's examples; names of slices differ."""
    members = next(one.members for one in findings.slices if one.name == name)
    return cache.examples(run).iloc[findings.rows[members]]


def _choose(run: Run, findings: SliceFindings, name: str) -> None:
    st.session_state[SLICE] = (run.dataset["fingerprint"], findings.split, name)
    ids = _members(run, findings, name)["id"].tolist()
    select(run, ids, f"{CHOSEN_HERE}: {name}, {findings.split}")


def _leave(run: Run) -> None:
    """Forget the slice, and what is selected if that came from it."""
    st.session_state.pop(SLICE, None)
    if how_selected(run).startswith(CHOSEN_HERE):
        clear_selection()


# --- what is drawn --------------------------------------------------------------------------


def _table(run: Run, findings: SliceFindings, table: pd.DataFrame) -> None:
    """List the slices under one classifier; a tick chooses one."""
    names = table["slice"].tolist()
    # Another list is another table: a tick in the earlier one means nothing here.
    key = f"slices-{run.run_id}-{findings.split}-{table['predictions'].iloc[0]}"

    def tick() -> None:
        if rows := st.session_state[key]["selection"]["rows"]:
            _choose(run, findings, names[rows[0]])
        else:
            _leave(run)

    st.dataframe(
        separability.slices_shown(table),
        hide_index=True,
        width="stretch",
        height=min(ROW_HEIGHT * (len(table) + 1) + 3, MOST_HEIGHT),
        key=key,
        on_select=tick,
        selection_mode="single-row",
        column_config={
            "slice": st.column_config.TextColumn("Slice", width="medium"),
            "difference": st.column_config.TextColumn("Difference", width=80),
            "95 % interval": st.column_config.TextColumn(width=120),
            "verdict": st.column_config.TextColumn("Verdict", width=110),
            "accuracy": st.column_config.NumberColumn("Accuracy", format="%.0f %%", width=80),
            "elsewhere": st.column_config.NumberColumn("Elsewhere", format="%.0f %%", width=80),
            "examples": st.column_config.NumberColumn("Examples", format="localized", width=80),
        },
    )
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        st.caption("Tick a row to list and select its examples.", width="content")
        download(
            lambda: findings.table.drop(columns="place"), f"{run.run_id}-slices-{findings.split}"
        )


def _examples_of(run: Run, findings: SliceFindings, name: str, snapshot: int) -> None:
    part = _members(run, findings, name)
    chosen_examples(
        run,
        part,
        cache.predictions(run, snapshot),
        f"**{count(len(part), f'{findings.split} example')}** of {plain(name)} (predictions of "
        f"the model itself, {epoch_name(run.snapshots[snapshot].epoch)}; hardest first)",
        "slices",
        partial(_show_in_maps, run, findings, name),
        partial(_leave, run),
    )


def _show_in_maps(run: Run, findings: SliceFindings, name: str) -> None:
    _choose(run, findings, name)
    open_maps([findings.split])
