"""Probes against scikit-learn's, and measures against the training they accompany.

One run on texts of a CSV: an encoder is fine-tuned for an epoch and measured as always; the time
of each phase is taken from its progress. Then each layer's probe is trained once more by
scikit-learn, to convergence and on the same states.
"""

from __future__ import annotations

import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.preprocessing import StandardScaler

from layerviz import runs, separability, training
from layerviz.bench.materials import HEAD_WIDTH, random_bert
from layerviz.bench.starters import thinned
from layerviz.config import TRAIN_AND_VAL, RunConfig
from layerviz.data import Table
from layerviz.errors import ConfigError
from layerviz.progress import CAPTURING, MEASURING, TRAINING, Phase, Progress
from layerviz.separability.probe import FOLDS, STRENGTHS

MOST_ITERATIONS = 10_000


def measure(
    table: Table, *, n: int, layers: int, hidden_size: int, encoder: str | None
) -> dict[str, Any]:
    """Time a snapshot's measures against an epoch, and the probes against scikit-learn's.

    Parameters
    ----------
    table : Table
        Columns are guessed; at most `n` train and `n` val examples are taken.
    n : int
        Examples per split.
    layers, hidden_size : int
        Of the BERT with random weights that is made for it; unused with `encoder`.
    encoder : str or None
        An encoder of this disk to take instead.

    Returns
    -------
    dict
        ``seconds``: of the training epoch, and of capturing and measuring one snapshot;
        ``measures_share``: measuring over the epoch; ``probes``: per layer, val macro-F1 of both
        and their seconds, scikit-learn's for the same cross-validation and fit at its default
        tolerance; ``largest_difference`` of the scores, scikit-learn's at convergence.

    Raises
    ------
    ConfigError
        If a size is out of range.
    """
    if n < 50 or layers < 1 or hidden_size < HEAD_WIDTH or hidden_size % HEAD_WIDTH:
        raise ConfigError(
            f"The bench cannot take {n} examples, {layers} layers, a hidden size of {hidden_size}.",
            f"Give 50 or more examples, and a hidden size that is a multiple of {HEAD_WIDTH}.",
        )
    dataset = thinned(table, n, n)
    with tempfile.TemporaryDirectory() as folder:
        name = encoder or random_bert(dataset, layers, hidden_size, Path(folder) / "encoder")
        config = training.with_defaults(RunConfig(name, epochs=1, max_captured=max(n, 10)))
        run = runs.create(Path(folder) / "runs", config, dataset)
        clock = _Clock()
        run = training.fit(run, dataset, on_progress=clock.tick)
        rows = _against_scikit_learn(run)
    seconds = {
        "epoch": clock.seconds[TRAINING],
        "capture": clock.seconds[CAPTURING] / len(run.snapshots),
        "measures": clock.seconds[MEASURING] / len(run.snapshots),
    }
    sizes = f"{run.encoder['layers']} layers of {run.encoder['hidden_size']}"
    counts = dataset.counts().sum()
    return {
        "what": f"{sizes}, {counts['train']:,} train and {counts['val']:,} val examples, "
        f"{len(dataset.label_names)} classes, {run.training['precision']}",
        "seconds": seconds,
        "measures_share": seconds["measures"] / seconds["epoch"],
        "probes": rows,
        "probe_ratio": sum(r["seconds"] for r in rows) / sum(r["sklearn_seconds"] for r in rows),
        "largest_difference": max(abs(r["macro_f1"] - r["sklearn_macro_f1"]) for r in rows),
    }


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as lines for people."""
    seconds = result["seconds"]
    lines = [
        result["what"],
        f"  one epoch of training      {seconds['epoch']:8.1f} s",
        f"  capturing a snapshot       {seconds['capture']:8.1f} s",
        f"  measuring it, 3 poolings   {seconds['measures']:8.1f} s, "
        f"{result['measures_share']:.2f} of the epoch",
        "  layer    val macro-F1  scikit-learn      seconds  scikit-learn",
    ]
    for row in result["probes"]:
        lines.append(
            f"  {row['layer']:>5}    {row['macro_f1']:12.3f}  {row['sklearn_macro_f1']:12.3f}"
            f"  {row['seconds']:11.2f}  {row['sklearn_seconds']:12.2f}"
        )
    lines.append(
        f"  largest difference {result['largest_difference']:.4f}; time, layerviz / scikit-learn "
        f"{result['probe_ratio']:.3f} (layerviz's includes training its shuffled controls)"
    )
    return "\n".join(lines)


class _Clock:
    """Adds up the time between one report of progress and the next, under the later's phase."""

    def __init__(self) -> None:
        self.seconds: dict[Phase, float] = defaultdict(float)
        self._last = time.perf_counter()

    def tick(self, progress: Progress) -> None:
        now = time.perf_counter()
        self.seconds[progress.phase] += now - self._last
        self._last = now


def _against_scikit_learn(run: runs.Run) -> list[dict[str, Any]]:
    examples = runs.read_examples(run.path)
    labels = examples["label"].to_numpy()
    train, val = ((examples["split"] == split).to_numpy() for split in TRAIN_AND_VAL)
    states = runs.read_pooled(run.path, run.snapshots[-1].index)["mean"]
    rows = []
    for layer, state in enumerate(states):
        start = time.perf_counter()
        ours = separability.fit_probe(state, labels, train, seed=0)
        seconds = time.perf_counter() - start
        scaled = StandardScaler().fit(state[train].astype(np.float64))
        mine, rest = (scaled.transform(state[rows]) for rows in (train, val))
        start = time.perf_counter()
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        for strength in STRENGTHS:
            model = LogisticRegression(C=strength, max_iter=MOST_ITERATIONS)
            cross_val_score(model, mine, labels[train], cv=folds, scoring="neg_log_loss")
        LogisticRegression(C=ours.strength, max_iter=MOST_ITERATIONS).fit(mine, labels[train])
        sklearn_seconds = time.perf_counter() - start
        exact = LogisticRegression(C=ours.strength, max_iter=MOST_ITERATIONS, tol=1e-7)
        theirs = exact.fit(mine, labels[train]).predict(rest)
        score = {"average": "macro", "labels": np.unique(labels[val]), "zero_division": 0}
        rows.append(
            {
                "layer": layer,
                "strength": ours.strength,
                "converged": ours.converged,
                "macro_f1": float(f1_score(labels[val], ours.predicted[val], **score)),
                "sklearn_macro_f1": float(f1_score(labels[val], theirs, **score)),
                "seconds": seconds,
                "sklearn_seconds": sklearn_seconds,
            }
        )
    return rows
