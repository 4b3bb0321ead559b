"""Scores of several encoders as curves: over relative depth, and over the epochs."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from layerviz import comparison
from layerviz.comparison import Comparison
from layerviz.ui.compare.export import COMPARISON_CHARTS
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.state import plain


def scores_tab(judged: Comparison, names: Sequence[str]) -> None:
    """Show the probe's score over relative depth and over the epochs, a line per encoder."""
    dark = st.context.theme.type == "dark"
    for column, (name, chart) in zip(
        st.columns(len(COMPARISON_CHARTS)), COMPARISON_CHARTS.items(), strict=True
    ):
        with column:
            figure(
                chart.drawing(judged, names, dark),
                key=f"scores_{name}",
                title=f"**{chart.label}**",
                alt=chart.alt,
                name=f"comparison-{name}",
                frame=chart.frame(judged),
            )
    st.caption(
        plain(
            "Over relative depth, each encoder is at its best epoch and pooling; over the epochs, "
            "at its best layer and pooling, and the model's own predictions are dashed. Bands are "
            "95 % bootstrap intervals of each score by itself. Layer, epoch and pooling were "
            "picked for their scores on these examples, which flatters the peaks: above, "
            "the encoders are ranked by the score on unseen data. "
            f"{comparison.seeds_note(judged)}"
        )
    )
