"""``bench start``: what commands, the first page and later visits cost before they do anything."""

from __future__ import annotations

import argparse
from pathlib import Path

from layerviz.commands.bench_entry import TEXTS_HELP, Bench, Measured, bench_table


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--data", type=Path, help=TEXTS_HELP)
    add("--n-train", type=int, default=2000, help="points of train")
    add("--n-val", type=int, default=1000, help="points of val")
    add("--repeats", type=int, default=5, help="how often everything is started and visited")


def _measure(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import start

    result = start.measure(
        bench_table(parsed), n_train=parsed.n_train, n_val=parsed.n_val, repeats=parsed.repeats
    )
    return result, start.as_text(result)


START = Bench(
    "start",
    "processor seconds of commands before they do anything, of the first page and of later visits",
    _add_arguments,
    _measure,
)
