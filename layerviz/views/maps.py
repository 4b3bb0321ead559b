"""The maps of a run, with everything that a picture of them needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz import charts, runs
from layerviz.config import SPLITS, TRAIN_AND_VAL
from layerviz.progress import (
    DRAWING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
)
from layerviz.projection import PROJECTIONS, LayerMaps
from layerviz.projection.of_run import maps_of_layers
from layerviz.runs import Run
from layerviz.views.legends import Legend
from layerviz.views.requests import MapsRequest, MapsView
from layerviz.views.scores import probe_scores

POINTS_PER_SPLIT = 2000  # that are drawn; of more, a seeded sample


@dataclass(frozen=True, eq=False)
class RunMaps:
    """The maps of a view of a run, with everything that a picture of them needs.

    Parameters
    ----------
    run : Run
    view : MapsView
    examples : DataFrame
        Those captured, N rows.
    rows : ndarray of shape (m,)
        The examples to draw, of the splits of the view.
    by_layer : dict of int to LayerMaps
        The maps of each layer of the view, at S snapshots.
    snapshots : tuple of S ints
    epochs : tuple of S floats
    predictions : list of S DataFrames
        ``predicted`` and ``confidence``, N rows.
    scores : dict of int to ndarray of shape (S, n_splits)
        Per layer the probe's macro-F1 on train, val and, where it is shown, test; NaN where not
        measured.
    sizes : dict of str to int
        Mapped examples of each split of the view.
    """

    run: Run
    view: MapsView
    examples: pd.DataFrame
    rows: np.ndarray
    by_layer: dict[int, LayerMaps]
    snapshots: tuple[int, ...]
    epochs: tuple[float, ...]
    predictions: list[pd.DataFrame]
    scores: dict[int, np.ndarray]
    sizes: dict[str, int]

    @classmethod
    def of(
        cls,
        run: Run,
        view: MapsView,
        snapshots: Sequence[int],
        *,
        examples: pd.DataFrame,
        rows: np.ndarray,
        by_layer: dict[int, LayerMaps],
        predictions: list[pd.DataFrame],
        measures: pd.DataFrame,
    ) -> RunMaps:
        """Put together what was read of a run; `measures` is the table of all its measures."""
        splits = examples["split"].to_numpy()
        scored = SPLITS if "test" in view.splits else TRAIN_AND_VAL
        epoch_of = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
        return cls(
            run=run,
            view=view,
            examples=examples,
            rows=rows,
            by_layer=by_layer,
            snapshots=tuple(snapshots),
            epochs=tuple(epoch_of[index] for index in snapshots),
            predictions=predictions,
            scores=probe_scores(measures, view.pooling, view.layers, snapshots, scored),
            sizes={split: int((splits == split).sum()) for split in view.splits},
        )

    @property
    def splits(self) -> np.ndarray:
        return self.examples["split"].to_numpy()

    @property
    def labels(self) -> np.ndarray:
        return self.examples["label"].to_numpy()

    def colours(self) -> list[np.ndarray]:
        """Return the index of each example's colour in `charts.PALETTE`, one array per snapshot."""
        if self.view.column is not None:
            return [self.view.column.codes(self.examples)] * len(self.predictions)
        return charts.colour_codes(
            self.view.colouring,
            self.labels,
            self.predictions,
            self.view.classes,
            len(self.run.label_names),
        )

    def legend(self) -> Legend:
        """Return what the colours mean."""
        return self.view.legend(self.run.label_names)

    def coloured_by(self) -> tuple[str, list[str]] | None:
        """Return the further column that colours the maps, and what it says of each drawn point."""
        column = self.view.column
        if column is None:
            return None
        return column.title, column.values_in_words(self.examples.iloc[self.rows])

    def points(self) -> pd.DataFrame:
        """Return the `points` of `charts.layer_maps`, those of test included where it is shown."""
        positions = {layer: maps.in_unit_square() for layer, maps in self.by_layer.items()}
        return charts.points_frame(
            positions, self.splits, self.rows, self.predictions, self.colours()
        )

    def n_beyond(self) -> int:
        """Return how many of the drawn test examples lie beyond the edge of one of the maps."""
        placed = [maps for maps in self.by_layer.values() if maps.placed_later is not None]
        beyond = [maps.beyond_square()[self.rows] for maps in placed]
        return int(np.any(beyond, axis=0).sum()) if beyond else 0

    def texts(self) -> pd.DataFrame:
        """Return the `examples` of `charts.layer_maps`."""
        names = runs.names_of(self.run, self.examples.iloc[self.rows])
        frame = charts.examples_frame(self.examples, self.run.label_names, self.rows, names)
        coloured = self.coloured_by()
        return frame if coloured is None else frame.assign(value=coloured[1])

    def panels(
        self,
        n_slots: int | None = None,
        *,
        projection: str = "",
        names: Mapping[int, str] | None = None,
        when: str = "",
    ) -> pd.DataFrame:
        """Return the `panels` of `charts.layer_maps`.

        Parameters
        ----------
        n_slots : int, optional
            Positions of the slider, by default one per snapshot.
        projection : str
            What the headings call it, by default its label.
        names, when
            As in `charts.panels_frame`.
        """
        return charts.panels_frame(
            {layer: maps.trust for layer, maps in self.by_layer.items()},
            self.epochs,
            self.sizes,
            len(self.epochs) if n_slots is None else n_slots,
            self.scores,
            projection or PROJECTIONS[self.view.projection].label,
            names,
            when,
            {layer: maps.kept for layer, maps in self.by_layer.items() if maps.kept is not None},
        )

    def projection_in_words(self) -> str:
        """Name the projection, and how many points are drawn if not all of them are."""
        label = PROJECTIONS[self.view.projection].label
        if len(self.rows) == sum(self.sizes.values()):
            return label
        which = "both" if len(self.sizes) == 2 else "all"
        return f"{label} · {len(self.rows):,} points of {which} drawn"


def collect_maps(
    run: Run,
    request: MapsRequest,
    *,
    most_per_split: int = POINTS_PER_SPLIT,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> RunMaps:
    """Return the maps that are asked for, from the run's folder; missing ones are drawn.

    Parameters
    ----------
    run : Run
        With at least one snapshot.
    request : MapsRequest
    most_per_split : int
        Of more examples, a seeded sample is drawn.
    on_progress : callable
        Called with a `Progress` that counts layers.
    should_stop : callable
        Asked before each layer, and while stored maps are drawn.

    Raises
    ------
    RunError
        If the run has no snapshot.
    ConfigError
        If the run has no such pooling, layer, class, snapshot or split.
    Cancelled
        If `should_stop` answers true.
    """
    snapshots = request.snapshots_of(run)
    examples = runs.read_examples(run.path)
    view = request.view_of(run, examples)
    by_layer = maps_of_layers(
        run,
        view.projection,
        view.pooling,
        view.layers,
        snapshots,
        lambda n_done: on_progress(Progress(DRAWING, n_done, len(view.layers))),
        should_stop,
        splits=view.splits,
    )
    return RunMaps.of(
        run,
        view,
        snapshots,
        examples=examples,
        rows=charts.sample_rows(examples["split"].to_numpy(), most_per_split, of=view.splits),
        by_layer=by_layer,
        predictions=[runs.read_predictions(run.path, index) for index in snapshots],
        measures=runs.read_separability(run.path),
    )
