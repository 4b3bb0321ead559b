"""``bench crowd``: many browsers on one server at once."""

from __future__ import annotations

import argparse
from typing import Any

from layerviz.commands.bench_entry import Bench, Measured, print_line


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("--browsers", type=int, default=20, help="how many (default: 20)")
    add("--minutes", type=float, default=5.0, help="how long they stay (default: 5)")
    add("--upload-mb", type=int, default=200, help="size of the file one uploads (default: 200)")
    add("--seed", type=int, default=0, help="of who does what, and when")


def _measure(parsed: argparse.Namespace) -> Measured:
    from layerviz.bench import crowd

    result = crowd.measure(
        browsers=parsed.browsers,
        minutes=parsed.minutes,
        upload_mb=parsed.upload_mb,
        seed=parsed.seed,
        print_line=print_line,
    )
    return result, crowd.as_text(result)


def _has_failed(result: dict[str, Any]) -> bool:
    from layerviz.bench import crowd

    return crowd.has_failed(result)


CROWD = Bench(
    "crowd",
    "many browsers on one server at once: problems and memory; exit status 1 if any",
    _add_arguments,
    _measure,
    has_failed=_has_failed,
)
