"""Which runs are compared, and on which examples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from layerviz import encoders, runs
from layerviz.config import RunConfig
from layerviz.errors import RunError
from layerviz.runs import Run
from layerviz.wording import named


@dataclass(frozen=True)
class Contender:
    """One encoder with one configuration: a run, or several that differ in their seed alone.

    Parameters
    ----------
    name : str
        For people; distinct among those compared.
    runs : tuple of Run
        In the order of their seeds.
    """

    name: str
    runs: tuple[Run, ...]

    @property
    def measured(self) -> tuple[Run, ...]:
        """Those that can be scored: all that are over and measured, else one that goes on.

        A seed that is still going on would take all others back to its few snapshots.
        """
        ready = [run for run in self.runs if runs.measured_snapshots(run)]
        return tuple([run for run in ready if not run.live] or ready[:1])

    @property
    def snapshots(self) -> tuple[int, ...]:
        """The snapshots that all its measured runs have."""
        by_run = [set(runs.measured_snapshots(run)) for run in self.measured]
        return tuple(sorted(set.intersection(*by_run))) if by_run else ()


def contenders_of(compared: Sequence[Run]) -> list[Contender]:
    """Group runs into contenders, in the order in which they are given.

    Raises
    ------
    RunError
        If two of them are on different data, so that their scores cannot be compared.
    """
    _check_data(compared)
    groups: dict[tuple, list[Run]] = {}
    for run in compared:
        settings = run.config.as_dict() | {"seed": None}
        copy = 0  # the same settings with the same seed once more: not a seed, a contender
        key = (*settings.items(), copy)
        while any(run.config.seed == other.config.seed for other in groups.get(key, ())):
            copy += 1
            key = (*settings.items(), copy)
        groups.setdefault(key, []).append(run)
    parts = [sorted(group, key=lambda run: run.config.seed) for group in groups.values()]
    names = _names([group[0] for group in parts])
    return [Contender(name, tuple(group)) for name, group in zip(names, parts, strict=True)]


def encoder_label(run: Run) -> str:
    """Return the name of a run's encoder for people, before it is loaded, too."""
    if label := run.encoder.get("label"):
        return named(label)
    # Of the name alone: lists show runs whose encoder has gone, and must not fail.
    return encoders.kept_label(encoders.label_of(run.config.encoder), run.config.keep_layers)


def common_examples(compared: Sequence[Run]) -> tuple[pd.DataFrame, list[np.ndarray]]:
    """Return the examples that all runs captured, and where each run has them.

    Parameters
    ----------
    compared : sequence of Run
        On the same data; each with its examples.

    Returns
    -------
    examples : DataFrame
        ``id``, ``split``, ``text``, ``label``, in the order of the first run.
    rows : list of ndarray of shape (len(examples),)
        For each run, their indices among its own examples.

    Raises
    ------
    RunError
        If there is no val example that all of them captured.
    """
    captured = [runs.read_examples(run.path) for run in compared]
    columns = ["id", "split", "text", "label"]
    common = captured[0][columns]
    for other in captured[1:]:
        common = common.merge(other[columns], on=columns, how="inner")
    if not (common["split"] == "val").any():
        raise RunError(
            "These runs have no captured val example in common.",
            "Compare runs made from the same files, or make them again with Compare.",
        )
    indices = [pd.Series(np.arange(len(examples)), index=examples["id"]) for examples in captured]
    return common, [of_run.loc[common["id"]].to_numpy() for of_run in indices]


def shared_poolings(contenders: Sequence[Contender]) -> tuple[str, ...]:
    """Return the poolings that all runs of all contenders have, in the order of the first run.

    Raises
    ------
    RunError
        If there is none.
    """
    compared = [run for contender in contenders for run in contender.runs]
    shared = set.intersection(*(set(run.poolings) for run in compared))
    if not shared:
        raise RunError(
            "These runs have no pooling in common.", "Make them again with the same layerviz."
        )
    return tuple(name for name in compared[0].poolings if name in shared)


def costs_of(contender: Contender) -> dict[str, float | int | None]:
    """Return what a contender costs, means over its runs; None where it is not known.

    Returns
    -------
    dict
        ``parameters`` (of the encoder), ``epoch_seconds`` and ``train_seconds`` (optimizer steps
        alone, without captures and measures, on the machine and beside the work of that time),
        ``model_bytes`` (the weights' file as stored).
    """
    first = contender.runs[0]
    steps = sum(run.training.get("timed_steps", 0) for run in contender.runs)
    seconds = sum(run.training.get("train_seconds", 0.0) for run in contender.runs)
    pace = seconds / steps if steps else None
    sizes = [_size(run.layout.model_weights) for run in contender.runs]
    return {
        "parameters": first.encoder.get("parameters"),
        "epoch_seconds": pace and pace * first.training["steps_per_epoch"],
        "train_seconds": pace and pace * float(np.mean([r.trained_steps for r in contender.runs])),
        "model_bytes": max(sizes) or None,
    }


def _size(file: Path) -> int:
    return file.stat().st_size if file.exists() else 0


def _check_data(compared: Sequence[Run]) -> None:
    for run in compared[1:]:
        first, other = compared[0].dataset, run.dataset
        if other["fingerprint"] != first["fingerprint"]:
            same_name = first["name"] == other["name"]
            how = "other rows, columns or splits" if same_name else named(other["name"])
            raise RunError(
                f"{encoder_label(compared[0])} was trained on {named(first['name'])}, "
                f"{encoder_label(run)} on {how}: their scores cannot be compared.",
                "Compare runs on the same data, or start a comparison that makes them.",
            )


def _names(firsts: Sequence[Run]) -> list[str]:
    """Name each contender by its encoder, and those of the same one by what else differs."""
    labels = [encoder_label(run) for run in firsts]
    names = []
    for label, run in zip(labels, firsts, strict=True):
        alike = [other.config for name, other in zip(labels, firsts, strict=True) if name == label]
        settings = _differing_settings(run.config, alike)
        names.append(f"{label} ({settings})" if settings else label)
    taken: Counter[str] = Counter()
    for number, name in enumerate(names):
        taken[name] += 1
        if taken[name] > 1:
            names[number] = f"{name} #{taken[name]}"
    return names


def _differing_settings(config: RunConfig, alike: Sequence[RunConfig]) -> str:
    """Return the settings, but for the seed, in which a configuration differs from any other."""
    others = [other.as_dict() for other in alike]
    settings = []
    for name, value in config.as_dict().items():
        if name != "seed" and any(other[name] != value for other in others):
            end = str(value).rsplit("/", 1)[-1][-24:]  # of a path, it tells most
            text = f"{value:g}" if isinstance(value, float) else end
            settings.append(f"{name.replace('_', ' ')} {text}")
    return ", ".join(settings)
