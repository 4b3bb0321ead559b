"""Every family of encoders in transformers, as a tiny checkpoint with random weights.

Each trains, is captured and gives what a plain forward pass of each text alone gives; or it is
refused before any training, with the reason.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from layerviz import data, encoders, runs, training
from layerviz.config import RunConfig
from layerviz.errors import LayervizError

WORKS, REFUSED, FAILED = "works", "refused", "failed"
CLOSE = 5e-3  # of the largest value of a state: it is stored in float16
WORDS = {"glad": ("joy", "sun", "smile"), "sad": ("rain", "grief", "tear")}


def measure(
    families: Iterable[str], print_line: Callable[[str], None] = lambda _: None
) -> dict[str, Any]:
    """Try each family.

    Returns
    -------
    dict
        By family ``outcome`` (``works``, ``refused`` or ``failed``), ``what`` (why, in words) and
        ``apart`` (largest difference from a plain forward pass, relative to the largest value).
    """
    result: dict[str, Any] = {}
    for family in families:
        with tempfile.TemporaryDirectory(prefix="layerviz-") as made:
            result[family] = _tried(family, Path(made))
        print_line(f"{family}: {result[family]['outcome']}")
    return {"families": result}


def as_text(result: dict[str, Any]) -> str:
    """Return the table in Markdown."""
    lines = ["| family | outcome | apart | what |", "|---|---|---|---|"]
    for family, row in result["families"].items():
        apart = "" if row["apart"] is None else f"{row['apart']:.1e}"
        lines.append(f"| {family} | {row['outcome']} | {apart} | {row['what']} |")
    return "\n".join(lines)


def has_failed(result: dict[str, Any]) -> bool:
    """Return whether a family neither works nor is refused before training."""
    return any(row["outcome"] == FAILED for row in result["families"].values())


def moods() -> data.Dataset:
    """Return 60 short texts of two classes."""
    rows = [
        (f"{word} {'and again ' * (number % 4)}{number}", label)
        for number in range(10)
        for label, words in WORDS.items()
        for word in words
    ]
    frame = pd.DataFrame(rows, columns=["text", "label"])
    table = data.read_table(frame.to_csv(index=False).encode(), "moods.csv")
    return data.build_dataset(table, data.Columns("text", "label"))


def _tried(family: str, work: Path) -> dict[str, Any]:
    folder = work / family
    try:
        encoders.tiny_checkpoint(family, folder, moods().examples["text"].tolist())
    except Exception:  # no classifier, or of other sizes: its config alone is enough to refuse it
        folder.mkdir(exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"model_type": family}), encoding="utf-8")
    try:
        encoders.expect_on_disk(str(folder))
    except LayervizError as error:
        return _row(REFUSED, error.message.replace(str(folder), "it"))
    texts = moods()
    config = RunConfig(str(folder), epochs=1, max_length=16, max_captured=20, batch_size=16)
    try:
        run = training.fit(runs.create(work / "runs", training.with_defaults(config), texts), texts)
        apart = _apart(run)
    except Exception as error:
        return _row(FAILED, f"{type(error).__name__}: {error}"[:300])
    what = run.training.get("fell_back", "")
    if not apart < CLOSE:
        return _row(FAILED, "not what a plain forward pass gives", apart)
    return _row(WORKS, what, apart)


def _row(outcome: str, what: str, apart: float | None = None) -> dict[str, Any]:
    return {"outcome": outcome, "what": " ".join(what.split()), "apart": apart}


def _apart(run: runs.Run) -> float:
    """Return how far stored states are from those of each text alone, mean-pooled."""
    trained = encoders.load_trained(run.layout.model)
    stored = runs.read_pooled(run.path, run.snapshots[-1].index)["mean"].astype(np.float32)
    worst = 0.0
    for row, text in enumerate(runs.read_examples(run.path)["text"]):
        ids = trained.tokenizer(text, truncation=True, max_length=16)["input_ids"]
        batch = encoders.example_batch(ids)
        with torch.no_grad():
            states = trained.model(**batch, output_hidden_states=True, return_dict=True)
        alone = torch.stack([one[0].mean(dim=0) for one in states.hidden_states]).numpy()
        scale = max(1e-3, float(np.abs(alone).max()))
        worst = max(worst, float(np.abs(stored[:, row] - alone).max()) / scale)
    return worst
