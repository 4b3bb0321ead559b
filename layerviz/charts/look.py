"""What all charts of the page have in common: legible text, and legends of one kind and place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from layerviz.charts.written import WrittenChart

if TYPE_CHECKING:
    from altair.typing import ChartType

# Text and lines on a light and on a dark page. Text has a contrast of 4.5 or more (WCAG 2, AA) with
# the page and with the frames on it, which Streamlit's own faded text has not.
TEXT_COLOURS = ("#555D6B", "#B4BBC6")
LINE_COLOURS = ("#E3E6EB", "#313843")
TEXT_SIZE = 12  # pixels
# Streamlit would leave 20 pixels at the foot, above whatever follows.
PADDING = {"left": 0, "right": 6, "top": 4, "bottom": 4}  # pixels
LEGEND_OFFSET = 10  # pixels from the plot, so that legends side by side stand at one height


@overload
def legible(chart: WrittenChart, *, dark: bool = False) -> WrittenChart: ...


@overload
def legible(chart: ChartType, *, dark: bool = False) -> ChartType: ...


def legible(chart: ChartType | WrittenChart, *, dark: bool = False) -> ChartType | WrittenChart:
    """Return a chart with the page's colours of text and lines and its spaces around them.

    What the chart itself says of these stays as it is.

    Parameters
    ----------
    chart : Chart or WrittenChart
    dark : bool
        Whether the page has a dark background.
    """
    if isinstance(chart, WrittenChart):
        written = {"padding": PADDING, **chart.specification}
        written["config"] = with_looks(written.get("config", {}), dark)
        return WrittenChart(written, chart.frames)
    from layerviz.charts.unchecked import alt

    chart = chart.copy(deep=False)
    own = {} if chart.config is alt.Undefined else chart.config.to_dict()
    chart.config = alt.Config(**with_looks(own, dark))
    if chart.padding is alt.Undefined:
        chart.padding = PADDING
    return chart


def with_looks(own: dict[str, Any], dark: bool) -> dict[str, Any]:
    """Return a chart's configuration with the page's looks where it says nothing of them."""
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
    merged = {name: {**look, **own.get(name, {})} for name, look in looks.items()}
    return {**own, **merged}
