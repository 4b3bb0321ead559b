"""The files and runs that a command is given: read, or refused in one sentence."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from layerviz.commands.bar import Bar
from layerviz.commands.choosing import add_row_arguments, columns_of, row_choices_of, switches
from layerviz.commands.files import read_bytes
from layerviz.commands.help import DATA_HELP, RUN_HELP, RUNS_HELP
from layerviz.commands.reading_options import (
    add_reading_arguments,
    reading_choices_of,
    reading_switches,
)
from layerviz.errors import ConfigError, RunError
from layerviz.poolings import POOLINGS

if TYPE_CHECKING:
    from layerviz.data import Dataset, Table
    from layerviz.runs import Run


def add_data_arguments(parser: argparse.ArgumentParser, *, sample: bool = False) -> None:
    """Add the files of a data set and their columns; `sample` stands in where none is given."""
    add = parser.add_argument
    by_default = "; by default the bundled sample, as on the page" if sample else ""
    add("--data", type=Path, help=f"{DATA_HELP}{by_default}")
    add("--val", type=Path, help="file with the val examples")
    add("--test", type=Path, help="file with the test examples")
    add_reading_arguments(parser)
    add_row_arguments(parser)
    add(
        "--val-fraction",
        type=float,
        default=0.2,
        help="share of train that is held out where there is no val",
    )


def add_run_argument(parser: argparse.ArgumentParser) -> None:
    """Add a run, by its id or its folder."""
    parser.add_argument("which", metavar="RUN", help=RUN_HELP)


def add_pooling_argument(parser: argparse.ArgumentParser, what: str) -> None:
    """Add a pooling. Its help lists the registered ones; the run may hold others and decides."""
    parser.add_argument("--pooling", metavar=f"{{{','.join(POOLINGS)}}}", help=what)


def add_margin_argument(parser: argparse.ArgumentParser) -> None:
    """Add the loss that is given away where layers are left out."""
    parser.add_argument(
        "--margin",
        "--delta",
        type=float,
        default=0.02,
        help="loss of macro-F1 that is given away for fewer layers, 0.01 to 0.2; default 0.02",
    )


def expect_margin(margin: float) -> float:
    """Return the margin that was given.

    Raises
    ------
    ConfigError
        If it is out of range.
    """
    if not 0.01 <= margin <= 0.2:
        raise ConfigError(
            f"A margin of {margin:g} macro-F1 is out of range.", "Give a value from 0.01 to 0.2."
        )
    return margin


def add_runs_folder(parser: argparse.ArgumentParser) -> None:
    """Add the folder of all runs."""
    parser.add_argument("--runs", type=Path, help=RUNS_HELP)


class GivenFile(NamedTuple):
    """A file that a command was given, as it was read; a folder or a Hub's data set is packed."""

    name: str
    content: bytes


def given_file(path: Path) -> GivenFile:
    """Return a file, a folder or a data set of the Hugging Face Hub, with a bar while that comes.

    Raises
    ------
    DataError
        If it cannot be read or had.
    """
    from layerviz import data

    if data.is_hub_name(str(path)):
        name = data.parse_hub_name(str(path))
        with Bar() as bar:
            content = data.download_dataset(name, bar.show)
        return GivenFile(str(name), content)
    if path.is_dir():
        return GivenFile(path.resolve().name, data.pack_folder(path))
    return GivenFile(path.name, read_bytes(path))


def table_of(path: Path) -> Table:
    """Return the table in a file, a folder or a data set of the Hugging Face Hub."""
    from layerviz import data

    file = given_file(path)
    return data.read_table(file.content, file.name)


def read_files(parsed: argparse.Namespace) -> dict[str, GivenFile]:
    """Return the files that were given, by "data", "val" and "test"; each is read once.

    Raises
    ------
    DataError
        If one cannot be read.
    """
    paths = {"data": parsed.data, "val": parsed.val, "test": parsed.test}
    return {part: given_file(path) for part, path in paths.items() if path is not None}


def read_dataset(
    parsed: argparse.Namespace, files: Mapping[str, GivenFile] | None = None
) -> Dataset:
    """Return the data set in the files that were given, or the bundled sample.

    Parameters
    ----------
    parsed : Namespace
    files : mapping of str to GivenFile, optional
        As `read_files` returns them; without, they are read now.

    Raises
    ------
    DataError
        If they cannot be used.
    """
    from layerviz import data

    given = read_files(parsed) if files is None else files
    tables = {
        part: data.read_table(file.content, file.name, reading_choices_of(parsed, part))
        for part, file in given.items()
    }
    train = tables["data"] if "data" in tables else data.sample_table()
    columns = columns_of(parsed, train)
    return data.build_dataset(
        train,
        columns,
        val=tables.get("val"),
        test=tables.get("test"),
        val_fraction=parsed.val_fraction,
        seed=0,
        choices=row_choices_of(parsed, train, columns, tables),
    )


def keep_files(files: Mapping[str, GivenFile], root: Path) -> None:
    """Keep the files that were given with the runs, so that the page finds a run's data again.

    They are kept as they were read, whatever has become of them since. One that cannot be kept is
    no reason to stop: the page says which one to choose.
    """
    from layerviz import runs

    for file in files.values():
        with suppress(RunError):
            runs.keep_table(root, file.content, file.name)


def print_notes_of(dataset: Dataset) -> None:
    """Print what was done to a data set, and the options that would have done otherwise."""
    print_notes([*dataset.notes, *reading_switches(dataset.reading_doubts), *switches(dataset)])


def print_notes(notes: Iterable[str]) -> None:
    """Print what was guessed, cut and left out."""
    for note in notes:
        print(note, file=sys.stderr)


def runs_root(parsed: argparse.Namespace) -> Path:
    """Return the folder of all runs, tidied of what processes that died have left there."""
    from layerviz import runs

    root: Path = (parsed.runs or runs.runs_folder()).expanduser().resolve()
    runs.tidy(root)
    return root


def open_run(which: str, root: Path) -> Run:
    """Return a run given by its id or its folder; snapshots without measures are measured."""
    from layerviz import runs, separability

    folder = Path(which).expanduser()
    if runs.Layout(folder).record.is_file():
        run = runs.open_folder(folder.resolve())
    else:
        run = runs.read(root, which)
    for index in runs.unmeasured_snapshots(run):
        print(f"Measuring snapshot {index} of {run.run_id}", file=sys.stderr)
        separability.measure_snapshot(run, index)
    return run
