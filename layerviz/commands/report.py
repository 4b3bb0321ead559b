"""``report``: which layer of a run generalises, at which epoch, and how sure that is."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from layerviz.commands.command import EXIT_OK
from layerviz.commands.help import JSON_HELP, POOLING_HELP
from layerviz.commands.inputs import (
    add_margin_argument,
    add_pooling_argument,
    add_run_argument,
    add_runs_folder,
    expect_margin,
    open_run,
    runs_root,
)

if TYPE_CHECKING:
    from layerviz.runs import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_argument(parser)
    add_pooling_argument(parser, POOLING_HELP)
    add_margin_argument(parser)
    parser.add_argument("--json", action="store_true", help=JSON_HELP)
    add_runs_folder(parser)


class Report(NamedTuple):
    """What is said of a run: for reading, and as values for machines."""

    text: str
    values: dict[str, Any]

    def __repr__(self) -> str:
        return self.text


def report_of(run: Run, pooling: str | None, margin: float) -> Report:
    """Return what is said of a run; what is not measured yet of one that has ended is measured.

    Raises
    ------
    LayervizError
        If nothing of it is measured, or it has no such pooling.
    """
    from layerviz import runs, separability, training
    from layerviz.errors import LayervizError

    if not run.live and separability.unmeasured_sentences(run):
        try:
            training.measure_missing(run)
        except LayervizError:
            if not runs.measured_snapshots(run):
                raise  # else what still cannot be measured is said with the answer
        run = runs.open_folder(run.path)
    poolings = None if pooling is None else (pooling,)
    sheet = separability.sheet_of(run, poolings, [margin])
    answer, search = sheet.answer, None
    if answer.verdict == "found":
        search = separability.search_answer_of(run, answer.best, poolings)
    table = separability.report_table(run, answer.best.pooling)
    slices = separability.all_slices_of(run, answer)
    values = {
        **separability.answer_values(sheet, margin, search, slices),
        "run": run.run_id,
        "troubles": separability.trouble_sentences(run, runs.read_separability(run.path)),
        "cells": json.loads(table.to_json(orient="records")),
    }
    return Report(separability.answer_text(run, sheet, margin, table, search, slices), values)


def run_command(parsed: argparse.Namespace) -> int:
    margin = expect_margin(parsed.margin)
    run = open_run(parsed.which, runs_root(parsed))
    if run.status != "done":
        planned = run.training.get("n_snapshots", len(run.snapshots))
        so_far = f"{len(run.snapshots)} of {planned} snapshots so far"
        print(f"{run.run_id} is {run.status}: {so_far}.", file=sys.stderr)
    report = report_of(run, parsed.pooling or None, margin)
    print(json.dumps(report.values) if parsed.json else report.text)
    return EXIT_OK
