"""What a command is: its name, its help, its arguments and what it does."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

EXIT_OK, EXIT_FAILED, EXIT_BAD_INPUT = 0, 1, 2  # see also `interrupts.exit_status`
EXIT_CLOSED = 141  # nobody reads the results any more: 128 and the number of SIGPIPE, as in shells


@dataclass(frozen=True)
class Command:
    """One command of ``python -m layerviz``.

    Parameters
    ----------
    name : str
        What is typed.
    help : str
        One line for the list of commands.
    add_arguments : callable
        Adds what it understands to its parser, without loading anything heavy.
    run : callable
        Does the work with what was parsed and returns the exit status. Results go to stdout,
        all else to stderr; bad input is a `LayervizError`. Heavy libraries are imported here.
    description : str
        What its own help says first.
    alone : bool
        Whether it trains what it does not share with further processes, if it was started as
        several.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    description: str = ""
    alone: bool = False


def in_module(
    name: str, help: str, description: str = "", *, module: str = "", alone: bool = False
) -> Command:
    """Return a command whose module is imported when it is typed, as is its help.

    Parameters
    ----------
    name, help, description, alone
        As of a `Command`.
    module : str
        Of this package, by default called as the command is. It has ``add_arguments`` and
        ``run_command``.
    """
    path = f"layerviz.commands.{module or name}"

    def function(of_module: str) -> Callable[[Any], Any]:
        return lambda argument: getattr(import_module(path), of_module)(argument)

    functions = function("add_arguments"), function("run_command")
    return Command(name, help, *functions, description, alone)
