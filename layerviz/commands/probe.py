"""``probe``: look at an encoder as it is, without training it."""

from __future__ import annotations

import argparse

from layerviz.commands.command import Command
from layerviz.commands.fit import add_encoder_argument, fit_and_tell
from layerviz.commands.inputs import add_data_arguments, add_runs_folder
from layerviz.commands.setting_arguments import add_settings
from layerviz.config import SETTINGS

# The others say how to train.
SETTINGS_OF_A_LOOK = ("max_length", "seed", "max_captured", "keep_layers")


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_encoder_argument(parser)
    add_data_arguments(parser, sample=True)
    add_settings(parser, {name: SETTINGS[name] for name in SETTINGS_OF_A_LOOK})
    add_runs_folder(parser)
    parser.set_defaults(epochs=0)


PROBE = Command(
    "probe",
    "look at every layer of an encoder as it is, without training it",
    _add_arguments,
    fit_and_tell,
    description="Capture every layer of an encoder on your data and measure how well each tells "
    "the classes apart. Nothing is trained but the probes: the run has one snapshot, and the page "
    "opens it like any other. `fit --epochs 0` makes the same run.",
)
