"""Finished runs that were never trained: their states are made up, their measures are real."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from shelf import shelved
from trained_runs import taken

from layerviz import data, runs, separability
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.poolings import POOLINGS
from layerviz.runs import Run, Snapshot
from layerviz.separability import MEASURES

N_TRAIN, N_VAL, WIDTH = 240, 240, 6


def dataset_of(name: str = "toy", seed: int = 0, n_test: int = 0) -> Dataset:
    """Return texts of three classes in fixed splits."""
    rng = np.random.default_rng(seed)
    splits = ["train"] * N_TRAIN + ["val"] * N_VAL + ["test"] * n_test
    frame = pd.DataFrame(
        {
            "text": [f"text {number} of {seed}" for number in range(len(splits))],
            "label": [f"class {label}" for label in rng.integers(3, size=len(splits))],
            "split": splits,
        }
    )
    table = data.read_table(frame.to_csv(index=False).encode(), f"{name}.csv")
    return data.build_dataset(table, data.Columns("text", "label", "split"))


def made(
    root: Path,
    dataset: Dataset,
    encoder: str,
    distances: dict[int, float],
    *,
    n_layers: int = 4,
    n_snapshots: int = 2,
    seed: int = 0,
    noise: int = 0,
    keep: slice = slice(None),
    before: dict[int, float] | None = None,
) -> Run:
    """Write a finished run whose layers hold the classes `distances` apart, after training.

    Before training they lie `before` apart: not at all if nothing is said. What was made before,
    for another test, is copied, as measuring takes long.
    """
    config = RunConfig(encoder, epochs=5, seed=seed, learning_rate=1e-3)
    run = runs.create(root, config, dataset)
    settings = (distances, n_layers, n_snapshots, noise, keep, before, *POOLINGS, *MEASURES)

    def make(folder: Path) -> None:
        _make(folder, config, dataset, distances, before or {}, n_layers, n_snapshots, noise, keep)

    return taken(shelved(f"{run.run_id} {run.dataset} {settings}", make) / run.run_id, run)


def _make(
    root: Path,
    config: RunConfig,
    dataset: Dataset,
    distances: dict[int, float],
    before: dict[int, float],
    n_layers: int,
    n_snapshots: int,
    noise: int,
    keep: slice,
) -> None:
    run = runs.create(root, config, dataset)
    examples = dataset.examples.iloc[keep].reset_index(drop=True)
    runs.write_examples(run.path, examples)
    runs.update(
        run.path,
        status="done",
        encoder={"label": config.encoder, "family": "BERT", "layers": n_layers,
                 "hidden_size": WIDTH, "parameters": 1000 * n_layers},
        training={"total_steps": 20, "steps_per_epoch": 10, "n_snapshots": n_snapshots,
                  "timed_steps": 20, "train_seconds": 4.0},
    )  # fmt: skip
    rng = np.random.default_rng((noise, config.seed, n_layers))
    labels = examples["label"].to_numpy()
    for index in range(n_snapshots):
        states = rng.normal(size=(n_layers + 1, len(labels), WIDTH))
        for layer, distance in (distances if index else before).items():
            states[layer, np.arange(len(labels)), labels] += distance
        states = states.astype(np.float16)
        predicted = labels if index else np.zeros_like(labels)
        predictions = pd.DataFrame(
            {"id": examples["id"], "predicted": predicted, "confidence": 0.5, "loss": 0.7}
        )
        pooled = {pooling: states + np.float16(0) for pooling in POOLINGS}
        run = runs.write_snapshot(
            run.path, Snapshot(index, 10 * index, float(index)), pooled, predictions
        )
        separability.measure_snapshot(run, index)
