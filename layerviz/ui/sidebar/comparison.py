"""The button that compares encoders, and which ones with which settings."""

from __future__ import annotations

import dataclasses
import hashlib

import pandas as pd
import streamlit as st

from layerviz import encoders
from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.ui.parts.state import go_to_comparison, jobs, told

MOST_SEEDS = 10


def compare_button(dataset: Dataset | None, config: RunConfig | None) -> None:
    """Show the button, and beside it what it compares; `config` is that of step 3."""
    if config is None:
        return
    with st.container(horizontal=True, gap="small"):
        place = st.container()
        with st.popover(
            "",
            icon=":material/tune:",
            width="content",
            help="Which encoders, with which settings, with how many seeds",
        ):
            configs = _configs(config)
    names = len({one.encoder for one in configs})
    seeds = "" if len(configs) == names else f", {len(configs)} runs"
    pressed = place.button(
        f"Compare {names} encoders{seeds}" if names > 1 else "Compare encoders",
        width="stretch",
        disabled=dataset is None or len(configs) < 2,
        key="compare",
    )
    if not pressed or dataset is None:
        return
    with told():
        for one in configs:
            encoders.expect_on_disk(one.encoder)
        compared = jobs().compare(configs, dataset)
        done = sum(run.status == "done" for run in compared)
        if done:
            which = (
                "All runs are" if done == len(compared) else f"{done} of {len(compared)} runs are"
            )
            st.toast(
                f"{which} there already with these settings: reused.", icon=":material/history:"
            )
        st.session_state["reused"] = [run.run_id for run in compared if run.status == "done"]
        go_to_comparison(run.run_id for run in compared)


def _configs(config: RunConfig) -> list[RunConfig]:
    """Let the reader choose encoders, their own settings and seeds."""
    known = {info.name: info for info in encoders.catalogue()}
    if config.encoder not in known:
        known[config.encoder] = encoders.describe(config.encoder)
    bundled = [name for name, info in known.items() if info.source == "bundled"]
    chosen = st.multiselect(
        "Encoders",
        list(known),
        default=bundled or list(known)[:3],
        format_func=lambda name: known[name].label,
        key="compared_encoders",
        help="Another one: type its Hub id or folder in step 2, then choose it here.",
    )
    seeds = st.number_input(
        "Seeds",
        1,
        MOST_SEEDS,
        1,
        key="compared_seeds",
        help="Runs per encoder that differ in the seed alone, from the seed of step 3 on. With "
        "several, the intervals cover what another seed would change.",
    )
    frame = pd.DataFrame(
        {
            "encoder": [known[name].label for name in chosen],
            "epochs": config.epochs,
            "batch_size": config.batch_size,
            "learning_rate": [
                encoders.default_learning_rate(known[name].hidden_size) for name in chosen
            ],
        }
    )
    digest = hashlib.sha256(repr((chosen, config.epochs, config.batch_size)).encode()).hexdigest()
    own = st.data_editor(
        frame,
        hide_index=True,
        disabled=["encoder"],
        key=f"compared_settings_{digest[:8]}",
        column_config={
            "encoder": st.column_config.TextColumn("Encoder"),
            "epochs": st.column_config.NumberColumn("Epochs", min_value=1, max_value=100, step=1),
            "batch_size": st.column_config.NumberColumn(
                "Batch", min_value=1, max_value=1024, step=1
            ),
            "learning_rate": st.column_config.NumberColumn("Rate", format="%.1e", min_value=1e-8),
        },
    )
    st.caption(
        "Click a number to change it; all other settings are those of step 3. Rates suit each "
        "encoder's size. All see the same examples in the same splits."
    )
    return [
        dataclasses.replace(
            config,
            encoder=name,
            encoder_version=encoders.version(name),
            epochs=int(row["epochs"]),
            batch_size=int(row["batch_size"]),
            learning_rate=float(row["learning_rate"]),
            seed=config.seed + more,
        )
        for name, row in zip(chosen, own.to_dict("records"), strict=True)
        for more in range(int(seeds))
    ]
