"""The smallest run there can be, so that an attempt takes about a second."""

from __future__ import annotations

from pathlib import Path

from layerviz import data, encoders, runs, training
from layerviz.config import RunConfig
from layerviz.data import Columns, Dataset
from layerviz.runs import Run

WORDS = ("apple pear plum cherry melon grape", "hammer saw drill wrench chisel plane")
SPLITS = ("train", "train", "val")
ENCODER = "tiny-encoder"  # the name of its folder


def toy_dataset() -> Dataset:
    """Return 24 train and 12 val texts of two classes that single words settle."""
    table = data.read_table(toy_csv().encode(), "toy.csv")
    return data.build_dataset(table, Columns("text", "label", "split"))


def toy_csv() -> str:
    """Return the texts as a file."""
    lines = ["text,label,split"]
    for label, words in enumerate(WORDS):
        for number, word in enumerate(words.split()):
            for letter, split in zip("abc", SPLITS, strict=True):
                lines.append(f"{letter} the {word} {number},c{label},{split}")
    return "\n".join(lines)


def toy_encoder(folder: Path) -> Path:
    """Write a BERT of one layer, eight wide, with random weights; return its folder."""
    dataset, size = toy_dataset(), encoders.EncoderSize(1, 8, 1, vocab_size=120)
    texts = dataset.split("train")["text"].tolist()
    made = encoders.build_scratch("bert", size, texts, label_names=dataset.label_names, seed=0)
    path = folder / ENCODER
    with encoders.quiet():
        made.model.save_pretrained(path)
        made.tokenizer.save_pretrained(path)
    return path


def toy_config(encoder: Path | str, keep: str = "newest") -> RunConfig:
    """Return the settings of a run of six steps, with checkpoints at the third and the sixth."""
    config = RunConfig(
        str(encoder),
        epochs=2,
        batch_size=8,
        learning_rate=1e-3,
        max_length=16,
        precision="fp32",
        keep=keep,
    )
    return training.with_defaults(config)


def toy_run(root: Path, encoder: Path | str = "scratch-bert") -> Run:
    """Return a new run in a folder of runs, or the one that is there."""
    return runs.create(root, toy_config(encoder), toy_dataset())


def fit_toy(root: Path, encoder: Path) -> str:
    """Make the run, or let it go on, as commands do; return how it ended."""
    runs.clean_up(root)
    return training.fit(toy_run(root, encoder), toy_dataset()).status
