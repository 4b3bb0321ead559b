"""A run's answer, from what its folder holds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from layerviz import runs
from layerviz.errors import RunError, did_you_mean
from layerviz.runs import Run
from layerviz.separability.answering import Answer, find_answer
from layerviz.separability.depth import DepthDecision, decide_depth
from layerviz.separability.epochs import MARGIN
from layerviz.separability.scored_cells import Cell, CellScores
from layerviz.wording import quote


def cells_of(run: Run, poolings: Sequence[str] | None = None) -> tuple[list[Cell], np.ndarray]:
    """Return the candidates of a run, layers 1 to L, and their probes' predictions.

    Parameters
    ----------
    run : Run
    poolings : sequence of str, optional
        Some of the run's, by default all.

    Returns
    -------
    cells : list of K Cells
        Of the snapshots that are measured.
    predicted : ndarray of shape (K, N), int16
        In the row order of the examples.

    Raises
    ------
    RunError
        If no snapshot is measured, or the run lacks a pooling.
    """
    if poolings is None:
        poolings = run.poolings
    if lacking := [name for name in poolings if name not in run.poolings]:
        raise RunError(
            f"{run.run_id} holds no hidden states under {quote(lacking[0])} pooling.",
            did_you_mean(lacking[0], run.poolings, f"Choose one of {', '.join(run.poolings)}."),
        )
    cells, predicted = [], []
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    for index in runs.measured_snapshots(run):
        probes = runs.read_probes(run.path, index)
        for pooling in poolings:
            layers = range(1, len(probes[pooling]))
            cells += [Cell(index, epochs[index], pooling, layer) for layer in layers]
            predicted.append(probes[pooling][1:])
    if not cells:
        raise RunError("Nothing of this run has been measured yet.", "Wait for its first snapshot.")
    return cells, np.concatenate(predicted)


def answer_of(run: Run, poolings: Sequence[str] | None = None) -> Answer:
    """Return which layer of a run generalises, at which epoch, and how sure that is."""
    cells, predicted = cells_of(run, poolings)
    examples = runs.read_examples(run.path)
    splits = examples["split"].to_numpy()
    return find_answer(
        cells,
        predicted,
        examples["label"].to_numpy(),
        splits,
        label_names=run.label_names,
        seed=run.config.seed,
        log_probabilities=_log_probabilities(run, cells, splits == "val"),
        n_texts=examples["text"][splits == "val"].nunique(),
    )


def recommended_snapshot(run: Run) -> int:
    """Return the index of the snapshot at which the answer says to take a run's weights."""
    return answer_of(run).best.snapshot


def decision_of(
    run: Run, best: Cell, margin: float = MARGIN, poolings: Sequence[str] | None = None
) -> DepthDecision:
    """Return how many layers of a run are enough; see `decide_depth`.

    Parameters
    ----------
    run : Run
    best : Cell
        The recommended one.
    margin : float
        The loss of macro-F1 that is given away.
    poolings : sequence of str, optional
        Among which to search, by default all of the run's.
    """
    return _decisions(run, best, [margin], poolings)[0]


def decisions_of(
    run: Run, answer: Answer, margins: Sequence[float], poolings: Sequence[str] | None = None
) -> tuple[DepthDecision, ...]:
    """Return how many layers are enough for each margin, where that can be asked.

    It cannot where the answer names no layer, or one from before training: the model's own
    classifier, with which the layers are compared, has learnt nothing then, unless it was kept.

    Parameters
    ----------
    run : Run
    answer : Answer
        The run's, searched among the same poolings.
    margins : sequence of float
    poolings : sequence of str, optional
        As in `decision_of`.
    """
    if answer.verdict != "found" or (answer.best.epoch == 0 and not run.kept_its_head):
        return ()
    return _decisions(run, answer.best, margins, poolings)


def _decisions(
    run: Run, best: Cell, margins: Sequence[float], poolings: Sequence[str] | None
) -> tuple[DepthDecision, ...]:
    cells, predicted = cells_of(run, poolings)
    examples = runs.read_examples(run.path)
    val = (examples["split"] == "val").to_numpy()
    scored = CellScores(
        tuple(cells), predicted[:, val], examples["label"].to_numpy()[val], run.config.seed
    )
    head = runs.read_predictions(run.path, best.snapshot)["predicted"].to_numpy()[val]
    return tuple(decide_depth(scored, head, best, margin) for margin in margins)


def _log_probabilities(run: Run, cells: Sequence[Cell], rows: np.ndarray) -> np.ndarray | None:
    """Return the probes' scores of the cells for some examples, (K, n, C); None if not stored."""
    parts = []
    for snapshot in dict.fromkeys(cell.snapshot for cell in cells):
        stored = runs.read_probe_scores(run.path, snapshot)
        if stored is None:
            return None
        poolings = dict.fromkeys(cell.pooling for cell in cells if cell.snapshot == snapshot)
        parts += [stored[pooling][1:, rows] for pooling in poolings]
    return np.concatenate(parts)
