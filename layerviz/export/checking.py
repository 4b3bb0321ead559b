"""Whether a run that was made elsewhere is sound: its record, its tables and its arrays."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from layerviz import encoders, runs
from layerviz.config import TRAIN_AND_VAL
from layerviz.data import MOST_COLUMNS, further_names
from layerviz.errors import EncoderError, RunError
from layerviz.rereading import settled_state
from layerviz.runs import Run
from layerviz.runs.layout import (
    EXAMPLES,
    HIDDEN_STATES,
    MEASURES,
    RECORD,
    Layout,
    is_placed_test,
    map_parts,
    mix_parts,
)
from layerviz.runs.opening import (
    DamagedFileError,
    arrays_in,
    expect_arrays,
    expect_sound,
    opening,
    read_small_json,
)
from layerviz.runs.reading import are_classes
from layerviz.runs.schema import GarbledError, check_is_whole
from layerviz.separability import mix_of
from layerviz.separability.naming import NEIGHBOURS, NOT_SEARCHED

ZIP_AGAIN = "Zip the run again where it was made; it may have been changed by hand."


class UnsoundError(RunError):
    """A run from a zip is not sound.

    Attributes
    ----------
    what : str
        What is wrong, as part of a sentence.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"The run in the zip is not sound: {what}.", ZIP_AGAIN)
        self.what = what


def first_damage(run: Run) -> str:
    """Say which of a run's files is damaged first, as part of a sentence; "" where none is.

    The record is read anew, as the run may have gone on since; the other files if any has changed
    since they were read last. Of a run that is going on nothing is said: its files are being
    written.
    """
    if not run.layout.record.exists():
        return f"{RECORD} is missing"
    try:
        run = runs.open_folder(run.path)
        if run.live or not run.snapshots:
            return ""
    except RunError as error:
        return error.message.rstrip(".")
    files = sorted(run.path.rglob("*"))
    states = [(str(file), settled_state(file, follow_links=False)) for file in files]
    if any(state is None for _, state in states):
        return _damage_in(run.path)
    return _known_damage_in(run.path, tuple(states))


@lru_cache(maxsize=32)
def _known_damage_in(folder: Path, states: tuple[object, ...]) -> str:
    del states  # part of the key alone
    return _damage_in(folder)


def _damage_in(folder: Path) -> str:
    try:
        run = runs.open_folder(folder)
        check_is_whole({"encoder": run.encoder, "training": run.training})
        check_contents(folder, run, is_foreign=False)
    except GarbledError as error:
        return f"{RECORD} lacks or garbles an entry ({error})"
    except UnsoundError as error:
        return error.what
    except RunError as error:
        return error.message.rstrip(".")
    return ""


def check_record(record: dict[str, Any]) -> None:
    """Raise a LayervizError if a record lacks what the page and the command line need.

    Parameters
    ----------
    record : dict
        In today's format, see `runs.upgrade`.

    Raises
    ------
    ValueError
        Which names an entry that is missing or garbled.
    """
    runs.check_record(record)
    indices = [snapshot["index"] for snapshot in record["snapshots"]]
    if not indices:
        raise UnsoundError("it holds no snapshot")
    if indices != list(range(len(indices))):
        raise UnsoundError("its snapshots are not numbered from 0")
    check_is_whole(record)


def check_contents(folder: Path, run: Run, *, is_foreign: bool = True) -> None:
    """Raise a RunError if the files of an unpacked run do not belong together.

    Each file is opened as pages open it, which checks it for itself; here is what only all of them
    together tell.

    Parameters
    ----------
    folder : Path
        Where it was unpacked.
    run : Run
        What its record says.
    is_foreign : bool
        False for a run in the runs folder: of its hidden states only the headers are read, as their
        values may take gigabytes, and files that are being written aside are passed over.
    """
    layout = Layout(folder)
    try:
        examples = _checked_examples(layout, run)
        for snapshot in run.snapshots:
            _check_snapshot(layout, snapshot.index, examples, run, is_foreign)
        _check_tables(layout, len(run.snapshots))
        for path in sorted(layout.maps.glob("*")):
            (_check_placed_test if is_placed_test(path) else _check_map)(path, examples, run)
        for path in sorted(layout.mixes.glob("*")):
            _check_mix(path, run)
        if layout.label_decisions.exists():
            _check_label_decisions(layout.label_decisions, examples, run)
        for model in (layout.model, *sorted(layout.weights.glob("*"))):
            for path in sorted(model.glob("*.json")):
                expect_sound(
                    isinstance(read_small_json(path), dict | list),
                    path,
                    "does not hold what it should",
                )
            for path in sorted(model.glob("*.safetensors")):
                arrays_in(path)
            if model.is_dir():
                encoders.check_foreign_model(model)
        for part in (layout.snapshots, layout.weights):
            _check_none_stray(part, len(run.snapshots), is_foreign)
    except DamagedFileError as error:
        raise UnsoundError(error.what) from error
    except EncoderError as error:
        raise UnsoundError(error.message.rstrip(".")) from error


def _checked_examples(layout: Layout, run: Run) -> pd.DataFrame:
    examples = runs.read_examples(layout.folder)
    if (n_further := len(further_names(examples))) > MOST_COLUMNS:
        raise UnsoundError(f"{EXAMPLES} has {n_further:,} further columns")
    texts = examples.drop(columns="label")
    sound = (
        len(examples) > 0
        and all(pd.api.types.is_string_dtype(texts[name]) for name in texts)
        and not examples.isna().any(axis=None)
        and examples["id"].is_unique
        and set(TRAIN_AND_VAL) <= set(examples["split"])
        and are_classes(examples["label"], len(run.label_names))
    )
    if not sound:
        raise UnsoundError(f"{EXAMPLES} holds something other than examples of its classes")
    return examples


def _check_tables(layout: Layout, n_snapshots: int) -> None:
    runs.read_history(layout.folder)
    table = runs.read_separability(layout.folder)
    if not table["snapshot"].isin(range(n_snapshots)).all():
        raise UnsoundError(f"{MEASURES} measures snapshots or layers that do not exist")


# --- snapshots, maps ------------------------------------------------------------------------


def _check_snapshot(
    layout: Layout, index: int, examples: pd.DataFrame, run: Run, is_foreign: bool
) -> None:
    if is_foreign and not layout.hidden_states(index).exists():
        raise RunError(
            "The run was zipped without its hidden states, which layerviz needs.",
            "Zip it again with hidden states.",
        )
    predictions = runs.read_predictions(layout.folder, index)
    if predictions["id"].tolist() != examples["id"].tolist() or predictions.isna().any(axis=None):
        raise UnsoundError(f"predictions of snapshot {index} do not fit the examples")
    runs.hidden_states_file(layout.folder, index)
    if is_foreign:
        _check_states(layout, index, run)
    if layout.probes(index).exists():
        _check_probes(layout, index, examples)


def _check_states(layout: Layout, index: int, run: Run) -> None:
    """Check that all hidden states are numbers, a layer at a time: together they may be large."""
    for pooling in run.poolings:
        for layer in range(int(run.encoder["layers"]) + 1):
            states = runs.read_hidden_states(layout.folder, index, pooling, layer)
            if not np.isfinite(states).all():
                raise UnsoundError(
                    f"{index:03d}/{HIDDEN_STATES} holds values that are no numbers "
                    f"(layer {layer}, {pooling})"
                )


def _check_probes(layout: Layout, index: int, examples: pd.DataFrame) -> None:
    of_pooling = runs.read_probes(layout.folder, index)
    for pooling, scores in (runs.read_probe_scores(layout.folder, index) or {}).items():
        if not _are_scores_of(of_pooling[pooling], scores):
            raise UnsoundError(f"probes of snapshot {index} have scores that are not theirs")
    is_val = (examples["split"] == "val").to_numpy()
    for hits in (runs.read_search_hits(layout.folder, index) or {}).values():
        if not ((hits[:, is_val] <= NEIGHBOURS).all() and (hits[:, ~is_val] == NOT_SEARCHED).all()):
            raise UnsoundError(f"probes of snapshot {index} hold neighbours that cannot be")


def _are_scores_of(predicted: np.ndarray, scores: np.ndarray) -> bool:
    """Return whether scores are log-probabilities of which each prediction has the highest."""
    of_predicted = np.take_along_axis(scores, predicted[..., None].astype(np.int64), axis=2)
    # NaN compares as false.
    return bool((scores <= 0).all() and (of_predicted[..., 0] >= scores.max(axis=2)).all())


def _check_map(path: Path, examples: pd.DataFrame, run: Run) -> None:
    projection, pooling, layer = _checked_parts(path, run)
    found, pair = arrays_in(path), ("F32", [-1, -1])
    expected = {"xy": ("F32", [-1, len(examples), 2]), "trust": pair, "explained": ("F32", [2])}
    expected |= {"kept": pair} if "kept" in found else {}  # it was not always stored
    expect_arrays(path, found, expected, "does not have a point for each example")
    arrays = runs.read_map(path.parent.parent, projection, pooling, layer) or {}
    lengths = {len(part) for name, part in arrays.items() if name != "explained"}
    expect_sound(lengths == {len(arrays["xy"])}, path, "does not have figures for each of its maps")
    has_place = (examples["split"] != "test").to_numpy()  # test waits until somebody asks for it
    expect_sound(
        len(arrays["xy"]) <= len(run.snapshots), path, "does not have a point for each example"
    )
    are_places = np.isfinite(arrays["xy"][:, has_place]).all()
    expect_sound(are_places, path, "holds places that are no numbers")


def _check_placed_test(path: Path, examples: pd.DataFrame, run: Run) -> None:
    projection, pooling, layer = _checked_parts(path, run)
    arrays = runs.read_placed_test(path.parent.parent, projection, pooling, layer) or {}
    n_test, n_maps = int((examples["split"] == "test").sum()), len(arrays["xy"])
    fits = n_maps <= len(run.snapshots) and arrays["xy"].shape[1] == n_test
    fits = fits and all(len(part) == n_maps for part in arrays.values())
    expect_sound(fits, path, "does not have a point for each test example")


def _checked_parts(path: Path, run: Run) -> tuple[str, str, int]:
    projection, pooling, layer = map_parts(path)
    is_of_run = pooling in run.poolings and layer <= int(run.encoder["layers"])
    expect_sound(is_of_run, path, "is of a pooling or layer that its record does not name")
    return projection, pooling, layer


def _check_mix(path: Path, run: Run) -> None:
    index, pooling = mix_parts(path)
    expect_sound(pooling in run.poolings, path, "is of a pooling that its record does not name")
    mix = runs.read_mix(path.parent.parent, index, pooling)
    try:
        mix_of(mix or {})
    except RunError as error:
        raise DamagedFileError(path, "does not hold what it should") from error


def _check_label_decisions(path: Path, examples: pd.DataFrame, run: Run) -> None:
    with opening(path):
        decisions = runs.parse_label_decisions(read_small_json(path))
    labels = {decision.label for decision in decisions.values()} - {""}
    if not (decisions.keys() <= set(examples["id"]) and labels <= set(run.label_names)):
        raise UnsoundError(f"{path.name} decides about labels that it does not hold")


def _check_none_stray(folder: Path, n_snapshots: int, is_foreign: bool) -> None:
    expected = {f"{index:03d}" for index in range(n_snapshots)}
    names = {path.name for path in folder.glob("*")}
    stray = {name for name in names - expected if is_foreign or not name.startswith(".")}
    if stray:
        raise UnsoundError(f"{folder.name}/{min(stray)} belongs to no snapshot in its record")
