"""Comparisons that were opened: remembered in one file of the runs folder, newest first."""

from __future__ import annotations

import json
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from layerviz.config import check_run_id
from layerviz.errors import ConfigError
from layerviz.runs.locking import changing
from layerviz.runs.naming import checked_title
from layerviz.runs.writing import make_root, replacing

log = logging.getLogger(__name__)

COMPARISONS = ".comparisons.json"
MOST_REMEMBERED = 500


@dataclass(frozen=True)
class OpenedComparison:
    """A comparison that was opened.

    Parameters
    ----------
    run_ids : tuple of str
        Of the runs, in the order in which they were compared; some may have been deleted since.
    opened : str
        ISO 8601 time in UTC, of the first time.
    title : str
        What a reader calls it; empty for what it is called by itself.
    """

    run_ids: tuple[str, ...]
    opened: str
    title: str = ""


def list_comparisons(root: Path) -> list[OpenedComparison]:
    """Return the comparisons that were opened, newest first; garbled entries are left out."""
    try:
        entries = json.loads((root / COMPARISONS).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    except (OSError, ValueError) as error:
        log.warning("%s cannot be read: %s", COMPARISONS, error)
        return []
    comparisons = (_parsed(entry) for entry in entries) if isinstance(entries, list) else ()
    return [comparison for comparison in comparisons if comparison is not None]


def remember_comparison(root: Path, run_ids: Sequence[str]) -> None:
    """Put a comparison at the head of the list, unless it is in there; the order does not count.

    Raises
    ------
    RunError
        If the list cannot be written.
    """
    if _has(list_comparisons(root), run_ids):  # as at each look after the first
        return
    with changing(root / COMPARISONS):
        comparisons = list_comparisons(root)
        if _has(comparisons, run_ids):
            return
        now = datetime.now(UTC).isoformat(timespec="seconds")
        newest = OpenedComparison(tuple(run_ids), now)
        _write(root, [newest, *comparisons][:MOST_REMEMBERED])


def _has(comparisons: Sequence[OpenedComparison], run_ids: Sequence[str]) -> bool:
    return any(set(comparison.run_ids) == set(run_ids) for comparison in comparisons)


def rename_comparison(root: Path, run_ids: Sequence[str], title: str) -> None:
    """Call a comparison something else; an empty title gives it its own name back.

    Raises
    ------
    ConfigError
        If the title is too long.
    RunError
        If the list cannot be written.
    """
    title = checked_title(title)
    with changing(root / COMPARISONS):
        comparisons = list_comparisons(root)
        _write(
            root,
            [replace(one, title=title) if one.run_ids == tuple(run_ids) else one
             for one in comparisons],
        )  # fmt: skip


def forget_comparisons(root: Path, forgotten: Collection[tuple[str, ...]]) -> None:
    """Take comparisons off the list; their runs stay.

    Raises
    ------
    RunError
        If the list cannot be written.
    """
    with changing(root / COMPARISONS):
        _write(root, [one for one in list_comparisons(root) if one.run_ids not in forgotten])


def _write(root: Path, comparisons: Sequence[OpenedComparison]) -> None:
    entries = [vars(comparison) for comparison in comparisons]
    make_root(root)
    with replacing(root / COMPARISONS) as temporary:
        temporary.write_text(json.dumps(entries, indent=2, ensure_ascii=False), encoding="utf-8")


def _parsed(entry: object) -> OpenedComparison | None:
    try:
        if not isinstance(entry, dict):
            return None
        run_ids = tuple(check_run_id(run_id) for run_id in entry["run_ids"])
        opened = datetime.fromisoformat(entry["opened"]).isoformat()
        title = checked_title(entry.get("title", ""))
    except (ConfigError, KeyError, TypeError, ValueError, AttributeError):
        return None
    return OpenedComparison(run_ids, opened, title) if len(set(run_ids)) > 1 else None
