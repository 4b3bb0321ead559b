"""``export``: write results of a run to files."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from layerviz.commands.bar import Bar
from layerviz.commands.command import EXIT_OK
from layerviz.commands.inputs import (
    add_pooling_argument,
    add_run_argument,
    add_runs_folder,
    open_run,
    runs_root,
)
from layerviz.config import COLOURINGS, SPLITS, TRAIN_AND_VAL
from layerviz.errors import ConfigError
from layerviz.export import EXPORTS, CellRequest, ExportRequest, write_export
from layerviz.poolings import POOLINGS
from layerviz.projection import DEFAULT_PROJECTION, PROJECTIONS
from layerviz.wording import enumeration, quote


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_argument(parser)
    add = parser.add_argument
    for export in EXPORTS.values():
        add(export.flag, type=Path, metavar="FILE", help=export.help)
    add_pooling_argument(
        parser,
        f"of the hidden states; by default the run's first, as a rule {next(iter(POOLINGS))}, and "
        "that of the answer where a single layer is exported",
    )
    add("--projection", choices=tuple(PROJECTIONS), default=DEFAULT_PROJECTION, help="of the maps")
    add(
        "--colour-by",
        metavar="WHAT",
        default=COLOURINGS[0],
        help=f"what the colours of points mean: {', '.join(COLOURINGS)}, or a further column of "
        "the data that holds numbers, dates or recurring values",
    )
    add(
        "--layers",
        type=_numbers,
        metavar="1,2,11,12",
        help="by default the first four and the last four",
    )
    add(
        "--splits",
        type=_splits,
        metavar="train,val,test",
        help="whose examples the maps show; by default train and val. Test is placed into the maps "
        "as val is",
    )
    add("--chart", choices=("maps", "heat-map"), default="maps", help="what pictures show")
    of_cell = ", ".join(export.flag for export in EXPORTS.values() if export.has_cell)
    add(
        "--at-layer",
        type=_layer,
        metavar="K",
        help=f"of {of_cell}: a number, or 'enough' for the fewest layers that are; by default the "
        "answer's",
    )
    add(
        "--at-epoch",
        type=float,
        metavar="E",
        help=f"of {of_cell}, whose weights must have been kept; by default the answer's",
    )
    add("--parents", action="store_true", help="make the folders of the files if they are missing")
    add(
        "--quote-formulas",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="texts of a CSV that begin with =, +, -, @ or a tab get an apostrophe in front, so "
        "that no spreadsheet runs them as formulas; on by default",
    )
    add("--dark", action="store_true", help="pictures on a dark background")
    add_runs_folder(parser)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a list such as 1,2,11,12."""
    try:
        return tuple(dict.fromkeys(int(part) for part in text.split(",")))
    except ValueError:
        raise argparse.ArgumentTypeError(f"{quote(text)} is not a list such as 1,2,11,12") from None


def _splits(text: str) -> tuple[str, ...]:
    """Return the splits of a list such as train,val,test."""
    chosen = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if unknown := [split for split in chosen if split not in SPLITS]:
        raise argparse.ArgumentTypeError(
            f"{quote(unknown[0])} is no split: choose from {', '.join(SPLITS)}"
        )
    return chosen


def _layer(text: str) -> int | Literal["enough"]:
    """Return the number of a layer, or the word for the fewest that are enough."""
    try:
        return "enough" if text == "enough" else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{quote(text)} is neither a number nor 'enough'"
        ) from None


def _expect_folders(paths: Iterable[Path]) -> None:
    """Refuse files in folders that there are not."""
    for folder in dict.fromkeys(path.parent for path in paths):
        if not folder.is_dir():
            raise ConfigError(
                f"There is no folder {folder}.", "Give --parents to have it made, or another path."
            )


def _make_folders(paths: Iterable[Path]) -> None:
    """Make the folders of files that are missing."""
    for folder in dict.fromkeys(path.parent for path in paths):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"The folder {folder} cannot be made ({error.strerror}).", "Give another path."
            ) from error


def export_request(parsed: argparse.Namespace, snapshot: int | None = None) -> ExportRequest:
    """Return what options ask for; `snapshot` is that of pictures, by default the newest.

    Raises
    ------
    ConfigError
        If there is no such projection or split.
    """
    from layerviz.views import MapsRequest

    maps = MapsRequest(
        parsed.pooling,
        parsed.projection,
        parsed.colour_by,
        parsed.layers or (),
        splits=parsed.splits or TRAIN_AND_VAL,
    )
    return ExportRequest(
        maps,
        parsed.chart,
        parsed.dark,
        snapshot=snapshot,
        cell=CellRequest(parsed.at_layer, parsed.at_epoch, parsed.pooling),
        quote_formulas=parsed.quote_formulas,
    )


def run_command(parsed: argparse.Namespace) -> int:
    paths = {
        name: path.expanduser() for name in EXPORTS if (path := getattr(parsed, name)) is not None
    }
    if not paths:
        options = ", ".join(export.flag for export in EXPORTS.values())
        raise ConfigError("No file to write was given.", f"Give one or more of {options}.")
    if len({path.resolve() for path in paths.values()}) < len(paths):
        raise ConfigError("Two of the files have the same path.", "Give each its own.")

    if (
        not any(EXPORTS[name].has_cell for name in paths)
        and (parsed.at_layer, parsed.at_epoch) != (None,) * 2
    ):
        of_cell = enumeration([export.flag for export in EXPORTS.values() if export.has_cell], "or")
        raise ConfigError(
            "--at-layer and --at-epoch say which layer becomes a model, and none is to.",
            f"Give {of_cell} as well, or leave them out; --layers chooses the maps.",
        )

    if not parsed.parents:
        _expect_folders(paths.values())

    run = open_run(parsed.which, runs_root(parsed))
    if parsed.parents:
        _make_folders(paths.values())
    request = export_request(parsed)
    for name, path in paths.items():
        with Bar(path.name) as bar:
            write_export(run, name, path, request, bar.show)
        print(path)
    return EXIT_OK
