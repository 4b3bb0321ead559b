"""Settings as arguments of the command line, and the configurations that they make."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Any

from layerviz.config import SETTINGS, RunConfig
from layerviz.pretrain_config import PRETRAIN_SETTINGS, PretrainConfig
from layerviz.settings import Choice, Name, Number, Setting, Switch, Whole, option_of

FEWER_LAYERS = {"distilbert": 6}  # where a family has other than the default number of them


def add_settings(parser: argparse.ArgumentParser, settings: Mapping[str, Setting]) -> None:
    """Add an argument for every setting."""
    for entry in settings.values():
        if not entry.is_asked:
            continue
        options: dict[str, Any] = {"dest": entry.name, "help": entry.help.replace("%", "%%")}
        match entry.kind:
            case Switch():
                options["action"] = "store_true"
            case Choice(names):
                options["choices"] = names
                if entry.bare:
                    options |= {"nargs": "?", "const": entry.bare}
            case Whole():
                options["type"] = int
            case Number():
                options["type"] = float
            case Name():
                options["metavar"] = "ENCODER"
        if entry.required:
            options["required"] = True
        elif not entry.resolved_late:
            options["default"] = entry.default
        parser.add_argument(entry.option, **options)
        if entry.formerly is not None:
            parser.add_argument(
                option_of(entry.formerly.name),
                dest=entry.name,
                action="store_const",
                const=entry.formerly.value,
                default=argparse.SUPPRESS,
                help=f"the same as {' '.join(entry.words(entry.formerly.value))}",
            )


def values_of(parsed: argparse.Namespace, settings: Mapping[str, Setting]) -> dict[str, Any]:
    """Return what was given or has a default, by the names of the settings.

    A command may do without some of them.
    """
    values = {name: getattr(parsed, name, None) for name in settings}
    return {name: value for name, value in values.items() if value is not None}


def run_config(parsed: argparse.Namespace, encoder: str, seed: int) -> RunConfig:
    """Return the settings of a run; what suits the encoder is left open where nothing is given."""
    return RunConfig.from_dict(values_of(parsed, SETTINGS) | {"encoder": encoder, "seed": seed})


def pretrain_config(parsed: argparse.Namespace) -> PretrainConfig:
    """Return the settings of a pre-training."""
    values = values_of(parsed, PRETRAIN_SETTINGS)
    if "layers" not in values and parsed.family in FEWER_LAYERS:
        values["layers"] = FEWER_LAYERS[parsed.family]
    return PretrainConfig(**values)
