"""Answers to narrower questions: poolings, overfitting, and classes that stay confused."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.separability.answering import Cell, Difference
from layerviz.separability.resampling import (
    class_f1,
    interval,
    macro_f1,
    paired_difference,
    resampling_weights,
)


@dataclass(frozen=True)
class PoolingVerdict:
    """Which pooling serves a snapshot best.

    Parameters
    ----------
    best : Cell
        The best layer of the best pooling.
    against : tuple of (Cell, Difference)
        The best layer of every other pooling, and what `best` scores more on val (paired).
    """

    best: Cell
    against: tuple[tuple[Cell, Difference], ...]


def compare_poolings(
    cells: Sequence[Cell], predicted: np.ndarray, labels: np.ndarray, snapshot: int, seed: int
) -> PoolingVerdict:
    """Compare the poolings at one snapshot, each at its best layer, on the same val examples.

    Parameters
    ----------
    cells : sequence of K Cells
        With two poolings or more.
    predicted : ndarray of shape (K, n)
        The probes' predictions for the val examples.
    labels : ndarray of shape (n,)
    snapshot, seed : int
    """
    scores = macro_f1(labels, predicted)
    best: dict[str, int] = {}
    for row, cell in enumerate(cells):
        leader = best.get(cell.pooling)
        if cell.snapshot == snapshot and (leader is None or scores[row] > scores[leader]):
            best[cell.pooling] = row
    first, *others = sorted(best.values(), key=lambda row: -scores[row])
    return PoolingVerdict(
        cells[first],
        tuple(
            (
                cells[row],
                Difference(*paired_difference(labels, predicted[first], predicted[row], seed)),
            )
            for row in others
        ),
    )


def overfitting(
    cells: Sequence[Cell],
    predicted: np.ndarray,
    labels: np.ndarray,
    splits: np.ndarray,
    pooling: str,
    seed: int,
) -> pd.DataFrame:
    """Say for each layer at which epoch val is best, and what happens to it after that.

    Parameters
    ----------
    cells : sequence of K Cells
    predicted : ndarray of shape (K, N)
    labels, splits : ndarray of shape (N,)
    pooling : str
    seed : int

    Returns
    -------
    DataFrame
        One row per layer: ``layer``; ``peak`` (epoch of the highest val macro-F1); ``stop`` (the
        earliest epoch that is not clearly behind the peak, paired bootstrap); ``val_peak``,
        ``val_last``, ``train_peak``, ``train_last`` (macro-F1 at the peak and at the last epoch);
        ``change``, ``low``, ``high`` (val at the last epoch minus val at the peak, with its paired
        95 % interval); ``verdict``: ``overfits`` (val falls clearly while train does not),
        ``flat`` (val does not change clearly after the peak) or ``rising`` (the last epoch is the
        peak).
    """
    val, train = splits == "val", splits == "train"
    true, of_val = labels[val], predicted[:, val]
    val_scores = macro_f1(true, of_val)
    train_scores = macro_f1(labels[train], predicted[:, train])
    draws = macro_f1(true, of_val, resampling_weights(len(true), seed))  # (R, K)
    result = []
    for layer in sorted({cell.layer for cell in cells}):
        rows = [
            row for row, cell in enumerate(cells) if cell.layer == layer and cell.pooling == pooling
        ]
        rows.sort(key=lambda row: cells[row].snapshot)
        peak = max(rows, key=lambda row: val_scores[row])
        last = rows[-1]
        stop = next(row for row in rows if interval(draws[:, peak] - draws[:, row])[0] <= 0)
        low, high = interval(draws[:, last] - draws[:, peak])
        fell = high < 0 and train_scores[last] >= train_scores[peak]
        verdict = "rising" if last == peak else "overfits" if fell else "flat"
        result.append(
            {
                "layer": layer,
                "peak": cells[peak].epoch,
                "stop": cells[stop].epoch,
                "val_peak": val_scores[peak],
                "val_last": val_scores[last],
                "train_peak": train_scores[peak],
                "train_last": train_scores[last],
                "change": val_scores[last] - val_scores[peak],
                "low": float(low),
                "high": float(high),
                "verdict": verdict,
            }
        )
    return pd.DataFrame(result)


def class_scores(
    cells: Sequence[Cell], predicted: np.ndarray, labels: np.ndarray, label_names: Sequence[str]
) -> pd.DataFrame:
    """Return each class's F1 in each cell.

    Parameters
    ----------
    cells : sequence of K Cells
    predicted : ndarray of shape (K, n)
        For the scored examples.
    labels : ndarray of shape (n,)
    label_names : sequence of str

    Returns
    -------
    DataFrame
        ``label``, ``snapshot``, ``pooling``, ``layer``, ``value``, ``n`` (examples of the class).
    """
    f1 = class_f1(labels, predicted)  # (K, C)
    classes, counts = np.unique(labels, return_counts=True)
    frames = [
        pd.DataFrame(
            {
                "label": label_names[label],
                "snapshot": [cell.snapshot for cell in cells],
                "pooling": [cell.pooling for cell in cells],
                "layer": [cell.layer for cell in cells],
                "value": f1[:, column],
                "n": int(counts[column]),
            }
        )
        for column, label in enumerate(classes)
    ]
    return pd.concat(frames, ignore_index=True)


def confused_pairs(
    layers: Sequence[int], predicted: np.ndarray, labels: np.ndarray, label_names: Sequence[str]
) -> pd.DataFrame:
    """Return which pairs of classes are confused, and in which layer least.

    Parameters
    ----------
    layers : sequence of K ints
        The layers of one snapshot and pooling.
    predicted : ndarray of shape (K, n)
        Their probes' predictions for the scored examples.
    labels : ndarray of shape (n,)
    label_names : sequence of str

    Returns
    -------
    DataFrame
        One row per pair that any layer confuses: ``one``, ``other`` (names), ``n`` (examples of
        both), ``least`` (the smallest share of them taken for the other class), ``layer`` (where
        that is), ``last`` (the share in the last layer); most confused in the last layer first.
    """
    classes = np.unique(labels)
    result = []
    for one, other in itertools.combinations(classes, 2):
        both = (labels == one) | (labels == other)
        swapped = (labels[both] == one) & (predicted[:, both] == other)
        swapped |= (labels[both] == other) & (predicted[:, both] == one)
        shares = swapped.mean(axis=1)  # (K,)
        if shares.any():
            least = int(shares.argmin())
            result.append(
                {
                    "one": label_names[one],
                    "other": label_names[other],
                    "n": int(both.sum()),
                    "least": float(shares[least]),
                    "layer": layers[least],
                    "last": float(shares[-1]),
                }
            )
    columns = ["one", "other", "n", "least", "layer", "last"]
    frame = pd.DataFrame(result, columns=columns)
    return frame.sort_values("last", ascending=False, ignore_index=True)
