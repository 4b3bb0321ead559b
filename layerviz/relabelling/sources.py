"""The files that a run was made from, read again as they were read then."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from layerviz import data, runs
from layerviz.data import Columns, Corrections, Dataset, RowChoices, Table
from layerviz.errors import DataError, RunError
from layerviz.runs import Run


@dataclass(frozen=True)
class Sources:
    """Files of a run.

    Parameters
    ----------
    contents : dict of str to bytes
        By role.
    tables : dict of str to Table
    columns : Columns
        Of the train file.
    choices : RowChoices
        As the run was made.
    val_fraction : float or None
        None where val was not cut from train.
    """

    contents: Mapping[str, bytes]
    tables: Mapping[str, Table]
    columns: Columns
    choices: RowChoices
    val_fraction: float | None

    def dataset(self, corrections: Corrections) -> Dataset:
        """Return their data set with some labels corrected; rows stay in their splits."""
        return data.build_dataset(
            self.tables["train"],
            self.columns,
            val=self.tables.get("val"),
            test=self.tables.get("test"),
            val_fraction=data.VAL_FRACTION if self.val_fraction is None else self.val_fraction,
            choices=replace(self.choices, corrections=tuple(corrections.items())),
        )


def sources_of(run: Run, chosen: Dataset | None = None) -> Sources:
    """Read the files of a run that are kept in its runs folder.

    Parameters
    ----------
    run : Run
    chosen : Dataset, optional
        The run's data as they are chosen on the page: they say which files are meant where the run,
        made by an earlier version, does not.

    Raises
    ------
    RunError
        If a file is not kept.
    DataError
        If one cannot be read as it was.
    """
    files, hashes = run.dataset.get("files", {}), run.contents
    readings, columns = run.reading_choices, Columns(**run.dataset["columns"])
    if not hashes and chosen is not None:
        files, hashes = chosen.files, chosen.contents
        readings, columns = chosen.reading_choices, chosen.columns
    if "train" not in hashes:
        raise RunError(
            "Which files this run was made from is not recorded.",
            "Choose its data in the sidebar.",
        )
    contents: dict[str, bytes] = {}
    for role, content_hash in hashes.items():
        contents[role] = _content(run, files.get(role, f"the {role} file"), content_hash)
    tables = {
        role: data.read_table(
            content, files.get(role, run.dataset["name"]), readings.get(role, data.GUESS)
        )
        for role, content in contents.items()
    }
    return Sources(contents, tables, columns, run.row_choices, run.dataset["val_fraction"])


def _content(run: Run, name: str, content_hash: str) -> bytes:
    root, key = run.path.parent, runs.table_key(content_hash)
    sample = data.sample_content()
    if hashlib.sha256(sample).hexdigest() == content_hash:
        return sample
    if not runs.has_table(root, key):
        raise RunError(
            f"{name}, from which this run was made, is not kept here.",
            "Choose the same file in the sidebar (Your file): it is kept then.",
        )
    return runs.read_kept_table(root, key).content


def relabelled_dataset(run: Run, sources: Sources, corrections: Corrections) -> Dataset:
    """Return the data of a run with corrected labels, every row in the split in which it was.

    Raises
    ------
    DataError
        If the files give other data than those of the run, or no train row is left of a class.
    RunError
        If the labels are those that the run has already.
    """
    before = sources.dataset(dict(run.row_choices.corrections))
    if before.fingerprint != run.dataset["fingerprint"]:
        raise DataError(
            "Read today, the files of this run give other rows or splits than they gave then.",
            "Make a run on them first, and correct the labels there.",
        )
    corrected = sources.dataset(corrections)
    if corrected.fingerprint == before.fingerprint:
        raise RunError(
            "With these decisions the labels are those of this run: there is nothing to compare.",
            "Correct other labels.",
        )
    return corrected
