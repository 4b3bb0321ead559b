"""What is told to the script that draws maps: points once, colours and places as they change."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from layerviz import charts
from layerviz.instrument.packing import packed
from layerviz.projection import LayerMaps
from layerviz.views import Legend
from layerviz.wording import epoch_name, epoch_number

UNIT = 10_000  # positions are whole numbers of these parts of a map: far below a pixel
MOST_OUTSIDE = 3.0  # squares beside its map that a point can be placed
NOWHERE = -(2**15)  # of an example without a place, as test has none until it is asked for


@dataclass(frozen=True, eq=False)
class MapsInBrowser:
    """The points of the maps of several layers, which share their examples.

    Parameters
    ----------
    panels : sequence of L ints
        The panels, in their order: layers, or encoders that are compared.
    by_panel : dict of int to LayerMaps
        The maps of those panels that have theirs; each at S or fewer snapshots.
    rows : ndarray of shape (m,)
        The examples to draw.
    rows_of_panel : mapping of int to ndarray of shape (m,)
        Per panel where these examples are in its maps, where that is not `rows` themselves.
    """

    panels: Sequence[int]
    by_panel: dict[int, LayerMaps]
    rows: np.ndarray
    rows_of_panel: Mapping[int, np.ndarray]

    def positions(self) -> np.ndarray:
        """Return positions, int16 of shape (P, S, m, 2) in parts of `UNIT`, or `NOWHERE`.

        P counts the panels that have maps; one with fewer snapshots repeats its newest.
        """
        most = max((maps.n_snapshots for maps in self.by_panel.values()), default=0)
        squares = []
        for panel, maps in self.by_panel.items():
            square = maps.in_unit_square()[:, self.rows_of_panel.get(panel, self.rows)]
            parts = np.rint(UNIT * np.clip(square, -MOST_OUTSIDE, MOST_OUTSIDE))
            whole = np.nan_to_num(parts, nan=NOWHERE).astype(np.int16)
            squares.append(
                np.concatenate([whole, np.repeat(whole[-1:], most - len(whole), axis=0)])
            )
        if not squares:
            return np.zeros((0, 0, len(self.rows), 2), dtype=np.int16)
        return np.stack(squares)


def points_message(
    maps: MapsInBrowser,
    *,
    chart: str,
    key: str,
    splits: np.ndarray,
    labels: np.ndarray,
    predicted: np.ndarray,
    confidence: np.ndarray,
    texts: Sequence[str],
    names: Sequence[str],
    label_names: Sequence[str],
    split_names: Sequence[str],
) -> bytes:
    """Return everything about the points that neither colour nor selection changes.

    Parameters
    ----------
    maps : MapsInBrowser
    chart, key : str
        Where the points are drawn, and what tells these points from others.
    splits, labels : ndarrays of shape (m,)
        Split (a name) and class index of each drawn example.
    predicted : ndarray of shape (C, S, m)
        Class indices; C is 1 where all panels are of one model.
    confidence : ndarray of shape (C, S, m)
        Probability of the predicted class.
    texts, names : sequences of m strings
        The texts, cut, and what the examples are called.
    label_names : sequence of str
    split_names : sequence of str
        Those that have panels, in their order.
    """
    positions = maps.positions()
    side_of = {split: side for side, split in enumerate(split_names)}
    return packed(
        {
            "chart": chart,
            "key": key,
            "unit": UNIT,
            "nowhere": NOWHERE,
            "panels": list(maps.panels),
            "withMaps": list(maps.by_panel),
            "slots": positions.shape[1],
            "models": len(predicted),
            "texts": list(texts),
            "names": list(names),
            "labels": list(label_names),
            "splits": list(split_names),
        },
        {
            "row": maps.rows.astype(np.int32),
            "side": np.array([side_of[split] for split in splits], dtype=np.uint8),
            "label": labels.astype(np.int16),
            "x": positions[..., 0],
            "y": positions[..., 1],
            "predicted": predicted.astype(np.int16),
            "confidence": np.rint(100 * confidence).astype(np.uint8),
        },
    )


def colours_message(codes: np.ndarray) -> dict[str, Any]:
    """Return the colours of the points, as indices into `charts.PALETTE`.

    Parameters
    ----------
    codes : ndarray of shape (C, S, m), uint8
        C as in `points_message`; S may be 1 where no epoch changes them.
    """
    blob = base64.b64encode(np.ascontiguousarray(codes, dtype=np.uint8).tobytes()).decode()
    return {"models": codes.shape[0], "slots": codes.shape[1], "codes": blob}


def legend_message(legend: Legend) -> dict[str, Any]:
    """Return what the colours mean, each entry with its index into `charts.PALETTE`."""
    return {
        "title": legend.title,
        "entries": [
            {"name": name, "colour": colour, "code": charts.PALETTE.index(colour)}
            for name, colour in legend.entries
        ],
        "ramp": [] if legend.ramp is None else list(legend.ramp.colours),
        "ends": [] if legend.ramp is None else [legend.ramp.low, legend.ramp.high],
    }


def value_message(coloured: tuple[str, Sequence[str]] | None) -> dict[str, Any] | None:
    """Return what a further column says of each point, for the facts beside the maps.

    Parameters
    ----------
    coloured : (str, sequence of m strings) or None
        As `RunMaps.coloured_by` returns it.
    """
    if coloured is None:
        return None
    name, values = coloured
    distinct = {value: at for at, value in enumerate(dict.fromkeys(values))}
    return {"name": name, "values": list(distinct), "of": [distinct[value] for value in values]}


def slots_message(snapshots: Sequence[int], epochs: Sequence[float]) -> list[dict[str, Any]]:
    """Return the positions of the slider: the snapshot, its name, and a shorter one for its tick.

    Parameters
    ----------
    snapshots : sequence of S ints
    epochs : sequence of S floats
    """
    return [
        {
            "snapshot": int(index),
            "name": epoch_name(epoch),
            "short": "before training" if epoch == 0 else f"epoch {epoch_number(epoch)}",
        }
        for index, epoch in zip(snapshots, epochs, strict=True)
    ]
