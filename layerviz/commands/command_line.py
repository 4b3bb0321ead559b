"""``python -m layerviz``: the registry of its commands, and how one of them is run."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence

from layerviz.commands.arguments import Parser
from layerviz.commands.bench import BENCH
from layerviz.commands.command import EXIT_BAD_INPUT, EXIT_CLOSED, Command
from layerviz.commands.compare import COMPARE
from layerviz.commands.export import EXPORT
from layerviz.commands.fit import FIT
from layerviz.commands.help import HelpFormatter
from layerviz.commands.import_run import IMPORT
from layerviz.commands.labels import LABELS
from layerviz.commands.list_runs import LIST
from layerviz.commands.pretrain import PRETRAIN
from layerviz.commands.probe import PROBE
from layerviz.commands.push import PUSH
from layerviz.commands.report import REPORT
from layerviz.commands.terminal import OutputError, drop_output, printing_plainly
from layerviz.errors import LayervizError
from layerviz.registry import Registry
from layerviz.starters import starter_names

# A new command is a module like report.py and an entry here.
COMMANDS: Registry[Command] = Registry(
    "command", [FIT, PROBE, LIST, REPORT, COMPARE, LABELS, EXPORT, PUSH, IMPORT, PRETRAIN, BENCH]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status."""
    with printing_plainly():
        parsed = parser().parse_args(arguments)
        logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
        try:
            status = COMMANDS[parsed.command].run(parsed)
            sys.stdout.flush()
            return status
        except OutputError as error:
            drop_output()
            if error.is_closed:  # by what reads it, such as head, which has enough
                return EXIT_CLOSED
            hint = "Free some space there, or choose another place."
            print(f"layerviz: {error} {hint}", file=sys.stderr)
            return EXIT_BAD_INPUT
        except LayervizError as error:
            print(f"layerviz: {error.with_ways(error.options)}", file=sys.stderr)
            return EXIT_BAD_INPUT


def parser() -> argparse.ArgumentParser:
    """Return the parser; what it parses carries the name of the ``command``."""
    top = Parser(
        prog="python -m layerviz",
        description="Fine-tune a text classifier and capture how each layer separates its classes.",
        epilog=f"Encoders that come with layerviz: {', '.join(starter_names())}. "
        "COMMAND --help lists what a command understands.",
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS.values():
        own = commands.add_parser(
            command.name,
            help=command.help,
            description=command.description or None,
            formatter_class=HelpFormatter,
        )
        own.set_defaults(command=command.name)
        command.add_arguments(own)
    return top
