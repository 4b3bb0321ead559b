"""What a check is, what it finds, and what mends that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from layerviz.config import RunConfig
from layerviz.data import Dataset
from layerviz.encoders import EncoderInfo
from layerviz.training import RunBytes, RunSeconds, expected_bytes


@dataclass(frozen=True, eq=False)
class RunPlan:
    """A run that somebody is about to start.

    Parameters
    ----------
    dataset : Dataset
    config : RunConfig
        With nothing left open.
    encoder : EncoderInfo
    lengths : ndarray of shape (n,) or None
        Tokens of train texts, or of a sample of them, nothing cut; None where the tokenizer is
        not on this disk.
    most_tokens : int or None
        As many the encoder can read; None without a limit, or where it is not known yet.
    seconds : RunSeconds or None
        About how long the run takes; None where that is not known.
    """

    dataset: Dataset
    config: RunConfig
    encoder: EncoderInfo
    lengths: np.ndarray | None = None
    most_tokens: int | None = None
    seconds: RunSeconds | None = None

    @cached_property
    def counts(self) -> pd.DataFrame:
        """Examples per label name (index) and split (columns), counted once."""
        return self.dataset.counts()

    @cached_property
    def space(self) -> RunBytes | None:
        """About how much room the run takes; None where that is not known."""
        rows = {str(split): int(n) for split, n in self.counts.sum().items()}
        return expected_bytes(self.config, self.encoder, rows, len(self.dataset.label_names))


@dataclass(frozen=True)
class Mend:
    """What to change so that a check finds nothing any more.

    Parameters
    ----------
    label : str
        What its button says.
    settings : mapping of str to object
        Settings of `RunConfig` and their new values.
    val_fraction : float or None
        Share of train to hold out for val; None leaves it as it is.
    val_words : tuple of str
        Words of the split column that mean val and are to mean train, so that val is cut from
        both while test, and what is left out, stay as they are.
    merge_labels : bool
        Whether labels that look alike become one.
    """

    label: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    val_fraction: float | None = None
    val_words: tuple[str, ...] = ()
    merge_labels: bool = False


@dataclass(frozen=True)
class Finding:
    """Something that the reader should know before a run is started.

    Parameters
    ----------
    sentence : str
        What is the matter and what follows from it, in plain text.
    count : int
        How many of whatever the check counts: classes, texts, tokens, seconds.
    mend : Mend or None
        None where no setting mends it; the sentence says then what does.
    """

    sentence: str
    count: int
    mend: Mend | None = None


@dataclass(frozen=True)
class Check:
    """One thing that is looked at before a run is started. None runs a model.

    Parameters
    ----------
    name : str
    find : callable
        Returns what it finds in a plan, or None.
    refuses : bool
        Whether a run with such a finding could only fail, and is not started.
    """

    name: str
    find: Callable[[RunPlan], Finding | None]
    refuses: bool = False
