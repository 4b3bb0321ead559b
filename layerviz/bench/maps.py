"""Time and faithfulness of t-SNE maps against fitting each layer, snapshot and split on its own.

Both ways draw the same hidden states in one process, one after the other. Time is that of all
maps. Faithfulness is the trustworthiness of train, its share of kept neighbours (12, as on the
page), and how many neighbours of val are kept:

- ``val_to_train``: the share of each val point's 12 nearest train points in the full hidden size
  that are among its 12 nearest train points on the map. The notebook fits val by itself, so its
  two pictures share no axes; they are overlaid, each centred and scaled to the same size, as a
  reader does who looks from one to the other.
- ``within_val``: the same among val points alone. It favours the notebook, whose val map is
  fitted to val, while layerviz places each val point without regard to the others.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.neighbors import NearestNeighbors

from layerviz import jobs
from layerviz.bench.drawing import (
    Sample,
    TimedMaps,
    by_layerviz,
    by_notebook,
    mean_kept,
    mean_trust,
)
from layerviz.bench.figures import Figure
from layerviz.projection import NEIGHBOURS

TIME_GOAL = 1 / 4


def measure(sample: Sample) -> dict[str, Any]:
    """Draw a sample both ways and compare time and faithfulness; see :func:`compare`."""
    return compare(sample, by_notebook(sample), by_layerviz(sample))


def compare(sample: Sample, notebook: TimedMaps, layerviz: TimedMaps) -> dict[str, Any]:
    """Compare two ways of drawing a sample.

    Parameters
    ----------
    sample : Sample
    notebook, layerviz : TimedMaps

    Returns
    -------
    dict
        Per way ``seconds``, ``trust`` (of train), ``trust_val``, ``kept`` (of train),
        ``val_to_train`` and ``within_val``, means over layers and snapshots; ``time_ratio``
        layerviz / notebook; ``goals``.
    """
    ways = {
        "notebook": _rated(sample, notebook, joined=False),
        "layerviz": _rated(sample, layerviz, joined=True),
    }
    theirs, ours = ways["notebook"], ways["layerviz"]
    ratio = ours["seconds"] / theirs["seconds"]
    return {
        "what": f"t-SNE of {sample.in_words()}",
        "layers_at_a_time": jobs.map_workers(),
        **ways,
        "time_ratio": ratio,
        "goals": {
            "at most a quarter of the time": ratio <= TIME_GOAL,
            "trustworthiness of train not lower": ours["trust"] >= theirs["trust"],
            "more of val's train neighbours kept": ours["val_to_train"] > theirs["val_to_train"],
        },
    }


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return the result as lines of the table of all benches."""
    theirs, ours = result["notebook"], result["layerviz"]
    what = f"t-SNE, {result['layers_at_a_time']} layers at a time"
    return [
        Figure("maps", what, ours["seconds"], "s", TIME_GOAL, theirs["seconds"]),
        Figure("maps", "trustworthiness, train", ours["trust"], "", 1.0, theirs["trust"], True),
        Figure("maps", "neighbours kept, train", ours["kept"], "", peer=theirs["kept"]),
        Figure(
            "maps",
            "val's train neighbours kept",
            ours["val_to_train"],
            "",
            1.0,
            theirs["val_to_train"],
            True,
        ),
    ]


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [
        f"{result['what']}; layerviz draws {result['layers_at_a_time']} layers at a time",
        f"  {'':<10}{'seconds':>9}{'T train':>9}{'T val':>8}{'kept':>8}"
        f"{'val to train':>14}{'in val':>8}",
    ]
    for name in ("notebook", "layerviz"):
        one = result[name]
        lines.append(
            f"  {name:<10}{one['seconds']:9.1f}{one['trust']:9.3f}{one['trust_val']:8.3f}"
            f"{one['kept']:8.3f}{one['val_to_train']:14.3f}{one['within_val']:8.3f}"
        )
    lines.append(f"  time, layerviz / notebook {result['time_ratio']:.3f}")
    lines += [f"  {goal}: {'yes' if met else 'NO'}" for goal, met in result["goals"].items()]
    return "\n".join(lines)


def neighbours_preserved(
    points: tuple[np.ndarray, np.ndarray], queries: tuple[np.ndarray, np.ndarray] | None = None
) -> float:
    """Return the mean share of nearest points that are nearest on the map, too.

    Parameters
    ----------
    points : tuple of ndarrays of shape (n, D) and (n, 2)
        In the full hidden size and on the map.
    queries : tuple of ndarrays of shape (m, D) and (m, 2), optional
        Those whose neighbours among `points` are looked for; by default each of `points` itself,
        which does not count as its own neighbour.
    """
    full, on_map = (
        NearestNeighbors(n_neighbors=NEIGHBOURS, algorithm="brute")
        .fit(fitted)
        .kneighbors(None if queries is None else queries[space], return_distance=False)
        for space, fitted in enumerate(points)
    )
    return float((full[:, :, None] == on_map[:, None, :]).any(axis=2).mean())


def _rated(sample: Sample, maps: TimedMaps, *, joined: bool) -> dict[str, float]:
    train = sample.splits == "train"
    across, within = [], []
    for of_layer, layer_xy in zip(sample.states, maps.xy, strict=True):
        for states, xy in zip(of_layer, layer_xy, strict=True):
            full = states.astype(np.float32)
            seen = xy if joined else _overlaid(xy, train)
            across.append(
                neighbours_preserved((full[train], seen[train]), (full[~train], seen[~train]))
            )
            within.append(neighbours_preserved((full[~train], xy[~train])))
    return {
        "seconds": maps.seconds,
        "trust": mean_trust(sample, maps),
        "trust_val": mean_trust(sample, maps, "val"),
        "kept": mean_kept(sample, maps),
        "val_to_train": float(np.mean(across)),
        "within_val": float(np.mean(within)),
    }


def _overlaid(xy: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Return both splits centred and with the same mean square distance from their centre."""
    overlaid = xy.astype(np.float64)
    for rows in (train, ~train):
        overlaid[rows] -= overlaid[rows].mean(axis=0)
        overlaid[rows] /= np.sqrt(np.square(overlaid[rows]).sum(axis=1).mean())
    return overlaid
