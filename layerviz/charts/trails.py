"""What can lie over the maps: the ways of single examples, and texts of the reader's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import altair as alt
import numpy as np
import pandas as pd

from layerviz.charts.grid import Grid, across, centred, down, placed, slot_columns
from layerviz.charts.palette import PALETTE

STAR = (  # an SVG path within a square of side 2
    "M0,-1L0.23,-0.31L0.95,-0.31L0.37,0.12L0.59,0.81L0,0.38L-0.59,0.81L-0.37,0.12L-0.95,-0.31"
    "L-0.23,-0.31Z"
)


def trails_frame(points: pd.DataFrame, rows: Sequence[int] | np.ndarray) -> pd.DataFrame:
    """Return the `trails` of `layer_maps`: the ways of some examples through the snapshots.

    Parameters
    ----------
    points : DataFrame
        As `layer_maps` takes them.
    rows : sequence of int
        The examples, by their ``row``.

    Returns
    -------
    DataFrame
        One row per example, layer and slot: ``row``, ``layer``, ``split``, ``at`` (the slot),
        ``x`` and ``y`` in the unit square and ``colour`` at the newest snapshot.
    """
    chosen = points[points["row"].isin(list(rows))]
    newest = chosen["newest"].to_numpy()
    colours = chosen[slot_columns(points, "colour")].to_numpy()
    shade = colours[np.arange(len(chosen)), newest] if len(chosen) else np.zeros(0, dtype=int)
    parts = [
        pd.DataFrame(
            {
                "row": chosen["row"],
                "layer": chosen["layer"],
                "split": chosen["split"],
                "at": at,
                "x": chosen[f"x{at}"],
                "y": chosen[f"y{at}"],
                "colour": [PALETTE[code] for code in shade],
            }
        )[at <= newest]
        for at in range(len(slot_columns(points, "x")))
    ]
    return pd.concat(parts, ignore_index=True)


def own_frame(
    positions: Mapping[int, np.ndarray], texts: Sequence[str], verdicts: Sequence[str]
) -> pd.DataFrame:
    """Return the `own` of `layer_maps`: each text in the train and the val map of every layer.

    Parameters
    ----------
    positions : mapping of int to ndarray of shape (m, 2)
        Per layer, positions in the unit square.
    texts, verdicts : sequences of m strings
        The texts, and what the model says of each.
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
        for split in ("train", "val")
    ]
    return pd.concat(parts, ignore_index=True)


def trails_of(trails: pd.DataFrame, layers: Sequence[int], grid: Grid) -> alt.Chart:
    """Draw ways as lines with a dot at each snapshot, up to where the slider stands."""
    return (
        alt.Chart(centred(trails, layers, grid))
        .transform_filter("datum.at <= slot")
        .transform_calculate(**placed("datum.x", "datum.y"))
        .mark_line(
            strokeWidth=1.4,
            opacity=0.85,
            strokeJoin="round",
            point={"size": 9, "filled": True, "opacity": 0.85},
            tooltip=None,
            aria=False,
        )
        .encode(
            x=across("x", grid),
            y=down("y", grid),
            color=alt.Color("colour:N", scale=None, legend=None),
            detail=["row:N", "layer:N", "split:N"],
            order="at:Q",
        )
    )


def own_texts(own: pd.DataFrame, layers: Sequence[int], grid: Grid, dark: bool) -> alt.LayerChart:
    """Draw the reader's texts as stars, with their numbers where there are several."""
    ink, paper = ("#F2F3F5", "#14171D") if dark else ("#1F2430", "#FFFFFF")
    base = (
        alt.Chart(centred(own, layers, grid))
        .transform_calculate(**placed("datum.x", "datum.y"))
        .encode(x=across("x", grid), y=down("y", grid))
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
