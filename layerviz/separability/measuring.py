"""All measures of one snapshot, for every pooling and layer, as one table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch

from layerviz.config import SPLITS, TRAIN_AND_VAL
from layerviz.progress import (
    MEASURING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
    stop_if_asked,
)
from layerviz.separability import geometry
from layerviz.separability.probe import Probe, probe
from layerviz.separability.resampling import accuracy, interval, macro_f1, resampling_weights

COLUMNS = ("pooling", "layer", "measure", "split", "value", "low", "high")
THREADS = torch.get_num_threads()  # asked once: while layers are measured, the answer may be 1
HEAD = "head"  # stands in for a pooling in the rows of the model's own classifier


@dataclass(frozen=True)
class Measured:
    """The measures of one snapshot.

    Parameters
    ----------
    table : DataFrame
        Columns `COLUMNS`; ``low`` and ``high`` are NaN where no interval is computed.
    predicted : dict of str to ndarray of shape (L + 1, N), int16
        Per pooling, the class index that each layer's probe predicts for each example.
    """

    table: pd.DataFrame
    predicted: dict[str, np.ndarray]


def measure(
    pooled: Mapping[str, np.ndarray],
    examples: pd.DataFrame,
    head: np.ndarray,
    *,
    first: Mapping[str, np.ndarray] | None,
    seed: int,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> Measured:
    """Measure how each layer separates the classes, in the full hidden size.

    Parameters
    ----------
    pooled : mapping of str to ndarray of shape (L + 1, N, D)
        Hidden states per pooling.
    examples : DataFrame
        ``split`` and ``label`` (class index), N rows. There must be train rows.
    head : ndarray of shape (N,)
        Class indices that the model's own classifier predicts.
    first : mapping like `pooled` or None
        The states before training, for CKA; None where these are they.
    seed : int
        Of folds, shuffles and resamples.
    on_progress : callable
        Called with a `Progress` that counts cells.
    should_stop : callable
        Asked before each cell.

    Returns
    -------
    Measured

    Raises
    ------
    Cancelled
        If `should_stop` answers true.
    """
    splits, labels = examples["split"].to_numpy(), examples["label"].to_numpy()
    scoring = _Scoring(splits, labels, seed)
    n_cells = sum(len(states) for states in pooled.values())
    done, rows, predicted = 0, [], {}
    for pooling, states in pooled.items():
        found = []
        for layer, (cell, values) in enumerate(_each_layer(states, labels, splits, seed)):
            stop_if_asked(should_stop)
            found.append(cell)
            rows += [(pooling, layer, *value, np.nan, np.nan) for value in values]
            done += 1
            on_progress(Progress(MEASURING, done, n_cells))
        predicted[pooling] = np.stack([cell.predicted for cell in found])
        layers = range(len(states))
        rows += scoring.rows(pooling, layers, predicted[pooling])
        rows += scoring.controls(pooling, [cell.shuffled for cell in found])
        for layer, cell in enumerate(found):
            for name, value in (("strength", cell.strength), ("converged", cell.converged)):
                rows.append((pooling, layer, name, "train", float(value), np.nan, np.nan))
        for layer, value in enumerate(_kinship(states, first and first[pooling], splits)):
            rows.append((pooling, layer, "cka", "train", value, np.nan, np.nan))
    last = len(next(iter(pooled.values()))) - 1
    rows += scoring.rows(HEAD, [last], head[None])
    return Measured(pd.DataFrame(rows, columns=list(COLUMNS)), predicted)


def _each_layer(
    states: np.ndarray, labels: np.ndarray, splits: np.ndarray, seed: int
) -> Iterator[tuple[Probe, list[tuple[str, str, float]]]]:
    """Yield each layer's probe and its other measures, several layers being under way at a time.

    The matrices are small: a thread for each layer gets more done than threads inside a product.
    """

    def one(state: np.ndarray) -> tuple[Probe, list[tuple[str, str, float]]]:
        torch.set_num_threads(1)  # of this thread
        found = probe(state, labels, splits == "train", seed=seed)
        return found, list(_geometry(state, labels, splits, seed))

    pool = ThreadPoolExecutor(THREADS)
    try:
        yield from pool.map(one, states)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(THREADS)  # new threads would take over the 1


class _Scoring:
    """Scores of predictions with intervals from the same resamples for every cell."""

    def __init__(self, splits: np.ndarray, labels: np.ndarray, seed: int) -> None:
        self.rows_of = {s: np.flatnonzero(splits == s) for s in SPLITS if (splits == s).any()}
        self.true = {split: labels[rows] for split, rows in self.rows_of.items()}
        self.weights = {
            split: resampling_weights(len(rows), seed) for split, rows in self.rows_of.items()
        }

    def rows(self, pooling: str, layers, predicted: np.ndarray) -> list[tuple]:
        """Return macro-F1 and accuracy of all splits, and the gap."""
        rows, draws, scores = [], {}, {}
        for split, at in self.rows_of.items():
            mine = predicted[:, at]
            scores[split] = macro_f1(self.true[split], mine)
            draws[split] = macro_f1(self.true[split], mine, self.weights[split])
            rows += _as_rows(pooling, layers, "probe_macro_f1", split, scores[split], draws[split])
            rows += self.of("probe_accuracy", accuracy, split, pooling, layers, predicted)
        if "val" in scores:
            gap, gaps = scores["train"] - scores["val"], draws["train"] - draws["val"]
            rows += _as_rows(pooling, layers, "gap", "train-val", gap, gaps)
        return rows

    def controls(self, pooling: str, shuffled: list[np.ndarray]) -> list[tuple]:
        """Return mean, least and most of the probes on shuffled labels, per layer."""
        if "val" not in self.rows_of:
            return []
        rows = []
        for layer, predicted in enumerate(shuffled):
            scores = macro_f1(self.true["val"], predicted[:, self.rows_of["val"]])
            found = (float(value) for value in (scores.mean(), scores.min(), scores.max()))
            rows.append((pooling, layer, "shuffled_macro_f1", "val", *found))
        return rows

    def of(self, name, score, split, pooling, layers, predicted) -> list[tuple]:
        if split not in self.rows_of:
            return []
        true, mine = self.true[split], predicted[:, self.rows_of[split]]
        draws = score(true, mine, self.weights[split])
        return _as_rows(pooling, layers, name, split, score(true, mine), draws)


def _as_rows(pooling, layers, name, split, values, draws) -> list[tuple]:
    low, high = interval(draws)
    return [
        (pooling, layer, name, split, float(value), float(at_least), float(at_most))
        for layer, value, at_least, at_most in zip(layers, values, low, high, strict=True)
    ]


def _geometry(
    state: np.ndarray, labels: np.ndarray, splits: np.ndarray, seed: int
) -> Iterator[tuple[str, str, float]]:
    """Yield (measure, split, value) of what needs no probe."""
    both = np.isin(splits, TRAIN_AND_VAL)
    state, labels, train = state[both].astype(np.float32), labels[both], splits[both] == "train"
    mine, mine_labels = state[train], labels[train]
    val, val_labels = state[~train], labels[~train]
    yield "silhouette", "train", geometry.silhouette(mine, mine_labels, mine, mine_labels)
    yield "davies_bouldin", "train", geometry.davies_bouldin(mine, mine_labels)
    ratio = geometry.fisher_ratio(state, labels, train)
    yield "fisher_ratio", "train", ratio["train"]
    if not len(val):
        return
    neighbours = geometry.knn_predict(state, labels, train)
    yield "knn_macro_f1", "val", float(macro_f1(val_labels, neighbours[None])[0])
    yield "silhouette", "val", geometry.silhouette(val, val_labels, val, val_labels)
    yield "silhouette", "val in train", geometry.silhouette(val, val_labels, mine, mine_labels)
    yield "davies_bouldin", "val", geometry.davies_bouldin(val, val_labels)
    yield "fisher_ratio", "val", ratio["val"]
    yield "split_auc", "train and val", geometry.split_divergence(state, ~train, seed)


def _kinship(states: np.ndarray, first: np.ndarray | None, splits: np.ndarray) -> list[float]:
    """Return each layer's CKA with itself before training."""
    train = np.flatnonzero(splits == "train")
    rows = train[geometry.cka_rows(len(train))]
    if len(rows) < 4:
        return [float("nan")] * len(states)
    if first is None:
        first = states
    return [
        float(geometry.linear_cka(now[None, rows], then[None, rows])[0, 0])
        for now, then in zip(states, first, strict=True)
    ]
