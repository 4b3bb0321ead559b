"""``fit``: fine-tune an encoder on a data set and print the answer that its layers give."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from layerviz import interrupts
from layerviz.commands.checking import checked_plans, print_checks
from layerviz.commands.command import EXIT_OK
from layerviz.commands.help import ENCODER_HELP
from layerviz.commands.inputs import (
    GivenFile,
    add_data_arguments,
    add_runs_folder,
    keep_files,
    print_notes_of,
    read_dataset,
    read_files,
    runs_root,
)
from layerviz.commands.making import create_run, finish_run
from layerviz.commands.setting_arguments import add_settings, run_config
from layerviz.config import FAMILIES, SETTINGS
from layerviz.progress import ShouldStop
from layerviz.starters import starter_names

if TYPE_CHECKING:
    from layerviz.runs import Run


def add_encoder_argument(parser: argparse._ActionsContainer) -> None:
    """Add the encoder; the first that is bundled stands in where none is given."""
    parser.add_argument(
        "--encoder",
        default=next(iter(starter_names()), f"scratch-{FAMILIES[0]}"),
        help=ENCODER_HELP,
    )


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_encoder_argument(parser)
    add_data_arguments(parser, sample=True)
    add_settings(parser, SETTINGS)
    add_runs_folder(parser)


def fit_files(
    parsed: argparse.Namespace,
    read: Callable[[], Mapping[str, GivenFile]],
    stopping: Callable[[], ShouldStop],
) -> Run:
    """Return the run that options and files ask for, when it is done or was stopped.

    Parameters
    ----------
    parsed : Namespace
        What the parser of ``fit`` made of the options.
    read : callable
        Called once the settings are known to be sound; returns files as `read_files` does.
    stopping : callable
        Called once training is about to begin; returns what asks whether to stop.

    Raises
    ------
    LayervizError
        If data, settings or encoder cannot be used, or the run fails.
    """
    # Data and settings are checked before torch is imported: bad input is answered at once.
    config = run_config(parsed, parsed.encoder, parsed.seed)
    files = read()
    dataset = read_dataset(parsed, files)

    from layerviz import encoders

    encoders.expect_on_disk(config.encoder)
    root = runs_root(parsed)
    plans = checked_plans([config], dataset, root)
    run = create_run(config, dataset, root)
    keep_files(files, root)
    print_notes_of(dataset)
    print_checks(plans, root)
    return finish_run(run, dataset, stopping())


def run_command(parsed: argparse.Namespace) -> int:
    """Do what a command asks for, print its answer and its folder; return the exit status."""
    run = fit_files(parsed, lambda: read_files(parsed), interrupts.stop_in_good_order)
    interrupts.work_is_over()
    if run.status == "done":
        from layerviz import runs, separability, training

        endings = (
            separability.untrained_sentence(run),
            training.early_stop_of(run),
            training.model_sentence(run),
        )
        for ending in filter(None, endings):
            print(ending, file=sys.stderr)
        sentences = []
        if runs.measured_snapshots(run):
            sheet = separability.current_sheet(run)  # kept with the run: page and report read it
            decision = sheet.decision(separability.MARGIN)
            sentences = separability.lead_sentences(sheet.answer, decision)
        print(" ".join(sentences), file=sys.stderr)
        for sentence in separability.trouble_sentences(run, runs.read_separability(run.path)):
            print(sentence, file=sys.stderr)
    print(run.path)
    return EXIT_OK if run.status == "done" else interrupts.exit_status()
