"""Step 2: which encoder."""

from __future__ import annotations

import streamlit as st

from layerviz import encoders, runs
from layerviz.encoders import EncoderInfo
from layerviz.ui.parts.libraries import wait_for_libraries
from layerviz.ui.parts.mending import ENCODER_KEY, OTHER_ENCODER, OTHER_ENCODER_KEY
from layerviz.ui.parts.state import jobs, plain
from layerviz.ui.sidebar.address import check_address

SOURCES = {"bundled": "bundled", "hub": "Hub", "local": "folder"}


def choose_encoder() -> EncoderInfo | None:
    """Show step 2 and return the description of the encoder, or None while nothing is typed."""
    st.subheader("2  Encoder")
    listed = {info.name: info for info in encoders.catalogue()}
    titles = {_title(info) for info in listed.values()} | {OTHER_ENCODER}
    check_address(ENCODER_KEY, "Encoder", titles.__contains__, "Choose one from the list.")
    name = st.selectbox(
        "Encoder",
        [*listed, OTHER_ENCODER],
        format_func=lambda name: _title(listed[name]) if name in listed else name,
        key=ENCODER_KEY,
        bind="query-params",
        label_visibility="collapsed",
    )
    if name == OTHER_ENCODER:
        name = st.text_input(
            "Hub id or folder",
            placeholder="google/electra-small-discriminator",
            key=OTHER_ENCODER_KEY,
            bind="query-params",
            help="Any encoder that AutoModelForSequenceClassification loads, with safetensors "
            "weights: BERT, ELECTRA, ALBERT, DeBERTa, ModernBERT, ...",
        ).strip()
        if not name:
            st.caption("Type an id from the Hugging Face Hub or the path of a local folder.")
            return None
        runs.expect_not_of_others(name, jobs().root)
        wait_for_libraries()
    info = encoders.expect_on_disk(name)
    st.caption(f"{_figures(info)}  \n{plain(info.note)}")
    return info


def _title(info: EncoderInfo) -> str:
    return info.label if info.source == "scratch" else f"{info.label} · {SOURCES[info.source]}"


def _figures(info: EncoderInfo) -> str:
    if info.layers is None:
        return "The number of layers and the size are known once it is on disk."
    parameters = "" if info.parameters is None else f" · {_millions(info.parameters)} parameters"
    where = {True: "on disk", False: "will be downloaded"}[info.on_disk]
    if info.source == "scratch":
        where = "made when training starts"
    return f"{info.layers} layers · hidden size {info.hidden_size}{parameters} · {where}"


def _millions(parameters: int) -> str:
    return f"{parameters / 1e6:.1f} M" if parameters < 1e8 else f"{parameters / 1e6:.0f} M"
