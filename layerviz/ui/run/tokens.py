"""Every token of one text through the layers, as in VisBERT."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from layerviz import cache, charts
from layerviz.errors import LayervizError
from layerviz.runs import Run
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.state import show_error


def tokens_of_text(run: Run, text: str, folder: Path | None) -> None:
    """Offer the tokens of a text, read by the weights in `folder`, once the reader opens them."""
    part = st.expander(
        "Its tokens through the layers",
        icon=":material/segment:",
        key="example_tokens",
        on_change="rerun",
    )
    if not part.open:
        return
    with part:
        if folder is None:
            st.caption("The model is stored when the run ends.")
            return
        try:
            _draw(run, text, folder)
        except LayervizError as error:
            show_error(error)


def _draw(run: Run, text: str, folder: Path) -> None:
    names, paths = cache.tokens(run, folder, text)
    frame = pd.concat(
        [
            pd.DataFrame(
                {
                    "layer": layer,
                    "position": range(len(names)),
                    "token": names,
                    "x": xy[:, 0],
                    "y": xy[:, 1],
                }
            )
            for layer, xy in enumerate(paths.xy)
        ],
        ignore_index=True,
    )
    figure(
        charts.token_maps(
            frame,
            explained=paths.explained.sum(axis=1),
            dark=st.context.theme.type == "dark",
        ),
        key="token_maps",
        alt="Map of the tokens of the text, one layer at a time.",
        name=f"{run.run_id}-tokens",
        frame=frame,
    )
    st.caption(
        "PCA of these tokens alone in each layer of the fine-tuned model; each layer is rotated so "
        "that tokens stay as close as possible to where they were in the layer before (VisBERT, "
        "van Aken et al. 2020). The line follows the text."
    )
