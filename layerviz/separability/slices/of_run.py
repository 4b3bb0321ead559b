"""The slices of a run's examples in which its model, or the recommended layer, does worse."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from layerviz import data, runs
from layerviz.runs import Run
from layerviz.separability.answering import Answer
from layerviz.separability.scored_cells import Cell
from layerviz.separability.slices.candidates import Slice, candidate_slices
from layerviz.separability.slices.comparing import SliceScores, compare_slices
from layerviz.separability.slices.traits import text_traits
from layerviz.wording import count

HEAD_NAME = "the model itself"
SLICE_SPLITS = ("val", "test")  # on train, models know the answers


@dataclass(frozen=True)
class SliceFindings:
    """What was found in the slices of one split.

    Parameters
    ----------
    split : str
    rows : ndarray of shape (n,), int
        The examples that were looked at, by their place in the run: repeated texts once.
    slices : tuple of S Slices
        Those that were looked at, of these n examples.
    classifiers : tuple of J str
        Whose predictions they are, in words.
    scores : SliceScores or None
        None where no slice could be looked at.
    notes : tuple of str
        Sentences about what was left out.
    """

    split: str
    rows: np.ndarray
    slices: tuple[Slice, ...]
    classifiers: tuple[str, ...]
    scores: SliceScores | None
    notes: tuple[str, ...]

    @property
    def table(self) -> pd.DataFrame:
        """One row per classifier and slice, what does worst first.

        ``slice``, ``n``, ``predictions`` (whose), ``accuracy``, ``elsewhere`` (of the same
        classes), ``difference``, ``low``, ``high`` and ``clearly_worse``; and ``place``, the
        slice's index.
        """
        names = [
            "slice", "n", "predictions", "accuracy", "elsewhere", "difference", "low", "high",
            "clearly_worse", "place",
        ]  # fmt: skip
        if self.scores is None:
            return pd.DataFrame(columns=names)
        scores = self.scores
        parts = [
            pd.DataFrame(
                {
                    "slice": [one.name for one in self.slices],
                    "n": scores.n_inside,
                    "predictions": classifier,
                    "accuracy": scores.inside[row],
                    "elsewhere": scores.outside[row],
                    "difference": scores.difference[row],
                    "low": scores.low[row],
                    "high": scores.high[row],
                    "clearly_worse": scores.is_worse[row],
                    "place": np.arange(len(self.slices)),
                }
            )
            for row, classifier in enumerate(self.classifiers)
        ]
        table = pd.concat(parts, ignore_index=True)
        return table.sort_values(["high", "difference"], kind="stable", ignore_index=True)[names]

    @property
    def worse(self) -> pd.DataFrame:
        """The rows of the table that are clearly worse."""
        table = self.table
        return table[table["clearly_worse"].to_numpy(dtype=bool)]


def slice_columns(examples: pd.DataFrame) -> pd.DataFrame:
    """Return what a run's examples are parted by: columns of N rows.

    Languages are guessed of the splits that are looked at.

    What the texts themselves tell comes first; a further column of the data that is named like
    one of these stands under another name, see `data.names_beside`.
    """
    is_looked_at = examples["split"].isin(SLICE_SPLITS)
    traits = text_traits(examples["text"].tolist(), is_looked_at.tolist())
    traits = traits.set_index(examples.index)
    columns = data.further_columns(examples)
    names = data.names_beside((one.name for one in columns), traits.columns.tolist())
    further = {names[one.name]: _values_of(one, examples) for one in columns}
    return pd.concat([traits, pd.DataFrame(further, index=examples.index)], axis="columns")


def _values_of(column: data.FurtherColumn, examples: pd.DataFrame) -> pd.Series:
    """Return the values of a further column; ids are words: a range of them is no kind of example.

    Those that many examples share, such as who wrote them, part the examples all the same.
    """
    values = column.of(examples)
    if column.kind != "number":
        return values
    cells = examples[column.name].astype("str").str.strip()
    ids = data.are_ids(column.name, cells[values.notna()])
    return cells.where(values.notna(), "") if ids else values


def find_slices(
    examples: pd.DataFrame,
    columns: pd.DataFrame,
    predicted: dict[str, np.ndarray],
    split: str,
    seed: int,
) -> SliceFindings:
    """Look for slices of a split in which classifiers do worse.

    Parameters
    ----------
    examples : DataFrame
        N rows with ``split``, ``text`` and ``label``.
    columns : DataFrame
        What to part them by, N rows; see `candidate_slices`.
    predicted : dict of str to ndarray of shape (N,)
        By the name of each classifier, the class indices that it predicts.
    split : str
    seed : int
    """
    of_split = (examples["split"] == split).to_numpy()
    # Those that repeat another one share its outcome: together they would seem to be sure of it.
    is_repeated = examples.duplicated(["split", "text", "label"]).to_numpy()
    rows = of_split & ~is_repeated
    labels = examples["label"].to_numpy()[rows]
    candidates = candidate_slices(columns, rows, labels)
    notes = candidates.notes
    if n_repeated := int((of_split & is_repeated).sum()):
        verb = "is" if n_repeated == 1 else "are"
        notes += (f"{count(n_repeated, 'repeated text')} of {split} {verb} counted once.",)
    right = np.array([of_one[rows] == labels for of_one in predicted.values()])
    scores = None
    if candidates.slices:
        scores = compare_slices(right, labels, candidates.members, seed)
    return SliceFindings(
        split, np.flatnonzero(rows), candidates.slices, tuple(predicted), scores, notes
    )


def slices_of_run(
    run: Run,
    split: str,
    snapshot: int,
    best: Cell | None,
    columns: pd.DataFrame | None = None,
) -> SliceFindings:
    """Look for slices in which the model itself, or a layer's probe, does worse.

    Parameters
    ----------
    run : Run
    split : {"val", "test"}
    snapshot : int
        At which the model itself is looked at.
    best : Cell or None
        The one that the run's answer recommends; None where it names none.
    columns : DataFrame, optional
        Its `slice_columns`, if they are there already.
    """
    examples = runs.read_examples(run.path)
    predicted = {HEAD_NAME: runs.read_predictions(run.path, snapshot)["predicted"].to_numpy()}
    if best is not None:
        probes = runs.read_probes(run.path, best.snapshot)
        predicted[f"the probe on layer {best.layer}"] = probes[best.pooling][best.layer]
    if columns is None:
        columns = slice_columns(examples)
    return find_slices(examples, columns, predicted, split, run.config.seed)


def all_slices_of(run: Run, answer: Answer) -> list[SliceFindings]:
    """Return what is found in the slices of val, and of test where there is one.

    Of the model itself at the snapshot whose weights are stored, and of the layer that the answer
    recommends, if it does.
    """
    splits = [split for split in SLICE_SPLITS if run.dataset["counts"].get(split)]
    best = answer.best if answer.verdict == "found" else None
    columns = slice_columns(runs.read_examples(run.path))
    return [slices_of_run(run, split, runs.model_snapshot(run), best, columns) for split in splits]
