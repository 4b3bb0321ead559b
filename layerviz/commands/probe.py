"""``probe``: look at an encoder as it is, without training it."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.commands import fit
from layerviz.commands.inputs import add_data_arguments, add_runs_folder
from layerviz.commands.setting_arguments import add_settings
from layerviz.config import FROM_CHECKPOINTS, HEAD_BY_NAME, LOOK_SETTINGS, NEW_HEAD, SETTINGS
from layerviz.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    fit.add_encoder_argument(which)
    which.add_argument(
        "--checkpoints",
        type=Path,
        metavar="FOLDER",
        help="instead of an encoder: a folder with the checkpoint-* folders of a Trainer of your "
        "own, of each of which a snapshot is made, with its own classification head",
    )
    add_data_arguments(parser, sample=True)
    add_settings(parser, {name: SETTINGS[name] for name in LOOK_SETTINGS})
    add_runs_folder(parser)
    # No choice of a head is another thing than a new head, which checkpoints cannot have.
    parser.set_defaults(epochs=0, keep_head=None)


def take_checkpoints(parsed: argparse.Namespace) -> None:
    """Let the folder of checkpoints be the encoder, where one was given.

    Raises
    ------
    ConfigError
        If their heads are not to be kept.
    """
    if parsed.checkpoints is None:
        return
    if parsed.keep_head == NEW_HEAD:
        raise ConfigError(
            "Checkpoints are captured with their own classification heads, and --keep-head no "
            "asks for a new one.",
            "Leave it out, or give one of the checkpoints as the encoder.",
        )
    parsed.encoder, parsed.trained_by = str(parsed.checkpoints.expanduser()), FROM_CHECKPOINTS
    parsed.keep_head = parsed.keep_head or HEAD_BY_NAME


def run_command(parsed: argparse.Namespace) -> int:
    take_checkpoints(parsed)
    return fit.run_command(parsed)
