"""What is chosen where the rows of the files leave it open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from layerviz.data.columns import Columns
from layerviz.errors import DataError


@dataclass(frozen=True)
class RowChoices:
    """What people decide about rows, labels and splits.

    Parameters
    ----------
    columns_of : tuple of (str, Columns)
        By the role of a val or test file, its columns of text and label where they have other
        names than those of the train file.
    """

    columns_of: tuple[tuple[str, Columns], ...] = ()

    def columns(self, role: str) -> Columns | None:
        """Return the columns of a val or test file if they were chosen."""
        return dict(self.columns_of).get(role)

    def as_dict(self) -> dict[str, Any]:
        """Return what was chosen, for ``run.json``; what was left open is left out."""
        columns_of = {
            role: {"text": columns.text, "label": columns.label}
            for role, columns in self.columns_of
        }
        return {"columns_of": columns_of} if columns_of else {}

    @classmethod
    def from_dict(cls, values: object) -> RowChoices:
        """Return the choices that `as_dict` wrote.

        Raises
        ------
        DataError
            If they are garbled.
        """
        match values:
            case {"columns_of": dict(columns_of)}:
                return cls(tuple((role, _columns(names)) for role, names in columns_of.items()))
            case dict():
                return cls()
        raise DataError("What was chosen about the rows is garbled.")


def _columns(names: object) -> Columns:
    match names:
        case {"text": str(text), "label": str(label)}:
            return Columns(text, label)
    raise DataError("The columns of a file are garbled.")


NOTHING_CHOSEN = RowChoices()
