"""How long a run takes: from the pace of earlier runs on this machine, else from a model of cost.

The model counts what is computed. Its rates were measured on two cores of an AMD EPYC; what earlier
runs took beside it says how this machine differs. All of it is rough.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from layerviz.config import BY_LAYERVIZ, BY_LENGTH, RANDOM, RunConfig
from layerviz.data import Dataset
from layerviz.encoders import EncoderInfo
from layerviz.poolings import POOLINGS
from layerviz.runs import Run
from layerviz.training.device import device
from layerviz.training.planning import precision_of_captures, resolve_precision, snapshot_steps

MODEL = 2  # number of the model below: paces that were learned beside another one say nothing
PADDING = {RANDOM: 2.2, BY_LENGTH: 1.05}  # tokens computed per real one in a batch
USUAL_TOKENS = 30.0  # of a text, where nothing is known of them
CORES = 2  # on which the rates were measured
STEP_SECONDS_PER_LAYER = 0.018  # what a step of random batches costs beside its products
TRAINING_RATES = {"bf16": 4.7e11, "fp32": 1.5e11}  # floating-point operations per second
CAPTURE_RATES = {"bf16": 3.6e11, "fp32": 1.3e11}
CAPTURE_SECONDS_PER_TEXT = 2e-4
CELL_SECONDS = 0.15  # of one core, to measure a cell, whatever its size
CELL_SECONDS_PER_VALUE = 3e-7  # per train example, dimension and class
ACCELERATOR = 20.0  # so many times as fast as two cores
PARTS = ("step", "capture", "measure")
SLOWEST, FASTEST = 50.0, 0.02  # paces beyond are of a machine that slept, or of no work


@dataclass(frozen=True)
class RunSeconds:
    """What the parts of a run take, in seconds.

    Parameters
    ----------
    step : float
        One optimizer step.
    capture, measure : float
        All examples of one snapshot.
    n_steps, n_snapshots : int
        Of the whole run.
    """

    step: float
    capture: float
    measure: float
    n_steps: int
    n_snapshots: int

    @property
    def training(self) -> float:
        return self.step * self.n_steps

    @property
    def capturing(self) -> float:
        return self.capture * self.n_snapshots

    @property
    def measuring(self) -> float:
        return self.measure * self.n_snapshots

    @property
    def total(self) -> float:
        return self.training + self.capturing + self.measuring


@dataclass(frozen=True)
class Pace:
    """How many times as long as the model says something takes on this machine.

    Parameters
    ----------
    step, capture, measure : float
        1 where nothing was learned.
    n_runs : int
        From so many earlier runs.
    same_encoder : bool
        Whether those were runs of the encoder that was asked about.
    """

    step: float = 1.0
    capture: float = 1.0
    measure: float = 1.0
    n_runs: int = 0
    same_encoder: bool = False


def together(runs: Sequence[RunSeconds]) -> RunSeconds:
    """Return what several runs take, one after the other, as if they were one of a single step."""
    return RunSeconds(
        step=sum(run.training for run in runs),
        capture=sum(run.capturing for run in runs),
        measure=sum(run.measuring for run in runs),
        n_steps=1,
        n_snapshots=1,
    )


MODELLED = Pace()  # where nothing was learned


def expected_seconds(
    config: RunConfig,
    encoder: EncoderInfo,
    dataset: Dataset,
    *,
    mean_tokens: float = USUAL_TOKENS,
    n_poolings: int = len(POOLINGS),
    pace: Pace = MODELLED,
) -> RunSeconds | None:
    """Return about how long a run takes; None where the encoder's size is not known yet.

    Parameters
    ----------
    config : RunConfig
        With its epochs.
    encoder : EncoderInfo
    dataset : Dataset
    mean_tokens : float
        Of a text, after it was cut.
    n_poolings : int
    pace : Pace
        Of this machine.
    """
    if encoder.layers is None or encoder.hidden_size is None or config.epochs is None:
        return None
    if config.trained_by != BY_LAYERVIZ:  # how many snapshots there are is not known yet
        return None
    layers, width = config.keep_layers or encoder.layers, encoder.hidden_size
    sizes = {split: int(n) for split, n in dataset.counts().sum().items()}
    plan, _ = snapshot_steps(sizes["train"], config.epochs, config)
    speed = ACCELERATOR if device() != "cpu" else cores() / CORES

    def operations(tokens: float) -> float:
        """Of a forward pass: products with weights, and of queries with keys and values."""
        return 2 * tokens * layers * (12 * width**2 + 2 * width * mean_tokens)

    # Three passes' worth: one forward, two backward, which stop at what is frozen.
    passes = 1 + 2 * (1 - min(config.freeze, layers) / layers)
    padding = PADDING[config.batching]
    batch = min(config.batch_size, sizes["train"]) * mean_tokens * padding
    rate = TRAINING_RATES[resolve_precision(config.precision)]
    # Measured: all of a step, not its products alone, takes as much less as it has fewer tokens.
    beside = layers * STEP_SECONDS_PER_LAYER / 3 * padding / PADDING[RANDOM]
    step = passes * (beside + operations(batch) / rate)

    captured = {split: min(n, config.max_captured) for split, n in sizes.items()}
    n_captured = sum(captured.values())
    rate = CAPTURE_RATES[precision_of_captures(config)]
    capture = operations(n_captured * mean_tokens) / rate
    capture += n_captured * CAPTURE_SECONDS_PER_TEXT

    values = captured["train"] * width * len(dataset.label_names)
    cell = CELL_SECONDS + CELL_SECONDS_PER_VALUE * values
    measure = n_poolings * (layers + 1) * cell / cores()
    return RunSeconds(
        step=pace.step * step / speed,
        capture=pace.capture * capture / speed,
        measure=pace.measure * measure,
        n_steps=plan[-1],
        n_snapshots=len(plan),
    )


def cores() -> int:
    """Return how many cores this process computes on."""
    return os.cpu_count() or 1


def learned_pace(seconds: RunSeconds, expected: RunSeconds) -> dict[str, Any]:
    """Return what a run's record keeps of how long its parts took, beside the model's figures.

    Parameters
    ----------
    seconds, expected : RunSeconds
        What its parts took, and what the model says without a pace. A part of which nothing was
        timed is 0 in `seconds`.
    """
    ratios = {part: getattr(seconds, part) / getattr(expected, part) for part in PARTS}
    return {
        "model": MODEL,
        "device": device(),
        "cores": cores(),
        **{part: round(ratio, 4) for part, ratio in ratios.items() if ratio > 0},
    }


def pace_of(earlier: Iterable[Run], encoder: str) -> Pace:
    """Return the pace of this machine: of runs of this encoder where there are any, else of all.

    Parameters
    ----------
    earlier : iterable of Run
        Those made on another kind of machine, as far as that is known, are left out.
    encoder : str
        Its name.
    """
    timed = [run for run in earlier if _is_of_this_machine(run.training.get("pace", {}))]
    same = [run for run in timed if run.config.encoder == encoder]
    paces: list[Mapping[str, Any]] = [run.training["pace"] for run in same or timed]
    if not paces:
        return MODELLED
    step, capture, measure = (
        _middle([pace[part] for pace in paces if part in pace]) for part in PARTS
    )
    return Pace(step, capture, measure, n_runs=len(paces), same_encoder=bool(same))


def _is_of_this_machine(pace: Mapping[str, Any]) -> bool:
    here = {"model": MODEL, "device": device(), "cores": cores()}
    return bool(pace) and all(pace.get(name) == value for name, value in here.items())


def _middle(ratios: list[float]) -> float:
    """Return the median; 1 where no run timed the part."""
    return min(SLOWEST, max(FASTEST, median(ratios))) if ratios else 1.0
