"""What all charts of the page have in common: legible text, and legends of one kind and place."""

from __future__ import annotations

from typing import Any

import altair as alt
from altair.typing import ChartType

# Text and lines on a light and on a dark page. Text has a contrast of 4.5 or more (WCAG 2, AA) with
# the page and with the frames on it, which Streamlit's own faded text has not.
TEXT_COLOURS = ("#555D6B", "#B4BBC6")
LINE_COLOURS = ("#E3E6EB", "#313843")
TEXT_SIZE = 12  # pixels
LEGEND_OFFSET = 10  # pixels from the plot, so that legends side by side stand at one height


def legible(chart: ChartType, *, dark: bool = False) -> ChartType:
    """Return a chart with the page's colours of text and lines and its spaces around them.

    What the chart itself says of these stays as it is.

    Parameters
    ----------
    chart : Chart
    dark : bool
        Whether the page has a dark background.
    """
    text, line = TEXT_COLOURS[dark], LINE_COLOURS[dark]
    sizes = {"labelFontSize": TEXT_SIZE, "titleFontSize": TEXT_SIZE}
    colours = {"labelColor": text, "titleColor": text}
    looks: dict[str, dict[str, Any]] = {
        "axis": {
            **sizes,
            **colours,
            "gridColor": line,
            "domainColor": line,
            "labelPadding": 6,
            "titlePadding": 10,
        },
        "header": colours,
        "legend": {
            **sizes,
            **colours,
            "padding": 0,
            "offset": LEGEND_OFFSET,
            "labelPadding": 4,
            "titlePadding": 6,
            "rowPadding": 4,
            "columnPadding": 16,
        },
        "text": {"color": text},
    }
    chart = chart.copy(deep=False)
    own = {} if chart.config is alt.Undefined else chart.config.to_dict()
    merged = {name: {**look, **own.get(name, {})} for name, look in looks.items()}
    chart.config = alt.Config(**{**own, **merged})
    if chart.padding is alt.Undefined:
        # Streamlit would leave 20 pixels at the foot, above whatever follows.
        chart.padding = {"left": 0, "right": 6, "top": 4, "bottom": 4}
    return chart
