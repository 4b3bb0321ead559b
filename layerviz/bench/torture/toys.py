"""The smallest run there can be, so that an attempt takes about a second."""

from __future__ import annotations

from pathlib import Path

from layerviz import data, runs
from layerviz.config import RunConfig
from layerviz.data import Columns, Dataset
from layerviz.runs import Run

WORDS = ("apple pear plum cherry melon grape", "hammer saw drill wrench chisel plane")
SPLITS = ("train", "train", "val")


def toy_dataset() -> Dataset:
    """Return 24 train and 12 val texts of two classes that single words settle."""
    lines = ["text,label,split"]
    for label, words in enumerate(WORDS):
        for number, word in enumerate(words.split()):
            lines += [
                f"{w} the {word} {number},c{label},{s}" for w, s in zip("abc", SPLITS, strict=True)
            ]
    table = data.read_table("\n".join(lines).encode(), "toy.csv")
    return data.build_dataset(table, Columns("text", "label", "split"))


def toy_config() -> RunConfig:
    """Return the settings of a run of six steps and three snapshots."""
    return RunConfig(
        "scratch-bert", epochs=2, batch_size=8, learning_rate=1e-3, max_length=16, precision="fp32"
    )


def toy_run(root: Path) -> Run:
    """Return a new run in a folder of runs."""
    return runs.create(root, toy_config(), toy_dataset())
