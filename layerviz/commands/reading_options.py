"""How files are to be read, on the command line: what is not given is guessed."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from layerviz.commands.choosing import OF_OWN_FILES
from layerviz.wording import enumeration

if TYPE_CHECKING:
    from layerviz.data import Doubt, ReadingChoices

_OPTIONS = {
    "encoding": "such as utf-8, cp1252 or gb18030",
    "delimiter": "a character, or comma, semicolon, tab or pipe",
    "quotes": "double, backslash (double, with a backslash before those inside), single or none",
    "header-line": "the line that names the columns, counted from 1; 0 if none does",
}


def add_reading_arguments(
    parser: argparse.ArgumentParser, roles: Iterable[str] = OF_OWN_FILES
) -> None:
    """Add encoding, delimiter, quotation marks and the header's line, also for files of roles."""
    for option, what in _OPTIONS.items():
        parser.add_argument(f"--{option}", help=f"of the files, if it is not to be guessed: {what}")
    for role in roles:
        for option in _OPTIONS:
            parser.add_argument(
                f"--{role}-{option}", help=f"of --{role}, if it is not that of the others; or guess"
            )


def reading_choices_of(parsed: argparse.Namespace, role: str) -> ReadingChoices:
    """Return how the file of a role is to be read.

    Raises
    ------
    DataError
        If an option has no such value.
    """
    from layerviz import data

    values: dict[str, Any] = {}
    for option in _OPTIONS:
        name = option.replace("-", "_")
        own = getattr(parsed, f"{role}_{name}", None)
        values[name] = getattr(parsed, name) if own is None else own
    return data.reading_choices(**values)


def reading_switches(doubts: Iterable[Doubt]) -> list[str]:
    """Say with which options files are read otherwise, if a guess is in doubt."""
    choices = dict.fromkeys(name for doubt in doubts for name in doubt.choices)
    options = [f"--{name.replace('_', '-')}" for name in choices]
    return [f"Choose with {enumeration(options)}."] if options else []
