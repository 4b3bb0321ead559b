"""What an example is called for people: the row of which file, and in which split."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath

import numpy as np
import pandas as pd

from layerviz.data.unpacking import without_compression
from layerviz.errors import DataError
from layerviz.wording import cut_in_middle, quote

HUB_PREFIX = "hf:"  # of the name of a data set of the Hugging Face Hub
OWN_ID = "own_id"  # column of examples: the id that the user's own data give them, where they do
_ID = re.compile(r"(?P<role>train|val|test)-(?P<row>[1-9]\d*)", re.ASCII)


def dataset_name(file: str) -> str:
    """Return what the data of a file are called: its name without its endings.

    Of a data set of the Hugging Face Hub, its name without its owner, and its configuration.
    """
    if file.startswith(HUB_PREFIX):
        name = file.removeprefix(HUB_PREFIX).partition("@")[0]
        return name.rpartition("/")[2].replace(":", "-")
    return PurePath(without_compression(file)).stem


def file_row(example: str) -> tuple[str, int]:
    """Return the role of the file that an example is from, and its data row, counted from 0.

    Raises
    ------
    DataError
        If it is no id that a data set gives.
    """
    parts = _ID.fullmatch(example)
    if parts is None:
        raise DataError(f"{quote(example)} names no row of a file.", "Give an id such as train-17.")
    return parts["role"], int(parts["row"]) - 1


def example_name(example: str, split: str, files: Mapping[str, str], own_id: str = "") -> str:
    """Name an example for people, such as "row 324 of train.csv (val)".

    Parameters
    ----------
    example : str
        Its id: the role of the file that it is from and its data row, counted from 1 without the
        header, as `Dataset` gives them.
    split : str
        That it belongs to, which is not always that of its file.
    files : mapping of str to str
        Names of the files by their role; earlier runs did not record them.
    own_id : str
        With what it is called in the user's own data, such as "tweet_id 4711".
    """
    parts = _ID.fullmatch(example)
    if parts is None:  # not an id that a data set gave
        return f"{cut_in_middle(example)} ({split})"
    role, row = parts["role"], parts["row"]
    name = f"row {row} of {cut_in_middle(files.get(role, '')) or f'the {role} file'} ({split})"
    return f"{name}, {cut_in_middle(own_id)}" if own_id else name


def example_names(
    examples: pd.DataFrame, files: Mapping[str, str], id_column: str = ""
) -> np.ndarray:
    """Name examples for people.

    Parameters
    ----------
    examples : DataFrame
        ``id``, ``split`` and perhaps ``own_id``, n rows.
    files : mapping of str to str
        As in `example_name`.
    id_column : str
        What the user's data call ``own_id``.

    Returns
    -------
    ndarray of shape (n,), object
    """
    own = [""] * len(examples)
    if OWN_ID in examples:
        word = id_column or "id"
        own = [f"{word} {value}" if value else "" for value in examples[OWN_ID].tolist()]
    parts = zip(examples["id"].tolist(), examples["split"].tolist(), own, strict=True)
    names = [example_name(example, split, files, own_id) for example, split, own_id in parts]
    return np.array(names, dtype=object)
