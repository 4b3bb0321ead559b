"""``bench torture``: whether what must hold does, whatever happens to files and processes."""

from __future__ import annotations

import argparse
from typing import Any

from layerviz.commands.bench_entry import Bench, Measured, print_line
from layerviz.errors import ConfigError


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--seed", type=int, default=0, help="of the attempts")
    add(
        "--share",
        type=float,
        default=1.0,
        help="part of each ordeal's attempts that is made, 0 to 1; one of each at least",
    )
    add("--only", metavar="NAME", action="append", help="an ordeal by its name; may be repeated")


def _measure(parsed: argparse.Namespace) -> Measured:
    if not 0 < parsed.share <= 1:
        raise ConfigError(
            f"A share of {parsed.share:g} is out of range.", "Give 1 or a part of it."
        )
    from layerviz.bench.torture import trials
    from layerviz.bench.torture.ordeals import ORDEALS

    wanted = [ORDEALS[name] for name in dict.fromkeys(parsed.only or ORDEALS)]
    result = trials.measure(wanted, seed=parsed.seed, share=parsed.share, print_line=print_line)
    return result, trials.as_text(result)


def _has_failed(result: dict[str, Any]) -> bool:
    from layerviz.bench.torture import trials

    return trials.has_failed(result)


TORTURE = Bench(
    "torture",
    "deaths, full disks, damaged and hostile files: attempts, held, failed; exit status 1 if any "
    "failed",
    _add_arguments,
    _measure,
    has_failed=_has_failed,
)
