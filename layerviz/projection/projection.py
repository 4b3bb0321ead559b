"""What a projection is: everything that page, command line, jobs and exports need of one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from layerviz.numerics import or_zero, within_range
from layerviz.progress import OnProgress, ShouldStop
from layerviz.projection.layer_maps import LayerMaps
from layerviz.registry import NAME_PATTERN
from layerviz.wording import quote


@dataclass(frozen=True, eq=False)
class LayerStates:
    """The hidden states of one layer at S snapshots: what a projection maps.

    Parameters
    ----------
    states : sequence of S ndarrays of shape (N, D)
        Pooled hidden states, one array per snapshot. One with values that are no numbers cannot be
        drawn and counts as zeros: all of its points are one.
    splits : ndarray of shape (N,)
        Name of each row's split; the rows of ``train`` fit the map.
    labels : ndarray of shape (N,)
        Class of each row; only those of train may be looked at.
    seed : int
        Of whatever is drawn at random.
    """

    states: Sequence[np.ndarray]
    splits: np.ndarray
    labels: np.ndarray
    seed: int

    def __post_init__(self) -> None:
        drawable = [within_range(or_zero(state)) for state in self.states]
        object.__setattr__(self, "states", drawable)

    def at_rows(self, rows: np.ndarray) -> LayerStates:
        """Return the states of some rows, `rows` of shape (N,), bool."""
        if rows.all():
            return self
        return LayerStates(
            [state[rows] for state in self.states], self.splits[rows], self.labels[rows], self.seed
        )

    @property
    def train(self) -> np.ndarray:
        """Which rows fit the map, shape (N,), bool."""
        return self.splits == "train"


class Draw(Protocol):
    """Maps a layer at all of its snapshots."""

    def __call__(
        self,
        layer: LayerStates,
        earlier: LayerMaps | None,
        on_progress: OnProgress,
        should_stop: ShouldStop,
    ) -> LayerMaps:
        """Return maps of all snapshots.

        `earlier` holds those of the first ones, as drawn before, for a projection that continues
        them; it is always None for others, and for those that are not stored. Raises `Cancelled`
        where `should_stop` answers true.
        """
        ...


class Place(Protocol):
    """Places new points in a map that was drawn; nothing is refitted."""

    def __call__(
        self, layer: LayerStates, xy: np.ndarray, vectors: np.ndarray, at: int
    ) -> np.ndarray:
        """Return positions of shape (m, 2), float32, in the coordinates of `xy`.

        `layer` holds the snapshots that `Projection.placed_by` names, `at` is the position among
        them of the one that `xy`, the map of shape (N, 2), and `vectors`, the new states of shape
        (m, D), belong to.
        """
        ...


class PlaceAll(Protocol):
    """Places new points in the maps of all snapshots; nothing is refitted."""

    def __call__(self, layer: LayerStates, vectors: Sequence[np.ndarray], /) -> list[np.ndarray]:
        """Return positions of shape (m, 2), float32, per snapshot.

        `layer` holds the snapshots that were drawn together, and `vectors` the states of the new
        points, (m, D), at each of them.
        """
        ...


def no_notes(n_classes: int) -> tuple[str, ...]:  # noqa: ARG001
    """Return no sentences."""
    return ()


@dataclass(frozen=True, eq=False)
class Projection:
    """One way to map a layer into the plane.

    Parameters
    ----------
    name : str
        In files, addresses and on the command line: lower-case letters, digits and underscores.
    label : str
        On the page and in headings.
    help : str
        What it shows, in half a sentence that follows the label and a colon.
    reading : str
        How to read it: the sentences that follow its label in ``.readme/maps.md``, in Markdown.
    draw : Draw
        It is given train and val alone, whatever else a run has captured.
    place : Place
    stored : bool
        Whether it takes too long for a page: its maps are then drawn off the page and kept in the
        run's folder. Others are drawn whenever they are looked at.
    continues : bool
        Whether stored maps of the first snapshots are kept when there are more: they are given to
        `draw`. Otherwise all snapshots are drawn again.
    placed_by : {"all snapshots", "own snapshot"}
        Which hidden states `place` needs: those of all snapshots that were drawn together, or only
        those of the snapshot that the new points belong to.
    uses_labels : bool
        Whether it looks at the labels of train; the reader is warned.
    explains_variance : bool
        Whether `LayerMaps.explained` says how much of the variance its axes show.
    refits : bool
        Whether a new snapshot moves the points of earlier ones.
    place_all : PlaceAll or None
        Does what `place` does at every snapshot, where one fit serves them all.
    notes : callable
        Given the number of classes, what a reader must know before believing the maps, in
        sentences, beyond what the flags above say.
    """

    name: str
    label: str
    help: str
    reading: str
    draw: Draw
    place: Place
    stored: bool = False
    continues: bool = False
    placed_by: Literal["all snapshots", "own snapshot"] = "own snapshot"
    uses_labels: bool = False
    explains_variance: bool = False
    refits: bool = False
    place_all: PlaceAll | None = None
    notes: Callable[[int], tuple[str, ...]] = no_notes

    def __post_init__(self) -> None:
        if not re.fullmatch(NAME_PATTERN, self.name):
            raise ValueError(f"{quote(self.name)} cannot be the name of a projection")
