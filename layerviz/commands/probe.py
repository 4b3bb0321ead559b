"""``probe``: look at an encoder as it is, without training it."""

from __future__ import annotations

import argparse

from layerviz.commands import fit
from layerviz.commands.inputs import add_data_arguments, add_runs_folder
from layerviz.commands.setting_arguments import add_settings
from layerviz.config import SETTINGS

# The others say how to train.
SETTINGS_OF_A_LOOK = ("max_length", "seed", "max_captured", "keep_layers", "keep_head")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    fit.add_encoder_argument(parser)
    add_data_arguments(parser, sample=True)
    add_settings(parser, {name: SETTINGS[name] for name in SETTINGS_OF_A_LOOK})
    add_runs_folder(parser)
    parser.set_defaults(epochs=0)


def run_command(parsed: argparse.Namespace) -> int:
    return fit.run_command(parsed)
