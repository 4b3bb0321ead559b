"""How far train points move between the maps of consecutive snapshots, and whether for a reason.

The notebook fits every snapshot afresh, so its points move even where nothing has changed.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from layerviz.bench.drawing import (
    Sample,
    TimedMaps,
    by_layerviz,
    by_notebook,
    mean_kept,
    mean_trust,
)
from layerviz.bench.figures import Figure
from layerviz.exploring.neighbours import neighbour_overlap

STABLE_OVERLAP = 0.7  # of the 10 nearest train points in the full hidden size
MOVED_GOAL = 1 / 5
CORRELATION_GOAL = 0.25


@dataclass(frozen=True)
class _Movement:
    """How points move in one way of drawing, as :func:`compare` returns it."""

    moved: float | None
    correlation: float
    trust: float
    kept: float


def measure(sample: Sample) -> dict[str, Any]:
    """Draw a sample both ways and compare movements; see :func:`compare`."""
    return compare(sample, by_notebook(sample, with_val=False), by_layerviz(sample))


def compare(sample: Sample, notebook: TimedMaps, layerviz: TimedMaps) -> dict[str, Any]:
    """Compare how points move in two ways of drawing a sample.

    Parameters
    ----------
    sample : Sample
    notebook, layerviz : TimedMaps

    Returns
    -------
    dict
        Per way, medians over layers and pairs of consecutive snapshots: ``moved``, how far stable
        points moved (the median of each pair) as a share of the map's radius, which is the root
        mean square distance of its points from their centre; ``correlation``, Spearman's, of the
        movement of all points with the share of neighbours that changed; and the means of
        ``trust`` and ``kept``, trustworthiness and share of kept neighbours of train.
        ``moved_ratio`` layerviz / notebook; movements are None where no point is stable.
        ``pairs_with_stable_points`` of ``pairs``; ``goals``.
    """
    changed = _changes(sample)
    theirs, ours = (_movement(sample, maps, changed) for maps in (notebook, layerviz))
    pairs = [pair for of_layer in changed for pair in of_layer]
    n_stable = sum(bool(_stable(pair).any()) for pair in pairs)
    ratio = None
    if ours.moved is not None and theirs.moved is not None:
        ratio = ours.moved / theirs.moved
    gain = ours.correlation - theirs.correlation
    return {
        "what": f"movement in t-SNE of {sample.in_words()}",
        "notebook": asdict(theirs),
        "layerviz": asdict(ours),
        "moved_ratio": ratio,
        "correlation_gain": gain,
        "pairs": len(pairs),
        "pairs_with_stable_points": n_stable,
        "goals": {
            "stable points move at most a fifth as far": ratio is not None and ratio <= MOVED_GOAL,
            "trustworthiness of train not lower": ours.trust >= theirs.trust,
            "movement correlates with change, by 0.25 more": gain >= CORRELATION_GOAL,
        },
    }


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return the result as lines of the table of all benches."""
    theirs, ours = result["notebook"], result["layerviz"]
    rows = [
        Figure(
            "alignment", "trustworthiness, train", ours["trust"], "", 1.0, theirs["trust"], True
        ),
        Figure(
            "alignment",
            "rank correlation of movement with change, gain",
            result["correlation_gain"],
            "",
            CORRELATION_GOAL,
            at_least=True,
        ),
    ]
    if result["moved_ratio"] is not None:
        what = "movement of stable points, in radii"
        rows.insert(0, Figure("alignment", what, ours["moved"], "", MOVED_GOAL, theirs["moved"]))
    return rows


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [
        result["what"],
        f"  {'':<10}{'moved':>8}{'rank correlation':>18}{'T train':>9}{'kept':>8}",
    ]
    for name in ("notebook", "layerviz"):
        one = result[name]
        lines.append(
            f"  {name:<10}{_number(one['moved']):>8}{one['correlation']:18.3f}{one['trust']:9.3f}"
            f"{one['kept']:8.3f}"
        )
    lines.append(
        f"  moved, layerviz / notebook {_number(result['moved_ratio'])}, over "
        f"{result['pairs_with_stable_points']} of {result['pairs']} pairs of snapshots with "
        f"stable points; correlation {result['correlation_gain']:+.3f}"
    )
    lines += [f"  {goal}: {'yes' if met else 'NO'}" for goal, met in result["goals"].items()]
    return "\n".join(lines)


def movement(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Return how far points of shape (n, 2) moved, (n,), as a share of the radius before."""
    radius = np.sqrt(np.square(before - before.mean(axis=0)).sum(axis=1).mean())
    return np.linalg.norm(after - before, axis=1) / radius


def _number(number: float | None) -> str:
    return "none" if number is None else f"{number:.3f}"


def _changes(sample: Sample) -> list[list[np.ndarray]]:
    """Return per layer and pair of snapshots which share of neighbours changed, (n_train,)."""
    train = sample.splits == "train"
    splits = sample.splits[train]
    return [
        [
            1 - neighbour_overlap(before[train], after[train], splits)
            for before, after in itertools.pairwise(of_layer)
        ]
        for of_layer in sample.states
    ]


def _stable(changed: np.ndarray) -> np.ndarray:
    return changed <= 1 - STABLE_OVERLAP + 1e-6


def _movement(sample: Sample, maps: TimedMaps, changed: list[list[np.ndarray]]) -> _Movement:
    train = sample.splits == "train"
    moved, correlations = [], []
    for layer_xy, of_layer in zip(maps.xy, changed, strict=True):
        for before, after, change in zip(layer_xy[:-1], layer_xy[1:], of_layer, strict=True):
            distances = movement(before[train], after[train])
            if np.ptp(change):  # where all changed alike, ranks say nothing
                correlations.append(spearmanr(distances, change).statistic)
            if _stable(change).any():
                moved.append(np.median(distances[_stable(change)]))
    return _Movement(
        moved=float(np.median(moved)) if moved else None,
        correlation=float(np.median(correlations)) if correlations else 0.0,
        trust=mean_trust(sample, maps),
        kept=mean_kept(sample, maps),
    )
