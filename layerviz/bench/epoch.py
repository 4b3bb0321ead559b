"""What layerviz adds to one epoch of training, part by part, as a share of that epoch."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from layerviz import data, encoders, hidden_states, runs, separability, training
from layerviz.bench.figures import Figure, machine, machine_in_words
from layerviz.bench.materials import random_bert, size_of, varied_dataset
from layerviz.config import RunConfig
from layerviz.data import Dataset, Table
from layerviz.encoders import LoadedEncoder
from layerviz.projection import LayerStates
from layerviz.projection.pca import pca_maps
from layerviz.runs import Run, Snapshot
from layerviz.training.watching import predictions_of, scores_of
from layerviz.views import first_and_last_layers

ENCODERS = ("bert-mini", "12x768")
GOAL = 0.25
PARTS = ("capture", "predictions", "writing", "measures", "PCA maps")


def measure(
    table: Table | None,
    *,
    n_train: int = 2000,
    n_val: int = 1000,
    names: Sequence[str] = ENCODERS,
) -> dict[str, Any]:
    """Train each encoder for an epoch without looking, then look once, and time both.

    Parameters
    ----------
    table : Table or None
        None takes the bundled sample; where it has too few texts, they come again, varied.
    n_train, n_val : int
        Examples to train on and to hold out; of both, all are captured up to 2,000.
    names : sequence of str
        Encoders of this disk, or sizes such as ``12x768``: a BERT with random weights.

    Returns
    -------
    dict
        ``encoders``: for each of them ``epoch`` (seconds of its steps alone), ``seconds`` per
        part of `PARTS`, ``share`` of the epoch, and ``bf16_capture``, the seconds that the
        capture takes where it computes in bf16 (None where the hardware does not).

    Raises
    ------
    ConfigError
        If a size is out of range.
    """
    sizes = [size_of(name) for name in names]
    dataset = varied_dataset(table or data.sample_table(), n_train, n_val)
    rows = []
    for name, size in zip(names, sizes, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            path = name if size is None else random_bert(dataset, *size, work / "encoder")
            rows.append({"encoder": name, **_one_encoder(path, dataset, work)})
    counts = dataset.counts().sum()
    return {
        "what": f"an epoch of {counts['train']:,} texts, {counts['val']:,} held out",
        "machine": machine(),
        "encoders": rows,
    }


def _one_encoder(name: str, dataset: Dataset, work: Path) -> dict[str, Any]:
    config = training.with_defaults(RunConfig(name, epochs=1))
    run = runs.create(work / "runs", config, dataset)
    run = training.fit(run, dataset, capture=False)
    encoder = encoders.load_trained(run.layout.model)
    seconds = dict.fromkeys(PARTS, 0.0)
    _look(run, encoder, 0, dict(seconds))  # warm up; later snapshots are compared with the first
    run = _look(run, encoder, 1, seconds)
    epoch = run.training["train_seconds"]
    return {
        "precision": run.training["precision"],
        "epoch": epoch,
        "seconds": seconds,
        "share": sum(seconds.values()) / epoch,
        "bf16_capture": _bf16_capture(run, encoder),
    }


def _look(run: Run, encoder: LoadedEncoder, index: int, seconds: dict[str, float]) -> Run:
    """Do what is done at each snapshot, and add up the time of its parts."""
    examples = runs.read_examples(run.path)
    with _timed(seconds, "capture"):
        captured = _captured(run, encoder)
    with _timed(seconds, "predictions"):
        predictions = predictions_of(examples, captured.logits)
        scores_of(examples, predictions)
    with _timed(seconds, "writing"):
        snapshot = Snapshot(index, index, float(index))
        run = runs.write_snapshot(run.path, snapshot, captured.pooled, predictions)
    with _timed(seconds, "measures"):
        separability.measure_snapshot(run, index, pooled=captured.pooled)
    with _timed(seconds, "PCA maps"):
        _draw(run)
    return run


def _captured(run: Run, encoder: LoadedEncoder) -> hidden_states.Capture:
    texts = runs.read_examples(run.path)["text"].tolist()
    max_length = run.config.max_length
    return hidden_states.capture(encoder.model, encoder.tokenizer, texts, max_length=max_length)


def _bf16_capture(run: Run, encoder: LoadedEncoder) -> float | None:
    if training.resolve_precision("auto") != "bf16":
        return None
    seconds = {"capture": 0.0}
    with _timed(seconds, "capture"), torch.autocast(encoder.model.device.type, torch.bfloat16):
        _captured(run, encoder)
    return seconds["capture"]


def _draw(run: Run) -> None:
    """Map the layers that the page shows at first, at all snapshots there are."""
    examples = runs.read_examples(run.path)
    splits, labels = examples["split"].to_numpy(), examples["label"].to_numpy()
    for layer in first_and_last_layers(int(run.encoder["layers"])):
        states = [runs.read_hidden_states(run.path, s.index, "mean", layer) for s in run.snapshots]
        pca_maps(LayerStates(states, splits, labels, run.config.seed))


@contextmanager
def _timed(seconds: dict[str, float], part: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    seconds[part] += time.perf_counter() - start


# --- what it comes to -----------------------------------------------------------------------


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return a result of :func:`measure` as figures with their goals."""
    return [
        Figure(
            "epoch",
            f"added to an epoch, {row['encoder']}",
            sum(row["seconds"].values()),
            "s",
            GOAL,
            row["epoch"],
        )
        for row in result["encoders"]
    ]


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [f"{result['what']}; {machine_in_words()}"]
    for row in result["encoders"]:
        epoch = row["epoch"]
        lines.append(f"{row['encoder']}: training in {row['precision']} {epoch:.1f} s")
        for part, seconds in row["seconds"].items():
            lines.append(f"  {part:<14} {seconds:8.2f} s  {seconds / epoch:7.1%}")
        lines.append(f"  {'total':<14} {row['share'] * epoch:8.2f} s  {row['share']:7.1%}")
        if row["bf16_capture"] is not None:
            lines.append(f"  (a capture in bf16 would take {row['bf16_capture']:.2f} s)")
    return "\n".join(lines)
