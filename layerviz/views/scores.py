"""A run's measures in the shapes that charts, captions and tables need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz.charts import RECOMMENDED_TILE, TIED_TILE
from layerviz.config import SPLITS, TRAIN_AND_VAL
from layerviz.poolings import pooling_label
from layerviz.runs import Run
from layerviz.separability import HEAD, PROBE_MACRO_F1, Answer, Measure, cell_notes
from layerviz.wording import count, epoch_name


def probe_scores(
    table: pd.DataFrame,
    pooling: str,
    layers: Sequence[int],
    snapshots: Sequence[int],
    splits: Sequence[str] = TRAIN_AND_VAL,
) -> dict[int, np.ndarray]:
    """Return the probe's macro-F1 on some splits.

    Parameters
    ----------
    table : DataFrame
        As ``separability.csv``.
    pooling : str
    layers, snapshots : sequences of int
    splits : sequence of str

    Returns
    -------
    dict of int to ndarray of shape (S, n_splits)
        Per layer; NaN where not measured.
    """
    part = table[(table["measure"] == PROBE_MACRO_F1.name) & (table["pooling"] == pooling)]
    values = part.set_index(["layer", "snapshot", "split"])["value"].to_dict()
    return {
        layer: np.array(
            [[values.get((layer, index, split), np.nan) for split in splits] for index in snapshots]
        )
        for layer in layers
    }


def head_scores(table: pd.DataFrame) -> Mapping[int, float]:
    """Return the val macro-F1 of the model's own classifier, by snapshot."""
    part = table[(table["measure"] == PROBE_MACRO_F1.name) & (table["split"] == "val")]
    part = part[part["pooling"] == HEAD]
    return dict(zip(part["snapshot"].tolist(), part["value"].tolist(), strict=True))


def measure_cells(
    run: Run,
    table: pd.DataFrame,
    examples: pd.DataFrame,
    measure: str,
    split: str,
    pooling: str,
) -> pd.DataFrame:
    """Return one measure under one pooling, a row per layer and snapshot.

    Parameters
    ----------
    run : Run
    table : DataFrame
        As ``separability.csv``.
    examples : DataFrame
        Those captured.
    measure, split, pooling : str
        `split` may name several, as "train-val" does.

    Returns
    -------
    DataFrame
        Columns of ``separability.csv`` with ``epoch``, ``when`` (the epoch in words), ``n`` and
        ``note``: what is wrong with the layer's states, or "".
    """
    wanted = (table["measure"] == measure) & (table["split"] == split)
    cells = table[wanted & (table["pooling"] == pooling)].reset_index(drop=True)
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    sizes = examples["split"].value_counts()
    n = sum(int(sizes.get(part, 0)) for part in SPLITS if part in split)
    cells = cells.assign(epoch=cells["snapshot"].map(epochs), n=n)
    notes = cell_notes(table)
    places = zip(cells["layer"], cells["snapshot"], strict=True)
    return cells.assign(
        when=[epoch_name(epoch) for epoch in cells["epoch"]],
        note=[notes.get((pooling, int(layer), int(index)), "") for layer, index in places],
    )


def with_standings(cells: pd.DataFrame, answer: Answer | None, pooling: str) -> pd.DataFrame:
    """Say of each cell of one pooling whether the answer recommends it, or if it may be as good.

    Parameters
    ----------
    cells : DataFrame
        As from `measure_cells`.
    answer : Answer or None
        Where it names no layer, no cell has a standing.
    pooling : str

    Returns
    -------
    DataFrame
        With ``standing``, as `charts.score_heat_map` outlines it.
    """
    standings: dict[tuple[int, int], str] = {}
    if answer is not None and answer.verdict == "found":
        tied = [cell for cell in answer.ties if cell.pooling == pooling]
        standings = {(cell.layer, cell.snapshot): TIED_TILE for cell in tied}
        if answer.best.pooling == pooling:
            standings[answer.best.layer, answer.best.snapshot] = RECOMMENDED_TILE
    places = zip(cells["layer"], cells["snapshot"], strict=True)
    return cells.assign(standing=[standings.get((int(a), int(b)), "") for a, b in places])


def standings_note(answer: Answer, pooling: str) -> str:
    """Say what the outlines of `with_standings` mean; "" where the answer names no layer."""
    if answer.verdict != "found":
        return ""
    note = f"The recommended cell is one under {pooling_label(answer.best.pooling)} pooling."
    if answer.best.pooling == pooling:
        note = "Thick outline: the recommended cell."
    n = sum(cell.pooling == pooling for cell in answer.ties)
    if not n:
        return f"{note} No other cell under this pooling may be as good (95 %)."
    return f"{note} Thin outlines: {count(n, 'cell')} that may be as good (95 %)."


@dataclass(frozen=True)
class ColourScale:
    """Which values the colours of a heat map stand for.

    Parameters
    ----------
    ends : tuple of float
        The values of the first and the last colour.
    start : str
        What the first one is, in words.
    """

    ends: tuple[float, float]
    start: str


def colour_scale(
    measure: Measure, cells: pd.DataFrame, examples: pd.DataFrame, split: str
) -> ColourScale | None:
    """Return the colours of a measure: from chance, where it has one, to the greatest value.

    A scale from the least value on would make the same of a large difference and of a small one.
    Without chance, it starts at what the embedding output scores before training, if higher is
    better; otherwise it spans the values of the blocks.

    Parameters
    ----------
    measure : Measure
    cells : DataFrame
        As from `measure_cells`.
    examples : DataFrame
        Those captured.
    split : str
        As in `measure_cells`.

    Returns
    -------
    ColourScale or None
        None if nothing was measured.
    """
    values = cells["value"][cells["layer"] > 0].dropna()  # the embedding output may be far off
    if values.empty:
        return None
    least, most = float(values.min()), float(values.max())
    of_split = examples["split"].isin([part for part in SPLITS if part in split])
    labels = examples["label"].to_numpy()[of_split.to_numpy()]
    if measure.chance is not None and len(labels):
        chance = float(measure.chance(labels))
        if chance < most:
            return ColourScale((chance, most), f"colours start at chance, {chance:.2f}")
    first = cells[(cells["layer"] == 0) & (cells["snapshot"] == cells["snapshot"].min())]
    baseline = float(first["value"].iloc[0]) if len(first) else np.nan
    if measure.higher_is_better and baseline < most:
        at = "the embedding output before training"
        return ColourScale((baseline, most), f"colours start at {at}, {baseline:.2f}")
    return ColourScale((least, most), "colours start at the least value of layers 1 and up")
