"""The middle of each class on the maps of a view, and lines around where it is dense."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from layerviz.projection import class_centroids, density_outlines
from layerviz.views.maps import RunMaps


def centroids_frame(maps: RunMaps) -> pd.DataFrame:
    """Return the mean position of each class, of all mapped examples whether or not drawn.

    Of the map alone, as `projection.OUTLINES_NOTE` says to readers.

    Parameters
    ----------
    maps : RunMaps

    Returns
    -------
    DataFrame
        One row per layer, split of the view and class that it holds: ``layer``, ``split``,
        ``label`` (class index), ``n`` (examples), ``newest`` and, as `RunMaps.points` has them,
        ``x0``, ``y0``, ... in the unit square per snapshot.
    """
    n_classes, frames = len(maps.run.label_names), []
    for layer, split, xy, labels in _classes_on_maps(maps):
        counts = np.bincount(labels, minlength=n_classes)
        held = np.flatnonzero(counts)
        means = class_centroids(xy, labels, n_classes)[:, held]  # (S, held classes, 2)
        columns: dict[str, object] = {"layer": layer, "split": split, "label": held}
        columns |= {"n": counts[held], "newest": len(xy) - 1}
        for at, of_snapshot in enumerate(means):
            columns |= {f"x{at}": of_snapshot[:, 0], f"y{at}": of_snapshot[:, 1]}
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def outlines_frame(maps: RunMaps, at: int) -> pd.DataFrame:
    """Return lines around where each class is dense on the maps of one snapshot.

    Parameters
    ----------
    maps : RunMaps
    at : int
        Position of the snapshot among those of `maps`.

    Returns
    -------
    DataFrame
        One row per corner: ``layer``, ``split``, ``label`` (class index), ``share`` (that the lines
        of this share hold, see `density_outlines`), ``line`` (its number), ``order`` (of the
        corner in its line), ``x``, ``y`` in the unit square.
    """
    corners: list[np.ndarray] = []
    lines: list[tuple[int, str, int, float, int]] = []
    for layer, split, xy, labels in _classes_on_maps(maps):
        for label in np.unique(labels):
            for outline in density_outlines(xy[at, labels == label]):
                lines.append((layer, split, int(label), outline.share, len(lines)))
                corners.append(outline.xy)
    columns = ["layer", "split", "label", "share", "line"]
    sizes = [len(line) for line in corners]
    frame = pd.DataFrame(lines, columns=columns).loc[np.repeat(np.arange(len(lines)), sizes)]
    frame["order"] = np.concatenate([np.arange(size) for size in sizes] or [np.zeros(0, int)])
    frame[["x", "y"]] = np.concatenate(corners or [np.zeros((0, 2), np.float32)])
    return frame.reset_index(drop=True)


def _classes_on_maps(maps: RunMaps) -> Iterator[tuple[int, str, np.ndarray, np.ndarray]]:
    """Yield layer, split, positions (S, n, 2) in the unit square and labels (n,), map by map."""
    for layer, of_layer in maps.by_layer.items():
        square = of_layer.in_unit_square()
        for split in maps.view.splits:
            rows = np.flatnonzero(maps.splits == split)
            yield layer, split, square[:, rows], maps.labels[rows]
