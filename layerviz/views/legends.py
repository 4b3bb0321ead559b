"""What the colours of a map mean."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from layerviz import charts

TITLES = {
    "label": "Label",
    "prediction": "Predicted",
    "right or wrong": "Predicted",
    "confidence": "Confidence",
}


@dataclass(frozen=True)
class Legend:
    """The legend of a colouring, in whatever medium it is drawn.

    Parameters
    ----------
    title : str
        What the colours tell.
    entries : tuple of (str, str)
        Names and colours.
    ramp : charts.Ramp or None
        Where colours lie on a scale.
    """

    title: str
    entries: tuple[tuple[str, str], ...]
    ramp: charts.Ramp | None = None


def legend_of(label_names: Sequence[str], colouring: str, classes: Sequence[int]) -> Legend:
    """Return the legend of one of `COLOURINGS`.

    Parameters
    ----------
    label_names : sequence of str
    colouring : str
    classes : sequence of int
        Those with a colour of their own.
    """
    title = TITLES[colouring]
    if colouring == "confidence":
        return Legend(title, (), charts.CONFIDENCE_SCALE)
    if colouring == "right or wrong":
        return Legend(title, (("right", charts.RIGHT_COLOUR), ("wrong", charts.WRONG_COLOUR)))
    entries = [
        (label_names[index], colour)
        for index, colour in zip(classes, charts.CLASS_COLOURS, strict=False)
    ]
    if others := len(label_names) - len(classes):
        entries.append(
            (f"{others:,} other class{'es' if others != 1 else ''}", charts.OTHER_COLOUR)
        )
    return Legend(title, tuple(entries))
