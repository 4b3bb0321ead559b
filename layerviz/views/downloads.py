"""What can be taken away from maps that are looked at: the selected examples."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import pandas as pd

from layerviz import runs
from layerviz.data import OWN_ID, further_names
from layerviz.views.maps import RunMaps


def selected_examples(maps: RunMaps, ids: Collection[str], at: int) -> pd.DataFrame:
    """Return some examples with what a reader sees of them at one snapshot.

    Parameters
    ----------
    maps : RunMaps
    ids : collection of str
        Of the examples, drawn or not; those that were not captured are left out.
    at : int
        Position of the snapshot among those of `maps`.

    Returns
    -------
    DataFrame
        One row per example: ``id``, ``example`` (what it is called), ``own_id`` where the user's
        data give one, ``split``, ``label`` and ``predicted`` (names), ``confidence``, then per
        layer of the view ``layer <n> x`` and ``layer <n> y`` (of the map itself, float32; empty
        where the example has no place, as test until it is shown), ``text``, uncut, and the
        further columns of the data.
    """
    rows = np.flatnonzero(maps.examples["id"].isin(set(ids)))
    part, predictions = maps.examples.iloc[rows], maps.predictions[at].iloc[rows]
    names = np.asarray(maps.run.label_names, dtype=object)
    columns = _called(maps, rows)
    columns |= {
        "split": part["split"].to_numpy(),
        "label": names[part["label"].to_numpy()],
        "predicted": names[predictions["predicted"].to_numpy()],
        "confidence": predictions["confidence"].to_numpy(),
    }
    for layer, of_layer in maps.by_layer.items():
        xy = of_layer.xy[min(at, of_layer.n_snapshots - 1), rows]
        columns |= {f"layer {layer} x": xy[:, 0], f"layer {layer} y": xy[:, 1]}
    columns["text"] = part["text"].to_numpy()
    return pd.DataFrame(columns).assign(**part[list(further_names(part))].reset_index(drop=True))


def _called(maps: RunMaps, rows: np.ndarray) -> dict[str, np.ndarray]:
    """Return the columns that say which examples these are."""
    part = maps.examples.iloc[rows]
    columns = {"id": part["id"].to_numpy(), "example": runs.names_of(maps.run, part)}
    return columns | ({OWN_ID: part[OWN_ID].to_numpy()} if OWN_ID in part else {})
