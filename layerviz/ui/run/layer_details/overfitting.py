"""At which epoch val is best in each layer, and what happens after that."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import streamlit as st

from layerviz import cache
from layerviz.separability import overfitting_sentence
from layerviz.ui.parts.measured import download
from layerviz.ui.parts.state import plain
from layerviz.ui.run.layer_details.detail import Detail
from layerviz.wording import decimal, epoch_number, signed

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
    st.table(_as_texts(table), hide_index=True, alt="Each layer's peak on val and its end.")
    st.caption(
        "Macro-F1 of the linear probe. As good from: the earliest epoch that certainly scores at "
        "most 0.02 less than the peak. The peak is that of the mean over a layer and epoch and "
        "those next to them, which chance moves less. Intervals (95 %) hold for all layers, "
        "poolings and pairs of epochs at once, so a fall that is certain is so after looking at "
        "all of them."
    )
    download(lambda: table, f"{detail.run.run_id}-overfitting-{detail.pooling}")


def _score(value: float) -> str:
    return decimal(value, 3)


def _as_texts(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as people read it: headings wrap, so that it fits a narrow page."""

    def written(column: str, write: Callable[[float], str] = _score) -> list[str]:
        return [write(value) for value in table[column]]

    ends = zip(*(written(name, signed) for name in ("change", "low", "high")), strict=True)
    return pd.DataFrame(
        {
            "Layer": written("layer", str),
            "Val peaks at epoch": written("peak", epoch_number),
            "As good from epoch": written("as_good", epoch_number),
            "Val at peak": written("val_peak"),
            "Val at end": written("val_last"),
            "Train at peak": written("train_peak"),
            "Train at end": written("train_last"),
            "Val, end minus peak": [
                f"{value} ({low} to {high})" if low != high else "the peak is the end"
                for value, low, high in ends
            ],
            "After the peak": table["verdict"].map(AFTER_THE_PEAK).tolist(),
        }
    )
