"""What the rows of the files leave open: asked on the page, decided by rules where nobody does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

import pandas as pd

from layerviz.data.columns import Columns, column_names
from layerviz.data.labels import is_class_among, labels_in, missing_words, without_label
from layerviz.data.likeness import look_alikes
from layerviz.data.reading import Table
from layerviz.data.row_choices import NOTHING_CHOSEN, RowChoices
from layerviz.data.several_labels import (
    Combinations,
    combinations_in,
    one_hot_columns,
    one_hot_places,
)
from layerviz.data.splits import SPLIT_WORDS, SplitWord, meanings_of, split_notes, split_words
from layerviz.data.wording import quoted
from layerviz.wording import count, quote


@dataclass(frozen=True)
class RowQuestions:
    """What to ask about rows and labels, each with the answer that a rule would give.

    Parameters
    ----------
    missing_words : tuple of str
        Labels that say that there is none, in any of the files.
    are_classes : bool
        Whether they are taken for classes all the same, see `labels.is_class_among`.
    split_column : str
        Empty without one.
    split_words : tuple of SplitWord
        The words of the split column, most frequent first.
    has_val_file : bool
    look_alikes : tuple of tuple of str
        Groups of labels that look alike.
    one_hot : tuple of str
        Columns of 0 and 1, the label column among them, of which each row has exactly one 1.
    vector : str
        A label such as "[0 1 0]", if all are vectors of which one element is 1.
    combinations : Combinations or None
        What is found if labels are several in one, such as "bike;cake".
    """

    missing_words: tuple[str, ...] = ()
    are_classes: bool = False
    split_column: str = ""
    split_words: tuple[SplitWord, ...] = ()
    has_val_file: bool = False
    look_alikes: tuple[tuple[str, ...], ...] = ()
    one_hot: tuple[str, ...] = ()
    vector: str = ""
    combinations: Combinations | None = None

    def cuts_val(self, choices: RowChoices) -> bool:
        """Tell whether val is to be cut from train."""
        meanings = meanings_of(self.split_words, dict(choices.split_words))
        return not self.has_val_file and "val" not in meanings.values()

    def settled(self, choices: RowChoices) -> RowChoices:
        """Return the choices with the rule's answer to each question that is left open."""
        keep = None
        if self.missing_words:
            keep = choices.keep_missing_labels
            keep = self.are_classes if keep is None else keep
        meanings = meanings_of(self.split_words, dict(choices.split_words))
        unusual = [
            (word.word, meanings[word.key])
            for word in self.split_words
            if meanings[word.key] not in ("", SPLIT_WORDS.get(word.key))
        ]
        return replace(
            choices,
            keep_missing_labels=keep,
            split_words=tuple(unusual),
            one_hot=choices.one_hot is not False if self.one_hot else None,
            combined_labels=choices.combined_labels
            and (self.combinations is not None or bool(self.vector)),
        )

    def one_hot_of(self, choices: RowChoices) -> tuple[str, ...]:
        """Return the columns that are one label together; empty where one column is the label."""
        return self.one_hot if self.one_hot and choices.one_hot is not False else ()

    def notes(self, choices: RowChoices) -> Iterable[str]:
        """Say what follows from settled choices and does not show in the rows left out."""
        if self.split_words:
            meanings = meanings_of(self.split_words, dict(choices.split_words))
            yield from split_notes(self.split_column, self.split_words, meanings)
        if self.one_hot_of(choices):
            yield (
                f"Each row has exactly one 1 in the columns {quoted(self.one_hot, 10)}: its column "
                "is the label."
            )
        if self.vector and not choices.combined_labels:
            yield (
                f"Labels are vectors such as {quote(self.vector)}, each with exactly one 1: its "
                "place, counted from 0, is the label."
            )
        if choices.combined_labels and self.combinations is not None:
            found = self.combinations
            yield (
                f"Several labels in one, such as {quote(found.example)} "
                f"({count(found.n_rows, 'row')}), are taken for a class of their own."
            )
        if choices.keep_missing_labels:
            words = quoted(self.missing_words)
            if self.are_classes:
                yield f"{words} is taken for a class, being common and written like the others."
            else:
                yield f"Labels that usually mean none are kept as classes: {words}."


def row_questions(
    tables: Mapping[str, Table],
    columns_of: Mapping[str, Columns],
    choices: RowChoices = NOTHING_CHOSEN,
) -> RowQuestions:
    """Return what files leave open.

    Parameters
    ----------
    tables, columns_of : mapping
        By the files' roles.
    choices : RowChoices
        Only whether columns of 0 and 1 are one label together, and several labels of a row are a
        class, matters here.
    """
    train, columns = tables["train"].frame, columns_of["train"]
    others = [name for name in column_names(train) if name not in (*columns.texts, columns.split)]
    one_hot = one_hot_columns(train, columns.label, others)
    folded = one_hot if choices.one_hot is not False else ()
    labels = {
        role: labels_in(table.frame, columns_of[role], folded, combined=choices.combined_labels)
        for role, table in tables.items()
    }
    words = [word for cells in labels.values() for word in missing_words(cells.unique())]
    there = pd.concat([cells[~without_label(cells)] for cells in labels.values()])
    split = columns.split
    vectors = {} if folded else one_hot_places(train[columns.label].str.strip())
    return RowQuestions(
        missing_words=tuple(dict.fromkeys(words)),
        are_classes=is_class_among(labels["train"]),
        has_val_file="val" in tables,
        look_alikes=look_alikes(there.value_counts()),
        split_column=split or "",
        split_words=split_words(split, train[split]) if split else (),
        one_hot=one_hot,
        vector=next(iter(vectors), ""),
        combinations=combinations_in(there),
    )
