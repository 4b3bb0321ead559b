"""Reading what a run holds: each file is what the record says, or one sentence says what is wrong.

Files that are made when somebody looks at a run can be deleted where they are damaged: the sentence
says so.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import safe_open
from safetensors.numpy import load_file

from layerviz.config import SPLITS
from layerviz.data import EXAMPLE_COLUMNS
from layerviz.runs.layout import Layout
from layerviz.runs.opening import (
    arrays_in,
    expect_arrays,
    expect_sound,
    opening,
    read_csv,
    read_small_json,
    read_sound_table,
)
from layerviz.runs.sizes import Sizes, sizes_of

HISTORY_COLUMNS = (
    "step",
    "epoch",
    "loss",
    "learning_rate",
    "train_accuracy",
    "train_macro_f1",
    "val_accuracy",
    "val_macro_f1",
    "train_loss",
    "val_loss",
)
LOSS_COLUMNS = HISTORY_COLUMNS[-2:]  # in evaluation mode; not recorded from the beginning
SEPARABILITY_COLUMNS = ("snapshot", "pooling", "layer", "measure", "split", "value", "low", "high")
SEPARABILITY_NUMBERS = ("snapshot", "layer", "value", "low", "high")
PREDICTION_COLUMNS = ("id", "predicted", "confidence", "loss")
NEEDED_COLUMNS = EXAMPLE_COLUMNS[:4]  # of examples; ids of the user's own data are rare
SCORES, HITS = ".scores", ".hits"  # beside a pooling's predictions; its name has no dot
MADE_ANEW = "Delete that file in the run's folder: it is made anew."
ROUNDING = 1.001  # of a probability that was stored in few bits


def read_examples(path: Path) -> pd.DataFrame:
    """Return the captured examples in the row order of the hidden states.

    `data.further_columns` tells what their further columns hold; earlier runs have none.

    Parameters
    ----------
    path : Path
        The run's folder.

    Raises
    ------
    DamagedFileError
    """
    file = Layout(path).examples
    examples = read_sound_table(file, NEEDED_COLUMNS, may_have_more=True)
    texts = examples.drop(columns="label")[list(NEEDED_COLUMNS[:3])]
    sound = (
        all(pd.api.types.is_string_dtype(texts[name]) for name in texts)
        and not texts.isna().any(axis=None)
        and set(examples["split"]) <= set(SPLITS)
        and are_classes(examples["label"], -1)
    )
    expect_sound(sound, file, "holds something other than examples")
    return examples


def read_predictions(path: Path, index: int) -> pd.DataFrame:
    """Return ``id, predicted, confidence, loss`` of one snapshot, in example order."""
    file, sizes = Layout(path).predictions(index), sizes_of(path)
    n_rows = sizes.n_examples if sizes.n_examples >= 0 else None
    table = read_sound_table(file, PREDICTION_COLUMNS, n_rows=n_rows)
    confidence = table["confidence"].to_numpy()
    sound = (
        are_classes(table["predicted"], sizes.n_classes)
        and confidence.dtype.kind == "f"
        # Those of weights that have become no numbers are none, either.
        and bool((np.isnan(confidence) | ((confidence >= 0) & (confidence <= ROUNDING))).all())
        and is_numeric(table["loss"])
    )
    expect_sound(sound, file, "holds predictions that do not fit the examples")
    return table


def read_history(path: Path) -> pd.DataFrame:
    """Return the learning curve; empty before the first record.

    What earlier versions did not record is NaN.
    """
    file = Layout(path).history
    if not file.exists():
        return pd.DataFrame(columns=list(HISTORY_COLUMNS), dtype=float)
    history = read_csv(file, HISTORY_COLUMNS, HISTORY_COLUMNS, LOSS_COLUMNS)
    return history.assign(**{name: np.nan for name in LOSS_COLUMNS if name not in history})


def read_separability(path: Path) -> pd.DataFrame:
    """Return all measures, one row per snapshot, pooling, layer, measure and split."""
    file, sizes = Layout(path).measures, sizes_of(path)
    if not file.exists():
        return pd.DataFrame(columns=list(SEPARABILITY_COLUMNS))
    table = read_csv(file, SEPARABILITY_COLUMNS, SEPARABILITY_NUMBERS)
    if table.empty:
        return table
    places = table[["snapshot", "layer"]].to_numpy(dtype=float)
    most = sizes.n_states if sizes.n_states > 0 else np.inf
    are_there = bool((places >= 0).all() and (places[:, 1] < most).all())
    expect_sound(are_there, file, "measures snapshots or layers that do not exist")
    values = table[["value", "low", "high"]].to_numpy(dtype=float)
    expect_sound(not np.isinf(values).any(), file, "holds numbers without end")
    words = table[["pooling", "measure", "split"]]
    are_words = all(pd.api.types.is_string_dtype(words[name]) for name in words)
    expect_sound(
        are_words and not words.isna().any(axis=None), file, "lacks a name of what it measures"
    )
    return table


def read_hidden_states(path: Path, index: int, pooling: str, layer: int) -> np.ndarray:
    """Return one layer of one snapshot, float16 of shape (N, D), reading nothing else."""
    file = hidden_states_file(path, index)
    with opening(file), safe_open(file, framework="np") as stored:
        return stored.get_slice(pooling)[layer]


def read_pooled(path: Path, index: int) -> dict[str, np.ndarray]:
    """Return all hidden states of one snapshot: per pooling float16 of shape (L + 1, N, D)."""
    file = hidden_states_file(path, index)
    with opening(file):
        return load_file(file)


def hidden_states_file(path: Path, index: int) -> Path:
    """Return the file of a snapshot's hidden states, if its header says that they are the run's.

    Raises
    ------
    DamagedFileError
    """
    file, sizes = Layout(path).hidden_states(index), sizes_of(path)
    found = arrays_in(file)
    shape = [sizes.n_states, sizes.n_examples, sizes.width]
    expect_arrays(file, found, dict.fromkeys(sizes.poolings or found, ("F16", shape)))
    return file


def read_probes(path: Path, index: int) -> dict[str, np.ndarray]:
    """Return what the probes of one snapshot predict: per pooling int16 of shape (L + 1, N)."""
    file = Layout(path).probes(index)
    poolings = [name for name in _checked_probes(file, sizes_of(path)) if "." not in name]
    with opening(file), safe_open(file, framework="np") as stored:
        predicted = {pooling: stored.get_tensor(pooling) for pooling in poolings}
        n_classes = sizes_of(path).n_classes
        sound = all(are_classes(one, n_classes) for one in predicted.values())
        expect_sound(sound, file, "holds probes that predict classes that do not exist")
        return predicted


def read_probe_scores(path: Path, index: int) -> dict[str, np.ndarray] | None:
    """Return the class scores of one snapshot's probes.

    Parameters
    ----------
    path : Path
        The run's folder.
    index : int
        The snapshot's.

    Returns
    -------
    dict of str to ndarray of shape (L + 1, N, C), float16, or None
        Per pooling, log-probabilities of all label names of the run, -inf for a class that train
        does not hold. None for a snapshot that was measured before scores were stored.
    """
    return _read_beside_probes(path, index, SCORES)


def read_search_hits(path: Path, index: int) -> dict[str, np.ndarray] | None:
    """Return how many of each val example's nearest train examples are of its class.

    Parameters
    ----------
    path : Path
        The run's folder.
    index : int
        The snapshot's.

    Returns
    -------
    dict of str to ndarray of shape (L + 1, N), uint8, or None
        Per pooling, of the 10 nearest (of all, where train has fewer); 255 outside val. None for
        a snapshot that was measured before they were counted, or without val.
    """
    return _read_beside_probes(path, index, HITS)


def _checked_probes(file: Path, sizes: Sizes) -> dict[str, tuple[str, list[int]]]:
    found = arrays_in(file)
    poolings = sizes.poolings or tuple(name for name in found if "." not in name)
    shape = [sizes.n_states, sizes.n_examples]
    expected = dict.fromkeys(poolings, ("I16", shape))
    for suffix, part in ((SCORES, ("F16", [*shape, sizes.n_classes])), (HITS, ("U8", shape))):
        if any(name.endswith(suffix) for name in found):  # they were not always stored
            expected |= {pooling + suffix: part for pooling in poolings}
    expect_arrays(file, found, expected)
    return found


def _read_beside_probes(path: Path, index: int, suffix: str) -> dict[str, np.ndarray] | None:
    file = Layout(path).probes(index)
    names = [name for name in _checked_probes(file, sizes_of(path)) if name.endswith(suffix)]
    with opening(file), safe_open(file, framework="np") as stored:
        return {name.removesuffix(suffix): stored.get_tensor(name) for name in names} or None


# --- what is made when somebody looks ---------------------------------------------------------


def read_mix(path: Path, index: int, pooling: str) -> dict[str, Any] | None:
    """Return what `write_mix` stored, or None."""
    return _entries(Layout(path).mix(index, pooling))


def read_label_ranking(path: Path) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """Return what `write_label_ranking` stored, or None."""
    file, facts = Layout(path).label_ranking, read_label_facts(path)
    if facts is None:
        return None
    with opening(file, MADE_ANEW):
        return pd.read_parquet(file), facts


def read_label_facts(path: Path) -> dict[str, Any] | None:
    """Return the facts that `write_label_ranking` stored, or None unless both files are there."""
    layout = Layout(path)
    return _entries(layout.label_facts) if layout.label_ranking.exists() else None


def _entries(file: Path) -> dict[str, Any] | None:
    if not file.exists():
        return None
    with opening(file, MADE_ANEW):
        values = read_small_json(file)
        expect_sound(isinstance(values, dict), file, "does not hold what it should")
        return values


def read_map(path: Path, projection: str, pooling: str, layer: int) -> dict[str, np.ndarray] | None:
    """Return the stored maps of one layer, or None when none have been computed."""
    file = Layout(path).map(projection, pooling, layer)
    if not file.exists():
        return None
    expected = {"xy": ("F32", [-1, sizes_of(path).n_examples, 2])}
    with opening(file, MADE_ANEW):
        places = {name: part for name, part in arrays_in(file).items() if name == "xy"}
        expect_arrays(file, places, expected, "does not have a point for each example")
        return _map_arrays(file)


def read_placed_test(
    path: Path, projection: str, pooling: str, layer: int
) -> dict[str, np.ndarray] | None:
    """Return where test lies in the stored maps of one layer; None where nobody asked for it."""
    file = Layout(path).placed_test(projection, pooling, layer)
    if not file.exists():
        return None
    figures = ("F32", [-1])
    expected = {"xy": ("F32", [-1, -1, 2]), "trust": figures, "kept": figures}
    expected |= {"placed_in": ("I64", [-1])}
    otherwise = "does not have a point for each test example"
    with opening(file, MADE_ANEW):
        expect_arrays(file, arrays_in(file), expected, otherwise)
        return _map_arrays(file)


def _map_arrays(file: Path) -> dict[str, np.ndarray]:
    arrays = load_file(file)
    no_places = np.isinf(arrays["xy"]).any() or np.isnan(arrays["xy"]).all()
    expect_sound(not no_places, file, "holds places that are no numbers")
    return arrays


# --- values -----------------------------------------------------------------------------------


def are_classes(codes: pd.Series | np.ndarray, n_classes: int) -> bool:
    """Return whether these are positions of classes, of which there are so many (-1: any)."""
    codes = np.asarray(codes)
    if codes.dtype.kind not in "iu" or not codes.size or codes.min() < 0:
        return False
    return n_classes < 0 or bool(codes.max() < n_classes)


def is_numeric(column: pd.Series) -> bool:
    """Return whether a column holds numbers; one of nothing but gaps does."""
    return pd.api.types.is_numeric_dtype(column) or bool(column.isna().all())
