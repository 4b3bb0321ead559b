"""Trying ordeals: a seeded share of their attempts, how each ended, and a table of all."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from layerviz.bench.torture.ordeal import Attempt, Broken, Ordeal
from layerviz.errors import LayervizError
from layerviz.progress import duration
from layerviz.wording import count

SECONDS_BETWEEN_LINES = 20.0
LONGEST_REASON = 300  # characters of what is said of a failure


def measure(
    ordeals: Sequence[Ordeal],
    *,
    seed: int = 0,
    share: float = 1.0,
    print_line: Callable[[str], None],
) -> dict[str, Any]:
    """Try ordeals one after the other.

    Parameters
    ----------
    ordeals : sequence of Ordeal
    seed : int
        Of the attempts, and of which of them make up the share.
    share : float
        Part of each ordeal's attempts that is tried, above 0 and up to 1; one at least.
    print_line : callable
        Called with a line of text while it goes on.

    Returns
    -------
    dict
        ``seed``, ``share`` and ``ordeals``: for each of them ``name``, ``sentence``, ``attempts``,
        ``held``, ``failed`` (list of ``attempt`` and ``reason``), ``seconds`` and ``left_out`` (why
        nothing could be tried; None where it was).
    """
    return {
        "seed": seed,
        "share": share,
        "ordeals": [try_ordeal(ordeal, seed, share, print_line) for ordeal in ordeals],
    }


def try_ordeal(
    ordeal: Ordeal,
    seed: int,
    share: float | None,
    print_line: Callable[[str], None],
) -> dict[str, Any]:
    """Try one ordeal and return what became of it, as in `measure`.

    Parameters
    ----------
    ordeal : Ordeal
    seed : int
    share : float or None
        None takes as many attempts as the tests make.
    print_line : callable
    """
    started = said = time.monotonic()
    tried, failed, left_out = 0, [], None
    print_line(f"{ordeal.name}: {ordeal.sentence}")
    with tempfile.TemporaryDirectory(prefix="layerviz-torture-") as folder:
        shared = Path(folder) / "shared"
        shared.mkdir()
        try:
            attempts = chosen(list(ordeal.attempts(seed, shared)), share, ordeal.in_suite, seed)
        except LayervizError as error:
            attempts, left_out = [], str(error)
        for attempt in attempts:
            reason = _reason(attempt, Path(folder) / f"attempt-{tried}")
            tried += 1
            if reason is not None:
                failed.append({"attempt": attempt.name, "reason": reason})
                print_line(f"{ordeal.name}: failed at {attempt.name}: {reason}")
            if time.monotonic() - said > SECONDS_BETWEEN_LINES:
                said = time.monotonic()
                print_line(f"{ordeal.name}: {tried} of {len(attempts)}, {len(failed)} failed")
    return {
        "name": ordeal.name,
        "sentence": ordeal.sentence,
        "attempts": tried,
        "held": tried - len(failed),
        "failed": failed,
        "seconds": round(time.monotonic() - started, 1),
        "left_out": left_out,
    }


def chosen(
    attempts: Sequence[Attempt], share: float | None, in_suite: int, seed: int
) -> list[Attempt]:
    """Return a seeded share of attempts, in their order."""
    wanted = in_suite if share is None else max(1, round(share * len(attempts)))
    if wanted >= len(attempts):
        return list(attempts)
    rows = random.Random(seed).sample(range(len(attempts)), wanted)
    return [attempts[row] for row in sorted(rows)]


def _reason(attempt: Attempt, folder: Path) -> str | None:
    """Make an attempt; return why it failed, or None if it held."""
    folder.mkdir()
    try:
        attempt.work(folder)
    except Broken as broken:
        return str(broken)[:LONGEST_REASON]
    except Exception as error:
        return f"{type(error).__name__}: {error}"[:LONGEST_REASON]
    return None


def as_text(result: dict[str, Any]) -> str:
    """Return a result of :func:`measure` as a table for people, and what failed under it."""
    rows: list[tuple[str, ...]] = [("ordeal", "attempts", "held", "failed", "took")]
    for one in result["ordeals"]:
        numbers = (one["attempts"], one["held"], len(one["failed"]))
        rows.append((one["name"], *(f"{n:,}" for n in numbers), duration(one["seconds"])))
    totals = [sum(int(row[column].replace(",", "")) for row in rows[1:]) for column in (1, 2, 3)]
    seconds = duration(sum(one["seconds"] for one in result["ordeals"]))
    rows.append(("all", *(f"{n:,}" for n in totals), seconds))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    ]
    for one in result["ordeals"]:
        if one["left_out"]:
            lines.append(f"{one['name']}: left out. {one['left_out']}")
        lines += [f"{one['name']}, {f['attempt']}: {f['reason']}" for f in one["failed"]]
    lines.append(
        f"{count(totals[2], 'failure')} in {count(totals[0], 'attempt')} "
        f"(seed {result['seed']}, share {result['share']:g})."
    )
    return "\n".join(lines)


def has_failed(result: dict[str, Any]) -> bool:
    """Return whether any attempt of a result of :func:`measure` has failed."""
    return any(one["failed"] for one in result["ordeals"])
