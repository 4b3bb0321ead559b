"""The colours of layerviz: each has one meaning, on every page and in every export."""

from collections.abc import Sequence

import numpy as np

# Six of Okabe & Ito (2008), whose yellow is invisible on white, then four that a search over sRGB
# found to stay distinct from these and from each other under simulated deuteranopia and protanopia
# (Machado et al., 2009), as the grey of the other classes does.
CLASS_COLOURS = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#992211",
    "#88DD99",
    "#3A4A70",
    "#006655",
)
OTHER_COLOUR = "#C2C6CB"
RIGHT_COLOUR, WRONG_COLOUR = "#9AA0A6", "#C2185B"
# Test is drawn dashed besides: it is no part of any choice.
SPLIT_COLOURS = {"train": "#5B6B7B", "val": "#B07D2B", "test": "#7078B0"}
SPLIT_DASHES: dict[str, list[int]] = {"train": [1, 0], "val": [1, 0], "test": [5, 3]}
BATCH_COLOUR = "#9DB4C9"  # of train while it is learned from, batch by batch
# Of encoders that are compared; found in the same way. More of them repeat the colours with
# another shape.
ENCODER_COLOURS = ("#3060D8", "#A84800", "#7C9450", "#E0607C", "#1890C0", "#006090")
# cividis (Nunez, Anderton & Renslow, 2018), whose order is the same to every eye; of its 24 steps,
# those that are visible both on white and on a dark page.
CONFIDENCE_RAMP = (
    "#2B3D6E", "#36446C", "#404B6B", "#49526C", "#52596C", "#5A606E", "#626770", "#6B6E73",
    "#737576", "#7B7D78", "#848478", "#8D8C77", "#979475", "#A09C73", "#AAA570", "#B4AD6C",
    "#C0B765", "#CBC05F", "#D7CA55",
)  # fmt: skip
# Of the values of a further column of the data, so that no colour of a class means anything else;
# found in the same way, away from those of the classes.
VALUE_COLOURS = (
    "#2D87FF", "#D2C32D", "#781E4B", "#69A587", "#4B2D96", "#A56900", "#A5C3FF", "#783C1E",
    "#5A78A5", "#C3C378",
)  # fmt: skip
MISSING_COLOUR = "#747A82"  # of an example without a value there
# Of its numbers and dates: plasma (Smith & van der Walt, 2015), whose order is the same to every
# eye, too; of its 32 steps, those that are visible both on white and on a dark page.
NUMBER_RAMP = (
    "#6A00A8", "#7801A8", "#8405A7", "#900DA4", "#9C179E", "#A72198", "#B12A90", "#BA3488",
    "#C33D80", "#CB4779", "#D35171", "#DA5A69", "#E16462", "#E76E5B", "#ED7953", "#F2834C",
    "#F68F44", "#FA9A3D", "#FCA636", "#FDB32F",
)  # fmt: skip

# Every colour that a point can have; frames carry an index into it, so that "colour by"
# changes data only and the epoch slider stays where it is.
PALETTE = (
    *CLASS_COLOURS, OTHER_COLOUR, RIGHT_COLOUR, WRONG_COLOUR, *CONFIDENCE_RAMP,
    *VALUE_COLOURS, MISSING_COLOUR, *NUMBER_RAMP,
)  # fmt: skip
OTHER_CODE = len(CLASS_COLOURS)
RIGHT_CODE, WRONG_CODE = OTHER_CODE + 1, OTHER_CODE + 2
CONFIDENCE_CODE = OTHER_CODE + 3
VALUE_CODE = CONFIDENCE_CODE + len(CONFIDENCE_RAMP)
MISSING_CODE = VALUE_CODE + len(VALUE_COLOURS)
NUMBER_CODE = MISSING_CODE + 1


def colour_between(ramp: Sequence[str], position: float) -> str:
    """Return the colour at a position of a ramp, mixed in sRGB as Vega is told to.

    Parameters
    ----------
    ramp : sequence of str
        Colours at even steps, ``#RRGGBB``.
    position : float
        From 0, the first colour, to 1, the last.
    """
    stops = [bytes.fromhex(colour[1:]) for colour in ramp]
    positions = np.linspace(0, 1, len(ramp))
    mixed = [np.interp(position, positions, channel) for channel in zip(*stops, strict=True)]
    return "#" + bytes(round(channel) for channel in mixed).hex().upper()
