"""Records of earlier formats, brought into today's shape as they are read; the files stay as are.

Format 0, the first, had no number. It recorded which files the data came from and what was cut for
val only as notes in English, and neither the poolings nor the number of processes.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from layerviz.data import RowChoices
from layerviz.errors import RunError
from layerviz.wording import quote

FORMAT = 1  # of the records that are written now
POOLINGS_OF_FORMAT_0 = ("mean", "cls", "max")  # of all its runs, whatever there is today
MOST_ROWS_COUNTED = 1_000_000
MOST_LETTERS = 1000  # of a note that is looked into
_READ = re.compile(r"Read (?P<name>.+) as [^,]+, [^,]+-separated\.")
_CUT = re.compile(r"Val was cut from train: (?P<percent>\d+(?:\.\d+)?)%")


def upgrade(values: dict[str, Any]) -> dict[str, Any]:
    """Return the entries of a ``run.json`` of any format as those of today's.

    Parameters
    ----------
    values : dict
        As read; it stays as it is.

    Raises
    ------
    RunError
        If a newer layerviz wrote it.
    KeyError, TypeError, ValueError
        If an entry is missing or garbled.
    """
    number = values.get("format", 0)
    if isinstance(number, bool) or not isinstance(number, int) or number < 0:
        raise ValueError(f"format {quote(number)}")
    if number > FORMAT:
        raise RunError(
            f"This run was written by a newer layerviz (format {number}; this version reads up to "
            f"{FORMAT}).",
            "Update layerviz to open it.",
        )
    return values if number else _from_format_0(values)


def _from_format_0(values: dict[str, Any]) -> dict[str, Any]:
    dataset, training = values["dataset"], values["training"]
    # A file's name is short, and the patterns are slow on a long note of a made-up record.
    notes = [note for note in dataset["notes"] if len(note) < MOST_LETTERS]
    cut = next((match for note in notes if (match := _CUT.match(note))), None)
    val_fraction = float(cut["percent"]) / 100 if cut else None
    names = [match["name"] for note in notes if (match := _READ.fullmatch(note))]
    return values | {
        "format": FORMAT,
        "poolings": list(POOLINGS_OF_FORMAT_0),
        "dataset": {"files": _files(names, cut is not None), "val_fraction": val_fraction}
        | dataset,
        # There was one process in all of them; training is empty until it is set up.
        "training": training and {"world_size": 1} | training,
    }


def _files(names: list[str], val_was_cut: bool) -> dict[str, str]:
    """Return the files by their roles: they come in the order train, val, test."""
    # A lone second one is val, unless val was cut from train.
    roles = ("train", "test") if val_was_cut and len(names) < 3 else ("train", "val", "test")
    return dict(zip(roles, names, strict=False))


def choices_before_asking(
    label_names: Sequence[str], counts: Mapping[str, Mapping[str, int]]
) -> RowChoices:
    """Return what was done with rows before readers were asked.

    Every label was a class, combinations included, and always one column was the label.

    Parameters
    ----------
    label_names : sequence of str
    counts : mapping of str to mapping of str to int
        Split -> label -> n.
    """
    import pandas as pd

    from layerviz.data import missing_words
    from layerviz.data.several_labels import combinations_in

    names = [name for of_split in counts.values() for name in of_split]
    n_rows = [n for of_split in counts.values() for n in of_split.values()]
    if (total := sum(n_rows)) > MOST_ROWS_COUNTED:  # their shares are what counts
        n_rows = [-(-n * MOST_ROWS_COUNTED // total) for n in n_rows]
    combinations = combinations_in(pd.Series(names, dtype="str").repeat(n_rows))
    return RowChoices(
        keep_missing_labels=True if missing_words(label_names) else None,
        one_hot=False,
        combined_labels=combinations is not None,
    )
