"""How much memory a server keeps that has shown many runs, measured in a headless Chromium."""

from __future__ import annotations

import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import psutil

from layerviz import data
from layerviz.bench.browser import Watched, chromium, serving
from layerviz.bench.figures import Figure, machine, machine_in_words
from layerviz.bench.made_run import made_run
from layerviz.bench.materials import varied_dataset
from layerviz.data import Table
from layerviz.errors import ConfigError

GOAL = 1000.0  # MB above the start
TABS = ("Layers", "Maps")
AT_REST = 2.0  # seconds


def measure(
    table: Table | None,
    *,
    n_runs: int = 10,
    n_train: int = 2000,
    n_val: int = 1000,
    n_layers: int = 12,
    width: int = 256,
    n_snapshots: int = 6,
) -> dict[str, Any]:
    """Open different runs of this size on one server, each with its maps and its layers.

    Parameters
    ----------
    table : Table or None
        Where texts come from; None takes the bundled sample.
    n_runs : int
    n_train, n_val, n_layers, width, n_snapshots : int
        Size of the runs that are made up.

    Returns
    -------
    dict
        ``start_mb``: resident memory of the server once its first page is drawn; ``after_mb``:
        the same after each run.

    Raises
    ------
    ConfigError
        If a size is out of range, or playwright or Chromium is missing.
    """
    if n_runs < 1:
        raise ConfigError(f"The bench cannot open {n_runs} runs.", "Give 1 or more.")
    with chromium() as browser, tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        dataset = varied_dataset(table or data.sample_table(), n_train, n_val)
        sizes = {"n_layers": n_layers, "width": width, "n_snapshots": n_snapshots}
        made = [made_run(root, dataset, seed=seed, **sizes) for seed in range(n_runs)]
        with serving(root) as served, Watched(browser, served.address) as visit:
            process = psutil.Process(served.process.pid)
            start, after = _resident_mb(process), []
            for run in made:
                visit.timed(visit.page.locator(f".st-key-open-{run.run_id} button").first.click)
                for tab in TABS:
                    visit.timed(partial(visit.page.get_by_role("tab", name=tab).click))
                time.sleep(AT_REST)
                after.append(_resident_mb(process))
    return {
        "what": f"{n_runs} runs of {n_train:,} + {n_val:,} points, {n_layers} layers of {width}, "
        f"{n_snapshots} snapshots",
        "machine": machine(),
        "start_mb": start,
        "after_mb": after,
    }


def _resident_mb(process: psutil.Process) -> float:
    parts = [process, *process.children(recursive=True)]
    return sum(one.memory_info().rss for one in parts) / 1e6


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return a result of :func:`measure` as figures with their goals."""
    what = f"server above its start, {len(result['after_mb'])} runs shown"
    return [Figure("memory", what, max(result["after_mb"]) - result["start_mb"], "MB", GOAL)]


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [f"{result['what']}; {machine_in_words()}"]
    lines.append(f"  at the start {result['start_mb']:8.0f} MB")
    for number, resident in enumerate(result["after_mb"], 1):
        lines.append(f"  run {number:<8} {resident - result['start_mb']:8.0f} MB above it")
    return "\n".join(lines)
