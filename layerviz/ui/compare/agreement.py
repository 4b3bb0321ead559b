"""Where two encoders agree: on single examples, and in the geometry of their layers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import partial

import pandas as pd
import streamlit as st

from layerviz import cache, charts, comparison, runs
from layerviz.comparison import (
    AGREEMENT_OUTCOMES,
    BY_HEAD,
    BY_PROBE,
    Agreement,
    Comparison,
    Contender,
    Standing,
)
from layerviz.runs import Run
from layerviz.ui.parts.choice import choose_one
from layerviz.ui.parts.figure import figure
from layerviz.ui.parts.measured import download
from layerviz.ui.parts.state import keep, plain
from layerviz.ui.parts.text_columns import text_columns
from layerviz.views import CKA_NOTE

PREDICTORS = {BY_HEAD: "Models' own predictions", BY_PROBE: "Probe of the best layer"}


@dataclass(frozen=True)
class _Encoder:
    """One of the two: its name, the run that stands for it, and how it stands."""

    name: str
    run: Run
    standing: Standing


def agreement_tab(ready: list[Contender], judged: Comparison) -> None:
    """Show on which examples two encoders disagree, and how similar their layers are."""
    names = [contender.name for contender in ready]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        # Part of the keys: what was chosen among other encoders is no choice here.
        among = hashlib.sha256(repr(names).encode()).hexdigest()[:8]
        first = st.selectbox("Encoder", names, key=keep(f"versus_one_{among}"), width=260)
        rest = [name for name in names if name != first]
        key = keep(f"versus_other_{among}_{names.index(first)}")
        second = st.selectbox("Compared with", rest, key=key, width=260)
        by = choose_one(
            "Predictions of",
            list(PREDICTORS),
            key="versus_by",
            first=BY_HEAD,
            format_func=lambda name: PREDICTORS[name],
        )
    numbers = names.index(first), names.index(second)
    one, other = (
        _Encoder(names[number], ready[number].measured[0], judged.standings[number])
        for number in numbers
    )
    agreement = cache.agreement((one.run, other.run), (one.standing.best, other.standing.best), by)
    if any(len(ready[number].measured) > 1 for number in numbers):
        seeds = f"{one.run.config.seed} and {other.run.config.seed}"
        st.caption(f"Of several seeds, this compares seeds {seeds}.")
    _counts(agreement, one, other, by)
    _disagreements(agreement, one, other)
    _similarity(one, other)


def _counts(agreement: Agreement, one: _Encoder, other: _Encoder, by: str) -> None:
    n = sum(agreement.counts.values())
    titles = ("Both right", f"Only {one.name} right", f"Only {other.name} right", "Both wrong")
    for column, title, outcome in zip(st.columns(4), titles, AGREEMENT_OUTCOMES, strict=True):
        n_outcome = agreement.counts[outcome]
        with column, st.container(border=True, height="stretch", gap="xxsmall"):
            # A metric would cut the names of encoders.
            st.caption(plain(title))
            st.markdown(f"**{plain(f'{100 * n_outcome / n:.1f} %')}**")
            st.caption(f"{n_outcome:,} of {n:,}")
    which = "Each at its newest snapshot"
    if by == BY_PROBE:
        which = "; ".join(
            f"{encoder.name}: {comparison.best_cell_name(encoder.standing)}"
            for encoder in (one, other)
        )
    st.caption(plain(f"{which}, on val. {difference_sentence(agreement.p_value, by)}"))


def difference_sentence(p_value: float, by: str) -> str:
    """Say whether two classifiers differ in how many examples they get right.

    Parameters
    ----------
    p_value : float
        Of McNemar's exact test, which holds for classifiers that were not picked by the examples.
    by : {"head", "probe"}
        Whose predictions: the models' own classifiers', or those of the probes of the layers that
        score highest on these examples.
    """
    if by == BY_PROBE:
        return (
            "These layers were picked for their scores on the same examples, so no test of this "
            "difference would hold; the verdict above is made for that."
        )
    verb = "differs clearly" if p_value <= 0.05 else "does not differ clearly"
    p = "p < 0.001" if p_value < 0.001 else f"p = {p_value:.3f}"
    return (
        f"The number of examples that they get right {verb} between the two (McNemar's exact test, "
        f"{p}). The test covers the choice of val examples: another training seed may change more."
    )


def _disagreements(agreement: Agreement, one: _Encoder, other: _Encoder) -> None:
    disagreements = comparison.disagreements(agreement, one.run.label_names)
    _, only_one, only_other, _ = AGREEMENT_OUTCOMES
    table = pd.DataFrame(
        {
            "right": disagreements["outcome"].map({only_one: one.name, only_other: other.name}),
            "label": disagreements["label"],
            f"{one.name} predicts": disagreements["one"],
            f"{other.name} predicts": disagreements["other"],
            **text_columns(disagreements["text"]),
            "id": disagreements["id"],
            "example": runs.names_of(one.run, disagreements.assign(split="val")),
        }
    )
    with st.container(horizontal=True, horizontal_alignment="distribute"):
        title = f"**{len(table):,} val examples that one gets right and the other wrong**"
        st.markdown(title, width="content")
        download(lambda: table, "disagreements")
    st.dataframe(table, hide_index=True, width="stretch", height=320, column_config={"id": None})


def _similarity(one: _Encoder, other: _Encoder) -> None:
    snapshots = one.standing.best.snapshot, other.standing.best.snapshot
    pooling = one.standing.best.pooling
    matrix, n = cache.encoder_similarity((one.run, other.run), snapshots, pooling)
    pairs = charts.similarity_frame(matrix)
    figure(
        partial(
            charts.similarity_heat_map,
            pairs,
            title_x=f"Layer of {other.name}",
            title_y=f"Layer of {one.name}",
            dark=st.context.theme.type == "dark",
        ),
        key="compare_similarity",
        title=f"**Similarity between their layers**: linear CKA on {n:,} train examples",
        alt="Heat map: linear CKA between the layers of two encoders.",
        name="comparison-similarity",
        frame=pairs,
    )
    st.caption(
        f"{CKA_NOTE} Each encoder is at its best epoch, both under the pooling at which "
        f"{plain(one.name)} scores highest."
    )
