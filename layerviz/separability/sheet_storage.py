"""Answer sheets in a run's folder: to make one takes a second, to read one some milliseconds."""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Sequence
from typing import Any

import numpy as np

from layerviz.runs import Run
from layerviz.separability.answer_files import read_answer, sheet_sources, write_answer
from layerviz.separability.sheet import AnswerSheet, sheet_of


@dataclasses.dataclass(frozen=True)
class StoredSheet:
    """A sheet as it was stored.

    Parameters
    ----------
    sheet : AnswerSheet
    is_current : bool
        Whether the run's measures are still those that it was made from.
    """

    sheet: AnswerSheet
    is_current: bool


def read_sheet(run: Run, poolings: Sequence[str] | None = None) -> StoredSheet | None:
    """Return the stored sheet of a run, searched among `poolings`, current or not; None without."""
    stored = read_answer(run.layout.answer(run.poolings if poolings is None else poolings))
    if stored is None:
        return None
    try:
        sheet = _from_json(AnswerSheet, stored.content)
    except (ValueError, TypeError, KeyError):  # changed by hand: it is made anew
        return None
    return StoredSheet(sheet, stored.made_from == sheet_sources(run))


def sheet_state(run: Run, poolings: Sequence[str] | None = None) -> str:
    """Return what changes with a run's stored sheet, and with whether that is current.

    Nothing is read for it: files are only looked at from outside.
    """
    file = run.layout.answer(run.poolings if poolings is None else poolings)
    try:
        stat = file.stat()
    except OSError:
        return ""
    return json.dumps([stat.st_mtime_ns, stat.st_size, sheet_sources(run)])


def current_sheet(run: Run, poolings: Sequence[str] | None = None) -> AnswerSheet:
    """Return the sheet of a run: the stored one, or else made now and stored.

    Raises
    ------
    RunError
        As `sheet_of`.
    """
    stored = read_sheet(run, poolings)
    if stored is not None and stored.is_current:
        return stored.sheet
    made_from = sheet_sources(
        run
    )  # before the sheet is made: what is measured meanwhile is not in it
    sheet = sheet_of(run, poolings)
    file = run.layout.answer(sheet.poolings)
    write_answer(file, made_from, dataclasses.asdict(sheet), default=_plain_number)
    return sheet


def _plain_number(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} has no place in JSON.")


def _from_json(kind: Any, value: Any) -> Any:
    """Return a value of a type that is made of dataclasses, tuples and plain values."""
    if isinstance(kind, types.UnionType):
        (some,) = (one for one in typing.get_args(kind) if one is not types.NoneType)
        return None if value is None else _from_json(some, value)
    if kind is tuple:
        return tuple(value)
    if typing.get_origin(kind) is tuple:
        kinds = typing.get_args(kind)
        if kinds[-1] is Ellipsis:
            return tuple(_from_json(kinds[0], one) for one in value)
        return tuple(_from_json(one, part) for one, part in zip(kinds, value, strict=True))
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return kind(**{name: _from_json(hints[name], part) for name, part in value.items()})
    return kind(value)
