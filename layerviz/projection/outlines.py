"""What helps the eye on a map of many points: the middle of each class, and where it is dense.

Both are of the map, in the unit square that it fills, and not of the full hidden size: they say no
more about how far classes are apart than the map does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

SHARES = (0.5, 0.9)  # of a class that its inner and its outer line hold
FEWEST_OUTLINED = 10  # points, of which a density can be drawn
BINS = 32  # of the grid around a class, along each side
MARGIN = 3.5  # kernels around the points, so that lines close
SMOOTHEST, SHARPEST = 0.12, 0.006  # of the kernel, in sides of the square
OUTLINES_NOTE = (
    "Crosses mark the mean position of a class on the map, and lines hold about 50 % and 90 % of "
    "its points there: an aid to the eye, drawn from the map and not from the full hidden size."
)


@dataclass(frozen=True, eq=False)
class Outline:
    """A closed line around where a class is dense on a map.

    Parameters
    ----------
    share : float
        Of the class that lies within this line and the others of the same share, as estimated.
    xy : ndarray of shape (k, 2), float32
        Its corners in the unit square; the last is the first.
    """

    share: float
    xy: np.ndarray


def class_centroids(xy: np.ndarray, labels: np.ndarray, n_classes: int) -> np.ndarray:
    """Return the mean position of each class on a layer's maps.

    Parameters
    ----------
    xy : ndarray of shape (S, n, 2)
        Positions of the examples of one split at S snapshots.
    labels : ndarray of shape (n,)
        Class indices.
    n_classes : int
        C

    Returns
    -------
    ndarray of shape (S, C, 2), float32
        NaN for a class without examples.
    """
    counts = np.bincount(labels, minlength=n_classes)
    sums = np.zeros((n_classes, *xy[:, 0].shape))
    np.add.at(sums, labels, np.moveaxis(xy, 1, 0))
    with np.errstate(invalid="ignore"):  # 0 / 0 of a class without examples
        return np.moveaxis(sums / counts[:, None, None], 0, 1).astype(np.float32)


def density_outlines(
    xy: np.ndarray, shares: Sequence[float] = SHARES, *, bins: int = BINS
) -> list[Outline]:
    """Return lines around the densest part of some points, each holding a share of them.

    The density is a Gaussian kernel estimate with Scott's (1992) bandwidth, on a grid; a line is
    the edge of a highest-density region (Hyndman, 1996), found by marching squares.

    Parameters
    ----------
    xy : ndarray of shape (n, 2)
        Positions in the unit square.
    shares : sequence of float
        Above 0 and below 1.
    bins : int
        Cells of the grid along each side.

    Returns
    -------
    list of Outline
        Of the first share, then of the others; a share has several lines where a class lies in
        several places. Empty for fewer than `FEWEST_OUTLINED` points.
    """
    from scipy.ndimage import gaussian_filter  # see projections.py

    if len(xy) < FEWEST_OUTLINED:
        return []
    spread = float(xy.std(axis=0).mean())
    width = float(np.clip(spread * len(xy) ** (-1 / 6), SHARPEST, SMOOTHEST))
    low, high = xy.min(axis=0) - MARGIN * width, xy.max(axis=0) + MARGIN * width
    cells = (high - low) / bins  # of the grid, along each axis
    limits = list(zip(low, high, strict=True))
    counts = np.histogram2d(xy[:, 0], xy[:, 1], bins=bins, range=limits)[0]
    density = np.pad(gaussian_filter(counts, width / cells, mode="constant"), 1)
    return [
        Outline(share, (low + (line - 0.5) * cells).astype(np.float32))
        for share in shares
        for line in _level_lines(density, _level_of(density, share))
    ]


def _level_of(density: np.ndarray, share: float) -> float:
    """Return the level above which a share of the density's mass lies."""
    cells = np.sort(density.ravel())[::-1]
    mass = np.cumsum(cells)
    return float(cells[np.searchsorted(mass, share * mass[-1])])


def _level_lines(density: np.ndarray, level: float) -> list[np.ndarray]:
    """Return the closed lines, (k, 2) in cells, on which a grid whose border is below has a level.

    Marching squares (Lorensen & Cline, 1987, in two dimensions): a line crosses the sides of the
    squares between neighbouring grid points, and each side is crossed by one line at most.
    """
    above = density > level
    n_above = above[:-1, :-1].astype(int) + above[:-1, 1:] + above[1:, :-1] + above[1:, 1:]
    values, n_columns = density.tolist(), density.shape[1]  # lists: faster for one value at a time
    crossings: dict[int, tuple[float, float]] = {}
    links: dict[int, list[int]] = {}

    def crossing(row: int, column: int, down: int) -> int:
        """Note where the side from a grid point to the next is crossed; return its number."""
        number = 2 * (row * n_columns + column) + down
        if number not in crossings:
            here, there = values[row][column], values[row + down][column + 1 - down]
            part = (level - here) / (there - here)
            crossings[number] = (row + part * down, column + part * (1 - down))
        return number

    for row, column in np.argwhere((n_above > 0) & (n_above < 4)).tolist():
        a, b = values[row][column] > level, values[row][column + 1] > level
        d, c = values[row + 1][column] > level, values[row + 1][column + 1] > level
        sides = ((a, b, 0, 0, 0), (b, c, 0, 1, 1), (c, d, 1, 0, 0), (d, a, 0, 0, 1))
        crossed = [
            crossing(row + below, column + right, down)
            for one, other, below, right, down in sides
            if one != other
        ]
        if len(crossed) == 4:  # a saddle: its middle says which two corners are joined
            middle = density[row : row + 2, column : column + 2].mean() > level
            if a != middle:
                crossed = [crossed[3], *crossed[:3]]
        for one, other in zip(crossed[::2], crossed[1::2], strict=True):
            links.setdefault(one, []).append(other)
            links.setdefault(other, []).append(one)
    return [np.array([crossings[number] for number in line]) for line in _closed_lines(links)]


def _closed_lines(links: dict[int, list[int]]) -> list[list[int]]:
    """Return the rings that links make, each beginning and ending with the same number."""
    left, lines = set(links), []
    while left:
        first = at = min(left)
        line = [first]
        left.discard(first)
        while ahead := [number for number in links[at] if number in left]:
            at = ahead[0]
            left.discard(at)
            line.append(at)
        lines.append([*line, first])
    return lines
