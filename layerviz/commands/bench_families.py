"""``bench families``: every family of encoders, as a tiny checkpoint."""

from __future__ import annotations

import argparse
from typing import Any

from layerviz.commands.bench_entry import Bench, Measured, print_line


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--only", metavar="FAMILY", action="append", help="one by its name; may be repeated"
    )


def _measure(parsed: argparse.Namespace) -> Measured:
    from layerviz import encoders
    from layerviz.bench import families

    result = families.measure(parsed.only or encoders.family_names(), print_line)
    return result, families.as_text(result)


def _has_failed(result: dict[str, Any]) -> bool:
    from layerviz.bench import families

    return families.has_failed(result)


FAMILIES_BENCH = Bench(
    "families",
    "every family of encoders as a tiny checkpoint: trains and is captured as it computes, or is "
    "refused with the reason; exit status 1 if any is neither",
    _add_arguments,
    _measure,
    has_failed=_has_failed,
)
