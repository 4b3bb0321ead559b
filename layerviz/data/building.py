"""Tables -> Dataset: usable rows, splits without a text in two of them, labels, fingerprint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from layerviz.config import SPLITS
from layerviz.data.choices import GUESS
from layerviz.data.columns import NUMBER, Columns
from layerviz.data.corrections import correction_note, with_corrected_labels
from layerviz.data.dataset import Dataset
from layerviz.data.further import kept_columns
from layerviz.data.guessing import guess_id_column
from layerviz.data.likeness import look_alikes, merged
from layerviz.data.naming import dataset_name
from layerviz.data.questions import row_questions
from layerviz.data.reading import Table
from layerviz.data.repeats import near_keys, near_repeats_in, repeat_notes
from layerviz.data.row_choices import NOTHING_CHOSEN, RowChoices
from layerviz.data.rows import (
    columns_of_files,
    differing_columns,
    leave_out,
    reading_notes,
    usable_rows,
)
from layerviz.data.several_labels import refuse_combinations
from layerviz.data.splits import check_meanings, meanings_of
from layerviz.data.wording import one_sentence, quoted, quoted_apart
from layerviz.errors import DataError
from layerviz.wording import count, named, quote

MIN_EXAMPLES, MIN_VAL = 10, 2
MOST_MERGED = 20  # groups of labels that are named
MOST_SCORES = 20  # different numbers, not all whole, that may be classes
VAL_FRACTION = 0.2  # that is cut from train unless another share is asked for
HASHED_AT_ONCE = 10_000  # rows
LEAST_VAL_FRACTION, MOST_VAL_FRACTION = 0.05, 0.5


def build_dataset(
    train: Table,
    columns: Columns,
    *,
    val: Table | None = None,
    test: Table | None = None,
    val_fraction: float = VAL_FRACTION,
    seed: int = 0,
    choices: RowChoices = NOTHING_CHOSEN,
) -> Dataset:
    """Turn one to three tables into train, val and perhaps test, no text being in two of them.

    Splits come from separate files, else from the split column; a missing val is cut from train,
    stratified by label and by distinct text. A text in several splits stays in the last of them.

    Parameters
    ----------
    train, val, test : Table
        ``val`` and ``test`` override the split column. Their columns of text and label may have
        other names than those of train where it is plain which are meant, or `choices` say so.
    columns : Columns
        Where texts, labels and splits are in ``train``.
    val_fraction : float
        Part of each label's distinct texts that goes to val when it is cut, 0.05 to 0.5.
    seed : int
        Seed of the cut.
    choices : RowChoices
        What people decided where the rows leave it open.

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
    columns_of = columns_of_files(tables, columns, choices)
    questions = row_questions(tables, columns_of, choices)
    if questions.combinations is not None and not choices.combined_labels:
        refuse_combinations(columns.label, questions.combinations)
    choices = questions.settled(choices)
    meanings = meanings_of(questions.split_words, dict(choices.split_words))
    if columns.split is not None:
        check_meanings(columns.split, questions.split_words, meanings)
    one_hot = questions.one_hot_of(choices)
    parts = [
        usable_rows(role, tables, columns_of, choices, meanings, one_hot, id_column, exclusions)
        for role in tables
    ]
    offsets = np.cumsum([0, *(len(table.frame) for table in tables.values())])
    places = [part.index.to_numpy() + offset for part, offset in zip(parts, offsets, strict=False)]
    rows = pd.concat(parts, ignore_index=True)
    rows["place"] = np.concatenate(places)  # where the files stand one after another
    groups = look_alikes(rows["label"].value_counts())
    choices = replace(choices, merge_labels=choices.merge_labels and bool(groups))
    if choices.merge_labels:
        rows["label"] = merged(rows["label"], groups)
    rows["key"] = pd.factorize(rows["text"])[0]  # texts are compared often: faster as numbers
    cut = val is None and "val" not in set(rows["split"])
    rows = _drop_leaks(rows, rows["key"], "also found in", exclusions)
    cut_by = rows["key"]
    if choices.no_near_repeats:
        cut_by = pd.Series(near_keys(rows["text"]), rows.index)
        rows = _drop_leaks(rows, cut_by, "nearly the same as one of", exclusions)
    left_out = () if choices.keep_missing_labels else questions.missing_words
    _check(rows, columns.label, exclusions, left_out)
    if cut:
        rows = _cut_val(rows, cut_by.loc[rows.index], val_fraction, seed)
    is_trained = rows["label"].isin(rows["label"][rows["split"] == "train"].unique())
    untrained = _label_names(rows["label"][~is_trained])
    rows = leave_out(rows, ~is_trained, "of val or test with a label that train lacks", exclusions)
    _check(rows, columns.label, exclusions, left_out, min_val=MIN_VAL)
    names = _label_names(rows["label"])
    near_repeats = near_repeats_in(rows)
    notes = [
        *reading_notes(tables, columns_of),
        *exclusions,
        *questions.notes(choices),
        *_label_notes(rows, names),
        *_alike_notes(groups, are_merged=choices.merge_labels),
        *repeat_notes(rows),
        *near_repeats.notes(),
    ]
    if cut:
        texts = "distinct texts" if columns.text_pair is None else "distinct pairs"
        if choices.no_near_repeats:
            texts += ", those that are nearly the same counting as one"
        notes.append(f"Val was cut from train: {100 * val_fraction:g}% of each label's {texts}.")
    rows["label"] = rows["label"].map({name: code for code, name in enumerate(names)})
    parts = [rows[rows["split"] == split].drop(columns="key") for split in SPLITS]
    examples = pd.concat(parts, ignore_index=True).astype({"label": "int64"})
    taken = [*one_hot, *([] if id_column is None else [id_column])]
    further, further_notes = kept_columns(
        tables, columns_of, taken, examples.pop("place").to_numpy()
    )
    notes += further_notes
    former_labels: dict[str, int] = {}
    if corrections := dict(choices.corrections):  # last, so that no row changes its split
        former = examples[examples["id"].isin(corrections)]
        former_labels = dict(zip(former["id"].tolist(), former["label"].tolist(), strict=True))
        examples = with_corrected_labels(examples, names, corrections)
        notes.append(correction_note(examples, corrections))
    return Dataset(
        name=dataset_name(train.name),
        examples=pd.concat([examples, further], axis="columns"),
        label_names=names,
        columns=columns,
        fingerprint=_fingerprint(examples, names),
        notes=tuple(notes),
        files={role: table.name for role, table in tables.items()},
        val_fraction=val_fraction if cut else None,
        untrained_labels=untrained,
        contents={role: table.content_hash for role, table in tables.items()},
        id_column=id_column,
        val_words=tuple(word.word for word in questions.split_words if meanings[word.key] == "val"),
        row_choices=replace(choices, columns_of=differing_columns(columns_of)),
        reading_choices={role: t.choices for role, t in tables.items() if t.choices != GUESS},
        reading_doubts=tuple(doubt for table in tables.values() for doubt in table.doubts),
        n_near_repeats=sum(near_repeats.n_by_split.values()),
        former_labels=former_labels,
    )


def _label_names(labels: pd.Series) -> tuple[str, ...]:
    """Return the distinct labels, numbers by their size and all else by the alphabet."""
    names = sorted(labels.unique(), key=lambda label: (label.casefold(), label))
    return tuple(sorted(names, key=float) if all(map(NUMBER.fullmatch, names)) else names)


def _drop_leaks(
    rows: pd.DataFrame, keys: pd.Series, why: str, exclusions: list[str]
) -> pd.DataFrame:
    """Keep a text that is in several splits in the last of them only; `keys` tell texts apart."""
    for role, later in (("train", ("val", "test")), ("val", ("test",))):
        own = keys.loc[rows.index]
        leaks = (rows["split"] == role) & own.isin(own[rows["split"].isin(later)])
        rows = leave_out(rows, leaks, f"of {role} {why} {' or '.join(later)}", exclusions)
    return rows


def _cut_val(rows: pd.DataFrame, keys: pd.Series, fraction: float, seed: int) -> pd.DataFrame:
    """Move a share of each label's distinct texts to val, at least one, and never the last.

    `keys` (int64) tell texts apart.
    """
    is_train = rows["split"] == "train"
    texts = pd.DataFrame({"key": keys, "label": rows["label"]})[is_train].drop_duplicates()
    # One draw per text, so that a text with several labels is cut the same way for all of them.
    texts["draw"] = np.random.default_rng(seed).random(texts["key"].max() + 1)[texts["key"]]
    by_label = texts.groupby("label")["draw"]
    texts["n_val"] = (by_label.transform("size") * fraction).round().clip(lower=1)
    stay = texts["key"][texts["draw"] == by_label.transform("max")]
    free = texts[~texts["key"].isin(stay)]
    chosen = free["key"][free.groupby("label")["draw"].rank() <= free["n_val"]]
    is_val = is_train & keys.isin(chosen)
    return rows.assign(split=rows["split"].mask(is_val, "val"))


def _check(
    rows: pd.DataFrame,
    column: str,
    exclusions: list[str],
    left_out: Sequence[str] = (),
    min_val: int = 0,
) -> None:
    """Raise a DataError unless there are enough rows, and labels that are classes.

    `left_out` are labels that say that there is none, whose rows would be kept as classes.
    """
    labels = rows["label"][rows["split"] == "train"]
    n_labels, n_val = labels.nunique(), int((rows["split"] == "val").sum())
    only = "".join(f": {quote(label)}" for label in labels.unique()[:1])
    few = "Add rows that have a text and a label."
    one = "Pick another label column, or add rows of a second label."
    if not n_labels and not left_out:
        one = "Give train rows of its own: do not use one file twice."
    many = "Pick another label column: one with a few recurring values."
    amounts = "Make classes of them, such as low, middle and high, or pick another label column."
    val = "Add val rows whose label is in train and whose text is not in test."
    for failed, problem, hint in (
        (n_labels < 2, f"{count(n_labels, 'label')} in train{only}", one),
        (len(rows) < MIN_EXAMPLES, f"{len(rows)} usable rows, fewer than {MIN_EXAMPLES}", few),
        (
            _are_amounts(labels),
            f"{n_labels:,} numbers on a scale, such as {named(labels.max())}, where "
            "classes are needed: layerviz tells classes apart and does not estimate amounts",
            amounts,
        ),
        (n_labels > len(labels) / 2, f"{n_labels:,} values in {len(labels):,} rows", many),
        (n_val < min_val, f"{count(n_val, 'usable row')} in val, fewer than {min_val}", val),
    ):
        if failed:
            keep = f" Or keep {quoted(left_out)}." if left_out else ""
            raise DataError(
                one_sentence(f"Label column {quote(column)} has {problem}", exclusions),
                f"{hint}{keep}",
                ["--keep-missing-labels"] if left_out else (),
            )


def _are_amounts(labels: pd.Series) -> bool:
    """Tell whether labels are many numbers, not all whole: similarity from 0 to 5, say."""
    names = labels.unique()
    numbers = len(names) > MOST_SCORES and all(map(NUMBER.fullmatch, names))
    return bool(numbers) and any(float(name) % 1 for name in names)


def _label_notes(rows: pd.DataFrame, names: tuple[str, ...]) -> Iterable[str]:
    n_texts = rows.groupby("label")["key"].nunique()
    in_val = set(rows["label"][rows["split"] == "val"])
    absent = [name for name in names if name not in in_val]
    if once := [name for name in absent if n_texts[name] == 1]:
        which = f"{count(len(once), 'label')} with only one text: {quoted(once)}"
        yield f"{which}. Such a text stays in train, so its label cannot be measured on val."
    if rest := [name for name in absent if n_texts[name] > 1]:
        yield f"{count(len(rest), 'label')} without any rows in val: {quoted(rest)}."


def _alike_notes(groups: tuple[tuple[str, ...], ...], *, are_merged: bool) -> Iterable[str]:
    if groups and are_merged:
        parts = [f"{quoted_apart(group[1:])} into {quoted_apart(group[:1])}" for group in groups]
        more = f"; and {len(parts) - MOST_MERGED:,} more" if len(parts) > MOST_MERGED else ""
        yield f"Labels that look alike were merged: {'; '.join(parts[:MOST_MERGED])}{more}."
    elif groups:
        yield f"Labels look alike: {'; '.join(quoted_apart(group) for group in groups[:5])}."


def _fingerprint(examples: pd.DataFrame, names: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr(names).encode())
    columns = examples[["split", "text", "label"]]
    for start in range(0, len(columns), HASHED_AT_ONCE):  # as lists: Arrow's cells come slowly
        part = columns.iloc[start : start + HASHED_AT_ONCE]
        for split, text, label in zip(*(part[name].tolist() for name in part), strict=True):
            digest.update(f"{split} {label} {len(text)} {text}".encode())
    return digest.hexdigest()[:16]
