"""What training took away from a run: layers that no longer tell texts apart, and what is missing.

A layer has collapsed where every text gets nearly the same vector in it. Too high a learning rate
is the usual reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from layerviz import encoders, runs
from layerviz.numerics import NEARLY_ALIKE
from layerviz.poolings import pooling_label
from layerviz.runs import Run
from layerviz.separability.naming import SPREAD
from layerviz.wording import (
    count,
    enumeration,
    epoch_name,
    layer_list,
    of_epoch,
    sentence_case,
)

SAME, NEARLY_SAME = "the same vector", "nearly the same vector"
SAME_OR_NEARLY = "the same or nearly the same vector"
NO_NUMBERS = "values that are not finite numbers"

Cell = tuple[str, int, int]  # pooling, layer, snapshot


def cell_notes(table: pd.DataFrame) -> dict[Cell, str]:
    """Return what is wrong with the states of cells, for those in which something is.

    Parameters
    ----------
    table : DataFrame
        As ``separability.csv``. Earlier versions did not look at the spread of states.

    Returns
    -------
    dict of (pooling, layer, snapshot) to str
        A clause, such as "this layer gives every text the same vector".
    """
    part = table[table["measure"] == SPREAD]
    cells = zip(part["pooling"], part["layer"], part["snapshot"], part["value"], strict=True)
    return {
        (str(pooling), int(layer), int(snapshot)): f"this layer gives {what}"
        for pooling, layer, snapshot, spread in cells
        if (what := _given(float(spread)))
    }


def _given(spread: float) -> str:
    """Say what a layer of this spread gives; "" where nothing is wrong with it."""
    if np.isnan(spread):
        return NO_NUMBERS
    if spread >= NEARLY_ALIKE:
        return ""
    return f"every text {SAME if spread == 0 else NEARLY_SAME}"


def collapse_sentences(run: Run, table: pd.DataFrame) -> list[str]:
    """Say which layers have collapsed, since when, and what to do; [] where none has.

    The embedding output is left out: under [CLS] it is the same for all texts in any encoder.

    Parameters
    ----------
    run : Run
    table : DataFrame
        As ``separability.csv``.
    """
    given = _given_by_layer(run, table)
    by_time = _layers_by_time(given)
    if not by_time:
        return []
    sentences = [
        _sentence(time, layers, [given[layer] for layer in layers], len(run.poolings))
        for time, layers in sorted(by_time.items())
    ]
    advice = "Check the encoder's weights and its tokenizer."
    if _is_of_training(by_time):
        advice = _advice(run)
    return [*sentences, advice]


def rate_to_try(run: Run, table: pd.DataFrame) -> float | None:
    """Return the lower learning rate to try where training diverged or layers collapsed in it."""
    rate = _peak_rate(run)
    diverged = run.status == "failed" and run.training.get(runs.DIVERGED, False)
    if not rate or not (diverged or _is_of_training(_layers_by_time(_given_by_layer(run, table)))):
        return None
    return encoders.lower_learning_rate(rate, run.encoder.get("hidden_size"))


_Given = dict[int, dict[str, dict[float, str]]]  # layer: pooling: epoch: what


def _given_by_layer(run: Run, table: pd.DataFrame) -> _Given:
    """Return what each layer but the embedding output gives its texts."""
    part = table[(table["measure"] == SPREAD) & (table["layer"] > 0)]
    epochs = {snapshot.index: snapshot.epoch for snapshot in run.snapshots}
    given: _Given = {}
    columns = zip(part["layer"], part["pooling"], part["snapshot"], part["value"], strict=True)
    for layer, pooling, snapshot, spread in columns:
        if snapshot in epochs:
            of_layer = given.setdefault(int(layer), {}).setdefault(str(pooling), {})
            of_layer[epochs[snapshot]] = _given(float(spread))
    return given


def _layers_by_time(given: _Given) -> dict[_Time, list[int]]:
    by_time: dict[_Time, list[int]] = {}
    for layer, of_poolings in sorted(given.items()):
        if time := _time_of(of_poolings.values()):
            by_time.setdefault(time, []).append(layer)
    return by_time


def _is_of_training(by_time: Iterable[_Time]) -> bool:
    """Return whether it is training that made layers unsound."""
    return any(time.epoch > 0 for time in by_time)


class _Time(NamedTuple):
    """Since which epoch a layer is not sound, or until which it was not."""

    epoch: float
    has_passed: bool


def _time_of(of_poolings: Iterable[Mapping[float, str]]) -> _Time | None:
    """Return when a layer is not sound under any pooling; None where it always is."""
    unsound: dict[float, bool] = {}
    for by_epoch in of_poolings:
        for epoch, what in by_epoch.items():
            unsound[epoch] = unsound.get(epoch, False) or bool(what)
    epochs = sorted(unsound)
    bad = [epoch for epoch in epochs if unsound[epoch]]
    if not bad:
        return None
    if not unsound[epochs[-1]]:
        return _Time(bad[-1], has_passed=True)
    sound = [epoch for epoch in epochs if not unsound[epoch]]
    return _Time(min(epoch for epoch in bad if not sound or epoch > sound[-1]), has_passed=False)


def _sentence(
    time: _Time, layers: Sequence[int], given: Sequence[Mapping[str, Mapping[float, str]]], n: int
) -> str:
    """Say what layers give their texts since, or until, a time, under some of n poolings."""
    whats = [
        {pooling: what for pooling, of_epoch in one.items() if (what := of_epoch.get(epoch, ""))}
        for one in given
        for epoch in (time.epoch if time.has_passed else max(max(e) for e in one.values()),)
    ]
    poolings = {tuple(one) for one in whats}
    under = ""
    if len(poolings) == 1 and len(only := next(iter(poolings))) < n:
        under = f" under {enumeration([pooling_label(name) for name in only])} pooling"
    kinds = {what for one in whats for what in one.values()}
    what = next(iter(kinds)) if len(kinds) == 1 else f"every text {SAME_OR_NEARLY}"
    if NO_NUMBERS in kinds:
        what = NO_NUMBERS
    when = "even before training" if time.epoch == 0 else f"since {epoch_name(time.epoch)}"
    verb = "gives" if len(layers) == 1 else "give"
    if time.has_passed:
        when, verb = f"for a time, up to {epoch_name(time.epoch)}", "gave"
    return sentence_case(f"{when}, {layer_list(layers)} {verb} {what}{under}.")


def _advice(run: Run) -> str:
    rate = _peak_rate(run)
    if not rate:
        return "A lower learning rate usually helps."
    return lower_rate_advice(rate, run.encoder.get("hidden_size"))


def _peak_rate(run: Run) -> float:
    """Return the peak learning rate of a run; 0 where it is not known."""
    return float(run.training.get("learning_rate") or run.config.learning_rate or 0)


def lower_rate_advice(rate: float, width: int | None) -> str:
    """Say to take a lower learning rate than this one, and which."""
    return (
        f"The usual reason is too high a learning rate, here {rate:g}: try "
        f"{encoders.lower_learning_rate(rate, width):g}."
    )


def unmeasured_sentences(run: Run) -> list[str]:
    """Say of which snapshots the measures could not be made, and why."""
    reasons = run.training.get(runs.NOT_MEASURED)
    reasons = reasons if isinstance(reasons, dict) else {}
    missing = set(runs.unmeasured_snapshots(run))
    failed = [
        (snapshot.epoch, reasons[str(snapshot.index)])
        for snapshot in run.snapshots
        if snapshot.index in missing and str(snapshot.index) in reasons
    ]
    return [f"The measures {of_epoch(epoch)} could not be made ({why})." for epoch, why in failed]


def uncaptured_sentences(run: Run) -> list[str]:
    """Say which snapshots could not be captured while training went on, and why."""
    per_epoch = run.training.get("steps_per_epoch", 1)
    by_reason: dict[str, list[float]] = {}
    for step, why in run.training.get(runs.NOT_CAPTURED, {}).items():
        by_reason.setdefault(why, []).append(int(step) / per_epoch)
    return [
        f"The snapshot {of_epoch(epochs[0])} could not be captured ({why}); training went on "
        "without it."
        if len(epochs) == 1
        else f"{count(len(epochs), 'snapshot')} could not be captured ({why}), the first "
        f"{of_epoch(min(epochs))}; training went on without them."
        for why, epochs in by_reason.items()
    ]


def trouble_sentences(run: Run, table: pd.DataFrame) -> list[str]:
    """Return what a reader must know first: what is missing, and which layers have collapsed."""
    collapse = " ".join(collapse_sentences(run, table))
    missing = [*uncaptured_sentences(run), *unmeasured_sentences(run)]
    return [*missing, *([collapse] if collapse else [])]
