"""``probe``: look at an encoder as it is, without training it."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.commands import fit
from layerviz.commands.inputs import add_data_arguments, add_runs_folder
from layerviz.commands.setting_arguments import add_settings
from layerviz.config import LOOK_SETTINGS, SETTINGS


def add_arguments(parser: argparse.ArgumentParser) -> None:
    fit.add_encoder_argument(parser)
    parser.add_argument(
        "--checkpoints",
        type=Path,
        metavar="FOLDER",
        help="instead of an encoder: a folder with the checkpoint-* folders of a Trainer of your "
        "own, of each of which a snapshot is made, with its own classification head",
    )
    add_data_arguments(parser, sample=True)
    add_settings(parser, {name: SETTINGS[name] for name in LOOK_SETTINGS})
    add_runs_folder(parser)
    parser.set_defaults(epochs=0)


def run_command(parsed: argparse.Namespace) -> int:
    return fit.run_command(parsed)
