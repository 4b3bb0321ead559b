"""At which epoch val is best in each layer, and what happens after that."""

from __future__ import annotations

import streamlit as st

from layerviz import cache
from layerviz.separability import overfitting_sentence
from layerviz.ui.parts.measured import download
from layerviz.ui.parts.state import plain
from layerviz.ui.run.layer_details.detail import Detail

AFTER_THE_PEAK = {
    "overfits": "val falls, train does not",
    "unclear": "no certain fall",
    "rising": "still rising",
}


def overfitting_tab(detail: Detail) -> None:
    """Show each layer's peak on val, when to stop, and whether val falls after the peak."""
    if len(detail.measured) < 2:
        st.caption("This needs at least two snapshots.")
        return
    table = cache.overfitting(detail.run, detail.pooling)
    st.markdown(plain(overfitting_sentence(table, detail.answer.best.layer)))
    score = st.column_config.NumberColumn
    st.dataframe(
        table.assign(verdict=table["verdict"].map(AFTER_THE_PEAK)),
        hide_index=True,
        width="stretch",
        column_config={
            "layer": score("Layer"),
            "peak": score("Val peaks at epoch", format="%g"),
            "as_good": score(
                "As good from epoch",
                format="%g",
                help="The earliest epoch that certainly scores at most 0.02 less than the peak.",
            ),
            "val_peak": score("Val at peak", format="%.3f"),
            "val_last": score("Val at end", format="%.3f"),
            "train_peak": score("Train at peak", format="%.3f"),
            "train_last": score("Train at end", format="%.3f"),
            "change": score("Val, end − peak", format="%+.3f"),
            "low": score("from", format="%+.3f"),
            "high": score("to", format="%+.3f"),
            "verdict": st.column_config.TextColumn("After the peak"),
        },
    )
    st.caption(
        "Macro-F1 of the linear probe. The peak is that of the mean over a layer and epoch and "
        "those next to them, which chance moves less. Intervals (95 %) hold for all layers, "
        "poolings and pairs of epochs at once, so a fall that is certain is so after looking at "
        "all of them."
    )
    download(lambda: table, f"{detail.run.run_id}-overfitting-{detail.pooling}")
