"""The chosen data at a glance: counts, lengths, notes, a preview."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import cache, charts, encoders
from layerviz.config import SPLITS, RunConfig
from layerviz.data import Dataset
from layerviz.encoders import EncoderInfo
from layerviz.errors import LayervizError
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.state import plain
from layerviz.ui.parts.text_columns import text_columns, text_config

PREVIEWED = 200
CLASSES_DRAWN = 30
LENGTHS_DRAWN = 0.995  # the longest texts would squeeze the others into one bar


def overview(dataset: Dataset, encoder: EncoderInfo | None, config: RunConfig | None) -> None:
    """Show what would be trained on."""
    counts = dataset.counts()
    splits = [split for split in SPLITS if split in counts.columns and counts[split].sum()]
    figures = st.columns(len(splits) + 1)
    figures[0].metric("Classes", f"{len(dataset.label_names):,}", border=True)
    for column, split in zip(figures[1:], splits, strict=True):
        column.metric(f"{split.capitalize()} examples", f"{counts[split].sum():,}", border=True)
    st.caption("  \n".join(f":material/info: {plain(note)}" for note in dataset.notes))
    left, right = st.columns(2)
    with left, st.container(border=True, height="stretch"):
        st.markdown("**Classes**")
        _class_counts(counts[splits])
    with right, st.container(border=True, height="stretch"):
        st.markdown("**Text lengths (train)**")
        _lengths(dataset, encoder, config)
    with st.container(border=True):
        n = min(PREVIEWED, len(dataset.examples))
        st.markdown(f"**Preview** (first {n:,} of {len(dataset.examples):,} examples)")
        _preview(dataset)


def _class_counts(counts: pd.DataFrame) -> None:
    by_size = counts.loc[counts.sum(axis=1).sort_values(ascending=False, kind="stable").index]
    by_class = by_size.head(CLASSES_DRAWN).rename_axis(index="label", columns="split")
    figure(
        partial(charts.class_counts, pd.Series(by_class.stack(), name="n").reset_index()),
        key="class_counts",
        alt="Bar chart: number of examples of each class in each split.",
    )
    if len(counts) > CLASSES_DRAWN:
        st.caption(f"The {CLASSES_DRAWN} most frequent of {len(counts):,} classes.")


def _lengths(dataset: Dataset, encoder: EncoderInfo | None, config: RunConfig | None) -> None:
    texts = dataset.split("train")["text"]
    limit = config.max_length if config else 0
    lengths, unit = _token_lengths(dataset, encoder, config)
    if lengths is None:
        lengths, unit = texts.map(lambda text: len(text.split())).to_numpy(), "words"
        st.caption("Counted in words: the tokenizer is not on disk yet.")
    drawn = lengths[lengths <= np.quantile(lengths, LENGTHS_DRAWN)]
    width = -(-(int(np.ptp(drawn)) + 1) // 40)  # whole numbers per bar
    counts, edges = np.histogram(drawn, np.arange(drawn.min(), drawn.max() + width + 1, width))
    frame = pd.DataFrame({"start": edges[:-1], "end": edges[1:], "n": counts})
    figure(
        partial(charts.length_histogram, frame, limit, unit),
        key="length_histogram",
        alt=f"Histogram of text lengths in {unit}.",
    )
    sample = "" if len(lengths) == len(texts) else f" (a sample of {len(lengths):,} texts)"
    beyond = len(lengths) - len(drawn)
    sentences = f"Median {np.median(lengths):,.0f} {unit}, longest {lengths.max():,}{sample}."
    if beyond:
        sentences += " The longest is" if beyond == 1 else f" The {beyond:,} longest are"
        sentences += " not drawn."
    if unit == "tokens" and config:
        cut = int((lengths > limit).sum())
        share = cut / len(lengths)
        which = f"{cut:,} ({share:.1%})" if cut else "none"
        sentences += f" At max length {limit:,}, {which} will be cut."
    st.caption(sentences)


def _token_lengths(
    dataset: Dataset, encoder: EncoderInfo | None, config: RunConfig | None
) -> tuple[np.ndarray | None, str]:
    if encoder is None or config is None or not encoder.on_disk:
        return None, "words"
    try:
        version = encoders.version(encoder.name)
        return cache.token_lengths(encoder.name, version, dataset), "tokens"
    except LayervizError as error:
        st.caption(plain(str(error)))
        return None, "words"


def _preview(dataset: Dataset) -> None:
    part = dataset.examples.head(PREVIEWED)
    names = np.asarray(dataset.label_names, dtype=object)
    frame = pd.DataFrame(
        {
            "split": part["split"],
            "label": names[part["label"].to_numpy()],
            **text_columns(part["text"]),
        }
    )
    st.dataframe(
        frame,
        hide_index=True,
        width="stretch",
        height=260,
        column_config={
            "split": st.column_config.TextColumn(width=60),
            "label": st.column_config.TextColumn(width=140),
        }
        | text_config(frame),
    )
