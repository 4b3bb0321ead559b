"""Coordinates and measures as tidy tables, for CSV and parquet."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd

from layerviz import runs
from layerviz.errors import RunError
from layerviz.progress import OnProgress, ShouldStop, ignore, never
from layerviz.runs import Run
from layerviz.views import MapsRequest, collect_maps
from layerviz.wording import FORMULA_SIGNS


def coordinates(
    run: Run,
    request: MapsRequest,
    *,
    on_progress: OnProgress = ignore,
    should_stop: ShouldStop = never,
) -> pd.DataFrame:
    """Return where every example of a view's splits lies in its maps.

    Returns
    -------
    DataFrame
        One row per layer, snapshot and example: ``id``, ``split``, ``label`` (name), ``layer``,
        ``snapshot``, ``epoch``, ``x``, ``y`` (of the map itself, float32), ``predicted`` (name)
        and ``confidence`` (probability of that class) at the snapshot; then the further column
        that colours the maps, if one does.

    Raises
    ------
    RunError, ConfigError, Cancelled
        As `collect_maps`.
    """
    n_examples = max(1, len(runs.read_examples(run.path))) if run.snapshots else 1
    maps = collect_maps(
        run, request, most_per_split=n_examples, on_progress=on_progress, should_stop=should_stop
    )
    names, rows = np.asarray(run.label_names, dtype=object), maps.rows
    examples = maps.examples.iloc[rows]
    colouring = [] if maps.view.column is None else [maps.view.colouring]
    frames = []
    for layer, of_layer in maps.by_layer.items():
        for slot, index in enumerate(maps.snapshots):
            predictions = maps.predictions[slot].iloc[rows]
            frames.append(
                pd.DataFrame(
                    {
                        "id": examples["id"].to_numpy(),
                        "split": examples["split"].to_numpy(),
                        "label": names[examples["label"].to_numpy()],
                        "layer": layer,
                        "snapshot": index,
                        "epoch": maps.epochs[slot],
                        "x": of_layer.xy[slot, rows, 0],
                        "y": of_layer.xy[slot, rows, 1],
                        "predicted": names[predictions["predicted"].to_numpy()],
                        "confidence": predictions["confidence"].to_numpy(),
                        **{name: examples[name].to_numpy() for name in colouring},
                    }
                )
            )
    return pd.concat(frames, ignore_index=True)


def measures_with_epochs(run: Run) -> pd.DataFrame:
    """Return ``separability.csv`` with the epoch of each snapshot.

    Raises
    ------
    RunError
        If nothing is measured.
    """
    table = runs.read_separability(run.path)
    if table.empty:
        raise RunError("Nothing of this run has been measured yet.", "Wait for its first snapshot.")
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    table.insert(1, "epoch", table["snapshot"].map(epochs))
    return table


def as_csv(frame: pd.DataFrame, *, quote_formulas: bool = True) -> bytes:
    """Return a table as CSV in UTF-8.

    Spreadsheets that open a CSV run texts that begin with ``=``, ``+``, ``-`` or ``@``, a tab or a
    line break before it included, as formulas; such texts, and such names of columns, get an
    apostrophe in front, which tells spreadsheets that they are text. Numbers stay as they are.
    Parquet keeps every text as it is.

    Parameters
    ----------
    frame : DataFrame
    quote_formulas : bool
        False leaves all texts as they are.
    """
    if quote_formulas:
        columns = {
            at: frame.iloc[:, at]
            if pd.api.types.is_numeric_dtype(frame.iloc[:, at])
            else frame.iloc[:, at].astype(object).map(_quoted)
            for at in range(frame.shape[1])
        }
        names = [_quoted(name) for name in frame.columns]
        frame = pd.DataFrame(columns, index=frame.index).set_axis(names, axis="columns")
    return frame.to_csv(index=False, float_format="%.6g").encode()


def _quoted(value: object) -> object:
    is_formula = isinstance(value, str) and value.startswith(FORMULA_SIGNS)
    return f"'{value}" if is_formula else value


def as_parquet(frame: pd.DataFrame) -> bytes:
    """Return a table as parquet."""
    buffer = io.BytesIO()
    frame.to_parquet(buffer, index=False)
    return buffer.getvalue()
