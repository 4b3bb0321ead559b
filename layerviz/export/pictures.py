"""Any chart as a picture that stands alone: PNG, SVG or a Vega-Lite specification."""

from __future__ import annotations

import json
from typing import Any

import altair as alt
import pandas as pd
import vl_convert

from layerviz.errors import ConfigError

KINDS = ("png", "svg", "json")
ROWS_APART = 1000  # frames from this size on do not pass through Altair, which refuses 5,000 rows
GAP = 20  # pixels that Vega-Lite leaves between charts side by side
FONT = "DejaVu Sans, Helvetica, Arial, sans-serif"
PAGES = {"light": ("#FFFFFF", "#1F2430", "#D5D8DE"), "dark": ("#14171D", "#E4E7EC", "#3A404B")}


def picture(
    chart: alt.TopLevelMixin,
    kind: str,
    *,
    width: int = 1200,
    scale: float = 2,
    theme: str = "light",
) -> bytes:
    """Return a chart as the content of a file.

    Parameters
    ----------
    chart : Chart
        Simple or compound; its texts are data and stay what they are.
    kind : {"png", "svg", "json"}
        ``json`` is the complete Vega-Lite specification, which the Vega editor opens; there a
        slider moves. The other two show the chart as its parameters stand.
    width : int
        In pixels, of charts that are as wide as their container; 100 to 8,000.
    scale : float
        Pixels of a PNG per pixel of the chart, 0.5 to 4.
    theme : {"light", "dark"}
        Background and ink.

    Raises
    ------
    ConfigError
        If an argument is out of its range.
    """
    if kind not in KINDS or theme not in PAGES:
        raise ConfigError(
            f"There is no picture {kind!r:.20} in {theme!r:.20}.",
            f"Choose one of {', '.join(KINDS)}, and one of {', '.join(PAGES)}.",
        )
    if not 100 <= width <= 8000 or not 0.5 <= scale <= 4:
        raise ConfigError(
            f"A picture of width {width} at scale {scale:g} cannot be drawn.",
            "Give a width from 100 to 8,000 pixels and a scale from 0.5 to 4.",
        )
    spec = themed(widened(specification(chart), width), theme)
    if kind == "json":
        return json.dumps(spec, ensure_ascii=False).encode()
    # The slider is a widget of the page around a picture: its value is drawn, it is not.
    # Nothing is fetched: our charts carry their data, and a picture needs no network.
    if kind == "svg":
        return vl_convert.vegalite_to_svg(spec, allowed_base_urls=[]).encode()
    return vl_convert.vegalite_to_png(spec, scale=scale, allowed_base_urls=[])


def specification(chart: alt.TopLevelMixin) -> dict[str, Any]:
    """Return the complete specification of a chart, however many rows its frames have."""
    # Altair's limit on rows can be lifted in its global settings only, which all threads share;
    # and it checks every value of every row against the schema, which takes seconds.
    frames: dict[str, pd.DataFrame] = {}
    spec = without_frames(chart, frames).to_dict()
    rows = {name: alt.to_values(frame)["values"] for name, frame in frames.items()}
    return {**spec, "datasets": {**spec.get("datasets", {}), **rows}}


def without_frames(node: Any, frames: dict[str, pd.DataFrame], rows_apart: int = ROWS_APART) -> Any:
    """Return a copy in which large frames are names; `frames` takes them up under these."""
    if isinstance(node, pd.DataFrame):
        if len(node) < rows_apart:
            return node
        name = next((name for name, known in frames.items() if known is node), "")
        name = name or f"rows-{len(frames)}"
        frames[name] = node
        return alt.NamedData(name)
    if isinstance(node, alt.SchemaBase):
        copy = node.copy(deep=False)
        for name, value in copy._kwds.items():
            copy._kwds[name] = without_frames(value, frames, rows_apart)
        return copy
    if isinstance(node, list | tuple):
        return type(node)(without_frames(value, frames, rows_apart) for value in node)
    return node


def widened(spec: dict[str, Any], width: int) -> dict[str, Any]:
    """Return a specification in which what would fill its container has a width of its own."""
    spec = dict(spec)
    if spec.get("width") == "container":
        spec["width"] = width
    for key in ("hconcat", "vconcat", "concat"):
        if key in spec:
            n_columns = {"hconcat": len(spec[key]), "vconcat": 1}.get(key) or _columns(spec)
            room = max(100, (width - GAP * (n_columns - 1)) // n_columns)
            spec[key] = [widened(part, room) for part in spec[key]]
    return spec


def _columns(spec: dict[str, Any]) -> int:
    return int(spec.get("columns") or len(spec["concat"]))


def themed(spec: dict[str, Any], theme: str) -> dict[str, Any]:
    """Return a specification with the background and the ink of a theme, where it has none."""
    paper, ink, line = PAGES[theme]
    axis = {"labelColor": ink, "titleColor": ink, "domainColor": line, "tickColor": line}
    ours = {
        "background": paper,
        "font": FONT,
        "axis": {**axis, "gridColor": line, "titleFontWeight": "normal"},
        "legend": {"labelColor": ink, "titleColor": ink, "titleFontWeight": "normal"},
        "header": {"labelColor": ink, "titleColor": ink},
        "title": {"color": ink, "subtitleColor": ink},
        "text": {"color": ink},
    }
    theirs = spec.get("config", {})
    merged = {
        name: {**value, **theirs.get(name, {})} if isinstance(value, dict) else value
        for name, value in ours.items()
    }
    # Bare frames around the marks are the default of Altair's own theme, not a choice.
    return {**spec, "config": {**theirs, **merged}, "padding": 16}
