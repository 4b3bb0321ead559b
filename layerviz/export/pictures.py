"""Any chart as a picture of its own: PNG, SVG or a Vega-Lite specification."""

from __future__ import annotations

import json
import textwrap
from typing import Any

import altair as alt
import pandas as pd
import vl_convert
from altair.typing import ChartType

from layerviz.charts import FOOTNOTE_KEY, WrittenChart
from layerviz.charts.named_frames import without_frames
from layerviz.errors import ConfigError
from layerviz.wording import quote

PICTURE_FORMATS = ("png", "svg", "json")
GAP = 20  # pixels that Vega-Lite leaves between charts side by side
FOOTNOTE_SIZE = 11  # of its letters, in pixels
FOOTNOTE_LETTER = 0.58  # mean width of a letter, in sizes of the font
FONT = "DejaVu Sans, Helvetica, Arial, sans-serif"
THEMES = {"light": ("#FFFFFF", "#1F2430", "#D5D8DE"), "dark": ("#14171D", "#E4E7EC", "#3A404B")}


def picture(
    chart: ChartType | WrittenChart,
    kind: str,
    *,
    width: int = 1200,
    scale: float = 2,
    theme: str = "light",
) -> bytes:
    """Return a chart as the content of a file.

    Parameters
    ----------
    chart : Chart or WrittenChart
        Simple or compound; its texts are data and are drawn as they are.
    kind : {"png", "svg", "json"}
        ``json`` is the complete Vega-Lite specification, for the Vega editor, where a slider
        works. The other two show the chart with its parameters as they are.
    width : int
        In pixels, for charts that fill their container; 100 to 8,000.
    scale : float
        Pixels of a PNG per pixel of the chart, 0.5 to 4.
    theme : {"light", "dark"}
        Background and ink.

    Raises
    ------
    ConfigError
        If an argument is out of its range.
    """
    if kind not in PICTURE_FORMATS or theme not in THEMES:
        raise ConfigError(
            f"There is no picture format {quote(kind)} with the theme {quote(theme)}.",
            f"Choose one of {', '.join(PICTURE_FORMATS)}, and one of {', '.join(THEMES)}.",
        )
    if not 100 <= width <= 8000 or not 0.5 <= scale <= 4:
        raise ConfigError(
            f"A picture of width {width} at scale {scale:g} cannot be drawn.",
            "Give a width from 100 to 8,000 pixels and a scale from 0.5 to 4.",
        )
    spec = with_footnote(themed(widened(specification(chart), width), theme), width)
    if kind == "json":
        return json.dumps(spec, ensure_ascii=False).encode()
    # A slider is a widget beside the chart: a picture shows its value, not the slider.
    # Nothing is fetched: our charts carry their data, and a picture needs no network.
    if kind == "svg":
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode()
    return vl_convert.vegalite_to_png(spec, scale=scale, allowed_base_urls=[])


def specification(chart: ChartType | WrittenChart) -> dict[str, Any]:
    """Return the complete specification of a chart, however many rows its frames have."""
    if isinstance(chart, WrittenChart):
        return chart.to_dict()
    # Altair's limit on rows can only be lifted in its global settings, which all threads share;
    # and it checks every value of every row against the schema, which takes seconds.
    frames: dict[str, pd.DataFrame] = {}
    spec = without_frames(chart, frames).to_dict()
    rows = {name: alt.to_values(frame)["values"] for name, frame in frames.items()}
    return {**spec, "datasets": {**spec.get("datasets", {}), **rows}}


def widened(spec: dict[str, Any], width: int) -> dict[str, Any]:
    """Return a specification with a fixed width wherever it would fill its container."""
    spec = dict(spec)
    if spec.get("width") == "container":
        spec["width"] = width
    for key in ("hconcat", "vconcat", "concat"):
        if key in spec:
            n_columns = {"hconcat": len(spec[key]), "vconcat": 1}.get(key) or _columns(spec)
            room = max(100, (width - GAP * (n_columns - 1)) // n_columns)
            spec[key] = [widened(part, room) for part in spec[key]]
    return spec


def with_footnote(spec: dict[str, Any], width: int) -> dict[str, Any]:
    """Return a specification with its footnote, if it has one, below it in lines that fit."""
    footnote = spec.get("usermeta", {}).get(FOOTNOTE_KEY)
    if not footnote:
        return spec
    lines = textwrap.wrap(footnote, max(20, int(width / (FOOTNOTE_SIZE * FOOTNOTE_LETTER))))
    title = {"orient": "bottom", "anchor": "start", "fontWeight": "normal", "offset": 4}
    return {**spec, "title": {"text": lines, "fontSize": FOOTNOTE_SIZE, **title}}


def _columns(spec: dict[str, Any]) -> int:
    return int(spec.get("columns") or len(spec["concat"]))


def themed(spec: dict[str, Any], theme: str) -> dict[str, Any]:
    """Return a specification with the background and the text colours of a theme."""
    paper, ink, line = THEMES[theme]
    axis = {"labelColor": ink, "titleColor": ink, "domainColor": line, "tickColor": line}
    defaults: dict[str, Any] = {
        "background": paper,
        "font": FONT,
        "axis": {**axis, "gridColor": line, "titleFontWeight": "normal"},
        "legend": {"labelColor": ink, "titleColor": ink, "titleFontWeight": "normal"},
        "header": {"labelColor": ink, "titleColor": ink},
        "title": {"color": ink, "subtitleColor": ink},
        "text": {"color": ink},
    }
    config = spec.get("config", {})
    merged = {
        name: {**value, **config.get(name, {})} if isinstance(value, dict) else value
        for name, value in defaults.items()
    }
    # Bare frames around the marks are the default of Altair's own theme, not a choice.
    return {**spec, "config": {**config, **merged}, "padding": 16}
