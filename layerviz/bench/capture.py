"""Speed and memory of capturing against the plain way, as ratios within one run.

Each side is measured in a process of its own, so that the memory of one is not mistaken for
that of the other; machines are shared and noisy, so nothing here is a test.
"""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from layerviz import data, encoders, hidden_states, training
from layerviz.bench import notebook
from layerviz.bench.figures import Figure, machine, machine_in_words
from layerviz.bench.footprint import Footprint, in_own_process
from layerviz.encoders import LoadedEncoder
from layerviz.errors import ConfigError

HEAD_WIDTH = 32
ENCODERS = ((6, 384), (12, 768))  # layers and width
TIME_GOALS = {"fp32": 1 / 4, "bf16": 1 / 8}
MEMORY_GOAL = 1 / 50
EXPONENT_GOAL = 1.1  # 1 is linear; the rest is what a shared machine may add
STEADY_GOAL = 1.5  # extra memory of most texts over that of fewest, the result itself apart


def texts_of(content: bytes, name: str) -> list[str]:
    """Return the texts of a CSV, its text column guessed."""
    table = data.read_table(content, name)
    return table.frame[data.guess_columns(table.frame).text].tolist()


def measure(
    texts: Sequence[str] | None,
    *,
    n: int = 2000,
    sizes: Sequence[tuple[int, int]] = ENCODERS,
    max_length: int = 128,
    growth: Sequence[int] = (2000, 6000, 20_000),
) -> dict[str, Any]:
    """Measure capturing against padding all texts alike and keeping every hidden state.

    Parameters
    ----------
    texts : sequence of str or None
        None takes the bundled sample.
    n : int
        Texts to capture; `texts` are repeated if there are fewer.
    sizes : sequence of (int, int)
        Layers and width of each BERT that is made for it, with random weights.
    max_length : int
        Tokens kept; the plain way pads every text to it.
    growth : sequence of int
        Numbers of texts that the first encoder captures, to see how time and memory grow; with
        fewer than two this is left out.

    Returns
    -------
    dict
        ``encoders``: for each of them, per way ``seconds``, ``extra_mb`` (the most resident
        memory above that at the start) and ``result_mb`` (what of it is the result), and per
        precision the ratios to the plain way, the largest difference of the mean-pooled states
        to the plain way's, and the share of texts whose predicted class is the same.
        ``growth``: seconds and memory per number of texts, the exponent of the time.

    Raises
    ------
    ConfigError
        If a size is out of range.
    """
    _check(n, sizes, max_length, growth)
    if texts is None:
        texts = data.sample_table().frame["text"].tolist()
    precisions = ["fp32"] + ["bf16"] * (training.resolve_precision("auto") == "bf16")
    measured = [_one_encoder(texts, n, size, max_length, precisions) for size in sizes]
    grown = _growth(texts, growth, sizes[0], max_length) if len(growth) > 1 else None
    return {
        "what": f"capture of {n:,} texts, max length {max_length}",
        "machine": machine(),
        "encoders": measured,
        "growth": grown,
    }


def _check(
    n: int, sizes: Sequence[tuple[int, int]], max_length: int, growth: Sequence[int]
) -> None:
    fewest = min([n, *growth])
    least = (("number of texts", fewest, 1), ("max length", max_length, 8))
    for name, value, at_least in (*least, *(("number of layers", size[0], 1) for size in sizes)):
        if value < at_least:
            raise ConfigError(f"The bench's {name} is {value}.", f"Give {at_least} or more.")
    for _, width in sizes:
        if width < HEAD_WIDTH or width % HEAD_WIDTH:
            raise ConfigError(
                f"The bench's hidden size is {width}.", f"Give a multiple of {HEAD_WIDTH}."
            )


def _one_encoder(
    texts: Sequence[str], n: int, size: tuple[int, int], max_length: int, precisions: list[str]
) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        _write_task(work, texts, n, size, max_length)
        ways = {way: _in_own_process(way, work) for way in ["plain", *precisions]}
        states = {way: np.load(work / f"{way}.npz") for way in ways}
        found = {name: dict(states[name]) for name in ways}
    plain = ways["plain"]
    compared = {}
    for way in precisions:
        gap = np.abs(found["plain"]["mean"] - found[way]["mean"].astype(np.float32))
        same = found["plain"]["logits"].argmax(1) == found[way]["logits"].argmax(1)
        compared[way] = {
            "time_ratio": ways[way]["seconds"] / plain["seconds"],
            # Memory is counted in kB: an extra of 0 is one below that.
            "memory_ratio": ways[way]["extra_mb"] / max(plain["extra_mb"], 1e-3),
            "largest_difference": float(gap.max()),
            "agreement": float(same.mean()),
        }
    return {"layers": size[0], "hidden_size": size[1], "ways": ways, "compared": compared}


def _growth(
    texts: Sequence[str], numbers: Sequence[int], size: tuple[int, int], max_length: int
) -> dict[str, Any]:
    rows = []
    for n in sorted(numbers):
        with tempfile.TemporaryDirectory() as folder:
            _write_task(Path(folder), texts, n, size, max_length)
            rows.append({"n": n, **_in_own_process("fp32", Path(folder))})
    above = [max(0.0, row["extra_mb"] - row["result_mb"]) for row in rows]
    return {
        "rows": rows,
        "exponent": exponent([row["n"] for row in rows], [row["seconds"] for row in rows]),
        "extra_above_result_mb": above,
        "steady": above[-1] / max(above[0], 1e-3),
    }


def exponent(sizes: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of `values` over `sizes` in logarithms: 1 is linear, 2 quadratic."""
    return float(np.polyfit(np.log(sizes), np.log(values), 1)[0])


# --- what it comes to -----------------------------------------------------------------------


def figures(result: dict[str, Any]) -> list[Figure]:
    """Return a result of :func:`measure` as figures with their goals."""
    found = []
    for one in result["encoders"]:
        size = f"{one['layers']} x {one['hidden_size']}"
        plain = one["ways"]["plain"]
        for way, goal in TIME_GOALS.items():
            if way in one["ways"]:
                ours = one["ways"][way]
                time_figure = (f"time, {size}, {way}", ours["seconds"], "s", goal)
                memory = (f"extra memory, {size}, {way}", ours["extra_mb"], "MB", MEMORY_GOAL)
                found.append(Figure("capture", *time_figure, plain["seconds"]))
                found.append(Figure("capture", *memory, max(plain["extra_mb"], 1e-3)))
    if grown := result["growth"]:
        to = f"to {grown['rows'][-1]['n']:,} texts"
        found.append(Figure("capture", f"exponent {to}", grown["exponent"], "", EXPONENT_GOAL))
        above = grown["extra_above_result_mb"]
        extra = f"memory above the result, {to}"
        found.append(Figure("capture", extra, above[-1], "MB", STEADY_GOAL, max(above[0], 1e-3)))
    return found


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [f"{result['what']}; {machine_in_words()}"]
    names = {"plain": "pad all, keep all", "fp32": "layerviz, fp32", "bf16": "layerviz, bf16"}
    for one in result["encoders"]:
        lines.append(f"{one['layers']} layers of {one['hidden_size']}")
        for way, values in one["ways"].items():
            line = (
                f"  {names[way]:<18} {values['seconds']:7.1f} s {values['extra_mb']:8.0f} MB extra"
            )
            if way in one["compared"]:
                compared = one["compared"][way]
                line += (
                    f"   ratios {compared['time_ratio']:.3f} and {compared['memory_ratio']:.3f}, "
                    f"largest difference {compared['largest_difference']:.1e}, "
                    f"same prediction {compared['agreement']:.2%}"
                )
            lines.append(line)
    if grown := result["growth"]:
        for row, above in zip(grown["rows"], grown["extra_above_result_mb"], strict=True):
            lines.append(
                f"  {row['n']:>7,} texts {row['seconds']:8.1f} s {above:8.0f} MB above the result"
            )
        lines.append(f"  time grows as (number of texts) ^ {grown['exponent']:.2f}")
    return "\n".join(lines)


# --- one side, in a process of its own ------------------------------------------------------


def _write_task(
    work: Path, texts: Sequence[str], n: int, size: tuple[int, int], max_length: int
) -> None:
    task = {
        "texts": [texts[index % len(texts)] for index in range(n)],
        "layers": size[0],
        "hidden_size": size[1],
        "max_length": max_length,
    }
    (work / "task.json").write_text(json.dumps(task), encoding="utf-8")


def _in_own_process(way: str, work: Path) -> dict[str, float]:
    return in_own_process(__name__, way, str(work))


def measure_from_arguments() -> None:
    way, work = sys.argv[1], Path(sys.argv[2])
    task = json.loads((work / "task.json").read_text(encoding="utf-8"))
    texts, max_length = task["texts"], task["max_length"]
    size = encoders.EncoderSize(
        layers=task["layers"],
        hidden_size=task["hidden_size"],
        heads=task["hidden_size"] // HEAD_WIDTH,
        vocab_size=8192,
        positions=max(512, max_length),
    )
    encoder = encoders.build_scratch("bert", size, texts, label_names=("a", "b"), seed=0)
    run = _plain if way == "plain" else partial(_ours, precision=way)
    run(encoder, texts[:64], max_length)  # warm up
    with Footprint() as footprint:
        mean, logits, n_bytes = run(encoder, texts, max_length)
    np.savez(work / f"{way}.npz", mean=mean, logits=logits)
    measured = footprint.as_dict() | {"result_mb": n_bytes / 1e6}
    sys.stdout.write(json.dumps(measured) + "\n")


Side = tuple[np.ndarray, np.ndarray, int]  # mean-pooled states, logits, bytes of the whole result


def _ours(encoder: LoadedEncoder, texts: list[str], max_length: int, precision: str) -> Side:
    captured = hidden_states.capture(
        encoder.model, encoder.tokenizer, texts, max_length=max_length, precision=precision
    )
    n_bytes = sum(values.nbytes for values in captured.pooled.values())  # cls and max, too
    return captured.pooled["mean"], captured.logits, n_bytes


def _plain(encoder: LoadedEncoder, texts: list[str], max_length: int) -> Side:
    """Do as the 2021 tutorial did: pad to the maximum, keep all states, pool afterwards."""
    encoded = notebook.padded(encoder.tokenizer, texts, max_length)
    mean, logits = notebook.mean_states(encoder.model.eval(), encoded)
    return mean, logits, mean.nbytes
