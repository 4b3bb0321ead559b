"""``report``: which layer of a run generalises, at which epoch, and how sure that is."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

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
from layerviz.errors import LayervizError

if TYPE_CHECKING:
    from layerviz.runs import Run
    from layerviz.separability import AnswerSheet, Report


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_run_argument(parser)
    add_pooling_argument(parser, POOLING_HELP)
    add_margin_argument(parser)
    parser.add_argument("--json", action="store_true", help=JSON_HELP)
    add_runs_folder(parser)


def report_of(run: Run, pooling: str | None, margin: float) -> Report:
    """Return what is said of a run; what is not measured yet of one that has ended is measured.

    Of one that is over it is computed once, and kept with the run.

    Raises
    ------
    LayervizError
        If nothing of it is measured, or it has no such pooling.
    """
    from layerviz import runs, separability

    if not run.live and runs.unmeasured_snapshots(run):
        run = _measured(run)
    poolings = run.poolings if pooling is None else (pooling,)
    if run.live or not set(poolings) <= set(run.poolings):  # the latter is refused
        return _computed(run, poolings, margin)
    stored = separability.read_report(run, poolings, margin)
    if stored is not None:
        return stored
    made_from = separability.report_sources(run)
    report = _computed(run, poolings, margin)
    separability.store_report(run, poolings, margin, report, made_from)
    return report


def _measured(run: Run) -> Run:
    """Return a run with the measures that could not be made before, if they can be made now."""
    from layerviz import runs, separability, training

    if separability.unmeasured_sentences(run):
        try:
            training.measure_missing(run)
        except LayervizError:
            if not runs.measured_snapshots(run):
                raise  # else what still cannot be measured is said with the answer
    return runs.open_folder(run.path)


def _computed(run: Run, poolings: Sequence[str], margin: float) -> Report:
    from layerviz import runs, separability

    sheet = _kept_sheet(run, poolings, margin) or separability.sheet_of(run, poolings, [margin])
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
    text = separability.answer_text(run, sheet, margin, table, search, slices)
    # The same whether it is read or was computed just now.
    return separability.Report(text, json.loads(json.dumps(values)))


def _kept_sheet(run: Run, poolings: Sequence[str], margin: float) -> AnswerSheet | None:
    """Return the answer sheet that `fit` or the page has stored, if it decides for this margin."""
    from layerviz import separability

    if not set(poolings) <= set(run.poolings):
        return None
    stored = separability.read_sheet(run, poolings)
    if stored is None or not stored.is_current:
        return None
    has_decision = not stored.sheet.decisions or stored.sheet.decision(margin) is not None
    return stored.sheet if has_decision else None


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
