"""Several tables that are the splits of one data set -> one table with a column of splits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import pandas as pd

from layerviz.data.splits import SPLIT_WORDS
from layerviz.data.wording import quoted
from layerviz.wording import count, free_name, quote

SPLIT = "split"  # the column that says which table a row is from
SPLIT_BESIDE = "split of the file"  # the same, where the tables have a column "split" already
_SHARD = re.compile(r"[-_.]?\d+([-_.]of[-_.]\d+)?([-_.][0-9a-f]{8,})?$")  # train-00000-of-00002


def split_in(name: str) -> str | None:
    """Return the split that the name of a file, sheet or key says: "train", "val" or "test"."""
    stem = _SHARD.sub("", name.strip().lower())
    if stem in SPLIT_WORDS:
        return SPLIT_WORDS[stem]
    words = [word for word in re.split(r"[-_. ]+", stem) if word]
    ends = {SPLIT_WORDS[word] for word in (words[:1] + words[-1:]) if word in SPLIT_WORDS}
    return ends.pop() if len(ends) == 1 else None


def by_split(names: Iterable[str]) -> dict[str, str]:
    """Return the split of each name that says one; nothing if none of them says train."""
    splits = {name: split for name in names if (split := split_in(name)) is not None}
    return splits if "train" in splits.values() else {}


def joined(frames: Mapping[str, pd.DataFrame], splits: Mapping[str, str]) -> pd.DataFrame:
    """Return tables one below the other, with a column that says which split each row is in.

    Parameters
    ----------
    frames : mapping of str to DataFrame
        Tables by their names.
    splits : mapping of str to str
        What to write into the column, by the same names; without any, there is no column.
    """
    whole = pd.concat(frames.values(), ignore_index=True).fillna("")
    if splits:
        column = SPLIT if SPLIT not in whole else free_name(SPLIT_BESIDE, whole)
        cells = [splits[name] for name, frame in frames.items() for _ in range(len(frame))]
        # First where there are two, since what files say goes before what rows say.
        at = len(whole.columns) if column == SPLIT else 0
        whole.insert(at, column, pd.Series(cells, dtype="str"))
    return whole


def joining_notes(frames: Mapping[str, pd.DataFrame], splits: Mapping[str, str]) -> Iterable[str]:
    """Yield what is to be said of tables that were joined."""
    parts = [quoted(frames)]
    if splits:
        parts = []
        for split in dict.fromkeys(splits[name] for name in frames):
            of_it = [name for name in frames if splits[name] == split]
            n_rows = sum(len(frames[name]) for name in of_it)
            parts.append(f"{split} ({count(n_rows, 'row')}) from {quoted(of_it)}")
    yield f"Read {count(len(frames), 'table')} as one: {'; '.join(parts)}."
    everywhere = set.intersection(*(set(frame.columns) for frame in frames.values()))
    for name, frame in frames.items():
        if others := sorted(set(frame.columns) - everywhere):
            yield f"Not all tables have what {quote(name)} has: {quoted(others)}."
