"""Step 3: how to train."""

from __future__ import annotations

from typing import Any

import streamlit as st

from layerviz import encoders
from layerviz.config import SETTINGS, RunConfig
from layerviz.encoders import EncoderInfo
from layerviz.settings import (
    MAIN,
    MORE,
    Choice,
    Number,
    PageSection,
    Setting,
    Switch,
    Whole,
    Widget,
)
from layerviz.ui.parts.mending import widget_key
from layerviz.ui.parts.state import plain
from layerviz.ui.sidebar.address import check_setting_in_address
from layerviz.wording import enumeration, sentence_case


def choose_training(encoder: EncoderInfo) -> RunConfig:
    """Show step 3 and return the checked settings."""
    st.subheader("3  Training")
    values = _section(MAIN, encoder)
    with st.expander("More settings", icon=":material/tune:"):
        more = _section(MORE, encoder)
    _say_what_differs(more, encoder)
    values |= more
    version = encoders.version(encoder.name)
    config = RunConfig.from_dict({"encoder": encoder.name, "encoder_version": version} | values)
    encoders.check_layers(encoder, freeze=config.freeze, keep_layers=config.keep_layers)
    return config


def _say_what_differs(values: dict[str, Any], encoder: EncoderInfo) -> None:
    """Name the settings that are no longer as they were preset: those above are folded away."""
    preset = _presets(encoder)
    labels = [
        entry.widget.label
        for entry in SETTINGS.values()
        if entry.widget is not None
        and entry.name in values
        and values[entry.name] != preset[entry.name]
    ]
    if labels:
        st.caption(plain(f"Changed from the default: {enumeration(labels)}."))


def _presets(encoder: EncoderInfo) -> dict[str, Any]:
    """Return what every setting is before anyone changes it: its default, or what suits."""
    defaults = {entry.name: entry.default for entry in SETTINGS.values()}
    return defaults | encoders.suitable_settings(encoder)


def _section(section: PageSection, encoder: EncoderInfo) -> dict[str, Any]:
    """Ask for the settings of a section, side by side in two columns, the wide ones below."""
    left, right = st.columns(2)
    columns = {"left": left, "right": right, "wide": st.container()}
    preset, values = _presets(encoder), {}
    widgets = [(entry, entry.widget) for entry in SETTINGS.values() if entry.widget is not None]
    for entry, widget in sorted(widgets, key=lambda pair: pair[1].row):
        if widget.section == section:
            with columns[widget.column]:
                values[entry.name] = _ask(entry, widget, preset[entry.name], encoder)
    return values


def _ask(entry: Setting, widget: Widget, preset: Any, encoder: EncoderInfo) -> Any:
    """Ask for a setting and return what was chosen."""
    label, key = widget.label, widget_key(entry, encoder)
    check_setting_in_address(key, label, entry, percent=widget.percent)
    about: dict[str, Any] = {
        "key": key,
        "help": f"{sentence_case(entry.help)}.",
        "bind": "query-params",
    }
    match entry.kind:
        case Switch():
            return st.toggle(label, preset, **about)
        case Choice(names):
            return st.selectbox(label, names, names.index(preset), **about)
        case Number(low, high) if widget.percent:
            percent = [round(100 * share) for share in (low, high, preset)]
            return st.number_input(label, *percent, **about) / 100
        case Whole(low, high):
            step = None if widget.step is None else int(widget.step)
            if entry.empty:
                about["placeholder"] = entry.empty
            whole = st.number_input(label, low, high, preset, step, widget.format, **about)
            return None if whole is None else int(whole)
        case Number(low, high):
            chosen = st.number_input(label, low, high, preset, widget.step, widget.format, **about)
            return float(chosen)
        case _:
            raise TypeError(f"the page cannot ask for {entry.name}")
