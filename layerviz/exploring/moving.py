"""Which class an example lies nearest to, and so moves towards, in the full hidden size.

A path on a map is a shadow of the way through hundreds of dimensions, so where an example goes is
never read off a map.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.separability.geometry import centre_of, directions_from

NEAREST_COLUMNS = ["row", "layer", "snapshot", "nearest"]


@dataclass(frozen=True, eq=False)
class TrainClasses:
    """Where the classes of train lie in one layer at one snapshot.

    Parameters
    ----------
    centre : ndarray of shape (D,), float32
        Mean of the train states.
    sums : ndarray of shape (C, D), float64
        Sum of each class's directions: its train states centred, at unit length.
    counts : ndarray of shape (C,), int64
    """

    centre: np.ndarray
    sums: np.ndarray
    counts: np.ndarray


def train_classes(
    states: np.ndarray, labels: np.ndarray, splits: np.ndarray, n_classes: int
) -> TrainClasses:
    """Return where the classes of train lie.

    Parameters
    ----------
    states : ndarray of shape (N, D)
        Pooled hidden states of one layer at one snapshot.
    labels : ndarray of shape (N,)
        Class indices.
    splits : ndarray of shape (N,)
    n_classes : int
        C
    """
    train = np.flatnonzero(splits == "train")
    centre = centre_of(states[train])
    members = np.zeros((n_classes, len(train)))
    members[labels[train], np.arange(len(train))] = 1
    counts = members.sum(axis=1).astype(np.int64)
    return TrainClasses(centre, members @ directions_from(states[train], centre).numpy(), counts)


def class_distances(
    states: np.ndarray, labels: np.ndarray, is_train: np.ndarray, classes: TrainClasses
) -> np.ndarray:
    """Return how far some examples are from the mean of each class.

    Euclidean distances of `geometry.directions` (states centred on the train mean, of length 1)
    from the means of the train examples of each class: what the measure *nearest class mean*
    (Mensink et al., 2013) decides by. A train example does not count towards the mean of its own
    class, which it would draw to itself.

    Parameters
    ----------
    states : ndarray of shape (m, D)
        Pooled hidden states of the examples.
    labels : ndarray of shape (m,)
    is_train : ndarray of shape (m,), bool
        Whether each is among those that `classes` was made of.
    classes : TrainClasses

    Returns
    -------
    ndarray of shape (m, C), float32
        NaN for a class of which train holds no (other) example.
    """
    rows = directions_from(states, classes.centre).numpy()
    distances = np.full((len(rows), len(classes.counts)), np.nan, dtype=np.float32)
    for at, row in enumerate(rows):
        sums, counts = classes.sums, classes.counts
        if is_train[at]:
            sums, counts = sums.copy(), counts.copy()
            sums[labels[at]] -= row
            counts[labels[at]] -= 1
        held = counts > 0
        means = sums[held] / counts[held, None]
        distances[at, held] = np.linalg.norm(row - means, axis=1)
    return distances


def nearest_classes(
    rows: np.ndarray,
    layers: Sequence[int],
    snapshots: Sequence[int],
    states_at: Callable[[int, int], np.ndarray],
    classes_at: Callable[[int, int], TrainClasses],
    *,
    labels: np.ndarray,
    splits: np.ndarray,
) -> pd.DataFrame:
    """Return the class that each example is nearest to, in every layer at every snapshot.

    Parameters
    ----------
    rows : ndarray of shape (m,)
        The examples.
    layers, snapshots : sequences of int
    states_at, classes_at : callables
        Given a snapshot and a layer, return its states, (N, D), and where its classes lie.
    labels, splits : ndarrays of shape (N,)

    Returns
    -------
    DataFrame
        One row per example, layer and snapshot: ``row``, ``layer``, ``snapshot`` and ``nearest``
        (class index), by the distances of `class_distances`.
    """
    rows = np.asarray(rows, dtype=np.int64)
    own, is_train = labels[rows], splits[rows] == "train"
    frames = []
    for layer in layers:
        for snapshot in snapshots:
            states, classes = states_at(snapshot, layer)[rows], classes_at(snapshot, layer)
            far = class_distances(states, own, is_train, classes)
            nearest = np.nanargmin(far, axis=1) if len(rows) else np.zeros(0, dtype=np.int64)
            values = (rows, layer, snapshot, nearest)
            frames.append(pd.DataFrame(dict(zip(NEAREST_COLUMNS, values, strict=True))))
    every = pd.concat(frames, ignore_index=True)
    return every.sort_values(["row", "layer", "snapshot"], kind="stable", ignore_index=True)
