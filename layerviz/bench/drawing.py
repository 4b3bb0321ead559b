"""The same hidden states drawn in two ways: as the 2021 notebook does, and as layerviz does."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.manifold import TSNE

from layerviz import data, jobs, projection, runs, training
from layerviz.bench.starters import thinned
from layerviz.config import TRAIN_AND_VAL, RunConfig
from layerviz.errors import ConfigError
from layerviz.runs import Run

POOLING = "mean"  # the notebook's
FEWEST_POINTS = 40  # per split: scikit-learn's perplexity of 30 needs more points than that
MOST_TRAINED_ON = 10_000


@dataclass(frozen=True, eq=False)
class Sample:
    """Hidden states to draw.

    Parameters
    ----------
    name : str
        Where they come from.
    layers : tuple of int
    states : tuple of tuples of ndarrays of shape (N, D)
        Per layer, one array per snapshot.
    splits : ndarray of shape (N,)
        ``train`` or ``val``.
    labels : ndarray of shape (N,)
    seed : int
    """

    name: str
    layers: tuple[int, ...]
    states: tuple[tuple[np.ndarray, ...], ...]
    splits: np.ndarray
    labels: np.ndarray
    seed: int

    @property
    def n_snapshots(self) -> int:
        return len(self.states[0])

    def in_words(self) -> str:
        """Say how much there is to draw."""
        n_train = int((self.splits == "train").sum())
        return (
            f"{self.name}: {len(self.layers)} layers x {self.n_snapshots} snapshots x "
            f"({n_train:,} train + {len(self.splits) - n_train:,} val)"
        )


@dataclass(frozen=True, eq=False)
class TimedMaps:
    """The maps of a sample, per layer of shape (S, N, 2), and the seconds that they took."""

    xy: tuple[np.ndarray, ...]
    seconds: float


def sample_of(
    run: Run | None, *, n_train: int, n_val: int, layers: int, snapshots: int, seed: int = 0
) -> Sample:
    """Return hidden states of a run, or of one that is made for this.

    Parameters
    ----------
    run : Run or None
        None fine-tunes bert-mini on the bundled sample, in a temporary folder.
    n_train, n_val : int
        Most examples of each split; of more, the first of a seeded order.
    layers, snapshots : int
        How many, evenly spaced with both ends.

    Raises
    ------
    ConfigError
        If a number is out of range, or the run has too little.
    """
    if min(n_train, n_val) < FEWEST_POINTS or layers < 1 or snapshots < 2:
        raise ConfigError(
            "There is too little to draw.",
            f"Give at least {FEWEST_POINTS} examples per split, one layer and two snapshots.",
        )
    wanted = (n_train, n_val, layers, snapshots, seed)
    if run is not None:
        return _sample_of_run(run, *wanted)
    with tempfile.TemporaryDirectory() as folder:
        dataset = thinned(data.sample_table(), MOST_TRAINED_ON, MOST_TRAINED_ON)
        most = max(n_train, n_val)
        settings = RunConfig("bert-mini", epochs=snapshots - 1, max_captured=most, seed=seed)
        made = runs.create(Path(folder), training.with_defaults(settings), dataset)
        return _sample_of_run(training.fit(made, dataset), *wanted)


def by_notebook(sample: Sample, *, with_val: bool = True) -> TimedMaps:
    """Fit scikit-learn's t-SNE with its defaults to each layer, snapshot and split on its own."""
    start = time.perf_counter()
    maps = []
    for of_layer in sample.states:
        xy = np.full((len(of_layer), len(sample.splits), 2), np.nan, dtype=np.float32)
        for index, states in enumerate(of_layer):
            for split in TRAIN_AND_VAL if with_val else ("train",):
                rows = sample.splits == split
                tsne = TSNE(n_components=2, random_state=sample.seed)
                xy[index, rows] = tsne.fit_transform(states[rows].astype(np.float32))
        maps.append(xy)
    return TimedMaps(tuple(maps), time.perf_counter() - start)


def by_layerviz(sample: Sample) -> TimedMaps:
    """Draw as the app does, several layers at a time; rating the maps is included."""
    start = time.perf_counter()
    with ThreadPoolExecutor(jobs.map_workers()) as pool:
        maps = list(pool.map(_layer_drawer(sample), sample.states))
    return TimedMaps(tuple(one.xy for one in maps), time.perf_counter() - start)


def mean_trust(sample: Sample, maps: TimedMaps, split: str = "train") -> float:
    """Return the mean trustworthiness of one split over layers and snapshots."""
    return _mean_over_maps(projection.trustworthiness, sample, maps, split)


def mean_kept(sample: Sample, maps: TimedMaps) -> float:
    """Return the mean share of kept neighbours of train over layers and snapshots."""
    return _mean_over_maps(projection.kept_neighbours, sample, maps, "train")


def _mean_over_maps(
    figure: Callable[[np.ndarray, np.ndarray], float], sample: Sample, maps: TimedMaps, split: str
) -> float:
    rows = sample.splits == split
    return float(
        np.mean(
            [
                figure(states[rows], xy[rows])
                for of_layer, layer_xy in zip(sample.states, maps.xy, strict=True)
                for states, xy in zip(of_layer, layer_xy, strict=True)
            ]
        )
    )


def _layer_drawer(sample: Sample) -> Callable[[tuple[np.ndarray, ...]], projection.LayerMaps]:
    return lambda states: projection.draw(
        "tsne", projection.LayerStates(states, sample.splits, sample.labels, sample.seed)
    )


def _sample_of_run(
    run: Run, n_train: int, n_val: int, n_layers: int, n_snapshots: int, seed: int
) -> Sample:
    if len(run.snapshots) < 2:
        raise ConfigError("This run has fewer than two snapshots.", "Choose a finished one.")
    examples = runs.read_examples(run.path)
    splits = examples["split"].to_numpy()
    rng = np.random.default_rng(seed)
    kept = [
        rng.permutation(np.flatnonzero(splits == split))[:most]
        for split, most in (("train", n_train), ("val", n_val))
    ]
    if min(map(len, kept)) < FEWEST_POINTS:
        raise ConfigError(
            f"This run captured fewer than {FEWEST_POINTS} examples of a split.", "Choose another."
        )
    rows = np.sort(np.concatenate(kept))
    layers = _evenly(1, int(run.encoder["layers"]), n_layers)
    indices = [run.snapshots[at].index for at in _evenly(0, len(run.snapshots) - 1, n_snapshots)]
    states = tuple(
        tuple(runs.read_hidden_states(run.path, index, POOLING, layer)[rows] for index in indices)
        for layer in layers
    )
    labels = examples["label"].to_numpy()
    return Sample(run.run_id, layers, states, splits[rows], labels[rows], seed)


def _evenly(first: int, last: int, n: int) -> tuple[int, ...]:
    return tuple(sorted({round(at) for at in np.linspace(first, last, n)}))
