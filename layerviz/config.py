"""The settings of a run: checked once, here, and frozen from then on."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

from layerviz.errors import ConfigError

SPLITS = ("train", "val", "test")
TRAIN_AND_VAL = ("train", "val")  # what is shown and chosen by; test is scored once, at the end
CLASS_WEIGHTINGS = ("none", "balanced")
PRECISIONS = ("auto", "bf16", "fp32")

FAMILIES = ("bert", "roberta", "distilbert")

RUN_ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,119}")


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides what a run computes, apart from the data itself.

    Parameters
    ----------
    encoder : str
        A catalogue name (``scratch-bert``), a Hub id (``google-bert/bert-base-uncased``)
        or a local folder.
    epochs : int
        Passes over the training examples, 1 to 100.
    batch_size : int
        Examples per optimizer step, 1 to 1,024.
    learning_rate : float or None
        Peak rate of AdamW; ``None`` takes the default that suits the encoder's size.
    max_length : int
        Tokens kept of each text, special tokens included, 8 to 8,192.
    seed : int
        Seed of the head's weights and the batch order. Captured examples do not depend on it.
    weight_decay : float
        Decoupled weight decay of AdamW.
    warmup_ratio : float
        Part of the steps over which the learning rate rises from 0, 0 to 0.5.
    class_weighting : {"none", "balanced"}
        ``"balanced"`` weights each class by n / (n_classes * n_class) in the loss.
    precision : {"auto", "bf16", "fp32"}
        Arithmetic of training; captures are always taken in fp32.
    snapshots_per_epoch : int
        Captures per epoch, 1 to 20.
    max_captured : int
        Most examples captured per split, 10 to 20,000.
    encoder_version : str
        Distinguishes two states of one starter or local folder; empty for all other encoders.
    keep_weights : bool
        Whether the weights of every snapshot are kept, not the newest alone.

    Raises
    ------
    ConfigError
        If a value is out of range.
    """

    encoder: str
    epochs: int = 5
    batch_size: int = 32
    learning_rate: float | None = None
    max_length: int = 128
    seed: int = 0
    weight_decay: float = 0.01
    warmup_ratio: float = 0.1
    class_weighting: str = "none"
    precision: str = "auto"
    snapshots_per_epoch: int = 1
    max_captured: int = 2000
    encoder_version: str = ""
    keep_weights: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.encoder, str) or not self.encoder.strip():
            raise ConfigError("No encoder is chosen.", "Pick one from the list, or type a Hub id.")
        _check_whole("epochs", self.epochs, 1, 100)
        _check_whole("batch_size", self.batch_size, 1, 1024)
        _check_whole("max_length", self.max_length, 8, 8192)
        _check_whole("seed", self.seed, 0, 2**32 - 1)
        _check_whole("snapshots_per_epoch", self.snapshots_per_epoch, 1, 20)
        _check_whole("max_captured", self.max_captured, 10, 20_000)
        if self.learning_rate is not None:
            _check_between("learning_rate", self.learning_rate, 1e-8, 1.0)
        _check_between("weight_decay", self.weight_decay, 0.0, 1.0)
        _check_between("warmup_ratio", self.warmup_ratio, 0.0, 0.5)
        _check_choice("class_weighting", self.class_weighting, CLASS_WEIGHTINGS)
        _check_choice("precision", self.precision, PRECISIONS)
        if not isinstance(self.keep_weights, bool):
            raise ConfigError(f"Keep weights is {self.keep_weights!r:.40}.", "Give true or false.")

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> RunConfig:
        """Rebuild a config from :meth:`as_dict`; unknown keys are a ``ConfigError``."""
        known = {field.name for field in dataclasses.fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ConfigError(
                f"The configuration holds unknown settings: {', '.join(unknown)}.",
                "It was probably written by a newer layerviz: update, or start a new run.",
            )
        return cls(**values)


@dataclass(frozen=True)
class PretrainConfig:
    """Everything that decides what pre-training computes, apart from the texts themselves.

    Parameters
    ----------
    family : {"bert", "roberta", "distilbert"}
        Whose architecture and tokenization to take.
    layers, hidden_size, heads, vocab_size : int
        Of a new encoder: 1 to 48 blocks, a width that the heads divide, an inner width of four
        times that, and the most entries of the tokenizer's vocabulary. Unused with `start`.
    start : str or None
        An encoder whose weights and tokenizer to begin with instead of random ones: of the same
        family, or a BERT of which a DistilBERT takes every other layer.
    teacher : str or None
        An encoder whose mean-pooled sentence vectors to match beside the masked-token loss.
    teacher_weight : float
        Weight of that matching, 0 to 1,000.
    word_epochs : int
        Passes, 0 to 1,000, in which before all else the embeddings alone learn to match the
        teacher, as a bag of words. They need a teacher.
    epochs : int
        Passes over the texts, 1 to 1,000.
    batch_size : int
        Texts per optimizer step, 2 to 4,096.
    learning_rate : float
        Peak rate of AdamW.
    warmup_steps : int
        Steps over which it rises from 0, 0 to 1,000,000.
    max_length : int
        Tokens kept of each text, special tokens included, 8 to 512.
    seed : int
        Of the weights, the order and the masks.
    precision : {"auto", "bf16", "fp32"}
        Arithmetic of training.

    Raises
    ------
    ConfigError
        If a value is out of range.
    """

    family: str
    layers: int = 12
    hidden_size: int = 128
    heads: int = 2
    vocab_size: int = 8192
    start: str | None = None
    teacher: str | None = None
    teacher_weight: float = 3.0
    word_epochs: int = 0
    epochs: int = 2
    batch_size: int = 64
    learning_rate: float = 6e-4
    warmup_steps: int = 500
    max_length: int = 64
    seed: int = 0
    precision: str = "auto"

    def __post_init__(self) -> None:
        _check_choice("family", self.family, FAMILIES)
        _check_whole("layers", self.layers, 1, 48)
        _check_whole("heads", self.heads, 1, 64)
        _check_whole("hidden_size", self.hidden_size, 8, 4096)
        _check_whole("vocab_size", self.vocab_size, 300, 200_000)
        if self.hidden_size % self.heads:
            raise ConfigError(
                f"{self.heads} heads do not divide a hidden size of {self.hidden_size}.",
                "Choose a hidden size that is a multiple of the heads.",
            )
        _check_between("teacher_weight", self.teacher_weight, 0.0, 1000.0)
        _check_whole("word_epochs", self.word_epochs, 0, 1000)
        if self.word_epochs and self.teacher is None:
            raise ConfigError(
                "Words are to be trained first, but there is no teacher to train them.",
                "Name a teacher, or leave word epochs at 0.",
            )
        _check_whole("epochs", self.epochs, 1, 1000)
        _check_whole("batch_size", self.batch_size, 2, 4096)
        _check_between("learning_rate", self.learning_rate, 1e-8, 1.0)
        _check_whole("warmup_steps", self.warmup_steps, 0, 1_000_000)
        _check_whole("max_length", self.max_length, 8, 512)
        _check_whole("seed", self.seed, 0, 2**32 - 1)
        _check_choice("precision", self.precision, PRECISIONS)

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return dataclasses.asdict(self)


def run_id(config: RunConfig, dataset_name: str, fingerprint: str) -> str:
    """Name a run after what it computes, so that the same work is found again.

    The readable part names encoder and data; the eight hexadecimal digits at the
    end are taken from SHA-256 over the whole config and the data's fingerprint.
    """
    settings = config.as_dict()
    if not settings["keep_weights"]:  # runs from before there was such a setting keep their ids
        del settings["keep_weights"]
    identity = json.dumps({"config": settings, "data": fingerprint}, sort_keys=True)
    digest = hashlib.sha256(identity.encode()).hexdigest()[:8]
    return f"{slug(config.encoder, 40)}-{slug(dataset_name, 40)}-{digest}"


def check_run_id(text: str) -> str:
    """Return ``text`` if it can be a run id, so that no user's path leaves the runs folder."""
    if not RUN_ID_PATTERN.fullmatch(text) or ".." in text:
        raise ConfigError(
            f"{text[:80]!r} is not a run id.",
            "Copy the id from the list of runs: lower-case letters, digits, dots and dashes.",
        )
    return text


def slug(text: str, most: int) -> str:
    """Return ``text`` as lower-case letters, digits and dashes, at most ``most`` of them."""
    last_part = text.rstrip("/\\").replace("\\", "/").rsplit("/", 1)[-1]
    cleaned = re.sub(r"[^a-z0-9]+", "-", last_part.lower()).strip("-")
    return cleaned[:most].strip("-") or "x"


def _check_whole(name: str, value: int, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ConfigError(
            f"{_spoken(name)} is {value!r:.40}.", f"Give a whole number, {low:,} to {high:,}."
        )


def _check_between(name: str, value: float, low: float, high: float) -> None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not low <= value <= high:  # also catches NaN, which compares false
        raise ConfigError(
            f"{_spoken(name)} is {value!r:.40}.", f"Give a value from {low:g} to {high:g}."
        )


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise ConfigError(f"{_spoken(name)} is {value!r}.", f"Choose one of {', '.join(choices)}.")


def _spoken(name: str) -> str:
    return name.replace("_", " ").capitalize()
