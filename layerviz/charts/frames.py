"""The frames that `layer_maps` draws, made from positions and predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from layerviz.charts.palette import (
    CLASS_COLOURS,
    CONFIDENCE_CODE,
    CONFIDENCE_RAMP,
    OTHER_CODE,
    RIGHT_CODE,
    WRONG_CODE,
)
from layerviz.config import SPLITS, TRAIN_AND_VAL
from layerviz.pairs import text_cut_to
from layerviz.wording import epoch_name, layer_name, map_figures

TOOLTIP_CHARACTERS = 240  # characters of a text in a tooltip
TITLE_SEPARATOR = "  ·  "  # between the parts of a map's title; where it is too long, it ends there


def colour_codes(
    colouring: str,
    labels: np.ndarray,
    predictions: Sequence[pd.DataFrame],
    coloured_classes: Sequence[int],
    n_classes: int,
) -> list[np.ndarray]:
    """Return the index of each example's colour in `PALETTE`, one array per snapshot.

    Parameters
    ----------
    colouring : str
        One of `COLOURINGS`.
    labels : ndarray of shape (N,)
        Class index of each example.
    predictions : sequence of DataFrame
        Per snapshot ``predicted`` and ``confidence``, N rows.
    coloured_classes : sequence of int
        The classes that get colours of their own, at most as many as `CLASS_COLOURS`.
    n_classes : int
        Classes there are.

    Returns
    -------
    list of ndarray of shape (N,), uint8
    """
    codes = np.full(n_classes, OTHER_CODE, dtype=np.uint8)
    codes[list(coloured_classes)] = range(len(coloured_classes))
    if colouring == "label":
        return [codes[labels]] * len(predictions)
    result = []
    for frame in predictions:
        predicted = frame["predicted"].to_numpy()
        if colouring == "prediction":
            code = codes[predicted]
        elif colouring == "right or wrong":
            code = np.where(predicted == labels, RIGHT_CODE, WRONG_CODE)
        else:
            steps = len(CONFIDENCE_RAMP)
            step = (frame["confidence"].to_numpy() * steps).astype(int).clip(0, steps - 1)
            code = CONFIDENCE_CODE + step
        result.append(code.astype(np.uint8))
    return result


def points_frame(
    positions: Mapping[int, np.ndarray],
    splits: np.ndarray,
    rows: np.ndarray,
    predictions: Sequence[pd.DataFrame],
    colours: Sequence[np.ndarray],
) -> pd.DataFrame:
    """Return the `points` of `layer_maps`.

    Parameters
    ----------
    positions : mapping of int to ndarray of shape (S, N, 2)
        Per layer, positions in the unit square at the S snapshots there are.
    splits : ndarray of shape (N,)
        Split of each example.
    rows : ndarray of shape (m,)
        The examples to draw.
    predictions, colours : sequences of length S or more
        Per snapshot, as in `colour_codes`.
    """
    frames = []
    for layer, xy in positions.items():
        columns: dict[str, np.ndarray | int] = {"row": rows, "layer": layer, "split": splits[rows]}
        columns["newest"] = len(xy) - 1
        for at in range(len(xy)):
            columns[f"x{at}"] = xy[at, rows, 0]
            columns[f"y{at}"] = xy[at, rows, 1]
            columns[f"colour{at}"] = colours[at][rows]
            predicted = predictions[at]["predicted"].to_numpy()[rows]
            columns[f"predicted{at}"] = predicted.astype(np.int16)
            confidence = predictions[at]["confidence"].to_numpy()[rows]
            columns[f"confidence{at}"] = (100 * confidence).round().astype(np.uint8)
        frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


def examples_frame(
    examples: pd.DataFrame,
    label_names: Sequence[str],
    rows: np.ndarray,
    example_names: Sequence[str] | np.ndarray | None = None,
) -> pd.DataFrame:
    """Return the `examples` of `layer_maps`, their texts cut to the length of a tooltip.

    Parameters
    ----------
    examples : DataFrame
        ``text`` and ``label``, N rows.
    label_names : sequence of str
    rows : ndarray of shape (m,)
        Those to draw.
    example_names : sequence of m str, optional
        What these are called, for the tooltip.
    """
    part = examples.iloc[rows]
    names = np.asarray(label_names, dtype=object)
    frame = pd.DataFrame(
        {
            "row": rows,
            "text": [text_cut_to(text, TOOLTIP_CHARACTERS) for text in part["text"]],
            "label": names[part["label"].to_numpy()],
        }
    )
    return frame if example_names is None else frame.assign(example=example_names)


def panels_frame(
    trust: Mapping[int, np.ndarray],
    epochs: Sequence[float],
    sizes: Mapping[str, int],
    n_slots: int,
    scores: Mapping[int, np.ndarray] | None = None,
    projection: str = "",
    names: Mapping[int, str] | None = None,
    when: str = "",
    kept: Mapping[int, np.ndarray] | None = None,
) -> pd.DataFrame:
    """Return the `panels` of `layer_maps`: the titles that change with the slider.

    Parameters
    ----------
    trust : mapping of int to ndarray of shape (S, n_splits)
        Per layer, trustworthiness of each split at each snapshot, in the order of `config.SPLITS`;
        NaN where undefined.
    epochs : sequence of float
        The epoch of each snapshot.
    sizes : mapping of str to int
        Examples on the maps, per split; there is a panel for each of these splits.
    n_slots : int
        Positions of the slider.
    scores : mapping of int to ndarray of shape (S, n_splits), optional
        Per layer, the probe's macro-F1 on each split at each snapshot; NaN where not measured.
    projection : str
        What the maps are called in the headings: "t-SNE".
    names : mapping of int to str, optional
        What each layer is called, on a line of its own; by default its number.
    when : str
        What the headings say instead of the epoch.
    kept : mapping of int to ndarray of shape (S, n_splits), optional
        Per layer, the share of kept neighbours in each split; NaN where undefined.
    """
    unknown = np.full(len(SPLITS), np.nan)
    panels = []
    for layer, values in trust.items():
        for split in sizes:
            side = SPLITS.index(split)
            panel: dict[str, object] = {"layer": layer, "split": split}
            for slot in range(n_slots):
                at = min(slot, len(values) - 1)
                score, share = (
                    (unknown if figure is None else figure[at])[side]
                    for figure in ((scores or {}).get(layer), (kept or {}).get(layer))
                )
                figures = map_figures(score, values[at, side], share)
                if names is None:
                    panel[f"title{slot}"] = TITLE_SEPARATOR.join([layer_name(layer), *figures])
                else:
                    panel[f"title{slot}"] = f"{names[layer]}\n{TITLE_SEPARATOR.join(figures)}"
                moment = when or epoch_name(epochs[at], newest=slot > at)
                suffix = f" · {projection}" if projection else ""
                panel[f"heading{slot}"] = (
                    f"{split.capitalize()} (n = {sizes[split]:,}), {moment}{suffix}"
                )
            panels.append(panel)
    return pd.DataFrame(panels)


def most_frequent(labels: np.ndarray) -> list[int]:
    """Return the classes with the most examples, as many as there are colours, in class order."""
    classes, counts = np.unique(labels, return_counts=True)
    order = np.argsort(-counts, kind="stable")[: len(CLASS_COLOURS)]
    return sorted(int(label) for label in classes[order])


def sample_rows(
    splits: np.ndarray, most_per_split: int, seed: int = 0, of: Sequence[str] = TRAIN_AND_VAL
) -> np.ndarray:
    """Return the rows to draw of some splits: all, or a seeded sample of each.

    The sample of a split is the same whichever others are drawn.
    """
    rng = np.random.default_rng(seed)
    chosen = {}
    for split in SPLITS:
        rows = np.flatnonzero(splits == split)
        if len(rows) > most_per_split:
            rows = np.sort(rng.choice(rows, most_per_split, replace=False))
        chosen[split] = rows
    return np.concatenate([chosen[split] for split in SPLITS if split in of])
