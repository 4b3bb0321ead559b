"""Encoders of a few thousand weights, as ``save_pretrained`` writes them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from layerviz import encoders
from layerviz.encoders import EncoderSize

TEXTS = [f"The {noun} is {verb} Ñandú number {n} 😀" for n in range(10) for noun in
         ("cat", "dog", "sparrow") for verb in ("eating", "sleeping", "singing")]  # fmt: skip


def build(family: str = "bert", **changes: int) -> encoders.LoadedEncoder:
    """Return a classifier of two layers and two classes, its tokenizer trained on `TEXTS`."""
    size = replace(EncoderSize(layers=2, hidden_size=32, heads=2, vocab_size=400), **changes)
    return encoders.build_scratch(family, size, TEXTS, label_names=["no", "yes"], seed=0)


def save(encoder: encoders.LoadedEncoder, folder: Path) -> Path:
    encoder.model.save_pretrained(folder)
    encoder.tokenizer.save_pretrained(folder)
    return folder


def change_json(path: Path, **changes: object) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def change_config(folder: Path, **changes: object) -> None:
    change_json(folder / "config.json", **changes)
