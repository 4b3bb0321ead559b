"""What of a run is taken away: a view of its maps, gathered from its folder alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from layerviz import charts, runs
from layerviz.config import TRAIN_AND_VAL
from layerviz.errors import ConfigError, RunError
from layerviz.progress import (
    DRAWING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
    stop_if_asked,
)
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS, LayerMaps
from layerviz.projection.of_run import maps_of_layer
from layerviz.runs import Run
from layerviz.separability import HEAD

LEGEND_TITLES = {
    "label": "Label",
    "prediction": "Predicted",
    "right or wrong": "Predicted",
    "confidence": "Confidence",
}
POINTS_PER_SPLIT = 2000  # that are drawn; of more, a seeded sample


@dataclass(frozen=True)
class MapsView:
    """Which maps of a run to take away.

    Parameters
    ----------
    pooling : str
        One of the run's.
    projection : str
        A name of `PROJECTIONS`.
    colouring : str
        One of `charts.COLOURINGS`.
    layers : tuple of int
        In reading order; empty for the first four and the last four.
    classes : tuple of int or None
        Classes with a colour of their own; None for all, or the most frequent ones.
    snapshots : tuple of int or None
        Their indices; None for all that are there.

    Raises
    ------
    ConfigError
        If a word is unknown; an `UnknownNameError` if it is the projection.
    """

    pooling: str = "mean"
    projection: str = DEFAULT_PROJECTION
    colouring: str = "label"
    layers: tuple[int, ...] = ()
    classes: tuple[int, ...] | None = None
    snapshots: tuple[int, ...] | None = None

    def __post_init__(self) -> None:
        for name, choices in (("colouring", charts.COLOURINGS),):
            if getattr(self, name) not in choices:
                raise ConfigError(
                    f"{name.capitalize()} is {getattr(self, name)!r:.40}.",
                    f"Choose one of {', '.join(choices)}.",
                )
        PROJECTIONS[self.projection]


@dataclass(frozen=True, eq=False)
class DrawnMaps:
    """A view of a run with everything that its pictures need.

    Parameters
    ----------
    run : Run
    view : MapsView
        With nothing left open.
    examples : DataFrame
        Those captured, N rows.
    rows : ndarray of shape (m,)
        The examples to draw, of train and val.
    maps : dict of int to LayerMaps
        Per layer, at the S snapshots of the view.
    predictions : list of S DataFrames
        ``predicted`` and ``confidence``, N rows.
    scores : dict of int to ndarray of shape (S, 2)
        Per layer the probe's macro-F1 on train and val; NaN where not measured.
    epochs : tuple of S floats
    sizes : dict of str to int
        Mapped examples of train and val.
    """

    run: Run
    view: MapsView
    examples: pd.DataFrame
    rows: np.ndarray
    maps: dict[int, LayerMaps]
    predictions: list[pd.DataFrame]
    scores: dict[int, np.ndarray]
    epochs: tuple[float, ...]
    sizes: dict[str, int]

    @property
    def splits(self) -> np.ndarray:
        return self.examples["split"].to_numpy()

    @property
    def labels(self) -> np.ndarray:
        return self.examples["label"].to_numpy()

    def colours(self) -> list[np.ndarray]:
        """Return each example's place in `charts.PALETTE`, one array per snapshot."""
        return charts.colour_codes(
            self.view.colouring,
            self.labels,
            self.predictions,
            self.view.classes or (),
            len(self.run.label_names),
        )

    def legend(self) -> list[tuple[str, str]]:
        """Return names and colours of the legend; empty where colours are confidences."""
        return legend_entries(self.run.label_names, self.view.colouring, self.view.classes or ())

    def legend_title(self) -> str:
        """Say what the colours tell."""
        return LEGEND_TITLES[self.view.colouring]

    def projection_in_words(self) -> str:
        """Name the projection, and how many points are drawn if not all of them are."""
        name = PROJECTIONS[self.view.projection].label
        if len(self.rows) == sum(self.sizes.values()):
            return name
        return f"{name} · {len(self.rows):,} points of both drawn"


# --- maps -----------------------------------------------------------------------------------


def draw_maps(
    run: Run,
    view: MapsView,
    *,
    most_per_split: int = POINTS_PER_SPLIT,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> DrawnMaps:
    """Gather what the pictures of a view need; missing ones that are stored are drawn first.

    Parameters
    ----------
    run : Run
        With at least one snapshot.
    view : MapsView
    most_per_split : int
        Of more examples, a seeded sample is drawn.
    on_progress : callable
        Called with a `Progress` that counts layers.
    should_stop : callable
        Asked before each layer, and while maps are drawn that are stored.

    Raises
    ------
    RunError
        If the run has no snapshot.
    ConfigError
        If the run has no such layer, class or snapshot.
    Cancelled
        If `should_stop` answers true.
    """
    examples = runs.read_examples(run.path) if run.snapshots else None
    if examples is None:
        raise RunError("This run has no snapshot yet.", "Wait for its first one.")
    view = completed(run, view, examples["label"].to_numpy())
    splits = examples["split"].to_numpy()
    maps = {}
    for place, layer in enumerate(view.layers):
        stop_if_asked(should_stop)
        maps[layer] = maps_of_layer(
            run, view.projection, view.pooling, layer, view.snapshots, should_stop
        )
        on_progress(Progress(DRAWING, place + 1, len(view.layers)))
    table = runs.read_separability(run.path)
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    return DrawnMaps(
        run=run,
        view=view,
        examples=examples,
        rows=charts.drawn_rows(splits, most_per_split),
        maps=maps,
        predictions=[runs.read_predictions(run.path, index) for index in view.snapshots],
        scores=probe_scores(table, view.pooling, view.layers, view.snapshots),
        epochs=tuple(epochs[index] for index in view.snapshots),
        sizes={split: int((splits == split).sum()) for split in TRAIN_AND_VAL},
    )


def completed(run: Run, view: MapsView, labels: np.ndarray) -> MapsView:
    """Return `view` with nothing left open, checked against what the run holds."""
    n_layers, n_classes = int(run.encoder["layers"]), len(run.label_names)
    there = tuple(snapshot.index for snapshot in run.snapshots)
    if view.pooling not in run.poolings:
        raise ConfigError(
            f"Pooling is {view.pooling!r:.40}, which this run does not have.",
            f"Choose one of {', '.join(run.poolings)}.",
        )
    layers = view.layers or first_and_last(n_layers)
    snapshots = there if view.snapshots is None else view.snapshots
    classes = view.classes
    if classes is None:
        few = n_classes <= len(charts.CLASS_COLOURS)
        classes = tuple(range(n_classes) if few else charts.most_frequent(labels))
    for name, chosen, known in (
        ("layer", layers, range(n_layers + 1)),
        ("snapshot", snapshots, there),
        ("class", classes, range(n_classes)),
    ):
        if unknown := sorted(set(chosen) - set(known)):
            raise ConfigError(
                f"This run has no {name} {unknown[0]}.", f"Choose from 0 to {max(known)}."
            )
    if not snapshots:
        raise ConfigError("No snapshot is chosen.", "Choose one at least.")
    if len(classes) > (most := len(charts.CLASS_COLOURS)):
        raise ConfigError(
            f"{len(classes)} classes cannot have colours of their own.", f"Choose at most {most}."
        )
    return replace(view, layers=layers, classes=classes, snapshots=snapshots)


def first_and_last(n_layers: int) -> tuple[int, ...]:
    """Return the first four and the last four layers."""
    first = range(1, min(4, n_layers) + 1)
    last = range(max(1, n_layers - 3), n_layers + 1)
    return tuple(sorted({*first, *last}))


# --- frames that the page needs, too ----------------------------------------------------------


def probe_scores(
    table: pd.DataFrame, pooling: str, layers: Sequence[int], snapshots: Sequence[int]
) -> dict[int, np.ndarray]:
    """Return the probe's macro-F1 on train and val from the table of measures.

    Parameters
    ----------
    table : DataFrame
        As ``separability.csv``.
    pooling : str
    layers, snapshots : sequences of int

    Returns
    -------
    dict of int to ndarray of shape (S, 2)
        Per layer; NaN where not measured.
    """
    part = table[(table["measure"] == "probe_macro_f1") & (table["pooling"] == pooling)]
    values = part.set_index(["layer", "snapshot", "split"])["value"].to_dict()
    return {
        layer: np.array(
            [
                [values.get((layer, at, split), np.nan) for split in TRAIN_AND_VAL]
                for at in snapshots
            ]
        )
        for layer in layers
    }


def legend_entries(
    label_names: Sequence[str], colouring: str, classes: Sequence[int]
) -> list[tuple[str, str]]:
    """Return what the colours mean as (name, colour); empty where they are confidences."""
    if colouring == "confidence":
        return []
    if colouring == "right or wrong":
        return [("right", charts.RIGHT_COLOUR), ("wrong", charts.WRONG_COLOUR)]
    entries = [
        (label_names[index], colour)
        for index, colour in zip(classes, charts.CLASS_COLOURS, strict=False)
    ]
    if others := len(label_names) - len(classes):
        entries.append((f"{others:,} other classes", charts.OTHER_COLOUR))
    return entries


def head_scores(table: pd.DataFrame) -> Mapping[int, float]:
    """Return the val macro-F1 of the model's own classifier, by snapshot."""
    part = table[(table["measure"] == "probe_macro_f1") & (table["split"] == "val")]
    return part[part["pooling"] == HEAD].set_index("snapshot")["value"].to_dict()
