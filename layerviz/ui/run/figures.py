"""The strip of figures: what each score of a run is, side by side, so that none is mistaken."""

from __future__ import annotations

import streamlit as st

from layerviz import separability
from layerviz.separability import AnswerSheet
from layerviz.ui.parts.state import plain


def figures_strip(sheet: AnswerSheet) -> None:
    """Show the figures that belong to an answer in one row."""
    with st.container(key="figures", gap=None):
        for figure in separability.sheet_figures(sheet):
            value, interval = figure.score.value_and_interval
            st.markdown(
                f":small[:gray[{figure.name}]]  \n**{value}** :small[{plain(f'({interval})')}]",
                help=plain(f"Macro-F1 on {figure.score.n:,} examples. {figure.note}"),
            )
