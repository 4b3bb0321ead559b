"""The only ``st.cache_*`` wrappers: what the page reads again and again.

Arrays are never part of a key (Streamlit samples large ones when it hashes them): results are keyed
by run, snapshot, pooling and layer. The time a run was created is part of its key, so that a run
that was deleted and computed again is not mistaken for the old one.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from layerviz import (
    checks,
    comparison,
    data,
    encoders,
    exploring,
    hidden_states,
    runs,
    separability,
    training,
)
from layerviz.checks import Finding
from layerviz.comparison import Agreement, Comparison, Contender, TrialVerdict
from layerviz.config import RunConfig
from layerviz.data import Columns, Dataset, Table
from layerviz.encoders import LoadedEncoder
from layerviz.errors import RunError
from layerviz.exploring import Neighbours, OwnTexts, Suspicion, TokenPaths
from layerviz.jobs import Jobs
from layerviz.poolings import POOLINGS
from layerviz.projection import (
    PROJECTIONS,
    LayerMaps,
    LayerStates,
    PlacedTest,
    draw,
    place_test,
)
from layerviz.projection.of_run import read_stored_maps, read_stored_test
from layerviz.runs import Run
from layerviz.separability import (
    Answer,
    AnswerSheet,
    Cell,
    DepthDecision,
    FreezingSuggestion,
    LayerMix,
    PoolingVerdict,
    SearchAnswer,
)
from layerviz.training import Pace, RunSeconds

PACE_SECONDS = 60  # for which the pace of earlier runs is believed
# A tokenizer that two readers use at once, each with settings of its own, refuses to work.
_one_reader = threading.Lock()


# --- what stands for what in a key ------------------------------------------------------------


def _by_creation(run: Run) -> tuple[object, ...]:
    return run.run_id, run.created


def _by_snapshots(run: Run) -> tuple[object, ...]:
    return *_by_creation(run), len(run.snapshots)


def _by_measures(run: Run) -> tuple[object, ...]:
    return *_by_creation(run), runs.measured_snapshots(run)


def _by_contents(table: Table) -> tuple[object, ...]:
    return table.content_hash, table.name


def _by_weights(folder: Path) -> tuple[object, ...]:
    return str(folder), runs.model_version(folder)


def _by_measured_runs(contender: Contender) -> tuple[object, ...]:
    measured_runs = tuple(_by_creation(run) for run in contender.measured)
    return contender.name, measured_runs, contender.snapshots


Keys = dict[str | type[Any], Callable[[Any], Any]]

RUN: Keys = {Run: _by_creation}  # for what never changes once it exists
GROWING_RUN: Keys = {Run: _by_snapshots}  # for what covers all snapshots
MEASURED_RUN: Keys = {Run: _by_measures}  # for what covers all measured snapshots
MODEL: Keys = {Run: _by_creation, type(Path()): _by_weights}


# --- the server, the data ---------------------------------------------------------------------


@st.cache_resource(show_spinner=False)
def jobs(root: str) -> Jobs:
    """Return the workers of this server; they outlive pages, tabs and edits of the code."""
    return Jobs(Path(root))


@st.cache_resource(
    show_spinner="Reading the file",
    max_entries=3,
    hash_funcs={UploadedFile: lambda file: (file.file_id, file.name)},
)
def table(file: UploadedFile) -> Table:
    """Read an uploaded file once."""
    return data.read_table(file.getvalue(), file.name)


@st.cache_resource(show_spinner="Reading the file", max_entries=3)
def kept_table(root: str, key: str, name: str) -> Table:
    """Read a file that is kept in the runs folder once, under the name it has in a run."""
    return data.read_table(runs.read_kept_table(Path(root), key).content, name)


@st.cache_resource(show_spinner=False)
def sample() -> Table:
    """Read the bundled sample."""
    return data.sample_table()


@st.cache_resource(
    show_spinner="Preparing the data", max_entries=3, hash_funcs={Table: _by_contents}
)
def dataset(
    train: Table,
    val: Table | None,
    test: Table | None,
    columns: Columns,
    val_fraction: float,
    seed: int,
) -> Dataset:
    """Build the data set of these files."""
    return data.build_dataset(
        train, columns, val=val, test=test, val_fraction=val_fraction, seed=seed
    )


@st.cache_data(
    show_spinner="Counting tokens",
    max_entries=16,
    hash_funcs={Dataset: lambda dataset: dataset.fingerprint},
)
def token_lengths(encoder: str, version: str, dataset: Dataset) -> np.ndarray:
    """Return the tokens of an evenly spaced sample of the train texts, shape (n,)."""
    del version  # part of the key alone
    return checks.token_lengths(encoder, dataset)


@st.cache_data(show_spinner=False, ttl=PACE_SECONDS, max_entries=16)
def pace(root: str, encoder: str) -> Pace:
    """Return how fast earlier runs were on this machine."""
    return training.pace_of(runs.list_runs(Path(root)), encoder)


@st.cache_data(
    show_spinner=False,
    max_entries=32,
    hash_funcs={
        Dataset: lambda dataset: (dataset.fingerprint, dataset.val_fraction, dataset.columns)
    },
)
def checked(
    values: dict[str, Any],
    dataset: Dataset,
    pace: Pace,
    _lengths: np.ndarray | None,
    *,
    is_counted: bool,
) -> tuple[list[Finding], RunSeconds | None]:
    """Return what the checks find before a run with these settings, and about how long it takes.

    The lengths follow from data and encoder, but for whether they were counted.
    """
    del is_counted  # part of the key alone
    plan = checks.plan_for(RunConfig.from_dict(values), dataset, _lengths, pace)
    return checks.findings_of(plan), plan.seconds


# --- what a run holds -------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=RUN)
def examples(run: Run) -> pd.DataFrame:
    """Return the captured examples of a run."""
    return runs.read_examples(run.path)


@st.cache_data(show_spinner=False, max_entries=1000, hash_funcs=GROWING_RUN)
def newest_val_macro_f1(run: Run) -> float | None:
    """Return the classifier's own val macro-F1 at the newest snapshot, if there is any."""
    scores = runs.read_history(run.path)["val_macro_f1"].dropna()
    return None if scores.empty else float(scores.iloc[-1])


@st.cache_data(show_spinner=False, max_entries=400, hash_funcs=RUN)
def predictions(run: Run, snapshot: int) -> pd.DataFrame:
    """Return the classifier's predictions at one snapshot."""
    return runs.read_predictions(run.path, snapshot)


@st.cache_data(show_spinner=False, max_entries=64, hash_funcs=RUN)
def layer_states(run: Run, snapshot: int, pooling: str, layer: int) -> np.ndarray:
    """Return the pooled hidden states of one layer at one snapshot, float16, shape (N, D)."""
    return runs.read_hidden_states(run.path, snapshot, pooling, layer)


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs=RUN)
def quick_maps(
    run: Run, projection: str, snapshots: tuple[int, ...], pooling: str, layer: int
) -> LayerMaps:
    """Return the maps of one layer at these snapshots, by a projection that is not stored."""
    return draw(projection, _states(run, snapshots, pooling, layer))


def stored_maps(run: Run, projection: str, pooling: str, layer: int) -> LayerMaps | None:
    """Return maps that were drawn off the page, perhaps not of the newest snapshots."""
    version = runs.map_version(run.path, projection, pooling, layer)
    if version is None:
        return None
    return _stored_maps(run, projection, pooling, layer, version)


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs=RUN)
def _stored_maps(
    run: Run, projection: str, pooling: str, layer: int, version: int
) -> LayerMaps | None:
    del version  # part of the key alone: it tells one state of the maps from another
    return read_stored_maps(run, projection, pooling, layer)


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs=RUN)
def quick_test(
    run: Run, projection: str, snapshots: tuple[int, ...], pooling: str, layer: int
) -> PlacedTest:
    """Return where test lies in the maps that `quick_maps` returns."""
    maps = quick_maps(run, projection, snapshots, pooling, layer)
    return place_test(projection, _states(run, snapshots, pooling, layer), maps)


def stored_test(run: Run, projection: str, pooling: str, layer: int) -> PlacedTest | None:
    """Return where test lies in stored maps, perhaps not in the newest; None if nobody asked."""
    version = runs.placed_test_version(run.path, projection, pooling, layer)
    if version is None:
        return None
    return _stored_test(run, projection, pooling, layer, version)


@st.cache_data(show_spinner=False, max_entries=128, hash_funcs=RUN)
def _stored_test(
    run: Run, projection: str, pooling: str, layer: int, version: int
) -> PlacedTest | None:
    del version  # part of the key alone
    return read_stored_test(run, projection, pooling, layer)


def _states(run: Run, snapshots: Sequence[int], pooling: str, layer: int) -> LayerStates:
    captured = examples(run)
    return LayerStates(
        [layer_states(run, snapshot, pooling, layer) for snapshot in snapshots],
        captured["split"].to_numpy(),
        captured["label"].to_numpy(),
        run.config.seed,
    )


# --- measures ---------------------------------------------------------------------------------


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=MEASURED_RUN)
def measures(run: Run) -> pd.DataFrame:
    """Return ``separability.csv`` of a run."""
    return runs.read_separability(run.path)


@st.cache_data(show_spinner=False, max_entries=8, hash_funcs=MEASURED_RUN)
def probes(run: Run) -> tuple[list[Cell], np.ndarray]:
    """Return the cells of a run and what their probes predict, shape (K, N)."""
    return separability.cells_of(run)


@st.cache_data(show_spinner="Comparing layers", max_entries=32, hash_funcs=MEASURED_RUN)
def answer_sheet(run: Run, poolings: tuple[str, ...]) -> AnswerSheet:
    """Return a run's answer sheet, searched under these poolings: as stored, or made now."""
    return separability.current_sheet(run, poolings)


def answer(run: Run, poolings: tuple[str, ...]) -> Answer:
    """Return which layer generalises, searched under these poolings."""
    return answer_sheet(run, poolings).answer


def depth_decision(run: Run, margin: float, poolings: tuple[str, ...]) -> DepthDecision | None:
    """Return how many layers are enough, one of `MARGINS` being given away; None without."""
    return answer_sheet(run, poolings).decision(margin)


@st.cache_data(show_spinner="Comparing layers for search", max_entries=32, hash_funcs=MEASURED_RUN)
def search_answer(run: Run, best: Cell, poolings: tuple[str, ...]) -> SearchAnswer | None:
    """Return which layer is best to search with; None where a run does not tell."""
    return separability.search_answer_of(run, best, poolings)


@st.cache_data(show_spinner="Comparing epochs", max_entries=32, hash_funcs=MEASURED_RUN)
def freezing_suggestion(run: Run, best: Cell, margin: float) -> FreezingSuggestion | None:
    """Return how many layers fine-tuning hardly moved."""
    return separability.freezing_suggestion_of(run, best, margin)


@st.cache_data(show_spinner=False, max_entries=32, hash_funcs=GROWING_RUN)
def trial_verdict(base: Run, trial: Run, margin: float) -> TrialVerdict:
    """Return how a cheaper run does against the whole one."""
    return comparison.compare_trial(base, trial, margin)


@st.cache_data(show_spinner="Comparing poolings", max_entries=32, hash_funcs=MEASURED_RUN)
def pooling_verdict(run: Run, snapshot: int) -> PoolingVerdict:
    """Return which pooling serves one snapshot best."""
    cells, predicted = probes(run)
    captured = examples(run)
    val = (captured["split"] == "val").to_numpy()
    labels = captured["label"].to_numpy()[val]
    return separability.compare_poolings(
        cells, predicted[:, val], labels, snapshot, run.config.seed
    )


@st.cache_data(show_spinner="Comparing epochs", max_entries=32, hash_funcs=MEASURED_RUN)
def overfitting(run: Run, pooling: str) -> pd.DataFrame:
    """Return for each layer at which epoch val is best and what follows."""
    cells, predicted = probes(run)
    captured = examples(run)
    return separability.overfitting(
        cells,
        predicted,
        captured["label"].to_numpy(),
        captured["split"].to_numpy(),
        pooling,
        run.config.seed,
    )


@st.cache_data(show_spinner="Comparing layers", max_entries=32, hash_funcs=RUN)
def layer_similarity(run: Run, snapshot: int, pooling: str) -> tuple[np.ndarray, int]:
    """Return linear CKA between all layers of a snapshot, shape (L + 1, L + 1), and its n."""
    train = np.flatnonzero((examples(run)["split"] == "train").to_numpy())
    rows = train[separability.cka_rows(len(train))]
    states = runs.read_pooled(run.path, snapshot)[pooling][:, rows]
    return separability.linear_cka(states, states), len(rows)


@st.cache_data(show_spinner="Probing the mix", max_entries=64, hash_funcs=RUN)
def layer_mix(
    run: Run, snapshot: int, pooling: str, layers: tuple[int, ...], how: str, single: int
) -> LayerMix:
    """Return how a mix of layers fares against a single layer."""
    captured = examples(run)
    return separability.mix_layers(
        runs.read_pooled(run.path, snapshot)[pooling],
        captured["label"].to_numpy(),
        captured["split"].to_numpy(),
        layers,
        how,
        single=single,
        seed=run.config.seed,
    )


# --- single examples ---------------------------------------------------------------------------


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
        labels=captured["label"].to_numpy(),
        splits=captured["split"].to_numpy(),
        n_classes=len(run.label_names),
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


# --- the fine-tuned model ----------------------------------------------------------------------


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
    states = _states(run, snapshots, pooling, layer)
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


# --- comparisons -------------------------------------------------------------------------------


@st.cache_data(
    show_spinner="Comparing encoders", max_entries=16, hash_funcs={Contender: _by_measured_runs}
)
def compared(contenders: list[Contender], poolings: tuple[str, ...], margin: float) -> Comparison:
    """Return how contenders stand, searched under these poolings."""
    return comparison.compare_contenders(contenders, poolings, margin)


@st.cache_data(show_spinner=False, max_entries=16, hash_funcs=RUN)
def common_examples(compared_runs: list[Run]) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Return the examples that all runs captured, and where each has them."""
    return comparison.common_examples(compared_runs)


@st.cache_data(show_spinner="Comparing predictions", max_entries=32, hash_funcs=GROWING_RUN)
def agreement(pair: tuple[Run, Run], cells: tuple[Cell, Cell], by: str) -> Agreement:
    """Return where two runs agree on val."""
    return comparison.agreement_between(*pair, cells, by=by)


@st.cache_data(show_spinner="Comparing layers", max_entries=32, hash_funcs=RUN)
def encoder_similarity(
    pair: tuple[Run, Run], snapshots: tuple[int, int], pooling: str
) -> tuple[np.ndarray, int]:
    """Return linear CKA between the layers of two runs, and its n."""
    return comparison.encoder_similarity(*pair, snapshots, pooling)
