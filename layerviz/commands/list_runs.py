"""``list``: the runs there are, as a table or for machines."""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
from typing import TYPE_CHECKING

from layerviz.commands.command import EXIT_OK
from layerviz.commands.help import JSON_HELP
from layerviz.commands.inputs import add_runs_folder, runs_root
from layerviz.commands.terminal import as_plain
from layerviz.starters import starter_names
from layerviz.wording import epoch_number, named, quote

if TYPE_CHECKING:
    from layerviz.runs import RunSummary

# What can be sorted by: the field of a run's summary, and whether the highest comes first.
ORDERS = {
    "date": ("created", True),
    "data": ("data", False),
    "encoder": ("encoder", False),
    "epochs": ("epochs", True),
    "val-f1": ("val_macro_f1", True),
    "status": ("status", False),
    "id": ("run_id", False),
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--sort",
        choices=tuple(ORDERS),
        default="date",
        help="newest dates and highest numbers come first, names by the alphabet",
    )
    parser.add_argument("--json", action="store_true", help=JSON_HELP.replace("object", "list"))
    add_runs_folder(parser)


def run_command(parsed: argparse.Namespace) -> int:
    from layerviz import runs

    root = runs_root(parsed)
    folder = runs.runs_in(root)
    summaries = _in_order([runs.summary_of(run) for run in folder.runs], parsed.sort)
    for one in folder.unreadable:
        print(f"{quote(one.name)} cannot be shown: {one.reason}", file=sys.stderr)
    if parsed.json:
        print(json.dumps([dataclasses.asdict(summary) for summary in summaries]))
    elif summaries:
        print(_table(summaries))
    else:
        encoder = next(iter(starter_names()), "scratch-bert")
        print(
            f"There are no runs in {root} yet. Make one: python -m layerviz fit --encoder "
            f"{encoder} --data FILE.csv",
            file=sys.stderr,
        )
    return EXIT_OK


def _in_order(summaries: list[RunSummary], by: str) -> list[RunSummary]:
    """Return the runs in an order; those that lack what it goes by come last."""
    field, highest_first = ORDERS[by]
    having = [one for one in summaries if getattr(one, field) is not None]
    lacking = [one for one in summaries if getattr(one, field) is None]
    return [*sorted(having, key=lambda one: getattr(one, field), reverse=highest_first), *lacking]


def _table(summaries: list[RunSummary]) -> str:
    rows = [("date (UTC)", "data", "encoder", "epochs", "val F1", "status", "id")]
    for one in summaries:
        rows.append(
            (
                one.created[:16].replace("T", " "),
                one.data,
                one.encoder,
                "" if one.epochs is None else epoch_number(one.epochs),
                "" if one.val_macro_f1 is None else f"{one.val_macro_f1:.3f}",
                one.status,
                one.run_id,
            )
        )
    cells = [[as_plain(named(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    numbers = (3, 4)  # columns that are aligned to the right
    lines = (
        "  ".join(
            cell.rjust(width) if index in numbers else cell.ljust(width)
            for index, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in cells
    )
    return "\n".join(line.rstrip() for line in lines)
