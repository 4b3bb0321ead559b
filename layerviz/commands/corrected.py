"""Labels that were corrected, taken from a run's record or from a table."""

from __future__ import annotations

import json
from pathlib import Path

from layerviz.commands.files import read_bytes
from layerviz.errors import DataError

HELP = (
    "labels that are corrected, every row staying in the split in which it is: the record in the "
    "folder of a run with corrected labels, or a table with columns id (such as train-17) and "
    "new_label"
)


def read_corrections(path: Path | None) -> tuple[tuple[str, str], ...]:
    """Return ids and labels; none without a file.

    Raises
    ------
    DataError
        If the file is neither.
    """
    from layerviz import data, relabelling

    if path is None:
        return ()
    content = read_bytes(path)
    try:
        record = json.loads(content)
        if isinstance(record, dict) and "dataset" in record:
            choices = data.RowChoices.from_dict(record["dataset"].get("row_choices", {}))
            if not choices.corrections:
                raise DataError(
                    f"The run of {path} has no corrected labels.",
                    "Give the record of a run that was made with some, or a table.",
                )
            return choices.corrections
    except (ValueError, AttributeError, RecursionError):
        pass  # no record of a run
    return tuple(relabelling.corrections_in(data.read_table(content, path.name)).items())
