"""What layerviz adds to one epoch of training, part by part, as a share of that epoch."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from layerviz import data, encoders, hidden_states, runs, separability, training
from layerviz.bench.figures import Figure, machine, machine_in_words
from layerviz.bench.materials import random_bert, size_of, varied_dataset
from layerviz.config import FP32, RunConfig
from layerviz.data import Dataset, Table
from layerviz.encoders import LoadedEncoder
from layerviz.projection import LayerStates
from layerviz.projection.pca import pca_maps
from layerviz.runs import Run, Snapshot
from layerviz.tokenising import Tokenised, tokenise
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
        part of `PARTS`, the same of the processor (``cpu_seconds``, ``cpu_epoch``, all threads
        together), ``share`` of the epoch, ``layers``, ``hidden_size``, ``snapshot_bytes`` and
        ``fp32_capture``, the seconds that the capture takes in fp32 (None where it is in fp32
        anyway).

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
    cpu_start = time.process_time()
    run = training.fit(run, dataset, capture=False)
    cpu_epoch = time.process_time() - cpu_start
    encoder = encoders.load_trained(run.layout.model)
    parts = _Parts()
    texts = runs.read_examples(run.path)["text"].tolist()
    tokens = tokenise(encoder.tokenizer, texts, run.config.max_length)  # a run does it once
    _look(run, encoder, tokens, 0, _Parts())  # warm up; later snapshots are compared with the first
    run = _look(run, encoder, tokens, 1, parts)
    epoch = run.training["train_seconds"]
    return {
        "precision": run.training["precision"],
        "capture_precision": run.capture_precision,
        "layers": encoder.info.layers,
        "hidden_size": encoder.info.hidden_size,
        "snapshot_bytes": runs.size_of_folder(run.layout.snapshot(1)),
        "epoch": epoch,
        "cpu_epoch": cpu_epoch,
        "seconds": parts.seconds,
        "cpu_seconds": parts.cpu_seconds,
        "share": sum(parts.seconds.values()) / epoch,
        "fp32_capture": _fp32_capture(run, encoder, tokens),
    }


def _look(run: Run, encoder: LoadedEncoder, tokens: Tokenised, index: int, parts: _Parts) -> Run:
    """Do what is done at each snapshot, and add up the time of its parts."""
    examples = runs.read_examples(run.path)
    with parts.timed("capture"):
        captured = _captured(run, encoder, tokens, run.capture_precision)
    with parts.timed("predictions"):
        predictions = predictions_of(examples, captured.logits)
        scores_of(examples, predictions)
    with parts.timed("writing"):
        snapshot = Snapshot(index, index, float(index))
        run = runs.write_snapshot(run.path, snapshot, captured.pooled, predictions)
    with parts.timed("measures"):
        separability.measure_snapshot(run, index, pooled=captured.pooled)
    with parts.timed("PCA maps"):
        _draw(run)
    return run


def _captured(
    run: Run, encoder: LoadedEncoder, tokens: Tokenised, precision: str
) -> hidden_states.Capture:
    return hidden_states.capture(
        encoder.model,
        encoder.tokenizer,
        tokens,
        max_length=run.config.max_length,
        precision=precision,
    )


def _fp32_capture(run: Run, encoder: LoadedEncoder, tokens: Tokenised) -> float | None:
    if run.capture_precision == FP32:
        return None
    parts = _Parts()
    with parts.timed("capture"):
        _captured(run, encoder, tokens, FP32)
    return parts.seconds["capture"]


def _draw(run: Run) -> None:
    """Map the layers that the page shows at first, at all snapshots there are."""
    examples = runs.read_examples(run.path)
    splits, labels = examples["split"].to_numpy(), examples["label"].to_numpy()
    for layer in first_and_last_layers(int(run.encoder["layers"])):
        states = [runs.read_hidden_states(run.path, s.index, "mean", layer) for s in run.snapshots]
        pca_maps(LayerStates(states, splits, labels, run.config.seed))


class _Parts:
    """How long each part of a look takes, by the clock and of the processor."""

    def __init__(self) -> None:
        self.seconds, self.cpu_seconds = dict.fromkeys(PARTS, 0.0), dict.fromkeys(PARTS, 0.0)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        start, cpu_start = time.perf_counter(), time.process_time()
        yield
        self.seconds[part] += time.perf_counter() - start
        self.cpu_seconds[part] += time.process_time() - cpu_start


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
        lines.append(
            f"{row['encoder']}: training in {row['precision']} {epoch:.1f} s, "
            f"CPU {row['cpu_epoch']:.1f} s; capture in {row['capture_precision']}"
        )
        for part, seconds in row["seconds"].items():
            cpu = row["cpu_seconds"][part]
            lines.append(f"  {part:<14} {seconds:8.2f} s  {seconds / epoch:7.1%}  CPU {cpu:8.2f} s")
        cpu = sum(row["cpu_seconds"].values())
        lines.append(
            f"  {'total':<14} {row['share'] * epoch:8.2f} s  {row['share']:7.1%}  CPU {cpu:8.2f} s"
        )
        if row["fp32_capture"] is not None:
            lines.append(f"  (a capture in fp32 would take {row['fp32_capture']:.2f} s)")
    return "\n".join(lines)
