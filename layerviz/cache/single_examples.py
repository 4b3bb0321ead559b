"""Single examples, and texts of the reader's own that the fine-tuned model reads."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import encoders, exploring, hidden_states, runs
from layerviz.cache.keys import GROWING_RUN, MODEL, RUN
from layerviz.cache.run_contents import examples, layer_states, predictions, snapshot_states
from layerviz.encoders import LoadedEncoder
from layerviz.errors import RunError
from layerviz.exploring import Neighbours, OwnTexts, Suspicion, TokenPaths, TrainClasses
from layerviz.poolings import POOLINGS
from layerviz.projection import PROJECTIONS
from layerviz.runs import Run

# A tokenizer that two readers use at once, each with settings of its own, refuses to work.
_one_reader = threading.Lock()


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=GROWING_RUN)
def classified(run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the classifier's predictions, their confidence and losses, (S, N) each."""
    frames = [predictions(run, snapshot.index) for snapshot in run.snapshots]
    predicted, confidence, loss = (
        np.stack([frame[name].to_numpy() for frame in frames])
        for name in ("predicted", "confidence", "loss")
    )
    return predicted, confidence, loss


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=RUN)
def probe_predictions(run: Run, snapshots: tuple[int, ...], pooling: str) -> np.ndarray:
    """Return what the probes of every layer predict, int16 of shape (S, L + 1, N)."""
    return np.stack([runs.read_probes(run.path, index)[pooling] for index in snapshots])


@st.cache_data(show_spinner="Looking for neighbours", max_entries=64, hash_funcs=RUN)
def neighbours(run: Run, snapshot: int, pooling: str, layer: int, row: int) -> Neighbours:
    """Return the nearest train examples of one example."""
    states = layer_states(run, snapshot, pooling, layer)
    return exploring.nearest_train(states, examples(run)["split"].to_numpy(), np.array([row]))


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs=RUN)
def nearest_classes(
    run: Run, snapshots: tuple[int, ...], pooling: str, layer: int, rows: tuple[int, ...]
) -> pd.DataFrame:
    """Return which class some examples are nearest to in a layer, at each of these snapshots."""
    captured = examples(run)
    return exploring.nearest_classes(
        np.array(rows),
        [layer],
        snapshots,
        lambda snapshot, of_layer: layer_states(run, snapshot, pooling, of_layer),
        lambda snapshot, of_layer: _train_classes(run, snapshot, pooling, of_layer),
        labels=captured["label"].to_numpy(),
        splits=captured["split"].to_numpy(),
    )


@st.cache_data(show_spinner=False, max_entries=512, hash_funcs=RUN)
def _train_classes(run: Run, snapshot: int, pooling: str, layer: int) -> TrainClasses:
    captured = examples(run)
    return exploring.train_classes(
        layer_states(run, snapshot, pooling, layer),
        captured["label"].to_numpy(),
        captured["split"].to_numpy(),
        len(run.label_names),
    )


@st.cache_data(show_spinner="Comparing neighbours", max_entries=32, hash_funcs=RUN)
def neighbour_changes(
    run: Run, snapshots: tuple[int, int], pooling: str, layer: int
) -> pd.DataFrame:
    """Return the examples by how many of their neighbours changed between two snapshots."""
    before, after = (layer_states(run, snapshot, pooling, layer) for snapshot in snapshots)
    return exploring.neighbour_changes(before, after, examples(run)["split"].to_numpy())


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs=GROWING_RUN)
def suspicion(run: Run) -> Suspicion:
    """Return the ranking of labels that is stored with a run; there must be one."""
    ranking = exploring.stored_suspicious_labels(run)
    if ranking is None:
        raise RunError("The ranking of labels was deleted.", "Reload the page to make it again.")
    return ranking


@st.cache_resource(show_spinner="Loading the fine-tuned model", max_entries=2, hash_funcs=MODEL)
def trained(folder: Path) -> LoadedEncoder:
    """Return a run's fine-tuned model; it is read, never trained."""
    return encoders.load_trained(folder)


@st.cache_data(show_spinner="Reading your texts", max_entries=8, hash_funcs=MODEL)
def own_texts(run: Run, folder: Path, texts: tuple[str, ...]) -> OwnTexts:
    """Return what the weights in `folder` make of new texts."""
    loaded = trained(folder)
    known = [name for name in run.poolings if name in POOLINGS]
    with _one_reader:
        return exploring.read_texts(
            loaded,
            texts,
            max_length=run.config.max_length,
            poolings=known or run.poolings,  # where none is known, it says so
            precision=run.capture_precision,
        )


@st.cache_data(show_spinner="Placing your texts", max_entries=128, hash_funcs=MODEL)
def placed_texts(
    run: Run,
    folder: Path,
    texts: tuple[str, ...],
    projection: str,
    pooling: str,
    layer: int,
    snapshots: tuple[int, ...],
    at: int,
    _xy: np.ndarray,
) -> np.ndarray:
    """Return where new texts land in a layer's map `_xy` of snapshot `at`, shape (m, 2)."""
    if PROJECTIONS[projection].placed_by == "own snapshot":
        snapshots = (at,)
    states = snapshot_states(run, snapshots, pooling, layer)
    vectors = own_texts(run, folder, texts).pooled[pooling][layer]
    return PROJECTIONS[projection].place(states, _xy, vectors, snapshots.index(at))


@st.cache_data(show_spinner="Reading the tokens", max_entries=16, hash_funcs=MODEL)
def tokens(run: Run, folder: Path, text: str) -> tuple[list[str], TokenPaths]:
    """Return the tokens of a text, and where they lie in every layer."""
    loaded = trained(folder)
    with _one_reader:
        names, states = hidden_states.token_states(
            loaded.model, loaded.tokenizer, text, max_length=run.config.max_length
        )
    return names, exploring.token_paths(states)
