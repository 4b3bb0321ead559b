"""Many rows from a Parquet file, up to the first maps: seconds, processor and memory of each part.

What ``fit`` does is done in a process of its own, until two steps are trained; a whole epoch of a
million texts takes hours. The captured examples are as many as in any run. Imports are not counted.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq

from layerviz import checks, data, runs, training
from layerviz.bench.figures import machine, machine_in_words
from layerviz.bench.footprint import Footprint, cpu_seconds, in_own_process
from layerviz.bench.materials import random_bert, size_of
from layerviz.config import RunConfig
from layerviz.data import Table
from layerviz.errors import ConfigError
from layerviz.progress import LOADING, PREPARING, TRAINING, Progress
from layerviz.projection.of_run import maps_of_layers
from layerviz.views import first_and_last_layers

FEWEST = 1000
WORDS = 21  # of a text: about 30 tokens
WRITTEN_AT_ONCE = 10_000  # rows
STEPS = 2  # that are trained before it is stopped
NAMES = {LOADING: "loading", PREPARING: "tokenising"}  # parts of fit, by their phase


def measure(table: Table | None, *, rows: int, encoder: str = "bert-mini") -> dict[str, Any]:
    """Take so many texts from a Parquet file to the maps before the first epoch.

    Parameters
    ----------
    table : Table or None
        Whose words the texts are made of; None takes the bundled sample.
    rows : int
    encoder : str
        One of this disk, or a size such as ``2x64``: a BERT with random weights.

    Returns
    -------
    dict
        ``parts``: for each of them ``seconds``, ``cpu_seconds`` and ``end_mb``, the memory that is
        held at its end above that at the start; ``extra_mb``, the most that was held; ``file_mb``.

    Raises
    ------
    ConfigError
        If there are too few rows.
    """
    if rows < FEWEST:
        raise ConfigError(
            f"The bench cannot take {rows:,} rows.", f"Give {FEWEST:,} or more; 1000000 is usual."
        )
    size = size_of(encoder)
    table = table or data.sample_table()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _write(table, rows, work / "texts.parquet")
        name = encoder
        if size is not None:
            known = data.build_dataset(table, data.guess_columns(table.frame))
            name = random_bert(known, *size, work / "encoder")
        config = training.with_defaults(RunConfig(name, epochs=1))
        (work / "task.json").write_text(json.dumps(asdict(config)), encoding="utf-8")
        result = in_own_process(__name__, str(work))
        file_mb = (work / "texts.parquet").stat().st_size / 1e6
    return {
        "what": f"{rows:,} rows from Parquet ({file_mb:.0f} MB), {encoder}",
        "machine": machine(),
        "rows": rows,
        "file_mb": file_mb,
        **result,
    }


def _write(table: Table, rows: int, path: Path, seed: int = 0) -> None:
    """Write texts of the words of a table's texts, in which some words go with each class."""
    columns = data.guess_columns(table.frame)
    labels = sorted(table.frame[columns.label].unique())
    words = np.array(sorted({word for text in table.frame[columns.text] for word in text.split()}))
    rng = np.random.default_rng(seed)
    often = 1 / (1 + rng.permutation(len(words)))  # as words of a language are (Zipf)
    schema = pa.schema([("text", pa.string()), ("label", pa.string())])
    with pq.ParquetWriter(path, schema) as writer:
        for start in range(0, rows, WRITTEN_AT_ONCE):
            n = min(WRITTEN_AT_ONCE, rows - start)
            classes = rng.integers(len(labels), size=n)
            drawn = words[rng.choice(len(words), (n, WORDS), p=often / often.sum())]
            own = words[(classes * 7) % len(words)]
            texts = [" ".join((mark, *row)) for mark, row in zip(own, drawn, strict=True)]
            part = {"text": texts, "label": [labels[code] for code in classes]}
            writer.write_table(pa.table(part, schema))


# --- what it comes to -----------------------------------------------------------------------


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [f"{result['what']}; {machine_in_words()}"]
    lines.append(f"  {'':<28}{'seconds':>9}{'of the CPU':>12}{'MB held':>9}")
    for name, part in result["parts"].items():
        lines.append(
            f"  {name:<28}{part['seconds']:9.1f}{part['cpu_seconds']:12.1f}{part['end_mb']:9.0f}"
        )
    lines.append(f"  at most {result['extra_mb']:,.0f} MB held above the start")
    lines.append(f"  (stopped after {STEPS} steps: an epoch has {result['steps_per_epoch']:,})")
    return "\n".join(lines)


# --- in a process of its own ----------------------------------------------------------------


class _Parts:
    """What was taken from one mark to the next."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._before = self._process.memory_info().rss
        self._seconds, self._cpu = time.perf_counter(), cpu_seconds()
        self.taken: dict[str, dict[str, float]] = {}

    def ended(self, name: str) -> None:
        """Say that a part has ended, and the next begins."""
        seconds, cpu = time.perf_counter(), cpu_seconds()
        self.taken[name] = {
            "seconds": seconds - self._seconds,
            "cpu_seconds": cpu - self._cpu,
            "end_mb": (self._process.memory_info().rss - self._before) / 1e6,
        }
        self._seconds, self._cpu = seconds, cpu


def measure_from_arguments() -> None:
    """Do the work in a folder that is named; print what it took as JSON."""
    work = Path(sys.argv[1])
    config = RunConfig(**json.loads((work / "task.json").read_text(encoding="utf-8")))
    with Footprint() as footprint:
        parts, steps_per_epoch = _up_to_first_maps(config, work)
    result = {"parts": parts, "steps_per_epoch": steps_per_epoch, "extra_mb": footprint.extra_mb}
    sys.stdout.write(json.dumps(result) + "\n")


def _up_to_first_maps(config: RunConfig, work: Path) -> tuple[dict[str, dict[str, float]], int]:
    parts = _Parts()
    file = work / "texts.parquet"
    content = file.read_bytes()
    table = data.read_table(content, file.name)
    parts.ended("reading")
    dataset = data.build_dataset(table, data.guess_columns(table.frame))
    del table
    parts.ended("cleaning and splitting")
    plan = checks.plan_for(config, dataset, checks.token_lengths(config.encoder, dataset))
    checks.findings_of(plan)
    parts.ended("checks")
    run = runs.create(work / "runs", config, dataset)
    runs.keep_table(work / "runs", content, file.name)
    parts.ended("the run's folder")
    seen: list[Progress] = []

    def look(progress: Progress) -> None:
        before = seen[-1].phase if seen else None
        if before in NAMES and progress.phase != before:
            parts.ended(NAMES[before])
        elif progress.phase == TRAINING and before != TRAINING:
            parts.ended("first capture and measures")
        seen.append(progress)

    run = training.fit(
        run, dataset, on_progress=look, should_stop=lambda: bool(seen) and seen[-1].step >= STEPS
    )
    parts.ended(f"{STEPS} steps")
    layers = first_and_last_layers(int(run.encoder["layers"]))
    maps_of_layers(run, "pca", run.poolings[0], layers, [0])
    parts.ended("first maps (PCA)")
    return parts.taken, int(run.training["steps_per_epoch"])
