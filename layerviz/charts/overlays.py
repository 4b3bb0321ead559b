"""What can lie over the maps: paths of single examples, and texts of the reader's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from layerviz.charts.grid import (
    ON_MAP,
    Grid,
    in_panel,
    with_centres,
    x_in_panels,
    y_in_pixels,
    zoomed,
)
from layerviz.charts.palette import PALETTE
from layerviz.charts.unchecked import alt
from layerviz.config import TRAIN_AND_VAL

PATH_COLUMNS = ["row", "layer", "split", "at", "order", "x", "y", "colour"]
STAR = (  # an SVG path within a square of side 2
    "M0,-1L0.23,-0.31L0.95,-0.31L0.37,0.12L0.59,0.81L0,0.38L-0.59,0.81L-0.37,0.12L-0.95,-0.31"
    "L-0.23,-0.31Z"
)


def paths_frame(
    points: pd.DataFrame,
    rows: Sequence[int] | np.ndarray,
    towards: Mapping[tuple[int, int, int], int] | None = None,
) -> pd.DataFrame:
    """Return the `paths` of `layer_maps`: those of some examples through the snapshots.

    Parameters
    ----------
    points : DataFrame
        As `layer_maps` takes them.
    rows : sequence of int
        The examples, by their ``row``.
    towards : mapping of (int, int, int) to int, optional
        The colour of each step, an index into `PALETTE`, by row, layer and the slot at its end; by
        default that of the example at the newest snapshot.

    Returns
    -------
    DataFrame
        Two rows per example, layer and step, its start and its end, in this ``order``: ``row``,
        ``layer``, ``split``, ``at`` (the slot at the end of the step, which also names it), ``x``
        and ``y`` in the unit square, and ``colour``. A first step, of no length, is where the
        path begins.
    """
    steps = []
    for point in points[points["row"].isin(list(rows))].to_dict("records"):
        newest, key = point["newest"], (point["row"], point["layer"])
        for at in range(newest + 1):
            code = (towards or {}).get((*key, at), point[f"colour{newest}"])
            for order, slot in enumerate((max(at - 1, 0), at)):
                place = (point[f"x{slot}"], point[f"y{slot}"])
                steps.append((*key, point["split"], at, order, *place, PALETTE[code]))
    return pd.DataFrame(steps, columns=PATH_COLUMNS)


def own_texts_frame(
    positions: Mapping[int, np.ndarray], texts: Sequence[str], verdicts: Sequence[str]
) -> pd.DataFrame:
    """Return the `own_texts` of `layer_maps`: each in the train and the val map of every layer.

    Parameters
    ----------
    positions : mapping of int to ndarray of shape (m, 2)
        Per layer, positions in the unit square.
    texts, verdicts : sequences of m strings
        The texts, and what the model predicts for each.
    """
    m = len(texts)
    parts = [
        pd.DataFrame(
            {
                "layer": layer,
                "split": split,
                "x": xy[:, 0],
                "y": xy[:, 1],
                "number": [str(number + 1) for number in range(m)] if m > 1 else [""],
                "text": list(texts),
                "verdict": list(verdicts),
            }
        )
        for layer, xy in positions.items()
        for split in TRAIN_AND_VAL
    ]
    return pd.concat(parts, ignore_index=True)


def path_lines(paths: pd.DataFrame, layers: Sequence[int], grid: Grid) -> alt.Chart:
    """Draw paths step by step, with a dot at each snapshot, up to the slider's position."""
    return (
        alt.Chart(with_centres(paths, layers, grid))
        .transform_filter("datum.at <= slot")
        .transform_calculate(**zoomed("datum.x", "datum.y"))
        .transform_filter(ON_MAP)
        .transform_calculate(**in_panel("datum.u", "datum.v"))
        .mark_line(
            strokeWidth=1.4,
            opacity=0.85,
            strokeJoin="round",
            point={"size": 9, "filled": True, "opacity": 0.85, "aria": False},
            tooltip=None,
            aria=False,
        )
        .encode(
            x=x_in_panels("x", grid),
            y=y_in_pixels("y", grid),
            color=alt.Color("colour:N", scale=None, legend=None),
            detail=["row:N", "layer:N", "split:N", "at:N"],
            order="order:Q",
        )
    )


def own_text_stars(
    own_texts: pd.DataFrame, layers: Sequence[int], grid: Grid, dark: bool
) -> alt.LayerChart:
    """Draw the reader's texts as stars, numbered where there are several."""
    ink, paper = ("#F2F3F5", "#14171D") if dark else ("#1F2430", "#FFFFFF")
    base = (
        alt.Chart(with_centres(own_texts, layers, grid))
        .transform_calculate(**zoomed("datum.x", "datum.y"))
        .transform_calculate(**in_panel("datum.u", "datum.v"))
        .encode(x=x_in_panels("x", grid), y=y_in_pixels("y", grid))
    )
    stars = base.mark_point(
        shape=STAR, size=190, filled=True, fill=ink, stroke=paper, strokeWidth=1, opacity=1
    ).encode(
        tooltip=[
            alt.Tooltip("text:N", title="Your text"),
            alt.Tooltip("verdict:N", title="Predicted"),
            alt.Tooltip("layer:Q", title="Layer"),
        ]
    )
    numbers = base.mark_text(
        dx=9, dy=-7, fontSize=11, fontWeight="bold", color=ink, tooltip=None, aria=False
    ).encode(text="number:N")
    return stars + numbers
