"""Which class an example lies nearest to, and so moves towards, in the full hidden size.

A path on a map is a shadow of the way through hundreds of dimensions, so where an example goes is
never read off a map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd

from layerviz.separability.geometry import directions

NEAREST_COLUMNS = ["row", "layer", "snapshot", "nearest", "distance", "own_distance"]


def class_distances(
    states: np.ndarray, labels: np.ndarray, splits: np.ndarray, rows: np.ndarray, n_classes: int
) -> np.ndarray:
    """Return how far some examples are from the mean of each class.

    Euclidean distances of `geometry.directions` (states centred on the train mean, of length 1)
    from the means of the train examples of each class: what the measure *nearest class mean*
    (Mensink et al., 2013) decides by. A train example does not count towards the mean of its own
    class, which it would draw to itself.

    Parameters
    ----------
    states : ndarray of shape (N, D)
        Pooled hidden states of one layer at one snapshot.
    labels : ndarray of shape (N,)
        Class indices.
    splits : ndarray of shape (N,)
    rows : ndarray of shape (m,)
    n_classes : int
        C

    Returns
    -------
    ndarray of shape (m, C), float32
        NaN for a class of which train holds no (other) example.
    """
    rows, train = np.asarray(rows, dtype=np.int64), np.flatnonzero(splits == "train")
    unit_train = directions(states[train], states[train]).numpy()  # (n, D)
    unit_rows = directions(states[rows], states[train]).numpy()  # (m, D)
    counts = np.bincount(labels[train], minlength=n_classes)
    sums = np.zeros((n_classes, states.shape[1]))
    np.add.at(sums, labels[train], unit_train)
    distances = np.full((len(rows), n_classes), np.nan, dtype=np.float32)
    for at, row in enumerate(rows):
        of_row, n_of = sums, counts
        if splits[row] == "train":
            of_row, n_of = sums.copy(), counts.copy()
            of_row[labels[row]] -= unit_rows[at]
            n_of[labels[row]] -= 1
        held = n_of > 0
        means = of_row[held] / n_of[held, None]
        distances[at, held] = np.linalg.norm(unit_rows[at] - means, axis=1)
    return distances


def nearest_classes(
    rows: np.ndarray,
    layers: Sequence[int],
    snapshots: Sequence[int],
    states_at: Callable[[int, int], np.ndarray],
    *,
    labels: np.ndarray,
    splits: np.ndarray,
    n_classes: int,
) -> pd.DataFrame:
    """Return the class that each example is nearest to, in every layer at every snapshot.

    Parameters
    ----------
    rows : ndarray of shape (m,)
        The examples.
    layers, snapshots : sequences of int
    states_at : callable
        Given a snapshot and a layer, returns its states, (N, D).
    labels, splits : ndarrays of shape (N,)
    n_classes : int

    Returns
    -------
    DataFrame
        One row per example, layer and snapshot: ``row``, ``layer``, ``snapshot``, ``nearest``
        (class index), ``distance`` to that class's mean and ``own_distance`` to that of its own
        label, as `class_distances` measures them.
    """
    rows = np.asarray(rows, dtype=np.int64)
    frames = []
    for layer in layers:
        for snapshot in snapshots:
            far = class_distances(states_at(snapshot, layer), labels, splits, rows, n_classes)
            nearest = np.nanargmin(far, axis=1) if len(rows) else np.zeros(0, dtype=np.int64)
            each = np.arange(len(rows))
            values = (rows, layer, snapshot, nearest, far[each, nearest], far[each, labels[rows]])
            frames.append(pd.DataFrame(dict(zip(NEAREST_COLUMNS, values, strict=True))))
    every = pd.concat(frames, ignore_index=True)
    return every.sort_values(["row", "layer", "snapshot"], kind="stable", ignore_index=True)


def moves(nearest: pd.DataFrame) -> pd.DataFrame:
    """Return where each example comes from and which class it ends up nearest to, layer by layer.

    Parameters
    ----------
    nearest : DataFrame
        As `nearest_classes` returns it.

    Returns
    -------
    DataFrame
        One row per example and layer: ``row``, ``layer``, ``first`` and ``last`` (the nearest class
        at the first and at the last snapshot), ``since`` (the snapshot from which on the last one
        has been the nearest without a break).
    """
    records = []
    for (row, layer), part in nearest.groupby(["row", "layer"], sort=False):
        classes, snapshots = part["nearest"].to_numpy(), part["snapshot"].to_numpy()
        others = np.flatnonzero(classes != classes[-1])
        at = int(others[-1]) + 1 if len(others) else 0
        records.append((row, layer, classes[0], classes[-1], snapshots[at]))
    return pd.DataFrame(records, columns=["row", "layer", "first", "last", "since"])
