"""What happened to single examples: predictions that flipped, layers that know, neighbours lost."""

from __future__ import annotations

import numpy as np
import pandas as pd

from layerviz.exploring.neighbours import NEIGHBOURS, neighbour_overlap

FLIP_OUTCOMES = ("learned", "forgotten", "wavered")


def flips(predicted: np.ndarray, labels: np.ndarray, *, first: int = 1) -> pd.DataFrame:
    """List the examples whose prediction changed from one snapshot to the next.

    Forgetting events are those of Toneva et al. (2019), "An empirical study of example forgetting
    during deep neural network learning", counted from snapshot to snapshot. By default the
    snapshot before training is left out: the head is still random, so nearly every example would
    seem to flip. With only two snapshots, both are compared.

    Parameters
    ----------
    predicted : ndarray of shape (S, N)
        Class indices that the classifier gives at each snapshot.
    labels : ndarray of shape (N,)
        Class indices.
    first : int
        The snapshot to begin with, if it leaves two or more; otherwise all are used.

    Returns
    -------
    DataFrame
        ``row``, ``n_flips``, ``last_flip`` (position of the snapshot at which the prediction last
        changed) and ``outcome``: ``learned`` (wrong at the first of these snapshots, right at the
        last), ``forgotten`` (wrong at the last, right at some earlier one), else ``wavered``.
        Most flips first, then the latest.
    """
    first = first if len(predicted) - first >= 2 else 0
    predicted = predicted[first:]
    changed = predicted[1:] != predicted[:-1]  # (S - first - 1, N)
    rows = np.flatnonzero(changed.any(axis=0))
    right = predicted == labels  # (S - first, N)
    learned = ~right[0] & right[-1]
    forgotten = ~right[-1] & right[:-1].any(axis=0)
    outcome = np.select([learned, forgotten], FLIP_OUTCOMES[:2], FLIP_OUTCOMES[2])
    steps = np.arange(first + 1, first + 1 + len(changed))[:, None]
    last = np.where(changed, steps, 0).max(axis=0, initial=0)
    flipped = pd.DataFrame(
        {
            "row": rows,
            "n_flips": changed.sum(axis=0)[rows],
            "last_flip": last[rows],
            "outcome": outcome[rows],
        }
    )
    return _in_order(flipped, ["n_flips", "last_flip"], ascending=False)


def earliest_layer(right: np.ndarray) -> np.ndarray:
    """Return the earliest layer from which on all layers' probes are right.

    Parameters
    ----------
    right : ndarray of shape (L, N), bool
        Whether the probe of layers 1 to L gets each example right, at one snapshot.

    Returns
    -------
    ndarray of shape (N,), int64
        1 to L; 0 where the last layer is wrong.
    """
    n_right_at_the_end = np.logical_and.accumulate(right[::-1], axis=0).sum(axis=0)
    return np.where(n_right_at_the_end > 0, len(right) - n_right_at_the_end + 1, 0)


def only_late(right: np.ndarray) -> pd.DataFrame:
    """List the examples that only the last layers get right.

    These are the rows for which a layer in the last third of the layers is the first whose probe is
    right, and all layers after it are right, too: no earlier layer was right, not even by chance.
    Probes were trained on the train rows, most of which every layer gets right for that reason, so
    the val rows are the ones to look at.

    Parameters
    ----------
    right : ndarray of shape (L, N), bool
        As in `earliest_layer`.

    Returns
    -------
    DataFrame
        ``row`` and ``first_layer``, the latest first.
    """
    first_layer = earliest_layer(right)
    never_before = right.sum(axis=0) == len(right) - first_layer + 1
    late = (first_layer > 1) & (3 * first_layer > 2 * len(right))
    rows = np.flatnonzero(late & never_before)
    late_rows = pd.DataFrame({"row": rows, "first_layer": first_layer[rows]})
    return _in_order(late_rows, ["first_layer"], ascending=False)


def neighbour_changes(
    states_before: np.ndarray,
    states_after: np.ndarray,
    splits: np.ndarray,
    *,
    k: int = NEIGHBOURS,
) -> pd.DataFrame:
    """List all examples by how many of their nearest train rows changed.

    Parameters
    ----------
    states_before, states_after : ndarrays of shape (N, D)
        States of one layer at two snapshots.
    splits : ndarray of shape (N,)
    k : int

    Returns
    -------
    DataFrame
        ``row`` and ``overlap``, the share of the k nearest train rows that stayed, least first.
    """
    overlap = neighbour_overlap(states_before, states_after, splits, k=k)
    changes = pd.DataFrame({"row": np.arange(len(overlap)), "overlap": overlap})
    return _in_order(changes, ["overlap"], ascending=True)


def _in_order(events: pd.DataFrame, by: list[str], *, ascending: bool) -> pd.DataFrame:
    """Sort; examples that are equal in all of `by` stay in the order of the examples."""
    return events.sort_values(by, ascending=ascending, kind="stable", ignore_index=True)
