"""Labels that may be wrong: ranked, decided on, marked in the maps, and as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, exploring, relabelling, runs
from layerviz.exploring import Suspicion
from layerviz.jobs import JobState
from layerviz.runs import LabelDecision, Run
from layerviz.ui.parts.examples_table import described, open_from_table
from layerviz.ui.parts.filter_box import filter_box, filtered
from layerviz.ui.parts.measured import download
from layerviz.ui.parts.polling import wait_for
from layerviz.ui.parts.state import errors_shown, jobs
from layerviz.ui.parts.text_columns import text_columns
from layerviz.ui.run.corrected_labels import corrected_labels
from layerviz.ui.run.events import to_maps
from layerviz.ui.run.label_review import decided_words, review

MOST_SUSPICIOUS = 300
MARKED_WITHOUT_FLAGS = 10
RANKING_COLUMN_CONFIG = {
    "rank": st.column_config.NumberColumn(width=50),
    "suggested": st.column_config.TextColumn(width=130),
    "decision": st.column_config.TextColumn(width=110),
    "p (label)": st.column_config.ProgressColumn(format="percent", max_value=1, width=80),
    "neighbours": st.column_config.ProgressColumn(
        format="percent",
        max_value=1,
        width=90,
        help="Share of its 10 nearest train rows before training that carry its label.",
    ),
}


def suspicious(run: Run) -> None:
    """Show the ranked list; a ticked row opens its example."""
    if run.live:
        st.info(
            "Labels are checked when the run has ended.",
            icon=":material/hourglass_top:",
        )
        return
    if not exploring.has_current_ranking(run):
        wait_for(lambda: [jobs().rank_labels(run)], _ranking)
        return
    suspicion = cache.suspicion(run)
    examples = cache.examples(run)
    _verdict(suspicion, was_trained=len(run.snapshots) > 1)
    flagged = suspicion.frame[suspicion.frame["issue"]]
    only_flagged = _actions(run, suspicion, flagged, examples)
    ranked = flagged if only_flagged else suspicion.frame
    asked = filter_box(run)
    passing = filtered(examples.iloc[ranked["row"].to_numpy()], asked)
    ranked = ranked[ranked["row"].isin(passing.index)]
    with errors_shown():
        decisions = runs.read_label_decisions(run.path)
        if len(ranked):
            review(run, ranked, examples, decisions)
        corrected_labels(run, examples, decisions)
        if len(ranked):
            _list(run, ranked, examples, decisions)


def _list(
    run: Run,
    ranked: pd.DataFrame,
    examples: pd.DataFrame,
    decisions: Mapping[str, LabelDecision],
) -> None:
    listed = ranked.head(MOST_SUSPICIOUS)
    table = _table(run, listed, examples, decisions)
    open_from_table(run, table, listed["id"].tolist(), "suspicious", RANKING_COLUMN_CONFIG)
    more = ""
    if len(ranked) > MOST_SUSPICIOUS:
        more = f"The first {MOST_SUSPICIOUS} of {len(ranked):,}; the CSV has them all. "
    st.caption(
        f"{more}Tick a row to open that example. In the CSV, file and row are those of your own "
        "files (rows are counted from 1, without the header)."
    )


def _actions(run: Run, suspicion: Suspicion, flagged: pd.DataFrame, examples: pd.DataFrame) -> bool:
    """Offer to mark the top of the list in the maps, and its CSV.

    Returns
    -------
    bool
        Whether to list the flagged labels alone.
    """
    top = flagged if len(flagged) else suspicion.frame.head(MARKED_WITHOUT_FLAGS)
    which = f"{len(flagged):,} flagged" if len(flagged) else f"first {len(top)}"
    with st.container(horizontal=True, vertical_alignment="center"):
        only_flagged = st.toggle(
            f"Only the {len(flagged):,} flagged",
            key="suspicious_only",
            disabled=flagged.empty,
            help="Those that confident learning takes for errors, most of whose neighbours carry "
            "another label, and which the classifier doubted on average while it was trained.",
        )
        st.button(
            f"Mark the {which} in the maps",
            icon=":material/scatter_plot:",
            key="suspicious_marks",
            on_click=to_maps,
            args=(run, top["id"].to_numpy(), "for their suspicious labels"),
        )
        download(
            lambda: relabelling.labels_table(
                run, suspicion.frame, examples, runs.read_label_decisions(run.path)
            ),
            f"{run.run_id}-suspicious-labels",
        )
    return only_flagged and len(flagged) > 0


def _ranking(states: Sequence[JobState]) -> None:  # noqa: ARG001
    st.info(
        "Looking for labels that may be wrong, by cross-validating what the other texts and labels "
        "say about each one. This takes a few seconds; about a minute for thousands.",
        icon=":material/hourglass_top:",
    )


def _verdict(suspicion: Suspicion, *, was_trained: bool) -> None:
    n = len(suspicion.frame)
    n_random = max(1, round(0.05 * n))
    n_wrong = suspicion.noise_rate * n_random
    verb = "is" if suspicion.n_flagged == 1 else "are"
    doubted = ", and the classifier doubted it while it was trained" if was_trained else ""
    st.markdown(
        f"**{suspicion.n_flagged:,} of {n:,} labels (train and val) {verb} worth a second look**: "
        "models that did not see the label expect another one, and most neighbours carry another "
        f"one{doubted}. Wrong labels rank high, and so do texts that are hard or fit two classes: "
        "read a text before you change its label."
    )
    st.caption(
        f"If the flagged labels are the wrong ones, {suspicion.noise_rate:.1%} of a random sample "
        f"would be wrong: about {n_wrong:.0f} of {n_random:,} rows. {suspicion.source}"
    )


def _table(
    run: Run,
    ranked: pd.DataFrame,
    examples: pd.DataFrame,
    decisions: Mapping[str, LabelDecision],
) -> pd.DataFrame:
    rows = ranked["row"].to_numpy()
    predictions = cache.predictions(run, run.snapshots[-1].index)
    frame = described(run, examples.iloc[rows], predictions)[
        ["split", "label", "example", *text_columns(examples["text"].iloc[rows]), "id"]
    ]
    names = np.asarray(run.label_names, dtype=object)
    frame.insert(0, "rank", ranked["rank"].to_numpy())
    frame.insert(3, "suggested", names[ranked["suggested"].to_numpy()])
    decided = decided_words(decisions)
    frame.insert(4, "decision", [decided.get(example, "") for example in ranked["id"]])
    frame.insert(5, "p (label)", ranked["p_label"].to_numpy())
    frame.insert(6, "neighbours", ranked["neighbours_agree"].to_numpy())
    return frame
