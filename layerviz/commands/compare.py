"""``compare``: which encoder does better on the same data; runs that are missing are made first."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sized
from itertools import permutations
from typing import TYPE_CHECKING

from layerviz import interrupts
from layerviz.commands.checking import checked_plans, print_checks
from layerviz.commands.command import EXIT_OK
from layerviz.commands.help import ENCODER_HELP, JSON_HELP, POOLING_HELP
from layerviz.commands.inputs import (
    add_data_arguments,
    add_margin_argument,
    add_pooling_argument,
    add_runs_folder,
    expect_margin,
    keep_files,
    open_run,
    print_notes_of,
    read_dataset,
    read_files,
    runs_root,
)
from layerviz.commands.making import create_run, finish_run
from layerviz.commands.setting_arguments import add_settings, run_config
from layerviz.config import SETTINGS
from layerviz.errors import ConfigError

if TYPE_CHECKING:
    from layerviz.runs import Run


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("which", metavar="RUN", nargs="*", help="ids or folders of runs")
    add(
        "--encoder", action="append", default=[], help=f"{ENCODER_HELP}; repeat it for each encoder"
    )
    add("--seeds", type=int, default=1, help="runs per encoder, from --seed on")
    add_pooling_argument(parser, POOLING_HELP)
    add_margin_argument(parser)
    add("--json", action="store_true", help=JSON_HELP)
    add_data_arguments(parser)
    add_settings(parser, SETTINGS)
    add_runs_folder(parser)


def run_command(parsed: argparse.Namespace) -> int:
    if bool(parsed.which) == bool(parsed.encoder):
        raise ConfigError(
            "You gave both runs and encoders." if parsed.which else "Nothing to compare was given.",
            "Give the ids of two or more runs, or --data and an --encoder for each encoder.",
        )
    margin = expect_margin(parsed.margin)
    if parsed.which:
        _expect_several(set(parsed.which))  # before one of them is measured
        runs = [open_run(which, runs_root(parsed)) for which in parsed.which]
        runs = list({run.path: run for run in runs}.values())
        _expect_several(runs)
    else:
        runs = _runs_of_encoders(parsed)
        if any(run.status != "done" for run in runs):
            return interrupts.exit_status()

    from layerviz import comparison

    if relabelled := _relabel_sentences(runs):
        print(json.dumps({"relabelled": relabelled}) if parsed.json else " ".join(relabelled))
        return EXIT_OK
    contenders = comparison.contenders_of(runs)
    poolings = (parsed.pooling,) if parsed.pooling else None
    compared = comparison.compare_contenders(contenders, poolings, margin)
    table = comparison.comparison_table(compared, contenders)
    trial = _trial_sentences(runs, margin)
    if parsed.json:
        values = comparison.comparison_values(compared, table)
        print(json.dumps(values | ({"trial": trial} if trial else {})))
    else:
        print(comparison.comparison_text(compared, table))
        if trial:
            print("\n" + " ".join(trial))
    return EXIT_OK


def _expect_several(given: Sized) -> None:
    if len(given) < 2:
        raise ConfigError("Only one run was given.", "Give two or more; `list` shows their ids.")


def _trial_sentences(runs: list[Run], margin: float) -> list[str]:
    """Return what is said of two runs of which one is the other made cheaper; else nothing."""
    from layerviz import comparison

    for base, trial in permutations(runs, 2) if len(runs) == 2 else ():
        if comparison.is_trial_of(base, trial):
            verdict = comparison.compare_trial(base, trial, margin)
            return comparison.trial_sentences(verdict, comparison.trial_name(trial))
    return []


def _relabel_sentences(runs: list[Run]) -> list[str]:
    """Return what is said of two runs of which one has corrected labels; else nothing."""
    from layerviz import comparison, relabelling

    for base, other in permutations(runs, 2) if len(runs) == 2 else ():
        if relabelling.is_relabelled(base, other):
            return comparison.relabel_sentences(comparison.compare_relabelled(base, other))
    return []


def _runs_of_encoders(parsed: argparse.Namespace) -> list[Run]:
    """Make a run for every encoder and seed, one after the other, until one is stopped."""
    if parsed.data is None:
        raise ConfigError("There is no data to compare on.", "Name a file with --data.")
    if parsed.seeds < 1:
        raise ConfigError(f"Seeds is {parsed.seeds}.", "Give 1 or more.")
    names = list(dict.fromkeys(parsed.encoder))
    if len(names) < 2:
        once = len(parsed.encoder) < 2
        raise ConfigError(
            f"Only one encoder was given: {names[0]}."
            if once
            else f"The same encoder was given twice: {names[0]}.",
            "Give another one with a second --encoder; to compare settings, make runs with fit "
            "and give their ids.",
        )
    configs = [
        run_config(parsed, encoder, parsed.seed + offset)
        for encoder in names
        for offset in range(parsed.seeds)
    ]
    files = read_files(parsed)
    dataset = read_dataset(parsed, files)

    from layerviz import encoders

    for config in configs:  # before the first of them is trained
        encoders.expect_on_disk(config.encoder)
    root = runs_root(parsed)
    plans = checked_plans(configs, dataset, root)
    should_stop = interrupts.stop_in_good_order()
    runs: list[Run] = []
    for number, config in enumerate(configs, start=1):
        run = create_run(config, dataset, root)
        if number == 1:
            keep_files(files, root)
            print_notes_of(dataset)
            print_checks(plans, root)
        which = f"Run {number} of {len(configs)}: {config.encoder}, seed {config.seed}"
        print(which, file=sys.stderr)
        runs.append(finish_run(run, dataset, should_stop))
        if runs[-1].status != "done":
            break
    interrupts.work_is_over()
    return runs
