"""Labelled texts in their splits, and where they were taken from."""

from __future__ import annotations

from dataclasses import dataclass, field

import pandas as pd

from layerviz.config import SPLITS
from layerviz.data.choices import Doubt, ReadingChoices
from layerviz.data.columns import Columns
from layerviz.data.row_choices import NOTHING_CHOSEN, RowChoices


@dataclass(frozen=True, eq=False)
class Dataset:
    """Labelled texts in their splits, ready for training.

    Parameters
    ----------
    name : str
        The train file's name without its suffix.
    examples : DataFrame
        Columns id (str: the file's role and its data row counted from 1, such as ``train-17``),
        split (str), text (str) and label (int64 index into ``label_names``), in the order train,
        val, test, and in the order of the file within a split. Where the files give each row an id
        of its own, it is in a further column, own_id (str; empty where a file has none).
        All other columns of the files follow under their names (str, as written; empty where a file
        lacks one), as far as they are kept: see `further.further_columns`.
    label_names : tuple of str
        Class names; position = class index.
    columns : Columns
        Where texts, labels and splits were taken from.
    fingerprint : str
        16 hexadecimal digits of SHA-256 over splits, texts and labels.
    notes : tuple of str
        Sentences that say what was guessed, cut and left out.
    files : dict of str to str
        Names of the files by their role, in the order train, val, test.
    val_fraction : float or None
        Share of each label's distinct texts that was cut from train to be val; None if val came
        from a file of its own or from the split column.
    untrained_labels : tuple of str
        Labels that only val or test had; their rows were left out.
    contents : dict of str to str
        SHA-256 of the files by their role, in hexadecimal digits.
    id_column : str or None
        Where own_id was taken from.
    val_words : tuple of str
        Words of the split column that mean val.
    row_choices : RowChoices
        What was chosen, or guessed, where the rows left it open: the same choices build the same
        data set again.
    reading_choices : dict of str to ReadingChoices
        How files were said to be read, by their role; those of which all was guessed are left out.
    reading_doubts : tuple of Doubt
        Guesses of how they are read that may well be wrong.
    n_near_repeats : int
        Texts of val and test that are nearly the same as one of train, as far as was compared.
    former_labels : dict of str to int
        The class index that each corrected example had before, by its id.
    """

    name: str
    examples: pd.DataFrame
    label_names: tuple[str, ...]
    columns: Columns
    fingerprint: str
    notes: tuple[str, ...]
    files: dict[str, str]
    val_fraction: float | None
    untrained_labels: tuple[str, ...] = ()
    contents: dict[str, str] = field(default_factory=dict)
    id_column: str | None = None
    val_words: tuple[str, ...] = ()
    row_choices: RowChoices = NOTHING_CHOSEN
    reading_choices: dict[str, ReadingChoices] = field(default_factory=dict)
    reading_doubts: tuple[Doubt, ...] = ()
    n_near_repeats: int = 0
    former_labels: dict[str, int] = field(default_factory=dict)

    def split(self, name: str) -> pd.DataFrame:
        """Return the examples of one split under their index in ``examples``."""
        return self.examples[self.examples["split"] == name]

    def counts(self) -> pd.DataFrame:
        """Return the examples per label name (index) and split that has any (columns), int64."""
        table = pd.crosstab(self.examples["label"], self.examples["split"])
        names = pd.Index(self.label_names, name="label")
        return table[[split for split in SPLITS if split in table]].set_axis(names)
