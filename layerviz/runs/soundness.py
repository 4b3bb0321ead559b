"""Whether a ``run.json`` holds what lists and pages take for granted: the kinds of its entries."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

from layerviz.poolings import RESERVED
from layerviz.registry import NAME_PATTERN


def is_sound(values: dict[str, Any]) -> bool:
    """Return whether the entries of a record, in today's format, are of the kinds they should be.

    Raises
    ------
    AttributeError, KeyError, TypeError
        If an entry is missing or quite another thing.
    """
    dataset, encoder = values["dataset"], values["encoder"]
    return (
        are(values["label_names"], str)
        and all(isinstance(dataset[name], str) for name in ("name", "fingerprint"))
        and isinstance(dataset["counts"], dict)
        and all(
            isinstance(counts, dict) and are(list(counts.values()), int)
            for counts in dataset["counts"].values()
        )
        and isinstance(values["reason"], str)
        and isinstance(values.get("title", ""), str)
        and isinstance(encoder, dict)
        and isinstance(values["training"], dict)
        and isinstance(values["versions"], dict)
        and all(
            is_number(snapshot[name])
            for snapshot in values["snapshots"]
            for name in ("index", "step", "epoch")
        )
    )


def moment_of(text: str) -> str:
    """Return an ISO 8601 time with its zone: what says nothing of it was written in UTC."""
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def poolings_of(names: Any) -> tuple[str, ...]:
    """Return the poolings that a record names, or a ValueError where they cannot be names."""
    sound = isinstance(names, list) and all(
        isinstance(name, str) and re.fullmatch(NAME_PATTERN, name) and name not in RESERVED
        for name in names
    )
    if not sound or not 0 < len(set(names)) == len(names):
        raise ValueError("poolings")
    return tuple(names)


def are(values: Any, kind: type) -> bool:
    """Return whether this is a list of values of one kind; no boolean passes for a number."""
    return isinstance(values, list) and all(
        isinstance(value, kind) and not isinstance(value, bool) for value in values
    )


def is_number(value: Any) -> bool:
    """Return whether this is a finite number."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
