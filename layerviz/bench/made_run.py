"""A finished run that was never trained, for benchmarks of what shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from layerviz import runs, separability
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.errors import ConfigError
from layerviz.poolings import POOLINGS
from layerviz.runs import Run, Snapshot
from layerviz.separability import HEAD


def made_run(
    root: Path, dataset: Dataset, *, n_layers: int, width: int, n_snapshots: int, seed: int = 0
) -> Run:
    """Write a run with made up states, predictions and measures of the size that real ones have.

    Parameters
    ----------
    root : Path
        The runs folder.
    dataset : Dataset
        All its examples count as captured.
    n_layers, width, n_snapshots : int
        Of the encoder that it stands for, and how often it was captured.
    seed : int

    Raises
    ------
    ConfigError
        If a size is out of range.
    """
    if n_layers < 1 or width < 8 or n_snapshots < 2:
        raise ConfigError(
            f"The bench cannot make {n_layers} layers of {width} with {n_snapshots} snapshots.",
            "Give 1 layer, a width of 8 and 2 snapshots, or more.",
        )
    config = RunConfig("scratch-bert", epochs=n_snapshots - 1, learning_rate=1e-3, seed=seed)
    run = runs.create(root, config, dataset)
    examples = dataset.examples
    runs.write_examples(run.path, examples)
    runs.update(run.path, **_facts(n_layers, width, n_snapshots))
    rng = np.random.default_rng(seed)
    labels = examples["label"].to_numpy()
    drifts = {
        pooling: rng.normal(size=(2, len(labels), width)).astype(np.float32) for pooling in POOLINGS
    }
    rows = []
    measured = _measures_of_one_layer(next(iter(drifts.values()))[0, :, :8], examples, labels, seed)
    for index in range(n_snapshots):
        progress = index / (n_snapshots - 1)
        wrong = rng.random(len(labels)) < 0.5 / (1 + index)
        predicted = np.where(wrong, rng.permutation(labels), labels)
        confidence = rng.uniform(0.4, 1, len(labels))
        predictions = pd.DataFrame(
            {"id": examples["id"], "predicted": predicted, "confidence": confidence, "loss": 0.7}
        )
        pooled = {
            name: _states(drift, labels, n_layers, progress) for name, drift in drifts.items()
        }
        snapshot = Snapshot(index, 10 * index, float(index))
        run = runs.write_snapshot(run.path, snapshot, pooled, predictions)
        table = _repeated(measured, n_layers, rng)
        of_layers = (
            _of_all_layers(one, n_layers)
            for one in (measured.predicted, measured.scores, measured.hits)
        )
        runs.write_measures(run.path, index, table, *of_layers)
        scores = dict.fromkeys(runs.HISTORY_COLUMNS[4:], 0.5 + index / 20)
        rows.append({"step": 10 * index, "epoch": float(index), "loss": 1 / (1 + index), **scores})
    runs.write_history(run.path, pd.DataFrame(rows))
    return run


def _facts(n_layers: int, width: int, n_snapshots: int) -> dict[str, object]:
    steps = 10 * (n_snapshots - 1)
    return {
        "status": "done",
        "encoder": {
            "label": "Made up",
            "family": "BERT",
            "layers": n_layers,
            "hidden_size": width,
            "parameters": 12 * n_layers * width**2,
        },
        "training": {
            "total_steps": steps,
            "steps_per_epoch": 10,
            "n_snapshots": n_snapshots,
            "timed_steps": steps,
            "train_seconds": 4.0,
        },
    }


def _states(drift: np.ndarray, labels: np.ndarray, n_layers: int, progress: float) -> np.ndarray:
    """Return states of shape (L + 1, N, D), float16, whose classes part as training goes on."""
    start, end = drift
    cloud = (1 - progress / 2) * start + progress / 2 * end
    states = np.empty((n_layers + 1, *cloud.shape), dtype=np.float16)
    for layer in range(n_layers + 1):
        states[layer] = np.roll(cloud, layer, axis=1)
        states[layer, np.arange(len(labels)), labels] += np.float16(3 * progress * layer / n_layers)
    return states


def _measures_of_one_layer(
    states: np.ndarray, examples: pd.DataFrame, labels: np.ndarray, seed: int
) -> separability.SnapshotMeasures:
    """Return the measures of one narrow layer: they take seconds, and all the others minutes."""
    return separability.measure_layers(
        {"mean": states[None]}, examples, labels, first=None, seed=seed
    )


def _repeated(
    measured: separability.SnapshotMeasures, n_layers: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Return the measures of one layer as those of all, with a little noise."""
    of_layer = measured.table[measured.table["pooling"] != HEAD]
    head = measured.table[measured.table["pooling"] == HEAD].assign(layer=n_layers)
    parts = []
    for pooling in POOLINGS:
        for layer in range(n_layers + 1):
            noise = rng.normal(scale=0.01)
            part = of_layer.assign(pooling=pooling, layer=layer)
            part[["value", "low", "high"]] += noise
            flags = part["measure"].isin(("converged", "strength"))
            part.loc[flags, "value"] = 1.0
            parts.append(part)
    return pd.concat([*parts, head], ignore_index=True)


def _of_all_layers(of_layer: dict[str, np.ndarray], n_layers: int) -> dict[str, np.ndarray]:
    """Return what the probe of one layer yields as that of all, under every pooling."""
    of_layers = np.repeat(of_layer["mean"], n_layers + 1, axis=0)
    return {pooling: of_layers.copy() for pooling in POOLINGS}
