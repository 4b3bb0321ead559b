"""A chart of the page with its Save menu: as a picture, a specification and numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from layerviz import cache, charts
from layerviz.export import EXPORTS
from layerviz.ui.parts.formulas import HOW_QUOTED, csv_of, quotes_formulas

if TYPE_CHECKING:
    from altair.typing import ChartType


def figure(
    chart: ChartType | partial[Any],
    *,
    key: str,
    alt: str,
    title: str = "",
    row: DeltaGenerator | None = None,
    name: str = "",
    frame: pd.DataFrame | None = None,
    **options: Any,
) -> None:
    """Draw a chart as wide as its container, and offer it as files.

    Parameters
    ----------
    chart : Chart or partial
        Given as one of the functions of `charts` with its arguments, it is made only where these
        have changed since it was last drawn.
    key : str
        Of the chart on the page.
    alt : str
        What it shows, for screen readers.
    title : str
        Markdown above the chart, with the Save menu at its end: so the menus of charts side by
        side are at one height, however high the charts are. Without a title, the menu is below.
    name : str
        Of the files; by default `key`.
    frame : DataFrame, optional
        The numbers, for the CSV.
    **options
        Of `st.vega_lite_chart`.
    """
    if title:
        row = heading_row(key)
        row.markdown(title, width="stretch")
    if row is not None:
        with row:
            _save_menu(chart, name or key, frame)
    dark = st.context.theme.type == "dark"
    if isinstance(chart, partial):
        drawn = cache.chart_specification(chart.func, chart.args, chart.keywords, dark)
        st.vega_lite_chart(drawn, width="stretch", key=key, alt=alt, **options)
    else:
        st.altair_chart(
            charts.legible(chart, dark=dark), width="stretch", key=key, alt=alt, **options
        )
    if row is None:
        save(chart, name or key, frame)


def heading_row(key: str) -> DeltaGenerator:
    """Return the row above the chart with a key: what is put there stands beside one another."""
    return st.container(
        key=f"heading-{key}",
        horizontal=True,
        horizontal_alignment="distribute",
        vertical_alignment="center",
        gap="small",
    )


def save(
    chart: ChartType | Callable[[], ChartType], name: str, frame: pd.DataFrame | None = None
) -> None:
    """Offer a chart in every format that can be drawn, and its numbers as CSV, made on demand.

    A chart that the page draws in another way is given as a function that makes it.
    """
    with st.container(horizontal=True, horizontal_alignment="right"):
        _save_menu(chart, name, frame)


def _save_menu(
    chart: ChartType | Callable[[], ChartType], name: str, frame: pd.DataFrame | None
) -> None:
    menu = st.popover(
        "Save",
        icon=":material/download:",
        type="tertiary",
        key=f"save-{name}",
        width="content",
        on_change="rerun",  # the buttons are made only when somebody looks
    )
    if not menu.open:
        return
    dark = st.context.theme.type == "dark"
    finished = chart() if callable(chart) else chart
    with menu:
        for export in EXPORTS.values():
            if export.draw is not None:
                file = partial(export.draw, finished, dark)
                _download_button(name, export.label, file, export.suffix, export.mime)
        if frame is not None:
            told = HOW_QUOTED if quotes_formulas() else None
            _download_button(name, "CSV", lambda: csv_of(frame), ".csv", "text/csv", told)


def _download_button(
    name: str,
    label: str,
    data: Callable[[], bytes],
    suffix: str,
    mime: str,
    told: str | None = None,
) -> None:
    st.download_button(
        label,
        data=data,
        file_name=f"{name}{suffix}",
        mime=mime,
        on_click="ignore",
        key=f"save-{name}{suffix}",
        type="tertiary",
        help=told,
    )
