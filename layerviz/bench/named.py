"""The benches by their names on the command line."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from types import ModuleType
from typing import Any

from layerviz import data
from layerviz.bench import (
    alignment,
    capture,
    drawing,
    epoch,
    everything,
    growth,
    maps,
    page,
    probes,
    starters,
)
from layerviz.commands import read_bytes
from layerviz.data import Table
from layerviz.runs import Run

Tell = Callable[[str], None]


def measured(parsed: argparse.Namespace, run: Run | None, tell: Tell) -> tuple[dict[str, Any], str]:
    """Run the bench that was named, or all that have a goal.

    Parameters
    ----------
    parsed : Namespace
        What the command line understood; ``bench`` is the name, or None.
    run : Run or None
        The run that was named, for the benches that draw.
    tell : callable
        Told what is being measured.

    Returns
    -------
    result : dict
    said : str
        The same for people.
    """
    if parsed.bench is None:
        result = everything.measure(everything.benches(run), on_progress=tell)
        return result, everything.as_text(result)
    module, measure = BENCHES[parsed.bench]
    result = measure(parsed, run, tell)
    return result, module.as_text(result)


def _capture(parsed: argparse.Namespace, *_: Any) -> dict[str, Any]:
    texts = (
        None if parsed.data is None else capture.texts_of(read_bytes(parsed.data), parsed.data.name)
    )
    return capture.measure(
        texts,
        n=parsed.n,
        sizes=parsed.sizes,
        max_length=parsed.max_length,
        growth=parsed.growth,
    )


def _maps(parsed: argparse.Namespace, run: Run | None, _: Tell) -> dict[str, Any]:
    return maps.measure(_drawn(parsed, run))


def _alignment(parsed: argparse.Namespace, run: Run | None, _: Tell) -> dict[str, Any]:
    return alignment.measure(_drawn(parsed, run))


def _drawn(parsed: argparse.Namespace, run: Run | None) -> drawing.Sample:
    return drawing.sample_of(
        run,
        n_train=parsed.n_train,
        n_val=parsed.n_val,
        layers=parsed.layers,
        snapshots=parsed.snapshots,
        seed=parsed.seed,
    )


def _epoch(parsed: argparse.Namespace, *_: Any) -> dict[str, Any]:
    sizes = {"n_train": parsed.n_train, "n_val": parsed.n_val}
    return epoch.measure(_table(parsed), **sizes, names=parsed.encoder)


def _page(parsed: argparse.Namespace, *_: Any) -> dict[str, Any]:
    return page.measure(
        _table(parsed),
        n_train=parsed.n_train,
        n_val=parsed.n_val,
        n_layers=parsed.layers,
        width=parsed.hidden_size,
        n_snapshots=parsed.snapshots,
        repeats=parsed.repeats,
        starts=parsed.starts,
        marks=parsed.marks,
    )


def _growth(parsed: argparse.Namespace, *_: Any) -> dict[str, Any]:
    return growth.measure(_table(parsed), sizes=parsed.sizes, encoder=parsed.encoder)


def _probes(parsed: argparse.Namespace, *_: Any) -> dict[str, Any]:
    return probes.measure(
        _table(parsed),
        n=parsed.n,
        layers=parsed.layers,
        hidden_size=parsed.hidden_size,
        encoder=parsed.encoder,
    )


def _starters(parsed: argparse.Namespace, _: Run | None, tell: Tell) -> dict[str, Any]:
    return starters.measure(
        [data.read_table(read_bytes(path), path.name) for path in parsed.data],
        names=parsed.encoder,
        n_train=parsed.n_train,
        n_val=parsed.n_val,
        epochs=parsed.epochs,
        seeds=parsed.seeds,
        rates=parsed.rates,
        work=parsed.work,
        on_progress=tell,
    )


def _table(parsed: argparse.Namespace) -> Table:
    """Return the table that was named, or the sample."""
    if parsed.data is None:
        return data.sample_table()
    return data.read_table(read_bytes(parsed.data), parsed.data.name)


DRAWING = ("maps", "alignment")
Measure = Callable[[argparse.Namespace, Run | None, Tell], dict[str, Any]]
BENCHES: dict[str, tuple[ModuleType, Measure]] = {
    "capture": (capture, _capture),
    "maps": (maps, _maps),
    "alignment": (alignment, _alignment),
    "epoch": (epoch, _epoch),
    "page": (page, _page),
    "growth": (growth, _growth),
    "probes": (probes, _probes),
    "starters": (starters, _starters),
}
