"""Which train examples lie nearest in the full hidden size, and whether they stay the same."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from layerviz.separability.geometry import NEIGHBOURS, directions, nearest


@dataclass(frozen=True)
class Neighbours:
    """The nearest train rows of m queries, nearest first.

    Parameters
    ----------
    rows : ndarray of shape (m, k), int64
        Row numbers in the order of the examples.
    similarity : ndarray of shape (m, k), float32
        Cosines of states centred on the train mean, -1 to 1.
    """

    rows: np.ndarray
    similarity: np.ndarray


def nearest_train(
    states: np.ndarray, splits: np.ndarray, rows: np.ndarray, *, k: int = NEIGHBOURS
) -> Neighbours:
    """Find the k train rows that lie nearest to some of the rows.

    Nearness is the cosine of ``geometry.directions``; a row is never its own neighbour.

    Parameters
    ----------
    states : ndarray of shape (N, D)
        Pooled hidden states of one layer at one snapshot.
    splits : ndarray of shape (N,)
        Name of each row's split.
    rows : ndarray of shape (m,)
        The rows whose neighbours are wanted.
    k : int
        Fewer where train has fewer other rows.

    Returns
    -------
    Neighbours
    """
    train = np.flatnonzero(splits == "train")
    rows = np.asarray(rows, dtype=np.int64)
    number_in_train = np.full(len(splits), -1)
    number_in_train[train] = np.arange(len(train))
    own = number_in_train[rows]
    k = min(k, len(train) - int((own >= 0).any()))
    return _neighbours(states[rows], states[train], train, k, torch.from_numpy(own))


def nearest_to(
    queries: np.ndarray, states: np.ndarray, splits: np.ndarray, *, k: int = NEIGHBOURS
) -> Neighbours:
    """Find the k train rows that lie nearest to new vectors.

    Parameters
    ----------
    queries : ndarray of shape (m, D)
        States of texts that are not among the examples, of the same layer and snapshot.
    states : ndarray of shape (N, D)
    splits : ndarray of shape (N,)
    k : int
        Fewer where train has fewer rows.

    Returns
    -------
    Neighbours
    """
    train = np.flatnonzero(splits == "train")
    return _neighbours(queries, states[train], train, min(k, len(train)))


def neighbour_overlap(
    before: np.ndarray, after: np.ndarray, splits: np.ndarray, *, k: int = NEIGHBOURS
) -> np.ndarray:
    """Return the share of each row's k nearest train rows that stayed.

    Parameters
    ----------
    before, after : ndarrays of shape (N, D)
        States of the same rows at two snapshots, or in two layers.
    splits : ndarray of shape (N,)
    k : int

    Returns
    -------
    ndarray of shape (N,), float32
        0 to 1; NaN where train is too small for a neighbour.
    """
    rows = np.arange(len(splits))
    first, second = (nearest_train(states, splits, rows, k=k).rows for states in (before, after))
    if not first.shape[1]:
        return np.full(len(splits), np.nan, dtype=np.float32)
    stayed = (first[:, :, None] == second[:, None, :]).any(axis=2)  # (N, k)
    return stayed.mean(axis=1, dtype=np.float32)


def _neighbours(
    queries: np.ndarray,
    train_states: np.ndarray,
    train: np.ndarray,
    k: int,
    own: torch.Tensor | None = None,
) -> Neighbours:
    if k < 1 or not len(queries):
        shape = (len(queries), max(k, 0))
        return Neighbours(np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32))
    unit_queries, unit_train = (directions(rows, train_states) for rows in (queries, train_states))
    batches = list(nearest(unit_queries, unit_train, k, own))
    similarity, indices = (torch.cat(parts).numpy() for parts in zip(*batches, strict=True))
    return Neighbours(train[indices], similarity)
