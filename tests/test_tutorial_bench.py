"""The whole tutorial goes both ways on the same texts; many rows are read part by part."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from made_runs import dataset_of
from toy import as_csv, toy_rows

from layerviz import data, training
from layerviz.bench import footprint, notebook, rows, tutorial
from layerviz.data import Table, building
from layerviz.errors import Cancelled, ConfigError, RunError
from layerviz.export import animation
from layerviz.projection import of_run
from layerviz.runs import Run

LINES: list[str] = []
FIGURES: list[tuple[int, int]] = []  # epochs and layers that were drawn


@pytest.fixture(scope="module")
def sample_table() -> Table:
    return data.read_table(as_csv(toy_rows(160)), "toy.csv")


@pytest.fixture(scope="module")
def result(sample_table: Table) -> dict[str, Any]:
    """Both ways in this process: another one would import torch anew, and lacks matplotlib."""

    def here(module: str, *arguments: str) -> dict[str, Any]:
        assert module == tutorial.__name__
        printed: list[str] = []
        with pytest.MonkeyPatch.context() as inside:
            inside.setattr(sys, "argv", ["-c", *arguments])
            inside.setattr(sys.stdout, "write", printed.append)
            tutorial.measure_from_arguments()
        found: dict[str, Any] = json.loads(printed[-1])
        return found

    def draw(sample: Any, xy: Any, work: Path) -> None:
        FIGURES.append((sample.n_snapshots, len(xy)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tutorial, "in_own_process", here)
        patch.setattr(notebook, "expect_matplotlib", lambda: None)
        patch.setattr(notebook, "_draw", draw)
        return tutorial.measure(
            sample_table,
            encoders=["1x64"],
            n_train=60,
            n_val=40,
            epochs=1,
            print_line=LINES.append,
        )


def test_both_ways_go_the_whole_way(result: dict[str, Any]) -> None:
    (row,) = result["encoders"]
    assert FIGURES == [(1, 1)]
    lines = ["With 1x64:", "  seed 0, the way of notebook", "  seed 0, the way of layerviz"]
    assert lines == LINES
    assert list(row["notebook"]["parts"]) == [
        "tokens", "training", "hidden states", "t-SNE", "figures and GIF",
    ]  # fmt: skip
    for way in tutorial.WAYS:
        assert row[way]["seconds"] > 0
        assert row[way]["cpu_seconds"] > 0
        assert 0 <= row[way]["f1"][0] <= 1
    assert row["low"] <= row["difference"] <= row["high"]
    gap = row["layerviz"]["f1"][0] - row["notebook"]["f1"][0]
    assert row["difference"] == pytest.approx(gap)


def test_what_was_measured_is_said(result: dict[str, Any]) -> None:
    text = tutorial.as_text(result)
    assert text.startswith("the whole tutorial, 60 train + 40 val texts x 1 epoch; ")
    assert "beyond training alone" in text
    assert "95 % interval over val examples, not other seeds" in text
    what = [figure.what for figure in tutorial.figures(result)]
    assert what[0] == "the whole, 1x64: time"
    assert len(what) == 5


def test_the_interval_counts_the_seeds_where_there_are_several() -> None:
    rng = np.random.default_rng(0)
    true = rng.integers(2, size=400)
    right = np.where(rng.random((3, 400)) < 0.8, true, 1 - true)
    same = tutorial._difference(true, right, right)
    assert same["low"] == same["difference"] == same["high"] == 0
    other = np.where(rng.random((3, 400)) < [[0.7], [0.8], [0.9]], true, 1 - true)
    several = tutorial._difference(true, right, other)
    single = tutorial._difference(true, right[:1], other[:1])
    assert several["high"] - several["low"] > single["high"] - single["low"]


def test_matplotlib_is_asked_for_with_the_line_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, sample_table: Table
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ConfigError, match="pip install matplotlib=="):
        tutorial.measure(sample_table)
    with pytest.raises(ConfigError, match="1 or more"):
        tutorial.measure(sample_table, seeds=0)


WATCHED = """
import time
from layerviz.bench.footprint import Footprint
with Footprint() as taken:
    block = bytearray(b"1") * 40_000_000
    until = time.monotonic() + 30
    while taken._top - taken._before < 35e6 and time.monotonic() < until:
        sum(range(100_000))
print(taken.extra_mb, taken.cpu_seconds)
"""


def test_memory_and_processor_of_a_block_are_watched() -> None:
    # In a process of its own, as benches are: one that has run tests for long gives memory back.
    done = subprocess.run(
        [sys.executable, "-c", WATCHED],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    extra_mb, cpu_seconds = map(float, done.stdout.split())
    assert 35 < extra_mb < 100
    assert cpu_seconds > 0


def test_a_side_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(RunError, match="A side of the bench failed: exit status 1"):
        footprint.in_own_process("layerviz.bench.tutorial")


# --- many rows ------------------------------------------------------------------------------


def test_rows_are_taken_to_the_first_maps_part_by_part(
    sample_table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    def here(module: str, folder: str) -> dict[str, Any]:
        assert module == rows.__name__
        printed: list[str] = []
        with pytest.MonkeyPatch.context() as inside:
            inside.setattr(sys, "argv", ["-c", folder])
            inside.setattr(sys.stdout, "write", printed.append)
            rows.measure_from_arguments()
        found: dict[str, Any] = json.loads(printed[-1])
        return found

    monkeypatch.setattr(rows, "in_own_process", here)
    monkeypatch.setattr(rows, "FEWEST", 100)
    result = rows.measure(sample_table, rows=300, encoder="1x64")
    assert list(result["parts"]) == [
        "reading", "cleaning and splitting", "checks", "the run's folder", "loading", "tokenising",
        "first capture and measures", "2 steps", "first maps (PCA)",
    ]  # fmt: skip
    assert result["steps_per_epoch"] == 8  # 240 train texts, 32 a batch
    assert "300 rows from Parquet" in rows.as_text(result)
    with pytest.raises(ConfigError, match="100 or more"):
        rows.measure(sample_table, rows=99)


# --- maps of several layers -----------------------------------------------------------------


def test_maps_of_layers_come_in_their_order_and_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    counted: list[int] = []
    together = threading.Barrier(2, timeout=60)  # as long as both are drawn side by side

    def draw(run: Run, projection: str, pooling: str, layer: int, *_: Any, **__: Any) -> str:
        together.wait()
        return f"{projection} of layer {layer}"

    monkeypatch.setattr(of_run, "maps_of_layer", draw)
    monkeypatch.setattr(of_run, "map_workers", lambda: 2)
    maps = of_run.maps_of_layers(cast(Run, None), "pca", "mean", [3, 1], [0], counted.append)
    assert list(maps.items()) == [(3, "pca of layer 3"), (1, "pca of layer 1")]
    assert counted == [1, 2]


def test_layers_that_wait_are_not_drawn_once_somebody_stops(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    drawn: list[int] = []

    def draw(run: Run, projection: str, pooling: str, layer: int, *_: Any, **__: Any) -> None:
        drawn.append(layer)
        raise Cancelled

    monkeypatch.setattr(of_run, "maps_of_layer", draw)
    monkeypatch.setattr(of_run, "map_workers", lambda: 1)
    with pytest.raises(Cancelled):
        of_run.maps_of_layers(cast(Run, None), "pca", "mean", list(range(1000)), [0])
    assert len(drawn) < 1000


def test_the_colours_of_an_animation_take_little_memory() -> None:
    palette = animation.shared_palette([(255, 255, 255), (230, 159, 0), (86, 180, 233)])
    tracemalloc.start()
    nearest = animation._nearest(palette)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 32e6  # bytes; all colours at once would take 500 MB
    assert nearest[animation._key(palette[0])] == 0


def test_the_fingerprint_is_the_same_however_many_rows_are_hashed_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = dataset_of().fingerprint
    monkeypatch.setattr(building, "HASHED_AT_ONCE", 7)
    assert dataset_of().fingerprint == whole


def test_train_examples_are_made_when_they_are_asked_for() -> None:
    ids = tuple(np.arange(n, dtype=np.int32) for n in (3, 2))
    tokens = training.fitting.Tokenised(ids, np.zeros(2, dtype=bool), ids)
    features = training.batching.Features(tokens, np.array([1, 0]))
    assert len(features) == 2
    assert features[0] == {
        "input_ids": [0, 1, 2],
        "attention_mask": [1, 1, 1],
        "label": 1,
        "token_type_ids": [0, 1, 2],
    }
    assert features[0] is not features[0]
