"""The settings of a run and of a pre-training: declared once, checked here, and frozen."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from layerviz.errors import ConfigError
from layerviz.registry import Registry
from layerviz.settings import (
    MAIN,
    Choice,
    FormerSwitch,
    Number,
    Setting,
    Whole,
    Widget,
    check_all,
    extended,
    setting,
    settings_of,
    with_former_names,
    with_todays_names,
)

SPLITS = ("train", "val", "test")
COLOURINGS = ("label", "prediction", "right or wrong", "confidence")  # of points on maps
TRAIN_AND_VAL = ("train", "val")  # what is shown and chosen by; test is scored once, at the end
MOST_ENCODER_LETTERS = 1_000  # of its name or the path of its folder
CLASS_WEIGHTINGS = ("none", "balanced")
BF16, FP32 = "bf16", "fp32"
PRECISIONS = ("auto", BF16, FP32)
AS_TRAINED = "training"  # of captures: in the precision of training
BY_LENGTH, RANDOM = "length", "random"  # which texts share a batch
NEW_HEAD, HEAD_BY_NAME, HEAD_BY_INDEX = "no", "by-name", "by-index"  # whether a head is kept
BY_LAYERVIZ, FROM_CHECKPOINTS, BY_CALLBACK = "layerviz", "checkpoints", "callback"  # who trained
KEEP_NEWEST, KEEP_BEST, KEEP_ALL = "newest", "best", "all"  # of the weights of a run

# Of those of a run, all that says how an encoder is looked at, and nothing of how it is trained.
LOOK_SETTINGS = ("max_length", "seed", "max_captured", "keep_layers", "keep_head")
FAMILIES = ("bert", "roberta", "distilbert")

RUN_ID_PATTERN = re.compile(r"[a-z0-9][a-z0-9._-]{0,119}")

SEEDS = Whole(0, 2**32 - 1)
RATES = Number(1e-8, 1.0)


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides what a run computes, apart from the data itself.

    A new setting is one more field declared with `setting`; page, command line, ``run.json`` and
    the command that makes a run again follow.

    Parameters
    ----------
    encoder : str
        A catalogue name (``scratch-bert``), a Hub id (``google-bert/bert-base-uncased``)
        or a local folder.
    encoder_version : str
        Distinguishes two states of one starter or local folder; empty for all other encoders.

    The other fields are described by their entries in `SETTINGS`. Those whose default is None
    are left open until `training.with_defaults` takes what suits the encoder, unless the entry
    says what None stands for.

    Raises
    ------
    ConfigError
        If a value is out of range.
    """

    encoder: str
    epochs: int | None = setting(
        Whole(0, 100),
        help="passes over the train examples; by default 10 for encoders from scratch, else 4; 0 "
        "trains nothing and looks at the encoder as it is",
        widget=Widget("Epochs", section=MAIN, column="left", key="epochs-{encoder.source}"),
        in_every_id=True,
        column="Epochs",
    )
    batch_size: int = setting(
        Whole(1, 1024),
        32,
        help="examples per optimizer step",
        widget=Widget("Batch size", section=MAIN, column="right"),
        in_every_id=True,
        column="Batch",
    )
    learning_rate: float | None = setting(
        RATES,
        help="peak rate of AdamW; by default what suits the encoder's size, lower for larger ones",
        widget=Widget(
            "Learning rate",
            section=MAIN,
            column="right",
            key="rate-{encoder.name}",
            step=1e-5,
            format="%.1e",
        ),
        in_every_id=True,
        column="Rate",
        of_one_encoder=True,
    )
    max_length: int = setting(
        Whole(8, 8192),
        128,
        help="tokens kept of each text, special ones included; longer texts are cut",
        widget=Widget("Max length", section=MAIN, column="left"),
        in_every_id=True,
    )
    seed: int = setting(
        SEEDS,
        0,
        help="decides the head's first weights and the order of the batches",
        widget=Widget("Seed", column="left"),
        in_every_id=True,
        always_in_command=True,
    )
    weight_decay: float = setting(
        Number(0.0, 1.0),
        0.01,
        help="decoupled weight decay of AdamW",
        widget=Widget("Weight decay", column="left", step=0.01, format="%.3f"),
        in_every_id=True,
    )
    warmup_ratio: float = setting(
        Number(0.0, 0.5),
        0.1,
        help="share of all steps over which the learning rate rises from 0",
        widget=Widget("Warm-up (% of steps)", column="left", key="warmup", percent=True),
        in_every_id=True,
    )
    class_weighting: str = setting(
        Choice(CLASS_WEIGHTINGS),
        "none",
        help="with balanced, rare classes count more in the loss",
        widget=Widget("Class weighting"),
        in_every_id=True,
    )
    precision: str = setting(
        Choice(PRECISIONS),
        "auto",
        help="arithmetic of training; auto takes bf16 where the hardware supports it",
        widget=Widget("Precision", column="right", row=1),
        in_every_id=True,
    )
    snapshots_per_epoch: int = setting(
        Whole(1, 20),
        1,
        help="one more is taken before epoch 1",
        widget=Widget("Snapshots per epoch", column="right", key="snapshots"),
        in_every_id=True,
    )
    max_captured: int = setting(
        Whole(10, 20_000),
        2000,
        help="at most this many examples of each split are captured, the same ones at every "
        "snapshot, with the same share of every class; training uses all of them",
        widget=Widget("Captured per split", column="right", step=500),
        in_every_id=True,
    )
    encoder_version: str = ""
    freeze: int = setting(
        Whole(0, 200),
        0,
        help="the embeddings and the first so many layers are not trained: their weights stay as "
        "they are, and an epoch takes less time; 0 trains everything",
        widget=Widget("Frozen layers", column="left"),
        column="Frozen",
    )
    keep_layers: int | None = setting(
        Whole(1, 200),
        help="only the first so many layers of the encoder are used, with the classifier on top "
        "of them; by default all",
        widget=Widget("Layers kept", column="right", row=1),
        empty="all",
    )
    patience: int = setting(
        Whole(0, 100),
        0,
        help="training ends when the classifier's val macro-F1 at the ends of epochs, on the "
        "captured examples, has not risen for so many epochs; 0 trains all epochs",
        widget=Widget("Patience (epochs)", column="left"),
    )
    keep: str = setting(
        Choice((KEEP_NEWEST, KEEP_BEST, KEEP_ALL)),
        KEEP_NEWEST,
        help="whose weights stay with the run: those of its newest step; those of the epoch that "
        "the answer recommends (while the run goes on, of up to three snapshots); or those of "
        "every snapshot, each as large as the model",
        widget=Widget("Keep weights of", column="right", row=1),
        formerly=FormerSwitch("keep_weights", KEEP_ALL),
    )
    batching: str = setting(
        Choice((BY_LENGTH, RANDOM)),
        BY_LENGTH,
        help="which texts share a batch: those of similar length, in batches of random order, so "
        "that little padding is computed and an epoch takes about half the time; or random ones, "
        "as in runs of earlier versions",
        widget=Widget("Batches by", column="left"),
        in_earlier_runs=RANDOM,
    )
    capture_precision: str = setting(
        Choice((FP32, AS_TRAINED)),
        FP32,
        help="arithmetic of captures: fp32, so that what is stored does not depend on the machine; "
        "or that of training where the hardware supports it, which takes a third of the time for "
        "wide encoders and may move the macro-F1 of a layer by 0.01",
        widget=Widget("Captures in", column="right"),
    )

    keep_head: str = setting(
        Choice((NEW_HEAD, HEAD_BY_NAME, HEAD_BY_INDEX)),
        NEW_HEAD,
        help="whether a finished classifier keeps its head: by-name, where its classes have the "
        "names of the labels, in whatever order; or by-index, where they are called LABEL_0, "
        "LABEL_1 and so on and are the labels in their order. All other encoders get a new head",
        widget=Widget("Keep its head", column="left"),
        bare=HEAD_BY_NAME,
    )
    trained_by: str = setting(
        Choice((BY_LAYERVIZ, FROM_CHECKPOINTS, BY_CALLBACK)),
        BY_LAYERVIZ,
        help="who trained the model: layerviz, or a Trainer of one's own, of which checkpoints "
        "were read or which LayervizCallback was given to",
        is_asked=False,
    )

    def __post_init__(self) -> None:
        if not isinstance(self.encoder, str) or not self.encoder.strip():
            raise ConfigError("No encoder is chosen.", "Pick one from the list, or type a Hub id.")
        if len(self.encoder) > MOST_ENCODER_LETTERS:
            raise ConfigError(
                f"The encoder's name has {len(self.encoder):,} characters; at most "
                f"{MOST_ENCODER_LETTERS:,} are allowed.",
                "Move its folder to a shorter path, or type a Hub id.",
            )
        check_all(self)
        if self.keep_layers is not None and self.freeze > self.keep_layers:
            raise ConfigError(
                f"Freeze is {self.freeze}, and only {self.keep_layers} layers are kept.",
                f"Freeze at most {self.keep_layers} layers, or keep more.",
            )
        if self.keep_layers is not None and self.keep_head != NEW_HEAD:
            raise ConfigError(
                "A classification head belongs to all layers of its encoder, and only "
                f"{self.keep_layers} are to be kept.",
                "Keep all layers, or take a new head.",
            )

    def as_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return dataclasses.asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunConfig:
        """Make a configuration from names and values, such as :meth:`as_dict` returns.

        What is missing takes its default; switches that a setting has taken the place of are
        understood.

        Raises
        ------
        ConfigError
            If a setting is unknown, or a value out of range.
        """
        config_type = _config_type()
        values = with_todays_names(values, settings_of(config_type))
        names = {field.name for field in dataclasses.fields(config_type)}
        if unknown := sorted(set(values) - names):
            raise ConfigError(
                f"The configuration holds unknown settings: {', '.join(unknown)}.",
                "It was probably written by a newer layerviz: update, or start a new run.",
            )
        return config_type(**values)

    @classmethod
    def from_record(cls, values: Mapping[str, Any]) -> RunConfig:
        """Make the configuration of a run from what its record holds.

        A setting that is missing, because there was none when the run was made, is what runs did
        then.

        Raises
        ------
        ConfigError
            As for :meth:`from_dict`.
        """
        unrecorded = {
            entry.name: entry.unrecorded
            for entry in settings_of(_config_type())
            if entry.in_earlier_runs is not None
        }
        return cls.from_dict(unrecorded | dict(values))


SETTINGS: Registry[Setting] = Registry("setting", settings_of(RunConfig))


def _config_type() -> type[RunConfig]:
    """Return `RunConfig`, with a field for each setting that was added to the registry since."""
    declared = {field.name for field in dataclasses.fields(RunConfig)}
    return _with_fields(tuple(entry for entry in SETTINGS.values() if entry.name not in declared))


@functools.cache  # configurations are equal only if they are of the same type
def _with_fields(entries: tuple[Setting, ...]) -> type[RunConfig]:
    return extended(RunConfig, entries) if entries else RunConfig


def run_id(config: RunConfig, dataset_name: str, fingerprint: str) -> str:
    """Name a run after what it computes, so that the same work is found again.

    The readable part names encoder and data; the eight hexadecimal digits at the
    end are taken from SHA-256 over the whole config and the data's fingerprint.
    """
    values = config.as_dict()
    for entry in settings_of(type(config)):
        if not entry.in_every_id and values[entry.name] == entry.unrecorded:
            del values[entry.name]
    values = with_former_names(values, settings_of(type(config)))
    identity = json.dumps({"config": values, "data": fingerprint}, sort_keys=True)
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
