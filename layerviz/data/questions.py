"""What the rows of the files leave open: asked on the page, decided by rules where nobody does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from layerviz.data.columns import Columns
from layerviz.data.labels import is_class_among, labels_in, missing_words
from layerviz.data.reading import Table
from layerviz.data.row_choices import RowChoices
from layerviz.data.wording import quoted


@dataclass(frozen=True)
class RowQuestions:
    """What to ask about rows and labels, each with the answer that a rule would give.

    Parameters
    ----------
    missing_words : tuple of str
        Labels that say that there is none, in any of the files.
    are_classes : bool
        Whether they are taken for classes all the same, see `labels.is_class_among`.
    """

    missing_words: tuple[str, ...] = ()
    are_classes: bool = False

    def settled(self, choices: RowChoices) -> RowChoices:
        """Return the choices with the rule's answer to each question that is left open."""
        keep = None
        if self.missing_words:
            keep = choices.keep_missing_labels
            keep = self.are_classes if keep is None else keep
        return replace(choices, keep_missing_labels=keep)

    def notes(self, choices: RowChoices) -> Iterable[str]:
        """Say what follows from settled choices and does not show in the rows left out."""
        if choices.keep_missing_labels:
            words = quoted(self.missing_words)
            if self.are_classes:
                yield f"{words} is taken for a class, being common and written like the others."
            else:
                yield f"Labels that usually mean none are kept as classes: {words}."


def row_questions(tables: Mapping[str, Table], columns_of: Mapping[str, Columns]) -> RowQuestions:
    """Return what files leave open.

    Parameters
    ----------
    tables, columns_of : mapping
        By the files' roles.
    """
    labels = {role: labels_in(table.frame, columns_of[role]) for role, table in tables.items()}
    words = [word for cells in labels.values() for word in missing_words(cells.unique())]
    return RowQuestions(tuple(dict.fromkeys(words)), is_class_among(labels["train"]))
