"""The 2021 notebook's way, from texts to an animation, as it was written then.

All texts are padded to the same length; after every epoch the hidden states of all tokens of train
and val are kept, and averaged over the tokens afterwards; scikit-learn's t-SNE is fitted to each
layer, epoch and split on its own; matplotlib draws a figure per epoch and split, and Pillow joins
them to an animation per split.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torch.utils.data import DataLoader, TensorDataset

from layerviz import encoders
from layerviz.bench.drawing import Sample, by_notebook
from layerviz.config import TRAIN_AND_VAL, RunConfig
from layerviz.errors import ConfigError
from layerviz.views import first_and_last_layers

BATCH = 32  # texts whose hidden states are computed at once
MATPLOTLIB = "3.11.2"
WIDE = 4  # layers side by side in a figure
MOST_GRADIENT = 1.0  # norm to which gradients are clipped, as the Trainer does
SECONDS_PER_FIGURE = 1.0


def expect_matplotlib() -> None:
    """Refuse to go on without matplotlib, which layerviz itself does not need.

    Raises
    ------
    ConfigError
        If it is not installed.
    """
    try:
        import_module("matplotlib")
    except ImportError as error:
        raise ConfigError(
            "The notebook's figures are drawn with matplotlib, which is not installed.",
            f"For this bench alone: pip install matplotlib=={MATPLOTLIB}",
        ) from error


def padded(tokenizer: Any, texts: Sequence[str], max_length: int) -> dict[str, torch.Tensor]:
    """Return token ids and attention mask of all texts, each of shape (N, max_length)."""
    encoded = tokenizer(
        list(texts),
        truncation=True,
        max_length=max_length,
        padding="max_length",
        return_tensors="pt",
    )
    return {name: encoded[name] for name in ("input_ids", "attention_mask")}


def mean_states(
    model: torch.nn.Module, encoded: dict[str, torch.Tensor]
) -> tuple[np.ndarray, np.ndarray]:
    """Keep every hidden state, then average over tokens.

    Returns
    -------
    ndarray of shape (L + 1, N, D), ndarray of shape (N, n_classes); float32
        The states' means over the tokens that are no padding, and the logits.
    """
    kept, logits = [], []
    with torch.inference_mode():
        for start in range(0, len(encoded["input_ids"]), BATCH):
            rows = slice(start, start + BATCH)
            batch = {name: values[rows] for name, values in encoded.items()}
            output = model(**batch, output_hidden_states=True)
            kept.append(output.hidden_states)
            logits.append(output.logits)
    mask = encoded["attention_mask"].unsqueeze(-1).float()  # (N, T, 1)
    pooled = []
    for layer in range(len(kept[0])):
        hidden = torch.cat([states[layer] for states in kept])  # (N, T, D)
        pooled.append(((hidden * mask).sum(1) / mask.sum(1)).numpy())
    return np.stack(pooled), torch.cat(logits).numpy()


class Seconds(dict[str, float]):
    """Adds up what the parts of the work take."""

    def timed(self, part: str, work: Callable[..., Any], *arguments: Any) -> Any:
        """Do a part of the work and return what it returns."""
        start = time.perf_counter()
        result = work(*arguments)
        self[part] = self.get(part, 0.0) + time.perf_counter() - start
        return result


def whole_way(config: RunConfig, table: Path, work: Path) -> tuple[np.ndarray, Seconds]:
    """Go the whole way, from a CSV to the animations.

    Parameters
    ----------
    config : RunConfig
        Encoder, epochs, batch size, learning rate, weight decay, warm-up, max length and seed.
    table : Path
        A CSV with the columns text, label and split.
    work : Path
        Takes figures and animations.

    Returns
    -------
    ndarray of shape (n_val,), Seconds
        The label (str) that the model predicts for each val text in the end, and what the parts
        took.
    """
    seconds = Seconds()
    texts = _Texts(config, table, seconds)
    snapshots, logits = [], np.zeros(0)
    for _ in range(config.epochs or 0):
        seconds.timed("training", texts.train_for_an_epoch)
        mean, logits = seconds.timed("hidden states", mean_states, texts.model, texts.encoded)
        snapshots.append(mean)
    layers = first_and_last_layers(len(snapshots[0]) - 1)
    states = tuple(tuple(mean[layer] for mean in snapshots) for layer in layers)
    sample = Sample("notebook", layers, states, texts.splits, texts.labels.numpy(), config.seed)
    maps = seconds.timed("t-SNE", by_notebook, sample)
    seconds.timed("figures and GIF", _draw, sample, maps.xy, work)
    return np.array(texts.names)[logits[texts.splits == "val"].argmax(axis=1)], seconds


def training_alone(config: RunConfig, table: Path, work: Path) -> tuple[np.ndarray, Seconds]:
    """Train, and look at nothing; see `whole_way`."""
    del work
    seconds = Seconds()
    texts = _Texts(config, table, seconds)
    for _ in range(config.epochs or 0):
        seconds.timed("training", texts.train_for_an_epoch)
    return np.zeros(0), seconds


class _Texts:
    """The texts as tensors, the model, and what trains it: AdamW, its rate warmed up, then falling.

    Parameters
    ----------
    config, table
        See `whole_way`.
    seconds : Seconds
    """

    def __init__(self, config: RunConfig, table: Path, seconds: Seconds) -> None:
        frame = pd.read_csv(table, dtype=str, keep_default_na=False)
        self.names = sorted(frame["label"].unique())
        self.splits = frame["split"].to_numpy()
        self.labels = torch.tensor(frame["label"].map(self.names.index).to_numpy())
        encoder = encoders.load(
            config.encoder,
            label_names=tuple(self.names),
            seed=config.seed,
            texts=frame["text"][self.splits == "train"].tolist(),
            max_length=config.max_length,
        )
        self.model: Any = encoder.model
        self.encoded: dict[str, torch.Tensor] = seconds.timed(
            "tokens", padded, encoder.tokenizer, frame["text"].tolist(), config.max_length
        )
        is_train = torch.from_numpy(self.splits == "train")
        train = [values[is_train] for values in (*self.encoded.values(), self.labels)]
        torch.manual_seed(config.seed)
        self._batches = DataLoader(
            TensorDataset(*train), batch_size=config.batch_size, shuffle=True
        )
        total = len(self._batches) * (config.epochs or 0)
        warm = round(config.warmup_ratio * total)
        self._optimizer = torch.optim.AdamW(
            self.model.parameters(),
            lr=config.learning_rate or 0.0,
            weight_decay=config.weight_decay,
        )
        self._schedule = torch.optim.lr_scheduler.LambdaLR(
            self._optimizer,
            lambda step: step / warm if step < warm else (total - step) / max(1, total - warm),
        )

    def train_for_an_epoch(self) -> None:
        self.model.train()
        for input_ids, attention_mask, labels in self._batches:
            self._optimizer.zero_grad()
            output = self.model(input_ids=input_ids, attention_mask=attention_mask, labels=labels)
            output.loss.backward()
            torch.nn.utils.clip_grad_norm_(self.model.parameters(), MOST_GRADIENT)
            self._optimizer.step()
            self._schedule.step()
        self.model.eval()


def _draw(sample: Sample, xy: Sequence[np.ndarray], work: Path) -> None:
    """Draw a figure per epoch and split, a map per layer, and an animation per split."""
    expect_matplotlib()
    matplotlib = import_module("matplotlib")
    matplotlib.use("Agg")
    plots = import_module("matplotlib.pyplot")
    high = -(-len(sample.layers) // WIDE)
    for split in TRAIN_AND_VAL:
        rows = sample.splits == split
        files = []
        for snapshot in range(sample.n_snapshots):
            figure = plots.figure(figsize=(16, 4 * high))
            for place, (layer, maps) in enumerate(zip(sample.layers, xy, strict=True), start=1):
                axes = figure.add_subplot(high, WIDE, place)
                axes.scatter(*maps[snapshot, rows].T, c=sample.labels[rows], s=8, cmap="tab10")
                axes.set_title(f"Layer {layer}")
            figure.suptitle(f"Epoch {snapshot + 1}, {split}")
            files.append(work / f"{split}-{snapshot}.png")
            figure.savefig(files[-1])
            plots.close(figure)
        first, *others = (Image.open(file) for file in files)
        first.save(
            work / f"{split}.gif",
            save_all=True,
            append_images=others,
            duration=round(1000 * SECONDS_PER_FIGURE),
            loop=0,
        )
