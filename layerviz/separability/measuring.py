"""All measures of one snapshot, for every pooling and layer, as one table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
import torch

from layerviz.config import SPLITS, TRAIN_AND_VAL
from layerviz.numerics import or_zero, relative_spread, well_scaled
from layerviz.progress import (
    MEASURING,
    OnProgress,
    Progress,
    ShouldStop,
    ignore,
    never,
    stop_if_asked,
)
from layerviz.separability.control_task import control_labels
from layerviz.separability.measures import (
    MEASURES,
    ChangeMeasure,
    ControlPredictions,
    Estimate,
    LabelledStates,
    LayerChange,
    LayerMeasure,
    Measure,
    PredictionMeasure,
    Predictions,
    SplitResamples,
)
from layerviz.separability.naming import HEAD, NOT_SEARCHED, SPREAD
from layerviz.separability.probe import Probe, fit_probe
from layerviz.wording import quote

MEASURE_COLUMNS = ("pooling", "layer", "measure", "split", "value", "low", "high")
THREADS = torch.get_num_threads()  # asked once: while layers are measured, the answer may be 1

Value = TypeVar("Value")
Row = tuple[str, int, str, str, float, float, float]  # as MEASURE_COLUMNS


@dataclass(frozen=True)
class SnapshotMeasures:
    """The measures of one snapshot.

    Parameters
    ----------
    table : DataFrame
        Columns `MEASURE_COLUMNS`; ``low`` and ``high`` are NaN where no interval is computed.
        Beside the measures it holds the ``strength`` of each probe's penalty, whether it
        ``converged``, and the ``spread`` of the layer's states (`relative_spread`). Where states
        are not all finite numbers, nothing is measured: every value is NaN.
    predicted : dict of str to ndarray of shape (L + 1, N), int16
        Per pooling, the class index that each layer's probe predicts for each example.
    scores : dict of str to ndarray of shape (L + 1, N, C), float16
        Per pooling, the log-probabilities of the classes, as in `Probe`.
    hits : dict of str to ndarray of shape (L + 1, N), uint8
        Per pooling, how many of each val example's nearest train examples are of its class, 255
        for the others. Empty without val.
    """

    table: pd.DataFrame
    predicted: dict[str, np.ndarray]
    scores: dict[str, np.ndarray]
    hits: dict[str, np.ndarray]


@dataclass(frozen=True)
class _MeasuredLayer:
    """A layer's probe, (measure, split, value) of its states, its hits, shape (N,), its spread."""

    probe: Probe
    values: list[tuple[str, str, float]]
    hits: np.ndarray
    spread: float


def measure_layers(
    pooled: Mapping[str, np.ndarray],
    examples: pd.DataFrame,
    head: np.ndarray,
    *,
    first: Mapping[str, np.ndarray] | None,
    seed: int,
    n_classes: int | None = None,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> SnapshotMeasures:
    """Measure how each layer separates the classes, in the full hidden size.

    Parameters
    ----------
    pooled : mapping of str to ndarray of shape (L + 1, N, D)
        Hidden states per pooling.
    examples : DataFrame
        ``split``, ``label`` (class index) and, for selectivity, ``text``; N rows. There must be
        train rows.
    head : ndarray of shape (N,)
        Class indices that the model's own classifier predicts.
    first : mapping like `pooled` or None
        The states before training; None where these are they.
    seed : int
        Of folds, shuffles and resamples.
    n_classes : int, optional
        How many classes there are; by default as many as the examples' labels need.
    on_progress : callable
        Called with a `Progress` that counts cells.
    should_stop : callable
        Asked before each cell.

    Returns
    -------
    SnapshotMeasures

    Raises
    ------
    Cancelled
        If `should_stop` answers true.
    """
    splits, labels = examples["split"].to_numpy(), examples["label"].to_numpy()
    n_classes = n_classes or int(labels.max()) + 1
    control = _control_of(examples, seed)
    resamples = SplitResamples(splits, labels, seed)
    n_cells = sum(len(states) for states in pooled.values())
    rows: list[Row] = []
    predicted: dict[str, np.ndarray] = {}
    scores: dict[str, np.ndarray] = {}
    hits: dict[str, np.ndarray] = {}
    n_measured = 0
    for pooling, states in pooled.items():
        layers: list[_MeasuredLayer] = []
        for layer in _each_layer(
            states, labels, splits, seed=seed, n_classes=n_classes, control=control
        ):
            stop_if_asked(should_stop)
            rows += [_row(pooling, len(layers), *value) for value in layer.values]
            layers.append(layer)
            n_measured += 1
            on_progress(Progress(MEASURING, n_measured, n_cells))
        if "val" in resamples.rows:
            hits[pooling] = np.stack([layer.hits for layer in layers])
        probes = [layer.probe for layer in layers]
        predicted[pooling] = np.stack([probe.predicted for probe in probes])
        scores[pooling] = np.stack([probe.scores for probe in probes])
        predictions = Predictions(
            predicted[pooling],
            resamples,
            scores=scores[pooling],
            shuffled=np.stack([probe.shuffled for probe in probes]),
            control=_control_predictions(control, probes),
        )
        measured = np.isfinite([layer.spread for layer in layers])
        rows += _prediction_rows(pooling, range(len(states)), predictions, measured)
        rows += _bookkeeping_rows(pooling, layers)
        before = states if first is None else first[pooling]
        changes = _change_rows(pooling, states, before, splits == "train")
        rows += [row if measured[row[1]] else _row(*row[:4], np.nan) for row in changes]
    last_layer = len(next(iter(pooled.values()))) - 1
    rows += _prediction_rows(
        HEAD, [last_layer], Predictions(head[None], resamples), np.array([True])
    )
    table = pd.DataFrame(rows, columns=list(MEASURE_COLUMNS))
    return SnapshotMeasures(table, predicted, scores, hits)


def _control_of(examples: pd.DataFrame, seed: int) -> np.ndarray | None:
    if "text" not in examples:
        return None
    train = (examples["split"] == "train").to_numpy()
    return control_labels(examples["text"].tolist(), examples["label"].to_numpy(), train, seed)


def _control_predictions(
    labels: np.ndarray | None, probes: Sequence[Probe]
) -> ControlPredictions | None:
    predicted = [probe.control for probe in probes if probe.control is not None]
    if labels is None or not predicted:
        return None
    return ControlPredictions(labels, np.stack(predicted))


def _row(pooling: str, layer: int, measure: str, split: str, value: float) -> Row:
    return pooling, layer, measure, split, value, np.nan, np.nan


def _each_layer(
    states: np.ndarray,
    labels: np.ndarray,
    splits: np.ndarray,
    *,
    seed: int,
    n_classes: int,
    control: np.ndarray | None,
) -> Iterator[_MeasuredLayer]:
    """Yield for each layer what is computed from its states.

    Several layers are under way at a time. The matrices are small: a thread for each layer gets
    more done than threads inside a product.
    """
    train, mapped = splits == "train", np.isin(splits, TRAIN_AND_VAL)

    def one(state: np.ndarray) -> _MeasuredLayer:
        torch.set_num_threads(1)  # of this thread
        probe = fit_probe(state, labels, train, seed=seed, n_classes=n_classes, control=control)
        spread = relative_spread(state)
        hits = np.full(len(splits), NOT_SEARCHED, dtype=np.uint8)
        is_measured = bool(np.isfinite(spread))
        # The hits and the names of what is measured are those of zeros where there are no numbers.
        part = well_scaled(state[mapped]) if is_measured else or_zero(state)[mapped]
        layer = LabelledStates(part.astype(np.float32), labels[mapped], train[mapped], seed)
        if layer.has_val:
            hits[splits == "val"] = layer.hits.sum(axis=1)
        values = _layer_values(layer)
        if not is_measured:
            values = [(name, split, np.nan) for name, split, _ in values]
        return _MeasuredLayer(probe, values, hits, spread)

    pool = ThreadPoolExecutor(THREADS)
    try:
        yield from pool.map(one, states)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(THREADS)  # new threads would take over the 1


def _layer_values(layer: LabelledStates) -> list[tuple[str, str, float]]:
    """Return (measure, split, value), those of train first."""
    values = [
        (measure.name, split, value)
        for measure in MEASURES.values()
        if isinstance(measure, LayerMeasure)
        for split, value in _by_split(measure, measure.compute(layer))
    ]
    return sorted(values, key=lambda value: value[1] != "train")


def _prediction_rows(
    pooling: str, layers: Sequence[int], predictions: Predictions, measured: np.ndarray
) -> list[Row]:
    """Return what is computed from predictions: measures of several splits first, by split.

    NaN for layers that are not `measured`, bool of shape (K,).
    """
    estimates = [
        (measure, split, estimate)
        for measure in MEASURES.values()
        if isinstance(measure, PredictionMeasure)
        for split, estimate in _by_split(measure, measure.compute(predictions))
    ]
    rows: list[Row] = []
    for measure, split, estimate in sorted(estimates, key=lambda item: _turn(*item[:2])):
        kept = (np.where(measured, part, np.nan) for part in vars(estimate).values())
        rows += _estimate_rows(pooling, layers, measure.name, split, Estimate(*kept))
    return rows


def _turn(measure: Measure, split: str) -> int:
    several = len(measure.splits) > 1 and split in SPLITS
    return SPLITS.index(split) if several else len(SPLITS)


def _estimate_rows(
    pooling: str, layers: Sequence[int], name: str, split: str, estimate: Estimate
) -> list[Row]:
    numbers = zip(layers, estimate.value, estimate.low, estimate.high, strict=True)
    return [
        (pooling, layer, name, split, float(value), float(low), float(high))
        for layer, value, low, high in numbers
    ]


def _bookkeeping_rows(pooling: str, layers: Sequence[_MeasuredLayer]) -> list[Row]:
    """Return what tells whether to rely on measures: how probes were fitted, how states spread."""
    return [
        _row(pooling, layer, name, "train", float(value))
        for layer, measured in enumerate(layers)
        for name, value in (
            ("strength", measured.probe.strength),
            ("converged", measured.probe.converged),
            (SPREAD, measured.spread),
        )
    ]


def _change_rows(
    pooling: str, states: np.ndarray, first: np.ndarray, train: np.ndarray
) -> list[Row]:
    return [
        _row(pooling, layer, measure.name, split, value)
        for measure in MEASURES.values()
        if isinstance(measure, ChangeMeasure)
        for layer, (now, before) in enumerate(zip(states, first, strict=True))
        for split, value in _by_split(measure, measure.compute(LayerChange(now, before, train)))
    ]


def _by_split(measure: Measure, values: Mapping[str, Value]) -> Iterable[tuple[str, Value]]:
    """Return what was computed, split by split.

    Raises
    ------
    ValueError
        If a split is none of the measure's: nobody would ever see it.
    """
    if unknown := set(values) - set(measure.splits):
        raise ValueError(f"the measure {quote(measure.name)} has no split {quote(min(unknown))}")
    return values.items()
