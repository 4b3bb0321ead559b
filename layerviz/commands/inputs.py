"""From the files that were named to a data set."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.errors import DataError


def read_bytes(path: Path) -> bytes:
    """Return a file's content, or one sentence that says why not."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror}).", "Check the path and its permissions."
        ) from error


def dataset_of(parsed: argparse.Namespace):
    """Read the files that were named."""
    from layerviz import data

    train = data.read_table(read_bytes(parsed.data), parsed.data.name)
    tables = {
        role: data.read_table(read_bytes(path), path.name)
        for role, path in (("val", parsed.val), ("test", parsed.test))
        if path is not None
    }
    columns = _columns(parsed, train)
    return data.build_dataset(train, columns, **tables, val_fraction=parsed.val_fraction, seed=0)


def _columns(parsed: argparse.Namespace, table):
    """Take the columns that were named and guess the others."""
    from layerviz import data

    named = (parsed.text_column, parsed.label_column)
    if all(named):
        guess = data.Columns(*named, split=_split_or_none(table))
    else:
        guess = data.guess_columns(table.frame)
    split = guess.split if parsed.split_column is None else parsed.split_column
    columns = data.Columns(
        text=parsed.text_column or guess.text,
        label=parsed.label_column or guess.label,
        split=None if parsed.split_column == "none" else split,
    )
    data.check_columns(table.frame, columns)
    return columns


def _split_or_none(table) -> str | None:
    from layerviz import data

    try:
        return data.guess_columns(table.frame).split
    except DataError:  # the named columns say what the guess could not
        return None
