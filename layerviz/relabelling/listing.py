"""The list of suspicious labels as a table, and decisions that are written into such a table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from layerviz import data, runs
from layerviz.data import OWN_ID, Table
from layerviz.errors import DataError, did_you_mean
from layerviz.runs import ACCEPTED, EDITED, SKIPPED, LabelDecision, Run
from layerviz.wording import count

ID, DECISION, NEW_LABEL = "id", "decision", "new_label"  # columns
_WORDS = {
    **dict.fromkeys(("accept", "accepted", "yes", "y", "x"), ACCEPTED),
    **dict.fromkeys(("edit", "edited"), EDITED),
    **dict.fromkeys(("skip", "skipped", "keep", "no", "n"), SKIPPED),
    "": "",
}


def labels_table(
    run: Run, ranked: pd.DataFrame, examples: pd.DataFrame, decisions: Mapping[str, LabelDecision]
) -> pd.DataFrame:
    """Return ranked labels with the file and row that each is from, and what was decided.

    Parameters
    ----------
    run : Run
    ranked : DataFrame
        As `exploring.Suspicion` has it.
    examples : DataFrame
        Those of the run.
    decisions : mapping of str to LabelDecision
        By example.
    """
    names = np.asarray(run.label_names, dtype=object)
    source = ranked["id"].str.rsplit("-", n=1, expand=True)
    part, files = examples.iloc[ranked["row"].to_numpy()], run.dataset["files"]
    own_ids = {"own_id": part[OWN_ID].to_numpy()} if OWN_ID in part else {}
    of_rows = [decisions.get(example) for example in ranked["id"]]
    return pd.DataFrame(
        {
            "rank": ranked["rank"],
            "file": [files.get(role, role) for role in source[0]],
            "row": source[1].astype(int),
            **own_ids,
            "split": ranked["split"],
            "label": names[ranked["label"].to_numpy()],
            "suggested": names[ranked["suggested"].to_numpy()],
            DECISION: ["" if one is None else one.decision for one in of_rows],
            NEW_LABEL: ["" if one is None else one.label for one in of_rows],
            "score": ranked["score"],
            "p_label": ranked["p_label"],
            "p_suggested": ranked["p_suggested"],
            "neighbours_agree": ranked["neighbours_agree"],
            "flagged": ranked["issue"],
            "text": part["text"].to_numpy(),
            ID: ranked["id"],
            "example": runs.names_of(run, part),
        }
    )


def decisions_in(table: Table, run: Run, ranked: pd.DataFrame) -> list[LabelDecision]:
    """Return the decisions that people wrote into a table of labels.

    Parameters
    ----------
    table : Table
        Its columns ``id`` and ``decision`` (accept, edit or skip; empty where nobody decided), and
        where labels are edited ``new_label``. A row with a new label alone is edited.
    run : Run
    ranked : DataFrame
        As `exploring.Suspicion` has it: what it suggests is what is accepted.

    Raises
    ------
    DataError
        If a row, a word or a label is unknown.
    """
    frame = table.frame
    data.expect_columns(frame, [ID])
    if DECISION not in frame and NEW_LABEL not in frame:
        data.expect_columns(frame, [DECISION])
    suggested = dict(zip(ranked["id"], ranked["suggested"].tolist(), strict=True))
    empty = pd.Series("", index=frame.index)
    words, labels = frame.get(DECISION, empty), frame.get(NEW_LABEL, empty)
    decisions = []
    for at, (example, word, label) in enumerate(zip(frame[ID], words, labels, strict=True), 1):
        kind = _WORDS.get(word.strip().casefold())
        where = f"{table.name}, row {at}"
        if kind is None:
            raise DataError(
                f"{where}: the decision {word!r:.40} is not understood.",
                "Write accept, edit or skip.",
            )
        if not kind and not label.strip():
            continue
        if example not in suggested:
            raise DataError(
                f"{where}: {example!r:.40} is none of the ranked labels of {run.run_id}.",
                "Give ids as the list of suspicious labels has them.",
            )
        decisions.append(_decision(example, kind, label, suggested[example], run, where))
    return decisions


def _decision(
    example: str, kind: str, label: str, suggested: int, run: Run, where: str
) -> LabelDecision:
    if kind == SKIPPED:
        return LabelDecision(example, SKIPPED)
    # Spreadsheets are kept from running a label such as "=x" by an apostrophe before it.
    names = (label, label.strip(), label.strip().removeprefix("'"))
    known = next((name for name in names if name in run.label_names), None)
    accepted = run.label_names[suggested]
    if kind == ACCEPTED and not label.strip():
        return LabelDecision(example, ACCEPTED, accepted)
    if known is None:
        problem = f"the new label {label!r:.80} is none of the labels" if label.strip() else (
            "the label is to be edited, and there is no new one"
        )  # fmt: skip
        hint = did_you_mean(label, run.label_names, "Give one of the labels of the run.")
        raise DataError(f"{where}: {problem}.", hint)
    return LabelDecision(example, ACCEPTED if known == accepted else EDITED, known)


def decisions_words(decisions: Mapping[str, LabelDecision]) -> str:
    """Say how much was decided: "12 decided: 8 accepted, 1 edited, 3 skipped"."""
    kinds = [one.decision for one in decisions.values()]
    parts = [f"{kinds.count(kind):,} {kind}" for kind in runs.DECISIONS if kind in kinds]
    return f"{count(len(decisions), 'label')} decided on: {', '.join(parts)}"
