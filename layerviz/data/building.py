"""Tables -> Dataset: usable rows, splits without a text in two of them, labels, fingerprint."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import PurePath

import numpy as np
import pandas as pd

from layerviz.config import SPLITS
from layerviz.data.columns import (
    NUMBER,
    SPLIT_WORDS,
    Columns,
    check_columns,
    guess_id_column,
)
from layerviz.data.naming import OWN_ID
from layerviz.data.reading import Table
from layerviz.data.wording import one_sentence, quoted
from layerviz.errors import DataError, did_you_mean
from layerviz.wording import count

MIN_EXAMPLES, MIN_VAL = 10, 2
VAL_FRACTION = 0.2  # that is cut from train unless another share is asked for
LEAST_VAL_FRACTION, MOST_VAL_FRACTION = 0.05, 0.5


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled texts in their splits, ready for training.

    Parameters
    ----------
    name : str
        The train file's name without its suffix.
    examples : DataFrame
        Columns id (str: the file's role and its data row counted from 1, such as ``train-17``),
        split (str), text (str) and label (int64 index into ``label_names``), in the order train,
        val, test, and in the order of the file within a split. Where the files give each row an id
        of its own, it is in a further column, own_id (str; empty where a file has none).
    label_names : tuple of str
        Class names; position = class index.
    columns : Columns
        Where texts, labels and splits were taken from.
    fingerprint : str
        16 hexadecimal digits of SHA-256 over splits, texts and labels.
    notes : tuple of str
        Sentences that say what was guessed, cut and left out.
    files : dict of str to str
        Names of the files by their role, in the order train, val, test.
    val_fraction : float or None
        Share of each label's distinct texts that was cut from train to be val; None if val came
        from a file of its own or from the split column.
    untrained_labels : tuple of str
        Labels that only val or test had; their rows were left out.
    contents : dict of str to str
        SHA-256 of the files by their role, in hexadecimal digits.
    id_column : str or None
        Where own_id was taken from.
    """

    name: str
    examples: pd.DataFrame
    label_names: tuple[str, ...]
    columns: Columns
    fingerprint: str
    notes: tuple[str, ...]
    files: dict[str, str]
    val_fraction: float | None
    untrained_labels: tuple[str, ...] = ()
    contents: dict[str, str] = field(default_factory=dict)
    id_column: str | None = None

    def split(self, name: str) -> pd.DataFrame:
        """Return the examples of one split under their index in ``examples``."""
        return self.examples[self.examples["split"] == name]

    def counts(self) -> pd.DataFrame:
        """Return the examples per label name (index) and split that has any (columns), int64."""
        table = pd.crosstab(self.examples["label"], self.examples["split"])
        names = pd.Index(self.label_names, name="label")
        return table[[split for split in SPLITS if split in table]].set_axis(names)


def build_dataset(
    train: Table,
    columns: Columns,
    *,
    val: Table | None = None,
    test: Table | None = None,
    val_fraction: float = VAL_FRACTION,
    seed: int = 0,
) -> Dataset:
    """Turn one to three tables into train, val and perhaps test, no text being in two of them.

    Splits come from separate files, else from the split column; a missing val is cut from train,
    stratified by label and by distinct text. A text in several splits stays in the last of them.

    Parameters
    ----------
    train, val, test : Table
        ``val`` and ``test`` need the same text and label columns and override the split column.
    columns : Columns
        Where texts, labels and splits are.
    val_fraction : float
        Part of each label's distinct texts that goes to val when it is cut, 0.05 to 0.5.
    seed : int
        Seed of the cut.

    Raises
    ------
    DataError
        If the labels are not classes, or too little is left to train or to measure on.
    """
    if not LEAST_VAL_FRACTION <= val_fraction <= MOST_VAL_FRACTION:
        bounds = f"{LEAST_VAL_FRACTION:g} to {MOST_VAL_FRACTION:g}"
        raise DataError(f"The val fraction is {val_fraction:g}.", f"Give a value from {bounds}.")
    by_role = {"train": train, "val": val, "test": test}
    tables = {role: table for role, table in by_role.items() if table is not None}
    exclusions: list[str] = []
    id_column = guess_id_column(train.frame, columns)
    parts = [_usable_rows(role, tables, columns, id_column, exclusions) for role in tables]
    rows = pd.concat(parts, ignore_index=True)
    rows["key"] = pd.factorize(rows["text"])[0]  # texts are compared often: faster as numbers
    cut = val is None and "val" not in set(rows["split"])
    rows = _drop_leaks(rows, exclusions)
    _check(rows, columns.label, exclusions)
    if cut:
        rows = _cut_val(rows, val_fraction, seed)
    is_trained = rows["label"].isin(rows["label"][rows["split"] == "train"])
    untrained = _label_names(rows["label"][~is_trained])
    rows = _leave_out(rows, ~is_trained, "of val or test with a label that train lacks", exclusions)
    _check(rows, columns.label, exclusions, min_val=MIN_VAL)
    names = _label_names(rows["label"])
    notes = [*_reading_notes(tables.values(), columns), *exclusions, *_label_notes(rows, names)]
    if cut:
        notes.append(
            f"Val was cut from train: {100 * val_fraction:g}% of each label's distinct texts."
        )
    rows["label"] = rows["label"].map({name: code for code, name in enumerate(names)})
    parts = [rows[rows["split"] == split].drop(columns="key") for split in SPLITS]
    examples = pd.concat(parts, ignore_index=True).astype({"label": "int64"})
    return Dataset(
        name=PurePath(train.name).stem,
        examples=examples,
        label_names=names,
        columns=columns,
        fingerprint=_fingerprint(examples, names),
        notes=tuple(notes),
        files={role: table.name for role, table in tables.items()},
        val_fraction=val_fraction if cut else None,
        untrained_labels=untrained,
        contents={role: table.content_hash for role, table in tables.items()},
        id_column=id_column,
    )


def _label_names(labels: pd.Series) -> tuple[str, ...]:
    """Return the distinct labels, numbers by their size and all else by the alphabet."""
    names = sorted(labels.unique(), key=lambda label: (label.casefold(), label))
    return tuple(sorted(names, key=float) if all(map(NUMBER.fullmatch, names)) else names)


def _usable_rows(
    role: str,
    tables: dict[str, Table],
    columns: Columns,
    id_column: str | None,
    exclusions: list[str],
) -> pd.DataFrame:
    """Return id, split, text and label (str) of the rows of one file that carry all of them.

    And own_id, where there is a column of ids.
    """
    name, frame = tables[role].name, tables[role].frame
    columns = columns if role == "train" else replace(columns, split=None)
    try:
        check_columns(frame, columns)
    except DataError as error:
        raise DataError(f"{name}: {error.message}", error.hint) from error
    rows = pd.DataFrame({"id": [f"{role}-{row}" for row in range(1, len(frame) + 1)]})
    rows["split"] = frame[columns.split].str.strip().str.lower() if columns.split else role
    rows["text"], rows["label"] = frame[columns.text], frame[columns.label].str.strip()
    if id_column is not None:
        rows[OWN_ID] = frame[id_column].str.strip() if id_column in frame else ""
    for part in ("text", "label", "split"):
        blank = rows[part].str.strip() == ""
        rows = _leave_out(rows, blank, f"of {name} without a {part}", exclusions)
    if unknown := sorted(set(rows["split"]) - set(SPLIT_WORDS)):
        hint = did_you_mean(
            unknown[0], SPLIT_WORDS, "Use train, val and test, or pick no split column."
        )
        raise DataError(f"Column {columns.split!r} holds unknown splits: {quoted(unknown)}.", hint)
    rows["split"] = rows["split"].map(SPLIT_WORDS)
    for other in [other for other in tables if other != role and role == "train"]:
        why = f"of {name} marked {other}, which {tables[other].name} replaces,"
        rows = _leave_out(rows, rows["split"] == other, why, exclusions)
    return rows


def _drop_leaks(rows: pd.DataFrame, exclusions: list[str]) -> pd.DataFrame:
    """Keep a text that is in several splits in the last of them only."""
    for role, later in (("train", ("val", "test")), ("val", ("test",))):
        seen = rows["key"][rows["split"].isin(later)]
        leaks = (rows["split"] == role) & rows["key"].isin(seen)
        rows = _leave_out(rows, leaks, f"of {role} also found in {' or '.join(later)}", exclusions)
    return rows


def _cut_val(rows: pd.DataFrame, fraction: float, seed: int) -> pd.DataFrame:
    """Move a share of each label's distinct texts to val, at least one, and never the last."""
    texts = rows.loc[rows["split"] == "train", ["key", "label"]].drop_duplicates()
    # One draw per text, so that a text with several labels is cut the same way for all of them.
    texts["draw"] = np.random.default_rng(seed).random(texts["key"].max() + 1)[texts["key"]]
    by_label = texts.groupby("label")["draw"]
    texts["n_val"] = (by_label.transform("size") * fraction).round().clip(lower=1)
    stay = texts["key"][texts["draw"] == by_label.transform("max")]
    free = texts[~texts["key"].isin(stay)]
    chosen = free["key"][free.groupby("label")["draw"].rank() <= free["n_val"]]
    is_val = (rows["split"] == "train") & rows["key"].isin(chosen)
    return rows.assign(split=rows["split"].mask(is_val, "val"))


def _check(rows: pd.DataFrame, column: str, exclusions: list[str], min_val: int = 0) -> None:
    """Raise a DataError unless there are enough rows, and labels that are classes."""
    labels = rows["label"][rows["split"] == "train"]
    n_labels, n_val = labels.nunique(), int((rows["split"] == "val").sum())
    only = "".join(f": {label!r}" for label in labels.unique()[:1])
    few = "Add rows that have a text and a label."
    one = "Pick another label column, or add rows of a second label."
    if not n_labels:
        one = "Give train rows of its own: do not use one file twice."
    many = "Pick another label column: one with a few recurring values."
    val = "Add val rows whose label is in train and whose text is not in test."
    for failed, problem, hint in (
        (n_labels < 2, f"{count(n_labels, 'label')} in train{only}", one),
        (len(rows) < MIN_EXAMPLES, f"{len(rows)} usable rows, fewer than {MIN_EXAMPLES}", few),
        (n_labels > len(labels) / 2, f"{n_labels:,} values in {len(labels):,} rows", many),
        (n_val < min_val, f"{count(n_val, 'usable row')} in val, fewer than {min_val}", val),
    ):
        if failed:
            raise DataError(
                one_sentence(f"Label column {column!r} has {problem}", exclusions), hint
            )


def _reading_notes(tables: Iterable[Table], columns: Columns) -> Iterable[str]:
    for table in tables:
        yield f"Read {table.name} as {table.layout}."
        yield from (f"{table.name}: {note}" for note in table.notes)
    splits = f", splits from {columns.split!r}" if columns.split else ""
    yield f"Texts are taken from column {columns.text!r}, labels from {columns.label!r}{splits}."


def _label_notes(rows: pd.DataFrame, names: tuple[str, ...]) -> Iterable[str]:
    n_texts = rows.groupby("label")["key"].nunique()
    in_val = set(rows["label"][rows["split"] == "val"])
    absent = [name for name in names if name not in in_val]
    if once := [name for name in absent if n_texts[name] == 1]:
        which = f"{count(len(once), 'label')} with only one text: {quoted(once)}"
        yield f"{which}. Such a text stays in train, so its label cannot be measured on val."
    if rest := [name for name in absent if n_texts[name] > 1]:
        yield f"{count(len(rest), 'label')} without any rows in val: {quoted(rest)}."
    n_alike = Counter(name.casefold() for name in names)
    if alike := [name for name in names if n_alike[name.casefold()] > 1]:
        yield f"Labels differ only in case: {quoted(alike)}."


def _fingerprint(examples: pd.DataFrame, names: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr(names).encode())
    for split, text, label in zip(*(examples[c] for c in ("split", "text", "label")), strict=True):
        digest.update(f"{split} {label} {len(text)} {text}".encode())
    return digest.hexdigest()[:16]


def _leave_out(
    rows: pd.DataFrame, which: pd.Series, why: str, exclusions: list[str]
) -> pd.DataFrame:
    """Return the other rows, and note how many of `which` kind were excluded."""
    if n := int(which.sum()):
        exclusions.append(f"{count(n, 'row')} {why} {'was' if n == 1 else 'were'} left out.")
    return rows[~which] if n else rows
