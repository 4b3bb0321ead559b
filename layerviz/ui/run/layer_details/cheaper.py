"""Fewer trained layers, or fewer layers: how many suggest themselves, and a run that tries it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pandas as pd
import streamlit as st

from layerviz import cache, comparison, encoders, runs, separability
from layerviz.config import RunConfig
from layerviz.runs import Run
from layerviz.separability import SIMILAR, FreezingSuggestion, decision_sentence
from layerviz.ui.parts.continuing import own_data
from layerviz.ui.parts.measured import download
from layerviz.ui.parts.sidebar_button import sidebar_button
from layerviz.ui.parts.state import (
    chosen_data,
    errors_shown,
    go_to,
    go_to_comparison,
    jobs,
    plain,
)
from layerviz.ui.run.layer_details.detail import Detail
from layerviz.ui.run.progress import progress


def cheaper_tab(detail: Detail) -> None:
    """Suggest how many layers to freeze or to keep, and let the reader try it."""
    config = detail.run.config
    if config.freeze or config.keep_layers is not None:
        name = comparison.trial_name(detail.run)
        st.caption(
            f"This run is such a trial itself: {plain(name)}. Open the run with all layers to try "
            "other numbers."
        )
        return
    n_layers = int(detail.run.encoder["layers"])
    if n_layers < 2:
        st.caption("The encoder has a single layer: there is none to spare.")
        return
    left, right = st.columns(2, gap="large")
    with left:
        _freezing(detail, n_layers)
    with right:
        _keeping(detail, n_layers)
    st.caption(
        f"A trial is a run with the same settings, data and seed. Its model's own predictions are "
        f"compared with this run's on the same val examples (paired bootstrap): it does as well if "
        f"a loss of {detail.margin:.2f} macro-F1 (set above) is excluded. Seconds are those of the "
        "optimizer steps, as measured when each ran. One run each: another seed may move scores by "
        "more than the intervals say. Sources: Lee et al. 2019, Merchant et al. 2020 (freezing); "
        "Sajjad et al. 2023 (fewer layers)."
    )


def _freezing(detail: Detail, n_layers: int) -> None:
    st.markdown("**Train fewer layers**")
    suggestion = cache.freezing_suggestion(detail.run, detail.answer.best, detail.margin)
    suggested = max(n_layers // 2, 1)
    if suggestion is None:
        st.markdown("The answer recommends no training, so that there is nothing to spare.")
    else:
        st.markdown(plain(separability.freezing_sentence(suggestion)))
        suggested = suggestion.layers or suggested
    layers = st.number_input(
        "Layers to freeze",
        1,
        n_layers,
        suggested,
        key=f"freeze-trial-{detail.run.run_id}-{suggested}",
        help="The embeddings and the first so many layers are not trained.",
    )
    _trial(detail, "freeze", int(layers))
    if suggestion is not None:
        _why(detail.run, suggestion)


def _keeping(detail: Detail, n_layers: int) -> None:
    st.markdown("**Use fewer layers**")
    decision = detail.decision
    suggested = max(n_layers // 2, 1)
    if decision is None:
        st.markdown("The answer names no layer, so that no number of them suggests itself.")
    else:
        st.markdown(plain(decision_sentence(decision)))
        suggested = decision.cell.layer if decision.cell else suggested
    layers = st.number_input(
        "Layers to keep",
        1,
        n_layers - 1,
        suggested,
        key=f"keep-trial-{detail.run.run_id}-{suggested}",
        help="The first so many layers are fine-tuned, with the classifier on top of them.",
    )
    _trial(detail, "keep_layers", int(layers))


def _why(run: Run, suggestion: FreezingSuggestion) -> None:
    """Show what the suggestion is taken from."""
    table = pd.DataFrame(
        {
            "layer": range(1, len(suggestion.gains) + 1),
            "similarity": suggestion.similarity,
            "gain": [gain.value for gain in suggestion.gains],
            "low": [gain.low for gain in suggestion.gains],
            "high": [gain.high for gain in suggestion.gains],
        }
    )
    with st.expander("Why so many?", icon=":material/expand_more:"):
        st.dataframe(
            table,
            hide_index=True,
            width="stretch",
            column_config={
                "layer": "Layer",
                "similarity": st.column_config.NumberColumn("CKA to epoch 0", format="%.2f"),
                "gain": st.column_config.NumberColumn("Probe gain", format="%+.3f"),
                "low": st.column_config.NumberColumn("from", format="%+.3f"),
                "high": st.column_config.NumberColumn("to", format="%+.3f"),
            },
        )
        st.caption(
            f"Suggested are the layers from the first on whose CKA to epoch 0 is {SIMILAR} or more "
            f"and whose probe has not certainly gained {suggestion.margin:.2f} macro-F1 or more on "
            "val, both the mean over the poolings, at the recommended epoch; 95 % intervals over "
            "all layers at once."
        )
        download(lambda: table, f"{run.run_id}-freezing")


# --- trying it ------------------------------------------------------------------------------


def _trial(detail: Detail, setting: str, layers: int) -> None:
    """Show the run with a setting so cheap, or the button that makes it."""
    run = detail.run
    changes: dict[str, Any] = {setting: layers}
    config = dataclasses.replace(run.config, **changes)
    trial = _existing(run, config)
    if trial is None or trial.status in ("cancelled", "failed"):
        if trial is not None:
            st.caption(f"The trial was {trial.status} with {len(trial.snapshots)} snapshots.")
        _button(run, config, setting)
    elif trial.live:
        progress(trial)
    elif trial.snapshots:
        verdict = cache.trial_verdict(run, trial, detail.margin)
        icon = ":material/check:" if verdict.as_good else ":material/info:"
        first, *rest = comparison.trial_sentences(verdict, comparison.trial_name(trial))
        st.markdown(f"{icon} {plain(' '.join([first, *rest]))}")
    if trial is not None:
        with st.container(horizontal=True):
            st.button("Open the trial", on_click=go_to, args=(trial.run_id,), key=f"open-{setting}")
            st.button(
                "Compare both",
                on_click=go_to_comparison,
                args=([run.run_id, trial.run_id],),
                disabled=not trial.snapshots,
                key=f"compare-{setting}",
            )


def _existing(run: Run, config: RunConfig) -> Run | None:
    """Return the trial, also where the file with the data has had another name since."""
    fingerprint = run.dataset["fingerprint"]
    return next(
        (
            other
            for other in runs.list_runs(jobs().root)
            if other.config == config and other.dataset["fingerprint"] == fingerprint
        ),
        None,
    )


def _button(run: Run, config: RunConfig, setting: str) -> None:
    """Offer the trial where the data on the left is the run's own; else say what is missing."""
    if runs.is_read_only():
        return
    if run.live:
        st.caption("It can be tried when this run has ended.")
        return
    dataset = own_data(run, chosen_data())
    if dataset is None:
        name = plain(run.dataset["name"])
        st.caption(f"To try it, choose the run's data ({name}) in the sidebar.")
        sidebar_button(f"try-{setting}")
        return
    if encoders.version(config.encoder) != config.encoder_version:
        st.caption("The encoder's files have changed since this run, so that it cannot be tried.")
        return
    if st.button("Try it", icon=":material/science:", key=f"try-{setting}", type="primary"):
        with errors_shown():
            info = encoders.describe(config.encoder)
            encoders.check_layers(info, freeze=config.freeze, keep_layers=config.keep_layers)
            jobs().fit(config, dataset)
            st.rerun()
