"""README's pictures, made anew."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.commands.bench_entry import Bench, Measured, print_line

# --- pictures ----------------------------------------------------------------------------------


def _add_pictures(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--out", type=Path, default=Path(".readme"), help="folder that they are written to")
    add("--only", nargs="+", metavar="NAME", help="some of them: page, layers, ..., tour")
    runs_help = "finished runs of all starters on one data set (default: trained on the sample)"
    add("--runs", type=Path, default=argparse.SUPPRESS, help=runs_help)


def _make_pictures(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import pictures

    result = pictures.measure(parsed.runs, parsed.out, names=parsed.only, print_line=print_line)
    return result, pictures.as_text(result)


PICTURES = Bench(
    "pictures",
    "README's pictures and its tour, made anew from the page as it is",
    _add_pictures,
    _make_pictures,
)
