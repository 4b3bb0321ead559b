"""What follows from corrected labels: the files with them, and a run on them, compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from layerviz import cache, comparison, relabelling, runs
from layerviz.data import CorrectedFile
from layerviz.runs import LabelDecision, Run
from layerviz.ui.parts.continuing import own_data
from layerviz.ui.parts.state import chosen_data, errors_shown, go_to, jobs, plain
from layerviz.ui.run.label_review import how_many_to_correct
from layerviz.ui.run.progress import progress
from layerviz.wording import count, enumeration

MADE = "corrected_files"  # session state: of which labels of which run, and the files
MOST_EARLIER = 3  # runs with other corrections that are listed


def corrected_labels(
    run: Run, examples: pd.DataFrame, decisions: Mapping[str, LabelDecision]
) -> None:
    """Offer the corrected files and the run that proves them, once a label is corrected."""
    corrections = relabelling.corrections_of(run, decisions)
    if not any(decision.label for decision in decisions.values()):
        st.caption(
            "Accept a suggestion (A), choose another label or keep the one it has (S): once a "
            "label is corrected, the corrected file and a run that shows whether it helps are "
            "offered here."
        )
        return
    splits = dict(zip(examples["id"].tolist(), examples["split"].tolist(), strict=True))
    new = [example for example, decision in decisions.items() if decision.label]
    with st.container(border=True, key="corrected_labels"):
        st.markdown(f"**{how_many_to_correct(splits, new)}**")
        left, right = st.columns(2, gap="large")
        with left:
            _files(run, examples, corrections)
        with right:
            _proof(run, corrections, splits, decisions)


# --- the files ------------------------------------------------------------------------------------


def _files(run: Run, examples: pd.DataFrame, corrections: dict[str, str]) -> None:
    of = (run.run_id, run.created, tuple(corrections.items()))
    if st.button("Make the corrected file", icon=":material/edit_document:", key="correct_file"):
        with errors_shown(), st.spinner("Writing the corrected file"):
            sources = relabelling.sources_of(run, own_data(run, chosen_data()))
            made = relabelling.corrected_files(sources, examples, run.label_names, corrections)
            st.session_state[MADE] = (of, made, _to_take(run, made))
    made_of, made, taken = st.session_state.get(MADE, (None, [], ("", b"")))
    if made_of == of:
        _offer(made, *taken)
    else:
        st.caption(
            "Your own file with these labels in it; not another byte of a CSV changes. Other "
            "formats come as a CSV."
        )
    if run.dataset["val_fraction"] is not None:
        st.caption(
            "Val was cut from train with the same share of every class: a run on the corrected "
            "file alone would cut it anew. The run beside keeps every row in its split."
        )


def _to_take(run: Run, made: Sequence[CorrectedFile]) -> tuple[str, bytes]:
    """Return the name and content of what is downloaded: the file, or all of them in a zip."""
    if len(made) == 1:
        return made[0].name, made[0].content
    return f"{run.dataset['name']}-corrected.zip", relabelling.archive_of(made)


def _offer(made: Sequence[CorrectedFile], name: str, content: bytes) -> None:
    st.download_button(
        f"Download {plain(name)}",
        data=content,
        file_name=name,
        mime="application/octet-stream",
        icon=":material/download:",
        on_click="ignore",
        key="take-corrected",
        type="primary",
    )
    whole = [plain(file.name) for file in made if file.in_place]
    as_csv = [plain(file.name) for file in made if not file.in_place]
    if whole:
        verb = "differs" if len(whole) == 1 else "differ"
        st.caption(f"{enumeration(whole)} {verb} from your file in these labels alone.")
    if as_csv:
        st.caption(
            f"{enumeration(as_csv)}: the whole table as a CSV in UTF-8, as the original cannot be "
            "written back byte for byte; only these labels differ."
        )


# --- the proof ------------------------------------------------------------------------------------


def _proof(
    run: Run,
    corrections: dict[str, str],
    splits: Mapping[str, str],
    decisions: Mapping[str, LabelDecision],
) -> None:
    """Show the run with these labels and what came of it, or the button that makes it."""
    n_val = sum(split == "val" for split in splits.values())
    touched = {example for example in corrections if splits.get(example) == "val"}
    if relabelling.only_val_is_corrected(splits, decisions):
        st.markdown(f"{relabelling.NOTHING_TO_TRAIN} What changes is what val says.")
        return
    made = relabelling.relabelled_runs(run, runs.list_runs(jobs().root))
    same = [other for other in made if dict(other.row_choices.corrections) == corrections]
    newest = next(iter(same), None)
    if newest is None and runs.is_read_only():
        return
    if newest is None or newest.status in ("cancelled", "failed"):
        if newest is not None:
            st.caption(f"The run with these labels {_ended(newest)}.")
        if not runs.is_read_only():
            _button(run, corrections)
        left_out = "."
        if touched:
            n_former = n_val - sum(splits.get(id) == "val" for id, _ in run.row_choices.corrections)
            left_out = (
                f", and on all {n_former:,} by their former labels: to be scored on what a model "
                "suggested would flatter it."
            )
        st.caption(
            "The same settings, seed and splits. Both runs are scored on the "
            f"{count(n_val - len(touched), 'captured val row')} whose labels stay as they are"
            f"{left_out}"
        )
    else:
        _outcome(run, newest)
    earlier = [other for other in made if other not in same and other.status == "done"]
    for other in earlier[:MOST_EARLIER]:
        with st.container(key=f"earlier-{other.run_id}"):
            _outcome(run, other)


def _ended(run: Run) -> str:
    return f"{run.status} with {count(len(run.snapshots), 'snapshot')}".replace(
        "cancelled with", "was cancelled with"
    )


def _button(run: Run, corrections: dict[str, str]) -> None:
    if not st.button(
        "Train again with the corrected labels and compare",
        icon=":material/science:",
        key="train_relabelled",
        type="primary",
    ):
        return
    with errors_shown(), st.spinner("Preparing the data"):
        relabelling.expect_same_encoder(run)
        sources = relabelling.sources_of(run, own_data(run, chosen_data()))
        made = jobs().fit(run.config, relabelling.relabelled_dataset(run, sources, corrections))
        if not relabelling.is_relabelled(run, made):  # corrections that were taken back
            how = "which already exists" if made.status == "done" else "which now goes on"
            st.info(f"With these labels the data are those of the run {plain(made.run_id)}, {how}.")
            st.button("Open that run", on_click=go_to, args=(made.run_id,), key="open_same")
            return
        st.rerun()


def _outcome(run: Run, relabelled: Run) -> None:
    if relabelled.live:
        st.markdown("The run with these labels is going on.")
        progress(relabelled)
    elif relabelled.snapshots:
        with errors_shown():
            verdict = cache.relabel_verdict(run, relabelled)
            icon = ":material/check:" if verdict.better else ":material/info:"
            sentences = comparison.relabel_sentences(verdict)
            st.markdown(f"{icon} {plain(' '.join(sentences))}")
            both = ""
            if verdict.corrected["val"]:
                both = (
                    " Among the untouched rows, those are missing whose labels a model doubted, "
                    "which alone flatters a model that learned its suggestions: a gain counts "
                    "where all val rows, by their former labels, show it as well."
                )
            st.caption(
                f"The models' own predictions on the same rows by the same labels.{both} One run "
                "each: another seed may move scores by more than the intervals say."
            )
    st.button(
        "Open the new run",
        on_click=go_to,
        args=(relabelled.run_id,),
        key=f"open_relabelled-{relabelled.run_id}",
    )
