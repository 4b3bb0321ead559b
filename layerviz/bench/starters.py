"""What pre-training is worth: each starter against its twin, the same encoder with random weights.

Both are fine-tuned on the same examples with the same settings, and scored on val by macro-F1.
Each side's learning rate is the best of those tried, on the first seed. Before any training a
linear probe reads both: how well does each layer separate the classes already?
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from layerviz import data, encoders, hidden_states, runs, training
from layerviz.config import TRAIN_AND_VAL, RunConfig
from layerviz.data import Dataset, Table
from layerviz.errors import ConfigError, EncoderError

SIDES = ("starter", "random")
PROBE_C = 0.1  # inverse strength of the probe's L2 penalty, on standardised states
MAX_LENGTH = 128


def measure(
    tables: Sequence[Table],
    *,
    names: Sequence[str] | None,
    n_train: int,
    n_val: int,
    epochs: int,
    seeds: int,
    rates: Sequence[float],
    work: Path | None,
    print_line: Callable[[str], None],
) -> dict[str, Any]:
    """Fine-tune and probe every encoder and its twins on every table.

    Parameters
    ----------
    tables : sequence of Table
        Columns are guessed; val is cut where there is none, and from all rows where the split
        column holds fewer than `n_val`; both splits are thinned out, stratified by label, to at
        most `n_train` and `n_val` examples.
    names : sequence of str or None
        Encoders on this disk; None takes the bundled starters.
    n_train, n_val, epochs, seeds : int
        Sizes of the work; runs have the seeds 0 to `seeds` - 1, and so have the twins.
    rates : sequence of float
        Peak learning rates, of which each side takes the best.
    work : Path or None
        Keeps the scores, so that the same call goes on where it was interrupted.
    print_line : callable
        Called with a line for each score.

    Returns
    -------
    dict
        ``what``, and ``results``: for each table and encoder, for each side the rate, the
        macro-F1 of each seed with mean and standard deviation (None with one seed), and the probes'
        best layer and layer 0 before training; ``gain`` is the difference of the means.

    Raises
    ------
    ConfigError
        If a size is out of range.
    EncoderError
        If there is no starter, or an encoder is not on this disk.
    """
    chosen = _names(names)
    sizes = {"n-train": n_train, "n-val": n_val, "epochs": epochs, "seeds": seeds}
    for size, value in sizes.items():
        if value < 1:
            raise ConfigError(f"The bench's {size} is {value}.", "Give 1 or more.")
    with tempfile.TemporaryDirectory() as folder:
        bench = _Bench(work or Path(folder), Path(folder), epochs, seeds, tuple(rates), print_line)
        datasets = [thinned(table, n_train, n_val) for table in tables]
        results = [bench.compare(dataset, name) for dataset in datasets for name in chosen]
    return {
        "what": f"{epochs} epochs, {seeds} seeds, learning rate the best of "
        f"{', '.join(f'{rate:g}' for rate in rates)} (by val, with the first seed)",
        "results": results,
    }


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as a table for people."""
    lines = [f"val macro-F1 (mean and sd over seeds); {result['what']}"]
    shown = None
    for row in result["results"]:
        if row["data"] != shown:
            shown = row["data"]
            lines.append(f"\n{shown}: {row['n_train']:,} train / {row['n_val']:,} val")
            lines.append(
                f"  {'encoder':<18}{'weights':<9}{'rate':>8}{'fine-tuned':>16}"
                f"{'probe, best layer':>20}{'layer 0':>9}"
            )
        for side in SIDES:
            one = row[side]
            name = Path(row["encoder"]).name if side == SIDES[0] else ""
            spread = "" if one["sd"] is None else f" ± {one['sd']:.3f}"  # one seed has none
            scored = f"{one['mean']:.3f}{spread}"
            probe = f"{one['probe_best']:.3f} (layer {one['probe_layer']})"
            lines.append(
                f"  {name:<18}{side:<9}{one['rate']:>8g}{scored:>16}{probe:>20}"
                f"{one['probe_layer_0']:>9.3f}"
            )
        lines.append(f"  {'':<18}{'gain':<9}{'':>8}{row['gain']:>+8.3f}")
    return "\n".join(lines)


@dataclass(frozen=True)
class _Bench:
    work: Path
    scratch: Path
    epochs: int
    seeds: int
    rates: tuple[float, ...]
    print_line: Callable[[str], None]

    def compare(self, dataset: Dataset, name: str) -> dict[str, Any]:
        """Measure both sides on one data set."""
        counts = dataset.examples["split"].value_counts()
        row: dict[str, Any] = {
            "data": dataset.name,
            "encoder": name,
            "n_train": int(counts["train"]),
            "n_val": int(counts["val"]),
        }
        for side in SIDES:
            first = {rate: self.fine_tuned(dataset, name, side, rate, 0) for rate in self.rates}
            rate = max(first, key=first.__getitem__)
            others = range(1, self.seeds)
            scores = [first[rate]]
            scores += [self.fine_tuned(dataset, name, side, rate, seed) for seed in others]
            row[side] = {
                "rate": rate,
                "macro_f1": scores,
                "mean": float(np.mean(scores)),
                "sd": float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
                **self.probed(dataset, name, side),
            }
        return row | {"gain": row["starter"]["mean"] - row["random"]["mean"]}

    def fine_tuned(self, dataset: Dataset, name: str, side: str, rate: float, seed: int) -> float:
        """Return the val macro-F1 after fine-tuning."""

        def score() -> float:
            config = RunConfig(
                self.encoder(name, side, seed),
                epochs=self.epochs,
                learning_rate=rate,
                max_length=MAX_LENGTH,
                seed=seed,
            )
            run = runs.create(self.scratch / "runs", config, dataset)
            run = training.fit(run, dataset, capture=False)
            trained = str(run.layout.model)
            logits = self.captured(dataset, trained, ("val",)).logits
            shutil.rmtree(run.path)
            return _macro_f1(dataset.split("val")["label"], logits.argmax(axis=1))

        f1 = self.once((dataset.fingerprint, _digest(name), side, rate, seed, self.epochs), score)
        of = f"{dataset.name}: {Path(name).name}, {side} weights, rate {rate:g}, seed {seed}"
        self.print_line(f"{of}: {f1:.3f}")
        return f1

    def probed(self, dataset: Dataset, name: str, side: str) -> dict[str, Any]:
        """Return what linear probes read before training, twins' scores averaged over seeds."""
        seeds = range(self.seeds if side == "random" else 1)  # a starter has one set of weights

        def read(seed: int) -> list[float]:
            key = (dataset.fingerprint, _digest(name), side, "probe", seed)
            return self.once(key, lambda: self.probe(dataset, self.encoder(name, side, seed)))

        by_layer = np.mean([read(seed) for seed in seeds], axis=0)  # (L + 1,)
        best = int(by_layer[1:].argmax()) + 1
        of = f"{dataset.name}: {Path(name).name}, {side} weights, probes before training"
        self.print_line(f"{of}: {' '.join(f'{f1:.3f}' for f1 in by_layer)}")
        return {
            "probe_best": float(by_layer[best]),
            "probe_layer": best,
            "probe_layer_0": float(by_layer[0]),
        }

    def probe(self, dataset: Dataset, encoder: str) -> list[float]:
        """Return for each layer, 0 first, the val macro-F1 of a probe of its mean pooling."""
        captured = self.captured(dataset, encoder, TRAIN_AND_VAL)
        train, val = (dataset.split(split)["label"] for split in TRAIN_AND_VAL)
        scores = []
        for states in captured.pooled["mean"].astype(np.float32):  # (N, D), train first
            model = make_pipeline(StandardScaler(), LogisticRegression(C=PROBE_C, max_iter=2000))
            model.fit(states[: len(train)], train)
            scores.append(_macro_f1(val, model.predict(states[len(train) :])))
        return scores

    def captured(self, dataset: Dataset, encoder: str, splits: Sequence[str]):
        """Return the hidden states and logits of the examples of some splits."""
        texts = [text for split in splits for text in dataset.split(split)["text"]]
        loaded = encoders.load(
            encoder, label_names=dataset.label_names, seed=0, texts=texts, max_length=MAX_LENGTH
        )
        return hidden_states.capture(loaded.model, loaded.tokenizer, texts, max_length=MAX_LENGTH)

    def encoder(self, name: str, side: str, seed: int) -> str:
        """Return the name of the starter, or the folder of its twin of this seed."""
        if side == "starter":
            return name
        folder = self.scratch / "twins" / f"{_digest(name)}-{seed}"
        if not folder.is_dir():
            encoders.save_random_twin(name, folder, seed)
        return str(folder)

    def once(self, key: tuple, score: Callable[[], Any]) -> Any:
        """Return the score of an earlier call, or a new one, which is kept."""
        path = self.work / "scores.json"
        known = json.loads(path.read_text()) if path.is_file() else {}
        name = " ".join(map(str, key))
        if name not in known:
            known[name] = score()
            self.work.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(known, indent=1))
        return known[name]


def _names(wanted: Sequence[str] | None) -> list[str]:
    names = list(wanted or [e.name for e in encoders.catalogue() if e.source == "bundled"])
    if not names:
        raise EncoderError("There are no bundled starters here.", "Name encoders with --encoder.")
    for name in names:
        if not encoders.describe(name).on_disk or name.startswith("scratch-"):
            raise EncoderError(f"{name} is not on this disk.", "Give a starter or a local folder.")
    return names


def thinned(table: Table, n_train: int, n_val: int) -> Dataset:
    """Return a data set with at most so many examples, each class keeping its share."""
    columns = data.guess_columns(table.frame)
    fraction = float(np.clip(1.02 * n_val / len(table.frame), 0.05, 0.5))  # repeats count once
    dataset = data.build_dataset(table, columns, val_fraction=fraction)
    if columns.split is not None and len(dataset.split("val")) < n_val:
        columns = replace(columns, split=None)
        dataset = data.build_dataset(table, columns, val_fraction=fraction)
    sizes = {"train": n_train, "val": n_val}
    chosen = {split: training.choose_examples(dataset, n, seed=0) for split, n in sizes.items()}
    parts = [rows[rows["split"] == split] for split, rows in chosen.items()]
    examples = pd.concat(parts, ignore_index=True)
    digest = hashlib.sha256(f"{dataset.fingerprint} {n_train} {n_val}".encode()).hexdigest()[:16]
    return replace(dataset, examples=examples, fingerprint=digest)


def _digest(name: str) -> str:
    """Return eight hexadecimal digits for an encoder's weights."""
    return encoders.weights_digest(name)[:8]


def _macro_f1(true: pd.Series, predicted: np.ndarray) -> float:
    labels = np.unique(true)
    return float(f1_score(true, predicted, average="macro", labels=labels, zero_division=0))
