"""Scores of several encoders as curves: over relative depth, and over the epochs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import streamlit as st

from layerviz import charts, comparison
from layerviz.comparison import Comparison
from layerviz.ui.compare.export import score_axis
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.state import plain


def scores_tab(judged: Comparison, names: Sequence[str]) -> None:
    """Show the probe's score over relative depth and over the epochs, a line per encoder."""
    dark = st.context.theme.type == "dark"
    left, right = st.columns(2)
    with left:
        figure(
            partial(
                charts.scores_over_depth,
                judged.profiles,
                names,
                measure=score_axis(judged),
                dark=dark,
            ),
            key="over_depth",
            title="**Over relative depth**",
            alt="Line chart: the probe's val macro-F1 over relative depth, a line per encoder.",
            name="comparison-depth",
            frame=judged.profiles,
        )
    with right:
        figure(
            partial(
                charts.encoders_over_epochs,
                judged.epochs,
                names,
                measure=score_axis(judged),
                dark=dark,
            ),
            key="encoders_over_epochs",
            title="**Over the epochs**",
            alt="Line chart: val macro-F1 over the epochs, a line per encoder and classifier.",
            name="comparison-epochs",
            frame=judged.epochs,
        )
    st.caption(
        plain(
            "Over relative depth, each encoder is at its best epoch and pooling; over the epochs, "
            "at its best layer and pooling, and its own classifier is dashed. Bands are 95 % "
            "bootstrap intervals of each score by itself. The layer, epoch and pooling were picked "
            "for their scores on these examples, which flatters the peaks: above, the encoders are "
            "ranked by the score on unseen data. "
            f"{comparison.seeds_note(judged)}"
        )
    )
