"""Layers of every kind that a training gone wrong leaves behind, looked at in every way."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from layerviz import runs, separability, training
from layerviz.bench.torture.ordeal import Attempt, Ordeal, expect
from layerviz.bench.torture.toys import toy_config, toy_dataset
from layerviz.errors import DivergedError
from layerviz.projection import PROJECTIONS, LayerStates, draw
from layerviz.projection.placing import place_test
from layerviz.separability import MEASURES

N, WIDTH = 90, 12
RATES = (1e-2, 1e-1, 1.0)
Make = Callable[[np.random.Generator], np.ndarray]


def _few_differ(rng: np.random.Generator, rows: np.ndarray) -> np.ndarray:
    """Return one vector for all, of which some rows have the next number of float16."""
    states = np.tile(rng.normal(size=WIDTH), (N, 1)).astype(np.float16)
    states[rows] = np.nextafter(states[rows], np.float16(np.inf))
    return states


def _without_numbers(rng: np.random.Generator, row: int) -> np.ndarray:
    states = rng.normal(size=(N, WIDTH)).astype(np.float16)
    states[row] = np.nan
    return states


def _half(make: Make) -> Make:
    return lambda rng: make(rng).astype(np.float16)


# What the states of a layer, (N, D), may be.
KINDS: dict[str, Make] = {
    "sound": _half(lambda rng: rng.normal(size=(N, WIDTH))),
    "zero": _half(lambda rng: np.zeros((N, WIDTH))),  # noqa: ARG005
    "constant": _half(lambda rng: np.tile(rng.normal(size=WIDTH), (N, 1))),
    "one row differs": lambda rng: _few_differ(rng, np.arange(N) == 3),
    "one val row differs": lambda rng: _few_differ(rng, np.arange(N) == N - 2),
    "last digits differ": lambda rng: _few_differ(rng, rng.random(N) < 0.5),
    "three vectors": _half(lambda rng: rng.normal(size=(3, WIDTH))[rng.integers(3, size=N)]),
    "rank one": _half(lambda rng: np.outer(rng.normal(size=N), rng.normal(size=WIDTH))),
    "rank two, wide": _half(lambda rng: rng.normal(size=(N, 2)) @ rng.normal(size=(2, 4 * N))),
    "tiny": _half(lambda rng: 1e-7 * rng.normal(size=(N, WIDTH))),
    "largest": _half(lambda rng: 65504 * np.sign(rng.normal(size=(N, WIDTH)))),
    "some clipped": _half(lambda rng: np.where(rng.random((N, WIDTH)) < 0.1, 65504, 1)),
    "huge": lambda rng: (1e30 * rng.normal(size=(N, WIDTH))).astype(np.float32),
    "overflown": _half(lambda rng: np.where(rng.random((N, WIDTH)) < 0.2, np.inf, 1)),
    "all infinite": _half(lambda rng: np.full((N, WIDTH), -np.inf)),  # noqa: ARG005
    "no numbers": _half(lambda rng: np.full((N, WIDTH), np.nan)),  # noqa: ARG005
    "one row without numbers": lambda rng: _without_numbers(rng, 5),
    "one val row without numbers": lambda rng: _without_numbers(rng, N - 1),
}
LABELS = {
    "two classes": np.arange(N) % 2,
    "five classes": np.arange(N) % 5,
    "a class of one example": np.where(np.arange(N) == 7, 2, np.arange(N) % 2),
    "a class in val alone": np.where(np.arange(N) >= N - 3, 2, np.arange(N) % 2),
    "one class": np.zeros(N, dtype=int),
}


def states_of(kind: str, seed: int) -> np.ndarray:
    """Return made-up states of a kind, (N, D)."""
    return KINDS[kind](np.random.default_rng(seed))


def examples_of(labels: str) -> pd.DataFrame:
    """Return N examples of train, test and val with one of `LABELS`."""
    place = np.arange(N)
    splits = np.where(place < N * 2 // 3, "train", np.where(place < 72, "test", "val"))
    words = np.random.default_rng(1).integers(8, size=(N, 4))
    texts = [" ".join(f"word{i}" for i in row) + f" {n}" for n, row in enumerate(words)]
    names = [str(index) for index in place]
    return pd.DataFrame({"id": names, "split": splits, "text": texts, "label": LABELS[labels]})


def measures_hold(kind: str, labels: str, seed: int) -> None:
    """Measure a layer of a kind before training, and after training from a sound one.

    Raises
    ------
    Broken
        If a measure is missing, is infinite, or says a number of states that are none.
    """
    examples, states = examples_of(labels), states_of(kind, seed)
    sound = np.random.default_rng(seed + 1).normal(size=states.shape).astype(np.float16)
    for first in (None, {"mean": sound[None]}):
        measured = separability.measure_layers(
            {"mean": states[None]}, examples, LABELS[labels], first=first, seed=seed
        )
        table = measured.table[measured.table["pooling"] == "mean"]
        numbers = table[table["measure"].isin(list(MEASURES))]
        missing = set(MEASURES) - set(numbers["measure"])
        expect(not missing, f"not measured: {missing}")
        expect(not np.isinf(numbers["value"]).any(), "a measure is infinite")
        if not np.isfinite(states).all():
            expect(numbers["value"].isna().all(), "states that are no numbers have a measure")
        predicted, scores = measured.predicted["mean"], measured.scores["mean"]
        expect(np.isin(predicted, examples["label"]).all(), "a class that there is not")
        expect(not np.isnan(scores).any(), "scores that are no numbers")


def maps_hold(kind: str, projection: str, labels: str, seed: int) -> None:
    """Draw a layer of a kind between sound ones, and place test in the maps.

    Raises
    ------
    Broken
        If an example has no place.
    """
    examples, states = examples_of(labels), states_of(kind, seed)
    splits = examples["split"].to_numpy()
    sound = np.random.default_rng(seed + 1).normal(size=states.shape).astype(np.float16)
    for snapshots in ([states, sound], [sound, states]):
        layer = LayerStates(snapshots, splits, examples["label"].to_numpy(), seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what umap-learn says of few points
            maps = draw(projection, layer)
            placed = place_test(projection, layer, maps)
        expect(np.isfinite(maps.xy[:, splits != "test"]).all(), "an example has no place")
        expect(np.isfinite(placed.xy).all(), "a test example has no place")


def training_ends(folder: Path, rate: float) -> None:
    """Train at a rate that is far too high: it ends with its measures, or says that it diverged.

    Raises
    ------
    Broken
        If it ends otherwise.
    """
    dataset = toy_dataset()
    config = replace(toy_config("scratch-bert"), learning_rate=rate)
    run = runs.create(folder, config, dataset)
    try:
        run = training.fit(run, dataset)
    except DivergedError as error:
        expect("try" in error.hint, "no lower rate is named")
        run = runs.open_folder(run.path)
    expect(run.snapshots, "nothing was captured")
    missing = runs.unmeasured_snapshots(run)
    expect(not missing, f"snapshots without measures: {missing}")


def _attempts(seed: int, shared: Path) -> Iterator[Attempt]:  # noqa: ARG001
    for kind in KINDS:
        for labels in LABELS:
            yield Attempt(
                f"measures, {kind}, {labels}", _anywhere(measures_hold, kind, labels, seed)
            )
        for projection in PROJECTIONS:
            for labels in ("two classes", "a class of one example"):
                work = _anywhere(maps_hold, kind, projection, labels, seed)
                yield Attempt(f"{projection}, {kind}, {labels}", work)
    for rate in RATES:
        yield Attempt(f"training at {rate:g}", partial(training_ends, rate=rate))


def _anywhere(work: Callable[..., None], *arguments: object) -> Callable[[Path], None]:
    return lambda folder: work(*arguments)  # noqa: ARG005


COLLAPSES = Ordeal(
    "collapses",
    "layers give every text the same vector, or no numbers: measures and maps hold, training ends",
    _attempts,
    in_suite=2,
)
