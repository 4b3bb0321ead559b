"""What benchmarks are made with: encoders of any size, and data sets of any number of texts."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd

from layerviz import data, encoders
from layerviz.data import Columns, Dataset, Table
from layerviz.errors import ConfigError

HEAD_WIDTH = 64
LEAST_EXAMPLES = 20


def varied_csv(table: Table, n_train: int, n_val: int, seed: int = 0) -> bytes:
    """Return so many distinct texts as a CSV with the columns text, label and split.

    Parameters
    ----------
    table : Table
        Its columns are guessed. Where it has too few texts, each comes again with some words of
        another text of its class, so that lengths and vocabulary stay what they are.
    n_train, n_val : int
    seed : int

    Raises
    ------
    ConfigError
        If there are too few to learn from.
    """
    if min(n_train, n_val) < LEAST_EXAMPLES:
        raise ConfigError(
            f"The bench cannot take {n_train} train and {n_val} val examples.",
            f"Give {LEAST_EXAMPLES} or more of each.",
        )
    columns = data.guess_columns(table.frame)
    known = table.frame[[columns.text, columns.label]].set_axis(["text", "label"], axis=1)
    known = known.dropna().drop_duplicates("text").reset_index(drop=True)
    rng = np.random.default_rng(seed)
    n = n_train + n_val
    rows = np.concatenate([rng.permutation(len(known)) for _ in range(-(-n // len(known)))])[:n]
    frame = known.iloc[rows].reset_index(drop=True)
    frame.loc[len(known) :, "text"] = _varied(known, rows[len(known) :], rng)
    splits = np.array(["train"] * n_train + ["val"] * n_val)
    frame["split"] = rng.permutation(splits)
    return frame.to_csv(index=False).encode()


def _varied(known: pd.DataFrame, rows: np.ndarray, rng: np.random.Generator) -> list[str]:
    """Return texts in which a word is replaced by one of another text of the same class."""
    words = [text.split() or [text] for text in known["text"].astype(str)]
    mates = known.groupby("label").indices
    labels = known["label"].to_numpy()
    texts = []
    for number, row in enumerate(rows):
        mine, others = list(words[row]), words[rng.choice(mates[labels[row]])]
        mine[rng.integers(len(mine))] = others[rng.integers(len(others))]
        texts.append(f"{' '.join(mine)} {number}")  # the number keeps them apart
    return texts


def varied_dataset(table: Table, n_train: int, n_val: int) -> Dataset:
    """Return `varied_csv` as a data set."""
    made = data.read_table(varied_csv(table, n_train, n_val), table.name)
    return data.build_dataset(made, Columns("text", "label", "split"))


def size_of(name: str) -> tuple[int, int] | None:
    """Return layers and width of a name such as ``12x768``; None for the name of an encoder.

    Raises
    ------
    ConfigError
        If no encoder can have that size.
    """
    found = re.fullmatch(r"(\d+)x(\d+)", name)
    if found is None:
        return None
    layers, width = int(found[1]), int(found[2])
    if layers < 1 or width < HEAD_WIDTH or width % HEAD_WIDTH:
        raise ConfigError(
            f"The bench cannot take {layers} layers and a hidden size of {width}.",
            f"Give 1 layer or more, and a hidden size that is a multiple of {HEAD_WIDTH}.",
        )
    return layers, width


def random_bert(dataset: Dataset, layers: int, hidden_size: int, folder: Path) -> str:
    """Write a BERT with random weights and a tokenizer of the train texts; return its name."""
    size = encoders.EncoderSize(layers, hidden_size, hidden_size // HEAD_WIDTH, vocab_size=8192)
    texts = dataset.split("train")["text"].tolist()
    made = encoders.build_scratch("bert", size, texts, label_names=dataset.label_names, seed=0)
    with encoders.quiet():
        made.model.save_pretrained(folder)
        made.tokenizer.save_pretrained(folder)
    return str(folder)
