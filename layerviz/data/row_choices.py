"""What is chosen where the rows of the files leave it open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from layerviz.data.columns import Columns
from layerviz.data.splits import MEANINGS
from layerviz.errors import DataError


@dataclass(frozen=True)
class RowChoices:
    """What people decide about rows, labels and splits.

    Parameters
    ----------
    columns_of : tuple of (str, Columns)
        By the role of a val or test file, its columns of text and label where they have other
        names than those of the train file.
    keep_missing_labels : bool or None
        Whether labels such as "nan" or "-", which say that there is none, are classes; None leaves
        it to a rule, see `labels.is_class_among`.
    split_words : tuple of (str, str)
        What words of the split column mean, one of `splits.MEANINGS`, where it is not what they
        usually do.
    merge_labels : bool
        Whether labels that look alike become one, see `look_alikes.look_alikes`.
    one_hot : bool or None
        Whether columns of 0 and 1, of which each row has exactly one 1, are one label together;
        None: where there are any.
    combined_labels : bool
        Whether several labels of a row, such as "bike;cake", are a class of their own.
    no_near_repeats : bool
        Whether texts that are nearly the same, see `repeats.text_key`, are kept in one split: val
        is cut so, and of splits that the file names, rows of the earlier one are left out.
    corrections : tuple of (str, str)
        By the id of an example, the label that it gets in place of that of the file; rows are split
        by those of the file.
    """

    columns_of: tuple[tuple[str, Columns], ...] = ()
    keep_missing_labels: bool | None = None
    split_words: tuple[tuple[str, str], ...] = ()
    merge_labels: bool = False
    one_hot: bool | None = None
    combined_labels: bool = False
    no_near_repeats: bool = False
    corrections: tuple[tuple[str, str], ...] = ()

    def columns(self, role: str) -> Columns | None:
        """Return the columns of a val or test file if they were chosen."""
        return dict(self.columns_of).get(role)

    def as_dict(self) -> dict[str, Any]:
        """Return what was chosen, for ``run.json``; what was left open is left out."""
        values: dict[str, Any] = {}
        if self.columns_of:
            values["columns_of"] = {
                role: {name: value for name, value in own.as_dict().items() if value}
                for role, own in self.columns_of
            }
        if self.keep_missing_labels is not None:
            values["keep_missing_labels"] = self.keep_missing_labels
        if self.split_words:
            values["split_words"] = dict(self.split_words)
        if self.merge_labels:
            values["merge_labels"] = True
        if self.one_hot is not None:
            values["one_hot"] = self.one_hot
        if self.combined_labels:
            values["combined_labels"] = True
        if self.no_near_repeats:
            values["no_near_repeats"] = True
        if self.corrections:
            values["corrections"] = dict(self.corrections)
        return values

    @classmethod
    def from_dict(cls, values: object) -> RowChoices:
        """Return the choices that `as_dict` wrote.

        Raises
        ------
        DataError
            If they are garbled.
        """
        if not isinstance(values, dict):
            raise DataError("What was chosen about the rows is garbled.")
        columns_of, keep = values.get("columns_of", {}), values.get("keep_missing_labels")
        words, merge = values.get("split_words", {}), values.get("merge_labels", False)
        one_hot, combined = values.get("one_hot"), values.get("combined_labels", False)
        apart = values.get("no_near_repeats", False)
        corrections = values.get("corrections", {})
        if not (
            isinstance(columns_of, dict)
            and isinstance(one_hot, bool | None)
            and isinstance(combined, bool)
            and isinstance(apart, bool)
            and isinstance(keep, bool | None)
            and isinstance(merge, bool)
            and isinstance(words, dict)
            and all(meaning in MEANINGS for meaning in words.values())
            and isinstance(corrections, dict)
            and all(isinstance(label, str) for label in corrections.values())
        ):
            raise DataError("What was chosen about the rows is garbled.")
        return cls(
            columns_of=tuple((role, _columns(names)) for role, names in columns_of.items()),
            keep_missing_labels=keep,
            split_words=tuple(words.items()),
            merge_labels=merge,
            one_hot=one_hot,
            combined_labels=combined,
            no_near_repeats=apart,
            corrections=tuple(corrections.items()),
        )


def _columns(names: object) -> Columns:
    match names:
        case {"text": str(text), "label": str(label), "text_pair": str(pair)}:
            return Columns(text, label, text_pair=pair)
        case {"text": str(text), "label": str(label)}:
            return Columns(text, label)
    raise DataError("The columns of a file are garbled.")


NOTHING_CHOSEN = RowChoices()
