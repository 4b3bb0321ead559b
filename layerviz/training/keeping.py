"""Which weights stay with a run: the newest, those of the recommended epoch, or all."""

from __future__ import annotations

import logging

from layerviz import runs, separability
from layerviz.config import KEEP_ALL, KEEP_BEST
from layerviz.encoders import LoadedEncoder
from layerviz.runs import Run
from layerviz.training.looking import looking
from layerviz.wording import of_epoch

log = logging.getLogger(__name__)

NEWEST_KEPT = 2  # the answer smooths over neighbouring snapshots: a peak shows one later


def keep_snapshot_weights(run: Run, encoder: LoadedEncoder, index: int) -> None:
    """Store the weights of a snapshot that is being captured, if the run keeps any."""
    if run.config.keep in (KEEP_ALL, KEEP_BEST):
        runs.save_model(run.path, encoder.model, encoder.tokenizer, index)


def drop_surplus_weights(run: Run) -> None:
    """Leave a run that keeps the best epoch the weights of up to three snapshots.

    They are those of the snapshot that the answer recommends so far and of the newest two, which
    may be recommended once their neighbours are measured.
    """
    if run.config.keep != KEEP_BEST:
        return
    run = runs.open_folder(run.path)
    measured = runs.measured_snapshots(run)
    if not measured:
        return
    with looking(run, "finding the weights to keep"):  # where it fails, all are kept
        wanted = {separability.recommended_snapshot(run), *measured[-NEWEST_KEPT:]}
        for index in set(measured) - wanted:
            runs.remove_weights(run.path, index)


def store_model(run: Run, encoder: LoadedEncoder, step: int, *, finished: bool) -> int:
    """Write ``model/`` when training ends or is stopped; return the step whose weights it holds.

    Parameters
    ----------
    run : Run
    encoder : LoadedEncoder
        With the weights of the newest step.
    step : int
        The newest.
    finished : bool
        Whether the run will not go on, so that no other weights are needed.
    """
    best_step = None
    if run.config.keep == KEEP_BEST:
        run = runs.open_folder(run.path)
        best_step = _keep_best(run)
    if best_step is None:
        runs.save_model(run.path, encoder.model, encoder.tokenizer)
    stored = step if best_step is None else best_step
    if run.config.keep == KEEP_BEST and finished:
        runs.update(run.path, training=run.training | {"model_step": stored})  # before they go
        for snapshot in run.snapshots:
            runs.remove_weights(run.path, snapshot.index)
    return stored


def model_sentence(run: Run) -> str:
    """Say whose weights ``model/`` holds where they are not the newest; "" where they are."""
    step = run.training.get("model_step")
    kept = [snapshot for snapshot in run.snapshots if snapshot.step == step]
    if not kept or kept[0] == run.snapshots[-1]:
        return ""
    return f"The weights that were kept are those {of_epoch(kept[0].epoch)}, as recommended."


def _keep_best(run: Run) -> int | None:
    """Make ``model/`` that of the recommended snapshot; return its step, or None without one."""
    if not runs.measured_snapshots(run):
        return None
    steps = {snapshot.index: snapshot.step for snapshot in run.snapshots}
    best = None
    with looking(run, "finding the epoch whose weights to keep"):
        best = separability.recommended_snapshot(run)
    if best is None:  # the newest are stored
        return None
    if run.layout.snapshot_weights(best).is_dir():
        runs.keep_model_of(run.path, best)
        return steps[best]
    if runs.model_folders(run).get(best) == run.layout.model:
        return steps[best]  # by an earlier attempt, which was cut off before the run was done
    log.warning("%s: the weights of the recommended snapshot were not kept", run.run_id)
    return None
