"""What a run holds beside its record: examples, history, snapshots, maps, the model."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from layerviz.errors import RunError
from layerviz.runs.layout import HIDDEN_STATES, PREDICTIONS, Layout
from layerviz.runs.locking import changing
from layerviz.runs.record import Run, open_folder, update
from layerviz.runs.snapshots import Snapshot, has_snapshot
from layerviz.runs.writing import remove_folder, replacing

if TYPE_CHECKING:  # commands that only ask what there is do without
    import numpy as np
    import pandas as pd

log = logging.getLogger(__name__)

# --- examples, history ----------------------------------------------------------------------


def write_examples(path: Path, examples: pd.DataFrame) -> None:
    """Store the captured examples, N rows in capture order.

    Their ``id, split, text, label``, ``own_id`` where the user's data give them one, and their
    further columns, as they are written.
    """
    from layerviz.data import EXAMPLE_COLUMNS, further_names

    columns = [*(name for name in EXAMPLE_COLUMNS if name in examples), *further_names(examples)]
    with replacing(Layout(path).examples, make_folder=False) as temporary:
        examples[columns].to_parquet(temporary, index=False)


def write_history(path: Path, history: pd.DataFrame) -> None:
    """Store the learning curve, one row per step at which anything was recorded."""
    from layerviz.runs.reading import HISTORY_COLUMNS

    with replacing(Layout(path).history, make_folder=False) as temporary:
        history.reindex(columns=list(HISTORY_COLUMNS)).to_csv(temporary, index=False)


def history_version(path: Path) -> int | None:
    """Return what tells one state of the learning curve from another; None before the first."""
    try:
        return Layout(path).history.stat().st_mtime_ns
    except OSError:
        return None


# --- snapshots ------------------------------------------------------------------------------


def write_snapshot(
    path: Path, snapshot: Snapshot, pooled: dict[str, np.ndarray], predictions: pd.DataFrame
) -> Run:
    """Store a snapshot and list it in ``run.json``.

    Parameters
    ----------
    path : Path
        The run's folder.
    snapshot : Snapshot
        Its number, step and epoch.
    pooled : dict of str to ndarray
        Per pooling, float16 of shape (L + 1, N, D).
    predictions : DataFrame
        ``id``, ``predicted`` (class index), ``confidence`` (probability of that class) and
        ``loss`` (cross-entropy), N rows in the order of the examples.
    """
    from safetensors.numpy import save_file

    folder = Layout(path).snapshot(snapshot.index)
    if not has_snapshot(path, snapshot.index):
        with replacing(folder) as temporary:
            temporary.mkdir(parents=True)
            save_file(pooled, temporary / HIDDEN_STATES)
            predictions.to_parquet(temporary / PREDICTIONS, index=False)
    snapshots = {one.index: one for one in open_folder(path).snapshots} | {snapshot.index: snapshot}
    return update(path, snapshots=[vars(snapshots[index]) for index in sorted(snapshots)])


# --- measures -------------------------------------------------------------------------------


def has_measures(path: Path, index: int) -> bool:
    """Return whether a snapshot's measures are all there."""
    return Layout(path).probes(index).exists()


def measured_snapshots(run: Run) -> tuple[int, ...]:
    """Return the snapshots whose measures are stored."""
    return tuple(s.index for s in run.snapshots if has_measures(run.path, s.index))


NOT_MEASURED = "not_measured"  # of `Run.training`: why snapshots could not be measured, by index


def note_not_measured(path: Path, index: int, why: str) -> Run:
    """Note in ``run.json`` why a snapshot could not be measured."""
    training = open_folder(path).training
    reasons = {**training.get(NOT_MEASURED, {}), str(index): why}
    return update(path, training=training | {NOT_MEASURED: reasons})


DIVERGED = "diverged"  # of `Run.training`: whether that is why it failed
NOT_CAPTURED = "not_captured"  # of `Run.training`: why planned snapshots are missing, by step


def unmeasured_snapshots(run: Run) -> tuple[int, ...]:
    """Return the snapshots without measures: of a run that was stopped, or made elsewhere."""
    return tuple(s.index for s in run.snapshots if not has_measures(run.path, s.index))


def write_measures(
    path: Path,
    index: int,
    table: pd.DataFrame,
    predicted: dict[str, np.ndarray],
    scores: dict[str, np.ndarray],
    hits: dict[str, np.ndarray] | None = None,
) -> None:
    """Store what was measured at one snapshot, in place of earlier measures of it.

    Parameters
    ----------
    path : Path
        The run's folder.
    index : int
        The snapshot's.
    table : DataFrame
        Columns of ``separability.csv`` but ``snapshot``.
    predicted : dict of str to ndarray
        Per pooling, int16 of shape (L + 1, N): what each layer's probe predicts.
    scores : dict of str to ndarray
        Per pooling, float16 of shape (L + 1, N, C): log-probabilities of the classes.
    hits : dict of str to ndarray, optional
        Per pooling, uint8 of shape (L + 1, N): how many of the nearest train examples are of the
        same class; nothing without val.
    """
    import pandas as pd
    from safetensors.numpy import save_file

    from layerviz.runs.reading import HITS, SCORES, SEPARABILITY_COLUMNS, read_separability

    tensors = predicted | _named(scores, SCORES) | _named(hits or {}, HITS)
    with changing(path):  # another process may be measuring another snapshot
        stored = read_separability(path)
        rows = table.assign(snapshot=index)
        others = stored[stored["snapshot"] != index]
        merged = rows if others.empty else pd.concat([others, rows], ignore_index=True)
        merged = merged.sort_values("snapshot", kind="stable")[list(SEPARABILITY_COLUMNS)]
        with replacing(Layout(path).measures, make_folder=False) as temporary:
            merged.to_csv(temporary, index=False, float_format="%.6g")
    with replacing(Layout(path).probes(index)) as temporary:  # last: it says that all is stored
        save_file(tensors, temporary)


def _named(arrays: dict[str, np.ndarray], suffix: str) -> dict[str, np.ndarray]:
    return {pooling + suffix: array for pooling, array in arrays.items()}


def write_mix(path: Path, index: int, pooling: str, mix: dict[str, Any]) -> None:
    """Store the best mix of layers that was found at one snapshot, as JSON."""
    with replacing(Layout(path).mix(index, pooling)) as temporary:
        temporary.write_text(json.dumps(mix, indent=2), encoding="utf-8")


# --- labels ---------------------------------------------------------------------------------


def write_label_ranking(path: Path, ranking: pd.DataFrame, facts: dict[str, Any]) -> None:
    """Store how suspicious the labels are, a row per example, and facts about the ranking."""
    with replacing(Layout(path).label_ranking, make_folder=False) as temporary:
        ranking.to_parquet(temporary, index=False)
    # Last: it says that both are stored.
    with replacing(Layout(path).label_facts, make_folder=False) as temporary:
        temporary.write_text(json.dumps(facts, indent=2), encoding="utf-8")


def has_label_ranking(path: Path) -> bool:
    """Return whether there is a ranking of labels, perhaps not of the newest snapshots."""
    layout = Layout(path)
    return layout.label_facts.exists() and layout.label_ranking.exists()


# --- model, resume --------------------------------------------------------------------------


def save_model(path: Path, model: Any, tokenizer: Any, snapshot: int | None = None) -> None:
    """Store weights with their tokenizer: a snapshot's, or the newest in place of older ones."""
    layout = Layout(path)
    folder = layout.model if snapshot is None else layout.snapshot_weights(snapshot)
    with replacing(folder) as temporary:
        model.save_pretrained(temporary)
        tokenizer.save_pretrained(temporary)


def model_folders(run: Run) -> dict[int, Path]:
    """Return where weights are, per snapshot: those that were kept, and those of ``model/``.

    The latter belong to the last snapshot that is not after them; where a run was stopped, they may
    be some steps farther.
    """
    layout = run.layout
    folders = {s.index: layout.snapshot_weights(s.index) for s in run.snapshots}
    folders = {index: folder for index, folder in folders.items() if folder.is_dir()}
    if run.snapshots and run.snapshots[0].step <= _model_step(run) and layout.model.is_dir():
        folders.setdefault(model_snapshot(run), layout.model)
    return folders


def model_snapshot(run: Run) -> int:
    """Return the snapshot to which ``model/`` belongs; while there is none yet, the newest."""
    before = [snapshot.index for snapshot in run.snapshots if snapshot.step <= _model_step(run)]
    return before[-1] if before else run.snapshots[-1].index


def _model_step(run: Run) -> float:
    return float(run.training.get("model_step", "inf"))


def keep_model_of(path: Path, index: int) -> None:
    """Make the weights that were kept of a snapshot those of ``model/``, at no cost in space."""
    layout = Layout(path)
    with replacing(layout.model, make_folder=False) as temporary:
        shutil.copytree(layout.snapshot_weights(index), temporary, copy_function=_link)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)  # files of weights are replaced, never written to
    except OSError:  # not on this file system
        shutil.copy2(source, target)


def remove_weights(path: Path, index: int) -> None:
    """Drop the weights that were kept of a snapshot, and the folder of all if it was the last.

    Where they cannot be dropped they stay, which only takes room.
    """
    layout = Layout(path)
    _drop(layout.snapshot_weights(index))
    with contextlib.suppress(OSError):  # there are others
        layout.weights.rmdir()


def model_version(folder: Path) -> str:
    """Return what tells one state of a folder of weights from another."""
    stats = [file.stat() for file in sorted(folder.glob("*.safetensors"))]
    return "-".join(f"{stat.st_mtime_ns:x}.{stat.st_size:x}" for stat in stats)


def captured_models(run: Run) -> dict[int, Path]:
    """Return where weights are that gave a snapshot its hidden states, per snapshot.

    Not among them are those with which a stopped run ends, some steps after its last snapshot.
    """
    steps = {snapshot.index: snapshot.step for snapshot in run.snapshots}
    folders, newest = model_folders(run), run.layout.model
    return {
        index: folder
        for index, folder in folders.items()
        if folder != newest or run.training.get("model_step", steps[index]) == steps[index]
    }


def remove_resume(path: Path) -> None:
    """Drop the Trainer's own state, if that can be done; done when a run is complete."""
    _drop(Layout(path).resume)


def _drop(folder: Path) -> None:
    try:
        remove_folder(folder)
    except RunError as error:  # the run is whole without it gone
        log.warning("%s stays: %s", folder, error)
