"""Labels that may be wrong, by three signals.

A fine-tuned model has seen the labels of train and in the end has learned the wrong ones, too. Its
final predictions are therefore not used, but

- *states*: a logistic regression on the encoder's hidden states before training, cross-validated
  over train, so that no row's probability comes from a model that saw its label, nor from one that
  saw a label of val: corrected train labels would carry it into a model that is scored on val;
- *words*: the same on the words of the texts (TF-IDF), which errs on other rows than the states;
- *training*: the classifier's loss on each row, averaged over the snapshots, because wrong labels
  are learned late (Swayamdipta et al., 2020, "Dataset cartography"). For val rows, which were never
  trained on, it is out of sample; for train rows it says less the longer training goes on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from scipy.special import softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.extmath import randomized_svd

from layerviz import runs
from layerviz.errors import RunError
from layerviz.exploring.neighbours import NEIGHBOURS
from layerviz.numerics import or_zero
from layerviz.poolings import MAX, MEAN
from layerviz.runs import Run
from layerviz.separability import out_of_fold
from layerviz.separability.geometry import directions, nearest
from layerviz.wording import count

N_LAYERS = 5  # from the embedding output to the last layer, evenly spaced
PREFERRED_POOLINGS = (MEAN.name, MAX.name)
MOST_AXES = 300  # principal axes of the states
MOST_WORDS = 2000
STATE_STRENGTHS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2, 1e-1)  # C, for standardised states
WORD_STRENGTHS = (1.0, 3.0, 10.0, 30.0, 100.0)  # C, for texts of unit length
LEFT_OUT = 0.2  # of each class: the most doubtful rows, which the second pass does not learn from
LEARNED_FROM = "train"
RANKING_COLUMNS = (
    "row", "id", "split", "label", "suggested", "score", "p_label", "p_suggested",
    "neighbours_agree", "issue", "rank",
)  # fmt: skip


@dataclass(frozen=True)
class Suspicion:
    """The train and val rows of a run, the most suspicious label first.

    Parameters
    ----------
    frame : DataFrame
        One line per row of train and val:

        - ``row``: its index among the examples; ``id``, ``split``, ``label`` as in the examples
        - ``suggested``: the likeliest other class
        - ``score``: geometric mean of the probabilities that the three signals give to its label,
          0 to 1; the lower, the more suspicious
        - ``p_label``, ``p_suggested``: out-of-sample probabilities of these two classes, from
          states and words
        - ``neighbours_agree``: share of its 10 nearest other train rows, before training, that
          carry its label
        - ``issue``: whether confident learning takes it for an error, most of its neighbours do
          not carry its label, and training gave it less than 0.5 on average
        - ``rank``: 1 is the most suspicious
    noise_rate : float
        Share of rows that are an ``issue``: about what a random sample holds. An estimate, too
        high rather than too low, because it counts rows that are right but hard: on the bundled
        sample 4 %, and 11 % once 15 % of its train labels, 8 % of all, were made wrong.
    n_flagged : int
        Rows that are an ``issue``.
    source : str
        Where the probabilities come from, in a sentence.
    """

    frame: pd.DataFrame
    noise_rate: float
    n_flagged: int
    source: str


def store_suspicious_labels(run: Run) -> None:
    """Rank the labels of a run and store the ranking with it.

    Raises
    ------
    RunError
        As `suspicious_labels` does.
    """
    ranking = suspicious_labels(run)
    facts = {
        "noise_rate": ranking.noise_rate,
        "n_flagged": ranking.n_flagged,
        "source": ranking.source,
        "n_snapshots": len(run.snapshots),
        "learned_from": LEARNED_FROM,
    }
    runs.write_label_ranking(run.path, ranking.frame, facts)


def stored_suspicious_labels(run: Run) -> Suspicion | None:
    """Return the stored ranking, or None where there is none of all snapshots.

    It may be one that an earlier version made, see `has_current_ranking`.
    """
    stored = runs.read_label_ranking(run.path)
    if stored is None or stored[1]["n_snapshots"] != len(run.snapshots):
        return None
    facts = {name: stored[1][name] for name in ("noise_rate", "n_flagged", "source")}
    return Suspicion(stored[0], **facts)


def has_current_ranking(run: Run) -> bool:
    """Return whether a ranking of all snapshots is stored that learned from train alone.

    Earlier ones learned from val labels, too, so that what they suggest for train rows would
    flatter a model on val.
    """
    facts = runs.read_label_facts(run.path)
    return (
        facts is not None
        and facts["n_snapshots"] == len(run.snapshots)
        and facts.get("learned_from") == LEARNED_FROM
    )


def suspicious_labels(run: Run) -> Suspicion:
    """Rank the train and val rows of a run by how much speaks against their labels.

    Confident learning (Northcutt et al., 2021, "Confident learning: estimating uncertainty in
    dataset labels"), on probabilities none of which comes from a model that saw the row's label.
    They are computed twice: the second time without learning from the rows that were the most
    doubtful the first time, so that wrong labels support each other less.

    Parameters
    ----------
    run : Run
        With the snapshot before training at least; later ones make the ranking better.

    Returns
    -------
    Suspicion

    Raises
    ------
    RunError
        If the run has no snapshot.
    """
    if not run.snapshots:
        raise RunError("Nothing of this run has been captured yet.", "Wait for its first snapshot.")
    examples = runs.read_examples(run.path)
    rows = np.flatnonzero((examples["split"] != "test").to_numpy())
    ranked = examples.iloc[rows]
    labels, seed = ranked["label"].to_numpy(copy=True), run.config.seed
    signals = (
        (_principal_axes(_states(run, rows), seed), STATE_STRENGTHS),
        (_words(ranked["text"].tolist()), WORD_STRENGTHS),
    )
    training = _log_p_while_training(run, rows)
    teaches = (ranked["split"] == "train").to_numpy(copy=True)
    p, score = _probabilities(signals, training, labels, teaches, seed)
    agree = _neighbours_agree(run, rows, labels, teaches)
    frame = _verdicts(p, score, training, labels, agree)
    frame.insert(0, "row", rows)
    for name in ("id", "split", "label"):
        frame[name] = ranked[name].to_numpy()
    frame = frame.sort_values(["score", "row"], ignore_index=True)
    frame["rank"] = np.arange(1, len(frame) + 1)
    n_flagged = int(frame["issue"].sum())
    share = n_flagged / len(frame)
    return Suspicion(frame[list(RANKING_COLUMNS)], share, n_flagged, _source(len(run.snapshots)))


# --- the signals ----------------------------------------------------------------------------


def _probabilities(
    signals: Sequence[tuple[np.ndarray, Sequence[float]]],
    training: list[np.ndarray],
    labels: np.ndarray,
    teaches: np.ndarray,
    seed: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Return out-of-sample probabilities of shape (n, C), and the mean log score of shape (n,)."""
    rows, kept = np.arange(len(labels)), teaches
    for _ in range(2):
        p = [
            _log(out_of_fold(inputs, labels, seed=seed, strengths=strengths, kept=kept))
            for inputs, strengths in signals
        ]
        score = np.mean([*(each[rows, labels] for each in p), *training], axis=0)
        kept = _without_most_doubtful(score, labels, teaches)
    return softmax(np.mean(p, axis=0), axis=1), score


def _log(p: np.ndarray) -> np.ndarray:
    return np.log(np.maximum(p, 1e-6))


def _states(run: Run, rows: np.ndarray) -> np.ndarray:
    """Return several layers and poolings before training side by side, shape (n, r)."""
    first = run.snapshots[0].index
    return np.concatenate(
        [
            or_zero(runs.read_hidden_states(run.path, first, pooling, layer)[rows]).astype(
                np.float32
            )
            for pooling in _poolings(run)
            for layer in _layers(run)
        ],
        axis=1,
    )


def _poolings(run: Run) -> list[str]:
    """Return mean and max, or what a run without them has."""
    return [name for name in PREFERRED_POOLINGS if name in run.poolings] or [run.poolings[0]]


def _layers(run: Run) -> list[int]:
    return sorted({round(layer) for layer in np.linspace(0, run.encoder["layers"], N_LAYERS)})


def _principal_axes(states: np.ndarray, seed: int) -> np.ndarray:
    """Standardise states and return them along their principal axes (Halko et al., 2011)."""
    deviation = states.std(axis=0)
    states -= states.mean(axis=0)  # in place: this is the largest array by far
    states /= np.where(deviation > 1e-6, deviation, 1)
    n_axes = min(MOST_AXES, len(states) - 1, states.shape[1])
    left, scale, _ = randomized_svd(states, n_axes, random_state=seed)
    return left * scale


def _words(texts: list[str]) -> np.ndarray:
    """Return TF-IDF of the commonest words, shape (n, at most 2,000), rows of unit length."""
    words = TfidfVectorizer(
        token_pattern=r"\S+", max_features=MOST_WORDS, sublinear_tf=True, dtype=np.float32
    )
    return words.fit_transform(texts).toarray()


def _log_p_while_training(run: Run, rows: np.ndarray) -> list[np.ndarray]:
    """Return the mean log probability of each label over the snapshots after the first, if any."""
    losses = [
        runs.read_predictions(run.path, snapshot.index)["loss"].to_numpy()[rows]
        for snapshot in run.snapshots[1:]
    ]
    losses = [loss for loss in losses if np.isfinite(loss).all()]  # not of weights without numbers
    return [-np.mean(losses, axis=0)] if losses else []


def _without_most_doubtful(
    score: np.ndarray, labels: np.ndarray, teaches: np.ndarray
) -> np.ndarray:
    """Return which of the rows to learn from, shape (n,), bool: of each class the same share."""
    kept = teaches.copy()
    for label in np.unique(labels):
        rows = np.flatnonzero((labels == label) & teaches)
        doubtful = np.argsort(score[rows], kind="stable")[: int(LEFT_OUT * len(rows))]
        kept[rows[doubtful]] = False
    return kept


# --- the verdicts ---------------------------------------------------------------------------


def _verdicts(
    p: np.ndarray,
    score: np.ndarray,
    training: list[np.ndarray],
    labels: np.ndarray,
    agree: np.ndarray,
) -> pd.DataFrame:
    """Return the verdict on each row: n lines, in the order of the rows."""
    rows = np.arange(len(labels))
    others = p.copy()
    others[rows, labels] = -1
    suggested = others.argmax(axis=1)
    confident = _confident_class(p, labels)
    issue = (confident >= 0) & (confident != labels) & (agree < 0.5)
    for log_p in training:
        issue &= log_p < np.log(0.5)
    return pd.DataFrame(
        {
            "suggested": suggested,
            "score": np.exp(score).astype(np.float32),
            "p_label": p[rows, labels].astype(np.float32),
            "p_suggested": p[rows, suggested].astype(np.float32),
            "neighbours_agree": agree,
            "issue": issue,
        }
    )


def _confident_class(p: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return the class that each row confidently belongs to, shape (n,); -1 where there is none.

    Confident is a probability of at least the mean one among the rows that carry that label
    (Northcutt et al., 2021, equation 2).
    """
    threshold = np.full(p.shape[1], np.inf)
    for label in np.unique(labels):
        threshold[label] = p[labels == label, label].mean()
    sure = np.where(p >= threshold, p, -1.0)
    return np.where(sure.max(axis=1) > 0, sure.argmax(axis=1), -1)


def _neighbours_agree(
    run: Run, rows: np.ndarray, labels: np.ndarray, teaches: np.ndarray
) -> np.ndarray:
    """Return the share of each row's nearest other train rows that carry its label, (n,), float32.

    Before training, in the layer (mean-pooled) whose neighbours agree most on the whole.
    """
    first, classes = run.snapshots[0].index, torch.from_numpy(labels[teaches])
    best = np.full(len(rows), -1.0, dtype=np.float32)
    own = np.full(len(rows), -1)
    own[teaches] = np.arange(len(classes))
    k = min(NEIGHBOURS, len(classes) - 1)
    for layer in _layers(run):
        states = runs.read_hidden_states(run.path, first, _poolings(run)[0], layer)[rows]
        unit = directions(states, states)
        parts = nearest(unit, unit[torch.from_numpy(teaches)], k, torch.from_numpy(own))
        neighbours = torch.cat([indices for _, indices in parts])
        same = classes[neighbours] == torch.from_numpy(labels)[:, None]
        agree = same.float().mean(dim=1).numpy()
        best = agree if agree.mean() > best.mean() else best
    return best


def _source(n_snapshots: int) -> str:
    training = ""
    if n_snapshots > 1:
        snapshots = count(n_snapshots - 1, "snapshot")
        training = f", with the classifier's mean loss at {snapshots} since training began"
    return (
        "Logistic regressions on the states before training and on the words, 5-fold "
        f"cross-validated over train{training}. No label of val taught them anything."
    )
