"""What each part of the work costs per unit, and what that comes to for far more texts.

Units are measured here, with encoders of two sizes. For what no machine at hand can do, the parts
that run on accelerators are counted in floating-point operations, 6 per parameter and token for
training and 2 for a forward pass (Kaplan et al., 2020, arXiv:2001.08361, section 2.1), and those
that run on processors are taken from the larger encoder, per layer and component.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from layerviz import data, encoders
from layerviz.bench import epoch
from layerviz.bench.figures import machine, machine_in_words
from layerviz.bench.materials import random_bert, size_of, varied_dataset
from layerviz.config import SETTINGS
from layerviz.data import Dataset, Table
from layerviz.poolings import POOLINGS
from layerviz.progress import duration
from layerviz.projection import LayerStates
from layerviz.projection.tsne import tsne_maps
from layerviz.tokenising import tokenise
from layerviz.wording import data_size

ACCELERATORS = (1, 8, 64)
PER_BLOCK = 12  # weights of a block of a Transformer, per square of its width
TRAINING, FORWARD = 6, 2  # operations per weight and token
CORES = 8  # of each machine, for what runs on processors
PER_MACHINE = 8  # accelerators
TOKEN_BYTES = 4


@dataclass(frozen=True)
class Task:
    """A fine-tuning that is reckoned and not done.

    Parameters
    ----------
    texts : int
        To train on.
    layers, width : int
        Of the encoder.
    tokens : float
        Per text.
    epochs : int
    flops : float
        Operations per second that an accelerator achieves in training, not at its best.
    captured : int
        Examples that are looked at.
    row_bytes : float
        Memory that a text and its tokens take in the first process.
    """

    texts: int = 10_000_000
    layers: int = 24
    width: int = 1024
    tokens: float = 30.0
    epochs: int = 3
    flops: float = 2e14
    captured: int = 2 * SETTINGS["max_captured"].default
    row_bytes: float = 1500.0

    @property
    def weights(self) -> float:
        """Those of the blocks; embeddings are looked up and not multiplied with."""
        return PER_BLOCK * self.layers * self.width**2


def measure(
    table: Table | None,
    *,
    n_train: int = 1000,
    n_val: int = 500,
    names: Sequence[str] = epoch.ENCODERS,
    task: Task | None = None,
) -> dict[str, Any]:
    """Measure the units with each encoder, and reckon a task with those of the last one.

    Parameters
    ----------
    table : Table or None
        None takes the bundled sample; where it has too few texts, they come again, varied.
    n_train, n_val : int
        Examples to measure with.
    names : sequence of str
        Encoders of this disk, or sizes such as ``12x768``.
    task : Task, optional

    Returns
    -------
    dict
        ``units``: for each encoder ``training``, ``capture`` and ``tokenising`` (seconds per 1,000
        texts), ``measures`` (seconds of a snapshot), ``tsne`` (seconds of one map) and
        ``snapshot_bytes``; ``task``: per number of accelerators the seconds of each part.
    """
    task = task or Task()
    looked = epoch.measure(table, n_train=n_train, n_val=n_val, names=names)
    dataset = varied_dataset(table or data.sample_table(), n_train, n_val)
    units = [_units(row, dataset, n_train) for row in looked["encoders"]]
    return {
        "what": f"{n_train:,} texts to train on and {n_val:,} held out",
        "machine": machine(),
        "units": units,
        "task": [reckon(task, units[-1], n) for n in ACCELERATORS],
        "of_task": vars(task),
    }


def _units(row: dict[str, Any], dataset: Dataset, n_train: int) -> dict[str, Any]:
    """Return what a thousand texts, a snapshot and a map cost with one encoder."""
    seconds, n_layers, width = row["seconds"], row["layers"], row["hidden_size"]
    n_captured = len(dataset.examples)
    name = row["encoder"]
    with tempfile.TemporaryDirectory() as folder:
        size = size_of(name)
        path = name if size is None else random_bert(dataset, *size, Path(folder) / "encoder")
        texts = dataset.examples["text"].tolist()
        tokenizer = encoders.load_tokenizer(path)
        tokenise(tokenizer, texts[:100], 128)
        start = time.perf_counter()
        tokenise(tokenizer, texts, 128)
        tokenising = time.perf_counter() - start
    return {
        "encoder": name,
        "layers": n_layers,
        "hidden_size": width,
        "captured": n_captured,
        "training": 1000 * row["epoch"] / n_train,
        "capture": 1000 * seconds["capture"] / n_captured,
        "tokenising": 1000 * tokenising / len(texts),
        "measures": seconds["measures"],
        "tsne": _seconds_of_a_map(dataset, width),
        "snapshot_bytes": row["snapshot_bytes"],
    }


def _seconds_of_a_map(dataset: Dataset, width: int) -> float:
    """Time one t-SNE map of as many states as are captured; their values hardly matter for it."""
    labels = dataset.examples["label"].to_numpy()
    splits = dataset.examples["split"].to_numpy()
    rng = np.random.default_rng(0)
    states = (rng.normal(size=(len(labels), width)) + labels[:, None]).astype(np.float32)
    start = time.perf_counter()
    tsne_maps(LayerStates([states], splits, labels, 0))
    return time.perf_counter() - start


def reckon(task: Task, units: dict[str, Any], accelerators: int) -> dict[str, Any]:
    """Return what a task would take, from the units of one encoder.

    Parameters
    ----------
    task : Task
    units : dict
        One of the ``units`` of :func:`measure`.
    accelerators : int
        Over which texts are spread, `PER_MACHINE` in a machine.

    Returns
    -------
    dict
        Seconds of ``tokenising``, ``training``, ``capture``, ``measures`` and ``maps`` (all
        layers under one pooling), over the whole run; ``memory``, the bytes that texts and tokens
        take in the first machine, whose other processes hold tokens alone; ``disk``, the bytes of
        all snapshots; ``slowest``, the part that takes longest.
    """
    machines = -(-accelerators // PER_MACHINE)
    processes = min(accelerators, PER_MACHINE)
    snapshots = task.epochs + 1
    operations = task.weights * task.tokens / task.flops / accelerators  # seconds per text
    states = (task.layers + 1) * task.width * task.captured
    measured = (units["layers"] + 1) * units["hidden_size"] * units["captured"]
    seconds = {
        # The first process reads and tokenises for all, with the cores of its machine.
        "tokenising": task.texts * units["tokenising"] / 1000 / CORES,
        "training": task.epochs * task.texts * TRAINING * operations,
        "capture": snapshots * task.captured * FORWARD * operations,
        # The first process measures and draws, whatever the number of others.
        "measures": snapshots * units["measures"] * states / measured,
        "maps": snapshots
        * (task.layers + 1)
        * units["tsne"]
        * (task.captured / units["captured"])
        / CORES,
    }
    return {
        "accelerators": accelerators,
        "machines": machines,
        **seconds,
        "memory": task.texts * (task.row_bytes + (processes - 1) * TOKEN_BYTES * task.tokens),
        "disk": snapshots * len(POOLINGS) * states * np.dtype(np.float16).itemsize,
        "slowest": max(seconds, key=lambda part: seconds[part]),
    }


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [f"Units: {result['what']}; {machine_in_words()}"]
    for unit in result["units"]:
        lines += [
            f"{unit['encoder']}: per 1,000 texts training {unit['training']:.2f} s, capture "
            f"{unit['capture']:.2f} s, tokenising {unit['tokenising']:.3f} s",
            f"  per snapshot of {unit['captured']:,} examples: measures {unit['measures']:.1f} s, "
            f"{data_size(unit['snapshot_bytes'])}; one t-SNE map {unit['tsne']:.1f} s",
        ]
    task = Task(**result["of_task"])
    lines.append(
        f"Reckoned: {task.texts:,} texts of {task.tokens:g} tokens, {task.layers} layers x "
        f"{task.width}, {task.epochs} epochs, {task.captured:,} captured, {task.flops / 1e12:g} "
        f"TFLOP/s achieved by each accelerator, {PER_MACHINE} of them and {CORES} cores a machine"
    )
    for row in result["task"]:
        parts = ", ".join(
            f"{part} {duration(row[part])}"
            for part in ("tokenising", "training", "capture", "measures", "maps")
        )
        lines.append(
            f"  {row['accelerators']:>3}: {parts}; memory for texts {data_size(row['memory'])} "
            f"in the first machine, disk {data_size(row['disk'])}; longest: {row['slowest']}"
        )
    return "\n".join(lines)
