"""``python -m layerviz``: the registry of its commands, and how one of them is run."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from layerviz.commands.arguments import HelpFormatter, Parser
from layerviz.commands.command import EXIT_BAD_INPUT, EXIT_CLOSED, Command, in_module
from layerviz.commands.terminal import OutputError, drop_output, printing_plainly
from layerviz.errors import LayervizError
from layerviz.registry import Registry
from layerviz.starters import starter_names

# One of them is in the environment where this may be one of several processes (see `cluster`).
NAMED_BY_LAUNCHERS = ("WORLD_SIZE", "SLURM_PROCID")

# A new command is a module like report.py and an entry here. Its module is imported when it is
# typed: the list of commands needs none of them.
COMMANDS: Registry[Command] = Registry(
    "command",
    [
        in_module("fit", "fine-tune an encoder on your data and capture every layer"),
        in_module(
            "probe",
            "look at every layer of an encoder as it is, without training it",
            "Capture every layer of an encoder on your data and measure how well each tells the "
            "classes apart. Nothing is trained but the probes: the run has one snapshot, and the "
            "page opens it like any other. `fit --epochs 0` makes the same run.",
        ),
        in_module("list", "list the runs there are, newest first", module="list_runs"),
        in_module(
            "report", "say which layer of a run generalises, at which epoch, and how sure that is"
        ),
        in_module(
            "compare",
            "say which encoder does better on the same data, in which layer, and how sure that is",
            "Compare existing runs (RUN ...), or make them first: one for each --encoder and seed. "
            "Runs that exist with the same settings are reused.",
        ),
        in_module(
            "labels",
            "list labels that may be wrong, correct them, and prove that it helps",
            "List the labels of a run that may be wrong, keep decisions about them, write the data "
            "file with the corrected labels, and train again to see whether they help.",
        ),
        in_module(
            "export",
            "export results: animation, page, pictures, tables, zips",
            "Write results of a run to files. Several may be given at once; existing files are "
            "overwritten.",
        ),
        in_module(
            "push",
            "push the model of a run to the Hugging Face Hub, with a card",
            "Push the fine-tuned model of a run to the Hugging Face Hub: its folder, and a card "
            "with the answer, the scores and a heat map. It is private, and holds none of your "
            "texts, unless you say otherwise. Sign in with `hf auth login` first.",
        ),
        in_module("import", "open a run that was zipped elsewhere", module="import_run"),
        in_module(
            "pretrain", "pre-train an encoder on unlabelled texts, or train one further", alone=True
        ),
        in_module(
            "bench",
            "compare layerviz with the plain way of doing the same",
            "Without a name: tutorial, capture, maps, alignment, train, epoch, page, memory, start "
            "and growth, as one table.",
            alone=True,
        ),
    ],
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit status.

    Where it was started as one of several processes, the first of them runs it, and the others help
    with what is trained.
    """
    with printing_plainly():
        if not any(name in os.environ for name in NAMED_BY_LAUNCHERS):
            return _run(arguments)

        from layerviz.cluster.peers import launched_peer
        from layerviz.commands.run_together import run_together

        try:
            peer = launched_peer()
            if peer is None:
                return _run(arguments)
            return run_together(peer, lambda: _run(arguments))
        except LayervizError as error:  # they do not find each other
            return _refused(error)


def _run(arguments: Sequence[str] | None) -> int:
    parsed = parser().parse_args(arguments)
    import logging  # help is shown without

    logging.basicConfig(level=logging.WARNING, format="%(message)s", stream=sys.stderr)
    try:
        command = COMMANDS[parsed.command]
        if command.alone:
            from layerviz.commands.run_together import expect_one_process

            expect_one_process(command.name)
        status = command.run(parsed)
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
        return _refused(error)


def _refused(error: LayervizError) -> int:
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
            add_arguments=command.add_arguments,
        )
        own.set_defaults(command=command.name)
    return top
