"""The button that compares encoders, and the choice of encoders, settings and seeds."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from layerviz import encoders
from layerviz.config import SETTINGS, RunConfig
from layerviz.data import Dataset
from layerviz.encoders import EncoderInfo
from layerviz.settings import Choice, Number, Setting, Switch, Whole
from layerviz.ui.parts.libraries import wait_for_libraries
from layerviz.ui.parts.state import errors_shown, go_to_comparison, jobs
from layerviz.wording import count

MOST_SEEDS = 10


def compare_button(dataset: Dataset | None, config: RunConfig | None) -> None:
    """Show the button, and beside it the encoders and settings; `config` is that of step 3."""
    if config is None:
        return
    with st.container(horizontal=True, gap="small"):
        button = st.container()
        with (
            st.container(key="compared", width="content"),
            st.popover(
                "Encoders to compare",
                icon=":material/tune:",
                width="content",
                help="Choose encoders, their settings and the number of seeds",
            ),
        ):
            configs = _configs(config)
    n_encoders = len({one.encoder for one in configs})
    n_runs = "" if len(configs) == n_encoders else f", {len(configs)} runs"
    pressed = button.button(
        f"Compare {n_encoders} encoders{n_runs}" if n_encoders > 1 else "Compare encoders",
        width="stretch",
        disabled=dataset is None or n_encoders < 2,
        help="Choose two encoders or more." if n_encoders < 2 else None,
        key="compare",
    )
    if not pressed or dataset is None:
        return
    wait_for_libraries()
    with errors_shown():
        for one in configs:
            info = encoders.expect_on_disk(one.encoder)
            encoders.check_layers(info, freeze=one.freeze, keep_layers=one.keep_layers)
        compared = jobs().compare(configs, dataset)
        reused = [run.run_id for run in compared if run.status == "done"]
        if reused:
            which = (
                "existing runs"
                if len(reused) == len(compared)
                else f"{count(len(reused), 'existing run')} of {len(compared)}"
            )
            st.toast(f"Reused {which} with the same settings.", icon=":material/history:")
        st.session_state["reused"] = reused
        go_to_comparison(run.run_id for run in compared)


def _configs(config: RunConfig) -> list[RunConfig]:
    """Ask for encoders, the settings of each, and seeds; return a configuration for each run."""
    infos = {info.name: info for info in encoders.catalogue()}
    if config.encoder not in infos:
        infos[config.encoder] = encoders.describe(config.encoder)
    bundled = [name for name, info in infos.items() if info.source == "bundled"]
    names = st.multiselect(
        "Encoders",
        list(infos),
        default=bundled or list(infos)[:3],
        format_func=lambda name: infos[name].label,
        key="compared_encoders",
        help="To add another, type its Hub id or folder in step 2, then choose it here.",
    )
    n_seeds = st.number_input(
        "Seeds",
        1,
        MOST_SEEDS,
        1,
        key="compared_seeds",
        help="Runs per encoder that differ only in their seed, counting up from that of step 3. "
        "With several, the intervals include the variation between seeds, which two or three "
        "show only roughly.",
    )
    rows = _settings_table(config, [infos[name] for name in names])
    st.caption(
        "Click a value to change it; all other settings come from step 3. Rates suit each "
        "encoder's size; epochs suit each encoder, too, unless you changed them in step 3. All "
        "encoders see the same examples in the same splits."
    )
    return [
        dataclasses.replace(
            config,
            encoder=name,
            encoder_version=encoders.version(name),
            seed=config.seed + offset,
            **row,
        )
        for name, row in zip(names, rows, strict=True)
        for offset in range(int(n_seeds))
    ]


def _settings_table(config: RunConfig, infos: Sequence[EncoderInfo]) -> list[dict[str, Any]]:
    """Show the settings that may differ between encoders; return what the reader chose.

    The table is reset when its presets change.
    """
    entries = [entry for entry in SETTINGS.values() if entry.column]
    presets = [_own_presets(config, info, entries) for info in infos]
    digest = hashlib.sha256(repr(([info.name for info in infos], presets)).encode()).hexdigest()
    frame = pd.DataFrame(presets, columns=[entry.name for entry in entries])
    frame.insert(0, "encoder", [info.label for info in infos])
    edited = st.data_editor(
        frame,
        hide_index=True,
        disabled=["encoder"],
        key=f"compared_settings_{digest[:8]}",
        column_config={
            "encoder": st.column_config.TextColumn("Encoder"),
            **{entry.name: _column(entry) for entry in entries},
        },
    )
    return [
        {
            name: preset[name] if pd.isna(row[name]) else type(preset[name])(row[name])
            for name in preset
        }
        for preset, row in zip(presets, edited.to_dict("records"), strict=True)
    ]


def _own_presets(
    config: RunConfig, info: EncoderInfo, entries: Sequence[Setting]
) -> dict[str, Any]:
    """Return an encoder's presets: what was chosen in step 3, or else what suits it."""
    chosen, suitable = config.as_dict(), encoders.suitable_settings(info)
    untouched = encoders.suitable_settings(encoders.describe(config.encoder))
    return {
        entry.name: suitable[entry.name]
        if entry.name in suitable
        and (entry.of_one_encoder or chosen[entry.name] == untouched[entry.name])
        else chosen[entry.name]
        for entry in entries
    }


def _column(entry: Setting) -> Any:
    """Return how a setting is shown and edited in the table."""
    match entry.kind:
        case Switch():
            return st.column_config.CheckboxColumn(entry.column)
        case Choice(names):
            return st.column_config.SelectboxColumn(entry.column, options=names, required=True)
        case Whole(low, high):
            return st.column_config.NumberColumn(
                entry.column, min_value=low, max_value=high, step=1
            )
        case Number(low, high):
            number_format = entry.widget.format if entry.widget else None
            return st.column_config.NumberColumn(
                entry.column, min_value=low, max_value=high, format=number_format
            )
        case _:
            raise TypeError(f"the table of encoders cannot show {entry.name}")
