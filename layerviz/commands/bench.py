"""``bench``: compare layerviz with the plain way, by one bench or by all that have a goal."""

from __future__ import annotations

import argparse
import json

from layerviz.commands.arguments import HelpFormatter
from layerviz.commands.bench_entry import DRAWN_HELP, Measured, drawn_run, print_line
from layerviz.commands.benches import BENCHES
from layerviz.commands.command import EXIT_FAILED, EXIT_OK
from layerviz.commands.help import JSON_HELP
from layerviz.commands.inputs import add_runs_folder
from layerviz.errors import ConfigError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.set_defaults(bench=None)
    parser.add_argument("--json", action="store_true", help=JSON_HELP)
    parser.add_argument("--run", dest="which", metavar="RUN", help=DRAWN_HELP)
    add_runs_folder(parser)
    benches = parser.add_subparsers(metavar="WHAT")
    for bench in BENCHES.values():
        own = benches.add_parser(
            bench.name, help=bench.help, description=bench.help, formatter_class=HelpFormatter
        )
        own.set_defaults(bench=bench.name)
        # What is given before the name holds, unless it is given again after it.
        own.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help=JSON_HELP)
        bench.add_arguments(own)


def run_command(parsed: argparse.Namespace) -> int:
    bench = None if parsed.bench is None else BENCHES[parsed.bench]
    if parsed.which and bench is not None and not bench.draws:
        raise ConfigError(f"bench {bench.name} does not draw a run.", "Leave out --run.")
    result, text = _measure_all(parsed) if bench is None else bench.measure(parsed)
    print(json.dumps(result, indent=2) if parsed.json else text)
    if bench is not None and bench.has_failed is not None and bench.has_failed(result):
        return EXIT_FAILED
    return EXIT_OK


def _measure_all(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import everything

    result = everything.measure(everything.benches(drawn_run(parsed)), print_line=print_line)
    return result, everything.as_text(result)
