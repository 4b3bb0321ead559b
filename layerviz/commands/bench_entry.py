"""What a benchmark is to the command line, and what several of them understand."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from layerviz.commands.arguments import FORMATS_MARK
from layerviz.commands.inputs import open_run, runs_root, table_of

if TYPE_CHECKING:
    from layerviz.data import Table
    from layerviz.runs import Run

Measured = tuple[dict[str, Any], str]  # a result, and the same for people

DRAWN_HELP = "a finished run whose states are drawn (default: bert-mini trained on the sample)"
TEXTS_HELP = f"file with texts and labels, {FORMATS_MARK} (default: the sample)"


@dataclass(frozen=True)
class Bench:
    """One benchmark.

    Parameters
    ----------
    name : str
        What is typed after ``bench``.
    help : str
        What it measures.
    add_arguments : callable
        Adds what it understands to its parser.
    measure : callable
        Measures with what was parsed.
    draws : bool
        Whether it draws the states of a run.
    has_failed : callable, optional
        Says of a result whether something did not hold, which the exit status then tells.
    """

    name: str
    help: str
    add_arguments: Callable[[argparse.ArgumentParser], None]
    measure: Callable[[argparse.Namespace], Measured]
    draws: bool = False
    has_failed: Callable[[dict[str, Any]], bool] | None = None


def drawn_run(parsed: argparse.Namespace) -> Run | None:
    """Return the run that was named to be drawn."""
    return open_run(parsed.which, runs_root(parsed)) if parsed.which else None


def print_line(line: str) -> None:
    """Say what is being measured."""
    print(line, file=sys.stderr, flush=True)


def bench_table(parsed: argparse.Namespace) -> Table:
    """Return the table that was named, or the sample."""
    from layerviz import data

    return data.sample_table() if parsed.data is None else table_of(parsed.data)
