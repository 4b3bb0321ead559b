"""The whole 2021 tutorial against layerviz: from a CSV to t-SNE maps of all epochs, animated.

Each way goes in a process of its own, with the same encoder, texts, epochs, batch size, learning
rate, warm-up and weight decay, and maps of the same layers. The notebook's is
`notebook.whole_way`. That of layerviz is what ``fit`` and ``export --gif --projection tsne`` do:
reading, checks, training in the precision that the machine is best at, captures before and after
every epoch, all measures, predictions and weights on disk, aligned maps with their figures, and
the animation. Imports are not counted.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import openTSNE  # noqa: F401  imported where it is used, which is not to count
from scipy.stats import norm, t

from layerviz import checks, data, export, runs, separability, training
from layerviz.bench import notebook
from layerviz.bench.figures import Figure, machine, machine_in_words
from layerviz.bench.footprint import Footprint, in_own_process
from layerviz.bench.materials import random_bert, size_of, varied_csv
from layerviz.comparison import trial_difference
from layerviz.config import RunConfig
from layerviz.data import Columns, Dataset, Table
from layerviz.errors import ConfigError
from layerviz.separability import LEVEL, macro_f1, resampling_weights
from layerviz.views import MapsRequest
from layerviz.wording import count

WAYS = ("notebook", "layerviz")
ALONE = "training-alone"  # an epoch without looking: what of the memory is training's own
COLUMNS = Columns("text", "label", "split")
TIME_GOALS = {"bert-mini": 1 / 5}
LARGE_TIME_GOAL = 1 / 4  # of every other encoder
MEMORY_GOAL = 1 / 20
FULL = {"n_train": 2000, "n_val": 1000, "epochs": 5}
TAIL = (1 - LEVEL) / 2
QUICK = {"n_train": 200, "n_val": 100, "epochs": 1}  # of large encoders


def measure(
    table: Table | None,
    *,
    encoders: Sequence[str] = ("bert-mini",),
    n_train: int = FULL["n_train"],
    n_val: int = FULL["n_val"],
    epochs: int = FULL["epochs"],
    seeds: int = 1,
    print_line: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Go both ways with each encoder, by turns.

    Parameters
    ----------
    table : Table or None
        None takes the bundled sample; where it has too few texts, they come again, varied.
    encoders : sequence of str
        Of this disk, or sizes such as ``12x768``: a BERT with random weights.
    n_train, n_val, epochs : int
    seeds : int
        Each way is gone with the seeds 0 to `seeds` - 1.
    print_line : callable
        Called with a line of text before each way.

    Returns
    -------
    dict
        ``encoders``: for each of them, per way ``seconds``, ``cpu_seconds`` (all seeds together),
        ``extra_mb`` (the most of all seeds), ``training_mb`` (the same of an epoch that nobody
        looks at), ``parts`` in seconds and ``f1``, the final val macro-F1 of each seed;
        ``difference`` of the mean scores, layerviz - notebook, with ``low`` and ``high`` of its
        95 % paired bootstrap interval.

    Raises
    ------
    ConfigError
        If a number is out of range, or matplotlib is missing.
    """
    if seeds < 1 or epochs < 1:
        raise ConfigError(
            f"The bench cannot go {count(epochs, 'epoch')} with {count(seeds, 'seed')}.",
            "Give 1 or more of each.",
        )
    sizes = [size_of(name) for name in encoders]
    notebook.expect_matplotlib()
    content = varied_csv(table or data.sample_table(), n_train, n_val)
    rows = []
    for name, size in zip(encoders, sizes, strict=True):
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            (work / "texts.csv").write_bytes(content)
            dataset = _dataset(work)
            path = name if size is None else random_bert(dataset, *size, work / "encoder")
            config = training.with_defaults(
                RunConfig(path, epochs=epochs, max_captured=max(n_train, n_val))
            )
            print_line(f"With {name}:")
            of_ways = _both_ways(config, dataset, work, seeds, print_line)
            rows.append({"encoder": name, **of_ways})
    return {
        "what": f"the whole tutorial, {n_train:,} train + {n_val:,} val texts x "
        f"{count(epochs, 'epoch')}",
        "machine": machine(),
        "seeds": seeds,
        "encoders": rows,
    }


def _dataset(work: Path) -> Dataset:
    file = work / "texts.csv"
    return data.build_dataset(data.read_table(file.read_bytes(), file.name), COLUMNS)


def _both_ways(
    config: RunConfig,
    dataset: Dataset,
    work: Path,
    seeds: int,
    print_line: Callable[[str], None],
) -> dict[str, Any]:
    of_way: dict[str, list[dict[str, Any]]] = {way: [] for way in WAYS}
    for seed in range(seeds):
        for way in WAYS:
            print_line(f"  seed {seed}, the way of {way}")
            task = work / f"{way}-{seed}"
            task.mkdir()
            settings = asdict(config) | {"seed": seed}
            (task / "task.json").write_text(json.dumps(settings), encoding="utf-8")
            of_way[way].append(in_own_process(__name__, way, str(task)))
    alone = {}
    for way in WAYS:
        task = work / f"{way}-{ALONE}"
        task.mkdir()
        (task / "task.json").write_text(json.dumps(asdict(config) | {"epochs": 1}))
        alone[way] = in_own_process(__name__, way, str(task), ALONE)["extra_mb"]
    true = dataset.split("val")["label"].to_numpy()
    codes = {name: code for code, name in enumerate(dataset.label_names)}
    predicted = {
        way: np.array([[codes[name] for name in one["predicted"]] for one in sides])  # (S, n)
        for way, sides in of_way.items()
    }
    return {
        **{
            way: _together(sides, true, predicted[way]) | {"training_mb": alone[way]}
            for way, sides in of_way.items()
        },
        **_difference(true, predicted["notebook"], predicted["layerviz"]),
    }


def _together(
    sides: Sequence[dict[str, Any]], true: np.ndarray, predicted: np.ndarray
) -> dict[str, Any]:
    """Return what one way took with all seeds."""
    parts: dict[str, float] = {}
    for one in sides:
        for part, seconds in one["parts"].items():
            parts[part] = parts.get(part, 0.0) + seconds
    return {
        "seconds": sum(one["seconds"] for one in sides),
        "cpu_seconds": sum(one["cpu_seconds"] for one in sides),
        "extra_mb": max(one["extra_mb"] for one in sides),
        "parts": parts,
        "f1": macro_f1(true, predicted).tolist(),
    }


def _difference(true: np.ndarray, one: np.ndarray, other: np.ndarray) -> dict[str, float]:
    """Return macro-F1 of `other` minus that of `one`, (S, n) each, with its 95 % interval.

    The val examples are resampled in pairs. With several seeds, Student's interval of the seeds'
    own differences is added to it (in squares).
    """
    if len(one) == 1:
        found = trial_difference(true, one[0], other[0], seed=0)
        return {"difference": found.value, "low": found.low, "high": found.high}
    of_seeds = macro_f1(true, other) - macro_f1(true, one)  # (S,)
    weights = resampling_weights(len(true), seed=0)
    draws = (macro_f1(true, other, weights) - macro_f1(true, one, weights)).mean(axis=1)
    of_examples = float(norm.isf(TAIL) * draws.std())
    between = float(t.isf(TAIL, len(one) - 1) * of_seeds.std(ddof=1) / len(one) ** 0.5)
    mean, reach = float(of_seeds.mean()), float(np.hypot(of_examples, between))
    return {"difference": mean, "low": mean - reach, "high": mean + reach}


def beyond_training(side: dict[str, Any]) -> float:
    """Return the memory in MB that a way takes beyond an epoch that nobody looks at."""
    return max(float(side["extra_mb"] - side["training_mb"]), 1e-3)


# --- what it comes to -----------------------------------------------------------------------


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return a result of :func:`measure` as figures with their goals."""
    found = []
    for row in result["encoders"]:
        theirs, ours = (row[way] for way in WAYS)
        goal = TIME_GOALS.get(row["encoder"], LARGE_TIME_GOAL)
        of = f"the whole, {row['encoder']}"
        for what, key, unit, goal_of in (
            ("time", "seconds", "s", goal),
            ("processor time", "cpu_seconds", "s", goal),
            ("extra memory", "extra_mb", "MB", MEMORY_GOAL),
        ):
            found.append(Figure("tutorial", f"{of}: {what}", ours[key], unit, goal_of, theirs[key]))
        beyond = [beyond_training(side) for side in (ours, theirs)]
        what = f"{of}: memory beyond training"
        found.append(Figure("tutorial", what, beyond[0], "MB", MEMORY_GOAL, beyond[1]))
        scores = [float(np.mean(side["f1"])) for side in (ours, theirs)]
        found.append(Figure("tutorial", f"{of}: val macro-F1", scores[0], "", peer=scores[1]))
    return found


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    seeds = result["seeds"]
    lines = [f"{result['what']}; {machine_in_words()}"]
    for row in result["encoders"]:
        with_seeds = f", {seeds} seeds together" if seeds > 1 else ""
        lines.append(f"{row['encoder']}{with_seeds}")
        lines.append(f"  {'':<10}{'seconds':>10}{'of the CPU':>12}{'extra MB':>10}{'val F1':>9}")
        theirs, ours = (row[way] for way in WAYS)
        for way in WAYS:
            one = row[way]
            lines.append(
                f"  {way:<10}{one['seconds']:10.1f}{one['cpu_seconds']:12.1f}"
                f"{one['extra_mb']:10.0f}{np.mean(one['f1']):9.3f}"
            )
        ratios = [ours[key] / theirs[key] for key in ("seconds", "cpu_seconds", "extra_mb")]
        lines.append("  {:<10}{:10.3f}{:12.3f}{:10.3f}".format("ratio", *ratios))
        beyond = [beyond_training(side) for side in (ours, theirs)]
        lines.append(
            f"  memory beyond training alone: {beyond[0]:.0f} of {ours['extra_mb']:.0f} MB against "
            f"{beyond[1]:.0f} of {theirs['extra_mb']:.0f} MB, ratio {beyond[0] / beyond[1]:.3f}"
        )
        for way in WAYS:
            parts = (f"{part} {seconds:.1f} s" for part, seconds in row[way]["parts"].items())
            lines.append(f"  {way}: {', '.join(parts)}")
        difference = f"{row['difference']:+.3f} ({row['low']:+.3f} to {row['high']:+.3f})"
        covered = "val examples and seeds" if seeds > 1 else "val examples, not other seeds"
        apart = row["low"] > 0 or row["high"] < 0
        lines.append(
            f"  val macro-F1, layerviz - notebook: {difference}, 95 % interval over {covered}: "
            f"{'more than noise' if apart else 'within noise'}"
        )
    return "\n".join(lines)


# --- one way, in a process of its own -------------------------------------------------------


def measure_from_arguments() -> None:
    """Go one way, with the settings in a folder that is named; print what it took as JSON."""
    way, work = sys.argv[1], Path(sys.argv[2])
    config = RunConfig(**json.loads((work / "task.json").read_text(encoding="utf-8")))
    table = work.parent / "texts.csv"
    if sys.argv[3:] == [ALONE]:
        whole_way = notebook.training_alone if way == "notebook" else _training_alone
    else:
        whole_way = notebook.whole_way if way == "notebook" else _whole_way
    with Footprint() as footprint:
        predicted, parts = whole_way(config, table, work)
    measured = footprint.as_dict() | {"parts": parts, "predicted": predicted.tolist()}
    sys.stdout.write(json.dumps(measured) + "\n")


def _whole_way(config: RunConfig, table: Path, work: Path) -> tuple[np.ndarray, dict[str, float]]:
    """Do what ``fit`` and ``export --gif`` do; see `notebook.whole_way`."""
    start = time.perf_counter()
    dataset = data.build_dataset(data.read_table(table.read_bytes(), table.name), COLUMNS)
    plan = checks.plan_for(config, dataset, checks.token_lengths(config.encoder, dataset))
    checks.findings_of(plan)
    run = runs.create(work / "runs", config, dataset)
    run = training.fit(run, dataset)
    answer = separability.answer_of(run)
    separability.decisions_of(run, answer, [separability.MARGIN])
    fitted = time.perf_counter()
    request = export.ExportRequest(MapsRequest(projection="tsne"))
    export.write_export(run, "gif", work / "maps.gif", request)
    ended = time.perf_counter()
    examples = runs.read_examples(run.path)
    predictions = runs.read_predictions(run.path, run.snapshots[-1].index)
    names = np.array(dataset.label_names)
    predicted = names[predictions["predicted"][examples["split"] == "val"].to_numpy()]
    steps = float(run.training["train_seconds"])
    parts = {
        "steps of training": steps,
        "captures, measures and files": fitted - start - steps,
        "maps and GIF": ended - fitted,
    }
    return predicted, parts


def _training_alone(
    config: RunConfig, table: Path, work: Path
) -> tuple[np.ndarray, dict[str, float]]:
    """Train without looking; nothing is predicted."""
    dataset = data.build_dataset(data.read_table(table.read_bytes(), table.name), COLUMNS)
    training.fit(runs.create(work / "runs", config, dataset), dataset, capture=False)
    return np.zeros(0), {}
