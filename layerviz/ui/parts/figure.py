"""A chart of the page with what lets it be taken away: as picture, specification and numbers."""

from __future__ import annotations

import altair as alt
import pandas as pd
import streamlit as st

from layerviz import export

PICTURES = {"PNG": ("png", "image/png"), "SVG": ("svg", "image/svg+xml"),
            "Vega-Lite": ("json", "application/json")}  # fmt: skip


def figure(
    chart: alt.TopLevelMixin,
    *,
    key: str,
    alt: str,
    name: str = "",
    frame: pd.DataFrame | None = None,
    **options,
) -> None:
    """Draw a chart as wide as its place, and offer it as files.

    Parameters
    ----------
    chart : Chart
    key : str
        Of the chart on the page.
    alt : str
        What it shows, for screen readers.
    name : str
        Of the files; by default `key`.
    frame : DataFrame, optional
        The numbers, for the CSV.
    **options
        Of `st.altair_chart`.
    """
    st.altair_chart(chart, width="stretch", key=key, alt=alt, **options)
    save(chart, name or key, frame)


def save(chart: alt.TopLevelMixin, name: str, frame: pd.DataFrame | None = None) -> None:
    """Offer a chart as PNG, SVG and Vega-Lite, and its numbers as CSV; made when asked for."""
    with st.container(horizontal=True, horizontal_alignment="right"):
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
    theme = st.context.theme.type or "light"
    with menu:
        for label, (kind, mime) in PICTURES.items():
            st.download_button(
                label,
                data=lambda kind=kind: export.picture(chart, kind, theme=theme),
                file_name=f"{name}.{'vl.json' if kind == 'json' else kind}",
                mime=mime,
                on_click="ignore",
                key=f"save-{name}-{kind}",
                type="tertiary",
            )
        if frame is not None:
            st.download_button(
                "CSV",
                data=lambda: export.as_csv(frame),
                file_name=f"{name}.csv",
                mime="text/csv",
                on_click="ignore",
                key=f"save-{name}-csv",
                type="tertiary",
            )
