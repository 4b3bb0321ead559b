"""The model's own classifier: what it confuses, and whether its confidence is earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import ndtri

from layerviz.separability.resampling import LEVEL
from layerviz.wording import count

MOST_CLASSES = 30  # of a confusion matrix; of more, the most frequent
OTHER_CLASSES = "other classes"
MOST_BINS, LEAST_IN_BIN = 10, 20
SIMULATIONS = 1000
MANY_IN_BIN = 100  # from here on the accuracy of a bin is known to within 0.1


def confusion_table(
    true: np.ndarray, predicted: np.ndarray, label_names: Sequence[str], most: int = MOST_CLASSES
) -> pd.DataFrame:
    """Count how often each class is taken for each.

    Parameters
    ----------
    true, predicted : ndarray of shape (n,)
        Class indices.
    label_names : sequence of str
    most : int
        As many classes are told apart, the most frequent ones in `true`. What is predicted as any
        other class is counted together; examples of other classes are left out.

    Returns
    -------
    DataFrame
        One row per pair: ``label`` and ``predicted`` (names), ``n`` (examples), ``n_label`` (of
        the label) and ``share`` (of the label's). Labels in the order of their class indices.
    """
    counts = np.bincount(true, minlength=len(label_names))
    present = np.union1d(true, predicted)
    by_frequency = present[np.argsort(-counts[present], kind="stable")]
    classes = np.sort(by_frequency[:most])
    columns = {int(label): label_names[label] for label in classes}
    rows = []
    for label in classes:
        if not counts[label]:  # predicted, but none is one
            continue
        of_label = predicted[true == label]
        taken = {name: int((of_label == index).sum()) for index, name in columns.items()}
        if len(classes) < len(present):
            taken[_free_name(OTHER_CLASSES, label_names)] = int((~np.isin(of_label, classes)).sum())
        rows += [
            {"label": label_names[label], "predicted": name, "n": n, "n_label": len(of_label)}
            for name, n in taken.items()
        ]
    table = pd.DataFrame(rows, columns=["label", "predicted", "n", "n_label"])
    return table.assign(share=table["n"] / table["n_label"])


def _free_name(name: str, taken: Sequence[str]) -> str:
    return name if name not in taken else _free_name(f"({name})", taken)


@dataclass(frozen=True)
class Reliability:
    """How confidence and accuracy go together.

    Parameters
    ----------
    bins : DataFrame
        One row per bin, of about equally many examples, by rising confidence: ``confidence``
        (mean), ``accuracy``, its 95 % Wilson interval ``low`` to ``high``, and ``n``.
    ece : float
        Expected calibration error: the mean distance of accuracy and confidence over the bins,
        weighted by their examples (Naeini et al., 2015).
    ece_calibrated : float
        What it would be, on average, for these confidences if they were right.
    ece_limit : float
        What it would then stay under in 95 % of draws (Bröcker & Smith, 2007).
    confidence, accuracy : float
        Means over all examples.
    expected : tuple of float
        Where accuracy would lie in 95 % of draws if these confidences were right.
    """

    bins: pd.DataFrame
    ece: float
    ece_calibrated: float
    ece_limit: float
    confidence: float
    accuracy: float
    expected: tuple[float, float]

    @property
    def n(self) -> int:
        """Examples."""
        return int(self.bins["n"].sum())


def reliability(confidence: np.ndarray, right: np.ndarray, seed: int) -> Reliability:
    """Compare confidence with accuracy in bins of equal mass.

    There are up to `MOST_BINS` bins, fewer where they would hold under `LEAST_IN_BIN` examples.

    Parameters
    ----------
    confidence : ndarray of shape (n,)
        Probability of the predicted class.
    right : ndarray of shape (n,), bool
        Whether the prediction is right.
    seed : int
        Of the simulation.
    """
    n = len(confidence)
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, int(np.clip(n // LEAST_IN_BIN, 1, MOST_BINS)))
    sizes = np.array([len(part) for part in parts])
    means = np.array([confidence[part].mean() for part in parts])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])

    def accuracies(hits: np.ndarray) -> np.ndarray:
        """Return the accuracy of each bin from hits of shape (..., n) in the order of the bins."""
        return np.add.reduceat(hits, starts, axis=-1) / sizes

    def error(hits: np.ndarray) -> np.ndarray:
        return np.abs(accuracies(hits) - means) @ (sizes / n)

    hits = right[order].astype(np.float64)
    rng = np.random.default_rng(seed)
    drawn = rng.random((SIMULATIONS, n)) < confidence[order]
    errors = error(drawn.astype(np.float64))
    tail = (1 - LEVEL) / 2
    expected = np.quantile(drawn.mean(axis=1), [tail, 1 - tail])
    low, high = wilson_interval(accuracies(hits), sizes)
    bins = pd.DataFrame(
        {"confidence": means, "accuracy": accuracies(hits), "low": low, "high": high, "n": sizes}
    )
    return Reliability(
        bins=bins,
        ece=float(error(hits)),
        ece_calibrated=float(errors.mean()),
        ece_limit=float(np.quantile(errors, LEVEL)),
        confidence=float(confidence.mean()),
        accuracy=float(right.mean()),
        expected=(float(expected[0]), float(expected[1])),
    )


def wilson_interval(share: np.ndarray, n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the 95 % interval of shares of n examples (Wilson, 1927)."""
    z = ndtri((1 + LEVEL) / 2)
    middle = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return np.clip(middle - half, 0.0, 1.0), np.clip(middle + half, 0.0, 1.0)


def reliability_sentences(curve: Reliability, split: str = "val") -> list[str]:
    """Say how far confidence can be trusted on a split, and how sure that is."""
    n_bins, fewest = len(curve.bins), int(curve.bins["n"].min())
    error = (
        f"Expected calibration error: {curve.ece:.3f} ({count(n_bins, 'bin')}, n = {curve.n:,})."
    )
    chance = (
        f"On as many examples, a perfectly calibrated model would show {curve.ece_calibrated:.3f} "
        f"on average and up to {curve.ece_limit:.3f} (95 %)"
    )
    means = f"mean confidence {curve.confidence:.2f}, accuracy {curve.accuracy:.2f}"
    least, most = curve.expected
    if curve.ece <= curve.ece_limit:
        verdict = f"{chance}: this {split} cannot tell the model from such a one ({means})."
    elif least <= curve.accuracy <= most:
        verdict = f"{chance}: this one is miscalibrated ({means})."
    else:
        kind = "overconfident" if curve.accuracy < least else "underconfident"
        verdict = f"{chance}: this one is {kind} ({means})."
    sentences = [error, verdict]
    if fewest < MANY_IN_BIN:
        half = ((curve.bins["high"] - curve.bins["low"]) / 2).max()
        sentences.append(
            f"A bin has only about {count(fewest, 'example')}: read its accuracy as ±{half:.2f}."
        )
    return sentences
