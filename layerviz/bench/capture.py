"""Speed and memory of capturing against the plain way, as ratios within one run.

Each side is measured in a process of its own, so that the memory of one is not mistaken for
that of the other; machines are shared and noisy, so nothing here is a test.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from layerviz import data, encoders, hidden_states
from layerviz.encoders import LoadedEncoder
from layerviz.errors import ConfigError

WAYS = ("plain", "layerviz")
PLAIN_BATCH = 32
HEAD_WIDTH = 32


def texts_of(content: bytes, name: str) -> list[str]:
    """Return the texts of a CSV, its text column guessed."""
    table = data.read_table(content, name)
    return table.frame[data.guess_columns(table.frame).text].tolist()


def measure(
    texts: Sequence[str] | None, *, n: int, layers: int, hidden_size: int, max_length: int
) -> dict[str, Any]:
    """Measure capturing against padding all texts alike and keeping every hidden state.

    Parameters
    ----------
    texts : sequence of str or None
        None takes the bundled sample.
    n : int
        Texts to capture; `texts` are repeated if there are fewer.
    layers, hidden_size : int
        Of the BERT that is made for it, with random weights.
    max_length : int
        Tokens kept; the plain way pads every text to it.

    Returns
    -------
    dict
        ``seconds`` and ``extra_mb`` (peak resident memory above that before the capture) per
        way, their ratios layerviz / plain, and the largest difference of the mean-pooled states.

    Raises
    ------
    ConfigError
        If a size is out of range.
    """
    for name, value, least in (("n", n, 1), ("layers", layers, 1), ("max length", max_length, 8)):
        if value < least:
            raise ConfigError(f"The bench's {name} is {value}.", f"Give {least} or more.")
    if hidden_size < HEAD_WIDTH or hidden_size % HEAD_WIDTH:
        raise ConfigError(
            f"The bench's hidden size is {hidden_size}.", f"Give a multiple of {HEAD_WIDTH}."
        )
    if texts is None:
        table = data.sample_table()
        texts = table.frame["text"].tolist()
    texts = [texts[index % len(texts)] for index in range(n)]
    settings = {"layers": layers, "hidden_size": hidden_size, "max_length": max_length}
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "texts.json").write_text(json.dumps({"texts": texts, **settings}))
        measured = {way: _in_own_process(way, work) for way in WAYS}
        difference = np.abs(
            np.load(work / "plain.npy") - np.load(work / "layerviz.npy").astype(np.float32)
        ).max()
    plain, ours = measured["plain"], measured["layerviz"]
    return {
        "what": f"capture of {n} texts, {layers} layers of {hidden_size}, max length {max_length}",
        "threads": torch.get_num_threads(),
        **measured,
        "time_ratio": ours["seconds"] / plain["seconds"],
        # Memory is counted in kB: an extra of 0 is one below that.
        "memory_ratio": ours["extra_mb"] / max(plain["extra_mb"], 1e-3),
        "largest_difference": float(difference),
    }


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    lines = [result["what"]]
    for way, name in (("plain", "pad all, keep all"), ("layerviz", "layerviz")):
        lines.append(
            f"  {name:<18} {result[way]['seconds']:7.1f} s  {result[way]['extra_mb']:8.0f} MB extra"
        )
    lines.append(
        f"  layerviz / plain   {result['time_ratio']:7.3f}    {result['memory_ratio']:8.3f}"
    )
    lines.append(
        f"  largest difference of the mean-pooled states {result['largest_difference']:.1e}"
    )
    return "\n".join(lines)


def _in_own_process(way: str, work: Path) -> dict[str, float]:
    command = [
        sys.executable,
        "-c",
        "from layerviz.bench import capture; capture._measure_from_arguments()",
    ]
    done = subprocess.run([*command, way, str(work)], check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _measure_from_arguments() -> None:
    way, work = sys.argv[1], Path(sys.argv[2])
    settings = json.loads((work / "texts.json").read_text())
    texts = settings["texts"]
    encoder = encoders.build_scratch(
        "bert",
        texts,
        layers=settings["layers"],
        hidden_size=settings["hidden_size"],
        heads=settings["hidden_size"] // HEAD_WIDTH,
        vocab_size=8192,
        max_length=settings["max_length"],
        label_names=("a", "b"),
        seed=0,
    )
    ways: dict[str, Callable[[LoadedEncoder, list[str], int], np.ndarray]] = {
        "plain": _plain,
        "layerviz": _ours,
    }
    ways[way](encoder, texts[:64], settings["max_length"])  # warm up
    before = _peak_mb()
    start = time.perf_counter()
    mean = ways[way](encoder, texts, settings["max_length"])
    seconds = time.perf_counter() - start
    extra = _peak_mb() - before
    np.save(work / f"{way}.npy", mean)
    sys.stdout.write(json.dumps({"seconds": seconds, "extra_mb": extra}) + "\n")


def _ours(encoder: LoadedEncoder, texts: list[str], max_length: int) -> np.ndarray:
    captured = hidden_states.capture(encoder.model, encoder.tokenizer, texts, max_length=max_length)
    return captured.pooled["mean"]  # (L + 1, N, D), float16; cls and max are computed too


def _plain(encoder: LoadedEncoder, texts: list[str], max_length: int) -> np.ndarray:
    """Do as the 2021 tutorial did: pad to the maximum, keep all states, pool afterwards."""
    encoded = encoder.tokenizer(
        texts, truncation=True, max_length=max_length, padding="max_length", return_tensors="pt"
    )
    model = encoder.model.eval()
    kept = []
    with torch.inference_mode():
        for start in range(0, len(texts), PLAIN_BATCH):
            rows = slice(start, start + PLAIN_BATCH)
            output = model(
                input_ids=encoded["input_ids"][rows],
                attention_mask=encoded["attention_mask"][rows],
                output_hidden_states=True,
            )
            kept.append(output.hidden_states)
    mask = encoded["attention_mask"].unsqueeze(-1).float()  # (N, T, 1)
    pooled = []
    for layer in range(len(kept[0])):
        hidden = torch.cat([states[layer] for states in kept])  # (N, T, D)
        pooled.append(((hidden * mask).sum(1) / mask.sum(1)).numpy())
    return np.stack(pooled)  # (L + 1, N, D)


def _peak_mb() -> float:
    """Return the largest resident memory this process has had."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak / 1e3
