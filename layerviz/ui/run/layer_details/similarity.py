"""How similar layers are to each other, and to themselves before training."""

from __future__ import annotations

from functools import partial

import streamlit as st

from layerviz import cache, charts
from layerviz.separability import CKA
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.measured import cells_of_measure
from layerviz.ui.run.layer_details.detail import Detail, is_dark
from layerviz.views import CKA_NOTE


def similarity_tab(detail: Detail) -> None:
    """Show linear CKA between layers, and between each layer and itself before training."""
    run, pooling = detail.run, detail.pooling
    snapshot = detail.snapshot_control("similarity")
    matrix, n = cache.layer_similarity(run, snapshot, pooling)
    left, right = st.columns(2)
    with left:
        pairs = charts.similarity_frame(matrix)
        figure(
            partial(
                charts.similarity_heat_map,
                pairs,
                title_x="Layer",
                title_y="Other layer",
                dark=is_dark(),
            ),
            key="similarity",
            title="**Between layers**",
            alt="Heat map: linear CKA between all pairs of layers.",
            name=f"{run.run_id}-similarity-{snapshot}-{pooling}",
            frame=pairs,
        )
    with right:
        cells = cells_of_measure(run, CKA.name, "train", pooling)
        figure(
            partial(
                charts.score_heat_map, cells, measure=CKA.label, domain=(0.0, 1.0), dark=is_dark()
            ),
            key="similarity_to_start",
            title="**To itself before training**",
            alt="Heat map: linear CKA of each layer at each epoch to itself before training.",
            name=f"{run.run_id}-cka-{pooling}",
            frame=cells,
        )
    st.caption(
        f"Linear CKA, unbiased estimate on {n:,} train examples (Kornblith et al. 2019; Nguyen et "
        f"al. 2021): {CKA_NOTE}"
    )
