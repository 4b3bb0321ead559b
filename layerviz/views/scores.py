"""A run's measures in the shapes that charts, captions and tables need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from layerviz.config import SPLITS, TRAIN_AND_VAL
from layerviz.runs import Run
from layerviz.separability import HEAD, PROBE_MACRO_F1, Cell
from layerviz.wording import epoch_name


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
        Columns of ``separability.csv`` with ``epoch``, ``when`` (the epoch in words) and ``n``.
    """
    wanted = (table["measure"] == measure) & (table["split"] == split)
    cells = table[wanted & (table["pooling"] == pooling)].reset_index(drop=True)
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    sizes = examples["split"].value_counts()
    n = sum(int(sizes.get(part, 0)) for part in SPLITS if part in split)
    cells = cells.assign(epoch=cells["snapshot"].map(epochs), n=n)
    return cells.assign(when=[epoch_name(epoch) for epoch in cells["epoch"]])


def is_best(cells: pd.DataFrame, best: Cell | None, pooling: str) -> pd.Series:
    """Return which of the cells of one pooling is the best one, if it is among them."""
    if best is None or best.pooling != pooling:
        return pd.Series(False, index=cells.index)
    return (cells["layer"] == best.layer) & (cells["snapshot"] == best.snapshot)


def range_of_blocks(cells: pd.DataFrame) -> tuple[float, float] | None:
    """Return the least and the greatest value of the blocks: the embedding output is far off."""
    values = cells["value"][cells["layer"] > 0].dropna()
    return None if values.empty else (float(values.min()), float(values.max()))
