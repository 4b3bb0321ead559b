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
    from layerviz import data

    if path is None:
        return ()
    content = read_bytes(path)
    try:
        record = json.loads(content)
        if isinstance(record, dict) and "dataset" in record:
            return data.RowChoices.from_dict(record["dataset"].get("row_choices", {})).corrections
    except (ValueError, AttributeError, RecursionError):
        pass  # no record of a run
    frame = data.read_table(content, path.name).frame
    data.expect_columns(frame, ["id", "new_label"])
    frame = frame[frame["new_label"].str.strip() != ""]
    if frame["id"].duplicated().any():
        raise DataError(
            f"{path.name} corrects {frame['id'][frame['id'].duplicated()].iloc[0]!r:.40} twice.",
            "Keep one row for each id.",
        )
    return tuple(zip(frame["id"].tolist(), frame["new_label"].tolist(), strict=True))
