"""A task that only knowing the words by heart can solve: what a probe scores on it is no merit.

Hewitt & Liang (2019), "Designing and interpreting probes with control tasks".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

FEWEST_TEXTS = 5  # of train that hold a word, so that what it stands for can be learnt
FEWEST_COVERED = 0.5  # of train and of val; a task on fewer texts is another one
NO_CLASS = -1
# Words, and single characters of scripts that put no spaces between words (Chinese, Japanese).
_WORD = re.compile(r"[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]|[^\W_]+")


def control_labels(
    texts: Sequence[str], labels: np.ndarray, train: np.ndarray, seed: int
) -> np.ndarray | None:
    """Return a random class for each text that depends on one of its words alone.

    Hewitt & Liang (2019) give each word type a random class that is fixed for it. Their examples
    are words; ours are texts, of which hardly two are the same, so that a random class for each
    text could not be known of any val text. Here a text takes the class of one word: the rarest of
    those that at least 5 train texts hold. Such words occur in train and in val, are many, and
    say next to nothing of the labels. The most frequent or the first word would be the same one in
    half of all texts ("I" in messages about feelings), and the task no task.

    Classes are drawn for words so that they are about as frequent among train texts as the labels
    are. No label of a text outside train is used.

    Parameters
    ----------
    texts : sequence of N str
    labels : ndarray of shape (N,)
        Class indices; how frequent they are in train is used.
    train : ndarray of shape (N,), bool
    seed : int
        Of the draw.

    Returns
    -------
    ndarray of shape (N,), int64, or None
        Class indices, -1 for a text without such a word. None where more than half of the texts
        of train, or of the others, are without.
    """
    held = [set(_WORD.findall(text.casefold())) for text in texts]
    n_texts = Counter(
        word for words, fits in zip(held, train, strict=True) if fits for word in words
    )
    usable = {word: n for word, n in n_texts.items() if n >= FEWEST_TEXTS}
    # Among equally rare words the first in the alphabet, so that it is the same every time.
    word_of = [
        min(((usable[w], w) for w in words if w in usable), default=(0, ""))[1] for words in held
    ]
    has_word = np.array([bool(word) for word in word_of])
    sides = [has_word[side] for side in (train, ~train) if side.any()]
    if any(side.mean() < FEWEST_COVERED for side in sides):
        return None
    n_train = Counter(word for word, fits in zip(word_of, train, strict=True) if fits)
    class_of = _drawn_classes(
        {word: n_train[word] for word in set(word_of) - {""}}, labels[train], seed
    )
    return np.array([class_of.get(word, NO_CLASS) for word in word_of])


def _drawn_classes(n_train: dict[str, int], labels: np.ndarray, seed: int) -> dict[str, int]:
    """Draw a class for each word, frequent words first, by how much of each class is still due."""
    rng = np.random.default_rng((seed, 2))
    classes, counts = np.unique(labels, return_counts=True)
    due = counts / counts.sum() * sum(n_train.values())
    drawn = {}
    for word in sorted(n_train, key=lambda word: (-n_train[word], word)):
        weights = np.maximum(due, 0.0)
        if not weights.sum() > 0:
            weights = counts.astype(float)
        index = int(rng.choice(len(classes), p=weights / weights.sum()))
        drawn[word] = int(classes[index])
        due[index] -= n_train[word]
    return drawn
