"""Texts that a user typed, read by the fine-tuned model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from layerviz import hidden_states
from layerviz.config import FP32
from layerviz.encoders import LoadedEncoder
from layerviz.errors import DataError
from layerviz.poolings import POOLINGS

MOST_TEXTS = 50


@dataclass(frozen=True)
class OwnTexts:
    """What the model makes of m new texts.

    Parameters
    ----------
    texts : tuple of str
    pooled : dict of str to ndarray
        For each pooling a float16 array of shape (L + 1, m, D), as in ``hidden_states.Capture``.
    probabilities : ndarray of shape (m, n_classes), float32
        Of the classifier; they sum to one.
    """

    texts: tuple[str, ...]
    pooled: dict[str, np.ndarray]
    probabilities: np.ndarray


def read_texts(
    classifier: LoadedEncoder,
    texts: Sequence[str],
    *,
    max_length: int,
    poolings: Iterable[str] = POOLINGS,
    precision: str = FP32,
) -> OwnTexts:
    """Run new texts through a classifier, as the examples of its run were.

    Parameters
    ----------
    classifier : LoadedEncoder
        A fine-tuned one.
    texts : sequence of str
        1 to 50 of them.
    max_length : int
        Tokens kept of each text, special tokens included: that of the run.
    poolings : iterable of str
        Those of the run.
    precision : str
        Of the run's captures, as in `hidden_states.capture`.

    Returns
    -------
    OwnTexts

    Raises
    ------
    DataError
        If there is no text, one of them is blank, or there are too many.
    UnknownNameError
        If a pooling is not known here.
    """
    if not texts or not all(text.strip() for text in texts):
        raise DataError("There is no text to read.", "Type one sentence per line.")
    if len(texts) > MOST_TEXTS:
        raise DataError(
            f"These are {len(texts)} texts; at most {MOST_TEXTS} can be read at once.",
            "Leave some out; for many texts, use the exported model.",
        )
    capture = hidden_states.capture(
        classifier.model,
        classifier.tokenizer,
        texts,
        max_length=max_length,
        poolings=poolings,
        precision=precision,
    )
    probabilities = softmax(capture.logits, axis=1).astype(np.float32)
    return OwnTexts(tuple(texts), capture.pooled, probabilities)
