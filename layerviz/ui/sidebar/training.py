"""Step 3: how to train."""

from __future__ import annotations

import streamlit as st

from layerviz import encoders
from layerviz.config import CLASS_WEIGHTINGS, PRECISIONS, RunConfig
from layerviz.encoders import EncoderInfo

EPOCHS = {"scratch": 10, "bundled": 4}


def choose_training(encoder: EncoderInfo) -> RunConfig:
    """Show step 3 and return the checked settings."""
    st.subheader("3  Training")
    left, right = st.columns(2)
    with left:
        epochs = st.number_input(
            "Epochs", 1, 100, EPOCHS.get(encoder.source, 4), key=f"epochs-{encoder.source}"
        )
        max_length = st.number_input(
            "Max length", 8, 8192, 128, key="max_length", help="In tokens; longer texts are cut."
        )
    with right:
        batch_size = st.number_input("Batch size", 1, 1024, 32, key="batch_size")
        learning_rate = st.number_input(
            "Learning rate",
            1e-8,
            1.0,
            encoders.default_learning_rate(encoder.hidden_size),
            step=1e-5,
            format="%.1e",
            key=f"rate-{encoder.name}",
            help="The preset suits this encoder's size; smaller for larger encoders.",
        )
    with st.expander("More settings", icon=":material/tune:"):
        more = _more()
    return RunConfig(
        encoder=encoder.name,
        epochs=int(epochs),
        batch_size=int(batch_size),
        learning_rate=float(learning_rate),
        max_length=int(max_length),
        encoder_version=encoders.version(encoder.name),
        **more,
    )


def _more() -> dict[str, object]:
    left, right = st.columns(2)
    with left:
        seed = st.number_input("Seed", 0, 2**32 - 1, 0, key="seed")
        weight_decay = st.number_input(
            "Weight decay", 0.0, 1.0, 0.01, step=0.01, format="%.3f", key="weight_decay"
        )
        warmup = st.number_input(
            "Warm-up (% of steps)", 0, 50, 10, key="warmup", help="The learning rate rises over it."
        )
    with right:
        snapshots = st.number_input(
            "Snapshots per epoch",
            1,
            20,
            1,
            key="snapshots",
            help="One more is taken before epoch 1.",
        )
        max_captured = st.number_input(
            "Captured per split",
            10,
            20_000,
            2000,
            step=500,
            key="max_captured",
            help="At most this many examples of each split are captured, the same ones at every "
            "snapshot, with the same share of every class. Training uses all.",
        )
        precision = st.selectbox(
            "Precision", PRECISIONS, key="precision", help="auto: bf16 where the hardware has it."
        )
    weighting = st.selectbox(
        "Class weighting",
        CLASS_WEIGHTINGS,
        key="class_weighting",
        help="balanced: rare classes count more in the loss.",
    )
    keep_weights = st.toggle(
        "Keep the weights of every snapshot",
        key="keep_weights",
        help="So that texts of your own can be read by the model of any epoch (tab Examples). "
        "Costs the size of the model for each snapshot.",
    )
    return {
        "keep_weights": keep_weights,
        "seed": int(seed),
        "weight_decay": float(weight_decay),
        "warmup_ratio": warmup / 100,
        "snapshots_per_epoch": int(snapshots),
        "max_captured": int(max_captured),
        "precision": precision,
        "class_weighting": weighting,
    }
