"""The list of suspicious labels as a table, and decisions that are written into such a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from layerviz import data, runs
from layerviz.data import OWN_ID, Table
from layerviz.errors import DataError, did_you_mean
from layerviz.runs import ACCEPTED, EDITED, SKIPPED, LabelDecision, Run
from layerviz.wording import FORMULA_SIGNS, count, quote

ID, DECISION, NEW_LABEL = "id", "decision", "new_label"  # columns
COMPARED = 1_000  # characters of a text: spreadsheets cut long cells
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
        If a row, a word or a label is unknown, or a row shows another text, label or suggestion
        than this run: the person decided about something else.
    """
    frame = table.frame
    data.expect_columns(frame, [ID])
    if DECISION not in frame and NEW_LABEL not in frame:
        data.expect_columns(frame, [DECISION])
    pairs = zip(ranked["label"].tolist(), ranked["suggested"].tolist(), strict=True)
    codes = dict(zip(ranked["id"], pairs, strict=True))
    texts: dict[str, str] = {}
    if "text" in frame:
        examples = runs.read_examples(run.path)
        texts = dict(zip(examples["id"], examples["text"], strict=True))
    decisions = []
    for row, (example, kind, label, where) in _decided_rows(table):
        if example not in codes:
            raise DataError(
                f"{where}: {quote(example)} is none of the ranked labels of {run.run_id}.",
                "Give ids as the list of suspicious labels has them.",
            )
        own, suggested = (run.label_names[code] for code in codes[example])
        here = {"text": texts.get(example, ""), "label": own}
        if kind == ACCEPTED and not label.strip():
            here["suggested"] = suggested
        _expect_same(frame.iloc[row], here, where)
        decisions.append(_decision(example, kind, label, own, suggested, run, where))
    return decisions


def corrections_in(table: Table) -> dict[str, str]:
    """Return the new labels of a table by the ids of their rows, whichever run they are from.

    Raises
    ------
    DataError
        If a decision is not understood, a label is accepted or edited without being named, or a row
        is corrected twice.
    """
    data.expect_columns(table.frame, [ID, NEW_LABEL])
    found: dict[str, str] = {}
    for row, (example, kind, label, where) in _decided_rows(table):
        new = label.strip()
        if not new and kind == ACCEPTED and "suggested" in table.frame:
            new = str(table.frame["suggested"].iloc[row])
        if kind == SKIPPED:
            continue
        if not new:
            raise DataError(
                f"{where}: the label is to be corrected, and there is no new one.",
                f"Write it under {NEW_LABEL}.",
            )
        if example in found:
            raise DataError(
                f"{where}: {quote(example)} is corrected twice.", "Keep one row for each id."
            )
        found[example] = _without_apostrophe(new)
    return found


def _decided_rows(table: Table) -> Iterator[tuple[int, tuple[str, str, str, str]]]:
    """Yield the place of each row in which something is decided; id, decision, label, and name."""
    frame = table.frame
    empty = pd.Series("", index=frame.index)
    words, labels = frame.get(DECISION, empty), frame.get(NEW_LABEL, empty)
    for row, (example, word, label) in enumerate(zip(frame[ID], words, labels, strict=True)):
        kind = _WORDS.get(word.strip().casefold())
        where = f"{table.name}, row {row + 1}"
        if kind is None:
            raise DataError(
                f"{where}: the decision {quote(word)} is not understood.",
                "Write accept, edit or skip.",
            )
        if kind or label.strip():
            yield row, (example, kind, label, where)


def _without_apostrophe(cell: str) -> str:
    """Return a cell without the apostrophe that keeps spreadsheets from running it."""
    is_quoted = cell.startswith("'") and cell[1:].startswith(FORMULA_SIGNS)
    return cell[1:] if is_quoted else cell


def _expect_same(row: pd.Series, here: Mapping[str, str], where: str) -> None:
    """Refuse a decision about what this run does not have."""
    for column, value in here.items():
        if column in row and _compared(row[column]) != _compared(value):
            what = "suggested label" if column == "suggested" else column
            raise DataError(
                f"{where}: the {what} is {quote(row[column])}, and in this run {quote(value)}.",
                "Write the list of this run anew and decide in that, or check the row's id.",
            )


def _compared(cell: str) -> str:
    """Return a cell without what spreadsheets change: white space and apostrophes in front."""
    return " ".join(cell.split()).removeprefix("'")[:COMPARED]


def _decision(
    example: str, kind: str, label: str, own: str, accepted: str, run: Run, where: str
) -> LabelDecision:
    if kind == SKIPPED:
        return LabelDecision(example, SKIPPED)
    # Spreadsheets are kept from running a label such as "=x" by an apostrophe before it.
    names = (label, label.strip(), _without_apostrophe(label.strip()))
    known = next((name for name in names if name in run.label_names), None)
    if kind == ACCEPTED and not label.strip():
        return LabelDecision(example, ACCEPTED, accepted)
    if known is None:
        problem = f"the new label {quote(label)} is none of the labels" if label.strip() else (
            "the label is to be edited, and there is no new one"
        )  # fmt: skip
        hint = did_you_mean(label, run.label_names, "Give one of the labels of the run.")
        raise DataError(f"{where}: {problem}.", hint)
    if known == own:
        return LabelDecision(example, SKIPPED)  # its label stays
    return LabelDecision(example, ACCEPTED if known == accepted else EDITED, known)


def decisions_words(decisions: Mapping[str, LabelDecision]) -> str:
    """Say how much was decided: "12 labels decided on: 8 accepted, 1 edited, 3 kept"."""
    kinds = [one.decision for one in decisions.values()]
    words = {SKIPPED: "kept"}
    parts = [
        f"{kinds.count(kind):,} {words.get(kind, kind)}" for kind in runs.DECISIONS if kind in kinds
    ]
    return f"{count(len(decisions), 'label')} decided on: {', '.join(parts)}"
