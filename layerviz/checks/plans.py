"""The registry of checks, what they look at, and what they find."""

from __future__ import annotations

import numpy as np

from layerviz import encoders, tokenising, training
from layerviz.checks.check import Check, Finding, Mend, RunPlan
from layerviz.checks.of_classes import (
    FEW_IN_VAL,
    FEW_ROWS_PER_CLASS,
    NONE_IN_TRAIN,
    NONE_IN_VAL,
    UNEVEN,
)
from layerviz.checks.of_labels import FEW_TEXTS, LOOK_ALIKES
from layerviz.checks.of_lengths import CUT_TEXTS, OVER_LIMIT
from layerviz.checks.of_time import LONG_RUN
from layerviz.config import SETTINGS, RunConfig
from layerviz.data import Dataset
from layerviz.errors import ConfigError
from layerviz.registry import Registry
from layerviz.training import Pace

LENGTHS_SAMPLE = 5000  # texts whose tokens are counted

CHECKS: Registry[Check] = Registry(
    "check",
    [
        OVER_LIMIT,
        LOOK_ALIKES,
        FEW_TEXTS,
        NONE_IN_TRAIN,
        NONE_IN_VAL,
        FEW_IN_VAL,
        FEW_ROWS_PER_CLASS,
        UNEVEN,
        CUT_TEXTS,
        LONG_RUN,
    ],
)


def token_lengths(encoder: str, dataset: Dataset) -> np.ndarray:
    """Return the tokens of an evenly spaced sample of the train texts, nothing cut, shape (n,)."""
    texts = dataset.split("train")["text"].tolist()
    step = max(1, -(-len(texts) // LENGTHS_SAMPLE))
    starter = encoders.starter_tokenizer(encoder)
    if starter is not None:
        return tokenising.lengths_by(starter, texts[::step])
    tokenizer = encoders.load_tokenizer(encoder, texts=texts)
    return tokenising.token_lengths(tokenizer, texts[::step])


def plan_for(
    config: RunConfig,
    dataset: Dataset,
    lengths: np.ndarray | None = None,
    pace: Pace | None = None,
) -> RunPlan:
    """Return what the checks look at.

    Parameters
    ----------
    config : RunConfig
    dataset : Dataset
    lengths : ndarray of shape (n,), optional
        As `token_lengths` returns them.
    pace : Pace, optional
        Of earlier runs on this machine, from which is told how long the run takes; without one,
        nothing is said of that, and the examples are not counted.

    Raises
    ------
    LayervizError
        If there can be no such encoder, or it lacks layers that are to be kept or frozen.
    """
    config = training.with_defaults(config)
    encoder = encoders.describe(config.encoder)
    tokens = training.USUAL_TOKENS
    if lengths is not None and len(lengths):
        tokens = float(np.minimum(lengths, config.max_length).mean())
    seconds = None
    if pace is not None:
        seconds = training.expected_seconds(config, encoder, dataset, mean_tokens=tokens, pace=pace)
    most = encoders.most_tokens(config.encoder)
    return RunPlan(dataset, config, encoder, lengths, most, seconds)


def findings_of(plan: RunPlan) -> list[Finding]:
    """Return what the checks find, those first that rule the run out."""
    found = ((check, check.find(plan)) for check in CHECKS.values())
    findings = [(check.refuses, finding) for check, finding in found if finding is not None]
    return [finding for _, finding in sorted(findings, key=lambda pair: not pair[0])]


def refuse(plan: RunPlan) -> None:
    """Refuse a run that could only fail.

    Raises
    ------
    ConfigError
        It says why, and what to change.
    """
    for check in CHECKS.values():
        finding = check.find(plan) if check.refuses else None
        if finding is not None:
            hint = "" if finding.mend is None else f"{finding.mend.label}."
            raise ConfigError(finding.sentence, hint)


def options_of(mend: Mend) -> list[str]:
    """Return what to type on the command line for a mend."""
    words = [word for name, value in mend.settings.items() for word in SETTINGS[name].words(value)]
    for word in mend.val_words:
        words += ["--split-word", f"{word}=train"]
    if mend.merge_labels:
        words.append("--merge-labels")
    if mend.val_fraction is not None:
        words += ["--val-fraction", f"{mend.val_fraction:g}"]
    return words
