"""How large what a run holds must be, as far as its record and its examples tell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pyarrow.parquet

from layerviz.errors import LayervizError
from layerviz.rereading import known_text
from layerviz.runs.layout import Layout
from layerviz.runs.schema import parse_record
from layerviz.runs.upgrading import upgrade


@dataclass(frozen=True)
class Sizes:
    """Lengths of what a run holds; -1 where nothing tells.

    Parameters
    ----------
    n_examples : int
        N.
    n_states : int
        Layers, the embedding output included: L + 1.
    width : int
        D.
    n_classes : int
        C.
    poolings : tuple of str
        Empty where nothing tells.
    """

    n_examples: int = -1
    n_states: int = -1
    width: int = -1
    n_classes: int = -1
    poolings: tuple[str, ...] = ()


def sizes_of(path: Path) -> Sizes:
    """Return the sizes that a run's folder tells of; a damaged record tells of none."""
    layout = Layout(path)
    try:
        by_record = _by_record(known_text(layout.record))
    except (LayervizError, OSError, LookupError, TypeError, ValueError, AttributeError):
        by_record = Sizes()
    return Sizes(
        _n_rows(layout.examples),
        by_record.n_states,
        by_record.width,
        by_record.n_classes,
        by_record.poolings,
    )


@lru_cache(maxsize=64)
def _by_record(text: str) -> Sizes:
    values = upgrade(parse_record(text))
    encoder = values["encoder"]
    return Sizes(
        n_states=int(encoder["layers"]) + 1 if "layers" in encoder else -1,
        width=int(encoder.get("hidden_size", -1)),
        n_classes=len(values["label_names"]),
        poolings=tuple(values["poolings"]),
    )


def _n_rows(file: Path) -> int:
    try:
        stat = file.stat()
        return _n_rows_of(file, stat.st_mtime_ns, stat.st_size)
    except (OSError, ValueError, pyarrow.ArrowException):
        return -1


@lru_cache(maxsize=256)
def _n_rows_of(file: Path, time: int, size: int) -> int:
    del time, size  # parts of the key alone
    return int(pyarrow.parquet.read_metadata(file).num_rows)
