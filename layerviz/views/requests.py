"""Which maps of a run are asked for, and which view of it that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from layerviz import charts
from layerviz.config import COLOURINGS, SPLITS, TRAIN_AND_VAL
from layerviz.data import further_columns
from layerviz.errors import ConfigError, RunError, did_you_mean
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS
from layerviz.runs import Run
from layerviz.views.colouring import ColumnColours, colourings, column_colours
from layerviz.views.legends import Legend, legend_of
from layerviz.wording import quote


@dataclass(frozen=True)
class MapsView:
    """Which maps of a run are shown, and how.

    Parameters
    ----------
    pooling, projection, colouring : str
        The colouring is one of `COLOURINGS`, or the name of a further column.
    layers : tuple of int
        In reading order.
    classes : tuple of int
        Those with a colour of their own.
    splits : tuple of str
        Those whose examples are shown, in the order of `config.SPLITS`. Test is placed into the
        maps where it is among them.
    column : ColumnColours or None
        Where a further column colours the maps.
    """

    pooling: str
    projection: str
    colouring: str
    layers: tuple[int, ...]
    classes: tuple[int, ...]
    splits: tuple[str, ...] = TRAIN_AND_VAL
    column: ColumnColours | None = None

    def as_request(self) -> MapsRequest:
        """Return the request for these maps, at all snapshots."""
        return MapsRequest(**{name: v for name, v in vars(self).items() if name != "column"})

    def legend(self, label_names: Sequence[str]) -> Legend:
        """Return what the colours mean."""
        if self.column is not None:
            return self.column.legend()
        return legend_of(label_names, self.colouring, self.classes)


@dataclass(frozen=True)
class MapsRequest:
    """Which maps of a run are asked for; what is left open, the run decides.

    Parameters
    ----------
    pooling : str or None
        None for the run's first.
    projection : str
        A name of `PROJECTIONS`.
    colouring : str
        One of `COLOURINGS`, or a further column of the run.
    layers : tuple of int
        In reading order; empty for the first four and the last four.
    classes : tuple of int or None
        Classes with a colour of their own; None for all, or the most frequent ones.
    snapshots : tuple of int or None
        Their indices; None for all that were captured.
    splits : tuple of str
        Those whose examples are shown, of `config.SPLITS`.

    Raises
    ------
    ConfigError
        If there is no such projection (an `UnknownNameError`) or split.
    """

    pooling: str | None = None
    projection: str = DEFAULT_PROJECTION
    colouring: str = COLOURINGS[0]
    layers: tuple[int, ...] = ()
    classes: tuple[int, ...] | None = None
    snapshots: tuple[int, ...] | None = None
    splits: tuple[str, ...] = TRAIN_AND_VAL

    def __post_init__(self) -> None:
        _ = PROJECTIONS[self.projection]  # raises if there is none
        if unknown := [split for split in self.splits if split not in SPLITS]:
            raise ConfigError(
                f"There is no split {quote(unknown[0])}.",
                did_you_mean(unknown[0], SPLITS, f"Choose from {', '.join(SPLITS)}."),
            )
        if not self.splits:
            raise ConfigError("No split is chosen.", f"Choose from {', '.join(SPLITS)}.")

    def pooling_of(self, run: Run) -> str:
        """Return the pooling of a run that is asked for.

        Raises
        ------
        ConfigError
            If it has no such pooling.
        """
        pooling = run.poolings[0] if self.pooling is None else self.pooling
        if pooling not in run.poolings:
            raise ConfigError(
                f"Pooling is {quote(pooling)}, which this run does not have.",
                did_you_mean(pooling, run.poolings, f"Choose one of {', '.join(run.poolings)}."),
            )
        return pooling

    def layers_of(self, run: Run) -> tuple[int, ...]:
        """Return the layers of a run that are asked for.

        Raises
        ------
        ConfigError
            If it has no such layer.
        """
        n_layers = int(run.encoder["layers"])
        _check_known("layer", self.layers, range(n_layers + 1))
        return self.layers or first_and_last_layers(n_layers)

    def snapshots_of(self, run: Run) -> tuple[int, ...]:
        """Return the snapshots of a run that are asked for.

        Raises
        ------
        RunError
            If it has none.
        ConfigError
            If it has no such snapshot, or none is asked for.
        """
        captured = tuple(snapshot.index for snapshot in run.snapshots)
        if not captured:
            raise RunError("This run has no snapshot yet.", "Wait for its first one.")
        if self.snapshots is None:
            return captured
        _check_known("snapshot", self.snapshots, captured)
        if not self.snapshots:
            raise ConfigError("No snapshot is chosen.", "Choose at least one.")
        return self.snapshots

    def splits_of(self, run: Run) -> tuple[str, ...]:
        """Return the splits of a run that are asked for, in the order of `config.SPLITS`.

        Raises
        ------
        ConfigError
            If it has no such split.
        """
        counts = run.dataset["counts"]
        if absent := [split for split in self.splits if split not in counts]:
            raise ConfigError(
                f"The data of this run have no {absent[0]} split.",
                f"Choose from {', '.join(split for split in SPLITS if split in counts)}.",
            )
        return tuple(split for split in SPLITS if split in self.splits)

    def column_of(self, examples: pd.DataFrame) -> ColumnColours | None:
        """Return the colours of the further column that is asked for, None where it is none.

        Raises
        ------
        ConfigError
            If there is no such colouring, or the column holds texts.
        """
        if self.colouring in COLOURINGS:
            return None
        columns = {column.name: column for column in further_columns(examples)}
        column = columns.get(self.colouring)
        choices = colourings(columns.values())
        choose = f"Choose one of {', '.join(choices)}."
        if column is None:
            hint = did_you_mean(self.colouring, choices, choose)
            raise ConfigError(f"Colouring is {quote(self.colouring)}.", hint)
        if column.kind == "text":
            raise ConfigError(f"Column {quote(column.name)} holds texts of too many kinds.", choose)
        return column_colours(column, examples)

    def view_of(self, run: Run, examples: pd.DataFrame) -> MapsView:
        """Return the view of a run that is asked for, with nothing left open.

        Parameters
        ----------
        run : Run
        examples : DataFrame
            Those captured.

        Raises
        ------
        ConfigError
            If the run has no such pooling, layer, class, split or further column, or more classes
            are to have a colour than there are colours.
        """
        n_classes, most = len(run.label_names), len(charts.CLASS_COLOURS)
        classes = self.classes
        if classes is None:
            classes = tuple(
                range(n_classes)
                if n_classes <= most
                else charts.most_frequent(examples["label"].to_numpy())
            )
        _check_known("class", classes, range(n_classes))
        if len(classes) > most:
            raise ConfigError(
                f"{len(classes)} classes cannot have colours of their own.",
                f"Choose at most {most}.",
            )
        return MapsView(
            self.pooling_of(run),
            self.projection,
            self.colouring,
            self.layers_of(run),
            classes,
            self.splits_of(run),
            self.column_of(examples),
        )


def _check_known(name: str, chosen: Sequence[int], known: Sequence[int]) -> None:
    if unknown := sorted(set(chosen) - set(known)):
        raise ConfigError(
            f"This run has no {name} {unknown[0]}.", f"Choose from 0 to {max(known)}."
        )


def first_and_last_layers(n_layers: int) -> tuple[int, ...]:
    """Return the first four and the last four layers."""
    first = range(1, min(4, n_layers) + 1)
    last = range(max(1, n_layers - 3), n_layers + 1)
    return tuple(sorted({*first, *last}))
