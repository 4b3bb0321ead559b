"""The only ``st.cache_*`` wrappers: what the page reads again and again.

Arrays are never arguments (Streamlit samples large ones when it hashes them): results are
keyed by run, snapshot, pooling and layer. ``created`` is part of every run's key, so that a run
which was deleted and computed anew is not mistaken for the old one.
"""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from layerviz import (
    comparison,
    data,
    encoders,
    exploring,
    hidden_states,
    projection,
    runs,
    separability,
)
from layerviz.comparison import Agreement, Comparison, Contender
from layerviz.data import Columns, Dataset, Table
from layerviz.encoders import LoadedEncoder
from layerviz.exploring import Neighbours, OwnTexts, Suspicion, TokenPaths
from layerviz.jobs import Jobs
from layerviz.projection import LayerMaps
from layerviz.runs import Run
from layerviz.separability import Answer, Cell, Mixed, PoolingVerdict

LENGTHS_SAMPLE = 5000  # texts whose tokens are counted for the preview
# A tokenizer that two readers use at once, each with settings of its own, refuses to work.
_one_reader = threading.Lock()


@st.cache_resource(show_spinner=False)
def jobs(root: str) -> Jobs:
    """Return the workers of this server; they outlive pages, tabs and edits of the code."""
    return Jobs(Path(root))


@st.cache_resource(show_spinner="Reading the file", max_entries=3)
def table(file_id: str, name: str, _content: bytes) -> Table:  # noqa: ARG001
    """Read an uploaded file once; `file_id` stands for its content."""
    return data.read_table(_content, name)


@st.cache_resource(show_spinner=False)
def sample() -> Table:
    """Read the bundled sample."""
    return data.sample_table()


@st.cache_resource(show_spinner="Preparing the data", max_entries=3)
def dataset(
    content_hashes: tuple[str | None, ...],  # noqa: ARG001
    names: tuple[str | None, ...],  # noqa: ARG001
    columns: Columns,
    val_fraction: float,
    seed: int,
    _tables: tuple[Table, Table | None, Table | None],
) -> Dataset:
    """Build the data set of these files; the hashes stand for the tables."""
    train, val, test = _tables
    return data.build_dataset(
        train, columns, val=val, test=test, val_fraction=val_fraction, seed=seed
    )


@st.cache_data(show_spinner="Counting tokens", max_entries=16)
def token_lengths(encoder: str, version: str, fingerprint: str, _texts: pd.Series) -> np.ndarray:  # noqa: ARG001
    """Return the tokens of an evenly spaced sample of the training texts, shape (n,)."""
    step = max(1, -(-len(_texts) // LENGTHS_SAMPLE))
    texts = _texts.iloc[::step].tolist()
    tokenizer = encoders.load_tokenizer(encoder, texts=_texts.tolist())
    return hidden_states.token_lengths(tokenizer, texts)


@st.cache_data(show_spinner=False, max_entries=16)
def examples(run_id: str, created: str, _run: Run) -> pd.DataFrame:  # noqa: ARG001
    """Return the captured examples of a run."""
    return runs.read_examples(_run.path)


@st.cache_data(show_spinner=False, max_entries=400)
def predictions(run_id: str, created: str, snapshot: int, _run: Run) -> pd.DataFrame:  # noqa: ARG001
    """Return the classifier's predictions at one snapshot."""
    return runs.read_predictions(_run.path, snapshot)


@st.cache_data(show_spinner=False, max_entries=64)
def layer_states(
    run_id: str,  # noqa: ARG001
    created: str,  # noqa: ARG001
    snapshot: int,
    pooling: str,
    layer: int,
    _run: Run,
) -> np.ndarray:
    """Return the pooled hidden states of one layer at one snapshot, float16, shape (N, D)."""
    return runs.read_hidden_states(_run.path, snapshot, pooling, layer)


@st.cache_data(show_spinner=False, max_entries=128)
def quick_maps(
    method: str,
    run_id: str,
    created: str,
    snapshots: tuple[int, ...],
    pooling: str,
    layer: int,
    _run: Run,
) -> LayerMaps:
    """Return the maps of one layer at these snapshots, by a method that needs no job."""
    states = [
        layer_states(run_id, created, snapshot, pooling, layer, _run) for snapshot in snapshots
    ]
    known = examples(run_id, created, _run)
    return projection.quick_maps(
        method, states, known["split"].to_numpy(), known["label"].to_numpy()
    )


@st.cache_data(show_spinner=False, max_entries=128)
def stored_maps(
    run_id: str,  # noqa: ARG001
    created: str,  # noqa: ARG001
    method: str,
    pooling: str,
    layer: int,
    version: int,  # noqa: ARG001
    _run: Run,
) -> LayerMaps:
    """Return maps that were drawn off the page; `version` tells one state of them from another."""
    return LayerMaps.from_arrays(runs.read_map(_run.path, method, pooling, layer))


# --- measures: `measured` are the snapshots measured so far ---------------------------------


@st.cache_data(show_spinner=False, max_entries=16)
def measures(run_id: str, created: str, measured: tuple[int, ...], _run: Run) -> pd.DataFrame:  # noqa: ARG001
    """Return ``separability.csv`` of a run."""
    return runs.read_separability(_run.path)


@st.cache_data(show_spinner=False, max_entries=8)
def probes(
    run_id: str,  # noqa: ARG001
    created: str,  # noqa: ARG001
    measured: tuple[int, ...],  # noqa: ARG001
    _run: Run,
) -> tuple[list[Cell], np.ndarray]:
    """Return the cells of a run and what their probes predict, shape (K, N)."""
    return separability.cells_of(_run)


@st.cache_data(show_spinner="Comparing layers", max_entries=32)
def answer(
    run_id: str,  # noqa: ARG001
    created: str,  # noqa: ARG001
    measured: tuple[int, ...],  # noqa: ARG001
    poolings: tuple[str, ...],
    _run: Run,
) -> Answer:
    """Return which layer generalises, searched under these poolings."""
    return separability.answer_of(_run, poolings)


@st.cache_data(show_spinner="Comparing poolings", max_entries=32)
def pooling_verdict(
    run_id: str, created: str, measured: tuple[int, ...], snapshot: int, _run: Run
) -> PoolingVerdict:
    """Return which pooling serves one snapshot best."""
    cells, predicted = probes(run_id, created, measured, _run)
    known = examples(run_id, created, _run)
    val = (known["split"] == "val").to_numpy()
    labels = known["label"].to_numpy()[val]
    return separability.compare_poolings(
        cells, predicted[:, val], labels, snapshot, _run.config.seed
    )


@st.cache_data(show_spinner="Comparing epochs", max_entries=32)
def overfitting(
    run_id: str, created: str, measured: tuple[int, ...], pooling: str, _run: Run
) -> pd.DataFrame:
    """Return for each layer at which epoch val is best and what follows."""
    cells, predicted = probes(run_id, created, measured, _run)
    known = examples(run_id, created, _run)
    return separability.overfitting(
        cells,
        predicted,
        known["label"].to_numpy(),
        known["split"].to_numpy(),
        pooling,
        _run.config.seed,
    )


@st.cache_data(show_spinner="Comparing layers", max_entries=32)
def layer_similarity(
    run_id: str, created: str, snapshot: int, pooling: str, _run: Run
) -> tuple[np.ndarray, int]:
    """Return linear CKA between all layers of a snapshot, shape (L + 1, L + 1), and its n."""
    train = np.flatnonzero((examples(run_id, created, _run)["split"] == "train").to_numpy())
    rows = train[separability.cka_rows(len(train))]
    states = runs.read_pooled(_run.path, snapshot)[pooling][:, rows]
    return separability.linear_cka(states, states), len(rows)


@st.cache_data(show_spinner="Probing the mix", max_entries=64)
def mixed(
    run_id: str,
    created: str,
    snapshot: int,
    pooling: str,
    layers: tuple[int, ...],
    how: str,
    single: int,
    _run: Run,
) -> Mixed:
    """Return how a mix of layers fares against a single layer."""
    known = examples(run_id, created, _run)
    return separability.mix(
        runs.read_pooled(_run.path, snapshot)[pooling],
        known["label"].to_numpy(),
        known["split"].to_numpy(),
        layers,
        how,
        single=single,
        seed=_run.config.seed,
    )


# --- single examples ---------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=16)
def classified(
    run_id: str, created: str, n_snapshots: int, _run: Run
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the classifier's predictions, their confidence and losses, (S, N) each."""
    frames = [predictions(run_id, created, index, _run) for index in range(n_snapshots)]
    predicted, confidence, loss = (
        np.stack([frame[name].to_numpy() for frame in frames])
        for name in ("predicted", "confidence", "loss")
    )
    return predicted, confidence, loss


@st.cache_data(show_spinner=False, max_entries=16)
def probed(
    run_id: str,  # noqa: ARG001
    created: str,  # noqa: ARG001
    measured: tuple[int, ...],
    pooling: str,
    _run: Run,
) -> np.ndarray:
    """Return what the probes of every layer predict, int16 of shape (S, L + 1, N)."""
    return np.stack([runs.read_probes(_run.path, index)[pooling] for index in measured])


@st.cache_data(show_spinner="Looking for neighbours", max_entries=64)
def neighbours(
    run_id: str, created: str, snapshot: int, pooling: str, layer: int, row: int, _run: Run
) -> Neighbours:
    """Return the nearest train examples of one example."""
    states = layer_states(run_id, created, snapshot, pooling, layer, _run)
    splits = examples(run_id, created, _run)["split"].to_numpy()
    return exploring.nearest_train(states, splits, np.array([row]))


@st.cache_data(show_spinner="Comparing neighbours", max_entries=32)
def moved(
    run_id: str, created: str, snapshots: tuple[int, int], pooling: str, layer: int, _run: Run
) -> pd.DataFrame:
    """Return the examples by how many of their neighbours changed between two snapshots."""
    before, after = (
        layer_states(run_id, created, snapshot, pooling, layer, _run) for snapshot in snapshots
    )
    splits = examples(run_id, created, _run)["split"].to_numpy()
    return exploring.moved(before, after, splits)


@st.cache_data(show_spinner=False, max_entries=8)
def suspicion(
    run_id: str,  # noqa: ARG001
    created: str,  # noqa: ARG001
    n_snapshots: int,  # noqa: ARG001
    _run: Run,
) -> Suspicion:
    """Return the ranking of labels that is stored with a run; there must be one."""
    return exploring.stored_suspicious_labels(_run)


# --- the fine-tuned model: `version` tells one state of its files from another ------------------


@st.cache_resource(show_spinner="Loading the fine-tuned model", max_entries=2)
def trained(run_id: str, created: str, version: str, _folder: Path) -> LoadedEncoder:  # noqa: ARG001
    """Return a run's fine-tuned model; it is read, never trained."""
    return encoders.load_trained(_folder)


@st.cache_data(show_spinner="Reading your texts", max_entries=8)
def own_texts(
    run_id: str, created: str, version: str, texts: tuple[str, ...], _run: Run, _folder: Path
) -> OwnTexts:
    """Return what a run's model makes of new texts."""
    loaded = trained(run_id, created, version, _folder)
    max_length = _run.config.max_length
    with _one_reader:
        return exploring.read_texts(loaded.model, loaded.tokenizer, texts, max_length=max_length)


@st.cache_data(show_spinner="Placing your texts", max_entries=128)
def placed(
    run_id: str,
    created: str,
    version: str,  # noqa: ARG001
    texts: tuple[str, ...],  # noqa: ARG001
    method: str,
    pooling: str,
    layer: int,
    snapshots: tuple[int, ...],
    at: int,
    _run: Run,
    _vectors: np.ndarray,
    _xy: np.ndarray,
) -> np.ndarray:
    """Return where new texts land in a layer's map of snapshot `at`, shape (m, 2)."""
    known = examples(run_id, created, _run)
    if method in projection.STORED:  # only the states of that very map matter
        snapshots = (at,)
    return projection.place(
        method,
        _xy,
        [layer_states(run_id, created, one, pooling, layer, _run) for one in snapshots],
        known["split"].to_numpy(),
        known["label"].to_numpy(),
        _vectors,
        at=snapshots.index(at),
        seed=_run.config.seed,
    )


@st.cache_data(show_spinner="Reading the tokens", max_entries=16)
def tokens(
    run_id: str, created: str, version: str, text: str, _run: Run, _folder: Path
) -> tuple[list[str], TokenPaths]:
    """Return the tokens of a text, and where they lie in every layer."""
    loaded = trained(run_id, created, version, _folder)
    with _one_reader:
        names, states = hidden_states.token_states(
            loaded.model, loaded.tokenizer, text, max_length=_run.config.max_length
        )
    return names, exploring.token_paths(states)


# --- comparisons: `key` names the runs, when they were made, and their measured snapshots --------


@st.cache_data(show_spinner="Comparing encoders", max_entries=16)
def compared(
    key: tuple,  # noqa: ARG001
    poolings: tuple[str, ...],
    _contenders: list[Contender],
) -> Comparison:
    """Return how contenders stand, searched under these poolings."""
    return comparison.compare(_contenders, poolings)


@st.cache_data(show_spinner=False, max_entries=16)
def common_examples(key: tuple, _runs: list[Run]) -> tuple[pd.DataFrame, list[np.ndarray]]:  # noqa: ARG001
    """Return the examples that all runs captured, and where each has them."""
    return comparison.common_examples(_runs)


@st.cache_data(show_spinner="Comparing predictions", max_entries=32)
def agreement(key: tuple, cells: tuple[Cell, Cell], by: str, _runs: tuple[Run, Run]) -> Agreement:  # noqa: ARG001
    """Return where two runs agree on val."""
    return comparison.agreement(*_runs, cells, by=by)


@st.cache_data(show_spinner="Comparing layers", max_entries=32)
def kinship(
    key: tuple,  # noqa: ARG001
    snapshots: tuple[int, int],
    pooling: str,
    _runs: tuple[Run, Run],
) -> tuple[np.ndarray, int]:
    """Return linear CKA between the layers of two runs, and its n."""
    return comparison.layer_kinship(*_runs, snapshots, pooling)
