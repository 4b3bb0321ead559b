"""How time grows with the number of texts: reading, splitting, training, capture, maps, page."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from layerviz import data, encoders, hidden_states, runs, training
from layerviz.bench.browser import Watched, chromium, server
from layerviz.bench.capture import exponent
from layerviz.bench.figures import Figure, machine, machine_in_words
from layerviz.bench.materials import random_bert, size_of, varied_csv
from layerviz.config import RunConfig
from layerviz.data import Columns, Table
from layerviz.errors import ConfigError, RunError
from layerviz.projection import LayerStates
from layerviz.projection.pca import pca_maps

SIZES = (1000, 4000, 16_000, 64_000)
PARTS = ("reading", "splitting", "training", "capture", "PCA maps", "first draw")
EXPONENT_GOAL = 1.1  # 1 is linear
DRAW_GOAL = 5.0  # seconds until a page with the most texts is drawn, the file read again
MAPPED_LAYERS = 8  # at most
VAL_SHARE = 5  # one text in so many is held out


def measure(
    table: Table | None, *, sizes: Sequence[int] = SIZES, encoder: str = "bert-mini"
) -> dict[str, Any]:
    """Time each part of the work at growing numbers of texts.

    Parameters
    ----------
    table : Table or None
        None takes the bundled sample; where it has too few texts, they come again, varied.
    sizes : sequence of int
        Numbers of texts, train and val together; a fifth of them is val.
    encoder : str
        One of this disk, or a size such as ``2x64``: a BERT with random weights.

    Returns
    -------
    dict
        ``rows``: per number of texts the seconds of each of `PARTS` and, of the page, ``redraw``
        (chosen and drawn once more); the capture is of all texts, though a run captures 2,000 per
        split.
        ``exponents``: per part the slope of its seconds over the texts, in logarithms.

    Raises
    ------
    ConfigError
        If there are fewer than two sizes, or playwright or Chromium is missing.
    RunError
        If the page could not be drawn.
    """
    if len(set(sizes)) < 2:
        raise ConfigError("bench growth needs two sizes.", "Give two numbers of texts.")
    size = size_of(encoder)
    table = table or data.sample_table()
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        rows = [
            _one_size(table, n, encoder, size, Path(folder) / str(n), browser)
            for n in sorted(set(sizes))
        ]
    numbers = [row["n"] for row in rows]
    return {
        "what": f"growth from {numbers[0]:,} to {numbers[-1]:,} texts, {encoder}",
        "machine": machine(),
        "rows": rows,
        "exponents": {part: exponent(numbers, [row[part] for row in rows]) for part in PARTS},
    }


def _one_size(
    table: Table, n: int, encoder: str, size: tuple[int, int] | None, work: Path, browser: Any
) -> dict[str, float]:
    work.mkdir()
    n_val = n // VAL_SHARE
    content = varied_csv(table, n - n_val, n_val)
    row: dict[str, float] = {"n": n}
    start = time.perf_counter()
    read = data.read_table(content, "texts.csv")
    row["reading"] = time.perf_counter() - start
    start = time.perf_counter()
    dataset = data.build_dataset(read, Columns("text", "label", None))  # val is cut from train
    row["splitting"] = time.perf_counter() - start
    name = encoder if size is None else random_bert(dataset, *size, work / "encoder")
    config = training.with_defaults(RunConfig(name, epochs=1))
    run = runs.create(work / "runs", config, dataset)
    run = training.fit(run, dataset, capture=False)
    row["training"] = run.training["train_seconds"]
    loaded = encoders.load_trained(run.layout.model)
    texts = dataset.examples["text"].tolist()
    start = time.perf_counter()
    captured = hidden_states.capture(
        loaded.model, loaded.tokenizer, texts, max_length=config.max_length
    )
    row["capture"] = time.perf_counter() - start
    row["PCA maps"] = _mapped(captured.pooled["mean"], run, dataset)
    del captured
    (work / "texts.csv").write_bytes(content)
    row["first draw"], row["redraw"] = _drawn(browser, work / "texts.csv", work / "runs")
    return row


def _mapped(states: np.ndarray, run: runs.Run, dataset: data.Dataset) -> float:
    """Map what a run would have captured of these states; return the seconds."""
    chosen = training.choose_examples(dataset, run.config.max_captured, 0)
    rows = np.flatnonzero(dataset.examples["id"].isin(chosen["id"]))
    splits, labels = (dataset.examples[name].to_numpy()[rows] for name in ("split", "label"))
    start = time.perf_counter()
    for layer in range(1, min(MAPPED_LAYERS, len(states) - 1) + 1):
        pca_maps(LayerStates([states[layer][rows]], splits, labels, run.config.seed))
    return time.perf_counter() - start


def _drawn(browser: Any, file: Path, runs_root: Path) -> tuple[float, float]:
    """Return the seconds in which the page takes in a file and draws it, and draws it again."""
    with server(runs_root) as address, Watched(browser, address) as visit:
        page = visit.page
        source = page.locator(".st-key-source")
        visit.timed(lambda: source.get_by_text("Your file", exact=True).click())
        chooser = page.locator("[data-testid=stFileUploaderDropzoneInput]").first
        first = visit.timed(lambda: chooser.set_input_files(file))
        page.get_by_text(file.name).first.wait_for()
        if page.get_by_test_id("stAlert").filter(visible=True).count():
            raise RunError(
                "The page could not draw the file.", "Open it on the page itself to see why."
            )
        visit.timed(lambda: source.get_by_text("Sample", exact=True).click())
        again = visit.timed(lambda: source.get_by_text("Your file", exact=True).click())
    return first["idle"], again["idle"]


# --- what it comes to -----------------------------------------------------------------------


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return a result of :func:`measure` as figures with their goals."""
    found = [
        Figure("growth", f"exponent, {part}", value, "", EXPONENT_GOAL)
        for part, value in result["exponents"].items()
    ]
    last = result["rows"][-1]
    for part, name in (("first draw", "upload and first draw"), ("redraw", "draw again")):
        what = f"page at {last['n']:,} texts, {name}"
        found.append(Figure("growth", what, last[part], "s", DRAW_GOAL))
    return found


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    parts = (*PARTS, "redraw")
    lines = [f"{result['what']}; {machine_in_words()}", "seconds"]
    lines.append(f"  {'texts':>8}" + "".join(f"{part:>12}" for part in parts))
    for row in result["rows"]:
        lines.append(f"  {row['n']:>8,}" + "".join(f"{row[part]:>12.2f}" for part in parts))
    slopes = "".join(f"{value:>12.2f}" for value in result["exponents"].values())
    lines.append(f"  {'power':>8}{slopes}")
    return "\n".join(lines)
