"""An epoch of training with batches of similar length, against one with random batches."""

from __future__ import annotations

import dataclasses
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from layerviz import data, encoders, runs, training
from layerviz.bench.figures import Figure, machine, machine_in_words
from layerviz.bench.materials import random_bert, size_of, varied_dataset
from layerviz.config import BY_LENGTH, RANDOM, RunConfig
from layerviz.data import Dataset, Table
from layerviz.encoders import LoadedEncoder
from layerviz.errors import ConfigError
from layerviz.progress import TRAINING, Progress
from layerviz.tokenising import tokenise
from layerviz.training.batching import order_by_length, padded_share

ENCODERS = ("bert-mini", "scratch-distilbert")
GOAL = 0.6
TURNS = 3
LEAST_BATCHES = 1  # the first one is not timed
BATCHINGS = (RANDOM, BY_LENGTH)
PRODUCT_SIZE = 2048  # of the square matrices whose product is the measure of what is possible
PRODUCT_SECONDS = 0.5
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}


@dataclass
class _Stopwatch:
    """Times the steps of a run from the end of the first one, by the clock and on all cores."""

    marks: list[tuple[float, float]] = field(default_factory=list)

    def report(self, progress: Progress) -> None:
        if progress.phase == TRAINING:
            self.marks.append((time.perf_counter(), time.process_time()))

    @property
    def seconds(self) -> tuple[float, float]:
        """Of all steps, as if the first had taken as long as the others."""
        (begun, cpu_begun), (ended, cpu_ended) = self.marks[0], self.marks[-1]
        scale = len(self.marks) / (len(self.marks) - 1)
        return scale * (ended - begun), scale * (cpu_ended - cpu_begun)


def measure(
    table: Table | None,
    *,
    n_train: int = 2000,
    names: Sequence[str] = ENCODERS,
    turns: int = TURNS,
) -> dict[str, Any]:
    """Train each encoder for an epoch in both ways by turns, without captures.

    Parameters
    ----------
    table : Table or None
        None takes the bundled sample; where it has too few texts, they come again, varied.
    n_train : int
        Texts to train on.
    names : sequence of str
        Encoders of this disk, or sizes such as ``12x768``: a BERT with random weights.
    turns : int
        Epochs of each way; the quickest one counts, as what else a machine does only adds.

    Returns
    -------
    dict
        ``encoders``: for each of them, per batching, ``seconds`` and ``cpu_seconds`` of an epoch's
        steps, ``computed_per_real`` (tokens computed per real one) and ``flops`` (floating-point
        operations per second, those for real tokens alone); beside them, in FLOP/s as well, what a
        plain ``product`` of large matrices reaches in the same precision, and an ``own_product`` of
        matrices as small as the encoder's.

    Raises
    ------
    ConfigError
        If a size, or the number of texts or turns, is out of range.
    """
    if turns < 1:
        raise ConfigError(f"The bench cannot take {turns} turns.", "Give 1 or more.")
    if n_train <= LEAST_BATCHES * RunConfig.batch_size:
        raise ConfigError(
            f"The bench cannot take {n_train} train examples.",
            f"Give more than {LEAST_BATCHES * RunConfig.batch_size}.",
        )
    sizes = [size_of(name) for name in names]
    dataset = varied_dataset(table or data.sample_table(), n_train, max(20, n_train // 10))
    rows = []
    for name, size in zip(names, sizes, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            path = name if size is None else random_bert(dataset, *size, work / "encoder")
            rows.append({"encoder": name, **_one_encoder(path, dataset, work, turns)})
    return {
        "what": f"an epoch of {dataset.counts().sum()['train']:,} texts, best of {turns}",
        "machine": machine(),
        "encoders": rows,
    }


def _one_encoder(name: str, dataset: Dataset, work: Path, turns: int) -> dict[str, Any]:
    config = training.with_defaults(RunConfig(name, epochs=1))
    seconds: dict[str, list[tuple[float, float]]] = {batching: [] for batching in BATCHINGS}
    for turn in range(turns):
        for batching in BATCHINGS if turn % 2 else BATCHINGS[::-1]:
            seconds[batching].append(_epoch(config, batching, dataset, work / f"{turn}"))
    encoder = encoders.load_trained(next((work / "0").glob("*/model")))
    texts = dataset.split("train")["text"].tolist()
    tokens = tokenise(encoder.tokenizer, texts, config.max_length)
    lengths = np.array([len(ids) for ids in tokens.input_ids])
    rng = np.random.default_rng(config.seed)
    orders = {
        RANDOM: rng.permutation(len(lengths)),
        BY_LENGTH: order_by_length(lengths, config.batch_size, rng),
    }
    precision = training.resolve_precision(config.precision)
    best = {batching: np.min(taken, axis=0).tolist() for batching, taken in seconds.items()}
    batch = (min(config.batch_size, len(lengths)), round(float(lengths.mean())))
    operations = lengths.sum() * _operations_per_token(encoder, *batch)
    return {
        "precision": precision,
        "batchings": {
            batching: {
                "seconds": best[batching][0],
                "cpu_seconds": best[batching][1],
                "computed_per_real": padded_share(lengths, order, config.batch_size),
                "flops": float(operations) / best[batching][0],
            }
            for batching, order in orders.items()
        },
        "product": _product_rate(PRODUCT_SIZE, PRODUCT_SIZE, PRODUCT_SIZE, DTYPES[precision]),
        "own_product": _own_product_rate(encoder, batch[0] * batch[1], DTYPES[precision]),
    }


def _epoch(config: RunConfig, batching: str, dataset: Dataset, root: Path) -> tuple[float, float]:
    """Train for an epoch; return its seconds, and those of all cores together."""
    stopwatch = _Stopwatch()
    run = runs.create(root, dataclasses.replace(config, batching=batching), dataset)
    training.fit(run, dataset, capture=False, on_progress=stopwatch.report)
    return stopwatch.seconds


def _operations_per_token(encoder: LoadedEncoder, n_texts: int, n_tokens: int) -> float:
    """Count what a step computes for each of the tokens of a batch without padding."""
    device = encoder.model.device
    input_ids = torch.zeros((n_texts, n_tokens), dtype=torch.long, device=device)
    labels = torch.zeros(n_texts, dtype=torch.long, device=device)
    encoder.model.train()
    with FlopCounterMode(display=False) as counter:
        encoder.model(
            input_ids=input_ids, attention_mask=torch.ones_like(input_ids), labels=labels
        ).loss.backward()
    encoder.model.zero_grad()
    return counter.get_total_flops() / (n_texts * n_tokens)


def _own_product_rate(encoder: LoadedEncoder, n_tokens: int, dtype: torch.dtype) -> float:
    """Return the rate of a product as in the encoder's feed-forward layers."""
    width = encoder.info.hidden_size or 1
    return _product_rate(n_tokens, width, 4 * width, dtype)


def _product_rate(rows: int, inner: int, columns: int, dtype: torch.dtype) -> float:
    """Return the floating-point operations per second of a matrix product, at its best."""
    device = "cuda" if torch.cuda.is_available() else "cpu"
    left = torch.randn(rows, inner, dtype=dtype, device=device)
    right = torch.randn(inner, columns, dtype=dtype, device=device)
    torch.mm(left, right)
    best, begun = float("inf"), time.perf_counter()
    while time.perf_counter() - begun < PRODUCT_SECONDS:
        best = min(best, _seconds_of(lambda: torch.mm(left, right)))
    return 2 * rows * inner * columns / best


def _seconds_of(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter() - start


# --- what it comes to -----------------------------------------------------------------------


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return a result of :func:`measure` as figures with their goals."""
    found = []
    for row in result["encoders"]:
        name, random, ours = row["encoder"], *(row["batchings"][way] for way in BATCHINGS)
        for key, what, unit in (("seconds", "", "s"), ("cpu_seconds", ", all cores", "s")):
            found.append(
                Figure("train", f"an epoch, {name}{what}", ours[key], unit, GOAL, random[key])
            )
        shares = [1 / way["computed_per_real"] for way in (ours, random)]
        found.append(
            Figure("train", f"real among computed tokens, {name}", shares[0], "", None, shares[1])
        )
        share = ours["flops"] / row["product"]
        found.append(Figure("train", f"share of a plain product's FLOP/s, {name}", share, ""))
    return found


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [f"{result['what']}; {machine_in_words()}"]
    for row in result["encoders"]:
        random, ours = (row["batchings"][way] for way in BATCHINGS)
        lines.append(f"{row['encoder']}, {row['precision']}:")
        for batching, way in row["batchings"].items():
            lines.append(
                f"  batches by {batching:<7} {way['seconds']:7.2f} s, {way['cpu_seconds']:7.2f} s "
                f"of all cores; {way['computed_per_real']:.2f} tokens computed per real one; "
                f"{way['flops'] / 1e9:,.0f} GFLOP/s on real ones, "
                f"{way['flops'] / row['product']:.1%} of a plain product, "
                f"{way['flops'] / row['own_product']:.1%} of one of the encoder's size"
            )
        lines.append(
            f"  ratio {ours['seconds'] / random['seconds']:.2f}; of all cores "
            f"{ours['cpu_seconds'] / random['cpu_seconds']:.2f}"
        )
        lines.append(
            f"  plain product: {row['product'] / 1e9:,.0f} GFLOP/s; of the encoder's size: "
            f"{row['own_product'] / 1e9:,.0f}"
        )
    return "\n".join(lines)
