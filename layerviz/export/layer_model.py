"""One layer of a run as a model: the encoder up to it, with the layer's probe as the classifier.

Under [CLS] pooling it is a classifier of transformers, whose head computes the probe's scores.
Under other poolings it is a folder of sentence-transformers, which gives the layer's embedding, and
a linear map on that.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import torch
from safetensors.torch import save_file

from layerviz import encoders, hidden_states, runs, separability
from layerviz.disks import temporary_folder
from layerviz.encoders import LoadedEncoder
from layerviz.errors import ConfigError, RunError
from layerviz.export.entry import CellRequest, ExportRequest
from layerviz.export.model_card import CardFacts, model_card
from layerviz.export.timing import Speed, race
from layerviz.export.zip_writing import write_zip
from layerviz.pairs import parts_of_pair
from layerviz.poolings import CLS, MAX, MEAN, pooling_label
from layerviz.progress import CHECKING, OnProgress, Progress
from layerviz.runs import Run
from layerviz.runs.layout import MODEL_WEIGHTS
from layerviz.separability import Cell, LinearProbe
from layerviz.wording import at_epoch, enumeration, epoch_name, epoch_number

MOST_CHECKED = 256  # captured examples
BATCH_SIZE, MOST_BATCHES = 16, 12  # that are timed
UNLIKE = 0.02  # of the size of the states: rounding to float16 is far below it
CLASSIFIER = "classifier"  # the probe's folder in that of sentence-transformers

# The names that sentence-transformers has for the poolings. Modules and configs are named as in its
# version 2, which every later one reads.
SENTENCE_POOLINGS = {MEAN.name: "pooling_mode_mean_tokens", MAX.name: "pooling_mode_max_tokens"}
MODULES = [
    {"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"},
    {"idx": 1, "name": "1", "path": "1_Pooling", "type": "sentence_transformers.models.Pooling"},
]


def write_layer_model(
    run: Run, request: ExportRequest, stream: BinaryIO, on_progress: OnProgress
) -> None:
    """Write a zip with the folder of a model and its card.

    Raises
    ------
    ConfigError
        If the run has no such layer or epoch, or it is not measured.
    RunError
        If it lacks the pooling or the weights, or these do not give what was captured.
    EncoderError
        If layers of its family cannot stand alone.
    """
    answer = separability.answer_of(run)
    cell = requested_cell(run, request.cell, answer.best)
    weights = weights_of(run, cell)
    encoders.check_can_shorten(str(run.encoder["family"]))
    if cell.pooling != CLS.name and cell.pooling not in SENTENCE_POOLINGS:
        raise RunError(
            f"No library that loads models pools as {pooling_label(cell.pooling)} does.",
            f"Choose {enumeration([CLS.label, MEAN.label, MAX.label])}.",
        )
    probe = separability.refit_probe(run, cell)
    short = encoders.load_trained(weights, cell.layer)
    if cell.pooling == CLS.name:
        encoders.put_probe_in_head(short.model, probe.weights, probe.intercepts)
    check = _check(run, cell, short, probe, on_progress)
    name = folder_name(run, cell)
    decisions = separability.decisions_of(run, answer, [separability.MARGIN])
    with temporary_folder() as scratch:
        folder = scratch / name
        model = _save(run, cell, short, probe, folder)
        facts = CardFacts(
            run=run,
            cell=cell,
            answer=answer,
            decision=next(iter(decisions), None),
            folder=name,
            strength=probe.strength,
            width=probe.weights.shape[1],
            n_checked=len(check.rows),
            n_equal=check.n_equal,
            n_bytes=_weight_bytes(folder),
            n_bytes_full=_weight_bytes(weights),
            speed=_speed(run, weights, model, short, check.rows),
        )
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        write_zip(
            stream,
            {path.relative_to(scratch).as_posix(): path for path in files},
            {f"{name}/README.md": model_card(facts)},
            on_progress,
        )


def folder_name(run: Run, cell: Cell) -> str:
    """Return what the folder in the zip is called."""
    when = epoch_number(cell.epoch)
    return f"{run.run_id}-layer-{cell.layer}-epoch-{when}-{cell.pooling}"


# --- which cell -----------------------------------------------------------------------------


def requested_cell(run: Run, request: CellRequest, best: Cell) -> Cell:
    """Return the cell that is asked for; what is left open is as in the run's answer.

    Parameters
    ----------
    run : Run
    request : CellRequest
    best : Cell
        The one that the answer names over all poolings.

    Raises
    ------
    ConfigError, RunError
        As `write_layer_model`.
    """
    if request.pooling is not None and request.pooling != best.pooling:
        best = separability.answer_of(run, [request.pooling]).best
    if request.layer is not None:
        best = _at_layer(run, best, request)
    return best if request.epoch is None else _at_epoch(run, best, request.epoch)


def _at_layer(run: Run, cell: Cell, request: CellRequest) -> Cell:
    n_layers = int(run.encoder["layers"])
    if request.layer == "enough":
        if cell.epoch == 0:
            raise ConfigError(
                "How many layers are enough cannot be said of the model before training: its own "
                "classifier, to compare with, is untrained.",
                f"Choose a layer from 1 to {n_layers}.",
            )
        poolings = None if request.pooling is None else [request.pooling]
        decision = separability.decision_of(run, cell, poolings=poolings)
        if decision.cell is None:
            raise ConfigError(
                separability.decision_sentence(decision), f"Choose a layer from 1 to {n_layers}."
            )
        return decision.cell
    if request.layer is None or not 1 <= request.layer <= n_layers:
        raise ConfigError(
            "Layer 0, the embedding output, comes before any layer and is no model."
            if request.layer == 0
            else f"There is no layer {request.layer}: the encoder has {n_layers}.",
            f"Choose a layer from 1 to {n_layers}.",
        )
    return replace(cell, layer=request.layer)


def _at_epoch(run: Run, cell: Cell, epoch: float) -> Cell:
    snapshot = run.snapshot_at(epoch)
    if not runs.has_measures(run.path, snapshot.index):
        raise ConfigError(
            f"The layers at {epoch_name(snapshot.epoch)} have not been measured yet.",
            "Wait until they are, or choose another epoch.",
        )
    return replace(cell, snapshot=snapshot.index, epoch=snapshot.epoch)


def weights_of(run: Run, cell: Cell) -> Path:
    """Return the folder of the weights that gave a cell its states.

    Raises
    ------
    RunError
        If they were not kept.
    """
    folders = runs.captured_models(run)
    if cell.snapshot in folders:
        return folders[cell.snapshot]
    if not folders:
        raise RunError(
            "This run holds no weights of a snapshot, so none of its layers can be taken.",
            "Weights are stored when a run ends: let it finish, or continue it.",
        )
    epochs = [epoch_number(run.snapshots[index].epoch) for index in sorted(folders)]
    raise RunError(
        f"Layer {cell.layer} {at_epoch(cell.epoch)} cannot be taken, because the weights of that "
        "moment were not kept.",
        f"Take it at epoch {' or '.join(epochs)}, or run it again and keep all weights.",
        [f"--at-epoch {epochs[-1]}", "--keep all"],
    )


# --- the model ------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Check:
    """What the model said of some captured examples."""

    rows: np.ndarray  # (n,): which
    n_equal: int  # of them got the class that the stored probe gave


def _check(
    run: Run, cell: Cell, short: LoadedEncoder, probe: LinearProbe, on_progress: OnProgress
) -> _Check:
    """Compare states and predictions with those that the run holds.

    Raises
    ------
    RunError
        If the states are others: these are not the weights of that snapshot.
    """
    texts = runs.read_examples(run.path)["text"]
    rows = np.unique(np.linspace(0, len(texts) - 1, MOST_CHECKED).round().astype(int))

    def show(progress: Progress) -> None:
        on_progress(replace(progress, phase=CHECKING))

    capture = hidden_states.capture(
        short.model,
        short.tokenizer,
        texts.iloc[rows].tolist(),
        max_length=run.config.max_length,
        poolings=(cell.pooling,),
        on_progress=show,
    )
    states = capture.pooled[cell.pooling][cell.layer].astype(np.float32)  # (n, D)
    stored = runs.read_hidden_states(run.path, cell.snapshot, cell.pooling, cell.layer)
    expected = stored[rows].astype(np.float32)
    if np.abs(states - expected).mean() > UNLIKE * np.abs(expected).mean():
        raise RunError(
            f"The stored weights do not give the states that were captured {at_epoch(cell.epoch)}: "
            "they are of another moment, or were changed.",
            "Start the run again with the same data and settings.",
        )
    by_head = capture.logits.argmax(axis=1)
    predicted = by_head if cell.pooling == CLS.name else probe.predict(states)
    of_probe = runs.read_probes(run.path, cell.snapshot)[cell.pooling][cell.layer][rows]
    return _Check(rows, int((predicted == of_probe).sum()))


def _save(
    run: Run, cell: Cell, short: LoadedEncoder, probe: LinearProbe, folder: Path
) -> torch.nn.Module:
    """Write the model's folder and return what computes in it."""
    is_classifier = cell.pooling == CLS.name
    model = short.model if is_classifier else encoders.body_of(short.model)
    max_length = run.config.max_length
    encoders.save_model_and_tokenizer(model, short.tokenizer, folder, max_length)
    if not is_classifier:
        _save_sentence_modules(cell, probe, folder, max_length)
    return model


def _save_sentence_modules(cell: Cell, probe: LinearProbe, folder: Path, max_length: int) -> None:
    """Write what makes the folder of an encoder one of sentence-transformers, and the probe."""
    n_classes, width = probe.weights.shape
    pooling = {"word_embedding_dimension": width, "pooling_mode_cls_token": False}
    pooling |= {mode: name == cell.pooling for name, mode in SENTENCE_POOLINGS.items()}
    dense = {
        "in_features": width,
        "out_features": n_classes,
        "bias": True,
        "activation_function": "torch.nn.modules.linear.Identity",
    }
    for name, content in {
        "modules.json": MODULES,
        "sentence_bert_config.json": {"max_seq_length": max_length, "do_lower_case": False},
        "1_Pooling/config.json": pooling,
        f"{CLASSIFIER}/config.json": dense,
    }.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    linear = {
        "linear.weight": torch.from_numpy(probe.weights).float().contiguous(),
        "linear.bias": torch.from_numpy(probe.intercepts).float(),
    }
    save_file(linear, folder / CLASSIFIER / MODEL_WEIGHTS)


def _weight_bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.safetensors"))


def _speed(
    run: Run, weights: Path, model: torch.nn.Module, short: LoadedEncoder, rows: np.ndarray
) -> Speed:
    """Race the model against the whole one that it was cut from."""
    texts = runs.read_examples(run.path)["text"].iloc[rows[: BATCH_SIZE * MOST_BATCHES]]
    parts = texts.map(parts_of_pair).tolist()
    whole = encoders.load_trained(weights)
    batches = [
        short.tokenizer(
            *map(list, zip(*parts[start : start + BATCH_SIZE], strict=True)),
            padding=True,
            truncation=True,
            max_length=run.config.max_length,
            return_tensors="pt",
        )
        for start in range(0, len(parts), BATCH_SIZE)
    ]
    return race(whole.model, model, batches)
