"""Whether a run that was made elsewhere is sound: its record, its tables and its arrays."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.compute
import pyarrow.parquet
from safetensors import SafetensorError, safe_open

from layerviz import encoders, runs
from layerviz.config import SPLITS, TRAIN_AND_VAL
from layerviz.data import MOST_COLUMNS, OWN_ID
from layerviz.errors import EncoderError, RunError
from layerviz.projection import PlacedTest
from layerviz.runs import Run
from layerviz.runs.layout import (
    EXAMPLES,
    HISTORY,
    MEASURES,
    RECORD,
    Layout,
    is_placed_test,
    map_parts,
    mix_parts,
)
from layerviz.runs.schema import GarbledError, check_is_whole
from layerviz.separability import LayerMix
from layerviz.separability.geometry import NEIGHBOURS, NOT_SEARCHED

ZIP_AGAIN = "Zip the run again where it was made; it may have been changed by hand."
MOST_TABLE_BYTES = 2_000_000_000
MOST_ROWS = 3 * 20_000  # as many as a run may capture of three splits
EXAMPLE_COLUMNS = ["id", "split", "text", "label"]
PREDICTION_COLUMNS = ["id", "predicted", "confidence", "loss"]


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


def unsound(what: str) -> UnsoundError:
    """Return the error that says what is wrong with a run from a zip."""
    return UnsoundError(what)


def first_damage(run: Run) -> str:
    """Say which of a run's files is damaged first, as part of a sentence; "" where none is."""
    if not run.snapshots:
        return ""
    try:
        check_is_whole({"encoder": run.encoder, "training": run.training})
        check_contents(run.path, run)
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
        raise unsound("it holds no snapshot")
    if indices != list(range(len(indices))):
        raise unsound("its snapshots are not numbered from 0")
    check_is_whole(record)


def check_contents(folder: Path, run: Run) -> None:
    """Raise a RunError if the files of an unpacked run do not belong together.

    Parameters
    ----------
    folder : Path
        Where it was unpacked.
    run : Run
        What its record says.
    """
    layout = Layout(folder)
    try:
        examples = _examples(layout, len(run.label_names))
        for snapshot in run.snapshots:
            _check_snapshot(layout, snapshot.index, examples, run)
        _check_tables(layout, len(run.snapshots), int(run.encoder["layers"]))
        for path in sorted(layout.maps.glob("*")):
            (_check_placed_test if is_placed_test(path) else _check_map)(path, examples, run)
        for path in sorted(layout.mixes.glob("*")):
            _check_pooling(path, mix_parts(path)[1], run)
            _check_json(path, lambda mix: set(mix) == _fields(LayerMix))
        if layout.label_decisions.exists():
            _check_label_decisions(layout.label_decisions, examples, run)
        for model in (layout.model, *sorted(layout.weights.glob("*"))):
            for path in sorted(model.glob("*.json")):
                _check_json(path, lambda content: isinstance(content, dict | list))
            for path in sorted(model.glob("*.safetensors")):
                _arrays(path)
            if model.is_dir():
                encoders.check_foreign_model(model)
        for part in (layout.snapshots, layout.weights):
            _check_none_stray(part, len(run.snapshots))
    except RunError:
        raise
    except EncoderError as error:
        raise unsound(error.message.rstrip(".")) from error
    except FileNotFoundError as error:
        raise unsound(f"{Path(error.filename).name} is missing") from error
    # Libraries raise all kinds of errors on garbled files; all of them mean one thing here.
    except (
        OSError,
        AttributeError,
        SafetensorError,
        pyarrow.ArrowException,
        LookupError,
        TypeError,
        ValueError,
        OverflowError,
        MemoryError,
        RecursionError,
    ) as error:
        raise unsound(f"a file of it cannot be read ({str(error)[:120]})") from error


# --- tables ---------------------------------------------------------------------------------


def _table(path: Path, columns: list[str], n_rows: int | None = None) -> pd.DataFrame:
    """Read a parquet file, if its own description says that it is what it should be."""
    name = path.name
    if not path.exists():
        hint = " (it was zipped without hidden states)" if path.suffix == ".safetensors" else ""
        raise unsound(f"{path.parent.name}/{name} is missing{hint}")
    described = pyarrow.parquet.read_metadata(path)
    if described.num_rows > MOST_ROWS:
        raise unsound(f"{name} has {described.num_rows:,} rows, more than a run captures")
    if described.schema.to_arrow_schema().names != columns:
        raise unsound(f"{name} does not have the columns {', '.join(columns)}")
    if n_rows is not None and described.num_rows != n_rows:
        raise unsound(f"{name} has {described.num_rows:,} rows for {n_rows:,} examples")
    schema = described.schema.to_arrow_schema()
    strings = [field.name for field in schema if _is_text(field.type)]
    for field in schema:  # anything else could swell on reading, past every limit
        numeric = pyarrow.types.is_integer(field.type) or pyarrow.types.is_floating(field.type)
        if not (numeric or field.name in strings):
            raise unsound(f"{name} holds {field.type} in {field.name}")
    # A long text that occurs a thousand times is short in the file: so it is here, as a dictionary.
    table = pyarrow.parquet.read_table(path, read_dictionary=strings)
    if sum(map(_text_bytes, (table[name] for name in strings))) > MOST_TABLE_BYTES:
        raise unsound(f"{name} would unpack to gigabytes")
    plain = [table[name].cast("string") if name in strings else table[name] for name in columns]
    return pyarrow.table(dict(zip(columns, plain, strict=True))).to_pandas()


def _is_text(kind: pyarrow.DataType) -> bool:
    return pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind)


def _text_bytes(column: pyarrow.ChunkedArray) -> int:
    """Return how many bytes the texts of a dictionary-encoded column take when written out."""
    total = 0
    for chunk in column.chunks:
        sizes = pyarrow.compute.binary_length(chunk.dictionary).fill_null(0).to_numpy()
        counts = np.bincount(chunk.indices.fill_null(0).to_numpy(), minlength=len(sizes))
        total += int((sizes.astype(np.int64) * counts[: len(sizes)]).sum())
    return total


def _examples(layout: Layout, n_classes: int) -> pd.DataFrame:
    columns, file = EXAMPLE_COLUMNS, layout.examples
    if file.exists():
        names = [name for name in pyarrow.parquet.read_schema(file).names if name not in columns]
        further = [name for name in names if name != OWN_ID]
        if len(further) > MOST_COLUMNS or len(set(further)) < len(further):
            raise unsound(f"{EXAMPLES} has {len(further):,} further columns")
        columns = [*columns, *([OWN_ID] if OWN_ID in names else []), *further]
    examples = _table(file, columns)
    texts = examples.drop(columns="label")
    if not all(pd.api.types.is_string_dtype(texts[name]) for name in columns[4:]):
        raise unsound(f"{EXAMPLES} has further columns that hold no texts")
    sound = (
        len(examples) > 0
        and all(pd.api.types.is_string_dtype(texts[name]) for name in texts)
        and not examples.isna().any(axis=None)
        and examples["id"].is_unique
        and set(examples["split"]) <= set(SPLITS)
        and set(TRAIN_AND_VAL) <= set(examples["split"])
        and _are_classes(examples["label"], n_classes)
    )
    if not sound:
        raise unsound(f"{EXAMPLES} holds something other than examples of its classes")
    return examples


def _are_classes(codes: pd.Series | np.ndarray, n_classes: int) -> bool:
    codes = np.asarray(codes)
    return codes.dtype.kind in "iu" and codes.min() >= 0 and codes.max() < n_classes


def _check_tables(layout: Layout, n_snapshots: int, n_layers: int) -> None:
    history, table = runs.read_history(layout.folder), runs.read_separability(layout.folder)
    if list(history.columns) != list(runs.HISTORY_COLUMNS):
        raise unsound(f"{HISTORY} does not have the columns of a learning curve")
    if not all(_is_numeric(history[name]) for name in history):
        raise unsound(f"{HISTORY} holds something other than numbers")
    if list(table.columns) != list(runs.SEPARABILITY_COLUMNS):
        raise unsound(f"{MEASURES} does not have the columns of measures")
    if table.empty:
        return
    if not all(_is_numeric(table[name]) for name in ("snapshot", "layer", "value", "low", "high")):
        raise unsound(f"{MEASURES} holds something other than measures")
    if not (table["snapshot"].isin(range(n_snapshots)) & table["layer"].between(0, n_layers)).all():
        raise unsound(f"{MEASURES} measures snapshots or layers that do not exist")


# --- snapshots, maps ------------------------------------------------------------------------


def _check_snapshot(layout: Layout, index: int, examples: pd.DataFrame, run: Run) -> None:
    n, n_classes = len(examples), len(run.label_names)
    n_states = int(run.encoder["layers"]) + 1
    if not layout.hidden_states(index).exists():
        raise RunError(
            "The run was zipped without its hidden states, which layerviz needs.",
            "Zip it again with hidden states.",
        )
    predictions = _table(layout.predictions(index), PREDICTION_COLUMNS, n)
    confidence = predictions["confidence"].to_numpy()
    if not (
        predictions["id"].tolist() == examples["id"].tolist()
        and _are_classes(predictions["predicted"], n_classes)
        and confidence.dtype.kind == "f"
        and ((confidence >= 0) & (confidence <= 1.001)).all()
        and _is_numeric(predictions["loss"])
    ):
        raise unsound(f"predictions of snapshot {index} do not fit the examples")
    shape = [n_states, n, int(run.encoder["hidden_size"])]
    expected = dict.fromkeys(run.poolings, ("F16", shape))
    if _arrays(layout.hidden_states(index)) != expected:
        raise unsound(f"hidden states of snapshot {index} do not have the shape {shape}")
    probes = layout.probes(index)
    if not probes.exists():
        return
    _check_probes(layout, index, examples, run)


def _check_probes(layout: Layout, index: int, examples: pd.DataFrame, run: Run) -> None:
    n_classes, shape = len(run.label_names), [int(run.encoder["layers"]) + 1, len(examples)]
    arrays = _arrays(layout.probes(index))
    expected = dict.fromkeys(run.poolings, ("I16", shape))
    for suffix, part in ((runs.SCORES, ("F16", [*shape, n_classes])), (runs.HITS, ("U8", shape))):
        if any(name.endswith(suffix) for name in arrays):  # they were not always stored
            expected |= {pooling + suffix: part for pooling in run.poolings}
    if arrays != expected:
        raise unsound(f"probes of snapshot {index} do not have the shape {shape}")
    of_pooling = runs.read_probes(layout.folder, index)
    if not all(_are_classes(a, n_classes) for a in of_pooling.values()):
        raise unsound(f"probes of snapshot {index} predict classes that do not exist")
    for pooling, scores in (runs.read_probe_scores(layout.folder, index) or {}).items():
        if not _are_scores_of(of_pooling[pooling], scores):
            raise unsound(f"probes of snapshot {index} have scores that are not theirs")
    is_val = (examples["split"] == "val").to_numpy()
    for hits in (runs.read_search_hits(layout.folder, index) or {}).values():
        if not ((hits[:, is_val] <= NEIGHBOURS).all() and (hits[:, ~is_val] == NOT_SEARCHED).all()):
            raise unsound(f"probes of snapshot {index} hold neighbours that cannot be")


def _are_scores_of(predicted: np.ndarray, scores: np.ndarray) -> bool:
    """Return whether scores are log-probabilities of which each prediction has the highest."""
    of_predicted = np.take_along_axis(scores, predicted[..., None].astype(np.int64), axis=2)
    # NaN compares as false.
    return bool((scores <= 0).all() and (of_predicted[..., 0] >= scores.max(axis=2)).all())


def _check_map(path: Path, examples: pd.DataFrame, run: Run) -> None:
    n, arrays, (_, pooling, layer) = len(examples), _arrays(path), map_parts(path)
    _check_pooling(path, pooling, run)
    earlier = {"xy", "trust", "explained"}  # before the share of kept neighbours was stored
    if set(arrays) not in (earlier, earlier | {"kept"}) or layer > int(run.encoder["layers"]):
        raise unsound(f"{path.name} is no map of one of its layers")
    n_maps = arrays["xy"][1][0]
    expected = {"xy": [n_maps, n, 2], "trust": [n_maps, 2], "explained": [2], "kept": [n_maps, 2]}
    if n_maps > len(run.snapshots) or any(
        arrays[name] != ("F32", expected[name]) for name in arrays
    ):
        raise unsound(f"{path.name} does not have a point for each example")


def _check_placed_test(path: Path, examples: pd.DataFrame, run: Run) -> None:
    n_test = int((examples["split"] == "test").sum())
    arrays, (_, pooling, layer) = _arrays(path), map_parts(path)
    _check_pooling(path, pooling, run)
    if set(arrays) != _fields(PlacedTest) or layer > int(run.encoder["layers"]):
        raise unsound(f"{path.name} does not say where test lies in maps of one of its layers")
    n_maps = arrays["xy"][1][0]
    figures = ("F32", [n_maps])
    expected = {"xy": ("F32", [n_maps, n_test, 2]), "trust": figures, "kept": figures}
    if n_maps > len(run.snapshots) or arrays != expected | {"placed_in": ("I64", [n_maps])}:
        raise unsound(f"{path.name} does not have a point for each test example")


def _check_pooling(path: Path, pooling: str, run: Run) -> None:
    if pooling not in run.poolings:
        raise unsound(f"{path.name} is of a pooling that its record does not name")


def _arrays(path: Path) -> dict[str, tuple[str, list[int]]]:
    """Return type and shape of the arrays in a file from its header; safetensors checks that."""
    with safe_open(path, framework="np") as stored:
        parts = {name: stored.get_slice(name) for name in stored.keys()}  # noqa: SIM118
        return {name: (part.get_dtype(), part.get_shape()) for name, part in parts.items()}


def _check_none_stray(folder: Path, n_snapshots: int) -> None:
    expected = {f"{index:03d}" for index in range(n_snapshots)}
    stray = {path.name for path in folder.glob("*")} - expected
    if stray:
        raise unsound(f"{folder.name}/{min(stray)} belongs to no snapshot in its record")


# --- values ---------------------------------------------------------------------------------


def _check_json(path: Path, is_sound: Callable[[Any], bool]) -> None:
    if not is_sound(json.loads(path.read_text(encoding="utf-8"))):
        raise unsound(f"{path.name} does not hold what it should")


def _check_label_decisions(path: Path, examples: pd.DataFrame, run: Run) -> None:
    decisions = runs.parse_label_decisions(json.loads(path.read_text(encoding="utf-8")))
    labels = {decision.label for decision in decisions.values()} - {""}
    if not (decisions.keys() <= set(examples["id"]) and labels <= set(run.label_names)):
        raise unsound(f"{path.name} decides about labels that it does not hold")


def _fields(kind: type) -> set[str]:
    return {field.name for field in dataclasses.fields(kind)}


def _is_numeric(column: pd.Series) -> bool:
    # A column of nothing but gaps reads as objects or floats; both are no text.
    return pd.api.types.is_numeric_dtype(column) or bool(column.isna().all())
