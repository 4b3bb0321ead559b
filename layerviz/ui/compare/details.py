"""Scores of several encoders as curves, and where two of them agree."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pandas as pd
import streamlit as st

from layerviz import cache, charts, comparison
from layerviz.comparison import (
    AGREEMENT_OUTCOMES,
    BY_HEAD,
    BY_PROBE,
    Agreement,
    Comparison,
    Contender,
)
from layerviz.runs import Run
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.measured import download
from layerviz.ui.parts.state import keep, plain

F1 = "Val macro-F1"
BY = {BY_HEAD: "Own classifier", BY_PROBE: "Probe of the best layer"}


def scores_tab(judged: Comparison, names: Sequence[str]) -> None:
    """Show the probe's score over relative depth and over the epochs, a line per encoder."""
    dark = st.context.theme.type == "dark"
    left, right = st.columns(2)
    with left:
        st.markdown("**Over relative depth**, each at its best epoch and pooling")
        figure(
            charts.scores_over_depth(
                judged.profiles, names, measure=f"{F1} (n = {judged.n_val:,})", dark=dark
            ),
            key="over_depth",
            alt="Line chart: the probe's val macro-F1 over relative depth, a line per encoder.",
            name="comparison-depth",
            frame=judged.profiles,
        )
    with right:
        st.markdown("**Over the epochs**, best layer and pooling; dashed: own classifier")
        figure(
            charts.encoders_over_epochs(
                judged.epochs, names, measure=f"{F1} (n = {judged.n_val:,})", dark=dark
            ),
            key="encoders_over_epochs",
            alt="Line chart: val macro-F1 over the epochs, a line per encoder and classifier.",
            name="comparison-epochs",
            frame=judged.epochs,
        )
    st.caption(f"Bands are 95 % bootstrap intervals. {comparison.seeds_note(judged)}")


def agreement_tab(ready: list[Contender], judged: Comparison) -> None:
    """Show on which examples two encoders disagree, and how alike their layers are."""
    names = [contender.name for contender in ready]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Part of the keys: what was chosen among other encoders is no choice here.
        among = hashlib.sha256(repr(names).encode()).hexdigest()[:8]
        one = st.selectbox("Encoder", names, key=keep(f"versus_one_{among}"), width=260)
        rest = [name for name in names if name != one]
        key = keep(f"versus_other_{among}_{names.index(one)}")
        other = st.selectbox("Against", rest, key=key, width=260)
        by = st.segmented_control(
            "Predictions of",
            list(BY),
            required=True,
            format_func=BY.get,
            key=keep("versus_by", BY_HEAD),
            width="content",
        )
    pair = [names.index(one), names.index(other)]
    standings = [judged.standings[place] for place in pair]
    runs = tuple(ready[place].measured[0] for place in pair)
    cells = tuple(standing.best for standing in standings)
    found = cache.agreement(runs, cells, by)
    if any(len(ready[place].measured) > 1 for place in pair):
        seeds = " and ".join(str(run.config.seed) for run in runs)
        st.caption(f"Of several seeds, here seed {seeds}.")
    _counts(found, one, other, [comparison.best_cell_name(standing) for standing in standings], by)
    _disagreements(found, runs[0], one, other)
    _similarity(runs, one, other, cells)


def _counts(found: Agreement, one: str, other: str, places: list[str], by: str) -> None:
    n = sum(found.counts.values())
    titles = ("Both right", f"Only {one} right", f"Only {other} right", "Both wrong")
    for place, title, outcome in zip(st.columns(4), titles, AGREEMENT_OUTCOMES, strict=True):
        count = found.counts[outcome]
        place.metric(
            plain(title), f"{count / n:.1%}", f"{count:,} of {n:,}", delta_color="off",
            delta_arrow="off", border=True, height="stretch",
        )  # fmt: skip
    uneven = "differ clearly" if found.p_value <= 0.05 else "do not differ clearly"
    when = "Each at its newest snapshot"
    if by == BY_PROBE:
        when = f"{one}: {places[0]}; {other}: {places[1]}"
    st.caption(
        plain(
            f"{when}, on val. In how many of these they are right, the two {uneven} (McNemar's "
            f"exact test, p = {found.p_value:.3f})."
        )
    )


def _disagreements(found: Agreement, run: Run, one: str, other: str) -> None:
    frame = comparison.disagreements(found, run.label_names)
    titles = {AGREEMENT_OUTCOMES[1]: one, AGREEMENT_OUTCOMES[2]: other}
    shown = pd.DataFrame(
        {
            "right": frame["outcome"].map(titles),
            "label": frame["label"],
            f"{one} says": frame["one"],
            f"{other} says": frame["other"],
            "text": frame["text"].str.slice(0, 1000),
            "id": frame["id"],
        }
    )
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        text = f"**{len(shown):,} val examples that one gets right and the other wrong**"
        st.markdown(text, width="content")
        download(lambda: shown, "disagreements")
    st.dataframe(shown, hide_index=True, width="stretch", height=320)


def _similarity(runs: tuple[Run, Run], one: str, other: str, cells: tuple) -> None:
    snapshots = tuple(cell.snapshot for cell in cells)
    pooling = cells[0].pooling
    values, n = cache.encoder_similarity(runs, snapshots, pooling)
    pairs = pd.DataFrame(
        [
            {"layer": layer, "other": row, "value": values[row, layer]}
            for row in range(values.shape[0])
            for layer in range(values.shape[1])
        ]
    )
    st.markdown(f"**Layers that see the same**: linear CKA, {n:,} train examples")
    figure(
        charts.similarity_heat_map(
            pairs,
            title_x=f"Layer of {other}",
            title_y=f"Layer of {one}",
            dark=st.context.theme.type == "dark",
        ),
        key="compare_kinship",
        alt="Heat map: linear CKA between the layers of two encoders.",
        name="comparison-kinship",
        frame=pairs,
    )
    st.caption(
        "1: the same up to rotation and scale; 0: unrelated. Each encoder at its best epoch, both "
        f"under the pooling that serves {plain(one)} best."
    )
